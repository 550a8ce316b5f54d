// Worker threads, the end of processes, and what the garbage collector gets back: each in a process
// of its own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { guestPath } from './common.mjs'

const folder = mkdtempSync(join(tmpdir(), 'undergo-'))
const COMMON = new URL('common.mjs', import.meta.url).href
let number = 0

const PRELUDE = `
  import { start, Host, guest, QUIET, until, thrownBy } from ${JSON.stringify(COMMON)}
  import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
`

/**
 * Runs a program; gives its exit code and output. One that hangs is ended, which the code shows.
 */
function run(text, ...flags) {
  const file = join(folder, `program-${(number += 1)}.mjs`)
  writeFileSync(file, text.startsWith('// alone') ? text : PRELUDE + text)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv.filter((arg) => !arg.startsWith('--test')), ...flags, file], {
      env: { ...process.env, UNDERGO_CONFORMANCE_WASM: guestPath('conformance'), NODE_TEST_CONTEXT: '' }
    })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, output })
    })
  })
}

async function succeeds(text, ...flags) {
  const { code, signal, output } = await run(text, ...flags)
  assert.deepEqual([code, signal], [0, null], output)
  return output
}

test('a program ends when its calls are over, and not before', async () => {
  assert.equal(await succeeds(`
    const instance = await start()
    instance.sleep(100).then(() => console.log('slept'))
  `), 'slept\n')
})

test('instances, pools and signals that are not used hold no program', async () => {
  await succeeds(`
    const instance = await start()
    const plugin = await guest('conformance')
    const pool = plugin.pool({ size: 2, idle: 1000, imports: { host: new Host() }, sandbox: QUIET })
    await pool.echoInt32(1)
    instance.using({ signal: new AbortController().signal })
  `)
})

test('process.exit() ends a program in the middle of calls', async () => {
  const calls = {
    computing: 'instance.spin(); other.spin()',
    sleeping: 'instance.sleep(60_000)',
    'waiting for the host': "instance.throughHost('x', Buffer.of(), 1, [], [])"
  }
  for (const [what, call] of Object.entries(calls)) {
    for (const when of ['process.exit(7)', 'setTimeout(() => process.exit(7), 30)']) {
      const host = 'Object.assign(new Host(), { echoString: () => new Promise(() => {}) })'
      const { code, signal, output } = await run(`
        const instance = await start({ host: ${host} })
        const other = await start()
        ${call}
        ${when}
      `)
      assert.deepEqual([code, signal], [7, null], `${what}: ${output}`)
    }
  }
})

test('process.exit() in a host function, in both ways', async () => {
  for (const call of ["await instance.crash('x')", "instance.sync.crash('x')", 'await instance.notes([])']) {
    const { code, signal, output } = await run(`
      const exit = () => process.exit(7)
      const instance = await start({ host: Object.assign(new Host(), { crash: exit, notes: async () => { await 1; exit() } }) })
      ${call}
    `)
    assert.deepEqual([code, signal], [7, null], output)
  }
})

test('an exception that nobody catches ends a program in the middle of calls', async () => {
  const { code, signal } = await run(`
    const instance = await start()
    instance.spin()
    setTimeout(() => { throw new Error('out') }, 20)
  `)
  assert.deepEqual([code, signal], [1, null])
})

test('a promise of a call that nobody handles is an unhandled rejection, as any other', async () => {
  const { code, output } = await run(`(await start()).fail('nobody listens')`)
  assert.equal(code, 1)
  assert.ok(output.includes('nobody listens'), output)
})

test('workers have plugins of their own', async () => {
  const output = await succeeds(`
    if (isMainThread) {
      const here = await start()
      const workers = Array.from({ length: 4 }, (_, n) => new Worker(new URL(import.meta.url), { workerData: n }))
      const answers = await Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
      console.log(answers.sort().join(' '), await here.echoString('main'))
    } else {
      const instance = await start()
      await instance.keep(String(workerData))
      const [kept] = await instance.kept()
      parentPort.postMessage(kept + instance.sync.echoString('!') + (await instance.notes(['x'])).length)
    }
  `)
  assert.equal(output, '0!1 1!1 2!1 3!1 main\n')
})

