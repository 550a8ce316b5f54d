// Services under standard names: keys and values, configuration, logs.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { KeyValue, config, keyvalue, logging } from 'undergo'
import { guest } from './common.mjs'

const plugin = await guest('services')

/** An instance with all services, of which some are given. */
function start(imports, options = {}) {
  return plugin.instantiate({ ...options, imports: { ...keyvalue(), ...config({}), ...logging({ info() {} }), ...imports } })
}

describe('keys and values', () => {
  test('are kept, and shared by those who were given the same', async () => {
    const stores = new KeyValue({ stores: ['a', 'b'] })
    const [one, other] = [await start(keyvalue(stores)), await start(keyvalue(stores))]
    assert.equal(await one.get('a', 'k'), undefined)
    await one.set('a', 'k', 'a value')
    assert.equal(await other.get('a', 'k'), 'a value')
    assert.equal(await other.get('b', 'k'), undefined)
    assert.equal(stores.get('a', 'k').toString(), 'a value')
    assert.equal(stores.get('a', 'x'), undefined)
    stores.set('b', 'k', Buffer.from('2'))
    assert.equal(one.sync.get('b', 'k'), '2')
    assert.throws(() => stores.get('c', 'k'), /no such store/)
    assert.throws(() => keyvalue({ store: [] }), /has no option 'store'/)
    assert.throws(() => keyvalue({ redis: 'http://x' }), /the address of Redis is/)
  })

  test('fail with the cases of their type', async () => {
    const instance = await start()
    const failures = ['default', 'other', '../default', ''].map((name) => instance.sync.failure(name))
    assert.deepEqual(failures, ['', 'no-such-store', 'no-such-store', 'no-such-store'])
    await assert.rejects(instance.get('other', 'k'), { code: 'guest-error', message: 'no such store' })
  })

  test('are atomic and bounded', async () => {
    const instance = await start(keyvalue({ entries: 1000, bytes: '1 MiB' }))
    assert.equal(await instance.increment('default', 'n', 5), 5)
    assert.equal(await instance.increment('default', 'n', -7), -2)
    assert.equal(await instance.swap('default', 's', '1', ''), '')
    assert.equal(await instance.swap('default', 's', '3', '2'), '2')
    assert.equal(await instance.fill('default', 900), 900)
    await assert.rejects(instance.fill('default', 1001), /as many entries as they may/)
    await assert.rejects(instance.large('default', 1, 2 << 20), /may have 1048576/)
    await assert.rejects(instance.large('default', 1 << 30, 0), /has 1073741824 bytes, and may have 4096/)
  })

  test('may be the program’s own', async () => {
    const values = new Map()
    const bucket = {
      get: (key) => values.get(key),
      set: (key, value) => void values.set(key, value),
      delete: (key) => void values.delete(key),
      exists: (key) => values.has(key),
      listKeys: () => ({ keys: [...values.keys()] })
    }
    const open = (name) => {
      if (name === 'refused') throw new Error('not this one')
      return bucket
    }
    const instance = await start({ 'wasi:keyvalue/store': { open } })
    await instance.set('any', 'k', 'v')
    assert.equal(await instance.get('any', 'k'), 'v')
    assert.equal(await instance.failure('refused'), 'other: not this one')
  })

  test('in a slow Redis end with the call', async () => {
    const server = createServer(() => {})
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const instance = await start(keyvalue({ redis: `redis://127.0.0.1:${server.address().port}` }))
      await assert.rejects(instance.using({ timeout: 200 }).get('default', 'k'), { code: 'timeout' })
    } finally {
      server.close()
    }
  })
})

test('a configuration is an object or a Map', async () => {
  for (const values of [{ a: '1', ü: '' }, new Map([['a', '1'], ['ü', '']])]) {
    const instance = await start(config(values))
    assert.deepEqual([await instance.config('a'), await instance.config('ü'), await instance.config('toString')], ['1', '', undefined])
    assert.deepEqual({ ...(await instance.configs()) }, { a: '1', ü: '' })
  }
})

test('lines go to a logger, and are plain', async () => {
  const lines = []
  const logger = Object.fromEntries(['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((name) => [name, (...all) => lines.push([name, ...all])]))
  const instance = await start(logging(logger))
  for (let level = 0; level < 6; level++) await instance.log(level, 'from', '100% %s')
  assert.deepEqual(lines.map(([name]) => name), Object.keys(logger))
  assert.deepEqual(lines[0], ['trace', 'from: 100% %s'])
  lines.length = 0
  await instance.log(2, '', 'a\x1b[31m\r\nINFO forged\u202e\tend')
  await instance.log(2, '', 'x'.repeat(1_000_000))
  assert.equal(lines[0][1], 'a\\u{1b}[31m\\u{d}\\u{a}INFO forged\\u{202e}\tend')
  assert.ok(lines[1][1].length < 70_000 && lines[1][1].endsWith('more characters)'))
})
