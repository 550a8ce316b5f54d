// The package for `require`.
'use strict'

const errors = require('./errors.cjs')
const { Instance } = require('./instance.cjs')
const native = require('./native.cjs')
const { Plugin } = require('./plugin.cjs')
const { Pool } = require('./pool.cjs')
const { Server } = require('./server.cjs')
const { KeyValue, config, keyvalue, logging } = require('./services.cjs')

/** Load a plugin and make an instance of it. */
async function load(path, options) {
  const plugin = await Plugin.load(path, options)
  return plugin.instantiate(options)
}

module.exports = {
  ...errors.classes,
  Instance,
  KeyValue,
  Plugin,
  Pool,
  Server,
  config,
  errorCodes: errors.codes,
  errorType: errors.errorType,
  keyvalue,
  load,
  logging,
  version: native.version
}
