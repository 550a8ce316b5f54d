// A plugin that serves HTTP.
'use strict'

const { inspect } = require('node:util')
const { disposable } = require('./disposable.cjs')
const native = require('./native.cjs')
const { milliseconds } = require('./options.cjs')

/** Servers that run, which goes on without anybody else who has them. */
const running = new Set()

class Server {
  #handle
  #plugin
  /** The functions that its instances call. */
  #functions

  constructor(handle, plugin, functions) {
    this.#handle = handle
    this.#plugin = plugin
    this.#functions = functions
    running.add(this)
  }

  get address() {
    return native.serverAddress(this.#handle)
  }

  get plugin() {
    return this.#plugin
  }

  get stats() {
    return native.serverStats(this.#handle)
  }

  get closed() {
    return native.serverClosed(this.#handle)
  }

  async close(timeout) {
    const time = milliseconds(timeout)
    running.delete(this)
    await native.serverClose(this.#handle, time)
  }

  [inspect.custom]() {
    return `Server of ${this.#plugin.name} at ${this.address}${this.closed ? ', closed' : ''}`
  }
}

disposable(Server, Symbol.asyncDispose)

module.exports = { Server }
