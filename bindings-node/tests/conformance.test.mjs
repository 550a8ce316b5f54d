// The conformance list, run from Node in each way there is; see conformance/README.md.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { GuestError, UndergoError } from 'undergo'
import { Host, QUIET, ROOT, awaited, guest, readJson } from './common.mjs'

const CAPABILITIES = new Set(['dynamic', 'surrogates'])
const camel = (kebab) => kebab.replace(/-(.)/g, (_, letter) => letter.toUpperCase())
const pascal = (kebab) => camel(`-${kebab}`)
const plugin = await guest('conformance')
const signatures = new Map(plugin.exports.map((found) => [found.witName, found.signature]))

/** Makes the value of a JSON one. `wanted` tells a long list of strings from a long string. */
function argument(value, wanted = '') {
  if (Array.isArray(value)) return value.map((item) => argument(item))
  if (value === null || typeof value !== 'object') return value
  const [[key, inner] = [], ...others] = Object.entries(value)
  if (others.length === 0) {
    if (key === '$repeat') {
      const one = argument(inner.value)
      if (typeof one === 'string' && !wanted.endsWith('[]')) return one.repeat(inner.count)
      if (one instanceof Uint8Array && !wanted.includes('Uint8Array[]')) return Buffer.concat(Array(inner.count).fill(one))
      return Array(inner.count).fill(one)
    }
    if (key in SPECIAL) return SPECIAL[key](inner)
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [camel(name), argument(item)]))
}

const SPECIAL = {
  $int: BigInt,
  $float: (text) => ({ nan: NaN, inf: Infinity, '-inf': -Infinity })[text] ?? Number(text),
  $bytes: (hex) => Uint8Array.from(Buffer.from(hex, 'hex')),
  $map: (pairs) => {
    const made = pairs.map(([key, value]) => [argument(key), argument(value)])
    return made.every(([key]) => typeof key === 'string') ? Object.fromEntries(made) : new Map(made)
  },
  $duration: (text) => Number(text) / 1e6,
  $time: ({ seconds, nanoseconds }) => new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6)),
  $json: (value) => value,
  $case: ([tag, ...value]) => (value.length > 0 ? { tag, val: argument(value[0]) } : { tag }),
  $surrogate: (text) => String.fromCharCode(Number.parseInt(text, 16))
}

/** Compares a result with the JSON value that stands for it. */
function check(actual, expected) {
  if (expected === null || expected === undefined) return assert.equal(actual, undefined)
  if (typeof expected === 'object' && !Array.isArray(expected)) {
    if ('$between' in expected) {
      const [low, high] = expected.$between
      return assert.ok(low <= actual && actual <= high, `${actual}`)
    }
    if ('$case' in expected) {
      const [tag, ...value] = expected.$case
      assert.deepEqual(Object.keys(actual), value.length > 0 ? ['tag', 'val'] : ['tag'])
      assert.equal(actual.tag, tag)
      return check(actual.val, value[0])
    }
    if ('$json' in expected) return assert.deepEqual(actual, expected.$json)
    if ('$repeat' in expected && typeof actual !== 'string' && !(actual instanceof Uint8Array)) {
      return check(actual, Array(expected.$repeat.count).fill(expected.$repeat.value))
    }
    if ('$map' in expected) {
      const entries = actual instanceof Map ? actual : new Map(Object.entries(actual))
      assert.equal(entries.size, expected.$map.length)
      for (const [key, value] of expected.$map) {
        const wanted = argument(key)
        const found = [...entries].find(([given]) => same(given, wanted))
        assert.ok(found, `${wanted} is missing`)
        check(found[1], value)
      }
      return undefined
    }
    if (!Object.keys(expected).some((key) => key.startsWith('$'))) {
      assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).map(camel).sort())
      for (const [name, value] of Object.entries(expected)) check(actual[camel(name)], value)
      return undefined
    }
  }
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) || ArrayBuffer.isView(actual), `${actual} is no list`)
    assert.equal(actual.length, expected.length)
    expected.forEach((value, i) => check(actual[i], value))
    return undefined
  }
  const wanted = argument(expected)
  if (wanted instanceof Uint8Array) return assert.deepEqual(Buffer.from(actual), Buffer.from(wanted))
  if (wanted instanceof Date) return assert.equal(actual.getTime(), wanted.getTime())
  assert.ok(same(actual, wanted), `${actual} is not ${wanted}`)
  return undefined
}

