// Measure Node: calls against the same by hand on node:wasi, the event loop while guests compute,
// and bytes against Extism.
//
// Run by `make bench` through node.py: node node.mjs PLUGIN.wasm WASI.wasm [EXTISM.wasm]. Prints
// tables; fails when a bound does not hold.

import { readFile } from 'node:fs/promises'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { WASI } from 'node:wasi'
import { Plugin } from 'undergo'

const [plugin, byHand, extism] = process.argv.slice(2)
const TEXT = 'hello world'
const MIB = 1 << 20
const LATE = 5
/**
 * Milliseconds for which the loop is watched: some thousand turns, so that one in a thousand is not
 * one alone.
 */
const WATCHED = 8000

/** The same by hand: encode, write, call, read, decode. */
async function handwritten(file) {
  const wasi = new WASI({ version: 'preview1' })
  const { instance } = await WebAssembly.instantiate(await readFile(file), { wasi_snapshot_preview1: wasi.wasiImport })
  wasi.initialize(instance)
  const { alloc, echo, memory } = instance.exports
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  return (text) => {
    const bytes = encoder.encode(text)
    const at = alloc(bytes.length)
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes)
    const result = echo(bytes.length)
    const view = new DataView(memory.buffer)
    return decoder.decode(new Uint8Array(memory.buffer, view.getUint32(result, true), view.getUint32(result + 4, true)))
  }
}

/** Nanoseconds of a call, of so many. */
function time(call, calls) {
  const began = performance.now()
  for (let i = 0; i < calls; i++) call()
  return ((performance.now() - began) * 1e6) / calls
}

const median = (values) => values.toSorted?.((a, b) => a - b)[values.length >> 1] ?? [...values].sort((a, b) => a - b)[values.length >> 1]

/** Two calls that take turns: the median of each, and of their ratio. */
async function compare(ours, theirs, calls, rounds) {
  const all = []
  for (let round = 0; round < rounds + 2; round++) {
    const [mine, other] = [await ours(calls), await theirs(calls)]
    // The first ones are for the compilers.
    if (round >= 2) all.push([mine, other, mine / other])
  }
  return [0, 1, 2].map((i) => median(all.map((one) => one[i])))
}

/**
 * How late a timer of 1 ms is, sorted, and Node's own measure, in milliseconds, while so many
 * guests compute.
 */
async function lateness(instances, computing) {
  const until = performance.now() + WATCHED
  const busy = instances.slice(0, computing).map(async (instance) => {
    while (performance.now() < until) await instance.work(200_000_000, 1)
  })
  const late = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    late.push(Math.max(0, now - last - 1))
    last = now
  }, 1)
  await new Promise((resolve) => setTimeout(resolve, WATCHED))
  clearInterval(timer)
  delay.disable()
  await Promise.all(busy)
  late.sort((a, b) => a - b)
  return { middle: median(late), worst: late[Math.floor(late.length * 0.999)], most: late.at(-1), node: delay.percentile(99) / 1e6 }
}

const shown = (nanoseconds) =>
  nanoseconds < 1e3 ? `${nanoseconds.toFixed(0)} ns` : nanoseconds < 1e6 ? `${(nanoseconds / 1e3).toFixed(2)} µs` : `${(nanoseconds / 1e6).toFixed(2)} ms`

const host = { upper: (text) => text.toUpperCase(), pause: (n) => n }
const compiled = await Plugin.load(plugin, { compile: 'best' })
await compiled.waitCompiled()
const instances = await Promise.all([0, 1].map(() => compiled.instantiate({ imports: { host }, bigint: true })))
const [{ sync }] = instances
const [instance] = instances
const { echoString } = sync
let holds = true

/** Notes whether a bound holds, and says where it does not. */
function bound(text, held) {
  holds &&= held
  return held ? text : `${text}, **missed**`
}

console.log('| Node, release build | against | Undergo | the other | ratio | bound |\n| --- | --- | --- | --- | --- | --- |')
const hand = await handwritten(byHand)
if (echoString(TEXT) !== TEXT || hand(TEXT) !== TEXT) throw new Error('the two sides do not do the same')
const [ours, theirs, ratio] = await compare(
  (calls) => time(() => echoString(TEXT), calls),
  (calls) => time(() => hand(TEXT), calls),
  20_000,
  15
)
console.log(`| string → string, ${TEXT.length} bytes, sync | node:wasi by hand | ${shown(ours)} | ${shown(theirs)} | ${ratio.toFixed(2)} × | ${bound('≤ 1 ×', ratio <= 1)} |`)

/** The same for calls that are awaited one after the other. */
const timeAwaited = async (call, calls) => {
  const began = performance.now()
  for (let i = 0; i < calls; i++) await call()
  return ((performance.now() - began) * 1e6) / calls
}
const [awaited, hands, awaitedRatio] = await compare(
  (calls) => timeAwaited(() => instance.echoString(TEXT), calls),
  (calls) => timeAwaited(async () => hand(TEXT), calls),
  20_000,
  9
)
console.log(`| the same, awaited | the same in an async function | ${shown(awaited)} | ${shown(hands)} | ${awaitedRatio.toFixed(2)} × | |`)

const bytes = new Uint8Array(MIB).fill(7)
if (extism) {
  const { createPlugin } = await import('@extism/extism')
  const manifest = { wasm: [{ data: new Uint8Array(await readFile(extism)) }] }
  const other = await createPlugin(manifest, { useWasi: true })
  const back = (await other.call('echo', bytes)).bytes()
  if (back.length !== MIB || back[MIB - 1] !== 7) throw new Error('Extism gave other bytes back')
  const [mine, its, quotient] = await compare(
    (calls) => timeAwaited(() => instance.echoBytes(bytes), calls),
    // Turns that take about as long as ours: each side begins with what the other left of the
    // memory and its caches.
    (calls) => timeAwaited(() => other.call('echo', bytes), calls / 100),
    500,
    7
  )
  await other.close()
  console.log(`| 1 MiB bytes there and back, awaited | Extism's SDK for Node | ${shown(mine)} | ${shown(its)} | ${quotient.toFixed(4)} × | ${bound('≤ 0.02 ×', quotient <= 1 / 50)} |`)
} else {
  const took = await timeAwaited(() => instance.echoBytes(bytes), 500)
  console.log(`| 1 MiB bytes there and back, awaited | (Extism's SDK for Node can't be installed here) | ${shown(took)} | | | |`)
}

console.log('\n| how late the event loop is | a timer of 1 ms | Node’s own measure, 99 % below | bound |\n| --- | --- | --- | --- |')
for (const [what, computing] of [['no guest computes', 0], ['two guests compute', 2]]) {
  const { middle, worst, most, node } = await lateness(instances, computing)
  const timer = `${middle.toFixed(2)} ms, 99.9 % below ${worst.toFixed(2)} ms, most ${most.toFixed(2)} ms`
  console.log(`| while ${what} | ${timer} | ${node.toFixed(2)} ms | ${bound(`≤ ${LATE} ms`, worst <= LATE)} |`)
}
// 3 says that a bound is missed.
process.exitCode = holds ? 0 : 3
