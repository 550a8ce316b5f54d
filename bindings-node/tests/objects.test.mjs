// Objects and functions that outlive a call, of either side, and what may go wrong with them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { DeadInstanceError, GuestError, HostError, OutOfMemoryError, PanicError, TypeMismatchError, UnknownExportError, SignatureMismatchError } from 'undergo'
import { QUIET, guest, start, thrownBy } from './common.mjs'
import { Store } from './lent.mjs'

const none = () => {}

describe('objects of a plugin', () => {
  test('are of a class of their instance', async () => {
    const instance = await start()
    const tally = await instance.Tally.create(5)
    const sync = new instance.sync.Tally(7)
    assert.deepEqual([await tally.value(), sync.value(), tally.sync.add(1)], [5, 7, 6])
    for (const object of [tally, sync, tally.sync, tally.using({ timeout: 1000 })]) {
      assert.ok(object instanceof instance.Tally && object instanceof instance.sync.Tally)
      assert.ok(!(object instanceof instance.Lamp))
    }
    const other = await start()
    assert.ok(!(tally instanceof other.Tally))
    assert.equal(instance.Tally, instance.exports.Tally)
    assert.deepEqual([instance.Tally.name, inspect(sync)], ['Tally', `Tally of ${instance.plugin.name}`])
    assert.equal(await instance.sumTallies(tally, sync), 13)
    assert.equal(instance.sync.sumTallies(tally, sync), 13)
    assert.deepEqual([await tally.call('add', 2), sync.call('add', 2)], [8, 9])
    await assert.rejects(tally.call('none'), UnknownExportError)
    assert.throws(() => new instance.Tally(5), /await Tally\.create/)
    await assert.rejects(instance.Tally.create(-1), GuestError)
    assert.throws(() => new instance.sync.Tally(-1), GuestError)
    await assert.rejects(tally.add(), { code: 'type-mismatch', message: /add\(\) needs a value for 'n': add\(n: number\): number/ })
    await assert.rejects(tally.add(1, 2), /add\(\) takes 1 argument, got 2/)
  })

  test('can be of a class that is derived', async () => {
    const { sync } = await start()
    class Twice extends sync.Tally {
      value() {
        return 2 * super.value()
      }
    }
    const made = new Twice(4)
    assert.ok(made instanceof Twice && made instanceof sync.Tally && !(new sync.Tally(1) instanceof Twice))
    assert.equal(made.value(), 8)
  })

  test('end when they are closed', async () => {
    const instance = await start()
    const tally = await instance.Tally.create(1)
    const view = tally.using({ timeout: 1000 })
    await tally.close()
    await tally.close()
    assert.ok(tally.closed && view.closed)
    assert.match(inspect(tally), /, closed$/)
    for (const call of [() => tally.value(), () => view.value(), () => instance.sumTallies(tally, tally), async () => tally.sync.value()]) {
      await assert.rejects(call, { code: 'type-mismatch', message: /the tally is closed/ })
    }
    assert.equal(await instance.closedTallies(), 1)
    const sync = new instance.sync.Tally(1)
    sync.close()
    sync.close()
    assert.throws(() => sync.value(), TypeMismatchError)
    assert.deepEqual(instance.handles, { held: 0, given: 0 })
  })

  test('end at the end of a block', { skip: !Symbol.dispose }, async () => {
    const instance = await start()
    const tally = await instance.Tally.create(1)
    await tally[Symbol.asyncDispose]()
    const sync = new instance.sync.Tally(1)
    sync[Symbol.dispose]()
    assert.equal(await instance.closedTallies(), 2)
  })

  test('belong to their instance', async () => {
    const [mine, other] = [await start(), await start()]
    const [tally, lamp] = [await mine.Tally.create(1), await mine.Lamp.create()]
    await assert.rejects(other.sumTallies(tally, tally), /belongs to another instance/)
    await assert.rejects(other.Tally.prototype.value.call(tally), /belongs to another instance/)
    await assert.rejects(mine.sumTallies(tally, lamp), /expected tally, got lamp/)
    for (const fake of [{}, null, 5, Object.create(tally), new Proxy(tally, {}), structuredClone({ ...tally })]) {
      await assert.rejects(mine.Tally.prototype.value.call(fake), TypeMismatchError)
      await assert.rejects(mine.sumTallies(tally, fake), TypeMismatchError)
    }
    assert.equal(await tally.value(), 1)
    // That of another one is none of this instance's to close, and stays open.
    await tally.close()
  })

  test('end with their instance', async () => {
    const instance = await start()
    const tally = await instance.Tally.create(1)
    await instance.reset()
    await assert.rejects(tally.value(), /its instance was reset/)
    assert.ok(tally.closed)
    await tally.close()
    const fresh = await instance.Tally.create(2)
    await assert.rejects(fresh.panic('oh dear'), PanicError)
    await assert.rejects(fresh.value(), DeadInstanceError)
    await fresh.close()
    const closed = await start()
    const last = await closed.Tally.create(3)
    closed.close()
    await assert.rejects(last.value(), DeadInstanceError)
    await last.close()
  })

  test('may be closed within a call of their own', async () => {
    const instance = await start()
    const tally = await instance.Tally.create(21)
    assert.equal(await tally.update(async (n) => { await tally.close(); return 2 * n }), 42)
    await assert.rejects(tally.value(), TypeMismatchError)
    const sync = new instance.sync.Tally(21)
    assert.equal(sync.update((n) => { sync.close(); return 2 * n }), 42)
    assert.equal(await instance.closedTallies(), 2)
    assert.equal(instance.handles.given, 0)
  })

  test('call each other in the middle of a method', async () => {
    const instance = await start()
    const tally = await instance.Tally.create(2)
    assert.equal(await tally.update(async (n) => n + (await tally.value())), 4)
    assert.equal(tally.sync.update((n) => n + tally.sync.value()), 8)
  })

  test('are released when the program forgets them', () => {
    const code = `
      import { start, until } from ${JSON.stringify(import.meta.resolve('./common.mjs'))}
      const instance = await start()
      for (let i = 0; i < 500; i++) await instance.Tally.create(1)
      for (let i = 0; i < 100 && instance.handles.given > 0; i++) {
        globalThis.gc()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      console.log(instance.handles.given, await instance.closedTallies())`
    const options = { encoding: 'utf8', env: process.env }
    const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv.filter((arg) => !arg.startsWith('--test')), '--expose-gc', '--input-type=module', '-e', code], options)
    assert.equal(stdout, '0 500\n', stderr)
  })

  test('of a pool need an instance of their own', async () => {
    const plugin = await guest('conformance')
    const { Host } = await import('./common.mjs')
    const pool = plugin.pool({ size: 1, imports: { host: new Host() }, sandbox: QUIET })
    await assert.rejects(pool.countUp(3), SignatureMismatchError)
    await assert.rejects(pool.Tally.create(3), { code: 'signature-mismatch', message: /take one from the pool/ })
    const instance = await pool.instance()
    assert.equal(pool.stats.busy, 1)
    const tally = await instance.Tally.create(3)
    assert.equal(await tally.value(), 3)
    await assert.rejects(pool.instance({ timeout: 20 }), { code: 'timeout' })
    const last = tally.add(1)
    instance.release()
    instance.release()
    assert.equal(await last, 4)
    await assert.rejects(tally.value(), /was returned to its pool/)
    await assert.rejects(instance.started(), DeadInstanceError)
    assert.ok(!instance.alive)
    await tally.close()
    const next = pool.sync.instance()
    await assert.rejects(next.sumTallies(tally, tally), TypeMismatchError)
    assert.equal(next.sync.closedTallies(), 1)
    assert.throws(() => pool.sync.instance(), { code: 'busy' })
    next.release()
    if (Symbol.asyncDispose) {
      const lent = await pool.instance()
      await lent[Symbol.asyncDispose]()
    }
    assert.equal(pool.stats.busy, 0)
    await pool.close()
    await assert.rejects(pool.instance(), DeadInstanceError)
  })

  test('have a limit', async () => {
    const instance = await start({ limits: { handles: 10 } })
    assert.equal((await instance.countUp(10)).length, 10)
    await assert.rejects(instance.countUp(11), OutOfMemoryError)
    const plugin = await guest('conformance')
    await assert.rejects(plugin.instantiate({ limits: { handles: -1 } }), RangeError)
  })

  test('may be open when a worker ends', async () => {
    const code = `
      const { start } = await import(${JSON.stringify(import.meta.resolve('./common.mjs'))})
      const { parentPort } = await import('node:worker_threads')
      const instance = await start()
      globalThis.kept = [await instance.Tally.create(1), new instance.sync.Tally(2), instance]
      await instance.keepOp((n) => n)
      parentPort.postMessage('ready')
      instance.apply([1], () => new Promise(() => {})).catch(() => {})
      setInterval(() => {}, 1000)`
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(code, { eval: true })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await worker.terminate()
    }
  })
})

