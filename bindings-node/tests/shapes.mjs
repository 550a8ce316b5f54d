// A plugin with a variant and with errors with fields, which gives back what it gets.
import { Plugin } from 'undergo'
import { call, constant, param, store, wasm } from './wasm.mjs'

const ANSWER = 60_000

const wit = (world) => `
package undergo:${world};
interface types {
  use undergo:go/types.{json as undergo-json};
  record circle { radius: f64, name: option<string> }
  variant shape {
    circle(circle), label(string), empty, maybe(option<u8>), bytes(list<u8>), any(undergo-json), tag(u8), val, %constructor(string), none
  }
  record not-found { key: string, code: s64 }
  record odd { message: string, cause: string, stack: u8, name: string, fields: u8, to-string: u8, %constructor: u8, %own: u8 }
  variant error { text(string), not-found(tuple<string, not-found>), odd(tuple<string, odd>) }
}
world ${world} {
  use types.{shape, not-found, error};
  import host: interface {
    use types.{error};
    lookup: func(key: string) -> result<string, list<error>>;
  }
  export echo: func(shapes: list<shape>) -> list<shape>;
  export ask: func(key: string) -> result<string, list<error>>;
  export show: func(errors: list<not-found>, shape: list<shape>);
}
package undergo:go { interface types { type json = string; } }
`

/** The plugin's bytes. `ask` passes on what the host's `lookup` answers. */
export const bytes = (world = 'shapes') =>
  wasm({
    wit: wit(world),
    pages: 32,
    imports: [['host', 'lookup', 3, 0]],
    exports: [
      ['echo', 2, 1, [...store(8, param(0)), ...store(12, param(1)), ...constant(8)]],
      ['ask', 2, 1, [...param(0), ...param(1), ...constant(ANSWER), ...call(0), ...constant(ANSWER)]],
      ['show', 4, 0, []]
    ]
  })

export const shapes = Plugin.compileSync(bytes())

/** Makes an instance whose host function is this one. */
export const shapesWith = (lookup, options) => shapes.instantiateSync({ imports: { host: { lookup } }, ...options })
