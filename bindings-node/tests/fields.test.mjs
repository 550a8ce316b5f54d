// Errors with fields: those that a plugin returns, and those that host functions throw.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { GuestError, HostError, Plugin, TypeMismatchError, UndergoError, errorType } from 'undergo'
import { thrownBy } from './common.mjs'
import { bytes, shapes, shapesWith } from './shapes.mjs'

const { NotFound, Odd } = shapes.types

/** What a call comes to whose host function throws this, in each way in which it can. */
async function each(thrown, check, options) {
  const fail = () => { throw thrown }
  const failLater = async () => { throw thrown }
  const pool = shapes.pool({ size: 1, imports: { host: { lookup: failLater } }, ...options })
  const ways = [
    () => shapesWith(fail, options).ask('x'),
    () => shapesWith(failLater, options).ask('x'),
    async () => shapesWith(fail, options).sync.ask('x'),
    () => pool.ask('x')
  ]
  for (const way of ways) await check(await thrownBy(way))
  await pool.close()
}

/** The errors of a chain, each as its class's name, its text and its fields. */
function links(error) {
  const found = []
  for (let link = error; link !== undefined; link = link.cause) {
    assert.ok(link instanceof GuestError && link.code === 'guest-error', inspect(link))
    found.push([link.name, link.message, link.fields])
  }
  return found
}

test('a plugin has a class for each of its errors', () => {
  assert.deepEqual(Object.keys(shapes.types), ['NotFound', 'Odd'])
  assert.ok(Object.isFrozen(shapes.types) && shapes.types.constructor === undefined)
  const cause = new Error('why')
  const error = new NotFound({ key: 'x', code: 404 }, 'not found: x', { cause })
  assert.ok(error instanceof NotFound && error instanceof GuestError && error instanceof UndergoError && error instanceof Error)
  assert.ok(!(error instanceof Odd) && !(error instanceof HostError))
  assert.deepEqual([error.name, error.message, error.code, error.key, error.cause], ['NotFound', 'not found: x', 'guest-error', 'x', cause])
  assert.ok(error.stack.startsWith('NotFound: not found: x\n') && error.stack.includes('fields.test.mjs'))
  assert.deepEqual(error.fields, { key: 'x', code: 404 })
  assert.deepEqual(Object.keys(error), ['code', 'key'])
  assert.equal(new NotFound({ key: 'x', code: 1 }).message, '')
  assert.ok(!('cause' in new NotFound({ key: 'x', code: 1 })))
})

test('what all errors have keeps its meaning', async () => {
  const fields = { message: 'm', cause: 'c', stack: 1, name: 'n', fields: 2, toString: 3, constructor: 4, own: 5 }
  await each(new Odd(fields, 'odd'), (error) => {
    assert.ok(error instanceof Odd)
    assert.deepEqual(error.fields, fields)
    assert.deepEqual([error.message, error.name, error.own, error.cause, error.constructor], ['odd', 'Odd', 5, undefined, Odd])
    assert.equal(String(error), 'Odd: odd')
    assert.equal(typeof error.stack, 'string')
  })
})

test('what a host function throws reaches the guest, and what the guest returns the caller, with fields and causes', async () => {
  const thrown = new Error('loading', { cause: new NotFound({ key: 'x', code: 404 }, 'not found: x', { cause: new RangeError('deep') }) })
  await each(thrown, (error) => {
    assert.deepEqual(links(error), [['GuestError', 'loading', undefined], ['NotFound', 'not found: x', { key: 'x', code: 404 }], ['GuestError', 'deep', undefined]])
    assert.equal(error.constructor, GuestError)
    assert.equal(error.cause.constructor, NotFound)
    assert.deepEqual([error.cause.key, error.cause.stack.split('\n')[0]], ['x', 'NotFound: not found: x'])
    assert.ok(!('cause' in error.cause.cause))
  })
  await each(new RangeError('plain'), (error) => assert.deepEqual(links(error), [['GuestError', 'plain', undefined]]))
  // Of an error without a message its name is said.
  await each(new NotFound({ key: 'x', code: -1 }), (error) => assert.deepEqual(links(error), [['NotFound', 'NotFound', { key: 'x', code: -1 }]]))
  for (const [odd, text] of [['text', 'text'], [undefined, 'undefined'], [{}, '[object Object]'], [Symbol('s'), '']]) {
    await each(odd, (error) => assert.deepEqual(links(error), [['GuestError', text, undefined]]))
  }
})

test('an error that passed through one plugin passes through another', async () => {
  const inner = shapesWith(() => { throw new NotFound({ key: 'x', code: 1 }, 'inner') })
  for (const lookup of [(key) => inner.ask(key), async (key) => inner.ask(key)]) {
    assert.deepEqual(links(await thrownBy(() => shapesWith(lookup).ask('x'))), [['NotFound', 'inner', { key: 'x', code: 1 }]])
  }
})

test('a class of a program’s own is one of its errors', async () => {
  class Missing extends NotFound {
    constructor(key) {
      super({ key, code: 404 }, `missing: ${key}`)
    }
  }
  await each(new Missing('x'), (error) => {
    assert.deepEqual(links(error), [['NotFound', 'missing: x', { key: 'x', code: 404 }]])
    assert.ok(!(error instanceof Missing))
  })
})

