// What a program gives to a plugin as objects, iterables and streams.
'use strict'

const { types } = require('node:util')
const { member } = require('./members.cjs')

/** Bytes that a stream carries at once, at most. */
const CHUNK = 256 << 10

/** Milliseconds after which items that are ready wait no longer for others. */
const BATCH = 0.05

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'
const isThenable = (value) => isObject(value) && typeof value.then === 'function'
const quietly = (promise) => void Promise.resolve(promise).catch(() => {})

/**
 * What a plugin calls of a value that it gets as that shape: the functions of these names, their
 * `this`, and what is called when the plugin has it no more. A text says why it does not fit;
 * nothing, that it is of another type.
 */
function lend(value, shape, names) {
  switch (shape) {
    case 'iterator':
      return lendIterable(value)
    case 'reader':
      return lendReader(value)
    case 'writer':
      return lendWriter(value)
    default:
      return lendObject(value, names)
  }
}

function lendObject(value, names) {
  if (!isObject(value)) return undefined
  const functions = names.map((name) => member(value, name))
  const missing = names.filter((_, i) => typeof functions[i] !== 'function')
  if (missing.length > 0) return `the object has no method ${missing.join(', ')}`
  return [...functions, value]
}

function lendIterable(value) {
  if (!isObject(value) && typeof value !== 'string') return undefined
  // What can be iterated without waiting fits all calls.
  const isSync = typeof value[Symbol.iterator] === 'function'
  if (!isSync && typeof value[Symbol.asyncIterator] !== 'function') return undefined
  const source = isSync ? new Source(value) : new AsyncSource(value)
  return [source.next, source, source.end]
}

function checked(result) {
  if (!isObject(result)) throw new TypeError(`the iterator gave ${String(result)}, which is no object with 'value' and 'done'`)
  return result
}

/** Batches of the items of an iterable. */
class Source {
  #iterable
  #iterator
  #isOver = false
  #failure

  constructor(iterable) {
    this.#iterable = iterable
  }