test('a worker that is terminated in the middle of calls takes them with it', async () => {
  const calls = ['instance.spin()', 'instance.sleep(600_000)', 'instance.sync.spin()', 'instance.sync.sleep(600_000)', "instance.throughHost('x', Buffer.of(), 1, [], [])", 'for (;;) instance.sync.echoInt32(1)']
  for (const call of calls) {
    await succeeds(`
      if (isMainThread) {
        const here = await start()
        for (let i = 0; i < 3; i++) {
          const worker = new Worker(new URL(import.meta.url))
          await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
          await new Promise((resolve) => setTimeout(resolve, 20))
          await worker.terminate()
        }
        if ((await here.echoString('alive')) !== 'alive') process.exit(2)
        const before = process.cpuUsage()
        await new Promise((resolve) => setTimeout(resolve, 200))
        // Nothing of them computes on.
        if (process.cpuUsage(before).user > 150_000) process.exit(3)
      } else {
        const instance = await start({ host: Object.assign(new Host(), { echoString: () => new Promise(() => {}) }) })
        parentPort.postMessage('ready')
        setImmediate(() => { ${call} })
      }
    `)
  }
})

test('a library that only a worker had loaded outlives it', async () => {
  const file = join(folder, 'worker.mjs')
  writeFileSync(file, `${PRELUDE}
    const instance = await start()
    instance.using({ timeout: 50 }).spin().catch(() => {})
    parentPort.postMessage('ready')
    setTimeout(() => process.exit(), 10)
  `)
  // Node unloads what only a worker had: the threads of the library must not be left without it.
  await succeeds(`// alone
    import { Worker } from 'node:worker_threads'
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(${JSON.stringify(file)})
      let ready = false
      worker.on('message', () => (ready = true))
      await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
      if (!ready) process.exit(2)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  `)
})

const GC = `
  const settle = async () => { for (let i = 0; i < 20; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 5)) } }
  const gone = (things) => things.filter((thing) => thing.deref() === undefined).length
`

test('instances are collected, also those whose host functions refer to them', async () => {
  await succeeds(`${GC}
    const made = []
    async function use() {
      const host = new Host()
      const instance = await start({ host, sandbox: { stdout: (line) => instance, stderr: 'discard' } })
      host.instance = instance
      await instance.notes(['a'])
      instance.sync.echoString('x')
      await thrownBy(() => instance.crash('x'))
      made.push(new WeakRef(instance), new WeakRef(host))
    }
    for (let i = 0; i < 10; i++) await use()
    await settle()
    if (gone(made) !== made.length) { console.log(gone(made), made.length); process.exit(1) }
  `, '--expose-gc')
})

test('a function alone keeps what it needs', async () => {
  await succeeds(`${GC}
    const notes = await (async () => (await start()).notes)()
    await settle()
    if ((await notes(['a', 'b'])).length !== 2) process.exit(1)
  `, '--expose-gc')
})

test('a call under way keeps what it needs', async () => {
  await succeeds(`${GC}
    let answer
    const call = (async () => {
      const host = Object.assign(new Host(), { echoString: () => new Promise((resolve) => (answer = resolve)) })
      return (await start({ host })).throughHost('x', Buffer.of(), 1, [], [])
    })()
    await until(() => answer)
    await settle()
    answer('kept')
    if ((await call)[0] !== 'kept') process.exit(1)
  `, '--expose-gc')
})

test('calls leave no handles, and no memory', async () => {
  await succeeds(`${GC}
    const instance = await start()
    const person = { name: 'x', age: 1, tags: ['a'], home: { street: '' }, others: [], scores: {}, favorite: 'red', born: new Date(), nap: 1, userId: 1 }
    const bytes = Buffer.alloc(10_000)
    async function work(n) {
      for (let i = 0; i < n; i++) {
        await instance.echoPerson(person)
        instance.sync.echoPerson(person)
        await instance.echoBytes(bytes)
        await thrownBy(() => instance.fail('x'))
        await instance.notes(['x'])
        await instance.using({ timeout: 1000 }).echoInt32(1)
      }
      await settle()
      return process.memoryUsage()
    }
    const before = await work(1500)
    const after = await work(3000)
    const grown = { heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss }
    if (grown.heap > 1 << 20 || grown.rss > 24 << 20) { console.log(grown); process.exit(1) }
  `, '--expose-gc')
})
