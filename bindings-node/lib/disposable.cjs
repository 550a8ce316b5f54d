// Classes whose objects are closed at the end of a block.
'use strict'

/**
 * Has the class's objects closed by `using`, or by `await using`. Node 20 has the symbols only in
 * its later versions, and TypeScript brings them along.
 */
function disposable(made, symbol) {
  if (symbol) {
    Object.defineProperty(made.prototype, symbol, {
      configurable: true,
      writable: true,
      value: function () {
        return this.close()
      }
    })
  }
}

module.exports = { disposable }
