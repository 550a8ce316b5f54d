// The conformance list, run from Node in each way there is, with the guest as a module and as a
// component; see conformance/README.md.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { GuestError, UndergoError } from 'undergo'
import { Host, QUIET, ROOT, awaited, guest, readJson, thrownBy } from './common.mjs'
import { callbacks, close, endless, items, read, reader, slowly, write, writer } from './lent.mjs'

const CAPABILITIES = ['dynamic', 'surrogates', 'handles', 'passing-on']
/** How the guest is loaded, and what it has then, beside what the host has. */
const FORMS = {
  module: { plugin: await guest('conformance'), has: ['module'] },
  component: { plugin: await guest('conformance-component'), has: ['component'] }
}
const camel = (kebab) => kebab.replace(/-(.)/g, (_, letter) => letter.toUpperCase())
const pascal = (kebab) => camel(`-${kebab}`)
const { plugin } = FORMS.module
const signatures = new Map(plugin.exports.map((found) => [found.witName, found.signature]))

/**
 * Makes the value of a JSON one. `wanted` tells a long list of strings from a long string, and
 * `runner` has what lives longer than a step.
 */
function argument(value, wanted = '', runner = undefined) {
  if (Array.isArray(value)) return value.map((item) => argument(item, '', runner))
  if (value === null || typeof value !== 'object') return value
  const [[key, inner] = [], ...others] = Object.entries(value)
  if (key in LENT) return LENT[key](runner, inner, value)
  if (others.length === 0) {
    if (key === '$repeat') {
      const one = argument(inner.value, '', runner)
      if (typeof one === 'string' && !wanted.endsWith('[]')) return one.repeat(inner.count)
      if (one instanceof Uint8Array && !wanted.includes('Uint8Array[]')) return Buffer.concat(Array(inner.count).fill(one))
      return Array(inner.count).fill(one)
    }
    if (key in SPECIAL) return SPECIAL[key](inner, runner)
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [camel(name), argument(item, '', runner)]))
}

/** What the runner lends to the guest, and what it has kept of it. */
const LENT = {
  $handle: ({ kept }, name) => kept.get(name),
  $callback: ({ host }, name) => callbacks(host)[camel(name)],
  $object: ({ host, way }) => (way === 'awaited' ? slowly(host.store) : host.store),
  $items: (runner, all, { then }) => items(runner.way, argument(all, '', runner), then === 'fail'),
  $endless: ({ way }, value) => endless(way, argument(value)),
  $reader: ({ way }, bytes, { then }) => reader(way, bytesOf(bytes), then),
  $writer: ({ way, writers }, given) => {
    const made = writer(way, given)
    writers.set(given.as, made)
    return made
  }
}

/** Bytes, also where the cases write them as a text that is repeated. */
function bytesOf(value) {
  return Buffer.from(argument(value, 'Uint8Array'))
}

const SPECIAL = {
  $int: BigInt,
  $float: (text) => ({ nan: NaN, inf: Infinity, '-inf': -Infinity })[text] ?? Number(text),
  $bytes: (hex) => Uint8Array.from(Buffer.from(hex, 'hex')),
  $map: (pairs, runner) => {
    // A component's maps are lists of pairs.
    if (runner?.isComponent) return argument(pairs, '', runner)
    const made = pairs.map(([key, value]) => [argument(key), argument(value, '', runner)])
    return made.every(([key]) => typeof key === 'string') ? Object.fromEntries(made) : new Map(made)
  },
  $duration: (text) => Number(text) / 1e6,
  $time: ({ seconds, nanoseconds }) => new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6)),
  $json: (value) => value,
  $case: ([tag, ...value], runner) => (value.length > 0 ? { tag, val: argument(value[0], '', runner) } : { tag }),
  $surrogate: (text) => String.fromCharCode(Number.parseInt(text, 16))
}

