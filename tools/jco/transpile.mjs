// Makes a module of JavaScript out of a component: transpile.mjs COMPONENT FOLDER
import { transpile, writeFiles } from '@bytecodealliance/jco-transpile'

const [, , component, outDir] = process.argv
const { files } = await transpile(component, { name: 'component', outDir, map: { directory: '../directory.mjs' } })
await writeFiles(files)
