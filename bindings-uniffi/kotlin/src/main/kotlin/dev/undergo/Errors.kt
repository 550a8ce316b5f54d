package dev.undergo

import dev.undergo.core.CallException
import dev.undergo.core.ErrorDetails
import dev.undergo.core.ErrorKind
import dev.undergo.core.ErrorLink
import dev.undergo.core.Frame
import dev.undergo.core.HostFailure
import dev.undergo.core.HostObject
import dev.undergo.core.Value
import kotlinx.coroutines.CancellationException
import java.util.Collections
import java.util.IdentityHashMap

/**
 * The base of all errors of this package; there is a subclass for each kind.
 *
 * `message` is the whole sentence, with the path in front. The stack trace begins with the Go
 * code's frames, where there are any.
 */
sealed class UndergoException(details: ErrorDetails) : RuntimeException(details.text) {
    /** The kind as one word, the same in every language: `type-mismatch`. */
    val kind: String = details.kindName

    /** The sentence without the path. */
    val sentence: String = details.message

    /**
     * Which part of a value is wrong: `greet(p.tags[3])`. Empty when the error is not about a
     * value.
     */
    val path: String = details.path

    /** The trace of the goroutine that ended the call, innermost call first. */
    val frames: List<Frame> = details.frames

    /** The first of [frames] that is not of Go's runtime. */
    val origin: Frame? = details.origin?.let { frames[it.toInt()] }

    /** The code of `os.Exit`. */
    val exitCode: Int? = details.exitCode

    /** The end of what the plugin wrote to its standard error during the call. */
    val stderr: String get() = details.stderr

    /**
     * What the sandbox denied the plugin during the call, and the rule that would allow it: perhaps
     * why the call failed. The last such thing, where there were several.
     */
    val denied: String? get() = details.denied

    /** What is known of it. */
    internal var details: ErrorDetails = details

    init {
        if (frames.isNotEmpty()) {
            stackTrace = (frames.map(::element) + stackTrace).toTypedArray()
        }
    }

    internal companion object {
        /** A value of this side that can't cross. */
        fun mismatch(text: String): UndergoException = TypeMismatchException(details(ErrorKind.TYPE_MISMATCH, "type-mismatch", text))

        /** An error that this side makes. */
        fun details(kind: ErrorKind, name: String, text: String): ErrorDetails =
            ErrorDetails(kind, name, text, text, "", emptyList(), null, null, "", null, emptyList())

        /**
         * What a caller gets: what a host function has thrown, if that is the cause, as the same
         * object.
         */
        fun of(error: CallException): Throwable {
            val failed = error as CallException.Failed
            (failed.raised as? Thrown)?.let { return it.throwable }
            return of(failed.details)
        }

        fun of(details: ErrorDetails): UndergoException = when (details.kind) {
            ErrorKind.INVALID_PLUGIN -> InvalidPluginException(details)
            ErrorKind.MISSING_IMPORT -> MissingImportException(details)
            ErrorKind.UNKNOWN_EXPORT -> UnknownExportException(details)
            ErrorKind.SIGNATURE_MISMATCH -> SignatureMismatchException(details)
            ErrorKind.TYPE_MISMATCH -> TypeMismatchException(details)
            ErrorKind.GUEST_ERROR -> GuestException.of(details) { _, _, _, _ -> null }
            ErrorKind.PANIC -> PanicException(details)
            ErrorKind.EXIT -> ExitException(details)
            ErrorKind.TRAP -> TrapException(details)
            ErrorKind.TIMEOUT -> CallTimeoutException(details)
            ErrorKind.CANCELLED -> CallCancelledException(details)
            ErrorKind.OUT_OF_FUEL -> OutOfFuelException(details)
            ErrorKind.OUT_OF_MEMORY -> OutOfMemoryException(details)
            ErrorKind.HOST_ERROR -> HostException(details)
            ErrorKind.DENIED -> DeniedException(details)
            ErrorKind.DEAD_INSTANCE -> DeadInstanceException(details)
            ErrorKind.BUSY -> BusyException(details)
        }
    }
}

/** The module is not WebAssembly, is damaged, or was built in a way that can't be called. */
class InvalidPluginException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The plugin needs functions that were not given. */
class MissingImportException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The plugin has no export of that name. */
class UnknownExportException internal constructor(details: ErrorDetails) : UndergoException(details)

/** A given function has another signature than the plugin needs. */
class SignatureMismatchException internal constructor(details: ErrorDetails) : UndergoException(details)

/** A value does not fit its type; [path] says which. */
class TypeMismatchException internal constructor(details: ErrorDetails) : UndergoException(details)

/**
 * The Go function returned an error. The instance lives on.
 *
 * An error that the plugin has declared has fields, and `undergo bindgen` writes a subclass for it.
 * [cause] is the error that this one wraps, if the plugin has declared any.
 */
open class GuestException private constructor(details: ErrorDetails, link: ErrorLink?, cause: Throwable?) : UndergoException(details), ToValue {
    /** The error's name in WIT: `not-found`. Null for an error without fields. */
    val errorName: String? = link?.name

    /** Its fields: a record. Null for an error without fields. */
    val errorFields: Value? = link?.fields

    /** Whether a call has returned it; otherwise this side has made it. */
    internal var isReturned = false
        private set

