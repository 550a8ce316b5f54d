// What a plugin gives as iterators.
'use strict'

const native = require('./native.cjs')

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))
const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())))

/** Items that have come, and how many to ask for next. */
class Batches {
  #items = []
  #at = 0
  #ahead
  /** One item first, as the core has it. */
  size = 1
  /** Whether there are no more than those that have come. */
  isLast = false

  constructor(ahead) {
    this.#ahead = ahead
  }

  has() {
    return this.#at < this.#items.length
  }

  take() {
    return { value: this.#items[this.#at++], done: false }
  }

  /** Takes what came, since that moment. */
  fill([items, end], since) {
    this.#items = items
    this.#at = 0
    this.isLast ||= end
    if (!end) this.size = native.noteBatch(this.#ahead, performance.now() - since, items.length)
  }

  /** Forgets what has come. */
  clear() {
    this.#items = []
    this.#at = 0
  }
}

const over = () => ({ value: undefined, done: true })

/** The items of a call that has returned. */
class Items {
  #calls
  #next
  #batches

  constructor(calls, next, ahead) {
    this.#calls = calls
    this.#next = next
    this.#batches = new Batches(ahead)
  }

  get closed() {
    return !native.isOpen(this)
  }

  next() {
    const batches = this.#batches
    while (!batches.has()) {
      if (batches.isLast) return over()
      const since = performance.now()
      try {
        batches.fill(Reflect.apply(this.#next, this, [batches.size]), since)
      } catch (error) {
        // What follows says that it is closed, or that the instance is dead.
        if (!this.closed) this.close()
        throw error
      }
      if (batches.isLast) this.#calls.close(this)
    }
    return batches.take()
  }

  return(value) {
    this.#batches.isLast = true
    this.close()
    return { value, done: true }
  }

  close() {
    this.#batches.clear()
    this.#calls.close(this)
  }
}

/** The items of a call that was awaited. */
class AsyncItems {
  #calls
  #next
  #batches
  /** Who asked first gets the first item. */
  #turn = Promise.resolve()
  #waiting = 0

  constructor(calls, next, ahead) {
    this.#calls = calls
    this.#next = next
    this.#batches = new Batches(ahead)
  }

  get closed() {
    return !native.isOpen(this)
  }

  next() {
    if (this.#waiting === 0 && this.#batches.has()) return Promise.resolve(this.#batches.take())
    const item = this.#waiting === 0 ? this.#fetch() : this.#turn.then(() => this.#fetch())
    this.#waiting++
    const done = () => void this.#waiting--
    this.#turn = item.then(done, done)
    return item
  }

  async #fetch() {
    const batches = this.#batches
    while (!batches.has()) {
      if (batches.isLast) return over()
      const since = performance.now()
      try {
        const [items, end] = await Reflect.apply(this.#next, this, [batches.size])
        // Who has closed it meanwhile wants no more than was asked for.
        batches.fill(this.closed ? [items.slice(0, 1), end] : [items, end], since)
      } catch (error) {
        // What follows says that it is closed, or that the instance is dead.
        if (!this.closed) await this.close()
        throw error
      }
      if (batches.isLast) await this.#calls.close(this)
    }
    return batches.take()
  }

  async return(value) {
    this.#batches.isLast = true
    await this.close()
    return { value: await value, done: true }
  }

  async close() {
    this.#batches.clear()
    await this.#calls.close(this)
  }
}

for (const [made, prototype, symbol] of [
  [Items, IteratorPrototype, Symbol.dispose],
  [AsyncItems, AsyncIteratorPrototype, Symbol.asyncDispose]
]) {
  // With the methods that the language has for iterators.
  Object.setPrototypeOf(made.prototype, prototype)
  if (symbol) Object.defineProperty(made.prototype, symbol, { configurable: true, writable: true, value: made.prototype.close })
}

function iterators(calls, number) {
  const next = calls.bind(calls.plugin.resources[number].methods[0].number)
  const Made = calls.sync ? Items : AsyncItems
  return () => new Made(calls, next, native.readAhead(calls.caller.handle, number))
}

module.exports = { iterators }
