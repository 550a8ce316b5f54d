// Objects, iterators and streams of a plugin, as a program's types have them.
import type { Readable } from 'node:stream'
import type { AnyObject, AsyncItems, GuestClass, GuestObject, Instance, Pool } from 'undergo'
interface TallyMethods {
  value(): Promise<number>
  copy(): Promise<Tally>
  each(): Promise<AsyncItems<string>>
  merge(other: AnyObject<TallyMethods>): Promise<Tally[]>
}
type Tally = GuestObject<TallyMethods>
interface LampMethods { on(): Promise<boolean> }
interface Person { name: string; born: Date; data: Uint8Array; any: unknown; tally?: Tally | undefined; m: Map<number, Tally>; r: Record<string, Tally> }
interface Exports {
  Tally: GuestClass<TallyMethods, [start: number | bigint]>
  Lamp: GuestClass<LampMethods, []>
  sum(a: AnyObject<TallyMethods>, b: AnyObject<TallyMethods>): Promise<number>
  person(): Promise<Person>
  open(): Promise<Readable>
  both(): Promise<[Tally, string]>
}
export async function use(inst: Instance<Exports>, pool: Pool<Exports>): Promise<void> {
  const t: Tally = await inst.Tally.create(5)
  const s = new inst.sync.Tally(5n)
  const n: number = s.value()
  const words: string[] = [...s.each()]
  for await (const w of await t.each()) words.push(w)
  const c = s.copy().copy()
  const m: number = c.value() + (await inst.sum(t, s)) + inst.sync.sum(c, t)
  const p = inst.sync.person()
  const v: number | undefined = p.tally?.value()
  const q: number = p.m.get(5)!.value() + p.r['x']!.value()
  const date: Date = p.born
  const [one, text]: [{ value(): number }, string] = inst.sync.both()
  const chunk: Buffer = inst.sync.open().read(5)
  const view: Tally = t.using({ timeout: 5 })
  const k: number = t.sync.value()
  // @ts-expect-error: a lamp
  await inst.sum(t, await inst.Lamp.create())
  // @ts-expect-error: text
  await inst.Tally.create('x')
  const lent = await pool.instance()
  const u: Tally = await lent.Tally.create(1)
  lent.release()
  pool.sync.instance().release()
  await u.close()
  if (u instanceof inst.Tally) await u.value()
  console.log(n, words, m, v, q, date, one, text, chunk, view, k)
}
