package dev.undergo.java;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * How a plugin serves HTTP. What is not set is the default.
 *
 * <p>Each method gives the options, changed.
 */
public final class ServeOptions {
    /** Bytes of undergo_serve_options_t. */
    private static final int SIZE = 112;

    private int instances;
    private long maxCalls;
    private Duration idle;
    private int queue;
    private boolean hasNoQueue;
    private int connections;
    private long body;
    private boolean hasNoBody;
    private Consumer<? super UndergoException> onError = ServeOptions::log;

    /** With the defaults. */
    public ServeOptions() {}

    private static long least(String name, long least, long value) {
        if (value < least) {
            throw new IllegalArgumentException(name + " is " + value + "; write a number of at least " + least);
        }
        return value;
    }

    /**
     * The maximum number of instances, each of which answers one request at a time; four for each
     * processor by default.
     */
    public ServeOptions instances(int most) {
        instances = (int) least("instances", 1, most);
        return this;
    }

    /**
     * After how many requests an instance is replaced; 1 gives each request a fresh one. By default
     * it serves as long as it lives.
     */
    public ServeOptions maxCalls(long requests) {
        maxCalls = least("maxCalls", 1, requests);
        return this;
    }

    /** After how long an unused instance is dropped. By default it is kept. */
    public ServeOptions idle(Duration time) {
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException("idle is " + time + "; write a time that is more than 0");
        }
        idle = time;
        return this;
    }

    /**
     * How many requests may wait for an instance, 256 by default; others are refused with status
     * 503.
     */
    public ServeOptions queue(int most) {
        queue = (int) least("queue", 0, most);
        hasNoQueue = most == 0;
        return this;
    }

    /** How many connections there may be at a time, 1024 by default. */
    public ServeOptions connections(int most) {
        connections = (int) least("connections", 1, most);
        return this;
    }

    /** The most bytes of a request's body, 32 MiB by default; a longer one is refused with 413. */
    public ServeOptions body(long most) {
        body = least("body", 0, most);
        hasNoBody = most == 0;
        return this;
    }

    /**
     * What is told of requests that failed, on threads of the server, several at once. What it
     * throws is ignored. By default the {@link System.Logger} of the name {@code undergo.serve}
     * logs them. An exception that a host function threw is the cause of what it gets.
     */
    public ServeOptions onError(Consumer<? super UndergoException> function) {
        onError = java.util.Objects.requireNonNull(function, "onError");
        return this;
    }

    private static void log(UndergoException error) {
        Logger logger = System.getLogger("undergo.serve");
        logger.log(Level.ERROR, "a request failed: " + error.getMessage(), error);
    }

    /** Told of a failed request by the library. */
    record Failures(Consumer<? super UndergoException> onError) {
        void tell(long error) {
            Throwable thrown = UndergoException.read(error, ErrorType.NONE, RawError.NONE);
            onError.accept(thrown instanceof UndergoException own ? own : UndergoException.caused(thrown));
        }
    }

    /** What is done with the options as the library has them. */
    interface Use<T> {
        T with(long options);
    }

    /** The library takes over the function in the use, which has to call it. */
    <T> T with(String address, Use<T> code) {
        long text = Library.cText(address);
        long at = Memory.allocate(SIZE);
        try {
            Memory.clear(at, SIZE);
            Memory.putLong(at, text);
            Memory.putLong(at + 8, instances);
            Memory.putLong(at + 16, maxCalls);
            Memory.putLong(at + 24, Options.nanoseconds(idle));
            Memory.putLong(at + 32, queue);
            Memory.putByte(at + 40, (byte) (hasNoQueue ? 1 : 0));
            Memory.putLong(at + 48, connections);
            Memory.putLong(at + 56, body);
            Memory.putByte(at + 64, (byte) (hasNoBody ? 1 : 0));
            Memory.putLong(at + 96, Library.DISPATCHER);
            Memory.putLong(at + 104, Handles.hold(new Failures(onError)));
            return code.with(at);
        } finally {
            Memory.free(at);
            Memory.free(text);
        }
    }
}
