// Objects of the program that a component gets, and passes back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Plugin, TrapError, TypeMismatchError } from 'undergo'
import { ROOT } from './common.mjs'

const plugin = await Plugin.load(fileURLToPath(new URL('conformance/components/items.wasm', ROOT)))

class Item {
  constructor(n) {
    this.n = n
  }

  rank() {
    return this.n
  }
}

/** An instance, and what it has stored. */
async function start(change = (item) => item) {
  const stored = []
  const host = {
    item: (name) => change(new Item(name.length)),
    itemOpen: (n) => change(new Item(n)),
    compare: (a, b) => change(Number(a.n < b.n)),
    store: (item) => void stored.push(item)
  }
  return [await plugin.instantiate({ imports: { 'test:items/host': host } }), stored]
}

test('objects of the program come back as they are', async () => {
  const [items, stored] = await start()
  assert.deepEqual([await items.peek(new Item(3)), await items.take(new Item(4))], [3, 4])
  assert.deepEqual([await items.made(false), items.sync.made(true)], [5, 20])
  assert.deepEqual([await items.order(new Item(1), new Item(2)), items.sync.order(new Item(2), new Item(1))], [1, 0])
  const own = new Item(6)
  assert.equal(await items.back(own), own)
  assert.equal(items.sync.back(own), own)
  await items.passOn(own)
  items.sync.passOn(own)
  assert.ok(stored.length === 2 && stored.every((item) => item === own))
  await items.hold(new Item(5))
  assert.deepEqual([await items.held(), items.handles.held], [5, 1])
  await items.letGo()
  assert.equal(await items.all([new Item(1), new Item(2)]), 3)
  assert.deepEqual(items.handles, { held: 0, given: 0 })
})

test('they come back to functions that are awaited', async () => {
  const [items] = await start(async (item) => item)
  assert.deepEqual([await items.made(false), await items.order(new Item(1), new Item(2))], [5, 1])
})

test('what is no such object is refused', async () => {
  const [items] = await start()
  await assert.rejects(items.peek({}), TypeMismatchError)
  await assert.rejects(items.keep(new Item(1)), (error) => error instanceof TrapError && /borrow/.test(error.message))
})
