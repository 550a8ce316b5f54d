// Variants: what is accepted as one, and what is made.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { TypeMismatchError } from 'undergo'
import { thrownBy } from './common.mjs'
import { shapes, shapesWith } from './shapes.mjs'

const instance = shapesWith((key) => key)
const echo = async (shape) => (await instance.echo([shape]))[0]

const rejects = async (shape, path, text) => {
  for (const way of [instance, instance.sync]) {
    const error = await thrownBy(async () => way.echo([shape]))
    assert.ok(error instanceof TypeMismatchError, error.stack)
    assert.equal(error.path, `echo(shapes[0]${path})`, error.message)
    assert.ok(error.reason.includes(text), error.message)
  }
  assert.equal(instance.alive, true)
}

test('a case is an object with its tag, and with its value if it has one', async () => {
  const cases = [
    { tag: 'circle', val: { radius: 1.5, name: undefined } },
    { tag: 'label', val: 'a' },
    { tag: 'empty' },
    { tag: 'maybe', val: 5 },
    { tag: 'maybe', val: undefined },
    { tag: 'bytes', val: Uint8Array.of(1) },
    { tag: 'any', val: null },
    { tag: 'tag', val: 7 },
    { tag: 'val' },
    { tag: 'constructor', val: 'x' },
    { tag: 'none' }
  ]
  for (const way of [instance, instance.sync]) {
    assert.deepEqual(await way.echo(cases), cases)
    assert.deepEqual(Object.keys((await way.echo([{ tag: 'empty' }]))[0]), ['tag'])
  }
  const pool = shapes.pool({ size: 1, imports: { host: { lookup: (key) => key } } })
  assert.deepEqual(await pool.echo(cases), cases)
  await pool.close()
})

test('an undefined value is none', async () => {
  assert.deepEqual(await echo({ tag: 'empty', val: undefined }), { tag: 'empty' })
  for (const absent of [{ tag: 'maybe' }, { tag: 'maybe', val: null }]) assert.deepEqual(await echo(absent), { tag: 'maybe', val: undefined })
  await rejects({ tag: 'label', val: undefined }, '', 'the case label of shape needs a value: string')
  await rejects({ tag: 'any' }, '', 'the case any of shape needs a value: json')
  for (const val of [null, 0, {}]) await rejects({ tag: 'empty', val }, '', 'the case empty of shape has no value')
})

test('what is no case is refused', async () => {
  for (const tag of ['', 'Circle', '__proto__', 'prototype', 'toString', 'hasOwnProperty', 'circle\0', ' circle', 'text', 'x'.repeat(1000)]) {
    await rejects({ tag, val: 1 }, '', 'is not a case of shape: circle, label')
  }
  for (const [tag, name] of [[undefined, 'undefined'], [null, 'null'], [0, 'number'], [Symbol('circle'), 'symbol'], [new String('empty'), 'object'], [['empty'], 'array']]) {
    await rejects({ tag }, '.tag', `expected the name of a case of shape, got ${name}`)
  }
  await rejects({ tag: 'x'.repeat(1 << 20) }, '', '… ')
  // An enum is a plain string, and a variant never is.
  for (const [shape, name] of [['empty', 'string'], [null, 'null'], [undefined, 'undefined'], [5, 'number'], [['empty'], 'array'], [() => {}, 'function'], [Symbol('empty'), 'symbol']]) {
    await rejects(shape, '', `expected shape, got ${name}`)
  }
  for (const shape of [{}, new Map([['tag', 'empty']]), new Date(), { Tag: 'empty' }, { circle: { radius: 1 } }]) {
    await rejects(shape, '.tag', 'expected the name of a case of shape, got undefined')
  }
  await rejects({ tag: '\ud800' }, '', 'lone surrogate')
})

test('a value of the wrong type is named with its path', async () => {
  await rejects({ tag: 'circle', val: { radius: '1' } }, '.circle.radius', 'expected f64, got string')
  await rejects({ tag: 'circle', val: {} }, '.circle', "the field 'radius' of circle is missing")
  await rejects({ tag: 'circle', val: 5 }, '.circle', 'expected circle, got number')
  await rejects({ tag: 'label', val: { tag: 'label', val: 'x' } }, '.label', 'expected string, got object')
  await rejects({ tag: 'tag', val: 256 }, '.tag', 'out of range')
  await rejects({ tag: 'any', val: { a: [NaN] } }, '.any.a[0]', 'NaN')
})

test('any object with these properties is one', async () => {
  class Circle {
    tag = 'circle'
    get val() {
      return this
    }
    radius = 2
  }
  const bare = Object.assign(Object.create(null), { tag: 'label', val: 'bare' })
  assert.deepEqual(await echo(bare), { tag: 'label', val: 'bare' })
  assert.deepEqual(await echo(Object.freeze({ tag: 'empty', extra: 1 })), { tag: 'empty' })
  assert.deepEqual(await echo(new Circle()), { tag: 'circle', val: { radius: 2, name: undefined } })
  assert.deepEqual(await echo(runInNewContext("({ tag: 'bytes', val: new Uint8Array([7]) })")), { tag: 'bytes', val: Uint8Array.of(7) })
  assert.deepEqual(await echo(JSON.parse('{"__proto__": {"tag": "label"}, "tag": "empty"}')), { tag: 'empty' })
})

test('each property is read once, and what reading throws is the cause', async () => {
  const reads = []
  const changing = { get tag() { return reads.push('tag') === 1 ? 'label' : 'empty' }, get val() { return reads.push('val') === 2 ? 'first' : 5 } }
  assert.deepEqual(await echo(changing), { tag: 'label', val: 'first' })
  assert.deepEqual(reads, ['tag', 'val'])
  const asked = []
  const proxy = new Proxy({ tag: 'label', val: 'x' }, { get: (target, key) => (asked.push(key), target[key]) })
  assert.deepEqual(await echo(proxy), { tag: 'label', val: 'x' })
  assert.deepEqual(asked, ['tag', 'val'])

  const thrown = new RangeError('mine')
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const fail = () => { throw thrown }
  for (const [shape, cause] of [[{ get tag() { return fail() } }, thrown], [{ tag: 'label', get val() { return fail() } }, thrown], [new Proxy({}, { get: fail }), thrown], [revoked.proxy, undefined]]) {
    for (const way of [instance, instance.sync]) {
      const error = await thrownBy(async () => way.echo([shape]))
      assert.equal(error.code, 'type-mismatch')
      if (cause) assert.equal(error.cause, cause)
    }
  }
  assert.deepEqual(await echo({ tag: 'none' }), { tag: 'none' })
})

test('many are made within the limit of a value, and no more', async () => {
  const many = Array.from({ length: 20_000 }, () => ({ tag: 'empty' }))
  const small = shapesWith((key) => key, { limits: { value: '512KiB' } })
  assert.equal((await thrownBy(() => small.echo(many.slice(0, 15_000)))).code, 'out-of-memory')
  assert.equal((await shapesWith((key) => key, { limits: { value: '8MiB' } }).echo(many.slice(0, 15_000))).length, 15_000)
})

test('signatures name the variant', () => {
  assert.deepEqual(shapes.exports.map((found) => found.signature), ['echo(shapes: Shape[]): Shape[]', 'ask(key: string): string', 'show(errors: NotFound[], shape: Shape[]): void'])
})
