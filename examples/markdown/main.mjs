// Renders the README of this project with goldmark, a Markdown library that is written in Go.
//
// Usage: node main.mjs markdown.wasm [FILE]

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { load } from 'undergo'

const source = await readFile(process.argv[3] ?? new URL('../../README.md', import.meta.url))

const markdown = await load(process.argv[2], { limits: { memory: '64MiB', timeout: 10_000 } })
const html = await markdown.render(source, { github: true, unsafe: false })

// Each heading of the source is one of the HTML, in the same order.
const headings = await markdown.outline(source)
const rendered = [...html.matchAll(/<h([1-6]) id="([^"]+)">/g)].map(([, level, id]) => [Number(level), id])
assert.deepEqual(rendered, headings.map(({ level, id }) => [level, id]))

const count = (text) => html.split(text).length - 1
console.log(`${source.length} bytes of Markdown, ${Buffer.byteLength(html)} bytes of HTML`)
console.log(`${headings.length} headings:`)
for (const { line, level, text } of headings) console.log(`${String(line).padStart(5)}  ${'  '.repeat(level - 1)}${text}`)
console.log(`${count('<pre>')} blocks of code, ${count('<table>')} tables, ${count('<a href=')} links`)

// HTML in a document is left out, unless the host wants it.
console.log((await markdown.render(Buffer.from('*Safe* <script>alert(1)</script>'))).trim())
