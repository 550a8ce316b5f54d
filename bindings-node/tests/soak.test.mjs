// What lives longer than a call, at random: objects, iterators, callbacks and streams, of which
// nothing may be left on either side. SECONDS=… does so for longer, and SEED=… repeats a run.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { TypeMismatchError } from 'undergo'
import { start } from './common.mjs'
import { Store, writer } from './lent.mjs'

const SECONDS = Number(process.env.SECONDS || 2)
const SEED = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 32))

/** How many objects and iterators are held at once. */
const MOST_KEPT = 40

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** Numbers below others, from a seed (mulberry32). */
function dice(seed) {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** One instance, with what is held of it. Several things are done at a time. */
class Handles {
  objects = []
  iterators = []
  uses = 0

  constructor(guest, roll) {
    this.guest = guest
    this.roll = roll
    this.all = ['make', 'add', 'merge', 'end', 'count', 'take', 'leave', 'apply', 'fail', 'keep', 'iterate', 'copy', 'read']
  }

  async once() {
    await this[this.pick(this.all)]()
    this.uses++
  }

  pick(of) {
    return of[this.roll(of.length)]
  }

  /** Takes one, so that nothing else uses it meanwhile. */
  draw(of) {
    return of.splice(this.roll(of.length), 1)[0]
  }

  /** Holds an object; an older one is dropped for it, which the collector notices. */
  hold(made) {
    this.objects.push(made)
    this.objects.splice(0, this.objects.length - MOST_KEPT)
  }

  async make() {
    if (this.roll(2)) this.hold(await this.guest.Tally.create(this.roll(100)))
    else for (const made of await this.guest.countUp(this.roll(5))) this.hold(made)
  }

  async add() {
    if (this.objects.length === 0) return
    const [tally, n] = [this.draw(this.objects), this.roll(100)]
    const before = await tally.value()
    assert.equal(await tally.add(n), before + n)
    this.hold(tally)
  }

  async merge() {
    if (this.objects.length < 2) return
    const [a, b] = [this.draw(this.objects), this.draw(this.objects)]
    const merged = await this.guest.mergeTallies(a, b)
    assert.equal(await merged.value(), (await a.value()) + (await b.value()))
    for (const made of [a, b, merged]) this.hold(made)
  }

  async end() {
    if (this.objects.length === 0) return
    const tally = this.draw(this.objects)
    await tally.close()
    await assert.rejects(tally.value(), TypeMismatchError)
  }

  async count() {
    this.iterators.push([await this.guest.numbers(this.roll(2000)), 0])
    this.iterators.splice(0, this.iterators.length - MOST_KEPT)
  }

  async take() {
    if (this.iterators.length === 0) return
    let [iterator, at] = this.draw(this.iterators)
    for (let left = this.roll(300); left > 0; left--) {
      const { value, done } = await iterator.next()
      if (done) return
      assert.equal(value, at++)
    }
    this.iterators.push([iterator, at])
  }

  async leave() {
    if (this.iterators.length === 0) return
    const [iterator] = this.draw(this.iterators)
    if (this.roll(2)) await iterator.return()
  }

  /** Passes a function, which may be asynchronous, call the instance, or let go of what is held. */
  async apply() {
    const given = Array.from({ length: this.roll(20) }, () => this.roll(100))
    const double = async (n) => {
      if (this.roll(10) === 0) await this.make()
      else if (this.roll(10) === 0) await this.leave()
      return 2 * n
    }
    const doubled = await this.guest.apply(given, this.roll(2) ? double : (n) => 2 * n)
    assert.deepEqual(Array.from(doubled), given.map((n) => 2 * n))
  }

  async fail() {
    const fail = () => {
      throw new RangeError('no')
    }
    await assert.rejects(this.guest.apply([1], fail), /no/)
  }

  /** Has the guest keep a function and an object, or let go of them. */
  async keep() {
    if (this.roll(2)) {
      await this.guest.keepOp((n) => n + 1)
      await this.guest.keepStore(new Store())
    } else {
      await this.guest.dropKept()
      await this.guest.dropStore()
    }
  }

  async iterate() {
    // Not 0, for which JavaScript computes -0.
    const n = 1 + this.roll(1000)
    assert.equal(await this.guest.sumItems(Array(n).keys()), (n * (n - 1)) / 2)
  }

  async copy() {
    const content = Buffer.alloc(this.roll(100_000), this.roll(256))
    const written = writer('promise', {})
    assert.equal(await this.guest.copyStream(written, Readable.from([content], { objectMode: false })), content.length)
    assert.ok(written.written().equals(content))
  }

  /** Reads a stream of the guest, or leaves it. */
  async read() {
    const n = 1 + this.roll(1000)
    const stream = await this.guest.repeatStream('abc', n)
    if (this.roll(2)) {
      const parts = []
      for await (const part of stream) parts.push(part)
      assert.equal(Buffer.concat(parts).length, 3 * n)
    }
    stream.destroy()
  }
}

test('objects, iterators, functions and streams leave nothing behind', { timeout: (SECONDS + 60) * 1000 }, async (t) => {
  const guest = await start()
  const goroutines = await guest.goroutines()
  const handles = new Handles(guest, dice(SEED))
  const end = Date.now() + SECONDS * 1000
  const worker = async () => {
    while (Date.now() < end) await handles.once()
  }
  try {
    await Promise.all([worker(), worker(), worker()])
  } catch (error) {
    error.message += ` (SEED=${SEED})`
    throw error
  }
  handles.objects.length = handles.iterators.length = 0
  await guest.dropKept()
  await guest.dropStore()
  let left
  const nothing = async () => {
    collect()
    await guest.poll()
    const { held, given } = guest.handles
    left = { held, given, ofGuest: await guest.handlesOfGuest(), ofHost: await guest.handlesOfHost(), goroutines: (await guest.goroutines()) - goroutines }
    return Object.values(left).every((count) => count <= 0)
  }
  for (let tries = 0; tries < 100 && !(await nothing()); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  t.diagnostic(`soak: ${SECONDS} s, seed ${SEED}: ${handles.uses} uses of objects, iterators, callbacks and streams`)
  assert.ok(handles.uses > 0)
  assert.deepEqual(left, { held: 0, given: 0, ofGuest: 0, ofHost: 0, goroutines: left.goroutines }, `SEED=${SEED}`)
  assert.ok(left.goroutines <= 0, `SEED=${SEED}: ${left.goroutines} goroutines are left`)
})
