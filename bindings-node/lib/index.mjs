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
  MissingImportError,
  OutOfFuelError,
  OutOfMemoryError,
  PanicError,
  Plugin,
  Pool,
  SignatureMismatchError,
  TimeoutError,
  TrapError,
  TypeMismatchError,
  UndergoError,
  UnknownExportError,
  errorCodes,
  errorType,
  load,
  version
} = undergo

export default undergo
