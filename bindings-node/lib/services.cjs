// Services under standard names: what a host switches on for plugins that import them.
'use strict'

const { linkable } = require('./linked.cjs')
const native = require('./native.cjs')
const options = require('./options.cjs')

/** Stores of keys and values. */
class KeyValue {
  #handle

  constructor(given) {
    const { redis, stores = ['default'], entries = 100_000, bytes = '64 MiB' } = options.known(given, 'keyvalue', ['redis', 'stores', 'entries', 'bytes'])
    if (typeof stores === 'string') throw new TypeError(`keyvalue.stores is ${options.show(stores)}; write an array of names`)
    if (redis !== undefined && typeof redis !== 'string') throw new TypeError(`keyvalue.redis must be a string, got ${typeof redis}`)
    const names = Array.from(stores, (name) => {
      if (typeof name !== 'string') throw new TypeError(`each of keyvalue.stores must be a string, got ${typeof name}`)
      return name
    })
    const most = options.size(bytes, 'bytes', native.parseSize, 'keyvalue')
    this.#handle = native.keyvalue(redis, names, options.count(entries, 'keyvalue.entries', 0), most)
    linkable(this, this.#handle)
  }

  /** The value of a key of a store, as a buffer; undefined if there is none. */
  get(store, key) {
    const found = native.storedValue(this.#handle, String(store), String(key))
    return found === undefined ? undefined : Buffer.from(found)
  }

  /** Sets the value of a key of a store: a string or bytes. */
  set(store, key, value) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : options.bytes(value, 'the value')
    native.storeValue(this.#handle, String(store), String(key), bytes)
  }
}

/** Imports for plugins that keep keys and values. */
function keyvalue(given) {
  const stores = given instanceof KeyValue ? given : new KeyValue(given)
  return { 'wasi:keyvalue/store': stores, 'wasi:keyvalue/batch': stores, 'wasi:keyvalue/atomics': stores }
}

/** Imports for plugins that read a configuration. */
function config(values) {
  if (values === null || typeof values !== 'object') throw new TypeError(`config() takes an object of strings, got ${typeof values}`)
  const own = (key) => (values instanceof Map ? values.get(key) : Object.hasOwn(values, key) ? values[key] : undefined)
  const found = {
    get: own,
    getAll: () => (values instanceof Map ? [...values] : Object.entries(values))
  }
  return { 'wasi:config/store': found, 'wasi:config/runtime': found }
}

const LONGEST = 64 << 10

// What would change the terminal, or begin another line.
// eslint-disable-next-line no-control-regex
const UNPLAIN = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g

function plain(text) {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)` : text
  return shown.replace(UNPLAIN, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`)
}

/**
 * Imports for plugins that log: to the methods of a console, or of a logger such as pino's. What it
 * has no method for goes to the nearest that it has.
 */
function logging(logger = console) {
  if (logger === null || (typeof logger !== 'object' && typeof logger !== 'function')) throw new TypeError(`logging() takes a logger, got ${typeof logger}`)
  const near = {
    // The console's own `trace` writes a stack.
    trace: logger === console ? ['debug'] : ['trace', 'debug'],
    debug: ['debug'],
    info: ['info'],
    warn: ['warn', 'error'],
    error: ['error'],
    critical: ['fatal', 'critical', 'error']
  }
  const log = (level, context, message) => {
    const name = (near[level] ?? ['info']).find((name) => typeof logger[name] === 'function') ?? 'info'
    // A text by itself is no format.
    logger[name](context === '' ? plain(message) : `${plain(context)}: ${plain(message)}`)
  }
  return { 'wasi:logging/logging': { log } }
}

module.exports = { KeyValue, config, keyvalue, logging }
