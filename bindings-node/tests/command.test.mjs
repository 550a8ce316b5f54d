// Commands: programs that begin, end, and answer with their exit code.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { UndergoError } from 'undergo'
import { guest, readJson, thrownBy } from './common.mjs'

const { runs } = readJson('conformance/command/runs.json')
const command = await guest('command')
const WAYS = { run: (options) => command.run(options), runSync: async (options) => command.runSync(options) }

/** A promise that is there when the event loop has gone round. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

for (const [way, run] of Object.entries(WAYS)) {
  describe(way, () => {
    for (const row of runs) {
      test(row.name, async () => {
        const { args, env } = row
        const done = await run({ args, env, stdin: row.stdin === undefined ? undefined : Buffer.from(row.stdin) })
        assert.equal(done.code, row.code ?? 0)
        assert.ok(Buffer.isBuffer(done.stdout) && Buffer.isBuffer(done.stderr))
        if (row.length !== undefined) assert.equal(done.stdout.length, row.length)
        else assert.equal(done.stdout.toString(), row.stdout ?? '')
        if (row.stderr) assert.ok(done.stderr.toString().includes(row.stderr), done.stderr.toString())
        else assert.equal(done.stderr.length, 0)
        assert.equal(done.truncated, row.truncated ?? false)
        assert.ok(done.usage.time > 0 && done.usage.memory >= 65536 && done.usage.fuel === undefined)
      })
    }

    test('the sandbox says where output goes', async () => {
      const lines = []
      const sandbox = { args: ['exit', '1'], stdout: (line) => lines.push(line), stderr: 'discard' }
      let done = await run({ sandbox })
      assert.deepEqual([done.code, done.stdout.length, done.stderr.length, lines], [1, 0, 0, ['out']])
      // What is given for the run is in place of the sandbox's own, and leaves that as it is.
      done = await run({ args: ['exit', '2'], sandbox })
      assert.deepEqual([done.code, lines, sandbox.args], [2, ['out', 'out'], ['exit', '1']])
      done = await run({ args: ['print', '100'], sandbox: { captureLimit: 10 } })
      assert.deepEqual([done.stdout.toString(), done.truncated], ['x'.repeat(10), true])
    })

    test('it reaches what the sandbox has', async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'undergo-'))
      t.after(() => rmSync(folder, { recursive: true }))
      writeFileSync(join(folder, 'in.txt'), 'content')
      const sandbox = { dirs: { '/data': { path: folder, readonly: true } } }
      assert.equal((await run({ args: ['read', '/data/in.txt'], sandbox })).stdout.toString(), 'content')
      assert.equal((await run({ args: ['temp'], sandbox: { temp: true } })).stdout.toString(), '/tmp')
      assert.match((await run({ args: ['temp'], sandbox: { temp: false } })).stderr.toString(), /no such file or directory/i)
      await assert.rejects(async () => run({ args: ['temp'], sandbox: { temp: '/tmp' } }), /write true or false/)
      assert.ok((await run({ args: ['show'], stdin: { file: join(folder, 'in.txt') } })).stdout.includes('stdin "content"'))
    })

    test('a run can be repeated', async () => {
      const chance = async (seed, clock = '2026-02-03T04:05:06Z') => String((await run({ args: ['chance'], sandbox: { clock: new Date(clock), seed } })).stdout)
      const first = await chance(7)
      assert.match(first, /^now 2026-02-03T04:05:06\.0000\d+Z\nslept 1h0m0\.0000/)
      assert.equal(await chance(7n), first)
      const other = (await chance(2n ** 64n - 1n)).split('\n')
      assert.deepEqual(first.split('\n').map((line, i) => line === other[i]), [true, true, false, false, false, false, true])
      assert.match(await chance(7, '1970-01-01T00:00:00Z'), /^now 1970-01-01T00:00:00\.0000/)
    })

    test('what has no end is ended', async () => {
      for (const what of ['spin', 'sleep']) {
        for (const options of [{ timeout: 100 }, { limits: { timeout: 100 } }]) {
          const error = await thrownBy(() => run({ args: [what], ...options }))
          assert.equal(error.code, 'timeout', error.stack)
        }
        const reason = new Error('not wanted')
        const error = await thrownBy(() => run({ args: [what], signal: AbortSignal.abort(reason) }))
        assert.deepEqual([error.code, error.cause], ['cancelled', reason])
      }
    })

    test('what is no run', async () => {
      const error = await thrownBy(async () => ((plugin) => (way === 'run' ? plugin.run() : plugin.runSync()))(await guest('conformance')))
      assert.ok(error instanceof UndergoError)
      assert.equal(error.code, 'invalid-plugin')
      for (const wrong of [{ stdin: 'text' }, { arg: [] }, { sandbox: { arg: [] } }, { args: [5] }, { sandbox: { clock: 5 } }, { sandbox: { clock: new Date(-1) } }, { sandbox: { seed: -1 } }, { sandbox: { seed: 2n ** 64n } }]) {
        const error = await thrownBy(() => run(wrong))
        assert.ok(error instanceof TypeError || error instanceof RangeError, inspect(wrong))
      }
    })
  })
}

test('the loop goes on, and a signal ends a command', async () => {
  for (const what of ['spin', 'sleep']) {
    const controller = new AbortController()
    const running = command.run({ args: [what], signal: controller.signal })
    for (let i = 0; i < 10; i++) await turn()
    const codes = await Promise.all([0, 1, 2, 3].map(async (n) => (await command.run({ args: ['exit', String(n)] })).code))
    assert.deepEqual(codes, [0, 1, 2, 3])
    controller.abort('enough')
    const error = await thrownBy(() => running)
    assert.deepEqual([error.code, error.cause], ['cancelled', 'enough'])
  }
})

test('what a function for output throws reaches the caller', async () => {
  const raised = new RangeError('no log')
  const stdout = () => {
    throw raised
  }
  for (const run of Object.values(WAYS)) {
    const error = await thrownBy(() => run({ args: ['exit', '0'], sandbox: { stdout } }))
    assert.deepEqual([error.code, error.cause], ['host-error', raised])
  }
})
