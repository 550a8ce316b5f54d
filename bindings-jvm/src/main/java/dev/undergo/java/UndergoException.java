package dev.undergo.java;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The base of all errors of this package; there is a subclass for each kind.
 *
 * <p>The message is the whole sentence, with the path in front. The stack trace begins with the Go
 * code's frames, where there are any.
 */
public abstract sealed class UndergoException extends RuntimeException
        permits BusyException, CallCancelledException, CallTimeoutException, DeadInstanceException,
        DeniedException, ExitException, GuestException, HostException, InvalidPluginException,
        MissingImportException, OutOfFuelException, OutOfMemoryException, PanicException,
        SignatureMismatchException, TrapException, TypeMismatchException, UnknownExportException {
    private static final long serialVersionUID = 1;

    private final ErrorKind kind;
    private transient Details details;

    /** What the library says of an error. */
    record Details(String message, String path, List<GoFrame> frames, OptionalInt exitCode, String stderr, Optional<String> denied) {
        /** Of an error of this side. */
        static Details of(String message, String path) {
            return new Details(message, path, List.of(), OptionalInt.empty(), "", Optional.empty());
        }

        String text() {
            return path.isEmpty() ? message : path + ": " + message;
        }
    }

    UndergoException(ErrorKind kind, Details details) {
        super(details.text());
        this.kind = kind;
        this.details = details;
        if (!details.frames.isEmpty()) {
            List<StackTraceElement> trace = new ArrayList<>();
            details.frames.forEach(frame -> trace.add(frame.element()));
            trace.addAll(Arrays.asList(getStackTrace()));
            setStackTrace(trace.toArray(StackTraceElement[]::new));
        }
    }

    /** The kind as one word, the same in every language: {@code type-mismatch}. */
    public final String kind() {
        return kind.word();
    }

    /** The sentence without the path. */
    public final String sentence() {
        return details.message;
    }

    /**
     * Which part of a value is wrong: {@code greet(p.tags[3])}. Empty when the error is not about a
     * value.
     */
    public final String path() {
        return details.path;
    }

    /** The trace of the goroutine that ended the call, innermost call first. */
    public final List<GoFrame> frames() {
        return details.frames;
    }

    /** The first of the frames that is not of Go's runtime: the one to show. */
    public final Optional<GoFrame> origin() {
        return details.frames.stream().filter(frame -> !frame.isRuntime()).findFirst();
    }

    /** The code of {@code os.Exit}. */
    public final OptionalInt exitCode() {
        return details.exitCode;
    }

    /** The end of what the plugin wrote to its standard error during the call. */
    public final String stderr() {
        return details.stderr;
    }

    /**
     * The last thing that the sandbox denied the plugin during the call, with the rule that would
     * allow it: perhaps why the call failed.
     */
    public final Optional<String> denied() {
        return details.denied;
    }

    /** An error of this side. */
    static UndergoException of(ErrorKind kind, String message) {
        return of(kind, message, "");
    }

    /** An error of this side about a value. */
    static UndergoException of(ErrorKind kind, String message, String path) {
        return of(kind, Details.of(message, path));
    }

    private static UndergoException of(ErrorKind kind, Details details) {
        return switch (kind) {
            case INVALID_PLUGIN -> new InvalidPluginException(details);
            case MISSING_IMPORT -> new MissingImportException(details);
            case UNKNOWN_EXPORT -> new UnknownExportException(details);
            case SIGNATURE_MISMATCH -> new SignatureMismatchException(details);
            case TYPE_MISMATCH -> new TypeMismatchException(details);
            case GUEST_ERROR -> new GuestException(details);
            case PANIC -> new PanicException(details);
            case EXIT -> new ExitException(details);
            case TRAP -> new TrapException(details);
            case TIMEOUT -> new CallTimeoutException(details);
            case CANCELLED -> new CallCancelledException(details);
            case OUT_OF_FUEL -> new OutOfFuelException(details);
            case OUT_OF_MEMORY -> new OutOfMemoryException(details);
            case HOST_ERROR -> new HostException(details);
            case DENIED -> new DeniedException(details);
            case DEAD_INSTANCE -> new DeadInstanceException(details);
            case BUSY -> new BusyException(details);
        };
    }

    /** Throws what an error of the library stands for, unless it is none. */
    static void check(long error) {
        if (error != 0) {
            throw sneaky(taken(error, ErrorType.NONE, RawError.NONE));
        }
    }

    /**
     * Reads an error of the library, and frees it: what a host function threw, if that is it, as
     * the same object.
     *
     * @param types the errors with fields that the plugin has.
     * @param known those of them that generated code has an exception for.
     */
    static Throwable taken(long error, ErrorType[] types, RawError[] known) {
        try {
            return read(error, types, known);
        } finally {
            Library.call(Library.ERROR_DELETE, error);
        }
    }

    /** The same without freeing it. */
    static Throwable read(long error, ErrorType[] types, RawError[] known) {
        long words = Memory.allocate(24);
        try {
            Throwable thrown = Dispatcher.thrown(error);
            if (thrown != null) {
                return thrown;
            }
            ErrorKind kind = ErrorKind.of((int) Library.call(Library.ERROR_KIND, error));
            OptionalInt exitCode = Library.is(Library.call(Library.ERROR_EXIT_CODE, error, words)) ? OptionalInt.of(Memory.getInt(words)) : OptionalInt.empty();
            List<GoFrame> frames = new ArrayList<>();
            while (Library.is(Library.call(Library.ERROR_FRAME, error, frames.size(), words))) {
                frames.add(new GoFrame(
                        Library.text(Memory.getLong(words)), Library.text(Memory.getLong(words + 8)), Memory.getInt(words + 16), Memory.getByte(words + 20) != 0));
            }
            Details details = new Details(
                    text(Library.ERROR_MESSAGE, error), text(Library.ERROR_PATH, error), List.copyOf(frames), exitCode,
                    text(Library.ERROR_STDERR, error), Optional.ofNullable(Library.text(Library.call(Library.ERROR_DENIED, error))));
            GuestException outermost = kind == ErrorKind.GUEST_ERROR ? Chain.read(error, types, known) : null;
            if (outermost == null) {
                return of(kind, details);
            }
            ((UndergoException) outermost).details = details;
            return outermost;
        } finally {
            Memory.free(words);
        }
    }

    /** The error for what a host function threw, where nobody called the export that it ended. */
    static UndergoException caused(Throwable thrown) {
        UndergoException error = of(ErrorKind.HOST_ERROR, String.valueOf(thrown));
        error.initCause(thrown);
        return error;
    }

    private static String text(long from, long error) {
        String text = Library.text(Library.call(from, error));
        return text == null ? "" : text;
    }

    /** Throws anything, also what is checked. The result is for a throw of the caller's. */
    @SuppressWarnings("unchecked")
    static <T extends Throwable> RuntimeException sneaky(Throwable thrown) throws T {
        throw (T) thrown;
    }
}
