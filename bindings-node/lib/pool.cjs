// Instances that stand in for each other.
'use strict'

const { inspect } = require('node:util')
const native = require('./native.cjs')
const { CallOptions, Caller, Sync, View, explained } = require('./callee.cjs')
const { disposable } = require('./disposable.cjs')
const { PooledInstance } = require('./instance.cjs')
const { count, milliseconds } = require('./options.cjs')

/** A view of a pool for scripts. */
class SyncPool extends Sync {
  #caller

  constructor(caller) {
    super(caller.calls(undefined, true))
    this.#caller = caller
  }

  instance(options) {
    const { timeout, token } = new CallOptions(options)
    const { handle, plugin, functions } = this.#caller
    return new PooledInstance(native.take(handle, timeout, token, true), plugin, functions)
  }
}

class Pool {
  #caller
  #exports
  #sync

  constructor(handle, plugin, functions) {
    this.#caller = new Caller(handle, plugin, functions)
    this.#caller.calls().define(this)
  }

  get exports() {
    return (this.#exports ??= this.#caller.calls().exports())
  }

  get sync() {
    return (this.#sync ??= new SyncPool(this.#caller))
  }

  get plugin() {
    return this.#caller.plugin
  }

  get size() {
    return native.size(this.#caller.handle)
  }

  get stats() {
    return native.stats(this.#caller.handle)
  }

  get closed() {
    return native.closed(this.#caller.handle)
  }

  using(options) {
    return new View(this.#caller.calls().using(options))
  }

  async call(name, ...args) {
    return this.#caller.calls().find(name)(...args)
  }

  async instance(options) {
    const { timeout, token, signal } = new CallOptions(options)
    const { handle, plugin, functions } = this.#caller
    try {
      return new PooledInstance(await native.take(handle, timeout, token, false), plugin, functions)
    } catch (error) {
      throw explained(error, signal)
    }
  }

  async warmUp(instances) {
    await native.warmUp(this.#caller.handle, count(instances, 'warmUp()', 0))
  }

  async close(timeout) {
    await native.close(this.#caller.handle, milliseconds(timeout))
  }

  [inspect.custom]() {
    return `Pool of up to ${this.size} × ${this.plugin.name}${this.closed ? ', closed' : ''}`
  }
}

disposable(Pool, Symbol.asyncDispose)

module.exports = { Pool }
