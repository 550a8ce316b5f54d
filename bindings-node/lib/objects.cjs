// Objects of a plugin: a class for each resource.
'use strict'

const { inspect } = require('node:util')
const { disposable } = require('./disposable.cjs')
const { classes } = require('./errors.cjs')
const { iterators } = require('./iterators.cjs')
const native = require('./native.cjs')
const { readers, writers } = require('./streams.cjs')

/** How the methods of a class are called, and the resource of which it is. */
const CALLS = Symbol('undergo.calls')
const RESOURCE = Symbol('undergo.resource')

/** Has an object make a property when it is asked for. */
function lazy(object, name, make) {
  const own = (at, value) => void Object.defineProperty(at, name, { value, configurable: true, enumerable: true, writable: true })
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable: true,
    get: () => {
      const value = make()
      own(object, value)
      return value
    },
    // An object that inherits the property gets one of its own.
    set(value) {
      own(this, value)
    }
  })
}

/** Another object for the same one of the guest, whose methods are called in another way. */
function shared(object, calls) {
  return native.share(object, Object.create(calls.classOf(object[RESOURCE]).prototype))
}

/** The method of a name that is known only when the program runs. */
function method(object, name) {
  const { name: resource, methods } = object[CALLS].plugin.resources[object[RESOURCE]]
  const found = methods.find((one) => one.name === name || one.witName.endsWith(`.${name}`))
  if (found === undefined) throw new classes.UnknownExportError(`${resource} has no method '${String(name)}'`)
  return object[CALLS].bind(found.number)
}

/** What all objects of plugins have. */
class GuestObject {
  get closed() {
    return !native.isOpen(this)
  }

  using(options) {
    return shared(this, this[CALLS].using(options))
  }

  [inspect.custom]() {
    const { plugin } = this[CALLS]
    return `${plugin.resources[this[RESOURCE]].name} of ${plugin.name}${this.closed ? ', closed' : ''}`
  }
}

/** One whose methods give promises. */
class AsyncObject extends GuestObject {
  get sync() {
    const { caller, options } = this[CALLS]
    return shared(this, caller.calls(options, true))
  }

  async call(name, ...args) {
    return Reflect.apply(method(this, name), this, args)
  }

  async close() {
    await this[CALLS].close(this)
  }
}

/** One whose methods return when they are over. */
class SyncObject extends GuestObject {
  call(name, ...args) {
    return Reflect.apply(method(this, name), this, args)
  }

  close() {
    this[CALLS].close(this)
  }
}

disposable(AsyncObject, Symbol.asyncDispose)
disposable(SyncObject, Symbol.dispose)

/** The class of a resource: an object of it is made by the plugin, and then given this class. */
function objectClass(calls, number) {
  const { name, constructs, methods } = calls.plugin.resources[number]
  let construct
  const make = (args) => {
    if (constructs === undefined) throw new TypeError(`${name} has no constructor: the plugin gives its objects by other functions`)
    construct ??= calls.bind(constructs.number)
    return construct(...args)
  }
  const made = {
    [name]: class extends (calls.sync ? SyncObject : AsyncObject) {
      constructor(...args) {
        if (!calls.sync) throw new TypeError(`making a ${name} takes a call of the plugin: await ${name}.create(…), or use new sync.${name}(…) of the instance`)
        const object = make(args)
        // That of a class which is derived from this one.
        if (new.target !== made) Object.setPrototypeOf(object, new.target.prototype)
        // eslint-disable-next-line no-constructor-return
        return object
      }

      static create(...args) {
        return make(args)
      }

      /** Also of the same resource of the same instance, but called in another way. */
      static [Symbol.hasInstance](value) {
        if (this !== made) return Function.prototype[Symbol.hasInstance].call(this, value)
        return value instanceof GuestObject && value[RESOURCE] === number && value[CALLS].caller === calls.caller
      }
    }
  }[name]
  const hidden = { [CALLS]: calls, [RESOURCE]: number }
  for (const key of [CALLS, RESOURCE]) Object.defineProperty(made.prototype, key, { value: hidden[key] })
  for (const one of methods) {
    // What all objects have keeps its meaning; `call` reaches a method of such a name, too.
    if (one.name in made.prototype || one.name === 'then') continue
    lazy(made.prototype, one.name, () => calls.bind(one.number))
  }
  return made
}

/** What makes objects for those of a resource. */
function maker(calls, number) {
  const resource = calls.plugin.resources[number]
  switch (resource.shape) {
    case 'iterator':
      return iterators(calls, number)
    case 'reader':
      return readers(calls, resource)
    case 'writer':
      return writers(calls, resource)
    default: {
      const { prototype } = calls.classOf(number)
      return () => Object.create(prototype)
    }
  }
}

module.exports = { lazy, maker, objectClass }
