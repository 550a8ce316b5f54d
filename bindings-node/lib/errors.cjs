// The errors, one class for each kind.
'use strict'

const { isNativeError } = require('node:util').types

/** A frame of a Go traceback. */
class Frame {
  constructor(func, file, line) {
    this.function = func
    this.file = file
    this.line = line
    Object.freeze(this)
  }
}

/**
 * What errors of all copies of this package have: a program may load it twice, or anew, and each
 * copy has classes of its own.
 */
const BRAND = Symbol.for('undergo.error')

/**
 * What errors with fields have as well: their type, which is the same for all copies of the package
 * and of the plugin.
 */
const TYPE = Symbol.for('undergo.type')

/** The classes of this copy. */
const own = new WeakSet()

/** The types of those that are of errors with fields. */
const types = new WeakMap()

/** What all errors of this package are. */
class UndergoError extends Error {
  /**
   * Errors of another copy of the package are recognised, too, by their kind, and those with fields
   * by their type; what a program derives from a class is its own.
   */
  static [Symbol.hasInstance](value) {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true
    if (!own.has(this) || typeof value !== 'object' || value === null || value[BRAND] !== true) return false
    if (types.has(this)) return value[TYPE] === types.get(this)
    return this === UndergoError || value.code === this.code
  }

  get [BRAND]() {
    return true
  }

  constructor(text, details = {}) {
    super(text, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = details.code ?? this.constructor.code
    const hidden = { reason: details.reason ?? text, path: details.path ?? '', frames: details.frames ?? [], stderr: details.stderr ?? '' }
    for (const [name, value] of Object.entries(hidden)) {
      Object.defineProperty(this, name, { value, configurable: true, enumerable: false, writable: true })
    }
    for (const name of ['origin', 'exitCode', 'denied']) {
      Object.defineProperty(this, name, { value: details[name], configurable: true, enumerable: false, writable: true })
    }
    // Bun heads a stack with a name that is the error's own, and asks no getter.
    if (process.versions.bun) {
      Object.defineProperty(this, 'name', { value: this.constructor.name, configurable: true, enumerable: false, writable: true })
    }
  }

  get name() {
    return this.constructor.name
  }
}

/**
 * The stack with the frames of Go before those of JavaScript: from the plugin's own function on, as
 * the first ones are Go's runtime.
 */
function withGoFrames(error) {
  const shown = error.origin === undefined ? error.frames : error.frames.slice(error.frames.indexOf(error.origin))
  const lines = shown.map((frame) => `    at ${frame.function} (${frame.file ? `${frame.file}:${frame.line}` : '<go>'})`)
  const head = `${error.name}: ${error.message}`
  const stack = String(error.stack)
  const at = stack.indexOf('\n    at ')
  return [head, ...lines].join('\n') + (at < 0 ? '' : stack.slice(at))
}

const KINDS = {
  'invalid-plugin': 'InvalidPluginError',
  'missing-import': 'MissingImportError',
  'unknown-export': 'UnknownExportError',
  'signature-mismatch': 'SignatureMismatchError',
  'type-mismatch': 'TypeMismatchError',
  'guest-error': 'GuestError',
  panic: 'PanicError',
  exit: 'ExitError',
  trap: 'TrapError',
  timeout: 'TimeoutError',
  cancelled: 'CancelledError',
  'out-of-fuel': 'OutOfFuelError',
  'out-of-memory': 'OutOfMemoryError',
  'host-error': 'HostError',
  denied: 'DeniedError',
  'dead-instance': 'DeadInstanceError',
  busy: 'BusyError'
}

/** The classes by their names, and by their kinds. */
own.add(UndergoError)
const classes = { UndergoError }
const byKind = new Map()
for (const [code, name] of Object.entries(KINDS)) {
  const made = { [name]: class extends UndergoError {} }[name]
  Object.defineProperty(made, 'code', { value: code })
  classes[name] = made
  own.add(made)
  byKind.set(code, made)
}

/**
 * Makes the class of the errors of a type: `type` is what the plugin's interface calls it, with its
 * fields. Modules that `undergo bindgen` has written call it for classes of their own.
 */
function errorType(name, type) {
  const made = {
    [name]: class extends classes.GuestError {
      constructor(fields, message = '', options = {}) {
        super(message, options)
        const copy = { ...fields }
        Object.defineProperty(this, 'fields', { value: copy, configurable: true, enumerable: false, writable: true })
        for (const [field, value] of Object.entries(copy)) {
          // What all errors have keeps its meaning: a field of such a name is in `fields` alone.
          if (field in this || field === 'cause') continue
          Object.defineProperty(this, field, { value, configurable: true, enumerable: true, writable: true })
        }
      }

      get [TYPE]() {
        return type
      }
    }
  }[name]
  own.add(made)
  types.set(made, type)
  return made
}

/** The most errors of a chain that the core carries. */
const LONGEST = 64

/**
 * An error and its causes, each with the number of its class among these behind it, or -1. A
 * program's errors may be a circle, and what is read of them may throw.
 */
function chain(thrown, known) {
  const seen = new Set()
  const flat = []
  let link = thrown
  while (seen.size < LONGEST && !seen.has(link)) {
    seen.add(link)
    flat.push(link, -1)
    try {
      flat[flat.length - 1] = known.findIndex((one) => link instanceof one)
      link = isNativeError(link) ? link.cause : undefined
    } catch {
      break
    }
    if (!isNativeError(link)) break
  }
  return flat
}

/**
 * What the native half calls: `frames` has three items for each, `cause` is in an array, and
 * `links` has the text, the class and the fields of each error of which this one consists.
 */
function makeError(code, text, reason, path, flat, origin, exitCode, stderr, denied, cause, links) {
  // What a call within a host function came to, and the function let through, tells more than that
  // the function failed.
  if (code === 'host-error' && cause?.[0] instanceof UndergoError) return cause[0]
  const frames = []
  for (let i = 0; i < flat.length; i += 3) frames.push(new Frame(flat[i], flat[i + 1], flat[i + 2]))
  const details = { code, reason, path, frames, origin: frames[origin], exitCode, stderr, denied }
  if (cause !== undefined) details.cause = cause[0]
  for (let i = links.length - 3; i > 0; i -= 3) {
    const [said, type, fields] = links.slice(i, i + 3)
    details.cause = construct(said, type, fields, 'cause' in details ? { cause: details.cause } : {})
  }
  const made = construct(text, links[1] ?? byKind.get(code) ?? UndergoError, links[2], details)
  if (frames.length > 0) made.stack = withGoFrames(made)
  return made
}

/** An error whose stack begins at the call of JavaScript's. */
function construct(text, type = classes.GuestError, fields, details) {
  const made = fields === undefined ? new type(text, details) : new type(fields, text, details)
  Error.captureStackTrace?.(made, makeError)
  return made
}

module.exports = { chain, classes, codes: Object.freeze(Object.keys(KINDS)), errorType, makeError }
