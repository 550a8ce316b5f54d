// Errors: each kind has its class, and what an error carries.
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as undergo from 'undergo'
import { Host, QUIET, guest, guestPath, start, thrownBy } from './common.mjs'

const { Plugin, UndergoError, errorCodes } = undergo

const CLASSES = {
  'invalid-plugin': 'InvalidPluginError',
  'missing-import': 'MissingImportError',
  'unknown-export': 'UnknownExportError',
  'signature-mismatch': 'SignatureMismatchError',
  'type-mismatch': 'TypeMismatchError',
  'guest-error': 'GuestError',
  panic: 'PanicError',
  exit: 'ExitError',
  trap: 'TrapError',
  timeout: 'TimeoutError',
  cancelled: 'CancelledError',
  'out-of-fuel': 'OutOfFuelError',
  'out-of-memory': 'OutOfMemoryError',
  'host-error': 'HostError',
  denied: 'DeniedError',
  'dead-instance': 'DeadInstanceError',
  busy: 'BusyError'
}

test('each kind of the core has a class', async () => {
  // The native library lists the kinds that the core has.
  const { createRequire } = await import('node:module')
  const require = createRequire(import.meta.resolve('undergo'))
  const { kinds } = require('./native.cjs')
  assert.deepEqual([...kinds].sort(), Object.keys(CLASSES).sort())
  assert.deepEqual([...errorCodes].sort(), [...kinds].sort())
  for (const [code, name] of Object.entries(CLASSES)) {
    const made = new undergo[name]('text')
    assert.ok(made instanceof UndergoError && made instanceof Error)
    assert.equal(made.code, code)
    assert.equal(made.name, name)
    assert.ok(made.stack.startsWith(`${name}: text\n`))
  }
})

test('what is exported for import is what is exported for require', async () => {
  const { createRequire } = await import('node:module')
  const required = createRequire(import.meta.resolve('undergo'))('./index.cjs')
  const { default: whole, ...named } = undergo
  assert.equal(whole, required)
  assert.deepEqual(Object.keys(named).sort(), Object.keys(required).sort())
  assert.equal(undergo.version, '0.1.0')
})

const folder = mkdtempSync(join(tmpdir(), 'undergo-'))
const missing = join(folder, 'missing.wasm')
const junk = join(folder, 'junk.wasm')
writeFileSync(junk, 'no module')

/** A module that imports so many functions. */
function wanting(count) {
  const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)])
  const name = (text) => [...leb(text.length), ...Buffer.from(text)]
  const section = (id, content) => [id, ...leb(content.length), ...content]
  const wanted = Array.from({ length: count }, (_, i) => [...name('m'), ...name(i.toString(16)), 0, 0]).flat()
  const start = [1, ...name('_initialize'), 0, ...leb(count)]
  const sections = [section(1, [1, 0x60, 0, 0]), section(2, [...leb(count), ...wanted]), section(3, [1, 0]), section(7, start)]
  return Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat(), ...section(10, [1, 2, 0, 0x0b])])
}

test('loading ends, and is bounded', async () => {
  const fresh = { compile: 'fast', cache: false }
  const path = guestPath('conformance')
  const code = async (options) => (await thrownBy(() => Plugin.load(path, { ...fresh, ...options }))).code
  assert.equal(await code({ timeout: 0.000001 }), 'timeout')
  assert.equal(await code({ compiler: '/nowhere/undergo' }), 'invalid-plugin')
  const aborted = await thrownBy(() => Plugin.load(path, { ...fresh, signal: AbortSignal.abort('enough') }))
  assert.deepEqual([aborted.code, aborted.cause], ['cancelled', 'enough'])
  const sync = await thrownBy(async () => Plugin.loadSync(path, { ...fresh, signal: AbortSignal.abort('enough') }))
  assert.deepEqual([sync.code, sync.cause], ['cancelled', 'enough'])
  const large = await thrownBy(() => Plugin.compile(wanting(3000), fresh))
  assert.equal(large.code, 'invalid-plugin')
  assert.match(large.message, /3000 imports, and 2000 are accepted.*bounds = 2/)
  assert.equal((await Plugin.compile(wanting(3000), { ...fresh, bounds: 2 })).imports.length, 3000)
  await assert.rejects(Plugin.load(path, { bounds: 0 }), RangeError)
  await assert.rejects(Plugin.load(path, { signal: 3 }), TypeError)
  await assert.rejects(Plugin.load(path, { optimize: 'no' }), /optimize is 'no'; it must be true or false/)
  for (const optimize of [true, false]) assert.equal((await Plugin.load(path, { ...fresh, optimize })).tier, 'fast')
})

