// The same package for `require`.
import undergo = require('undergo')

export async function main(): Promise<string> {
  const instance = await undergo.load('greeter.wasm')
  const error = new undergo.GuestError('text')
  return `${error.code} ${instance.alive}`
}
