// The hostile guest of conformance/hostile, in each way there is to call it; conformance/README.md
// says how the list is run.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, test } from 'node:test'
import { UndergoError } from 'undergo'
import { QUIET, ROOT, guest, readJson, thrownBy } from './common.mjs'

const FOLDER = new URL('conformance/hostile/', ROOT)
const CASES = readJson('conformance/hostile/misdeeds.json').cases
/** Milliseconds: far more than any call here takes. */
const ENOUGH = 60_000
const plugin = await guest('hostile')

/** Function, file and line that the trace of a misdeed must name first. */
const marks = new Map()
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.go'))) {
  readFileSync(new URL(file, FOLDER), 'utf8')
    .split('\n')
    .forEach((line, i) => {
      const match = / \/\/ at: (\S+)(?: in (\S+))?$/.exec(line)
      if (!match) return
      const name = match[1].replace(/-(.)/g, (_, letter) => letter.toUpperCase())
      marks.set(match[1], [match[2] ?? `main.${name}`, file, i + 1])
    })
}

class Host {
  instance = undefined

  constructor(way) {
    this.way = way
  }

  do(what, n) {
    if (!this.instance) return 'nothing done'
    return on(this.instance, this.way).do(what, n)
  }

  echo(s) {
    return s
  }

  fail() {
    throw new Error('refused by the host')
  }
}

const on = (instance, way) => (way === 'sync' ? instance.sync : instance)

async function start(way, { timeout = ENOUGH, env = {}, host = new Host(way) } = {}) {
  const options = { imports: { host }, sandbox: { ...QUIET, env }, limits: { memory: '64MiB', timeout } }
  return way === 'sync' ? plugin.instantiateSync(options) : plugin.instantiate(options)
}

function check(one, error) {
  assert.ok(error instanceof UndergoError, error?.stack)
  assert.equal(error.code, one.kind, error.message)
  assert.equal(error.exitCode, one.exit_code)
  for (const part of one.contains ?? []) assert.ok(error.message.includes(part), error.message)
  if (marks.has(one.misdeed) && ['panic', 'out-of-memory'].includes(error.code)) {
    const [func, file, line] = marks.get(one.misdeed)
    assert.deepEqual([error.origin.function, basename(error.origin.file), error.origin.line], [func, file, line])
    assert.ok(error.frames.includes(error.origin))
    // The plugin's own function comes first in the stack, and stands with its place.
    const first = error.stack.slice(`${error.name}: ${error.message}\n`.length).split('\n')[0]
    assert.ok(first.startsWith(`    at ${func} (`) && first.endsWith(`${file}:${line})`), first)
  }
}

