// What a plugin gives as iterators.
'use strict'

const native = require('./native.cjs')

/** The most items that are fetched at once, and the milliseconds within which they should come. */
const MOST = 256
const MOST_NUMBERS = 1024
const QUICK = 1

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))
const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())))

/**
 * Items that have come, and how many to ask for next: twice as many as before, while they come
 * quickly, so that what is ready waits for nothing.
 */
class Batches {
  #items = []
  #at = 0
  #size = 1
  #limit
  /** Whether there are no more than those that have come. */
  isLast = false

  constructor(limit) {
    this.#limit = limit
  }

  get size() {
    return this.#size
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
    this.isLast = end
    const isQuick = items.length === this.#size && performance.now() - since < QUICK
    this.#size = isQuick ? Math.min(2 * this.#size, this.#limit) : 1
  }

  /** Forgets what has come. */
  end() {
    this.#items = []
    this.#at = 0
    this.isLast = true
  }
}

const over = () => ({ value: undefined, done: true })

/** The items of a call that has returned. */
class Items {
  #calls
  #next
  #batches

  constructor(calls, next, limit) {
    this.#calls = calls
    this.#next = next
    this.#batches = new Batches(limit)
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
        this.close()
        throw error
      }
      if (batches.isLast) this.#calls.close(this)
    }
    return batches.take()
  }

  return(value) {
    this.close()
    return { value, done: true }
  }

  close() {
    this.#batches.end()
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

  constructor(calls, next, limit) {
    this.#calls = calls
    this.#next = next
    this.#batches = new Batches(limit)
  }

  get closed() {
    return !native.isOpen(this)
  }

  next() {
    if (this.#waiting === 0 && this.#batches.has()) return Promise.resolve(this.#batches.take())
    this.#waiting++
    const item = this.#turn.then(() => this.#fetch()).finally(() => this.#waiting--)
    this.#turn = item.catch(() => {})
    return item
  }

  async #fetch() {
    const batches = this.#batches
    while (!batches.has()) {
      if (batches.isLast) return over()
      const since = performance.now()
      try {
        const came = await Reflect.apply(this.#next, this, [batches.size])
        // Who has closed it meanwhile wants no more.
        if (!batches.isLast) batches.fill(came, since)
      } catch (error) {
        await this.close()
        throw error
      }
      if (batches.isLast) await this.#calls.close(this)
    }
    return batches.take()
  }

  async return(value) {
    await this.close()
    return { value: await value, done: true }
  }

  async close() {
    this.#batches.end()
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

function iterators(calls, { methods: [next], areNumbers }) {
  const bound = calls.bind(next.number)
  const limit = areNumbers ? MOST_NUMBERS : MOST
  return calls.sync ? () => new Items(calls, bound, limit) : () => new AsyncItems(calls, bound, limit)
}

module.exports = { iterators }
