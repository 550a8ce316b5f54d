// A module for the conformance plugin, compiled and run.
import assert from 'node:assert/strict'
import { loadGuest, NotFound, type Imports, type Person, type Shape } from './generated-conformance.mjs'

const echo = <T,>(value: T): T => value
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
console.log('as typed')
