// What is accepted for each type, and what is made: beyond what the conformance list can say.
import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import { test } from 'node:test'
import { Plugin, TypeMismatchError } from 'undergo'
import { Host, QUIET, guest, start, thrownBy } from './common.mjs'
import { giveList, param, wasm } from './wasm.mjs'

const instance = await start()
const person = {
  name: 'Ada',
  age: 36,
  tags: [],
  home: { street: 'Main' },
  others: [],
  scores: {},
  favorite: 'dark-blue',
  level: undefined,
  born: new Date(0),
  nap: 1.5,
  userId: 1
}

const rejects = async (call, ...texts) => {
  const error = await thrownBy(call)
  assert.ok(error instanceof TypeMismatchError, error.stack)
  for (const text of texts) assert.ok(error.message.includes(text), error.message)
}

test('integers of 64 bits are numbers, or an error that says what to do', async () => {
  assert.equal(await instance.echoInt64(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  assert.equal(await instance.echoInt64(-5n), -5)
  assert.equal(await instance.echoUint64(5n), 5)
  await rejects(() => instance.echoInt64(2 ** 53), 'echo-int64(v)', 'give a bigint')
  await rejects(() => instance.echoInt64(2n ** 53n), 'echo-int64 -> result', 'bigint: true')
  await rejects(() => instance.echoUint64(2n ** 64n - 1n), 'bigint: true')
  await rejects(() => instance.echoInt64(NaN), 'not an integer')
  await rejects(() => instance.echoInt64(0.5), '0.5 is not an integer')
  assert.equal(instance.alive, true)
})

test('integers of 64 bits are bigints on request, and others are not', async () => {
  const big = await start({ bigint: true })
  assert.equal(await big.echoInt64(5), 5n)
  assert.equal(await big.echoUint64(2n ** 64n - 1n), 2n ** 64n - 1n)
  assert.equal(await big.echoInt32(5), 5)
  assert.equal(await big.echoUint32(2 ** 32 - 1), 2 ** 32 - 1)
  assert.deepEqual(await big.echoInt64s([1, 2n]), BigInt64Array.of(1n, 2n))
  assert.deepEqual(await instance.echoInt64s(BigInt64Array.of(1n, 2n)), [1, 2])
})

test('lists of numbers are typed arrays, and accept arrays and typed arrays', async () => {
  assert.deepEqual(await instance.echoFloat64s([1, 2.5]), Float64Array.of(1, 2.5))
  assert.deepEqual(await instance.echoFloat64s(Float64Array.of(1, 2.5).subarray(1)), Float64Array.of(2.5))
  assert.deepEqual(await instance.echoFloat64s(Float32Array.of(0.5)), Float64Array.of(0.5))
  assert.deepEqual(await instance.echoInt8s(Int8Array.of(-1)), Int8Array.of(-1))
  const large = Float64Array.from({ length: 10_000 }, (_, i) => i)
  for (const way of [instance, instance.sync]) assert.deepEqual(await way.echoFloat64s(large), large)
  await rejects(() => instance.echoInt8s(Int16Array.of(1000)), 'echo-int8s(v[0])', 'out of range')
})

test('bytes are accepted from whatever has them', async () => {
  const bytes = Uint8Array.of(0, 255, 7)
  const given = [bytes, Buffer.from(bytes), bytes.buffer, new DataView(bytes.buffer), new Uint8ClampedArray(bytes), [0, 255, 7]]
  for (const one of given) {
    const made = await instance.echoBytes(one)
    assert.ok(made instanceof Uint8Array && made.constructor === Uint8Array)
    assert.deepEqual([...made], [0, 255, 7])
    assert.deepEqual([...instance.sync.echoBytes(one)], [0, 255, 7])
  }
  await rejects(() => instance.echoBytes(Uint16Array.of(256)), 'echo-bytes(v[0])')
})

test('a buffer belongs to its caller again when the call has begun', async () => {
  const given = new Uint8Array(100_000).fill(1)
  const call = instance.echoBytes(given)
  given.fill(2)
  assert.ok((await call).every((byte) => byte === 1))
  const waits = [instance.sleep(20), instance.echoBytes(given)]
  structuredClone(given.buffer, { transfer: [given.buffer] })
  assert.equal(given.length, 0)
  assert.ok((await waits[1]).every((byte) => byte === 2))
})

test('a buffer that a getter takes away is none, and nothing worse', async () => {
  const bytes = new Uint8Array(5000).fill(7)
  const evil = {
    get 0() {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
      return 'gone'
    }
  }
  const list = Object.setPrototypeOf(['x'], null)
  Object.defineProperty(list, 0, Object.getOwnPropertyDescriptor(evil, 0))
  const args = ['s', bytes, 1, list, []]
  // The guest gets a list of 5000 bytes of its own memory, or is refused: this process does not
  // mind.
  await Promise.resolve(thrownBy(() => instance.sync.throughHost(...args))).catch(() => undefined)
  assert.equal(bytes.length, 0)
})

test('records are plain objects, and any object will do', async () => {
  class Point {
    #x = 1.5
    get x() {
      return this.#x
    }
    y = -2
    tag = 255
    unknown = 'is not looked at'
  }
  const made = await instance.echoPoint(new Point())
  assert.deepEqual(made, { x: 1.5, y: -2, tag: 255 })
  assert.equal(Object.getPrototypeOf(made), Object.prototype)
  assert.deepEqual(Object.keys(await instance.echoPerson(person)).slice(0, 3), ['name', 'email', 'age'])
  assert.equal((await instance.echoPerson({ ...person, email: null })).email, undefined)
  const foreign = runInNewContext('({ x: 1, y: 2, tag: 3 })')
  assert.deepEqual(await instance.echoPoint(foreign), { x: 1, y: 2, tag: 3 })
})

test('what a getter throws is the cause', async () => {
  const thrown = new Error('from a getter')
  const bad = { y: 1, tag: 1, get x() { throw thrown } }
  for (const way of [instance, instance.sync]) {
    const error = await thrownBy(async () => way.echoPoint(bad))
    assert.equal(error.code, 'type-mismatch')
    assert.equal(error.cause, thrown)
  }
})

// What a getter, a Proxy or an iterator does in the middle of a call that reads it.
test('code that runs while an argument is read harms nothing', async () => {
  // A getter does it when the second item is read.
  const once = (work, list = ['a', 'b', 'c']) =>
    Object.defineProperty(list, 1, { configurable: true, enumerable: true, get() { work(list); return 'b' } })
  const person = (work) => ({ get x() { work(); return 1 }, y: 2, tag: 3 })
  for (const sync of [true, false]) {
    const one = await start()
    const call = async (name, ...args) => (sync ? one.sync[name](...args) : one[name](...args))
    // The array shrinks, grows, or claims to be longer.
    for (const work of [(list) => { list.length = 0 }, (list) => list.push('d'), (list) => list.splice(0, 1)]) {
      await call('echoStrings', once(work)).catch((error) => assert.ok(error instanceof TypeMismatchError, error.stack))
    }
    await rejects(() => call('echoStrings', once((list) => { list.length = 2 })), 'undefined')
    // A Proxy of an array is no array to the engine.
    await rejects(() => call('echoStrings', new Proxy(['a'], { get() { throw new Error('asked') } })), 'got object')
    // Calls, and ends, in the middle.
    assert.deepEqual(await call('echoPoint', person(() => one.sync.echoString('inner'))), { x: 1, y: 2, tag: 3 })
    const thrown = new Error('from a trap')
    const failing = new Proxy({ x: 1, y: 2, tag: 3 }, { get() { throw thrown } })
    assert.equal((await thrownBy(() => call('echoPoint', failing))).cause, thrown)
    const keys = new Proxy({ a: 1 }, { ownKeys() { throw thrown } })
    assert.equal((await thrownBy(() => call('echoCounts', keys))).cause, thrown)
    // What is no number, string or Date is not asked to be one.
    let asked = 0
    const wish = { valueOf: () => asked++, toString: () => `${asked++}`, [Symbol.toPrimitive]: () => asked++ }
    for (const name of ['echoString', 'echoInt64', 'echoTime', 'echoDuration', 'echoBool']) {
      await thrownBy(() => call(name, wish))
    }
    assert.equal(asked, 0)
    // An iterator of a Map that is changed, and one that the program has replaced.
    const map = new Map([['a', 1]])
    map[Symbol.iterator] = function* () { for (let i = 0; i < 5; i++) yield [`k${i}`, i] }
    assert.deepEqual(Object.keys(await call('echoCounts', map)).length > 0, true)
    const broken = new Map([['a', 1]])
    broken[Symbol.iterator] = function* () { yield 5 }
    await thrownBy(() => call('echoCounts', broken))
    // Memory that is resized while the arguments behind it are read.
    if (ArrayBuffer.prototype.resize) {
      const buffer = new ArrayBuffer(8192, { maxByteLength: 16_384 })
      const bytes = new Uint8Array(buffer)
      const late = once(() => buffer.resize(16), ['x', 'y'])
      await thrownBy(() => call('throughHost', 's', bytes, 1, late, []))
      assert.equal(bytes.length, 16)
    }
    assert.equal(await call('echoString', 'alive'), 'alive')
    await one.close?.()
  }
})

test('an instance that is ended by a getter of its own argument is ended', async () => {
  const one = await start()
  const ending = { get x() { one.close(); return 1 }, y: 2, tag: 3 }
  const error = await thrownBy(() => one.sync.echoPoint(ending))
  assert.ok(['dead-instance', 'busy'].includes(error.code), error.stack)
})

test('maps are objects for keys that are strings, and Maps for others', async () => {
  assert.deepEqual(await instance.echoCounts({ a: 1 }), { a: 1 })
  assert.deepEqual(await instance.echoCounts(new Map([['a', 1]])), { a: 1 })
  assert.deepEqual(await instance.echoLabels(new Map([[7, 'x']])), new Map([[7, 'x']]))
  assert.ok((await instance.echoLabels(new Map())) instanceof Map)
  const odd = await instance.echoCounts(new Map([['__proto__', 5], ['toString', 6]]))
  assert.deepEqual(Object.entries(odd).sort(), [['__proto__', 5], ['toString', 6]])
  assert.equal(Object.getPrototypeOf(odd), Object.prototype)
  await rejects(() => instance.echoCounts([1]), 'expected map<string, s64>, got array')
})

test('of equal keys the last counts', async () => {
  // They are different to a Map, and the same to the guest.
  assert.deepEqual(await instance.echoLabels(new Map([[7, 'first'], [8n, 'other'], [7n, 'last']])), new Map([[7, 'last'], [8, 'other']]))
  const zeros = new Map([[0, 'first'], [0n, 'last']])
  assert.deepEqual(instance.sync.echoLabels(zeros), new Map([[0, 'last']]))
})

/**
 * Keys that V8 puts into one place of a Map: bigints whose hash, `ComputeLongHash`, has the same
 * lowest bits.
 */
function colliding(count) {
  const mask = 2n ** 64n - 1n
  /** What times n is 1, of an odd number. */
  const inverse = (n) => {
    let found = n
    for (let i = 0; i < 6; i++) found = (found * (2n - n * found)) & mask
    return found
  }
  const unshift = (value, bits) => {
    let found = value
    for (let i = 0n; i < 64n / bits; i++) found = value ^ (found >> bits)
    return found
  }
  const key = (hash) => {
    let h = unshift(hash, 22n)
    h = unshift((h * inverse(65n)) & mask, 11n)
    h = unshift((h * inverse(21n)) & mask, 31n)
    return ((h + 1n) * inverse((1n << 18n) - 1n)) & mask
  }
  return Array.from({ length: count }, (_, i) => key(12345n + (BigInt(i) << 30n)))
}

test('keys that are chosen to collide hold no deadline up', async (t) => {
  const [base, count] = [128 << 10, 20_000]
  const keys = colliding(count)
  const took = (some) => {
    const began = performance.now()
    const map = new Map()
    for (const key of some) map.set(key, 0)
    return performance.now() - began
  }
  const some = keys.slice(0, 8000)
  if (took(some) < 20 * took(some.map((_, i) => BigInt(i) << 20n))) return t.skip('this engine hashes in another way')
  const entries = Buffer.alloc(16 * count)
  keys.forEach((key, i) => entries.writeBigUInt64LE(key, 16 * i))
  const wit = 'package go:t;\n\nworld t {\n  export f: func(n: u32) -> map<u64, u8>;\n}\n'
  const plugin = await Plugin.compile(wasm({ wit, exports: [['f', 1, 1, giveList(base, param(0))]], data: [[base, entries]], pages: 16 }))
  for (const call of [(one, how) => one.using(how).f(count), (one, how) => one.sync.using(how).f(count)]) {
    const one = await plugin.instantiate({ sandbox: QUIET, bigint: true })
    assert.deepEqual(await one.f(2), new Map([[keys[0], 0], [keys[1], 0]]))
    // All of them would take seconds.
    assert.equal((await thrownBy(async () => call(one, { timeout: 50 }))).code, 'timeout')
  }
})

test('times are Dates, and durations milliseconds', async () => {
  const date = new Date('2024-02-29T12:34:56.789Z')
  assert.deepEqual(await instance.echoTime(date), date)
  assert.equal(await instance.echoDuration(0.001), 0.001)
  await rejects(() => instance.echoTime('2024-02-29'), 'expected a Date, got string')
  await rejects(() => instance.echoTime(new Date(NaN)), 'invalid Date')
  await rejects(() => instance.echoDuration(Infinity), 'more than a duration can hold')
})

test('JSON is any value that JSON can hold', async () => {
  const value = { a: [1, null, 'ü', { b: false }] }
  assert.deepEqual(await instance.echoAny(value), value)
  await rejects(() => instance.echoAny(undefined), 'JSON has no undefined')
  const round = {}
  round.round = round
  await rejects(() => instance.echoAny(round), 'contains itself')
})

test('JSON is exact both ways', async () => {
  const values = [
    2n ** 53n + 1n,
    -(2n ** 63n),
    2n ** 64n - 1n,
    10n ** 40n,
    Number.MAX_SAFE_INTEGER,
    -0.5,
    1e22,
    5e-324,
    Number.MAX_VALUE,
    'ü\u0000"\\ 9007199254740993 😀',
    ''
  ]
  for (const value of values) {
    for (const given of [value, [value], { a: { b: value }, __proto__: null }]) {
      assert.deepEqual(await instance.echoAny(given), given === Object(given) ? (Array.isArray(given) ? given : { ...given }) : given)
    }
  }
  assert.deepEqual(await instance.echoAny([2 ** 60, 5n, -0]), [2n ** 60n, 5, -0])
  assert.deepEqual(await instance.kinds([2n ** 64n, 2 ** 53, 1.5]), ['number 18446744073709551616', '9.007199254740992e+15', '1.5'])
  const odd = { ...JSON.parse('{"__proto__": 1}'), n: 2n ** 64n }
  Object.defineProperty(odd, '__proto__', { value: 1, enumerable: true })
  assert.deepEqual(Object.keys(await instance.echoAny(odd)).sort(), ['__proto__', 'n'])
})

test('a Map with strings as keys is an object of JSON', async () => {
  const made = new Map([['a', new Map([['b', [1n]]])], ['', null]])
  assert.deepEqual(await instance.echoAny(made), { a: { b: [1] }, '': null })
  assert.deepEqual(await instance.echoAny(runInNewContext("new Map([['a', [1]]])")), { a: [1] })
  assert.deepEqual(await instance.echoAny({ a: undefined, b: { toJSON: () => 'made' } }), { b: 'made' })
  class Point {
    x = 1
    #hidden = 2
  }
  assert.deepEqual(await instance.echoAny(new Point()), { x: 1 })
})

test('what JSON cannot hold is an error with the way to it', async () => {
  const deep = (depth) => (depth === 0 ? 0 : [deep(depth - 1)])
  const wrong = [
    [{ a: [1, NaN] }, '(v.a[1])', 'NaN is no number of JSON'],
    [[-Infinity], '(v[0])', 'no number of JSON'],
    [[undefined], '(v[0])', 'JSON has no undefined'],
    // eslint-disable-next-line no-sparse-arrays
    [[1, , 2], '(v[1])', 'JSON has no undefined'],
    [{ f() {} }, '(v.f)', 'JSON has no function'],
    [{ 'a b': Symbol('x') }, '(v["a b"])', 'JSON has no symbol'],
    [new Map([[1, 2]]), '(v)', 'keys of an object in JSON are strings, and one is a number'],
    [{ s: new Set([1]) }, '(v.s)', 'JSON has no Set'],
    [[new Date(0)], '(v[0])', 'JSON has no Date'],
    [[new Uint8Array(2)], '(v[0])', 'JSON has no Uint8Array'],
    [[Buffer.from('x')], '(v[0])', 'JSON has no Uint8Array'],
    [[new ArrayBuffer(2)], '(v[0])', 'JSON has no ArrayBuffer'],
    [[/x/], '(v[0])', 'JSON has no RegExp'],
    [[new Error('x')], '(v[0])', 'JSON has no Error'],
    [[Promise.resolve(1)], '(v[0])', 'JSON has no Promise'],
    [[new WeakMap()], '(v[0])', 'JSON has no WeakMap'],
    [['\ud800'], '(v[0])', 'lone surrogate'],
    [{ '\udc00': 1 }, '(v)', 'lone surrogate'],
    [deep(1001), '(v[0][0]', 'more than 1000 deep']
  ]
  for (const [value, path, text] of wrong) await rejects(() => instance.echoAny(value), path, text)
  assert.deepEqual(await instance.echoAny(deep(900)), deep(900))
})

test('what is optional at the end may be left out, and what is too much is an error', async () => {
  assert.equal(await instance.maybeString(), undefined)
  assert.equal(await instance.maybeString(null), undefined)
  assert.equal(await instance.echoString('x', undefined), 'x')
  await rejects(() => instance.echoString(), "echoString() needs a value for 's': echoString(s: string): string")
  await rejects(() => instance.echoString('a', 'b'), 'takes 1 argument, got 2')
})

test('long strings, and those that are not ASCII', async () => {
  for (const text of ['', 'a'.repeat(507), 'a'.repeat(508), 'a'.repeat(511), 'ü'.repeat(255), 'ü'.repeat(256), '€'.repeat(171), '😀'.repeat(5000), 'x\0y', '\ufffd']) {
    assert.equal(await instance.echoString(text), text)
    assert.equal(instance.sync.echoString(text), text)
  }
  await rejects(() => instance.echoString('a\udc00'), 'lone surrogate')
})

test('many values at once', async () => {
  const strings = Array.from({ length: 20_000 }, (_, i) => `item ${i}`)
  assert.deepEqual(await instance.echoStrings(strings), strings)
  const people = Array.from({ length: 1000 }, (_, i) => ({ ...person, userId: i }))
  assert.deepEqual((await instance.echoPeople(people)).map((one) => one.userId), people.map((one) => one.userId))
})

test('exports have their names, and are there whatever those are', async () => {
  const plugin = await guest('conformance')
  assert.equal(instance.echoString.name, 'echoString')
  // The others are the classes of its objects.
  const functions = Object.keys(instance.exports).filter((name) => !/^[A-Z]/.test(name))
  assert.equal(functions.length, plugin.exports.length)
  assert.equal(Object.getPrototypeOf(instance.exports), null)
  assert.equal(await instance.exports.echoString('x'), 'x')
  assert.equal(await instance.call('echo-string', 'x'), 'x')
  const { echoString } = instance
  assert.equal(await echoString('without its instance'), 'without its instance')
  assert.equal(instance.then, undefined)
  const found = plugin.exports.find((one) => one.name === 'echoPerson')
  assert.equal(found.signature, 'echoPerson(p: Person): Person')
})

test('imports may be objects of a class, and by their WIT names', async () => {
  const plugin = await guest('conformance')
  const host = new Host()
  const renamed = Object.fromEntries(plugin.imports.map(({ name, witName }) => [witName, host[name].bind(host)]))
  const other = await plugin.instantiate({ imports: { host: renamed }, sandbox: QUIET })
  assert.deepEqual(await other.notes(['a', 'b']), ['a', 'b'])
})

test('a buffer whose memory is gone is no empty one', async () => {
  const detached = (view) => {
    structuredClone(view.buffer ?? view, { transfer: [view.buffer ?? view] })
    return view
  }
  const shrunk = (make) => {
    const buffer = new ArrayBuffer(16, { maxByteLength: 32 })
    const view = make(buffer)
    buffer.resize(4)
    return view
  }
  for (const view of [
    detached(new Uint8Array(3)),
    detached(new ArrayBuffer(3)),
    detached(new DataView(new ArrayBuffer(3))),
    detached(new Uint8Array(5000)),
    shrunk((buffer) => new Uint8Array(buffer, 8, 8)),
    shrunk((buffer) => new Uint8Array(buffer, 8)),
    shrunk((buffer) => new DataView(buffer, 8, 8))
  ]) {
    await rejects(() => instance.echoBytes(view), 'echo-bytes(v)', 'memory is gone')
    await rejects(() => instance.sync.echoBytes(view), 'memory is gone')
    assert.throws(() => instance.memory.write(64, view), TypeError)
  }
  await rejects(() => instance.echoFloat64s(detached(new Float64Array(3))), 'memory is gone')
  await rejects(() => instance.echoFloat64s(detached(new Float32Array(3))), 'memory is gone')
  assert.deepEqual(await instance.echoBytes(new Uint8Array(0)), new Uint8Array(0))
  assert.deepEqual(await instance.echoBytes(shrunk((buffer) => new Uint8Array(buffer))), new Uint8Array(4))
  assert.deepEqual(await instance.echoBytes(new Uint8Array(new SharedArrayBuffer(4))), new Uint8Array(4))
})
