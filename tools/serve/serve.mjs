// Serves a component by jco, and prints the port: serve.mjs COMPONENT FOLDER
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transpile, writeFiles } from '@bytecodealliance/jco-transpile'
import { HTTPServer } from '@bytecodealliance/preview2-shim/http'

const [, , component, outDir] = process.argv
const { files } = await transpile(component, { name: 'app', outDir })
await writeFiles(files)
const { incomingHandler } = await import(pathToFileURL(resolve(outDir, 'app.js')))
const server = new HTTPServer(incomingHandler)
server.listen(0, '127.0.0.1')
console.log(server.address().port)
