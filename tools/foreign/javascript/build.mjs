// Makes a component of a program of JavaScript: build.mjs PROGRAM WIT WORLD COMPONENT
import { readFile, writeFile } from 'node:fs/promises'
import { componentize } from '@bytecodealliance/componentize-js'

const [program, wit, world, made] = process.argv.slice(2)
const source = await readFile(program, 'utf8')
const text = await readFile(wit, 'utf8')
const { component } = await componentize(source, text, { worldName: world, disableFeatures: ['http', 'fetch-event'] })
await writeFile(made, component)
