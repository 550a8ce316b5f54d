// A compiled plugin.
'use strict'

const { inspect, types } = require('node:util')
const { CallOptions, explained } = require('./callee.cjs')
const command = require('./command.cjs')
const { errorType } = require('./errors.cjs')
const native = require('./native.cjs')
const { Instance } = require('./instance.cjs')
const { linkable } = require('./linked.cjs')
const options = require('./options.cjs')
const { Pool } = require('./pool.cjs')
const { Server } = require('./server.cjs')

const OPTIONS = ['compile', 'cache', 'bounds', 'timeout', 'signal', 'compiler', 'optimize']
const POOL = ['size', 'maxCalls', 'idle', ...options.INSTANCE]
const SERVE = ['instances', 'maxCalls', 'idle', 'queue', 'connections', 'body', 'onError', ...options.INSTANCE]

/** Lets nobody but this file make a plugin: they are made by its static methods. */
const PRIVATE = Symbol('undergo.plugin')

/**
 * How a plugin is compiled. `load()` gives the options of instances as well, which are not looked
 * at here.
 */
function compiling(given, others = []) {
  const { compile = 'tiered', cache, bounds = 1, timeout, signal, compiler, optimize = true } = options.known(given, 'the plugin', [
    ...OPTIONS,
    ...others
  ])
  if (!['tiered', 'fast', 'best'].includes(compile)) {
    throw new TypeError(`compile is ${options.show(compile)}; it must be 'tiered', 'fast' or 'best'`)
  }
  if (typeof optimize !== 'boolean') throw new TypeError(`optimize is ${options.show(optimize)}; it must be true or false`)
  // The user's own cache is what nothing, and true, stand for.
  const folder = cache === undefined || cache === true ? undefined : cache === false ? false : options.path(cache, 'cache')
  const call = new CallOptions({ timeout, signal })
  return {
    compile,
    cache: folder,
    compiled: false,
    bounds: options.count(bounds, 'bounds', 1),
    timeout: call.timeout,
    token: call.token,
    signal,
    compiler: compiler === undefined ? undefined : options.path(compiler, 'compiler'),
    optimize
  }
}

/** Loads a plugin: says why, where that was aborted. */
async function loaded(source, given) {
  try {
    return await native.load(source, given, false)
  } catch (error) {
    throw explained(error, given.signal)
  }
}

function loadedSync(source, given) {
  try {
    return native.load(source, given, true)
  } catch (error) {
    throw explained(error, given.signal)
  }
}

function trusted(given) {
  if (options.known(given, 'loadCompiled()', ['trusted']).trusted !== true) {
    const text = 'a compiled plugin is native code, which runs outside the sandbox: pass { trusted: true } if you trust who made it, or else load the .wasm file'
    throw new TypeError(text)
  }
  return { ...compiling(), compiled: true }
}

function bytes(source) {
  if (ArrayBuffer.isView(source) || types.isArrayBuffer(source)) return options.bytes(source, 'the plugin')
  throw new TypeError('a plugin is compiled from a buffer; Plugin.load takes a path')
}

class Plugin {
  #handle
  #description
  #exports
  #imports
  #resources
  #types
  #warned = 0

  constructor(key, handle) {
    if (key !== PRIVATE) throw new TypeError("a plugin is made by 'await Plugin.load(path)' or 'await Plugin.compile(bytes)'")
    this.#handle = handle
    this.#description = native.describe(handle)
    this.#exports = Object.freeze(this.#description.exports.map((found) => Object.freeze(found)))
    this.#imports = Object.freeze(this.#description.imports.map((found) => Object.freeze(found)))
    this.#resources = this.#description.resources
    const types = this.#description.errors.map(({ name, type }) => [name, errorType(name, type)])
    native.declare(handle, types.map(([, made]) => made))
    this.#types = Object.freeze(Object.assign(Object.create(null), Object.fromEntries(types)))
    this.#warn()
  }