test('invalid-plugin says what to do', async () => {
  for (const load of [() => Plugin.load(missing), async () => Plugin.loadSync(missing)]) {
    const error = await thrownBy(load)
    assert.equal(error.code, 'invalid-plugin')
    assert.ok(error.message.includes('missing.wasm'))
  }
  for (const load of [() => Plugin.load(junk), () => Plugin.compile(Buffer.from('no module')), async () => Plugin.compileSync(new Uint8Array(4))]) {
    assert.equal((await thrownBy(load)).code, 'invalid-plugin')
  }
  const compiled = await thrownBy(() => Plugin.loadCompiled(junk, { trusted: true }))
  assert.equal(compiled.code, 'invalid-plugin')
  await assert.rejects(Plugin.loadCompiled(junk), /trusted/)
  await assert.rejects(Plugin.load(5), TypeError)
  await assert.rejects(Plugin.compile('path'), TypeError)
  assert.throws(() => new Plugin(), TypeError)
})

test('missing-import has all that is missing', async () => {
  const plugin = await guest('conformance')
  for (const make of [() => plugin.instantiate(), async () => plugin.instantiateSync(), async () => plugin.pool({ size: 1 })]) {
    const error = await thrownBy(make)
    assert.equal(error.code, 'missing-import')
    for (const name of ['host.echo-string', 'host.reenter']) assert.ok(error.message.includes(name), error.message)
  }
})

test('unknown-export has the names that are near', async () => {
  const instance = await start()
  for (const call of [() => instance.call('echoStrin'), async () => instance.sync.call('echoStrin'), () => instance.using({}).call('echoStrin')]) {
    const error = await thrownBy(call)
    assert.equal(error.code, 'unknown-export')
    assert.ok(error.message.includes("did you mean 'echoString'"), error.message)
  }
})

test('a Go error is one, and the instance lives on', async () => {
  const instance = await start()
  for (const way of [instance, instance.sync]) {
    const error = await thrownBy(async () => way.fail('no luck'))
    assert.ok(error instanceof undergo.GuestError)
    assert.equal(error.message, 'no luck')
    assert.equal(instance.alive, true)
  }
})

test('a panic has the Go frames in its stack, before those of JavaScript', async () => {
  const instance = await start()
  const error = await thrownBy(async () => instance.sync.panic('oh dear'))
  const lines = error.stack.split('\n')
  assert.equal(lines[0], 'PanicError: oh dear')
  assert.match(lines[1], /^ {4}at main\.Panic \(.*lifecycle\.go:14\)$/)
  assert.ok(lines.some((line) => line.includes('errors.test.mjs')), error.stack)
  assert.equal(error.origin.function, 'main.Panic')
  assert.ok(error.stderr.includes('panic: oh dear'))
})

test('exit has its code', async () => {
  const error = await thrownBy(async () => (await start()).exit(7))
  assert.deepEqual([error.code, error.exitCode], ['exit', 7])
})

test('limits end what goes beyond them', async () => {
  const kinds = [
    [{ timeout: 50 }, (instance) => instance.spin(), 'timeout'],
    [{ timeout: 50 }, (instance) => instance.sleep(60_000), 'timeout'],
    [{ memory: '32MiB' }, (instance) => instance.alloc(512), 'out-of-memory'],
    [{ fuel: 50_000_000 }, (instance) => instance.spin(), 'out-of-fuel'],
    [{ stack: '64KiB' }, (instance) => instance.recurse(1_000_000), 'trap']
  ]
  for (const [limits, call, code] of kinds) {
    for (const way of ['promise', 'sync']) {
      const instance = await start({ limits })
      const error = await thrownBy(async () => call(way === 'sync' ? instance.sync : instance))
      assert.equal(error.code, code, `${way}: ${error.stack}`)
      assert.equal(instance.alive, false)
    }
  }
})

