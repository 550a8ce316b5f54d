// What a plugin may import of what a program gives.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MissingImportError, Plugin } from 'undergo'
import { call, wasm } from './wasm.mjs'

/**
 * What a plugin gets when it calls the function that it imports by that name of `store`; undefined
 * when it finds none.
 */
function reached(given, name, group = 'store') {
  const bytes = wasm({ imports: [[group, name]], exports: [['go', 0, 1, call(0)]] })
  try {
    return Plugin.compileSync(bytes).instantiateSync({ imports: given }).sync.go()
  } catch (error) {
    if (error instanceof MissingImportError) return undefined
    throw error
  }
}

const of = (store, name) => reached({ store }, name)

class Base {
  inherited() {
    return 1
  }
}

class Store extends Base {
  #secret = 2
  mine = () => 3
  _mine = () => 4

  get() {
    return this.#secret
  }

  getClass() {
    return 5
  }

  get made() {
    return () => 6
  }

  _private() {
    throw new Error("it is the class's own")
  }

  static ofClass() {
    return 7
  }
}

test('public names of an object and its classes are found', () => {
  const found = ['inherited', 'get', 'mine', 'get-class', 'made'].map((name) => of(new Store(), name))
  assert.deepEqual(found, [1, 2, 3, 5, 6])
  assert.equal(of(Store, 'of-class'), 7)
  assert.equal(of(Object.assign(Object.create(null), { get: () => 8 }), 'get'), 8)
  assert.equal(of({ _get: () => 9 }, '_get'), 9)
})

test('what every object has, or a class keeps to itself, is not', () => {
  const names = ['constructor', '_mine', '_private', '__proto__', '__defineGetter__', '__lookupGetter__', 'hasOwnProperty', 'has-own-property', 'to-string', 'value-of', 'nothing']
  for (const name of names) {
    assert.equal(of(new Store(), name), undefined, name)
    assert.equal(of({ get: () => 1 }, name), undefined, name)
    assert.equal(of(Object.create(null), name), undefined, name)
  }
  for (const name of ['apply', 'bind', 'call', 'to-string', 'has-instance']) assert.equal(of(Store, name), undefined, name)
  for (const group of ['constructor', '__proto__', 'to-string']) assert.equal(reached({ store: {} }, 'call', group), undefined, group)
})

test('a Map gives its keys alone', () => {
  const given = new Map([['lookup', () => 1]])
  assert.equal(of(given, 'lookup'), 1)
  for (const name of ['get', 'set', 'clear', 'keys']) assert.equal(of(given, name), undefined, name)
  assert.equal(reached(new Map([['store', given]]), 'lookup'), 1)
})

test('only what is asked for is looked at', () => {
  const trap = {
    get other() {
      throw new Error('nobody asked for it')
    },
    get: () => 1
  }
  assert.equal(of(trap, 'get'), 1)
  assert.equal(of(trap, 'missing'), undefined)
})