    init {
        cause?.let(::initCause)
    }

    /**
     * One with fields, for a host function to throw: Go's code gets the plugin's own error of that
     * name. With the fields of another plugin's error it gets the text alone.
     *
     * @param message what the error says; made of its name when null.
     */
    constructor(errorName: String, errorFields: Value, message: String? = null, cause: Throwable? = null) :
        this(ErrorLink(message ?: errorName.replace('-', ' '), errorName, errorFields), cause)

    private constructor(link: ErrorLink, cause: Throwable?) :
        this(UndergoException.details(ErrorKind.GUEST_ERROR, "guest-error", link.text), link, cause)

    /** The fields, as a value of their own. */
    override fun toValue(): Value = errorFields ?: Value.Unfit("an error without fields is no record")

    internal companion object {
        /** That of a call, with what it wraps as its causes. */
        fun of(details: ErrorDetails, make: ErrorMaker): GuestException {
            val wrapped = details.chain.drop(1).foldRight(null as GuestException?) { link, cause -> made(link, cause, make) ?: GuestException(link, cause) }
            val first = details.chain.firstOrNull()
            val error = first?.let { made(it, wrapped, make) } ?: GuestException(details, first, wrapped)
            error.details = details
            error.isReturned = true
            return error
        }

        private fun made(link: ErrorLink, cause: Throwable?, make: ErrorMaker): GuestException? {
            val (text, name, fields) = link
            return if (name == null || fields == null) null else make(name, fields, text, cause)
        }
    }
}

/**
 * Makes the exception for an error by its name in WIT, its fields, its text and its cause; null for
 * one that is not known. `undergo bindgen` writes such functions.
 */
typealias ErrorMaker = (name: String, fields: Value, text: String, cause: Throwable?) -> GuestException?

/** Runs a call, and throws the errors that it returns as the classes that are made of them. */
internal inline fun <R> making(noinline make: ErrorMaker, call: () -> R): R =
    try {
        call()
    } catch (error: GuestException) {
        // What a host function has thrown stays what it is.
        throw if (error.isReturned) GuestException.of(error.details, make).also { it.stackTrace = error.stackTrace } else error
    }

/** The Go code panicked, or its runtime gave up. The instance is dead. */
class PanicException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The Go code called `os.Exit` with [exitCode]. The instance is dead. */
class ExitException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The guest did what WebAssembly forbids, or its stack overflowed. The instance is dead. */
class TrapException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The call took longer than its timeout. The instance is dead, unless the call had not begun. */
class CallTimeoutException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The call was cancelled by a [CancelToken]. The instance is dead. */
class CallCancelledException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The fuel was used up. The instance is dead. */
class OutOfFuelException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The guest wanted more memory than its limit. The instance is dead. */
class OutOfMemoryException internal constructor(details: ErrorDetails) : UndergoException(details)

/** A host function failed without an exception of its own. */
class HostException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The sandbox forbids it, or can't be made as requested. */
class DeniedException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The instance is dead and answers no further call; the message says what ended it. */
class DeadInstanceException internal constructor(details: ErrorDetails) : UndergoException(details)

/** The instance is in the middle of another call of the same thread. */
class BusyException internal constructor(details: ErrorDetails) : UndergoException(details)

/** A throwable on its way through the guest: the library hands the same object back. */
internal class Thrown(val throwable: Throwable) : HostObject {
    override fun describe(): String = throwable.toString()
}

/**
 * What a host function has thrown, for the library. What asks the program to end is no error that
 * Go code may handle.
 */
internal fun raised(throwable: Throwable): HostFailure {
    val isError = throwable is Exception && throwable !is CancellationException && throwable !is InterruptedException
    val text = said(throwable)
    val chain = if (isError) chain(throwable) else emptyList()
    return HostFailure.Raised(if (isError) text else "${throwable.javaClass.simpleName}: $text", isError, chain, Thrown(throwable))
}

private fun said(throwable: Throwable): String = throwable.message?.ifEmpty { null } ?: throwable.javaClass.simpleName

/** What errors wrap still deeper is left out. */
private const val LONGEST = 64

/** A throwable and its causes, which may be a circle. */
private fun chain(throwable: Throwable): List<ErrorLink> {
    val seen = Collections.newSetFromMap(IdentityHashMap<Throwable, Boolean>())
    val causes = generateSequence(throwable) { runCatching { it.cause }.getOrNull() }
    return causes.takeWhile(seen::add).take(LONGEST).map {
        val guest = it as? GuestException
        ErrorLink(said(it), guest?.errorName, guest?.errorFields)
    }.toList()
}

/** Calls the library, and throws its errors in the shape of this package. */
internal inline fun <R> calling(code: () -> R): R =
    try {
        code()
    } catch (error: CallException) {
        throw UndergoException.of(error)
    }

private fun element(frame: Frame): StackTraceElement {
    val slash = frame.function.lastIndexOf('/') + 1
    val dot = frame.function.indexOf('.', slash)
    val (module, name) = if (dot < 0) "" to frame.function else frame.function.substring(0, dot) to frame.function.substring(dot + 1)
    return StackTraceElement("go:$module", name, frame.file.ifEmpty { null }, if (frame.line > 0u) frame.line.toInt() else -1)
}
