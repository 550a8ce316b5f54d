// Types: what tsc --strict says of the package's declarations, and of the modules that
// `undergo bindgen` writes.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ROOT, guestPath } from './common.mjs'
import { bytes } from './shapes.mjs'

const TOOLS = process.env.UNDERGO_NODE_TOOLS
const skip = !TOOLS && 'TypeScript is not there: make test installs it from npm'
const run = promisify(execFile)

/** A folder with the package, TypeScript's types of Node, and these files. */
function project(files) {
  const folder = mkdtempSync(join(tmpdir(), 'undergo-types-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(dirname(dirname(fileURLToPath(import.meta.resolve('undergo')))), join(folder, 'node_modules', 'undergo'))
  for (const name of ['@types', 'undici-types']) symlinkSync(join(TOOLS, 'node_modules', name), join(folder, 'node_modules', name))
  for (const [name, path] of Object.entries(files)) copyFileSync(path, join(folder, name))
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    preserveSymlinks: true,
    types: ['node'],
    outDir: 'out'
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }))
  return folder
}

async function compiles(folder) {
  const tsc = join(TOOLS, 'node_modules', 'typescript', 'bin', 'tsc')
  const failed = await run(process.execPath, [tsc, '--project', folder]).then(() => undefined, (error) => error)
  assert.equal(failed, undefined, failed?.stdout)
}

const here = (name) => fileURLToPath(new URL(`types/${name}`, import.meta.url))
const fixture = (name) => fileURLToPath(new URL(`cli/tests/fixtures/${name}`, ROOT))

test('the declarations say what the package is', { skip }, async () => {
  await compiles(project({ 'usage.mts': here('usage.mts'), 'usage.cts': here('usage.cts'), 'handles.mts': here('handles.mts') }))
})

test('the declarations have all that is exported', async () => {
  const { readFileSync } = await import('node:fs')
  const text = readFileSync(new URL('../index.d.ts', import.meta.resolve('undergo')), 'utf8')
  const { default: whole } = await import('undergo')
  for (const name of Object.keys(whole)) assert.match(text, new RegExp(`export declare (class|const|function) ${name}\\b`))
  for (const code of whole.errorCodes) assert.ok(text.includes(`| '${code}'`))
  for (const [class_, type] of [['Instance', 'InstanceMembers'], ['Pool', 'PoolMembers']]) {
    const declared = text.slice(text.indexOf(`interface ${type}<`), text.indexOf('\n}\n', text.indexOf(`interface ${type}<`)))
    for (const name of Object.getOwnPropertyNames(whole[class_].prototype)) {
      if (['constructor', 'exports', 'call', 'using', 'sync'].includes(name)) continue
      assert.match(declared, new RegExp(`\\n  (readonly )?${name}[(:]`), `${class_}.${name}`)
    }
  }
})

test('the modules of the command line’s tests are right', { skip }, async () => {
  const generated = { 'generated-bare.mts': fixture('bare.ts'), 'generated-kitchen.mts': fixture('kitchen.ts'), 'generated-shapes.mts': fixture('shapes.ts'), 'generated-living.mts': fixture('living.ts') }
  await compiles(project({ ...generated, 'kitchen.mts': here('kitchen.mts') }))
})

/** Has a module written for a plugin, and runs the program of that name with it. */
async function runs(name, plugin) {
  const written = join(mkdtempSync(join(tmpdir(), 'undergo-types-')), 'module.ts')
  await run(process.env.UNDERGO, ['bindgen', plugin, '--lang', 'ts', '-o', written])
  const folder = project({ [`generated-${name}.mts`]: written, [`${name}.mts`]: here(`${name}.mts`) })
  await compiles(folder)
  assert.ok(readdirSync(join(folder, 'out')).includes(`${name}.mjs`))
  const { stdout } = await run(process.execPath, [...process.execArgv.filter((arg) => !arg.startsWith('--test')), join(folder, 'out', `${name}.mjs`), plugin])
  assert.equal(stdout, 'as typed\n')
}

const skipTool = skip || (!process.env.UNDERGO && 'there is no command line tool')

test('a module for the conformance plugin is right, and runs', { skip: skipTool }, () => runs('conformance', guestPath('conformance')))

test('a module for a plugin with a variant and with errors is right, and runs', { skip: skipTool }, async () => {
  const plugin = join(mkdtempSync(join(tmpdir(), 'undergo-types-')), 'shapes.wasm')
  writeFileSync(plugin, bytes())
  await runs('shapes', plugin)
})