test('a host function that throws is a host-error with that as its cause, whatever it is', async () => {
  for (const thrown of [new RangeError('mine'), 'a string', undefined, null, { odd: 1 }, Symbol('s')]) {
    for (const fail of [() => { throw thrown }, async () => { throw thrown }]) {
      const host = Object.assign(new Host(), { crash: fail })
      const instance = await start({ host })
      const error = await thrownBy(() => instance.crash('x'))
      assert.equal(error.code, 'host-error')
      assert.ok('cause' in error)
      assert.equal(error.cause, thrown)
      assert.equal(instance.alive, false)
    }
  }
})

test('an asynchronous host function is an error of a synchronous call, and no rejection is left over', async () => {
  const host = Object.assign(new Host(), { crash: async () => { throw new Error('late') } })
  const instance = await start({ host })
  const error = await thrownBy(async () => instance.sync.crash('x'))
  assert.equal(error.code, 'host-error')
  assert.match(error.message, /crash gave a promise, and the call for which it ran is synchronous/)
  await new Promise((resolve) => setImmediate(resolve))
})

test('denied names the capability', async () => {
  const plugin = await guest('conformance')
  const error = await thrownBy(() => plugin.instantiate({ imports: { host: new Host() }, sandbox: { ...QUIET, dirs: { '/data': missing } } }))
  assert.equal(error.code, 'denied')
  assert.ok(error.message.includes('missing.wasm'))
})

test('options that are none are errors at once', async () => {
  const plugin = await guest('conformance')
  const wrong = [
    [{ limit: {} }, /no option 'limit'/],
    [{ limits: { memory: 'much' } }, /^RangeError: limits\.memory is 'much'; write a number of bytes, or a text such as '64 MiB', '1\.5 GB' or '64M'$/],
    [{ limits: { memory: 1.5 } }, /limits\.memory is '1\.5'/],
    [{ limits: { memory: [64] } }, /limits\.memory/],
    [{ limits: { timeout: -1 } }, /limits\.timeout is -1/],
    [{ limits: { stack: 5 } }, /limits\.stack is 5 bytes; it must be from 64 KiB to 512 MiB/],
    [{ limits: { fuel: 0 } }, /limits\.fuel is 0/],
    [{ sandbox: { stdout: 'away' } }, /sandbox\.stdout is 'away'/],
    [{ sandbox: { stdout: async () => {} } }, /async function/],
    [{ sandbox: { stdin: 'text' } }, /sandbox\.stdin is 'text'/],
    [{ sandbox: { env: { A: 5 } } }, /sandbox\.env\.A must be a string/],
    [{ sandbox: { args: [5] } }, /sandbox\.args must be a string/],
    [{ imports: { host: { echoString: 5 } } }, /imports\.host\.echoString is not a function/]
  ]
  for (const [options, text] of wrong) {
    await assert.rejects(plugin.instantiate(options), text)
    assert.throws(() => plugin.instantiateSync(options), text)
  }
  for (const [options, text] of [[{}, /size is undefined/], [{ size: 0 }, /size is 0/], [{ size: 1, maxCalls: 0 }, /maxCalls is 0/], [{ size: 1, idle: -1 }, /idle is -1/]]) {
    assert.throws(() => plugin.pool(options), text)
  }
  const instance = await start()
  assert.throws(() => instance.using({ cancel: 1 }), /no option 'cancel'/)
  assert.throws(() => instance.using({ signal: {} }), /AbortSignal/)
  assert.throws(() => instance.using({ timeout: 'soon' }), /timeout is 'soon'/)
  assert.ok(guestPath('conformance'))
})