/** Compares a result with the JSON value that stands for it. */
async function check(actual, expected, runner) {
  if (expected === null || expected === undefined) return assert.equal(actual, undefined)
  if (typeof expected === 'object' && !Array.isArray(expected)) {
    if ('$between' in expected) {
      const [low, high] = expected.$between
      return assert.ok(low <= actual && actual <= high, `${actual}`)
    }
    if ('$keep' in expected) return runner.keep(expected.$keep, actual)
    if ('$items' in expected) {
      const found = []
      for await (const item of actual) found.push(item)
      return check(found, expected.$items, runner)
    }
    if ('$reader' in expected) return assert.deepEqual(await read(actual, Infinity), bytesOf(expected.$reader))
    if ('$case' in expected) {
      const [tag, ...value] = expected.$case
      assert.deepEqual(Object.keys(actual), value.length > 0 ? ['tag', 'val'] : ['tag'])
      assert.equal(actual.tag, tag)
      return check(actual.val, value[0], runner)
    }
    if ('$json' in expected) return assert.deepEqual(actual, expected.$json)
    if ('$repeat' in expected && typeof actual !== 'string' && !(actual instanceof Uint8Array)) {
      return check(actual, Array(expected.$repeat.count).fill(expected.$repeat.value), runner)
    }
    if ('$map' in expected) {
      assert.equal(Array.isArray(actual), runner?.isComponent ?? false)
      const entries = new Map(actual instanceof Map || Array.isArray(actual) ? actual : Object.entries(actual))
      assert.equal(entries.size, expected.$map.length)
      for (const [key, value] of expected.$map) {
        const wanted = argument(key)
        const found = [...entries].find(([given]) => same(given, wanted))
        assert.ok(found, `${wanted} is missing`)
        await check(found[1], value, runner)
      }
      return undefined
    }
    if (!Object.keys(expected).some((key) => key.startsWith('$'))) {
      assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).map(camel).sort())
      for (const [name, value] of Object.entries(expected)) await check(actual[camel(name)], value, runner)
      return undefined
    }
  }
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) || ArrayBuffer.isView(actual), `${actual} is no list`)
    assert.equal(actual.length, expected.length)
    for (const [i, value] of expected.entries()) await check(actual[i], value, runner)
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
  constructor(form, way) {
    this.plugin = FORMS[form].plugin
    this.isComponent = form === 'component'
    this.way = way
    this.instance = undefined
    this.host = undefined
    this.special = false
    /** What the case has kept, what it has written to, and its other instance. */
    this.kept = new Map()
    this.all = new Set()
    this.writers = new Map()
    this.other = undefined
  }

  keep(name, value) {
    assert.ok(typeof value === 'object' && value !== null, `${value} is nothing to keep`)
    // Errors of streams are those of the steps.
    if (value instanceof Readable || value instanceof Writable) value.on('error', () => {})
    this.kept.set(name, value)
    this.all.add(value)
  }

  async forget() {
    for (const one of this.all) await close(one)
    this.all.clear()
    this.kept.clear()
    this.writers.clear()
    this.other = undefined
  }

  async run(one) {
    const own = { limits: one.limits, env: one.env, args: 'steps' in one ? one.args : undefined }
    const special = Object.values(own).some((value) => value !== undefined)
    if (!this.instance?.alive || one.fresh || special || this.special) await this.start(own)
    this.special = special
    this.own = own
    try {
      for (const step of one.steps ?? [one]) await this.step(step)
    } finally {
      await this.forget()
    }
  }

  async start(own) {
    this.host = await this.make(own)
    this.instance = this.host.instance
  }

  async make({ limits = {}, env, args }) {
    const host = new Host(this.way)
    const memory = limits.memory_mib && `${limits.memory_mib}MiB`
    const options = {
      imports: { host: this.way === 'awaited' ? awaited(host) : host },
      sandbox: { ...QUIET, env, args },
      limits: { memory, timeout: limits.timeout_ms, handles: limits.handles },
      bigint: true
    }
    host.instance = this.way === 'sync' ? this.plugin.instantiateSync(options) : await this.plugin.instantiate(options)
    return host
  }

  async step(step) {
    if (step.in === 'other') this.other ??= (await this.make(this.own)).instance
    const instance = step.in === 'other' ? this.other : this.instance
    const act = () => this.act(step, this.way === 'sync' ? instance.sync : instance)
    if (step.error) await this.checkError(await thrownBy(act), step.error)
    else if (step.end) assert.equal((await act()).done, true)
    else if ('next' in step) await this.checkItem(await act(), step)
    else if ('result' in step) await check(await act(), step.result, this)
    else await act()
    if ('alive' in step) assert.equal(instance.alive, step.alive)
  }

  async checkItem({ value, done }, step) {
    assert.ok(!done, 'there is no item')
    if ('result' in step) await check(value, step.result, this)
  }

  /** Does what a step says. */
  async act(step, exports) {
    const wanted = /\((.*)\)/.exec(signatures.get(step.call) ?? '')?.[1].split(/, (?=\w+\??:)/) ?? []
    const args = (step.args ?? []).map((value, i) => argument(value, wanted[i], this))
    if ('on' in step) return this.kept.get(step.on).call(step.call, ...args)
    if ('call' in step) return exports.call(step.call, ...args)
    if ('new' in step) return this.way === 'sync' ? new exports[pascal(step.new)](...args) : exports[pascal(step.new)].create(...args)
    if ('close' in step) return close(this.kept.get(step.close))
    if ('next' in step) return this.kept.get(step.next).next()
    if ('read' in step) return read(this.kept.get(step.read), step.most)
    if ('write' in step) return write(this.kept.get(step.write), bytesOf(step.data))
    if ('written' in step) return this.writers.get(step.written).written()
    assert.ok(step.reset, `${Object.keys(step)} is no step`)
    return exports.reset()
  }

  async checkError(error, expected) {
    assert.ok(error instanceof UndergoError, `${error?.stack}`)
    assert.equal(error.code, expected.kind, error.message)
    // What a host function threw is the cause, as the same object.
    if (expected.kind === 'host-error') assert.ok(error.cause instanceof RangeError)
    assert.ok(`${error.path} ${error.message}`.includes(expected.path ?? ''), `${error.path} ${error.message}`)
    assert.ok(error.message.includes(expected.contains ?? ''), error.message)
    if (expected.chain) await this.checkChain(error, expected.chain)
  }

  async checkChain(error, expected) {
    let link = error
    for (const { text, name, fields } of expected) {
      assert.equal(link.constructor, name ? this.plugin.types[pascal(name)] : GuestError)
      assert.equal(link.message, text)
      if (fields) await check(link.fields, fields)
      link = link.cause
    }
    assert.equal(link, undefined)
  }
}