/** Whether two values are the same; integers may be numbers or bigints. */
function same(actual, wanted) {
  if (typeof actual === 'bigint' || typeof wanted === 'bigint') {
    if (typeof actual === 'number' && !Number.isInteger(actual)) return false
    return typeof actual !== 'string' && typeof wanted !== 'string' && BigInt(actual) === BigInt(wanted)
  }
  return Object.is(actual, wanted)
}

/** Runs the cases of a file, which share an instance. */
class Runner {
  constructor(way) {
    this.way = way
    this.instance = undefined
    this.special = false
  }

  async run(one) {
    const own = { limits: one.limits, env: one.env, args: 'steps' in one ? one.args : undefined }
    const special = Object.values(own).some((value) => value !== undefined)
    if (!this.instance?.alive || one.fresh || special || this.special) await this.start(own)
    this.special = special
    for (const step of one.steps ?? [one]) await this.step(step)
  }

  async start({ limits = {}, env, args }) {
    const host = new Host(this.way === 'sync')
    const memory = limits.memory_mib && `${limits.memory_mib}MiB`
    const options = {
      imports: { host: this.way === 'awaited' ? awaited(host) : host },
      sandbox: { ...QUIET, env, args },
      limits: { memory, timeout: limits.timeout_ms },
      bigint: true
    }
    this.instance = this.way === 'sync' ? plugin.instantiateSync(options) : await plugin.instantiate(options)
    host.instance = this.instance
  }

  async step(step) {
    const wanted = /\((.*)\)/.exec(signatures.get(step.call) ?? '')?.[1].split(/, (?=\w+\??:)/) ?? []
    const args = (step.args ?? []).map((value, i) => argument(value, wanted[i]))
    const call = async () => (this.way === 'sync' ? this.instance.sync : this.instance).call(step.call, ...args)
    if (step.error) await assert.rejects(call, (error) => this.checkError(error, step.error))
    else check(await call(), step.result)
    if ('alive' in step) assert.equal(this.instance.alive, step.alive)
  }

  checkError(error, expected) {
    assert.ok(error instanceof UndergoError, `${error?.stack}`)
    assert.equal(error.code, expected.kind, error.message)
    // What a host function threw is the cause, as the same object.
    if (expected.kind === 'host-error') assert.ok(error.cause instanceof RangeError)
    assert.ok(`${error.path} ${error.message}`.includes(expected.path ?? ''), `${error.path} ${error.message}`)
    assert.ok(error.message.includes(expected.contains ?? ''), error.message)
    if (expected.chain) this.checkChain(error, expected.chain)
    return true
  }

  checkChain(error, expected) {
    let link = error
    for (const { text, name, fields } of expected) {
      assert.equal(link.constructor, name ? plugin.types[pascal(name)] : GuestError)
      assert.equal(link.message, text)
      if (fields) check(link.fields, fields)
      link = link.cause
    }
    assert.equal(link, undefined)
  }
}

const called = new Set()
for (const way of ['promise', 'awaited', 'sync']) {
  describe(way, () => {
    for (const file of readdirSync(new URL('conformance/cases/', ROOT)).sort()) {
      const runner = new Runner(way)
      for (const one of readJson(`conformance/cases/${file}`).cases) {
        const needs = [...(one.needs ?? []), ...(one.steps ?? []).flatMap((step) => step.needs ?? [])]
        const lacks = needs.filter((need) => !CAPABILITIES.has(need))
        for (const step of one.steps ?? [one]) called.add(step.call)
        const skip = lacks.length > 0 && `this host lacks ${[...new Set(lacks)].join(', ')}`
        test(`${file}: ${one.name}`, { skip }, () => runner.run(one))
      }
    }
  })
}

test('each export has a case', () => {
  assert.deepEqual(plugin.exports.map((found) => found.witName).filter((name) => !called.has(name)), [])
})
