package dev.undergo

import dev.undergo.java.GoFrame
import dev.undergo.java.GuestException as JavaGuestException

/**
 * The base of all errors of this package; there is a subclass for each kind.
 *
 * `message` is the whole sentence, with the path in front. The stack trace begins with the Go
 * code's frames, where there are any.
 */
typealias UndergoException = dev.undergo.java.UndergoException

/** The kind as one word, the same in every language: `type-mismatch`. */
val UndergoException.kind: String get() = kind()

/** The sentence without the path. */
val UndergoException.sentence: String get() = sentence()

/**
 * Which part of a value is wrong: `greet(p.tags[3])`. Empty when the error is not about a value.
 */
val UndergoException.path: String get() = path()

/** The trace of the goroutine that ended the call, innermost call first. */
val UndergoException.frames: List<Frame> get() = frames()

/** The first of [frames] that is not of Go's runtime. */
val UndergoException.origin: Frame? get() = origin().orElse(null)

/** The code of `os.Exit`. */
val UndergoException.exitCode: Int? get() = exitCode().let { if (it.isPresent) it.asInt else null }

/** The end of what the plugin wrote to its standard error during the call. */
val UndergoException.stderr: String get() = stderr()

/**
 * What the sandbox denied the plugin during the call, and the rule that would allow it: perhaps why
 * the call failed. The last such thing, where there were several.
 */
val UndergoException.denied: String? get() = denied().orElse(null)

/** A frame of a Go traceback: its `function`, `file` and `line`, and whether it `isRuntime`. */
typealias Frame = GoFrame

/** The module is not WebAssembly, is damaged, or was built in a way that can't be called. */
typealias InvalidPluginException = dev.undergo.java.InvalidPluginException

/** The plugin needs functions that were not given. */
typealias MissingImportException = dev.undergo.java.MissingImportException

/** The plugin has no export of that name. */
typealias UnknownExportException = dev.undergo.java.UnknownExportException

/** A function has another signature than is expected: one that is given, or one of the plugin's. */
typealias SignatureMismatchException = dev.undergo.java.SignatureMismatchException

/** A value does not fit its type; [path] says which. */
typealias TypeMismatchException = dev.undergo.java.TypeMismatchException

/**
 * The Go function returned an error. The instance lives on.
 *
 * An error that the plugin has declared has fields, and `undergo bindgen` writes a subclass for it.
 * `cause` is the error that this one wraps, if the plugin has declared any.
 */
typealias GuestException = JavaGuestException

/**
 * An error with fields, for a host function to throw: Go's code gets the plugin's own error of that
 * name, or the text alone where there is none. Fields that do not fit end the plugin's call.
 *
 * @param errorName the error's name in WIT: `not-found`.
 * @param errorFields its fields, by their names in WIT or in Kotlin.
 * @param message what the error says; made of its name when null.
 */
fun GuestException(errorName: String, errorFields: Map<String, Any?>, message: String? = null, cause: Throwable? = null): GuestException {
    val error = JavaGuestException(message ?: errorName.replace('-', ' '), errorName, errorFields.mapValues { (_, value) -> given(value) })
    cause?.let(error::initCause)
    return error
}

/** The error's name in WIT: `not-found`. Null for an error without fields. */
val GuestException.errorName: String? get() = errorName().ifEmpty { null }

/** Its fields, by their names in Kotlin. Null for an error without fields. */
val GuestException.errorFields: Map<String, Any?>?
    get() = errorName?.let { fields().mapValues { (_, value) -> taken(value) } }

/** The Go code panicked, or its runtime gave up. The instance is dead. */
typealias PanicException = dev.undergo.java.PanicException

/** The Go code called `os.Exit` with [exitCode]. The instance is dead. */
typealias ExitException = dev.undergo.java.ExitException

/** The guest did what WebAssembly forbids, or its stack overflowed. The instance is dead. */
typealias TrapException = dev.undergo.java.TrapException

/** The call took longer than its timeout. The instance is dead, unless the call had not begun. */
typealias CallTimeoutException = dev.undergo.java.CallTimeoutException

/** The call was cancelled by a [CancelToken]. The instance is dead, unless it had not begun. */
typealias CallCancelledException = dev.undergo.java.CallCancelledException

/** The fuel was used up. The instance is dead. */
typealias OutOfFuelException = dev.undergo.java.OutOfFuelException

/** The guest wanted more memory than its limit. The instance is dead. */
typealias OutOfMemoryException = dev.undergo.java.OutOfMemoryException

/** A host function failed without an exception of its own. */
typealias HostException = dev.undergo.java.HostException

/** The sandbox forbids it, or can't be made as requested. */
typealias DeniedException = dev.undergo.java.DeniedException

/**
 * The instance is dead or closed, and answers no further call; the message says what ended it.
 */
typealias DeadInstanceException = dev.undergo.java.DeadInstanceException

/** The instance is in the middle of another call of the same thread. */
typealias BusyException = dev.undergo.java.BusyException