describe('functions of the program', () => {
  test('may fail, and tell why', async () => {
    const instance = await start()
    const error = await thrownBy(() => instance.applyPlain([1], () => { throw new RangeError('no') }))
    assert.ok(error instanceof HostError && error.cause instanceof RangeError)
    await instance.reset()
    await assert.rejects(instance.apply([1], async () => { throw new RangeError('no') }), { code: 'guest-error', message: /item 0: no/ })
    assert.throws(() => instance.sync.apply([1], () => { throw new RangeError('no') }), GuestError)
    for (const value of [5, 'double', {}, null, undefined, [(n) => n]]) {
      await assert.rejects(instance.apply([1], value), { code: 'type-mismatch', message: /expected a function, got/ })
    }
    assert.ok(instance.alive)
    assert.deepEqual(instance.handles, { held: 0, given: 0 })
  })

  test('are awaited where the call is', async () => {
    const instance = await start()
    assert.deepEqual(await instance.apply([1, 2], async (n) => n + 1), [2, 3])
    // What looks like a promise is one.
    assert.deepEqual(await instance.apply([1], (n) => ({ then: (resolve) => resolve(n * 3) })), [3])
    const error = await thrownBy(() => instance.sync.apply([1], async (n) => n))
    assert.match(error.message, /gave a promise, and the call for which it ran is synchronous/)
  })

  test('are over with their call', async () => {
    const instance = await start()
    await instance.keepOpWrongly((n) => n)
    await assert.rejects(instance.callKept(1), { code: 'panic', message: /was used after the call/ })
  })

  test('that are kept keep nothing alive', () => {
    const code = `
      import { start } from ${JSON.stringify(import.meta.resolve('./common.mjs'))}
      const settle = async () => { for (let i = 0; i < 20; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 5)) } }
      const make = async () => {
        const instance = await start()
        // A circle: the plugin has the function, which has the instance.
        await instance.keepOp((n) => instance.echoInt64(n))
        if (await instance.callKept(5) !== 5) throw new Error('it was not called')
        return new WeakRef(instance)
      }
      const made = await make()
      await settle()
      console.log(made.deref() === undefined)
      const instance = await start()
      const give = async () => { const f = (n) => n; await instance.keepOp(f); return new WeakRef(f) }
      const f = await give()
      await settle()
      const isHeld = f.deref() !== undefined
      await instance.dropKept()
      for (let i = 0; i < 3; i++) await instance.handlesOfHost()
      await settle()
      console.log(isHeld, f.deref() === undefined, instance.handles.held)`
    const options = { encoding: 'utf8', env: process.env }
    const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv.filter((arg) => !arg.startsWith('--test')), '--expose-gc', '--input-type=module', '-e', code], options)
    assert.equal(stdout, 'true\ntrue true 0\n', stderr)
  })

  test('can be called by many calls at once', async () => {
    const instance = await start()
    const calls = Array.from({ length: 50 }, (_, i) => instance.apply([i], async (n) => n * 2))
    assert.deepEqual(await Promise.all(calls), Array.from({ length: 50 }, (_, i) => [2 * i]))
    assert.equal(instance.handles.held, 0)
  })

  test('end with an aborted call', async () => {
    const instance = await start()
    const signal = AbortSignal.timeout(30)
    await assert.rejects(instance.using({ signal }).apply([1], () => new Promise(none)), { code: 'cancelled' })
    assert.equal(instance.handles.held, 0)
  })
})

