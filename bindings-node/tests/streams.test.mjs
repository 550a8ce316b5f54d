// Streams of a plugin, and streams of the program as arguments.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { PassThrough, Readable, Writable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { describe, test } from 'node:test'
import { GuestError, TypeMismatchError } from 'undergo'
import { start, thrownBy } from './common.mjs'

const string = (bytes) => Buffer.from(bytes).toString()
const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('streams of a plugin', () => {
  test('are those of Node, and of the web', async () => {
    const instance = await start()
    assert.equal(await text(await instance.repeatStream('abc', 3)), 'abcabcabc')
    assert.equal(await text(Readable.toWeb(await instance.repeatStream('abc', 3))), 'abcabcabc')
    assert.equal((await buffer(await instance.repeatStream('x'.repeat(1000), 5000))).length, 5_000_000)
    const writable = await instance.collectStream(1 << 20, '')
    await pipeline(Readable.from([Buffer.from('ab'), Buffer.from('cd')]), writable)
    assert.equal(string(await instance.collected()), 'abcd')
    assert.deepEqual(instance.handles, { held: 0, given: 0 })
  })

  test('are simple where calls return', async () => {
    const { sync, handles } = await start()
    const reader = sync.repeatStream('abc', 3)
    assert.deepEqual([String(reader.read(4)), String(reader.read(100)), reader.read().length], ['abca', 'bcabc', 0])
    reader.close()
    reader.close()
    assert.throws(() => reader.read(), TypeMismatchError)
    assert.equal(Buffer.concat([...sync.repeatStream('abc', 3)]).toString(), 'abcabcabc')
    const writer = sync.collectStream(100, '')
    writer.write('grün')
    writer.write(Buffer.from('!'))
    writer.close()
    writer.close()
    assert.equal(string(sync.collected()), 'grün!')
    assert.equal(handles.given, 0)
  })

  test('tell of errors', async () => {
    const instance = await start()
    const readable = await instance.textThenError('abc', 'broken', false)
    const found = []
    const error = await thrownBy(async () => { for await (const chunk of readable) found.push(chunk) })
    assert.ok(error instanceof GuestError && /broken/.test(error.message))
    assert.equal(String(Buffer.concat(found)), 'abc')
    const writable = await instance.collectStream(2, '')
    await assert.rejects(pipeline(Readable.from([Buffer.from('abcd')]), writable), /no room/)
    assert.ok(instance.alive)
    assert.equal(instance.handles.given, 0)
  })

  test('end when they are destroyed', async () => {
    const instance = await start()
    const readable = await instance.endlessStream('abc')
    for await (const chunk of readable) if (chunk.length > 0) break
    assert.ok(readable.destroyed)
    const other = await instance.endlessStream('abc')
    other.destroy()
    await once(other, 'close')
    assert.equal(instance.handles.given, 0)
    const lost = await instance.endlessStream('abc')
    await instance.reset()
    await assert.rejects(text(lost), TypeMismatchError)
  })
})

describe('streams of the program', () => {
  const source = () => Readable.from([Buffer.from('ab'), Buffer.from('cd')])

  test('may be any to read from', async () => {
    const instance = await start()
    let read = 0
    const all = [source(), Readable.toWeb(source()), [Buffer.from('ab'), new Uint8Array(0), Buffer.from('cd')], { read: () => (read++ === 0 ? Buffer.from('abcd') : null) }]
    for (const stream of all) assert.equal(string(await instance.readStream(stream)), 'abcd')
    read = 0
    assert.equal(string(instance.sync.readStream(all[2])), 'abcd')
    assert.equal(string(await instance.readStream({ read: async () => (read++ === 0 ? Buffer.from('abcd') : undefined) })), 'abcd')
    for (const value of [5, {}, null, Buffer.from('abcd'), new Writable()]) {
      await assert.rejects(instance.readStream(value), { code: 'type-mismatch', message: /expected a stream to read from, got/ })
    }
  })

  test('make no more room than streams carry at once, whatever the plugin asks for', () => {
    const { lend } = createRequire(import.meta.resolve('undergo'))('./lent.cjs')
    const asked = []
    const [read, , own] = lend({ read: (most) => void asked.push(most) }, 'reader')
    assert.equal(read.call(own, 2 ** 32 - 1).length, 0)
    assert.deepEqual(asked, [256 << 10])
  })

  test('go on where the plugin has stopped', async () => {
    const instance = await start()
    const stream = source()
    assert.equal(string(await instance.readHead(stream, 1)), 'a')
    await tick()
    assert.equal(await text(stream), 'bcd')
    const web = Readable.toWeb(source())
    assert.equal(string(await instance.readHead(web, 2)), 'ab')
    assert.ok(!web.locked)
    assert.equal(await text(web), 'cd')
  })

  test('may be any to write to', async () => {
    const instance = await start()
    const through = new PassThrough()
    const writing = instance.writeStream(through, 'abc', 3).then(() => through.end())
    assert.equal(await text(through), 'abcabcabc')
    await writing
    const chunks = []
    const add = (data) => void chunks.push(Buffer.from(data))
    await instance.writeStream(new WritableStream({ write: add }), 'abc', 2)
    await instance.writeStream({ write: async (data) => { await tick(); add(data) } }, 'de', 1)
    instance.sync.writeStream({ write: add }, 'f', 1)
    assert.equal(String(Buffer.concat(chunks)), 'abcabcdef')
    let closed = 0
    await instance.writeAndClose({ write: () => {}, close: () => closed++ }, 'x')
    const ended = new PassThrough()
    await instance.writeAndClose(ended.resume(), 'x')
    assert.deepEqual([closed, ended.writableFinished], [1, true])
    await assert.rejects(instance.writeStream({}, 'x', 1), /expected a stream to write to, got object/)
  })

  test('may break', async () => {
    const instance = await start()
    const broken = Readable.from((async function* () { yield Buffer.from('a'); throw new RangeError('broken reader') })())
    await assert.rejects(instance.readStream(broken), { code: 'guest-error', message: /broken reader/ })
    await assert.rejects(instance.readStream(Readable.from(['text'])), { code: 'guest-error', message: /gave text, not bytes/ })
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new RangeError('disk full')) })
    await assert.rejects(instance.writeStream(full, 'abc', 1), { code: 'guest-error', message: /disk full/ })
    const destroyed = new PassThrough()
    destroyed.destroy()
    await assert.rejects(instance.writeStream(destroyed, 'abc', 1), GuestError)
    await assert.rejects(instance.readStream(destroyed), GuestError)
    assert.throws(() => instance.sync.readStream(source()), /gave a promise|synchronous/)
    assert.deepEqual(instance.handles.held, 0)
  })

  test('may have no end, under a deadline', async () => {
    const instance = await start()
    const endless = new Readable({ read() { setImmediate(() => this.push(Buffer.alloc(1000))) } })
    await assert.rejects(instance.using({ timeout: 100 }).drainStream(endless), { code: 'timeout' })
    endless.destroy()
    await instance.reset()
    const silent = new Readable({ read() {} })
    await assert.rejects(instance.using({ signal: AbortSignal.timeout(50) }).drainStream(silent), { code: 'cancelled' })
    silent.destroy()
  })
})
