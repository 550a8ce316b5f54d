// What the tests share: the plugins of conformance/, compiled once, and their host functions.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Plugin } from 'undergo'
import { Store, slowly } from './lent.mjs'

export const ROOT = new URL('../../', import.meta.url)

/** Where a guest is; `make guest` builds it. */
export function guestPath(name) {
  const variable = `UNDERGO_${name.toUpperCase().replace('-', '_')}_WASM`
  const given = process.env[variable]
  const path = given ?? fileURLToPath(new URL(`build/${name}.wasm`, ROOT))
  if (!existsSync(path)) throw new Error(`${path} is not there: 'make guest' builds it, or set ${variable}`)
  return path
}

/** The one plugin of a name, for all tests of a file. */
const plugins = new Map()
export async function guest(name) {
  if (!plugins.has(name)) plugins.set(name, Plugin.load(guestPath(name)))
  return plugins.get(name)
}

export function readJson(path) {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'))
}

export const QUIET = Object.freeze({ stdout: 'discard', stderr: 'discard' })

/** The module `host` of conformance/README.md. `wrap` makes its functions asynchronous, say. */
export class Host {
  instance = undefined
  kept = []
  store = new Store()

  constructor(way = 'promise') {
    this.way = way
    for (const name of ['String', 'Bytes', 'Int', 'Strings', 'Floats', 'Person', 'Maybe', 'Color', 'Counts', 'Time', 'Duration', 'Json', 'Raw', 'Shape']) {
      this[`echo${name}`] = (value) => value
    }
  }

  many(a, b, c, d, e, f, ...texts) {
    return `${a} ${b} ${c} ${d} ${e} ${f} ${texts.join('|')}`
  }

  bundle(...args) {
    return args
  }

  divmod(a, b) {
    return typeof a === 'bigint' ? [a / b, a % b] : [Math.trunc(a / b), a % b]
  }

  note(text) {
    this.kept.push(text)
  }

  notes() {
    return this.kept.splice(0)
  }

  fail(text) {
    throw new RangeError(text)
  }

  check(text) {
    if (text) throw new RangeError(text)
  }

  crash(text) {
    throw new RangeError(text)
  }

  lookup(key) {
    if (key === '') return ''
    const { NotFound } = this.instance.plugin.types
    const text = `not found: ${key}`
    throw new Error(`looking up: ${text}`, { cause: new NotFound({ key, code: 404 }, text) })
  }

  wrongType() {
    return 'not a number'
  }

  wrongResult() {
    return 'not a list'
  }

  openStore(name) {
    if (name === '') throw new RangeError('no name')
    return this.store.child(name)
  }

  reenter(depth) {
    const one = typeof depth === 'bigint' ? 1n : 1
    if (this.way === 'sync') return this.instance.sync.reenter(depth - one) + one
    return this.instance.reenter(depth - one).then((result) => result + one)
  }
}

/** The same, of which every function is asynchronous. */
export function awaited(host) {
  const functions = {}
  const names = [...Object.getOwnPropertyNames(Host.prototype), ...Object.keys(host)]
  for (const name of names) {
    if (name === 'constructor' || typeof host[name] !== 'function') continue
    functions[name] = async (...args) => {
      await new Promise((resolve) => setImmediate(resolve))
      const result = host[name](...args)
      return result instanceof Store ? slowly(result) : result
    }
  }
  return functions
}

/** Waits for what something else brings about. */
export async function until(condition) {
  const end = Date.now() + 30_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`in vain: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Gives what a function throws, or its promise is rejected with. */
export async function thrownBy(code) {
  try {
    await code()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** Makes an instance of the conformance plugin, quiet unless a sandbox is given. */
export async function start(options = {}) {
  const plugin = await guest('conformance')
  const host = options.host ?? new Host()
  delete options.host
  const instance = await plugin.instantiate({ imports: { host }, sandbox: QUIET, ...options })
  if (host instanceof Host) host.instance = instance
  return instance
}
