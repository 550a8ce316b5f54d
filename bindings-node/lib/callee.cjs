// What an instance and a pool have in common: exports, for promises and not, with the options of
// calls.
'use strict'

const native = require('./native.cjs')
const { lazy, maker, objectClass } = require('./objects.cjs')
const { known, milliseconds } = require('./options.cjs')

/** What a function belongs to, with its host functions: where the garbage collector sees them. */
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

/** What is called: an instance or a pool. */
class Caller {
  /** Calls without options: those that give promises, and the others. */
  #calls = []

  constructor(handle, plugin, functions) {
    this.handle = handle
    this.plugin = plugin
    this.functions = functions
  }

  /** Calls with these options. */
  calls(options, sync = false) {
    if (options !== undefined) return new Calls(this, options, sync)
    return (this.#calls[Number(sync)] ??= new Calls(this, undefined, sync))
  }
}

/**
 * Calls with the same options, which give promises or not, as do those of the objects that they
 * give.
 */
class Calls {
  #makers = []
  #classes = []

  constructor(caller, options, sync) {
    this.caller = caller
    this.options = options
    this.sync = sync
  }

  get plugin() {
    return this.caller.plugin
  }

  /** Calls with other options. */
  using(given) {
    return new Calls(this.caller, new CallOptions(given, this.options), this.sync)
  }

  /** Makes the function for an export, or for a method. */
  bind(number) {
    const { caller, options, sync } = this
    const bound = native.bind(caller.handle, number, options?.timeout, options?.token, sync, this)
    Object.defineProperty(bound, HOST, { value: this })
    return options?.signal ? withReason(bound, options.signal, sync) : bound
  }

  /** Ends the handle of an object. */
  close(object) {
    const { caller, sync } = this
    if (sync || !native.isWithin()) return native.closeHandle(caller.handle, object, sync)
    // The plugin waits for the function from which this comes, which must not wait for the plugin.
    native.closeHandle(caller.handle, object, true)
    return Promise.resolve()
  }

  /** Makes what stands for an object of the guest's, of the resource of that number. */
  wrap(number) {
    this.#makers[number] ??= maker(this, number)
    return this.#makers[number]()
  }

  /** The class of a resource. */
  classOf(number) {
    return (this.#classes[number] ??= objectClass(this, number))
  }

  /**
   * Makes the properties of an object that are its exports, but for those whose names it has taken;
   * each when it is asked for.
   */
  define(object) {
    this.plugin.exports.forEach(({ name }, number) => {
      // An object with the method `then` is a promise to `await`.
      if (name in object || (name === 'then' && Object.getPrototypeOf(object) !== null)) return
      lazy(object, name, () => this.bind(number))
    })
    this.plugin.resources.forEach(({ name, shape, isGuests }, number) => {
      if (shape !== 'object' || !isGuests || name in object) return
      lazy(object, name, () => this.classOf(number))
    })
    return object
  }

  /** All exports, whatever their names. */
  exports() {
    return this.define(Object.create(null))
  }

  /** The function of a name that is known only when the program runs. */
  find(name) {
    const number = this.plugin.exports.findIndex((found) => found.name === name || found.witName === name)
    if (number < 0) native.unknownExport(this.plugin.handle, String(name))
    return this.bind(number)
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
    ? function (...args) {
        try {
          return Reflect.apply(bound, this, args)
        } catch (error) {
          return explain(error)
        }
      }
    : function (...args) {
        return Reflect.apply(bound, this, args).catch(explain)
      }
  return Object.defineProperty(made, 'name', { value: bound.name })
}

/** A view of an instance or a pool whose calls have other options. */
class View {
  #calls
  #sync
  #exports

  constructor(calls) {
    this.#calls = calls
    calls.define(this)
  }

  get exports() {
    return (this.#exports ??= this.#calls.exports())
  }

  get sync() {
    return (this.#sync ??= new Sync(this.#calls.caller.calls(this.#calls.options, true)))
  }

  using(options) {
    return new View(this.#calls.using(options))
  }

  async call(name, ...args) {
    return this.#calls.find(name)(...args)
  }
}

/** A view of an instance or a pool whose calls return when they are over. */
class Sync {
  #calls
  #exports

  constructor(calls) {
    this.#calls = calls
    calls.define(this)
  }

  get exports() {
    return (this.#exports ??= this.#calls.exports())
  }

  using(options) {
    return new Sync(this.#calls.using(options))
  }

  call(name, ...args) {
    return this.#calls.find(name)(...args)
  }
}

module.exports = { CallOptions, Caller, Sync, View, explained }
