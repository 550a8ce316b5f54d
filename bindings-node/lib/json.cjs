// Values of JavaScript as JSON, and back. What JSON can't hold is refused, where JSON.stringify
// leaves it out or makes null or {} of it.
'use strict'

const { randomUUID } = require('node:crypto')
const { types } = require('node:util')

/** How deep lists and objects may be nested: as deep as the stack surely has room for. */
const MAX_DEPTH = 1000

class Misfit extends Error {
  constructor(why) {
    super(why)
    this.path = ''
  }
}

/**
 * The value as JSON text; of one that JSON can't hold, the way to what is wrong, and the reason.
 */
function stringify(value) {
  try {
    return write(value, 0)
  } catch (error) {
    if (error instanceof Misfit) return [error.path, error.message]
    throw error
  }
}

function none(kind) {
  return new Misfit(`JSON has no ${kind}: give null, a boolean, a number, a bigint, a string, an array, an object or a Map`)
}

function write(value, depth) {
  switch (typeof value) {
    case 'string':
      return string(value)
    case 'number':
      return number(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return value.toString()
    case 'object':
      return value === null ? 'null' : object(value, depth)
    default:
      throw none(typeof value)
  }
}

function string(value) {
  if (/[\ud800-\udfff]/.test(value) && Buffer.from(value, 'utf8').toString('utf8') !== value) {
    throw new Misfit("the string holds a lone surrogate, which UTF-8 has no form for")
  }
  return JSON.stringify(value)
}

function number(value) {
  if (!Number.isFinite(value)) throw new Misfit(`${value} is no number of JSON`)
  if (Object.is(value, -0)) return '-0'
  // All digits, where the usual text rounds them.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString()
  return String(value)
}

function object(value, depth) {
  if (depth === MAX_DEPTH) throw new Misfit(`it is nested more than ${MAX_DEPTH} deep, or contains itself`)
  if (Array.isArray(value)) {
    const items = []
    for (let i = 0; i < value.length; i++) items.push(part(value[i], depth, () => `[${i}]`))
    return `[${items.join(',')}]`
  }
  if (types.isMap(value)) {
    const members = []
    for (const [key, item] of value) {
      if (typeof key !== 'string') throw new Misfit(`the keys of an object in JSON are strings, and one is a ${typeof key}`)
      members.push(member(key, item, depth))
    }
    return `{${members.join(',')}}`
  }
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  if (types.isDate(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || isOther(value, kind)) {
    throw none(kind)
  }
  if (typeof value.toJSON === 'function') return write(value.toJSON(''), depth + 1)
  const members = []
  for (const key of Object.keys(value)) {
    const item = value[key]
    // As in a record, a member that is undefined is one that is not there.
    if (item !== undefined) members.push(member(key, item, depth))
  }
  return `{${members.join(',')}}`
}

/** Whether an object is none of names and values: a Set, a RegExp, a Promise, an Error... */
function isOther(value, kind) {
  return kind !== 'Object' && typeof value.toJSON !== 'function' && !(kind !== 'Error' && isPlain(value))
}

function isPlain(value) {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function member(key, item, depth) {
  return `${string(key)}:${part(item, depth, () => (/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))}`
}

function part(value, depth, step) {
  try {
    return write(value, depth + 1)
  } catch (error) {
    if (error instanceof Misfit) error.path = step() + error.path
    throw error
  }
}

// A string of JSON can't begin with this by chance, nor by intent.
const TAG = `\u0000${randomUUID()}:`
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?([eE][+-]?\d+)?/g

/**
 * The value that the text holds, which is known to be JSON. Integers that a number does not hold
 * are bigints.
 */
function parse(text) {
  // Most texts have none of these, and JSON.parse is far quicker.
  if (!/\d{16}|[eE]\+?\d{2}/.test(text)) return JSON.parse(text)
  const tagged = text.replace(TOKENS, (token, fraction, exponent) => {
    if (token.startsWith('"')) return token
    const value = Number(token)
    if (fraction === undefined && exponent === undefined) {
      return Number.isSafeInteger(value) ? token : `"${JSON.stringify(TAG).slice(1, -1)}${token}"`
    }
    if (!Number.isFinite(value)) throw new RangeError(`${token.slice(0, 40)} is out of range for a number`)
    return token
  })
  const untag = (_, value) => (typeof value === 'string' && value.startsWith(TAG) ? BigInt(value.slice(TAG.length)) : value)
  return JSON.parse(tagged, untag)
}

module.exports = { parse, stringify }