  next(most) {
    const items = []
    if (this.#failure !== undefined) throw this.#take()
    const until = performance.now() + BATCH
    try {
      this.#iterator ??= this.#iterable[Symbol.iterator]()
      while (!this.#isOver && items.length < most) {
        const { value, done } = checked(this.#iterator.next())
        if (done) this.#isOver = true
        else items.push(value)
        if (performance.now() > until) break
      }
    } catch (error) {
      this.#isOver = true
      if (items.length === 0) throw error
      // The items before it come first.
      this.#failure = [error]
      return [items, false]
    }
    return [items, this.#isOver]
  }

  #take() {
    const [error] = this.#failure
    this.#failure = undefined
    return error
  }

  end() {
    if (this.#isOver || this.#iterator === undefined) return
    this.#isOver = true
    try {
      this.#iterator.return?.()
    } catch {
      // Nobody waits for it any more.
    }
  }
}

/**
 * The same of an asynchronous one: one item at a time, since one that is asked for ahead might call
 * the instance, which would wait for the plugin, and that for the item.
 */
class AsyncSource {
  #iterable
  #iterator
  #isOver = false

  constructor(iterable) {
    this.#iterable = iterable
  }

  async next() {
    if (this.#isOver) return [[], true]
    try {
      this.#iterator ??= this.#iterable[Symbol.asyncIterator]()
      const { value, done } = checked(await this.#iterator.next())
      if (!done) return [[value], false]
    } catch (error) {
      this.#isOver = true
      throw error
    }
    this.#isOver = true
    return [[], true]
  }

  end() {
    if (this.#isOver || this.#iterator === undefined) return
    this.#isOver = true
    try {
      quietly(this.#iterator.return?.())
    } catch {
      // Nobody waits for it any more.
    }
  }
}

function lendReader(value) {
  if (!isObject(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return undefined
  const source = readable(value)
  if (source === undefined) return undefined
  const reader = new Reader(source)
  return [reader.read, reader.close, reader, reader.end]
}

/** How to read from any kind of stream: `next` gives a chunk, or nothing at the end. */
function readable(value) {
  if (typeof value.getReader === 'function') return webReadable(value)
  if (typeof value.iterator === 'function' && typeof value.unshift === 'function' && typeof value.destroy === 'function') return nodeReadable(value)
  if (typeof value.read === 'function') {
    const ofRead = (chunk) => (chunk === null || chunk === undefined || bytesOf(chunk).length === 0 ? undefined : chunk)
    return {
      next: (most) => {
        // The plugin says how many, and the stream may make room for all of them.
        const got = value.read(Math.min(most, CHUNK))
        return isThenable(got) ? Promise.resolve(got).then(ofRead) : ofRead(got)
      },
      close: () => value.close?.(),
      end: () => {}
    }
  }
  const symbol = [Symbol.iterator, Symbol.asyncIterator].find((one) => typeof value[one] === 'function')
  return symbol && chunks(value, symbol)
}

/** Chunks that an iterable gives. */
function chunks(value, symbol) {
  let iterator
  const ofResult = (result) => (checked(result).done ? undefined : result.value)
  const end = () => iterator?.return?.()
  return {
    next: () => {
      iterator ??= value[symbol]()
      const result = iterator.next()
      return isThenable(result) ? Promise.resolve(result).then(ofResult) : ofResult(result)
    },
    close: end,
    end
  }
}

function nodeReadable(value) {
  let iterator
  return {
    next: async () => {
      // The stream is the program's, which may read on where the plugin has stopped.
      iterator ??= value.iterator({ destroyOnReturn: false })
      const { value: chunk, done } = await iterator.next()
      return done ? undefined : chunk
    },
    close: () => void value.destroy(),
    end: (rest) => {
      if (iterator !== undefined) quietly(iterator.return())
      if (rest.length > 0 && !value.destroyed && !value.readableEnded) value.unshift(rest)
    }
  }
}

function webReadable(value) {
  let reader
  return {
    next: async () => {
      reader ??= value.getReader()
      const { value: chunk, done } = await reader.read()
      return done ? undefined : chunk
    },
    close: () => (reader ?? value).cancel(),
    end: () => reader?.releaseLock()
  }
}

/** The bytes of a chunk. */
function bytesOf(chunk) {
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (types.isAnyArrayBuffer(chunk)) return Buffer.from(chunk)
  throw new TypeError(`the stream gave ${typeof chunk === 'string' ? 'text' : typeof chunk}, not bytes`)
}

/** At most so many bytes of a stream at a time. */
class Reader {
  #source
  #rest = Buffer.alloc(0)
  #isOver = false

  constructor(source) {
    this.#source = source
  }

  read(most) {
    while (this.#rest.length === 0 && !this.#isOver) {
      const chunk = this.#source.next(most)
      if (isThenable(chunk)) return this.#later(chunk, most)
      this.#take(chunk)
    }
    return this.#give(most)
  }

  async #later(chunk, most) {
    this.#take(await chunk)
    return this.read(most)
  }

  #take(chunk) {
    if (chunk === undefined) this.#isOver = true
    else this.#rest = bytesOf(chunk)
  }

  #give(most) {
    const part = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }

  close() {
    this.#isOver = true
    this.#rest = this.#rest.subarray(0, 0)
    return this.#source.close()
  }

  end() {
    try {
      quietly(this.#source.end(this.#rest))
    } catch {
      // Nobody waits for it any more.
    }
  }
}

function lendWriter(value) {
  if (!isObject(value)) return undefined
  if (typeof value.getWriter === 'function') return webWritable(value)
  if (typeof value.write !== 'function') return undefined
  return typeof value.end === 'function' && typeof value.on === 'function' ? nodeWritable(value) : [(data) => value.write(data), () => value.close?.(), undefined]
}

function nodeWritable(value) {
  // The plugin gets the errors, by each write; without this they would end the process.
  const ignore = () => {}
  value.on('error', ignore)
  const done = (resolve, reject) => (error) => (error ? reject(error) : resolve())
  const write = (data) => new Promise((resolve, reject) => void value.write(data, done(resolve, reject)))
  const close = () => new Promise((resolve, reject) => void value.end(done(resolve, reject)))
  // A stream tells of an error after it has told the write.
  const end = () => void setImmediate(() => value.off('error', ignore))
  return [write, close, undefined, end]
}

function webWritable(value) {
  let writer
  const get = () => (writer ??= value.getWriter())
  return [(data) => get().write(data), () => get().close(), undefined, () => writer?.releaseLock()]
}

module.exports = { CHUNK, lend }
