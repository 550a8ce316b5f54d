// Iterators of a plugin, and iterables of the program as arguments.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeadInstanceError, GuestError, HostError, TypeMismatchError } from 'undergo'
import { start, thrownBy } from './common.mjs'

const tick = () => new Promise((resolve) => setImmediate(resolve))

async function collect(items) {
  const all = []
  for await (const item of items) all.push(item)
  return all
}

describe('iterators of a plugin', () => {
  test('are iterable', async () => {
    const instance = await start()
    const numbers = Array.from({ length: 5000 }, (_, i) => i)
    assert.deepEqual(await collect(await instance.numbers(5000)), numbers)
    assert.deepEqual([...instance.sync.numbers(5000)], numbers)
    assert.deepEqual([...instance.sync.fields('a b c')], ['a', 'b', 'c'])
    assert.deepEqual([...instance.sync.entries(2)], [['k0', 0], ['k1', 1]])
    assert.deepEqual(await collect(await instance.squares(3)), [[0, 0], [1, 1], [2, 4]])
    assert.deepEqual([...instance.sync.numbers(0)], [])
    assert.equal(await instance.ended(), 3)
    assert.deepEqual(instance.handles, { held: 0, given: 0 })
  })

  test('have the methods of iterators', { skip: typeof Iterator === 'undefined' && 'this Node has no class Iterator' }, async () => {
    const instance = await start()
    assert.deepEqual(instance.sync.countForever().filter((n) => n % 2 === 1).take(3).toArray(), [1, 3, 5])
    assert.equal(await instance.ended(), 1)
  })

  test('end when a loop is left', async () => {
    const instance = await start()
    for (const n of instance.sync.countForever()) if (n === 3000) break
    for await (const n of await instance.countForever()) if (n === 3000) break
    assert.throws(() => { for (const n of instance.sync.countForever()) throw new RangeError(`${n}`) }, RangeError)
    assert.equal(await instance.ended(), 3)
    const sync = instance.sync.countForever()
    assert.deepEqual([sync.next(), sync.return(7), sync.next(), sync.closed], [{ value: 0, done: false }, { value: 7, done: true }, { value: undefined, done: true }, true])
    sync.close()
    const items = await instance.countForever()
    assert.deepEqual([await items.next(), await items.return(7), await items.next()], [{ value: 0, done: false }, { value: 7, done: true }, { value: undefined, done: true }])
    await items.close()
    assert.equal(await instance.ended(), 2)
  })

  test('give their items in the order in which they were asked for', async () => {
    const instance = await start()
    const items = await instance.numbers(100)
    const asked = Array.from({ length: 101 }, () => items.next())
    const found = await Promise.all(asked)
    assert.deepEqual(found.map(({ value }) => value), [...Array.from({ length: 100 }, (_, i) => i), undefined])
    const slow = await instance.countSlowly(3, 20)
    const [first, closed] = [slow.next(), slow.close()]
    assert.deepEqual(await first, { value: 0, done: false })
    await closed
    await assert.rejects(slow.next(), TypeMismatchError)
  })

  test('hold no item back', async () => {
    const instance = await start()
    const items = await instance.countSlowly(3, 100)
    const began = performance.now()
    await items.next()
    assert.ok(performance.now() - began < 190)
    await items.close()
  })

  test('give what came before an error', async () => {
    const instance = await start()
    const found = []
    const error = await thrownBy(async () => { for await (const n of await instance.countThenPanic(700, 'oh dear')) found.push(n) })
    assert.deepEqual([found.length, error.code, instance.alive], [700, 'panic', false])
    await instance.reset()
    const sync = instance.sync.countThenPanic(3, 'oh dear')
    assert.deepEqual([sync.next().value, sync.next().value, sync.next().value], [0, 1, 2])
    assert.throws(() => sync.next(), /oh dear/)
    assert.throws(() => sync.next(), DeadInstanceError)
    assert.throws(() => instance.sync.numbers(1), DeadInstanceError)
  })

  test('end with their instance', async () => {
    const instance = await start()
    const [items, sync] = [await instance.countForever(), instance.sync.countForever()]
    assert.deepEqual([(await items.next()).value, sync.next().value], [0, 0])
    await instance.reset()
    await assert.rejects(async () => { for (;;) await items.next() }, TypeMismatchError)
    assert.throws(() => { for (;;) sync.next() }, TypeMismatchError)
    await assert.rejects(items.next(), TypeMismatchError)
  })

  test('have the options of their call', async () => {
    const instance = await start()
    const slow = await instance.using({ timeout: 200 }).countSlowly(10, 10_000)
    await assert.rejects(slow.next(), { code: 'timeout' })
    await instance.reset()
    const abort = new AbortController()
    const items = await instance.using({ signal: abort.signal }).countForever()
    const reason = new RangeError('enough')
    const error = await thrownBy(async () => {
      for await (const n of items) if (n === 10) abort.abort(reason)
    })
    assert.deepEqual([error.code, error.cause], ['cancelled', reason])
  })

  test('run the functions of the program', async () => {
    const instance = await start()
    assert.deepEqual(await collect(await instance.countThroughHost(20)), Array.from({ length: 20 }, (_, i) => i))
    assert.deepEqual([...instance.sync.countThroughHost(20)].length, 20)
  })

  test('hold integers, or say that they do not', async () => {
    const instance = await start({ bigint: true })
    assert.deepEqual([...instance.sync.numbers(3)], [0n, 1n, 2n])
  })
})

