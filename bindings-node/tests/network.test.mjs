// What of the network a sandbox gives: rules, listeners, and what was denied.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Plugin, UndergoError } from 'undergo'
import { guest, thrownBy } from './common.mjs'

const command = await guest('command')
const NOTHING = 'the sandbox denied the use of the network; it takes the rule any, or one for less, such as connect=example.org:443'
const imports = { host: { do: () => '', echo: (text) => text, fail: () => {} } }

/** A server that says welcome to each, and its port. */
async function welcoming(t) {
  // A guest may be gone before it has read that.
  const server = createServer((socket) => socket.on('error', () => {}).end('welcome')).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return server.address().port
}

/** A port that nobody has. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

test('a command reaches what a rule allows, and is denied the rest', async (t) => {
  const port = await welcoming(t)
  const args = ['dial', `127.0.0.1:${port}`]
  for (const network of [`127.0.0.1:${port}`, ['10.0.0.0/8:*', '127.0.0.1:*']]) {
    const done = await command.run({ args, sandbox: { network } })
    assert.deepEqual([done.code, String(done.stdout), done.denied], [0, 'welcome', []])
  }
  const none = await command.run({ args })
  assert.deepEqual([none.code, String(none.stderr), none.denied], [1, 'open: Permission denied\n', [NOTHING]])
  const other = command.runSync({ args, sandbox: { network: '127.0.0.1:1' } })
  const wanted = `the sandbox denied connecting to 127.0.0.1:${port}; it takes the rule connect=127.0.0.1:${port}`
  assert.deepEqual([other.code, other.denied], [1, [wanted]])
})

test('instances and errors tell what was denied', async (t) => {
  const port = await welcoming(t)
  const hostile = await guest('hostile')
  const instance = await hostile.instantiate({ imports, sandbox: { network: `127.0.0.1:${port}` } })
  await instance.connect(`127.0.0.1:${port}`)
  assert.deepEqual(instance.denied, [])
  for (let i = 0; i < 2; i++) {
    const error = await thrownBy(() => instance.connect('127.0.0.1:1'))
    assert.equal(error.code, 'guest-error')
    assert.match(error.denied, /it takes the rule connect=127\.0\.0\.1:1$/)
    assert.deepEqual(instance.denied, [error.denied])
  }
  const error = await thrownBy(() => instance.files('read', '/nothing', ''))
  assert.deepEqual([error.code, error.denied], ['guest-error', undefined])
})

test('a listener is handed in', async () => {
  const port = await freePort()
  const running = command.run({ args: ['answer'], sandbox: { listeners: [`127.0.0.1:${port}`] }, timeout: 60_000 })
  let said
  while (said === undefined) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      said = (await socket.toArray()).join('')
    } catch (error) {
      // It is not open yet.
      assert.equal(error.code, 'ECONNREFUSED')
      await Promise.race([delay(10), running])
    }
  }
  assert.equal(said, 'hello')
  const done = await running
  assert.deepEqual([done.code, done.denied], [0, []])
})

test('what is no network', async (t) => {
  const taken = await welcoming(t)
  const run = (sandbox) => thrownBy(() => command.run({ args: ['answer'], sandbox }))
  for (const wrong of [{ network: [80] }, { listeners: '127.0.0.1:80' }, { listeners: [80] }, { listeners: ['127.0.0.1:0'] }]) {
    const error = await run(wrong)
    assert.ok(error instanceof TypeError || error instanceof RangeError, inspect(wrong))
  }
  for (const [wrong, code, says] of [
    [{ network: 'example.org' }, 'type-mismatch', /example\.org/],
    [{ listeners: ['here'] }, 'type-mismatch', /no address to listen at/],
    [{ listeners: [`127.0.0.1:${taken}`] }, 'denied', /refuses to listen at/]
  ]) {
    const error = await run(wrong)
    assert.ok(error instanceof UndergoError, inspect(wrong))
    assert.equal(error.code, code)
    assert.match(error.message, says)
  }
})

// A module whose export opens a socket, and gives the number for what went wrong; and one that has
// nothing to do with the network.
const OPENS = Buffer.from(
  'AGFzbQEAAAABDwNgA39/fwF/YAABf2AAAAIkARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCXNvY2tfb3BlbgAAAwMCAQIFAwEAAQcfAwZtZW1vcnkC' +
    'AARvcGVuAAELX2luaXRpYWxpemUAAgoPAgoAQQFBAkEAEAALAgAL',
  'base64'
)
const PLAIN = Buffer.from('AGFzbQEAAAABBAFgAAADAgEABQMBAAEHGAIGbWVtb3J5AgALX2luaXRpYWxpemUAAAoEAQIACw==', 'base64')

test('a guest holds so many descriptors', async () => {
  const plugin = await Plugin.compile(OPENS)
  for (const [limits, most] of [
    [{ descriptors: 0 }, 0],
    [{ descriptors: 3 }, 3],
    [{}, 128]
  ]) {
    const instance = plugin.instantiateSync({ sandbox: { network: 'any' }, limits })
    for (let i = 0; i < most + 2; i++) assert.equal(instance.sync.open(), i < most ? 0 : 33, `${i} of ${most}`)
  }
  for (const descriptors of [-1, 1.5, 2 ** 32, 'many']) {
    assert.throws(() => plugin.instantiateSync({ limits: { descriptors } }), /limits\.descriptors/)
  }
})

test('what is given in vain is warned of once', async () => {
  const texts = []
  const listen = (warning) => texts.push([warning.name, warning.message])
  process.on('warning', listen)
  const plugin = await Plugin.compile(PLAIN)
  const sandbox = { network: 'example.org:443' }
  await plugin.instantiate({ sandbox })
  plugin.instantiateSync({ sandbox })
  const opens = await Plugin.compile(OPENS)
  await opens.instantiate({ sandbox })
  await delay(1)
  process.off('warning', listen)
  assert.equal(texts.length, 1)
  assert.equal(texts[0][0], 'UndergoWarning')
  assert.match(texts[0][1], /opens no sockets/)
})
