// Calls: their order, their end, what they may call; the event loop meanwhile.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Host, QUIET, guest, start, thrownBy, until } from './common.mjs'

test('calls of an instance run one after the other, first come, first served', async () => {
  const instance = await start()
  const order = []
  await Promise.all([1, 2, 3].map(async (n) => {
    await instance.sleep(5)
    order.push(n)
  }))
  assert.deepEqual(order, [1, 2, 3])
})

test('the event loop goes on while guests compute', async () => {
  const instances = await Promise.all([start(), start()])
  const late = []
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    late.push(now - last - 1)
    last = now
  }, 1)
  const ends = instances.map((instance) => thrownBy(() => instance.using({ timeout: 500 }).spin()))
  assert.deepEqual((await Promise.all(ends)).map((error) => error.code), ['timeout', 'timeout'])
  clearInterval(timer)
  // Generous: machines that run tests are busy. bench/node.mjs measures it.
  late.sort((a, b) => a - b)
  assert.ok(late.length > 50, `${late.length} turns`)
  assert.ok(late[Math.floor(late.length / 2)] < 20, `${late[Math.floor(late.length / 2)]} ms late`)
})

test('a host function that waits holds nobody up but its guest', async () => {
  const release = Promise.withResolvers ? Promise.withResolvers() : deferred()
  const host = Object.assign(new Host(), { echoString: () => release.promise })
  const waits = await start({ host })
  const other = await start()
  const call = waits.throughHost('x', Buffer.of(), 1, [], [])
  assert.equal(await other.echoString('meanwhile'), 'meanwhile')
  release.resolve('answered')
  assert.equal((await call)[0], 'answered')
})

function deferred() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

test('a thenable is awaited as a promise is', async () => {
  const host = Object.assign(new Host(), { echoString: (text) => ({ then: (resolve) => resolve(`${text}!`) }) })
  assert.equal((await (await start({ host })).throughHost('x', Buffer.of(), 1, [], []))[0], 'x!')
})

test('a host function may call back before it waits, after it has, and through sync while it does not', async () => {
  let act
  const instance = await start({ host: Object.assign(new Host(), { reenter: (depth) => act(depth) }) })
  act = async (depth) => {
    const direct = await instance.echoInt32(depth)
    await new Promise((resolve) => setTimeout(resolve, 1))
    return (await instance.echoInt32(direct)) * 10
  }
  const awaited = await instance.reenter(3)
  act = (depth) => instance.sync.echoInt32(depth) * 10
  assert.equal(await instance.reenter(3), awaited)
  assert.equal(instance.sync.reenter(3), awaited)
})

test('two host functions at once may each call back into their own instance', async () => {
  const depth = 5
  const results = await Promise.all(Array.from({ length: 8 }, async () => {
    const reenter = async (n) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return (await instance.reenter(n - 1)) + 1
    }
    const instance = await start({ host: Object.assign(new Host(), { reenter }) })
    return instance.reenter(depth)
  }))
  assert.deepEqual(new Set(results).size, 1)
})

test('a synchronous call of an instance that is busy is an error, and not a deadlock', async () => {
  const instance = await start()
  const call = instance.sleep(50)
  for (const busy of [() => instance.sync.echoString('x'), () => instance.sync.poll(), () => instance.sync.reset(), () => instance.memory.size, () => instance.close()]) {
    const error = await thrownBy(busy)
    assert.equal(error.code, 'busy')
    assert.match(error.message, /await that one first/)
  }
  await call
  assert.equal(instance.sync.echoString('x'), 'x')
})

test('a synchronous call from a host function that has waited is an error, and not a deadlock', async () => {
  let caught
  const reenter = async (n) => {
    await new Promise((resolve) => setImmediate(resolve))
    caught = await thrownBy(() => instance.sync.echoInt32(n))
    return n
  }
  const instance = await start({ host: Object.assign(new Host(), { reenter }) })
  await instance.reenter(1)
  assert.equal(caught.code, 'busy')
})

