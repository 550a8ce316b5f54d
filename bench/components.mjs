// Measure calls of a plugin in Node, a module or a component: node components.mjs PLUGIN.wasm
//
// Prints nanoseconds a call of `add`, and of a string there and back. Run by components.py.

import { performance } from 'node:perf_hooks'
import { Plugin } from 'undergo'

const CALLS = 20_000
const plugin = await Plugin.load(process.argv[2], { compile: 'best' })
await plugin.waitCompiled()
const { sync } = await plugin.instantiate({ imports: { host: { upper: (text) => text.toUpperCase(), pause: (n) => n } } })
const { add, echoString } = sync

/** Nanoseconds of a call: the last of some rounds, since the first are for the compiler. */
function timed(call) {
  let took = 0
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    for (let i = 0; i < CALLS; i++) call()
    took = ((performance.now() - began) * 1e6) / CALLS
  }
  return took
}

if (add(2, 3) !== 5 || echoString('hello world') !== 'hello world') throw new Error('it does something else')
console.log(timed(() => add(2, 3)), timed(() => echoString('hello world')))
