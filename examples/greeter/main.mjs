// Calls the greeter: values and errors there and back.
//
// Usage: node main.mjs greeter.wasm

import { Plugin } from 'undergo'

const DIRECTORY = new Map([['Ada', ['mathematics', 'engines']], ['Grace', []]])

/**
 * Gives a person's tags; the plugin calls this. It may be asynchronous: the plugin waits, and this
 * thread does not.
 */
async function lookup(name) {
  if (!DIRECTORY.has(name)) throw new Error(`${name} is not in the directory`)
  return DIRECTORY.get(name)
}

const plugin = await Plugin.load(process.argv[2])
let greeter = await plugin.instantiate({ imports: { directory: { lookup } }, limits: { memory: '64MiB', timeout: 5000 } })

// What the plugin has, with the comments of its Go source.
console.log(`exports: ${plugin.exports.map(({ name }) => name).join(', ')}`)
console.log(`${plugin.exports.find(({ name }) => name === 'greet').docs}\n`)

// An object will do for a record, and what is optional may be left out.
console.log(await greeter.greet({ name: 'Ada', tags: [] }, false))

const grace = { name: 'Grace', email: 'grace@example.com', tags: ['compilers'] }
console.log(`${await greeter.greet(grace, true)}\n`)

// An error that the Go function returns.
await greeter.greet({ name: '', tags: [] }, false).catch((error) => console.log(`${error.code}: ${error.message}`))

// What a function of the host throws reaches Go as an error, where the Go function has one among
// its results.
await greeter.greet({ name: 'Nobody', tags: [] }, false).catch((error) => console.log(`${error.code}: ${error.message}`))

// A value that does not fit: the path says which.
await greeter.greet({ name: 'Ada', tags: ['a', 'b', 3] }, false).catch((error) => console.log(`${error.code}: at ${error.path}`))

// A name that is misspelt.
await greeter.call('great', grace, false).catch((error) => console.log(`${error.code}: ${error.message}`))

// The instance has lived through all of these. A panic ends it.
console.log(greeter.alive ? 'alive' : 'ended')
await greeter.initial({ name: '', tags: [] }).catch((error) => {
  console.log(`${error.code}: ${error.message}`)
  console.log(`in ${error.frames[0].function}`)
})
console.log(greeter.alive ? 'alive' : 'ended')

// The plugin itself is as good as ever, and a new instance is quickly made.
greeter = await plugin.instantiate({ imports: { directory: { lookup } } })
console.log(await greeter.initial(grace))