describe('cancelling', () => {
  test('a signal ends a call, and is its cause', async () => {
    for (const work of ['spin', 'sleep']) {
      const instance = await start()
      const controller = new AbortController()
      const call = instance.using({ signal: controller.signal })[work](...(work === 'sleep' ? [60_000] : []))
      setTimeout(() => controller.abort(new Error('enough')), 20)
      const error = await thrownBy(() => call)
      assert.equal(error.code, 'cancelled')
      assert.equal(error.cause.message, 'enough')
      assert.equal(instance.alive, false)
    }
  })

  test('a signal ends a call that waits for its turn, and the instance lives on', async () => {
    const instance = await start()
    const first = instance.sleep(100)
    const error = await thrownBy(() => instance.using({ signal: AbortSignal.timeout(10) }).echoString('x'))
    assert.equal(error.code, 'cancelled')
    await first
    assert.equal(await instance.echoString('alive'), 'alive')
  })

  test('a signal ends a call whose host function waits', async () => {
    const host = Object.assign(new Host(), { echoString: () => new Promise(() => {}) })
    const instance = await start({ host })
    const controller = new AbortController()
    const call = instance.using({ signal: controller.signal }).throughHost('x', Buffer.of(), 1, [], [])
    setTimeout(() => controller.abort(), 10)
    assert.equal((await thrownBy(() => call)).code, 'cancelled')
  })

  test('one that was aborted before ends calls at once, and harms no instance', async () => {
    const instance = await start()
    const view = instance.using({ signal: AbortSignal.abort() })
    for (const call of [() => view.echoString('x'), async () => view.sync.echoString('x')]) {
      assert.equal((await thrownBy(call)).code, 'cancelled')
    }
    assert.equal(instance.alive, true)
  })

  test('views have what they do not say from those that they are of', async () => {
    const instance = await start()
    const view = instance.using({ timeout: 30 }).using({ signal: new AbortController().signal })
    assert.equal((await thrownBy(() => view.spin())).code, 'timeout')
    await instance.reset()
    assert.equal((await thrownBy(async () => instance.sync.using({ timeout: 30 }).spin())).code, 'timeout')
  })

  test('one signal has one listener, however many calls have it', async () => {
    const instance = await start()
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    signal.addEventListener = (...args) => {
      listeners += 1
      return add(...args)
    }
    for (let i = 0; i < 50; i++) await instance.using({ signal }).echoInt32(i)
    assert.equal(listeners, 1)
  })
})

describe('an instance', () => {
  test('reset brings back what it was, and a dead one to life', async () => {
    const instance = await start()
    await instance.keep('x')
    await thrownBy(() => instance.panic('over'))
    await instance.reset()
    assert.equal(instance.alive, true)
    assert.deepEqual(await instance.kept(), [])
    await instance.keep('y')
    instance.sync.reset()
    assert.deepEqual(instance.sync.kept(), [])
  })

  test('promises and sync share its state', async () => {
    const instance = await start()
    await instance.keep('a')
    instance.sync.keep('b')
    assert.deepEqual(await instance.kept(), ['a', 'b'])
  })

  test('poll gives background goroutines a turn', async () => {
    for (const way of ['promise', 'sync']) {
      const instance = await start()
      const on = way === 'sync' ? instance.sync : instance
      await on.startBackground()
      for (let i = 0; i < 20; i++) await on.poll()
      assert.ok((await on.background()) > 0)
    }
  })

  test('usage tells what the last call used', async () => {
    const instance = await start({ limits: { fuel: 1e12 } })
    await instance.sleep(20)
    assert.ok(instance.usage.time >= 19, `${instance.usage.time}`)
    assert.ok(instance.usage.memory > 1 << 20)
    assert.ok(instance.usage.fuel > 0)
    assert.equal((await start()).usage.fuel, undefined)
    assert.ok(['fast', 'best'].includes(instance.tier))
  })

  test('close lets go of it', async () => {
    const instance = await start()
    instance.close()
    assert.equal(instance.alive, false)
    assert.equal((await thrownBy(() => instance.echoString('x'))).code, 'dead-instance')
    instance.close()
    assert.equal(instance[Symbol.dispose], instance.close)
  })

  test('memory is read and written within its bounds', async () => {
    const instance = await start()
    const size = instance.memory.size
    assert.equal(size % 65536, 0)
    instance.memory.write(8, Buffer.from('hello'))
    assert.equal(Buffer.from(instance.memory.read(8, 5)).toString(), 'hello')
    for (const wrong of [() => instance.memory.read(size - 1, 2), () => instance.memory.write(size, Buffer.of(1)), () => instance.memory.read(-1, 5), () => instance.memory.read(0.5, 1)]) {
      assert.equal((await thrownBy(wrong)).code, 'type-mismatch')
    }
  })

  test('a deadline reaches the Go context', async () => {
    const instance = await start()
    assert.equal(await instance.remaining(), -1)
    const left = await instance.using({ timeout: 10_000 }).remaining()
    assert.ok(left > 0)
  })
})

