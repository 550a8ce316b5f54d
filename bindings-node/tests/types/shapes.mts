// A module for a plugin with a variant and with errors, compiled and run.
import assert from 'node:assert/strict'
import { GuestError } from 'undergo'
import { loadShapes, NotFound, Odd, type Host, type NotFoundFields, type Shape, type ShapeInput } from './generated-shapes.mjs'

const host: Host = {
  lookup: async (key) => {
    if (key === '') return 'found'
    throw new Error(`looking up ${key}`, { cause: new NotFound({ key, code: 404 }, `not found: ${key}`) })
  }
}
const shapes = await loadShapes(process.argv[2]!, { imports: { host } })

function area(shape: Shape): number {
  switch (shape.tag) {
    case 'circle':
      return shape.val.radius
    case 'label':
    case 'constructor':
      return shape.val.length
    case 'maybe':
      return shape.val ?? 0
    case 'bytes':
      return shape.val.byteLength
    case 'tag':
      return shape.val
    case 'any':
    case 'empty':
    case 'val':
    case 'none':
      return 0
    default:
      return shape satisfies never
  }
}

const given: ShapeInput[] = [{ tag: 'circle', val: { radius: 2 } }, { tag: 'bytes', val: [1, 2] }, { tag: 'maybe' }, { tag: 'empty' }]
assert.deepEqual((await shapes.echo(given)).map(area), [2, 2, 0, 0])
assert.equal(await shapes.ask(''), 'found')
try {
  await shapes.ask('x')
  assert.fail('it did not fail')
} catch (error) {
  assert.ok(error instanceof GuestError && !(error instanceof NotFound))
  const { cause } = error
  assert.ok(cause instanceof NotFound && cause instanceof shapes.plugin.types.NotFound && !(cause instanceof Odd))
  const same: NotFound = cause
  const [key, fields]: [string, Readonly<NotFoundFields>] = [same.key, same.fields]
  // The code of all errors, and the field of that name.
  const [code, number]: ['guest-error' | string, number] = [same.code, fields.code]
  assert.deepEqual([key, code, number], ['x', 'guest-error', 404])
}

// @ts-expect-error: not a case
const unknown: Shape = { tag: 'square' }
// @ts-expect-error: it has a value
const without: Shape = { tag: 'label' }
// @ts-expect-error: it has none
const withOne: Shape = { tag: 'empty', val: 5 }
// @ts-expect-error: a field is missing
const incomplete = (): NotFound => new NotFound({ key: 'x' })
assert.deepEqual([unknown.tag, without.tag, withOne.tag, typeof incomplete], ['square', 'label', 'empty', 'function'])
console.log('as typed')