describe('iterables of the program', () => {
  test('may be any', async () => {
    const instance = await start()
    function* some() {
      yield* [1, 2, 3]
    }
    async function* slow() {
      for (const n of [1, 2, 3]) {
        await tick()
        yield n
      }
    }
    for (const iterable of [[1, 2, 3], new Set([1, 2, 3]), Int32Array.of(1, 2, 3), some(), slow(), instance.sync.numbers(4)]) {
      assert.equal(await instance.sumItems(iterable), 6)
    }
    assert.equal(instance.sync.sumItems(some()), 6)
    assert.equal(await instance.sumItems(Array.from({ length: 100_000 }, () => 1)), 100_000)
    assert.deepEqual(await instance.collectEntries(new Map([['a', 1], ['b', 2]])), { a: 1, b: 2 })
    assert.equal(await instance.joinItems(new Set(['a', 'b']), '-'), 'a-b')
    for (const value of [5, {}, null, () => {}]) {
      await assert.rejects(instance.sumItems(value), { code: 'type-mismatch', message: /expected an iterable, got/ })
    }
  })

  test('end when the plugin leaves its loop', async () => {
    const instance = await start()
    const ended = []
    function* forever(name) {
      try {
        for (;;) yield 1
      } finally {
        ended.push(name)
      }
    }
    async function* slowly(name) {
      yield* forever(name)
    }
    assert.deepEqual(await instance.firstItems(forever('plain'), 3), [1, 1, 1])
    assert.deepEqual(instance.sync.firstItems(forever('sync'), 3), [1, 1, 1])
    assert.deepEqual(await instance.firstItems(slowly('slow'), 3), [1, 1, 1])
    await tick()
    assert.deepEqual(ended, ['plain', 'sync', 'slow'])
    assert.equal(instance.handles.held, 0)
  })

  test('may fail, behind their items', async () => {
    const instance = await start()
    const cause = new RangeError('no more')
    function* some() {
      yield 1
      throw cause
    }
    async function* slow() {
      yield* some()
    }
    for (const make of [some, slow]) {
      const error = await thrownBy(() => instance.sumItems(make()))
      assert.ok(error instanceof HostError && error.cause === cause, error.message)
      await instance.reset()
    }
    for (const wrong of [{ [Symbol.iterator]: () => 5 }, { [Symbol.iterator]: () => ({ next: () => 5 }) }, { [Symbol.iterator]: () => ({}) }]) {
      await assert.rejects(instance.sumItems(wrong), { code: 'host-error' })
      await instance.reset()
    }
    await assert.rejects(instance.sumItems(['a']), { code: 'type-mismatch' })
    await instance.reset()
    const late = await thrownBy(async () => instance.sync.sumItems(slow()))
    assert.match(late.message, /gave a promise, and the call for which it ran is synchronous/)
  })

  test('may have no end, under a deadline or a signal', async () => {
    const instance = await start()
    async function* forever() {
      for (;;) {
        await tick()
        yield 1
      }
    }
    await assert.rejects(instance.using({ timeout: 100 }).sumItems(forever()), { code: 'timeout' })
    await instance.reset()
    await assert.rejects(instance.using({ signal: AbortSignal.timeout(100) }).sumItems(forever()), { code: 'cancelled' })
    await instance.reset()
    function* endless() {
      for (;;) yield 1
    }
    assert.throws(() => instance.sync.using({ timeout: 100 }).sumItems(endless()), { code: 'timeout' })
    await instance.reset()
    assert.ok((await instance.countOr(1)) && GuestError)
    await assert.rejects(instance.countOr(-1), GuestError)
  })
})
