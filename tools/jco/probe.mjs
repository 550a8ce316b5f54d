// Calls the component of tools/component, which jco has made a module of JavaScript: probe.mjs
// CALLS
//
// Each line that it prints is a test that holds. What fails ends it.
import assert from 'node:assert/strict'
import * as guest from './component/component.js'

const calls = Number(process.argv[2])

/** What a function throws for an error of the guest: its text. */
function failure(call) {
  try {
    call()
  } catch (error) {
    return error
  }
  return assert.fail('it did not fail')
}

function person(name, fields) {
  const born = { seconds: 1n, nanoseconds: 2, offset: 3600 }
  return { name, email: undefined, tags: ['a', ''], color: 'blue', born, wait: -5n, ...fields }
}

const tests = {
  'values cross'() {
    assert.equal(guest.greet('Ada ✓'), 'hello Ada ✓')
    assert.equal(guest.greet(''), 'hello ')
    for (const email of [undefined, 'a@b']) assert.deepEqual(guest.echoPerson(person('Ada', { email })), person('Ada', { email }))
    assert.equal(failure(() => guest.echoPerson(person(''))), 'nobody')
    const shapes = [{ tag: 'circle', val: { radius: 2 } }, { tag: 'square', val: { side: 3 } }]
    assert.deepEqual([...guest.areas(shapes)], [12, 9])
    assert.deepEqual([...guest.turn([1, 2, 3])], [3, 2, 1])
  },
  'a map is a list of pairs'() {
    assert.deepEqual(guest.count(['b', 'a', 'b']).sort(), [['a', 1], ['b', 2]])
    assert.equal(guest.total([['a', 1], ['b', 2], ['b', 5]]), 6)
  },
  'imports are called'() {
    assert.deepEqual(guest.ask(['ada', 'bob', 'ada']), ['math', 'engines', 'math', 'engines'])
    assert.equal(failure(() => guest.ask(['eve'])), 'eve: nobody is called eve')
  },
  'WASI is there'() {
    assert.equal(guest.environment('COLOR'), 'blue')
  },
  'arguments survive the collector'() {
    for (let n = 0; n < calls; n++) {
      // Small ones and large ones in turn, up to 2 MiB.
      const size = ((n * n * 7919) % (2 << 20)) + 1
      const letter = String.fromCharCode(97 + (n % 26))
      const data = new Uint8Array(1 + ((n * 37) % 1000)).fill(n % 250)
      const words = Array(1 + (n % 50)).fill(letter.repeat(50))
      const wanted = data.length * (n % 250) + size + words.length
      assert.equal(guest.press(n, data, letter.repeat(size), words), BigInt(wanted), `call ${n}`)
      if (n % 3 === 0) assert.equal(guest.ask(Array(20).fill('ada')).length, 40)
    }
  },
  'a mebibyte as a list'() {
    assert.equal(guest.press(0, new Uint8Array(1 << 20).fill(1), 'a', ['a']), BigInt((1 << 20) + 2))
  },
  // The last one.
  'an array of another length ends the instance'() {
    assert.throws(() => guest.turn([1]))
  }
}

for (const [name, test] of Object.entries(tests)) {
  test()
  console.log(name)
}
