// Tries what may be wrong with a runtime of JavaScript: a line for each thing, `ok NAME`,
// `not ok NAME: why`, or `skip NAME: why`.
//
// Usage: probe.mjs probe.wasm
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { GuestError, HostError, PanicError, Plugin, TimeoutError } from 'undergo'

const imports = { host: { lookup: async (name) => `${name} is here` } }

/** What a call throws. */
async function thrown(call) {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** Whether the error is of the class, says the text, and shows where it came from. */
function is(error, type, text) {
  assert.ok(error instanceof type, `${error}`)
  assert.match(error.message, text)
  assert.ok(error.stack.startsWith(`${type.name}: ${error.message}\n`), error.stack)
}

/** That something can't be tried. */
class Skipped extends Error {}

/** Milliseconds of 500 that a worker computes after its end: one that does so in that way. */
async function computesOn(way) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), workerData: way })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await sleep(100)
  await worker.terminate()
  // Deno gives a worker two seconds to end by itself.
  await sleep(3000)
  const before = process.cpuUsage()
  await sleep(500)
  return process.cpuUsage(before).user / 1000
}

let plugin
let instance

const CHECKS = {
  async load() {
    plugin = await Plugin.load(process.argv[2])
    instance = await plugin.instantiate({ imports })
  },

  async call() {
    assert.equal(await instance.add(20, 22), 42)
    assert.equal(instance.sync.add(-1, 1), 0)
  },

  async buffer() {
    assert.equal(await instance.sum(Float64Array.of(0.5, 0.25)), 0.75)
    assert.equal(instance.sync.sum(new Float64Array(100_000).fill(1)), 100_000)
  },

  async record() {
    assert.deepEqual({ ...(await instance.move({ x: 1, y: 2, name: 'p' }, 0.5)) }, { x: 1.5, y: 2.5, name: "p'" })
  },

  async host() {
    assert.equal(await instance.ask('Ada'), 'Ada is here')
    const failing = await plugin.instantiate({ imports: { host: { lookup: () => { throw new RangeError('out') } } } })
    assert.match((await thrown(() => failing.ask('Ada'))).message, /out/)
    is(new HostError('text'), HostError, /^text$/)
  },

  async error() {
    is(await thrown(() => instance.fail('as told')), GuestError, /^as told$/)
    is(await thrown(async () => instance.sync.fail('as told')), GuestError, /^as told$/)
  },

  async panic() {
    const one = await plugin.instantiate({ imports })
    const error = await thrown(() => one.first([]))
    is(error, PanicError, /index out of range/)
    assert.match(error.frames[0].function, /First/)
    assert.equal(await instance.add(1, 1), 2)
  },

  async timeout() {
    const one = await plugin.instantiate({ imports })
    is(await thrown(() => one.using({ timeout: 50 }).spin()), TimeoutError, /50 ?ms/)
    const other = await plugin.instantiate({ imports })
    is(await thrown(async () => other.using({ timeout: 50 }).sync.spin()), TimeoutError, /50 ?ms/)
  },

  // A worker that is ended in the middle of a call computes no longer.
  async worker() {
    // Nor does what compiles the plugin, which an emulator takes long for.
    await plugin.waitCompiled()
    const ends = async (way) => {
      const spent = await computesOn(way)
      assert.ok(spent < 20, `${way}: ${spent} ms of 500 after its end`)
    }
    await ends('promise')
    // What the runtime does not end without the package is not the package's.
    if ((await computesOn('alone')) >= 20) throw new Skipped('this runtime ends no worker that computes, with this package or without')
    await ends('sync')
  },

  // What calls made is collected.
  async memory() {
    const point = { x: 1, y: 2, name: 'p' }
    const bytes = new Float64Array(1000)
    const work = async (times) => {
      for (let i = 0; i < times; i++) {
        await instance.move(point, 1)
        instance.sync.sum(bytes)
        await thrown(() => instance.fail('x'))
      }
      globalThis.gc?.()
      await sleep(50)
      return process.memoryUsage().rss
    }
    await work(2000)
    const before = await work(4000)
    const grown = (await work(8000)) - before
    assert.ok(grown < 24 << 20, `grown by ${grown >> 20} MiB`)
  }
}

if (isMainThread) {
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      await check()
      console.log(`ok ${name}`)
    } catch (error) {
      const said = error instanceof Skipped ? `skip ${name}: ${error.message}` : `not ok ${name}: ${error}`
      console.log(said.replaceAll('\n', ' '))
    }
  }
  process.exit(0)
} else {
  instance = await (await Plugin.load(process.argv[2])).instantiate({ imports })
  parentPort.postMessage('ready')
  setImmediate(() => {
    if (workerData === 'promise') instance.spin().catch(() => {})
    if (workerData === 'sync') instance.sync.spin()
    while (workerData === 'alone');
  })
}
