// Options, checked: what an instance may reach, and what it may use.
'use strict'

const { fileURLToPath } = require('node:url')
const { types } = require('node:util')

const { intact } = require('./buffers.cjs')
const { linked } = require('./linked.cjs')
const { camel, member } = require('./members.cjs')
const native = require('./native.cjs')

/**
 * Fails for properties that are none of an object of options: a name that is misspelt should not go
 * unnoticed.
 */
function known(given, name, names) {
  if (given === undefined || given === null) return {}
  if (typeof given !== 'object') throw new TypeError(`${name} must be an object, got ${typeof given}`)
  for (const key of Object.keys(given)) {
    if (!names.includes(key)) throw new TypeError(`${name} has no option '${key}'; its options are ${names.join(', ')}`)
  }
  return given
}

/** Reads a number of bytes: `65536`, `'64 MiB'`, `'1.5 GB'`, `'64M'`. */
function size(given, name, parse = native.parseSize, of = 'limits') {
  if (given === undefined) return undefined
  const text = typeof given === 'object' ? show(typeof given) : String(given)
  const bytes = parse(text, `${of}.${name}`)
  if (typeof bytes === 'string') throw new RangeError(bytes)
  return bytes
}

/** Checks a number of something. */
function count(given, name, least, most = Number.MAX_SAFE_INTEGER) {
  if (!Number.isSafeInteger(given) || given < least || given > most) {
    const bounds = Number.isSafeInteger(given) && given > most ? `at most ${most}` : `at least ${least}`
    throw new RangeError(`${name} is ${show(given)}; write a whole number of ${bounds}`)
  }
  return given
}

/** Checks a number of milliseconds. */
function milliseconds(given, name = 'timeout') {
  if (given === undefined) return undefined
  if (typeof given !== 'number' || !(given >= 0)) {
    throw new RangeError(`${name} is ${show(given)}; write a number of milliseconds that is not negative`)
  }
  return given
}

function show(given) {
  return typeof given === 'string' ? `'${given}'` : String(given)
}

/** A path as a string: of a string or a file: URL. */
function path(given, name) {
  if (typeof given === 'string') return given
  if (given instanceof URL || (given && typeof given === 'object' && typeof given.href === 'string')) return fileURLToPath(given)
  throw new TypeError(`${name} must be a path or a file: URL, got ${show(given)}`)
}

const LIMITS = ['memory', 'timeout', 'value', 'output', 'table', 'stack', 'fuel', 'descriptors', 'handles']

function limits(given) {
  const found = known(given, 'limits', LIMITS)
  return {
    memory: size(found.memory, 'memory'),
    timeout: milliseconds(found.timeout, 'limits.timeout'),
    value: size(found.value, 'value'),
    output: size(found.output, 'output'),
    table: found.table === undefined ? undefined : count(found.table, 'limits.table', 0, 2 ** 32 - 1),
    stack: size(found.stack, 'stack', native.parseStackSize),
    fuel: found.fuel === undefined ? undefined : count(found.fuel, 'limits.fuel', 1),
    descriptors: found.descriptors === undefined ? undefined : count(found.descriptors, 'limits.descriptors', 0, 2 ** 32 - 1),
    handles: found.handles === undefined ? undefined : count(found.handles, 'limits.handles', 0, 2 ** 32 - 1)
  }
}

const SANDBOX = ['args', 'env', 'dirs', 'temp', 'stdin', 'stdout', 'stderr', 'captureLimit', 'clock', 'seed', 'network', 'listeners']
const OUTPUTS = ['inherit', 'discard', 'capture']