describe('objects of the program', () => {
  test('have their own methods, and those of their class', async () => {
    const instance = await start()
    const store = { get: (key) => `own ${key}`, put: none, size: () => 0, child: () => store }
    assert.equal(await instance.storeGet(store, 'a'), 'own a')
    class Loud extends Store {
      get(key) {
        return super.get(key).toUpperCase()
      }
    }
    const loud = new Loud()
    await instance.storePut(loud, 'a', 'text')
    assert.equal(await instance.storeGet(loud, 'a'), 'TEXT')
    assert.equal(instance.sync.storeGet(Object.assign(Object.create(null), store), 'b'), 'own b')
  })

  test('lack what they do not have', async () => {
    const instance = await start()
    const { get, put, size } = Store.prototype
    await assert.rejects(instance.storeGet({ get, put, size }, 'a'), { code: 'type-mismatch', message: /the object has no method child/ })
    await assert.rejects(instance.storeGet({}, 'a'), /the object has no method get, put, size, child/)
    for (const value of [5, 'store', null]) await assert.rejects(instance.storeGet(value, 'a'), TypeMismatchError)
    const cause = new RangeError('not now')
    const thorny = { get get() { throw cause }, put, size, child: none }
    const error = await thrownBy(() => instance.storeGet(thorny, 'a'))
    assert.deepEqual([error.code, error.cause], ['type-mismatch', cause])
    assert.ok(instance.alive)
    assert.equal(instance.handles.held, 0)
  })

  test('may be what looks like a promise', async () => {
    const instance = await start()
    const thenable = Object.assign(new Store(), { then: (resolve) => resolve(new Store().child('late')) })
    assert.equal(await instance.openAndGet('x', 'name', () => thenable), 'late')
    const cause = new RangeError('no then')
    const thorny = Object.defineProperty(new Store().child('thorny'), 'then', { get: () => { throw cause } })
    assert.equal(await instance.openAndGet('x', 'name', () => thorny), 'thorny')
    await assert.rejects(instance.openAndGet('x', 'name', () => 5), { code: 'type-mismatch', message: /expected an object with the methods get, put, size, child/ })
  })
})
