// The package for `import`: the same objects as for `require`.
import undergo from './index.cjs'

export const {
  BusyError,
  CancelledError,
  DeadInstanceError,
  DeniedError,
  ExitError,
  GuestError,
  HostError,
  Instance,
  InvalidPluginError,
  KeyValue,
  MissingImportError,
  OutOfFuelError,
  OutOfMemoryError,
  PanicError,
  Plugin,
  Pool,
  Server,
  SignatureMismatchError,
  TimeoutError,
  TrapError,
  TypeMismatchError,
  UndergoError,
  UnknownExportError,
  config,
  errorCodes,
  errorType,
  keyvalue,
  load,
  logging,
  version
} = undergo

export default undergo
