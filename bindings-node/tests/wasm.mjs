// Small modules, written byte by byte: for what no compiler of Go would make.
import { crc32 } from './crc32.mjs'

/** A number without a sign. */
export function uleb(n) {
  const out = []
  for (; n > 0x7f; n = Math.floor(n / 128)) out.push((n % 128) | 0x80)
  return [...out, n]
}

/** Pushes a word of less than 2^31. */
export function constant(n) {
  const bytes = uleb(n)
  // The highest bit of a signed number is its sign.
  if (bytes.at(-1) & 0x40) bytes.push(bytes.pop() | 0x80, 0)
  return [0x41, ...bytes]
}

export const param = (n) => [0x20, n]
export const call = (n) => [0x10, n]
export const store = (address, value) => [...constant(address), ...value, 0x36, 2, 0]

/** Returns a list of so many items, which are at that address. */
export const giveList = (at, count) => [...store(8, constant(at)), ...store(12, count), ...constant(8)]

const vec = (items) => [...uleb(items.length), ...items.flat()]
const name = (text) => vec([...Buffer.from(text)])
const section = (number, items) => {
  const body = vec(items)
  return items.length > 0 ? [number, ...uleb(body.length), ...body] : []
}

/**
 * Makes a plugin of that interface. An export is its name, the numbers of its i32 parameters and
 * results, and its code; an import gives a word, unless it has such numbers.
 */
export function wasm({ wit, exports, imports = [], data = [], pages = 2 }) {
  const functions = [['_initialize', 0, 0, []], ['cabi_realloc', 4, 1, constant(16)], ...exports]
  const segments = [...data]
  if (wit !== undefined) {
    const text = Buffer.from(wit)
    const hex = (n) => n.toString(16).padStart(8, '0')
    segments.push([65536, [0xff, ...Buffer.from(`undergo:interface:1:${hex(text.length)}:${hex(crc32(text))}\n`), ...text]])
  }
  const words = (n) => vec(Array(n).fill([0x7f]))
  const types = [...imports.map(([, , params = 0, results = 1]) => [params, results]), ...functions.map(([, params, results]) => [params, results])]
  const bodies = functions.map(([, , , code]) => [0, ...code, 0x0b])
  const count = imports.length
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types.map(([params, results]) => [0x60, ...words(params), ...words(results)])),
    ...section(2, imports.map(([module, field], i) => [...name(module), ...name(field), 0, ...uleb(i)])),
    ...section(3, functions.map((_, i) => uleb(count + i))),
    ...section(5, [[0, ...uleb(pages)]]),
    ...section(7, [[...name('memory'), 2, 0], ...functions.map(([field], i) => [...name(field), 0, ...uleb(count + i)])]),
    ...section(10, bodies.map((body) => [...uleb(body.length), ...body])),
    ...section(11, segments.map(([at, bytes]) => [0, ...constant(at), 0x0b, ...uleb(bytes.length), ...bytes]))
  ])
}
