// Runs a Go program under V8, and writes the microseconds of processor time that it took to
// standard error.
import { readFileSync } from 'node:fs'
import { WASI } from 'node:wasi'

const [, , file, ...args] = process.argv
const wasi = new WASI({ version: 'preview1', args: ['program', ...args], returnOnExit: true })
const { instance } = await WebAssembly.instantiate(readFileSync(file), wasi.getImportObject())
const before = process.cpuUsage()
process.exitCode = wasi.start(instance)
const { user, system } = process.cpuUsage(before)
console.error(user + system)
