// The greeter in JavaScript, which jco makes a component of.
import { lookup } from 'test:greeter/directory'

export function greet({ name, email, tags }) {
  if (name === '') throw 'nobody to greet'
  const friends = lookup(name)
  const address = email === undefined ? '' : ` <${email}>`
  return `Hello ${name}${address}: ${[...tags, ...friends].join(', ')}`
}

export function turn(numbers) {
  return numbers.toReversed()
}

export function areas(shapes) {
  return shapes.map(({ tag, val }) => (tag === 'circle' ? 3 * val ** 2 : undefined))
}

export function names(people) {
  return people.map(({ name }, place) => (name === '' ? { tag: 'err', val: place } : { tag: 'ok', val: name }))
}

export function first(numbers) {
  if (numbers.length === 0) throw new RangeError('there is no number')
  return numbers[0]
}

export function press(rounds, data) {
  let kept = []
  for (let i = 0; i < rounds; i++) kept = [...kept.slice(-10), data.slice(), `${i}`.repeat(100)]
  return BigInt(data.reduce((sum, byte) => sum + byte, 0))
}
