// The errors, one class for each kind.
'use strict'

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

/** The classes of this copy. */
const own = new WeakSet()

/** What all errors of this package are. */
class UndergoError extends Error {
  /**
   * Errors of another copy of the package are recognised, too, by their kind; what a program
   * derives from a class is its own.
   */
  static [Symbol.hasInstance](value) {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true
    if (!own.has(this) || typeof value !== 'object' || value === null || value[BRAND] !== true) return false
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

/** What the native half calls: `frames` has three items for each, and `cause` is in an array. */
function makeError(code, text, reason, path, flat, origin, exitCode, stderr, denied, cause) {
  // What a call within a host function came to, and the function let through, tells more than that
  // the function failed.
  if (code === 'host-error' && cause?.[0] instanceof UndergoError) return cause[0]
  const frames = []
  for (let i = 0; i < flat.length; i += 3) frames.push(new Frame(flat[i], flat[i + 1], flat[i + 2]))
  const details = { code, reason, path, frames, origin: frames[origin], exitCode, stderr, denied }
  if (cause !== undefined) details.cause = cause[0]
  const made = new (byKind.get(code) ?? UndergoError)(text, details)
  Error.captureStackTrace?.(made, makeError)
  if (frames.length > 0) made.stack = withGoFrames(made)
  return made
}

module.exports = { classes, codes: Object.freeze(Object.keys(KINDS)), makeError }