describe('streams', () => {
  test('captured output is taken', async () => {
    const plugin = await guest('hostile')
    const host = { do: () => '', echo: (s) => s, fail: () => {} }
    const instance = await plugin.instantiate({ imports: { host }, sandbox: { stdout: 'capture', stderr: 'capture' }, limits: { timeout: 300 } })
    await thrownBy(() => instance.do('print-stderr', 0))
    const text = instance.takeStderr()
    assert.ok(Buffer.isBuffer(text))
    assert.match(text.toString(), /a line on standard error\n/)
    assert.equal(instance.takeStderr().length < text.length || text.length === 1 << 20, true)
    assert.equal(instance.takeStdout().length, 0)
  })

  test('a function gets each line, on this thread, in both ways', async () => {
    const plugin = await guest('hostile')
    const host = { do: () => '', echo: (s) => s, fail: () => {} }
    for (const way of ['promise', 'sync']) {
      const lines = []
      const sandbox = { stdout: 'discard', stderr: (line) => lines.push(line) }
      const instance = await plugin.instantiate({ imports: { host }, sandbox })
      const error = await thrownBy(async () => (way === 'sync' ? instance.sync : instance).do('panic-string', 0))
      assert.equal(error.code, 'panic')
      assert.ok(lines.some((line) => line.startsWith('panic: a string')), lines.join('\n'))
      assert.ok(!lines.some((line) => line.includes('\n')))
    }
  })

  test('what such a function throws ends the call, and is its cause', async () => {
    const plugin = await guest('hostile')
    const host = { do: () => '', echo: (s) => s, fail: () => {} }
    const thrown = new Error('no more')
    const instance = await plugin.instantiate({ imports: { host }, sandbox: { stderr: () => { throw thrown } }, limits: { timeout: 10_000 } })
    const error = await thrownBy(() => instance.do('print-stderr', 0))
    assert.equal(error.code, 'host-error')
    assert.equal(error.cause, thrown)
    assert.equal(instance.alive, false)
  })
})

describe('a pool', () => {
  const pool = async (options) => (await guest('conformance')).pool({ imports: { host: new Host() }, sandbox: QUIET, ...options })

  test('calls run at once, as many as it has instances', async () => {
    const made = await pool({ size: 4 })
    const began = performance.now()
    await Promise.all(Array.from({ length: 8 }, () => made.sleep(100)))
    assert.ok(performance.now() - began < 700, `${performance.now() - began}`)
    assert.deepEqual([made.stats.made, made.stats.calls, made.stats.busy, made.size], [4, 8, 0, 4])
    await made.close()
    assert.equal(made.closed, true)
    assert.equal((await thrownBy(() => made.echoInt32(1))).code, 'dead-instance')
  })

  test('an instance that a call has ended is replaced', async () => {
    const made = await pool({ size: 1 })
    assert.equal((await thrownBy(() => made.panic('x'))).code, 'panic')
    assert.equal(await made.echoInt32(1), 1)
    assert.deepEqual([made.stats.died, made.stats.made], [1, 2])
    await made.close()
  })

  test('after maxCalls an instance is replaced, and after idle it is dropped', async () => {
    const fresh = await pool({ size: 1, maxCalls: 1 })
    await fresh.keep('x')
    assert.deepEqual(await fresh.kept(), [])
    assert.equal(fresh.stats.retired, 2)
    await fresh.close()
    const shrinking = await pool({ size: 2, idle: 10 })
    await shrinking.warmUp(2)
    // On a busy machine one may be gone before the other is made, and is made again.
    await until(() => shrinking.stats.shrunk >= 2 && shrinking.stats.idle === 0)
    await shrinking.close()
  })

  test('a timeout covers waiting for an instance', async () => {
    const made = await pool({ size: 1 })
    const first = made.sleep(200)
    await until(() => made.stats.busy === 1)
    const error = await thrownBy(() => made.using({ timeout: 20 }).echoInt32(1))
    assert.equal(error.code, 'timeout')
    await first
    await made.close()
  })

  test('close waits for those that run, as long as it may', async () => {
    const made = await pool({ size: 1 })
    const call = made.sleep(200)
    await until(() => made.stats.busy === 1)
    assert.equal((await thrownBy(() => made.close(10))).code, 'timeout')
    await call
    await made.close()
  })

  test('a host function that calls its own pool needs a larger one, and is told so', async () => {
    const host = new Host()
    const made = await pool({ size: 1, imports: { host } })
    host.instance = made
    const error = await thrownBy(() => made.reenter(3))
    assert.equal(error.code, 'busy')
    assert.match(error.message, /needs a larger one/)
    await made.close()
  })

  test('sync takes an instance that is free', async () => {
    const made = await pool({ size: 1 })
    assert.equal(made.sync.echoString('x'), 'x')
    const call = made.sleep(50)
    await until(() => made.stats.busy === 1)
    assert.equal((await thrownBy(async () => made.sync.echoString('x'))).code, 'busy')
    await call
    await made.close()
  })
})
