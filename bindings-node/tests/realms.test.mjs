// Several copies of the package in one program: in a context of module `vm`, as Jest has one for
// each file of tests, and when it is loaded anew.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import * as undergo from 'undergo'
import { Host, QUIET, guestPath } from './common.mjs'
import { bytes } from './shapes.mjs'

const require = createRequire(import.meta.url)
const FOLDER = path.dirname(fileURLToPath(import.meta.resolve('undergo')))
const PACKAGE = path.join(FOLDER, 'index.cjs')

/**
 * Loads the package into a context: its own files are run there, and what is native, or Node's, is
 * shared.
 */
function loadInto(context) {
  const loaded = new Map()
  const load = (file) => {
    if (!loaded.has(file)) {
      const module = { exports: {} }
      loaded.set(file, module)
      const run = vm.runInContext(`(function (exports, require, module) {${readFileSync(file, 'utf8')}\n})`, context, { filename: file })
      run(module.exports, (name) => (name.endsWith('.cjs') ? load(path.join(FOLDER, name)) : createRequire(file)(name)), module)
    }
    return loaded.get(file).exports
  }
  return load(path.join(FOLDER, 'index.cjs'))
}

async function start(copy) {
  const plugin = await copy.Plugin.load(guestPath('conformance'))
  return plugin.instantiate({ imports: { host: new Host() }, sandbox: QUIET })
}

const failing = async (call) => {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

test('values and errors belong to the context whose code calls', async () => {
  const context = vm.createContext({ process, URL, setImmediate, console })
  const copy = loadInto(context)
  const instance = await start(copy)
  const inside = (code) => vm.runInContext(code, context)
  assert.equal(Object.getPrototypeOf(await instance.echoStrings(['a'])), inside('Array.prototype'))
  assert.equal(Object.getPrototypeOf(await instance.echoTime(new Date(5))), inside('Date.prototype'))
  assert.equal((await instance.echoTime(new Date(5))).getTime(), 5)
  assert.equal(Object.getPrototypeOf(await instance.echoFloat64s([1.5])), inside('Float64Array.prototype'))
  assert.deepEqual([...(await instance.echoFloat64s(Array(5000).fill(1.5)))], Array(5000).fill(1.5))
  for (const call of [() => instance.echoInt32('x'), () => instance.sync.echoInt32('x')]) {
    const error = await failing(call)
    assert.ok(error instanceof copy.TypeMismatchError && error instanceof copy.UndergoError)
    assert.ok(inside('(error) => error instanceof Error')(error))
  }
})

test('errors of one copy are recognised by the classes of another', async () => {
  const copy = loadInto(vm.createContext({ process, URL, setImmediate, console }))
  for (const [one, other] of [[undergo, copy], [copy, undergo]]) {
    const error = await failing(async () => (await start(one)).echoInt32('x'))
    assert.equal(error.constructor, one.TypeMismatchError)
    assert.ok(error instanceof other.TypeMismatchError && error instanceof other.UndergoError)
    assert.ok(!(error instanceof other.GuestError) && !(error instanceof other.PanicError))
    // What a program derives from a class is its own.
    class Mine extends other.TypeMismatchError {}
    assert.ok(!(error instanceof Mine) && new Mine('x') instanceof Mine && new Mine('x') instanceof one.TypeMismatchError)
  }
  for (const value of [null, undefined, 'x', {}, new Error('x'), Object.create(null)]) assert.ok(!(value instanceof undergo.UndergoError))
})

test('errors with fields of one copy are those of another, and reach a guest through it', async () => {
  const copy = loadInto(vm.createContext({ process, URL, setImmediate, console }))
  const fields = { key: 'x', code: 1 }
  for (const [one, other] of [[undergo, copy], [copy, undergo]]) {
    const [ours, theirs] = [one.Plugin.compileSync(bytes()), other.Plugin.compileSync(bytes())]
    const thrown = new theirs.types.NotFound(fields, 'text')
    assert.ok(thrown instanceof ours.types.NotFound && thrown instanceof one.GuestError && !(thrown instanceof ours.types.Odd))
    const instance = ours.instantiateSync({ imports: { host: { lookup: () => { throw new Error('outer', { cause: thrown }) } } } })
    const { cause } = await failing(() => instance.ask('x'))
    assert.ok(cause.constructor === ours.types.NotFound && cause instanceof theirs.types.NotFound)
    assert.equal(JSON.stringify([cause.message, cause.key, cause.fields]), JSON.stringify(['text', 'x', fields]))
  }
})

test('a package that is loaded anew works beside the old one', async () => {
  const first = require(PACKAGE)
  for (const file of Object.keys(require.cache)) if (file.startsWith(FOLDER)) delete require.cache[file]
  const second = require(PACKAGE)
  assert.notEqual(first.UndergoError, second.UndergoError)
  const [one, two] = [await start(first), await start(second)]
  assert.equal(await one.echoInt32(1), await two.echoInt32(1))
  const errors = [await failing(() => one.echoInt32('x')), await failing(() => two.echoInt32('x'))]
  assert.deepEqual(errors.map((error) => error.constructor), [first.TypeMismatchError, second.TypeMismatchError])
  for (const error of errors) assert.ok(error instanceof first.TypeMismatchError && error instanceof second.TypeMismatchError)
  // Host functions that are awaited know their instance by their own copy.
  const calls = async (copy) => {
    const host = Object.assign(new Host(), { echoString: async (text) => `${await text}!` })
    const plugin = await copy.Plugin.load(guestPath('conformance'))
    const instance = await plugin.instantiate({ imports: { host }, sandbox: QUIET })
    return (await instance.throughHost('a', new Uint8Array(0), 1, [], []))[0]
  }
  assert.deepEqual([await calls(first), await calls(second)], ['a!', 'a!'])
})

test('objects of others are no handles', () => {
  const native = require(path.join(FOLDER, 'native.cjs'))
  for (const value of [{}, [], null, undefined, 1, () => {}, Symbol('x'), new Map(), Object.create(null), native.token()]) {
    assert.throws(() => native.describe(value), { code: 'type-mismatch' })
    assert.throws(() => native.settle(value, true, 1), { code: 'type-mismatch' })
  }
})
