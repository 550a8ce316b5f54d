// Servers of HTTP. What they do for clients that mean no good is tested in core/tests/http.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Plugin, UndergoError } from 'undergo'
import { QUIET, ROOT } from './common.mjs'

const PATH = fileURLToPath(new URL('conformance/http/server.wasm', ROOT))
const plugin = await Plugin.load(PATH)

const get = async (server, path, options) => {
  const answer = await fetch(`http://${server.address}${path}`, { ...options, headers: { connection: 'close' } })
  return [answer.status, await answer.text()]
}

describe('a server', () => {
  const failed = []
  let server
  before(() => {
    server = plugin.serve('127.0.0.1:0', { instances: 2, sandbox: QUIET, limits: { timeout: 500 }, onError: (error) => failed.push(error) })
  })
  after(() => server.close())

  test('answers requests', async () => {
    assert.deepEqual(await get(server, '/'), [200, 'hello\n'])
    const body = 'x'.repeat(200_000)
    assert.deepEqual(await get(server, '/x', { method: 'POST', body }), [200, body])
    const many = await Promise.all(Array.from({ length: 50 }, () => get(server, '/')))
    assert.ok(many.every(([status, text]) => status === 200 && text === 'hello\n'))
    const { requests, refused, pool } = server.stats
    assert.deepEqual([requests, refused, pool.died], [52, 0, 0])
    assert.equal(server.plugin, plugin)
    assert.match(inspect(server), /^Server of server\.wasm at 127\.0\.0\.1:\d+$/)
  })

  test('tells of requests that fail', async () => {
    assert.equal((await get(server, '/trap'))[0], 500)
    assert.equal((await get(server, '/spin'))[0], 504)
    assert.deepEqual(await get(server, '/'), [200, 'hello\n'])
    assert.deepEqual(failed.map((error) => error.code), ['trap', 'timeout'])
    assert.ok(failed.every((error) => error instanceof UndergoError))
    assert.equal(server.stats.failed, 2)
  })

  test('has the rules of the sandbox for its requests', async () => {
    assert.deepEqual(await get(server, `/proxy?${server.address}`), [502, 'P'])
    const allowed = plugin.serve('127.0.0.1:0', { instances: 1, sandbox: { ...QUIET, network: ['127.0.0.1:*'] } })
    assert.deepEqual(await get(allowed, `/proxy?${server.address}`), [200, 'hello\n'])
    await allowed.close()
  })
})

test('a server ends', async () => {
  const server = plugin.serve('127.0.0.1:0', { sandbox: QUIET })
  assert.equal(server.closed, false)
  await server.close(5000)
  await server.close()
  assert.equal(server.closed, true)
  await assert.rejects(get(server, '/'))
  assert.match(inspect(server), /closed$/)
})

test('what runs too long is ended', async () => {
  const server = plugin.serve('127.0.0.1:0', { instances: 1, sandbox: QUIET })
  const spinning = get(server, '/spin').catch(() => undefined)
  while (server.stats.pool.busy === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await assert.rejects(server.close(50), { code: 'timeout' })
  await spinning
})

test('wrong options are refused', async () => {
  assert.throws(() => plugin.serve('localhost'), { code: 'type-mismatch' })
  assert.throws(() => plugin.serve(80), TypeError)
  assert.throws(() => plugin.serve('127.0.0.1:0', { instances: 0 }), RangeError)
  assert.throws(() => plugin.serve('127.0.0.1:0', { size: 1 }), /no option 'size'/)
  await assert.rejects(plugin.instantiate(), { code: 'invalid-plugin' })
})

test('a program goes on while it serves, and ends when it does not', () => {
  const code = `
    import { Plugin } from 'undergo'
    const server = (await Plugin.load(process.argv[1])).serve('127.0.0.1:0')
    setTimeout(() => server.close(), 100)
    console.log('serving')`
  const done = spawnSync(process.execPath, [...process.execArgv.filter((arg) => !arg.startsWith('--test')), '--input-type=module', '-e', code, PATH], { encoding: 'utf8', timeout: 60_000 })
  assert.deepEqual([done.status, done.stdout], [0, 'serving\n'], done.stderr)
})