for (const way of ['promise', 'sync']) {
  describe(way, async () => {
    const bystander = await start(way)

    for (const one of CASES) {
      const name = `${one.misdeed}(${one.n ?? 0})`
      const timeout = one.kind === 'timeout' ? 300 : ENOUGH

      test(`${name} in a call`, async () => {
        const instance = await start(way, { timeout })
        const call = async () => on(instance, way).do(one.misdeed, one.n ?? 0)
        if (one.kind === 'done') {
          assert.equal(await call(), 'done')
          assert.equal(await on(instance, way).work(100), 338350)
        } else {
          const error = await thrownBy(call)
          check(one, error)
          assert.equal(instance.alive, false)
          const dead = await thrownBy(async () => on(instance, way).ready())
          assert.equal(dead.code, 'dead-instance')
          assert.ok(dead.message.includes(`its end was ${one.kind}`), dead.message)
          assert.deepEqual(dead.frames, error.frames)
        }
        assert.equal(await on(bystander, way).work(100), 338350)
        assert.equal(await on(await start(way), way).work(100), 338350)
      })

      test(`${name} in init`, async () => {
        const env = { MISDEED: one.misdeed, MISDEED_N: String(one.n ?? 0) }
        if (one.kind === 'done') assert.equal(await on(await start(way, { timeout, env }), way).work(100), 338350)
        else check(one, await thrownBy(() => start(way, { timeout, env })))
        assert.equal(await on(bystander, way).work(100), 338350)
      })
    }

    test('a misdeed within a host function', async () => {
      const host = new Host(way)
      const instance = (host.instance = await start(way, { host }))
      assert.equal(await on(instance, way).through('recovered', 0), 'done')
      const error = await thrownBy(async () => on(instance, way).through('panic-string', 0))
      assert.equal(error.code, 'panic')
      assert.ok(error.message.includes('a string'))
      assert.equal(instance.alive, false)
    })

    test('a host function can not swallow the end of its guest', async () => {
      class Swallowing extends Host {
        do(what, n) {
          if (way === 'sync') {
            try {
              return super.do(what, n)
            } catch {
              return 'as if nothing had happened'
            }
          }
          return super.do(what, n).catch(() => 'as if nothing had happened')
        }
      }
      for (const [what, code] of [['panic-string', 'panic'], ['exit', 'exit'], ['recursion', 'trap']]) {
        const host = new Swallowing(way)
        const instance = (host.instance = await start(way, { host }))
        assert.equal((await thrownBy(async () => on(instance, way).through(what, 0))).code, code)
      }
    })

    test('what a host function throws is the cause, as the same object', async () => {
      const thrown = new RangeError('mine')
      const host = Object.assign(new Host(way), { fail: () => { throw thrown } })
      const error = await thrownBy(async () => on(await start(way, { host }), way).do('host-fail', 0))
      assert.equal(error.code, 'host-error')
      assert.equal(error.cause, thrown)
      assert.equal(error.message.includes('mine'), true)
    })

    test('a forged result is a trap', async () => {
      for (const name of ['forgedBytes', 'forgedNumbers', 'forgedString', 'forgedStrings']) {
        for (const [address, length] of [[2 ** 32 - 8, 8], [65536, 2 ** 32 - 1], [0, 2 ** 31]]) {
          const instance = await start(way)
          const error = await thrownBy(async () => on(instance, way)[name](address, length))
          assert.ok(['trap', 'panic'].includes(error.code), error.stack)
          assert.equal(instance.alive, false)
        }
      }
    })

    test('text that is none leaves the instance alive', async () => {
      const instance = await start(way)
      const error = await thrownBy(async () => on(instance, way).notUtf8())
      assert.equal(error.code, 'type-mismatch')
      assert.ok(error.message.includes('UTF-8'))
      assert.equal(await on(instance, way).work(100), 338350)
    })
  })
}

test('many deadlines end each call at its own time', async () => {
  const limits = Array.from({ length: 20 }, (_, i) => 200 + i * 50)
  const instances = await Promise.all(limits.map((timeout) => start('promise', { timeout })))
  const began = performance.now()
  const took = await Promise.all(
    instances.map(async (instance) => {
      assert.equal((await thrownBy(() => instance.do('loop', 0))).code, 'timeout')
      return performance.now() - began
    })
  )
  took.forEach((time, i) => assert.ok(time >= limits[i] - 1 && time < limits[i] + ENOUGH, `${time} of ${limits[i]}`))
})

test('the frames are complete, and the origin is the plugin’s', async () => {
  const error = await thrownBy(async () => (await start('promise')).do('deadlock-mutex', 0))
  const functions = error.frames.map((frame) => frame.function)
  assert.ok(functions.indexOf('sync.(*Mutex).Lock') < functions.indexOf('main.deadlockMutex'))
  assert.ok(functions.indexOf('main.deadlockMutex') < functions.indexOf('main.Do'))
  assert.equal(error.origin.function, 'main.deadlockMutex')
  assert.ok(!error.stack.includes('sync.(*Mutex).Lock'))
  assert.ok(error.stderr.includes('sync.(*Mutex).Lock'))
})
