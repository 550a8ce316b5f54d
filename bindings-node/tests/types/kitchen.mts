// A module that `undergo bindgen` wrote, as a program uses it. Compiled by types.test.mjs, and
// never run.
import { loadKitchen, loadKitchenPool, type Directory, type Kitchen, type Person } from './generated-kitchen.mjs'

class Tags implements Directory {
  async lookup(name: string): Promise<string[]> {
    return [name]
  }
  note(p: Person, at: Date): void {
    console.log(p.name, at.getTime())
  }
}

const kitchen: Kitchen = await loadKitchen('kitchen.wasm', { imports: { directory: new Tags() }, limits: { timeout: 5 } }, { compile: 'fast' })
const person: Person = { name: 'Ada', tags: [], userId: 1, color: 'dark-blue' }
const text: string = await kitchen.greet(person, true)
const [floats, narrow]: [Float64Array, number] = await kitchen.echoFloats([1, 2], 0.5)
const sum: number = await kitchen.add(5n)
const dates: [Date, number] = kitchen.sync.echoTimes(new Date(), 5)
const bytes: Uint8Array = await kitchen.echoBytes(Buffer.from(text))
await kitchen.exports.using()
const pool = await loadKitchenPool('kitchen.wasm', { size: 2, imports: { directory: { lookup: (name) => [name], note: () => {} } } })
const tags: string[] = await pool.find('x')
console.log(floats, narrow, sum, dates, bytes, tags)

// @ts-expect-error: not a case
await kitchen.greet({ ...person, color: 'purple' }, true)
// @ts-expect-error: something is missing
await kitchen.greet(person)
// @ts-expect-error: what the host gives is missing
await loadKitchen('kitchen.wasm', {})
// @ts-expect-error: one of its functions is
await loadKitchen('kitchen.wasm', { imports: { directory: { lookup: (name) => [name] } } })
