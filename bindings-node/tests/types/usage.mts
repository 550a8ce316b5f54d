// What type checkers let through, and what they don't. Compiled by types.test.mjs, and never run.
import undergo, { GuestError, Instance, load, Plugin, Pool, TimeoutError, UndergoError, errorCodes, errorType, version } from 'undergo'
import type { Completed, ErrorCode, ErrorWithFields, Frame, InstanceOptions, PoolStats, Usage } from 'undergo'

const plugin: Plugin = await Plugin.load('greeter.wasm', { compile: 'best', cache: false })
const same: Plugin = Plugin.compileSync(new Uint8Array(5))
const options: InstanceOptions = {
  imports: { directory: { lookup: async (name: string) => [name] } },
  sandbox: { env: { A: 'b' }, dirs: { '/data': { path: new URL('file:///tmp'), readonly: true } }, stdin: Buffer.of(1), stdout: (line) => void line.length },
  limits: { memory: '64MiB', timeout: 100, fuel: 1e9 },
  bigint: true
}
const instance: Instance = await plugin.instantiate(options)
await instance.greet({ name: 'Ada' }, true)
instance.sync.greet({ name: 'Ada' })
instance.sync.reset({ timeout: 5 })
await instance.using({ signal: AbortSignal.timeout(5), timeout: 1 }).using({}).greet()
await instance.exports.greet()
const usage: Usage = instance.usage
const memory: Uint8Array = instance.memory.read(usage.memory, 1)
const text: string = instance.takeStdout().toString()
const pool: Pool = same.pool({ size: 2, maxCalls: 1, idle: 5, ...options })
const stats: PoolStats = pool.stats
await pool.close(5)
await (await load('x.wasm', { ...options, compile: 'fast' })).call('greet', stats, memory, text)

const ended: Completed = await plugin.run({ args: ['-v'], env: { A: 'b' }, stdin: Buffer.of(1), sandbox: { dirs: { '/data': '.' }, clock: new Date(), seed: 7n, network: 'example.org:443', listeners: ['127.0.0.1:8080'] }, timeout: 5, signal: AbortSignal.timeout(5) })
const printed: string = plugin.runSync().stdout.toString() + ended.code + ended.truncated + ended.denied.join() + ended.usage.time

interface Exports {
  greet(name: string, shout?: boolean): Promise<string>
  using(n: number): Promise<number>
}
const typed = await plugin.instantiate<Exports>({})
const greeting: string = await typed.greet('Ada')
const now: string = typed.sync.greet(greeting, true)
const later: string = await typed.using({ timeout: 5 }).greet(now)
// One that collides is reached through `exports`.
const number: number = await typed.exports.using(5)
const atOnce: number = typed.sync.exports.using(number)

const NotFound = errorType<{ key: string; code: number; toString: number }>('NotFound', 'greeter: not-found { key: string, code: s64 }')
class Missing extends NotFound {}
const missing: ErrorWithFields<{ key: string }> = new Missing({ key: 'x', code: 404, toString: 1 }, 'text', { cause: new GuestError('text', { cause: greeting }) })
// A field of a name that all errors have is in `fields` alone.
const [key, kind, field, shown]: [string, ErrorCode, number, string] = [missing.key, missing.code, new NotFound({ key: 'x', code: 1, toString: 2 }).fields.code, missing.toString()]
const untyped = new plugin.types.NotFound({ key: 'x' })

try {
  await instance.greet()
} catch (error) {
  if (error instanceof NotFound) console.log(error.key, error.fields.toString, key, kind, field, shown, untyped)
  if (error instanceof plugin.types.Anything) throw error
  if (error instanceof GuestError || error instanceof TimeoutError) {
    const found: ErrorCode = error.code
    const frames: readonly Frame[] = (error as UndergoError).frames
    console.log(printed, found, frames, error.cause, later, atOnce, errorCodes, version, undergo.version)
  }
}

// @ts-expect-error: a field is missing
new NotFound({ key: 'x', code: 1 })
// @ts-expect-error: it is made by its static methods
new Plugin()
// @ts-expect-error: a pool has a size
plugin.pool({})
// @ts-expect-error: no such option
await plugin.instantiate({ limit: 5 })
// @ts-expect-error: its content is bytes
await plugin.run({ stdin: 'text' })
// @ts-expect-error: it must be said
await Plugin.loadCompiled('x')
// @ts-expect-error: not one of them
const code: ErrorCode = 'unknown'
// @ts-expect-error: an argument of another type
await typed.greet(5)
// @ts-expect-error: what is made is no promise
await typed.sync.greet('x').then((made) => made)
// @ts-expect-error: no such export
typed.great
// @ts-expect-error: milliseconds are a number
instance.using({ timeout: '5' })
export { code }
