// A running copy of a plugin.
'use strict'

const { inspect } = require('node:util')
const native = require('./native.cjs')
const { CallOptions, Caller, Sync, View } = require('./callee.cjs')
const { bytes } = require('./options.cjs')

/** A guest's memory. */
class Memory {
  #handle

  constructor(handle) {
    this.#handle = handle
  }

  get size() {
    return native.memorySize(this.#handle)
  }

  read(address, length) {
    return native.readMemory(this.#handle, address, length)
  }

  write(address, data) {
    native.writeMemory(this.#handle, address, bytes(data, 'memory.write'))
  }
}

/** A view of an instance for scripts. */
class SyncInstance extends Sync {
  #caller

  constructor(caller) {
    super(caller.calls(undefined, true))
    this.#caller = caller
  }

  poll(options) {
    const { timeout, token } = new CallOptions(options)
    native.poll(this.#caller.handle, timeout, token, true)
  }

  reset(options) {
    const { timeout, token } = new CallOptions(options)
    native.reset(this.#caller.handle, timeout, token, true)
  }
}

class Instance {
  #caller
  #exports
  #sync
  #memory

  constructor(handle, plugin, functions) {
    this.#caller = new Caller(handle, plugin, functions)
    this.#caller.calls().define(this)
  }

  get exports() {
    return (this.#exports ??= this.#caller.calls().exports())
  }

  get sync() {
    return (this.#sync ??= new SyncInstance(this.#caller))
  }

  get plugin() {
    return this.#caller.plugin
  }

  get alive() {
    return native.dead(this.#caller.handle) === undefined
  }

  get tier() {
    return native.tier(this.#caller.handle)
  }

  get usage() {
    return native.usage(this.#caller.handle)
  }

  get handles() {
    return native.handles(this.#caller.handle)
  }

  get denied() {
    return native.denied(this.#caller.handle)
  }

  get memory() {
    return (this.#memory ??= new Memory(this.#caller.handle))
  }

  using(options) {
    return new View(this.#caller.calls().using(options))
  }

  async call(name, ...args) {
    return this.#caller.calls().find(name)(...args)
  }

  async poll(options) {
    const { timeout, token } = new CallOptions(options)
    await native.poll(this.#caller.handle, timeout, token, false)
  }

  async reset(options) {
    const { timeout, token } = new CallOptions(options)
    await native.reset(this.#caller.handle, timeout, token, false)
  }

  close() {
    native.end(this.#caller.handle)
  }

  takeStdout() {
    return Buffer.from(native.takeStdout(this.#caller.handle).buffer)
  }

  takeStderr() {
    return Buffer.from(native.takeStderr(this.#caller.handle).buffer)
  }

  [inspect.custom]() {
    const ended = native.dead(this.#caller.handle)
    return `Instance of ${this.plugin.name}${ended === undefined ? '' : `, ended: ${ended}`}`
  }
}

// Node 20 has the symbol only in its later versions, and the `using` of TypeScript brings it along.
if (Symbol.dispose) {
  Object.defineProperty(Instance.prototype, Symbol.dispose, { configurable: true, writable: true, value: Instance.prototype.close })
}

/** An instance of a pool, until it is returned. */
class PooledInstance extends Instance {
  #handle

  constructor(handle, plugin, functions) {
    super(handle, plugin, functions)
    this.#handle = handle
  }

  release() {
    native.release(this.#handle)
  }
}

// The end of a block returns it, and frees nothing.
for (const symbol of [Symbol.dispose, Symbol.asyncDispose].filter(Boolean)) {
  Object.defineProperty(PooledInstance.prototype, symbol, { configurable: true, writable: true, value: PooledInstance.prototype.release })
}

module.exports = { Instance, PooledInstance }
