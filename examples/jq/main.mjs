// Runs jq's queries over a JSON document of some megabytes.
//
// Usage: node main.mjs jq.wasm

import assert from 'node:assert/strict'
import { load } from 'undergo'

const CITIES = ['Aachen', 'Bogotá', 'Cairo', 'Dhaka', 'Essen', 'Fukuoka', 'Graz', 'Hà Nội']
const ORDERS = 30_000

/** Makes an order: always the same for the same number. */
function order(number) {
  const mixed = Number((BigInt(number) * 2_654_435_761n) % 2n ** 32n)
  const lines = [3, 9, 17].map((n) => ({
    article: `A${String((mixed >>> n) % 500).padStart(3, '0')}`,
    count: 1 + ((mixed >>> n) % 4),
    cents: 99 + (mixed % 5_000)
  }))
  return {
    id: number,
    city: CITIES[Math.floor(mixed / 7) % CITIES.length],
    express: mixed % 7 === 0,
    note: null,
    lines: lines.slice(0, 1 + (mixed % 3))
  }
}

/** As Python's `json.dumps` writes it, with spaces: the document is the same in each language. */
function dump(value) {
  if (Array.isArray(value)) return `[${value.map(dump).join(', ')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${dump(item)}`).join(', ')}}`
}

const orders = Array.from({ length: ORDERS }, (_, number) => order(number))
const document = Buffer.from(dump(orders))
console.log(`a document of ${(document.length / 1e6).toFixed(1)} MB`)

const jq = await load(process.argv[2], { limits: { memory: '512MiB', timeout: 60_000 } })
console.log(`${await jq.load('orders', document)} orders`)

// The document stays in the plugin; a query crosses, and its results come back as values of
// JavaScript.
const cities = new Map()
for (const { city } of orders) cities.set(city, (cities.get(city) ?? 0) + 1)
for (const city of await jq.query('orders', 'group_by(.city)[] | {name: .[0].city, orders: length}')) {
  console.log(`  ${city.name}: ${city.orders}`)
  assert.equal(city.orders, cities.get(city.name))
}

const [total] = await jq.query('orders', '[.[].lines[] | .count * .cents] | add')
console.log(`sold for ${(total / 100).toFixed(2)}`)

const BEST = `
  [.[].lines[]] | group_by(.article) | map({article: .[0].article, count: map(.count) | add})
  | sort_by(-.count, .article) | limit(3; .[])
`
const best = await jq.query('orders', BEST)
console.log('sold most:', ...best.map(({ article, count }) => `${article} (${count})`))

// Any value that JSON can hold may be given, and comes back as what it is.
console.log(...(await jq.eval('.[] | type', [null, true, 7, 0.25, 'grüße', [1], { a: {} }])))
assert.deepEqual(await jq.eval('.', { a: [null, 0.25] }), [{ a: [null, 0.25] }])

// An error in a query, and one of its run, are errors of a call. The plugin and its document live
// on.
for (const query of ['map(.city', '.[0] | .city + 1', 'missing(.)']) {
  await jq.query('orders', query).catch((error) => console.log(`${query}: ${error.message}`))
}
console.log(...(await jq.query('orders', '.[12345].city')))

// A query that never ends is stopped, and this program goes on meanwhile.
await jq
  .using({ timeout: 200 })
  .eval('def forever: forever; forever', null)
  .catch((error) => console.log(`${error.code}:`, jq.alive ? 'alive' : 'ended'))
