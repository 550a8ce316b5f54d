// Running a command.
'use strict'

const native = require('./native.cjs')
const { CallOptions, explained } = require('./callee.cjs')
const options = require('./options.cjs')

const RUN = [...options.RUN, 'imports', 'sandbox', 'limits', 'timeout', 'signal', 'bigint']

/** What is given to the native half, and the signal. */
function prepared(plugin, given, name) {
  const { timeout, signal, ...rest } = options.known(given, name, RUN)
  const call = new CallOptions({ timeout, signal })
  return { signal, args: [plugin.handle, options.run(plugin, rest), call.timeout, call.token] }
}

function completed(found) {
  found.stdout = Buffer.from(found.stdout.buffer)
  found.stderr = Buffer.from(found.stderr.buffer)
  return found
}

async function run(plugin, given) {
  const { signal, args } = prepared(plugin, given, 'run()')
  try {
    return completed(await native.run(...args, false))
  } catch (error) {
    throw explained(error, signal)
  }
}

function runSync(plugin, given) {
  const { signal, args } = prepared(plugin, given, 'runSync()')
  try {
    return completed(native.run(...args, true))
  } catch (error) {
    throw explained(error, signal)
  }
}

module.exports = { run, runSync }
