// A module for the conformance plugin, compiled and run.
import assert from 'node:assert/strict'
import { loadGuest, NotFound, type Imports, type Person, type Shape, type Store, type Tally } from './generated-conformance.mjs'

const echo = <T,>(value: T): T => value
const store: Store = { get: (key) => key, put: () => {}, size: async () => 0, child: () => store }
const host: Imports['host'] = {
  echoString: echo,
  echoBytes: echo,
  echoInt: echo,
  echoStrings: echo,
  echoFloats: echo,
  echoPerson: echo,
  echoMaybe: echo,
  echoColor: echo,
  echoCounts: echo,
  echoTime: echo,
  echoDuration: echo,
  echoJson: echo,
  echoRaw: echo,
  echoShape: echo,
  lookup: (key) => {
    throw new Error(`looking up: ${key}`, { cause: new NotFound({ key, code: 404 }) })
  },
  many: (...values) => values.join(' '),
  bundle: (...args) => args,
  divmod: (a, b) => [Math.trunc(a / b), a % b],
  note: () => {},
  notes: async () => ['noted'],
  fail: () => {
    throw new Error('never')
  },
  check: () => {},
  crash: () => {},
  wrongType: () => 5,
  wrongResult: () => [5],
  reenter: echo
}
const guest = await loadGuest(process.argv[2]!, { imports: { host }, sandbox: { stdout: 'discard', stderr: 'discard' } })
const ada: Person = {
  name: 'Ada',
  age: 36,
  tags: ['a'],
  home: { street: 'Main' },
  others: [],
  scores: { chess: 1.5 },
  favorite: 'dark-blue',
  born: new Date(0),
  nap: 5,
  userId: 7
}
assert.equal((await guest.personThroughHost(ada)).name, 'Ada')
assert.deepEqual(await guest.notes(['x']), ['noted'])
assert.deepEqual(guest.sync.echoFloat64s([1, 2]), Float64Array.of(1, 2))
const failed: unknown = await guest.lookup('x').catch((error: Error) => error.cause)
assert.ok(failed instanceof NotFound && failed instanceof guest.plugin.types.NotFound)
assert.deepEqual([failed.key, failed.fields.code], ['x', 404])
const label: Shape = { tag: 'label', val: 'a' }
assert.deepEqual(await guest.shapeThroughHost(label), label)
assert.deepEqual(guest.sync.echoShapes([label, { tag: 'empty' }, { tag: 'triangle', val: [1, 2, 3] }]).map(({ tag }) => tag), ['label', 'empty', 'triangle'])

const tally: Tally = await guest.Tally.create(5)
const simple = new guest.sync.Tally(7)
const [value, sum]: [number, number] = [simple.value(), await guest.sumTallies(tally, simple)]
assert.deepEqual([await tally.value(), value, sum, tally.sync.add(1)], [5, 7, 12, 6])
assert.deepEqual(guest.sync.countUp(2).map((one) => one.value()), [0, 1])
const merged: Tally = await (await tally.copy()).using({ timeout: 10_000 }).itself()
assert.ok(merged instanceof guest.Tally)
assert.deepEqual(await guest.apply([1, 2], async (n) => n + 1), [2, 3])
assert.equal(await guest.storeGet(store, 'key'), 'key')
const { main, others } = await guest.newCounting('x', 5)
assert.deepEqual([await main.value(), others.length], [5, 2])
await main.close()
simple.close()
// @ts-expect-error: not a number
const wrong = (): Promise<Tally> => guest.Tally.create('5')
// @ts-expect-error: a lamp is no tally
const other = async (): Promise<number> => guest.sumTallies(tally, await guest.Lamp.create())
// @ts-expect-error: size is missing
const incomplete: Store = { get: (key) => key, put: () => {}, child: () => store }
assert.deepEqual([typeof wrong, typeof other, typeof incomplete], ['function', 'function', 'object'])
console.log('as typed')
