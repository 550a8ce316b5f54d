// The native half, and what it needs of JavaScript.
'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { types } = require('node:util')
const { chain, makeError } = require('./errors.cjs')
const json = require('./json.cjs')
const { intact } = require('./buffers.cjs')
const { lend } = require('./lent.cjs')

/**
 * The classes of this realm, in the order in which the native half counts them: a context of module
 * `vm` has its own.
 */
const CLASSES = [
  Object,
  Array,
  Date,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array
]

/**
 * The library of this platform, which is in a package of its own: an optional dependency of this
 * one. On Linux it is that of the system's C library, as the other one can't be loaded.
 */
function library() {
  const platform = `${process.platform}-${process.arch}`
  const names = (process.platform === 'linux' ? [`${platform}-gnu`, `${platform}-musl`] : [platform]).map((name) => `@undergo/${name}`)
  let cause
  for (const name of names) {
    try {
      return require(name)
    } catch (error) {
      // What is there, and fails, tells more than what isn't.
      if (cause === undefined || error.code !== 'MODULE_NOT_FOUND') cause = error
    }
  }
  if (cause.code !== 'MODULE_NOT_FOUND') throw cause
  const text = `undergo has no native library for ${process.platform} on ${process.arch} here: ${names.join(' or ')} is missing, which npm installs as an optional dependency where there is one`
  throw new Error(text, { cause })
}

/**
 * Which host function code comes from, as the number of its right to call back into the instance.
 */
const origin = new AsyncLocalStorage()

/** A map's keys and values in turn; undefined for what is none. */
function entries(value) {
  const flat = []
  if (types.isMap(value)) {
    for (const [key, item] of value) flat.push(key, item)
    return flat
  }
  if (Array.isArray(value) || ArrayBuffer.isView(value) || types.isDate(value)) return undefined
  for (const key of Object.keys(value)) flat.push(key, value[key])
  return flat
}

/** The reverse: an object where all keys are strings, else a Map. Adds to `made`, or makes it. */
function map(flat, isObject, made = isObject ? {} : new Map()) {
  if (!isObject) {
    for (let i = 0; i < flat.length; i += 2) made.set(flat[i], flat[i + 1])
    return made
  }
  for (let i = 0; i < flat.length; i += 2) {
    const key = flat[i]
    if (key === '__proto__') {
      Object.defineProperty(made, key, { value: flat[i + 1], configurable: true, enumerable: true, writable: true })
    } else {
      made[key] = flat[i + 1]
    }
  }
  return made
}

/** Runs a host function so that what it calls is known to come from it. */
function run(lease, func, self, ...args) {
  return origin.run(lease, () => Reflect.apply(func, self, args))
}

/** Tells who waits for a promise of its outcome. */
function settle(promise, settled) {
  Promise.resolve(promise).then(
    (value) => native.settle(settled, true, value),
    (reason) => native.settle(settled, false, reason)
  )
}

const native = library().open({
  makeError,
  chain,
  parse: json.parse,
  stringify: json.stringify,
  entries,
  map,
  run,
  current: () => origin.getStore(),
  settle,
  later: () => void setImmediate(native.turn),
  intact,
  wrap: (calls, number) => calls.wrap(number),
  lend,
  classes: CLASSES
})

/** Whether code comes from a host function, for which a call of a plugin waits. */
native.isWithin = () => origin.getStore() !== undefined

module.exports = native
