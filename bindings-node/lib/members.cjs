// What an object of the host's program has for a plugin.
'use strict'

const { types } = require('node:util')

/** Whether it is what the objects of a realm, or its functions, all derive from. */
function isRoot(object) {
  return Object.hasOwn(object, 'constructor') && (typeof object === 'function' || Object.hasOwn(object, 'isPrototypeOf')) && !Object.hasOwn(object, 'prototype')
}

/**
 * What the host gives under a name: a key of a Map or of a plain object, or a public property of an
 * object and its classes. A plugin names what it imports, and what all objects have, or a class
 * keeps to itself, is not for it. Only what is asked for is looked at.
 */
function member(given, name) {
  if (types.isMap(given)) return given.get(name)
  const parent = Object.getPrototypeOf(given)
  if (parent === null || (typeof given === 'object' && isRoot(parent))) return Object.hasOwn(given, name) ? given[name] : undefined
  if (name === 'constructor' || name.startsWith('_')) return undefined
  for (let at = given; at !== null && !isRoot(at); at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) return given[name]
  }
  return undefined
}

function camel(kebab) {
  return kebab.replace(/-(.)/g, (_, letter) => letter.toUpperCase())
}

module.exports = { camel, member }
