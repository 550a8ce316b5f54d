// Instances that stand in for each other.
'use strict'

const { inspect } = require('node:util')
const native = require('./native.cjs')
const { Caller, Sync, View } = require('./callee.cjs')
const { count, milliseconds } = require('./options.cjs')

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
    return (this.#sync ??= new Sync(this.#caller.calls(undefined, true)))
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

// Node 20 has the symbol only in its later versions, and the `await using` of TypeScript brings it
// along.
if (Symbol.asyncDispose) {
  Object.defineProperty(Pool.prototype, Symbol.asyncDispose, {
    configurable: true,
    writable: true,
    value: function () {
      return this.close()
    }
  })
}

module.exports = { Pool }