/** `functions` takes what gets lines of output. */
function sandbox(given, functions) {
  const found = known(given, 'sandbox', SANDBOX)
  const output = (name) => {
    const to = found[name] ?? undefined
    if (to === undefined) return 'usual'
    if (types.isAsyncFunction(to)) throw new TypeError(`sandbox.${name} is an async function, for which nobody would wait; give a plain function of one line`)
    if (typeof to === 'function') return functions.push(to, undefined) / 2 - 1
    if (!OUTPUTS.includes(to)) throw new TypeError(`sandbox.${name} is ${show(to)}; it must be 'inherit', 'discard', 'capture' or a function of one line`)
    return to
  }
  const text = (value, name) => {
    if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${typeof value}`)
    return value
  }
  return {
    args: Array.from(found.args ?? [], (arg) => text(arg, 'each of sandbox.args')),
    env: Object.entries(found.env ?? {}).map(([name, value]) => [name, text(value, `sandbox.env.${name}`)]),
    dirs: Object.entries(found.dirs ?? {}).map(([guest, dir]) => {
      const one = typeof dir === 'string' || dir instanceof URL ? { path: dir } : known(dir, `sandbox.dirs['${guest}']`, ['path', 'readonly'])
      return [guest, path(one.path, `sandbox.dirs['${guest}']`), Boolean(one.readonly)]
    }),
    stdin: input(found.stdin),
    stdout: output('stdout'),
    stderr: output('stderr'),
    temp: flag(found.temp, 'sandbox.temp'),
    captureLimit: found.captureLimit === undefined ? undefined : count(found.captureLimit, 'sandbox.captureLimit', 0),
    clock: start(found.clock),
    seed: seed(found.seed),
    network: (typeof found.network === 'string' ? [found.network] : Array.from(found.network ?? [])).map((rule) => text(rule, 'each of sandbox.network')),
    listeners: addresses(found.listeners)
  }
}

/** Addresses at which the host is to listen. */
function addresses(given) {
  if (typeof given === 'string') throw new TypeError(`sandbox.listeners is ${show(given)}; write an array of addresses`)
  return Array.from(given ?? [], (address) => {
    if (typeof address !== 'string') throw new TypeError(`each of sandbox.listeners must be a string, got ${typeof address}`)
    if (address.endsWith(':0')) throw new RangeError(`sandbox.listeners has ${show(address)}, of which nobody would know the port; write one that is free`)
    return address
  })
}

/** Milliseconds since 1970. */
function start(given) {
  if (given === undefined) return undefined
  if (!types.isDate(given) || !(given.getTime() >= 0)) throw new RangeError(`sandbox.clock is ${show(given)}; give a Date from 1970 on`)
  return given.getTime()
}

/** Whether something is to be so; by default not. */
function flag(given, what) {
  if (given === undefined || typeof given === 'boolean') return Boolean(given)
  throw new TypeError(`${what} is ${show(given)}; write true or false`)
}

/** A seed as the numbers of its upper and its lower half. */
function seed(given) {
  if (given === undefined) return undefined
  const is = typeof given === 'bigint' ? given >= 0n && given < 2n ** 64n : Number.isSafeInteger(given) && given >= 0
  if (!is) throw new RangeError(`sandbox.seed is ${show(given)}; write a whole number from 0 on, of at most 64 bits`)
  return [Number(BigInt(given) >> 32n), Number(BigInt(given) & 0xffffffffn)]
}

/** Bytes whose memory is still there. */
function bytes(given, name) {
  if (!intact(given)) throw new TypeError(`${name}: the memory of the buffer is gone: it was detached, or made shorter than this view of it`)
  return given
}

/** Bytes, or the path of a file, or null for the process's own. */
function input(given) {
  if (given === undefined) return undefined
  if (given === 'inherit') return null
  if (ArrayBuffer.isView(given) || types.isAnyArrayBuffer(given)) return bytes(given, 'sandbox.stdin')
  if (given && typeof given === 'object' && 'file' in given) return path(known(given, 'sandbox.stdin', ['file']).file, 'sandbox.stdin.file')
  throw new TypeError(`sandbox.stdin is ${show(given)}; give content as a buffer, a file as { file: path }, or write 'inherit'`)
}

/**
 * The functions that the plugin wants, of those that are given: `{ interface: { name: function }
 * }`. What is missing is the core's to say. `links` takes the instances that are given for an
 * interface.
 */
function imports(wanted, given, functions, links) {
  const found = []
  if (given === undefined || given === null) return found
  if (typeof given !== 'object') throw new TypeError(`imports must be an object, got ${typeof given}`)
  for (const { interface: group, name, witName } of wanted) {
    const self = member(given, group) ?? member(given, withoutVersion(group)) ?? member(given, camel(group))
    if (self === undefined || self === null) continue
    if (typeof self !== 'object' && typeof self !== 'function') throw new TypeError(`imports.${group} is no object of functions: ${typeof self}`)
    const handle = linked(self)
    if (handle !== undefined) {
      if (!links.some(([other]) => other === group)) links.push([group, handle, self])
      continue
    }
    const func = member(self, name) ?? member(self, witName)
    if (func === undefined) continue
    if (typeof func !== 'function') throw new TypeError(`imports.${group}.${name} is not a function: ${typeof func}`)
    functions.push(func, self)
    found.push([group, witName])
  }
  return found
}

/** The name of an interface, for any version of it. */
function withoutVersion(name) {
  return name.split('@', 1)[0]
}

const INSTANCE = ['imports', 'sandbox', 'limits', 'bigint']

/**
 * What the native half makes an instance of. The functions belong to the caller, who keeps them.
 */
function instance(description, given) {
  const [functions, links] = [[], []]
  const found = imports(description.imports, given.imports, functions, links)
  // With the functions they keep their own ones.
  for (const [, , self] of links) functions.push(self, undefined)
  return {
    imports: found,
    links,
    sandbox: sandbox(given.sandbox, functions),
    limits: limits(given.limits),
    bigint: Boolean(given.bigint),
    functions
  }
}

const RUN = ['args', 'env', 'stdin']

/**
 * The same for one run of a command: what is given for the run alone is in place of the sandbox's
 * own.
 */
function run(description, given) {
  const own = RUN.filter((name) => given[name] !== undefined).map((name) => [name, given[name]])
  return instance(description, { ...given, sandbox: { ...known(given.sandbox, 'sandbox', SANDBOX), ...Object.fromEntries(own) } })
}

module.exports = { INSTANCE, RUN, bytes, count, instance, known, milliseconds, path, run, show, size }
