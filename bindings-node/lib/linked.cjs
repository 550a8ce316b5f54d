// Instances that other instances can be linked to.
'use strict'

/** By the instance: what the native half has of it. */
const handles = new WeakMap()

/** Lets an instance be given as imports, for as long as it lives. */
function linkable(instance, handle) {
  handles.set(instance, handle)
  return instance
}

/** What the native half has of an instance; nothing for anything else. */
function linked(given) {
  return handles.get(given)
}

module.exports = { linkable, linked }
