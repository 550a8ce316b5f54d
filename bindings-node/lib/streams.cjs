// What a plugin gives as streams.
'use strict'

const { Readable, Writable } = require('node:stream')
const { disposable } = require('./disposable.cjs')
const { CHUNK } = require('./lent.cjs')
const native = require('./native.cjs')

/** A stream from which a program reads, for promises. */
class GuestReadable extends Readable {
  #calls
  #read

  constructor(calls, read) {
    // Nothing is read ahead: of what waits here, an error behind it would leave nothing.
    super({ highWaterMark: 0 })
    this.#calls = calls
    this.#read = read
  }

  _read() {
    Reflect.apply(this.#read, this, [CHUNK]).then(
      (bytes) => void this.push(bytes.length > 0 ? Buffer.from(bytes.buffer) : null),
      (error) => void this.destroy(error)
    )
  }

  _destroy(error, done) {
    const closed = (failure) => done(error ?? failure)
    this.#calls.close(this).then(() => closed(null), closed)
  }
}

/** A stream to which a program writes, for promises. */
class GuestWritable extends Writable {
  #calls
  #write
  #close

  constructor(calls, write, close) {
    super({ highWaterMark: CHUNK })
    this.#calls = calls
    this.#write = write
    this.#close = close
  }

  _write(chunk, _encoding, done) {
    Reflect.apply(this.#write, this, [chunk]).then(() => done(), done)
  }

  _final(done) {
    Reflect.apply(this.#close, this, []).then(() => done(), done)
  }

  _destroy(error, done) {
    const closed = (failure) => done(error ?? failure)
    this.#calls.close(this).then(() => closed(null), closed)
  }
}

/** What streams have of which calls return when they are over. */
class SyncStream {
  #calls

  constructor(calls) {
    this.#calls = calls
  }

  get closed() {
    return !native.isOpen(this)
  }

  close() {
    this.#calls.close(this)
  }
}

class SyncReader extends SyncStream {
  #read

  constructor(calls, read) {
    super(calls)
    this.#read = read
  }

  read(most = CHUNK) {
    return Buffer.from(Reflect.apply(this.#read, this, [most]).buffer)
  }

  *[Symbol.iterator]() {
    try {
      for (let chunk = this.read(); chunk.length > 0; chunk = this.read()) yield chunk
    } finally {
      this.close()
    }
  }
}

class SyncWriter extends SyncStream {
  #write
  #close

  constructor(calls, write, close) {
    super(calls)
    this.#write = write
    this.#close = close
  }

  write(data) {
    Reflect.apply(this.#write, this, [typeof data === 'string' ? Buffer.from(data) : data])
  }

  close() {
    if (this.closed) return
    try {
      Reflect.apply(this.#close, this, [])
    } finally {
      super.close()
    }
  }
}

disposable(SyncStream, Symbol.dispose)

/** The methods of a resource, by their names. */
function bound(calls, { methods }) {
  return Object.fromEntries(methods.map(({ name, number }) => [name, calls.bind(number)]))
}

function readers(calls, resource) {
  const { read } = bound(calls, resource)
  return calls.sync ? () => new SyncReader(calls, read) : () => new GuestReadable(calls, read)
}

function writers(calls, resource) {
  const { write, close } = bound(calls, resource)
  return calls.sync ? () => new SyncWriter(calls, write, close) : () => new GuestWritable(calls, write, close)
}

module.exports = { readers, writers }
