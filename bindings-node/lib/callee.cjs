// What an instance and a pool have in common: exports, for promises and not, with the options of
// calls.
'use strict'

const native = require('./native.cjs')
const { known, milliseconds } = require('./options.cjs')

/** The host functions of what a function belongs to: where the garbage collector sees them. */
const HOST = Symbol('undergo.host')

/** A token for a signal: one for all calls that have it. */
const tokens = new WeakMap()

function tokenOf(signal) {
  if (signal === undefined) return undefined
  if (!signal || typeof signal.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw new TypeError('signal must be an AbortSignal')
  }
  let token = tokens.get(signal)
  if (token === undefined) {
    token = native.token()
    tokens.set(signal, token)
    if (signal.aborted) native.cancel(token)
    else signal.addEventListener('abort', () => native.cancel(token), { once: true })
  }
  return token
}

/** Options of calls. */
class CallOptions {
  constructor(given, outer) {
    const { timeout, signal } = known(given, 'using()', ['timeout', 'signal'])
    this.timeout = milliseconds(timeout) ?? outer?.timeout
    this.signal = signal ?? outer?.signal
    this.token = tokenOf(this.signal)
  }
}

/** What is called, and what it is called with. */
class Caller {
  #handle
  #plugin
  #functions

  constructor(handle, plugin, functions) {
    this.#handle = handle
    this.#plugin = plugin
    this.#functions = functions
  }

  get handle() {
    return this.#handle
  }

  get plugin() {
    return this.#plugin
  }

  /** Makes the function for an export. */
  bind(number, options, sync) {
    const bound = native.bind(this.#handle, number, options?.timeout, options?.token, sync)
    if (this.#functions.length > 0) Object.defineProperty(bound, HOST, { value: this.#functions })
    return options?.signal ? withReason(bound, options.signal, sync) : bound
  }

  /**
   * Makes the properties of an object that are its exports, but for those whose names it has taken;
   * each function when it is asked for.
   */
  define(object, options, sync) {
    this.#plugin.exports.forEach((description, number) => {
      const { name } = description
      // An object with the method `then` is a promise to `await`.
      if (name in object || (name === 'then' && Object.getPrototypeOf(object) !== null)) return
      Object.defineProperty(object, name, {
        configurable: true,
        enumerable: true,
        get: () => {
          const value = this.bind(number, options, sync)
          Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true })
          return value
        },
        set: (value) => Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true })
      })
    })
    return object
  }

  /** All exports, whatever their names. */
  exports(options, sync) {
    return this.define(Object.create(null), options, sync)
  }

  /** The function of a name that is known only when the program runs. */
  find(name, options, sync) {
    const number = this.#plugin.exports.findIndex((found) => found.name === name || found.witName === name)
    if (number < 0) native.unknownExport(this.#plugin.handle, String(name))
    return this.bind(number, options, sync)
  }
}

/** The error of a call, which says why it was aborted, as `cause`. */
function explained(error, signal) {
  if (error?.code === 'cancelled' && signal?.aborted && !('cause' in error)) {
    Object.defineProperty(error, 'cause', { value: signal.reason, configurable: true, enumerable: false, writable: true })
  }
  return error
}

/** Has a call that is aborted say why. */
function withReason(bound, signal, sync) {
  const explain = (error) => {
    throw explained(error, signal)
  }
  const made = sync
    ? (...args) => {
        try {
          return bound(...args)
        } catch (error) {
          return explain(error)
        }
      }
    : (...args) => bound(...args).catch(explain)
  return Object.defineProperty(made, 'name', { value: bound.name })
}

/** A view of an instance or a pool whose calls have other options. */
class View {
  #caller
  #options
  #sync
  #exports

  constructor(caller, options) {
    this.#caller = caller
    this.#options = options
    caller.define(this, options, false)
  }

  get exports() {
    return (this.#exports ??= this.#caller.exports(this.#options, false))
  }

  get sync() {
    return (this.#sync ??= new Sync(this.#caller, this.#options))
  }

  using(options) {
    return new View(this.#caller, new CallOptions(options, this.#options))
  }

  async call(name, ...args) {
    return this.#caller.find(name, this.#options, false)(...args)
  }
}

/** A view of an instance or a pool whose calls return when they are over. */
class Sync {
  #caller
  #options
  #exports

  constructor(caller, options) {
    this.#caller = caller
    this.#options = options
    caller.define(this, options, true)
  }

  get exports() {
    return (this.#exports ??= this.#caller.exports(this.#options, true))
  }

  using(options) {
    return new Sync(this.#caller, new CallOptions(options, this.#options))
  }

  call(name, ...args) {
    return this.#caller.find(name, this.#options, true)(...args)
  }
}

module.exports = { CallOptions, Caller, Sync, View, explained }