test('the same plugin that is loaded again knows them, and another plugin does not', async () => {
  const again = Plugin.compileSync(bytes())
  const other = Plugin.compileSync(bytes('other'))
  const written = errorType('NotFound', 'shapes: not-found { key: string, code: s64 }')
  const fields = { key: 'x', code: 1 }
  for (const [made, isKnown] of [[again.types.NotFound, true], [written, true], [other.types.NotFound, false], [errorType('NotFound', 'x'), false]]) {
    const thrown = new made(fields, 'text')
    assert.equal(thrown instanceof NotFound, isKnown)
    assert.equal(new NotFound(fields) instanceof made, isKnown)
    await each(thrown, (error) => {
      assert.deepEqual(links(error), [isKnown ? ['NotFound', 'text', fields] : ['GuestError', 'text', undefined]])
      assert.equal(error instanceof made, isKnown)
    })
  }
})

test('integers of 64 bits are as those of results', async () => {
  await each(new NotFound({ key: 'x', code: 2n ** 60n }, 'large'), (error) => assert.deepEqual(error.fields, { key: 'x', code: 2n ** 60n }), { bigint: true })
  // What can't be shown hides nothing.
  await each(new NotFound({ key: 'x', code: 2n ** 60n }, 'large'), (error) => {
    assert.ok(error instanceof TypeMismatchError)
    assert.match(error.message, /^the error not-found\.code: 1152921504606846976 is beyond what a number holds exactly/)
    assert.deepEqual([error.cause.name, error.cause.message], ['GuestError', 'large'])
  })
})

test('fields that do not fit are a type-mismatch', async () => {
  const cases = [
    [{ key: 5, code: 1 }, ' -> not-found.key: expected string, got number'],
    [{ key: 'x', code: 0.5 }, ' -> not-found.code: 0.5 is not an integer'],
    [{ key: 'x' }, " -> not-found: the field 'code' of not-found is missing"],
    [undefined, " -> not-found: the field 'key' of not-found is missing"]
  ]
  for (const [fields, text] of cases) {
    for (const thrown of [new NotFound(fields), new Error('outer', { cause: new NotFound(fields) })]) {
      await each(thrown, (error) => {
        assert.equal(error.code, 'type-mismatch', error.stack)
        assert.ok(error.message.includes(text), error.message)
        assert.ok(error.path.startsWith('host.lookup -> not-found'), error.path)
      })
    }
  }
  const gone = new NotFound({ key: 'x', code: 1 })
  gone.fields = 5
  await each(gone, (error) => assert.ok(error.message.includes('expected not-found, got object'), error.message))
  const mine = new RangeError('mine')
  const failing = Object.defineProperty(new NotFound({ key: 'x', code: 1 }), 'fields', { value: { get key() { throw mine } } })
  await each(failing, (error) => assert.deepEqual([error.code, error.cause], ['type-mismatch', mine]))
})

test('a chain may be long, a circle, or throw', async () => {
  const long = Array.from({ length: 1000 }).reduce((cause, _, i) => new Error(`${i}`, { cause }), new Error('last'))
  await each(long, (error) => {
    const found = links(error)
    assert.deepEqual([found.length, found[0][1], found[63][1]], [64, '999', '936'])
  })
  const circle = new Error('a')
  circle.cause = new NotFound({ key: 'b', code: 1 }, 'b', { cause: circle })
  await each(circle, (error) => assert.deepEqual(links(error).map(([, text]) => text), ['a', 'b']))
  const self = new Error('self')
  self.cause = self
  await each(self, (error) => assert.deepEqual(links(error).map(([, text]) => text), ['self']))
  const fail = () => { throw new Error('from a getter') }
  const throwing = Object.defineProperty(new Error('outer'), 'cause', { get: fail })
  await each(throwing, (error) => assert.deepEqual(links(error).map(([, text]) => text), ['outer']))
  const silent = new Error('outer', { cause: Object.defineProperty(new Error('x'), 'message', { get: fail }) })
  await each(silent, (error) => assert.deepEqual(links(error).map(([, text]) => text), ['outer', 'Error']))
  for (const cause of ['a string', 5, null, { message: 'no error' }, new Proxy(new Error('x'), { get: fail, getPrototypeOf: fail })]) {
    await each(new Error('outer', { cause }), (error) => assert.deepEqual(links(error).map(([, text]) => text), ['outer']))
  }
  await each(new Proxy(new NotFound({ key: 'x', code: 1 }), { get: fail, getPrototypeOf: fail }), (error) => assert.equal(links(error).length, 1))
  const reads = []
  const counted = Object.defineProperty(new Error('outer'), 'cause', { get: () => (reads.push('cause'), undefined) })
  await thrownBy(() => shapesWith(() => { throw counted }).ask('x'))
  assert.deepEqual(reads, ['cause'])
})

test('errors of another realm are errors', async () => {
  const thrown = runInNewContext("new Error('theirs', { cause })", { cause: new NotFound({ key: 'x', code: 1 }, 'ours') })
  await each(thrown, (error) => assert.deepEqual(links(error).map(([name, text]) => [name, text]), [['GuestError', 'theirs'], ['NotFound', 'ours']]))
})

test('the fields of an error are a value as well', async () => {
  const instance = shapesWith((key) => key)
  const error = new NotFound({ key: 'x', code: 1 })
  await instance.show([error, error.fields, { key: 'y', code: 2 }], [])
  const wrong = await thrownBy(() => instance.show([{ key: 'x', code: 'y' }], []))
  assert.equal(wrong.path, 'show(errors[0].code)')
})