const called = new Set()
const files = readdirSync(new URL('conformance/cases/', ROOT)).sort()
for (const [form, { has }] of Object.entries(FORMS)) {
  for (const way of ['promise', 'awaited', 'sync']) {
    describe(`${form}, ${way}`, () => {
      for (const file of files) {
        const runner = new Runner(form, way)
        const { needs: all = [], cases } = readJson(`conformance/cases/${file}`)
        for (const one of cases) {
          const needs = [...all, ...(one.needs ?? []), ...(one.steps ?? []).flatMap((step) => step.needs ?? [])]
          const lacks = needs.filter((need) => !CAPABILITIES.includes(need) && !has.includes(need))
          for (const step of one.steps ?? [one]) called.add(step.call).add(step.new)
          const skip = lacks.length > 0 && `a ${form} in this host lacks ${[...new Set(lacks)].join(', ')}`
          test(`${file}: ${one.name}`, { skip }, () => runner.run(one))
        }
      }
    })
  }
}

test('each export has a case', () => {
  const members = plugin.resources.filter(({ isGuests, shape }) => isGuests && shape === 'object').flatMap(({ constructs, methods }) => [constructs, ...methods])
  const names = [...plugin.exports, ...members].filter(Boolean).map(({ witName }) => witName.split('.').at(-1))
  assert.deepEqual(names.filter((name) => !called.has(name)), [])
})
