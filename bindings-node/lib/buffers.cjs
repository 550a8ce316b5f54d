// Buffers whose memory may be gone.
'use strict'

const { types } = require('node:util')

const atOf = Object.getPrototypeOf(Uint8Array.prototype).at
const lengthOf = Object.getOwnPropertyDescriptor(DataView.prototype, 'byteLength').get

/**
 * Whether the memory of a buffer is still there, and all of that which a view shows: the language's
 * own functions fail where it is not.
 */
function intact(given) {
  try {
    if (types.isTypedArray(given)) Reflect.apply(atOf, given, [0])
    else if (types.isDataView(given)) Reflect.apply(lengthOf, given, [])
    else if (types.isArrayBuffer(given)) new Uint8Array(given)
    return true
  } catch {
    return false
  }
}

module.exports = { intact }
