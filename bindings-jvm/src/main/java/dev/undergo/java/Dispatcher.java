package dev.undergo.java;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CancellationException;

/** What the library calls in Java, all by one function. */
final class Dispatcher {
    // undergo_dispatch_t.
    private static final int ID = 16;
    private static final int WHAT = 24;
    private static final int METHOD = 28;
    private static final int ARGS = 32;
    private static final int LEN = 40;
    private static final int RESULT = 48;
    private static final int SCRATCH = 56;
    private static final int SCRATCH_LEN = 64;
    private static final int ARENA = 72;
    private static final int ERROR = 80;

    private static final int CALL = 1;
    private static final int LINE = 2;
    private static final int FAILURE = 4;

    private Dispatcher() {}

    /** A host function, with the structs of its arguments and of its result. */
    interface Hosted {
        void call(long args, long result, RawRoom room) throws Throwable;
    }

    /**
     * A host function that a plugin has been given, or the methods of an object.
     *
     * @param errors the errors with fields that the plugin has.
     * @param own the object; null for what is none.
     */
    record Given(String[] names, Hosted[] functions, ErrorType[] errors, Object own) {
        void call(long at) {
            int method = Memory.getInt(at + METHOD);
            Answer answer = new Answer(at, errors);
            try {
                functions[method].call(Memory.getLong(at + ARGS), Memory.getLong(at + RESULT), answer);
            } catch (Throwable thrown) {
                answer.letGo();
                Memory.putLong(at + ERROR, handed(names[method], thrown, answer));
            }
        }

        /** Gives what was thrown to the library, with causes if the plugin can look into them. */
        private long handed(String name, Throwable thrown, RawRoom room) {
            long error = Dispatcher.handed(thrown);
            if (errors.length == 0 || thrown instanceof Misfit || isEnding(thrown)) {
                return error;
            }
            try {
                return Chain.give(error, thrown, errors, room);
            } catch (Misfit misfit) {
                return Dispatcher.handed(misfit.of(name));
            }
        }
    }

    /** Does what was asked for. Nothing that is thrown may unwind through the library's frames. */
    static void dispatched(long at) {
        try {
            long id = Memory.getLong(at + ID);
            switch (Memory.getInt(at + WHAT)) {
                case CALL -> ((Given) Handles.get(id)).call(at);
                case LINE -> {
                    byte[] line = Library.bytes(Memory.getLong(at + ARGS), Memory.getLong(at + LEN));
                    ((Output.Lines) Handles.get(id)).line(new String(line, StandardCharsets.UTF_8));
                }
                case FAILURE -> ((ServeOptions.Failures) Handles.get(id)).tell(Memory.getLong(at + ARGS));
                default -> throw new IllegalStateException("the library asks for what this package does not know");
            }
        } catch (Throwable thrown) {
            Memory.putLong(at + ERROR, handed(thrown));
        }
    }

    /** Gives what was thrown to the library. */
    private static long handed(Throwable thrown) {
        if (thrown instanceof Misfit misfit) {
            long text = Library.cBytes(misfit.text().replace('\0', '\uFFFD').getBytes(StandardCharsets.UTF_8));
            try {
                return Library.call(Library.ERROR_OF_KIND, ErrorKind.TYPE_MISMATCH.number(), text);
            } finally {
                Memory.free(text);
            }
        }
        byte[] bytes = Chain.textOf(thrown).getBytes(StandardCharsets.UTF_8);
        long text = Library.cBytes(bytes);
        try {
            long make = isEnding(thrown) ? Library.ERROR_ENDING_DISPATCHED : Library.ERROR_NEW_DISPATCHED;
            return Library.call(make, text, bytes.length, Library.DISPATCHER, Handles.hold(thrown));
        } finally {
            Memory.free(text);
        }
    }

    /** Whether it asks the program to end, or the call: that is no error for Go code to handle. */
    private static boolean isEnding(Throwable thrown) {
        return !(thrown instanceof Exception) || thrown instanceof InterruptedException || thrown instanceof CancellationException;
    }

    /** What a host function threw that the library's error stands for; null when it is none. */
    static Throwable thrown(long error) {
        long number = Memory.allocate(8);
        try {
            return Library.is(Library.call(Library.ERROR_DISPATCHED, error, number)) ? (Throwable) Handles.get(Memory.getLong(number)) : null;
        } finally {
            Memory.free(number);
        }
    }

    /** The program's object of a handle that a component has passed back. */
    static Object own(long object) {
        long number = Memory.allocate(8);
        try {
            return Library.is(Library.call(Library.OBJECT_DISPATCHED, object, number)) ? ((Given) Handles.get(Memory.getLong(number))).own() : null;
        } finally {
            Memory.free(number);
        }
    }

    /** Whether this thread is in a host function. */
    static boolean isInHost() {
        long depth = Memory.allocate(8);
        try {
            Jni.enter(Library.DISPATCH_DEPTH, depth);
            return Memory.getInt(depth) > 0;
        } finally {
            Memory.free(depth);
        }
    }

    /** Room for a host function's result, which lives until the library has read it. */
    private static final class Answer extends RawRoom {
        private final long arena;
        private final ErrorType[] errors;

        Answer(long at, ErrorType[] errors) {
            this.errors = errors;
            next = Memory.getLong(at + SCRATCH);
            end = next + Memory.getLong(at + SCRATCH_LEN);
            arena = Memory.getLong(at + ARENA);
        }

        @Override
        ErrorType[] errorTypes() {
            return errors;
        }

        @Override
        long spill(long size) {
            long at = Library.call(Library.ARENA_ALLOC, arena, size);
            if (at == 0) {
                throw new OutOfMemoryError("there is no memory for " + size + " bytes of a result");
            }
            return at;
        }
    }
}
