// Instances as the imports of others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Plugin } from 'undergo'
import { call, param, wasm } from './wasm.mjs'

/**
 * A bare module that imports `host.step`, and exports `size`, which gives what that gives, and
 * `spin`, which does not end.
 */
const counter = () =>
  Plugin.compileSync(
    wasm({
      imports: [['host', 'step']],
      exports: [['size', 0, 1, call(0)], ['spin', 0, 1, [0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0]], ['echo', 1, 1, param(0)]]
    })
  )

const start = (step = () => 7) => counter().instantiateSync({ imports: { host: { step } } })

const user = (...names) =>
  Plugin.compileSync(wasm({ imports: names.map((name) => ['counter', name]), exports: names.map((name, i) => [`${name}-it`, 0, 1, call(i)]) }))

const linked = (to, ...names) => user(...names).instantiateSync({ imports: { counter: to } })

test('calls go to the other instance', async () => {
  let steps = 0
  const inner = start(() => steps++)
  const guest = linked(inner, 'size')
  assert.deepEqual([await guest.sizeIt(), await inner.size(), guest.sync.sizeIt()], [0, 1, 2])
})

test('host functions of the other instance may give promises', async () => {
  const inner = start(async () => 5)
  const guests = [linked(inner, 'size'), linked(inner, 'size')]
  assert.deepEqual(await Promise.all(guests.map((guest) => guest.sizeIt())), [5, 5])
})

test('the other instance stays with its functions', async () => {
  const guest = linked(start(), 'size')
  globalThis.gc?.()
  await new Promise(setImmediate)
  globalThis.gc?.()
  assert.equal(await guest.sizeIt(), 7)
})

test('other types are refused', () => {
  assert.throws(() => linked(start(), 'echo'), { code: 'signature-mismatch', message: /the import is counter\.echo\(\) -> i32, and the export of .* is echo\(arg0: i32\) -> i32/ })
  assert.throws(() => linked(start(), 'other'), { code: 'missing-import', message: /counter\.other/ })
})

test('deadline and cancellation pass through', async () => {
  const inner = start()
  await assert.rejects(linked(inner, 'spin').using({ timeout: 50 }).spinIt(), { code: 'timeout' })
  assert.equal(inner.alive, false)
  const other = start()
  await assert.rejects(linked(other, 'spin').using({ signal: AbortSignal.timeout(50) }).spinIt())
  assert.equal(other.alive, false)
})

test('a dead or closed instance is told of', async () => {
  const inner = start()
  const guest = linked(inner, 'size')
  inner.close()
  await assert.rejects(guest.sizeIt(), { code: 'host-error', message: /dead-instance.*it was closed/s })
  await guest.reset()
  await inner.reset()
  assert.equal(await guest.sizeIt(), 7)
})

test('circles are busy', async () => {
  let guest
  const inner = start(() => guest.sizeIt())
  guest = linked(inner, 'size')
  await assert.rejects(guest.sizeIt(), { message: /in a circle/ })
})

test('what the host throws comes out of both', async () => {
  class Own extends Error {}
  const guest = linked(start(() => { throw new Own('own') }), 'size')
  await assert.rejects(guest.sizeIt(), (error) => error instanceof Own || error.cause instanceof Own)
})

test('the instances of a pool share one', async () => {
  let steps = 0
  const pool = user('size').pool({ size: 3, imports: { counter: start(() => steps++) } })
  await Promise.all(Array.from({ length: 30 }, () => pool.sizeIt()))
  assert.equal(steps, 30)
})
