// What the conformance cases lend to the guest, and how they use what it gives; see
// conformance/README.md.
import { once } from 'node:events'
import { Readable, Writable, finished } from 'node:stream'
import { promisify } from 'node:util'

const tick = () => new Promise((resolve) => setImmediate(resolve))

/** A store of texts. */
export class Store {
  #texts = new Map()

  get(key) {
    if (!this.#texts.has(key)) throw new RangeError(`no such key: ${key}`)
    return this.#texts.get(key)
  }

  put(key, value) {
    this.#texts.set(key, value)
  }

  size() {
    return this.#texts.size
  }

  child(name) {
    const child = new Store()
    child.put('name', name)
    return child
  }
}

/** The same with methods that are awaited, and its own. */
export function slowly(store) {
  const later = (name) => async (...args) => {
    await tick()
    const result = store[name](...args)
    return result instanceof Store ? slowly(result) : result
  }
  return { get: later('get'), put: later('put'), size: later('size'), child: later('child') }
}

/** The functions of `$callback`, for an instance and its host, in each way. */
export function callbacks(host) {
  const { instance, way } = host
  const exports = way === 'sync' ? instance.sync : instance
  const functions = {
    double: (n) => n * 2n,
    fail: () => {
      throw new RangeError('the callback failed')
    },
    reenter: (n) => exports.echoInt64(n),
    applyReenter: (n) => {
      const first = ([doubled]) => doubled
      const result = exports.apply([n], functions.double)
      return way === 'sync' ? first(result) : result.then(first)
    },
    openStore: (name) => (way === 'awaited' ? slowly(host.openStore(name)) : host.openStore(name)),
    note: (text) => host.note(text),
    wrongType: () => 'not a number'
  }
  if (way !== 'awaited') return functions
  const awaited = Object.entries(functions).map(([name, run]) => [
    name,
    async (...args) => {
      await tick()
      return run(...args)
    }
  ])
  return Object.fromEntries(awaited)
}

/** An iterable of items, or one that fails behind them. */
export function items(way, all, fails) {
  if (!fails && way !== 'awaited') return all
  function* some() {
    yield* all
    if (fails) throw new RangeError('no more items')
  }
  return way === 'awaited' ? slow(some()) : some()
}

/** An iterable that gives one value again and again. */
export function endless(way, value) {
  function* forever() {
    for (;;) yield value
  }
  return way === 'awaited' ? slow(forever()) : forever()
}

async function* slow(iterable) {
  let count = 0
  for (const item of iterable) {
    // Some are ready, and some are not.
    if (count++ % 3 === 0) await tick()
    yield item
  }
}

/** A stream to read these bytes from, and what is behind them: nothing, an error, or they again. */
export function reader(way, bytes, then) {
  function* chunks() {
    do {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
    } while (then === 'repeat')
    if (then === 'fail') throw new RangeError('broken reader')
  }
  if (way === 'promise') return Readable.from(chunks(), { objectMode: false })
  const source = chunks()
  if (way === 'awaited') {
    const pull = async (controller) => {
      await tick()
      const { value, done } = source.next()
      if (done) controller.close()
      else controller.enqueue(value)
    }
    // Nothing is read ahead, which an error would take away.
    return new ReadableStream({ pull }, { highWaterMark: 0 })
  }
  return { read: () => source.next().value }
}

/** A stream that collects what is written, up to a number of bytes. */
export function writer(way, { most = Infinity }) {
  const chunks = []
  let length = 0
  const write = (data) => {
    if (length + data.length > most) throw new RangeError('broken writer')
    chunks.push(Buffer.from(data))
    length += data.length
  }
  const written = () => Buffer.concat(chunks)
  if (way === 'sync') return { write, written }
  if (way === 'awaited') {
    const stream = new WritableStream({
      async write(data) {
        await tick()
        write(data)
      }
    })
    return Object.assign(stream, { written })
  }
  const stream = new Writable({
    write(data, _encoding, done) {
      try {
        write(data)
        done()
      } catch (error) {
        done(error)
      }
    }
  })
  return Object.assign(stream, { written })
}

/** So many bytes of a guest's stream, or all that it has. */
export async function read(stream, most) {
  const parts = []
  let left = most
  while (left > 0) {
    const part = stream instanceof Readable ? await readSome(stream, left) : stream.read(Math.min(left, 1 << 20))
    if (part.length === 0) break
    parts.push(part)
    left -= part.length
  }
  return Buffer.concat(parts)
}

async function readSome(stream, most) {
  for (;;) {
    if (stream.errored) throw stream.errored
    if (stream.readableEnded) return Buffer.alloc(0)
    const part = stream.read(Math.max(1, Math.min(most, stream.readableLength)))
    if (part !== null) return part
    if (!stream.readableEnded && !stream.destroyed) await Promise.race(['readable', 'end', 'close'].map((event) => once(stream, event)))
    else if (stream.destroyed && !stream.errored) return Buffer.alloc(0)
  }
}

/** Writes to a guest's stream. */
export async function write(stream, data) {
  if (stream instanceof Writable) await promisify((done) => stream.write(data, done))()
  else stream.write(data)
}

/** Ends what a case has kept. */
export async function close(kept) {
  if (kept instanceof Readable) {
    kept.destroy()
  } else if (kept instanceof Writable) {
    if (!kept.writableEnded && !kept.destroyed) kept.end()
  } else {
    await kept.close()
    return
  }
  if (!kept.closed) await promisify(finished)(kept).catch(() => {})
  if (!kept.closed) await once(kept, 'close')
}