  /**
   * Warns of what was found since the last time: what went wrong, or was given in vain, and did no
   * harm.
   */
  #warn() {
    const found = native.diagnostics(this.#handle)
    for (const text of found.slice(this.#warned)) process.emitWarning(text, 'UndergoWarning')
    this.#warned = found.length
  }

  static async load(path, given) {
    return new Plugin(PRIVATE, await loaded(options.path(path, 'the plugin'), compiling(given, options.INSTANCE)))
  }

  static loadSync(path, given) {
    return new Plugin(PRIVATE, loadedSync(options.path(path, 'the plugin'), compiling(given)))
  }

  static async compile(source, given) {
    return new Plugin(PRIVATE, await loaded(bytes(source), compiling(given)))
  }

  static compileSync(source, given) {
    return new Plugin(PRIVATE, loadedSync(bytes(source), compiling(given)))
  }

  static async loadCompiled(path, given) {
    return new Plugin(PRIVATE, await native.load(options.path(path, 'the plugin'), trusted(given), false))
  }

  get handle() {
    return this.#handle
  }

  get name() {
    return this.#description.name
  }

  get kind() {
    return this.#description.kind
  }

  get interface() {
    return this.#description.interface
  }

  get goVersion() {
    return this.#description.goVersion
  }

  get tier() {
    return native.pluginTier(this.#handle)
  }

  get exports() {
    return this.#exports
  }

  get imports() {
    return this.#imports
  }

  /** Its resources by their numbers, for the package itself. */
  get resources() {
    return this.#resources
  }

  get types() {
    return this.#types
  }

  async waitCompiled() {
    await native.waitCompiled(this.#handle)
  }

  async instantiate(given) {
    const found = options.instance(this.#description, options.known(given, 'instantiate()', [...options.INSTANCE, ...OPTIONS]))
    const making = native.instantiate(this.#handle, found, false)
    this.#warn()
    const handle = await making
    return linkable(new Instance(handle, this, found.functions), handle)
  }

  instantiateSync(given) {
    const found = options.instance(this.#description, options.known(given, 'instantiateSync()', options.INSTANCE))
    const made = native.instantiate(this.#handle, found, true)
    this.#warn()
    return linkable(new Instance(made, this, found.functions), made)
  }

  pool(given) {
    const { size, maxCalls, idle, ...rest } = options.known(given, 'pool()', POOL)
    const found = options.instance(this.#description, rest)
    found.size = options.count(size, 'size', 1)
    found.maxCalls = maxCalls === undefined ? undefined : options.count(maxCalls, 'maxCalls', 1)
    found.idle = options.milliseconds(idle, 'idle')
    const made = native.pool(this.#handle, found)
    this.#warn()
    return new Pool(made, this, found.functions)
  }

  serve(address = '127.0.0.1:8080', given) {
    if (typeof address !== 'string') throw new TypeError(`address must be a string such as '127.0.0.1:8080', got ${typeof address}`)
    const { instances, maxCalls, idle, queue, connections, body, onError, ...rest } = options.known(given, 'serve()', SERVE)
    const found = options.instance(this.#description, rest)
    const number = (value, name, least) => (value === undefined ? undefined : options.count(value, name, least))
    found.size = number(instances, 'instances', 1)
    found.maxCalls = number(maxCalls, 'maxCalls', 1)
    found.idle = options.milliseconds(idle, 'idle')
    found.queue = number(queue, 'queue', 0)
    found.connections = number(connections, 'connections', 1)
    found.body = number(body, 'body', 0)
    if (onError !== undefined && typeof onError !== 'function') throw new TypeError(`onError must be a function, got ${typeof onError}`)
    found.onError = onError
    const made = native.serve(this.#handle, address, found)
    this.#warn()
    return new Server(made, this, found.functions)
  }

  run(given) {
    const running = command.run(this, given)
    this.#warn()
    return running
  }

  runSync(given) {
    try {
      return command.runSync(this, given)
    } finally {
      this.#warn()
    }
  }

  [inspect.custom]() {
    const lines = [`Plugin ${this.name} (${[this.kind, this.goVersion].filter(Boolean).join(', ')})`]
    for (const { signature } of this.#exports) lines.push(`  ${signature}`)
    for (const found of this.imports) lines.push(`  needs ${found.interface}.${found.signature}`)
    return lines.join('\n')
  }
}

module.exports = { Plugin }
