package dev.undergo.java;

import java.io.IOException;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicBoolean;

/** What a stream of a guest's calls, in both directions. */
final class GuestStream {
    /** The places of the methods. */
    static final int TRANSFER = 0;
    private static final int CLOSE = 1;

    private final Exports exports;
    private final Handle handle;
    private final AtomicBoolean isClosed = new AtomicBoolean();

    GuestStream(Exports exports, Handle handle, Object stream) {
        this.exports = exports;
        this.handle = handle;
        Plugin.CLEANER.register(stream, handle::drop);
    }

    /** What is done with the structs of a call. */
    interface Work {
        void with(RawCall call);
    }

    /**
     * Calls a method.
     *
     * @param stream what is not collected meanwhile.
     * @param write writes the arguments behind the handle.
     * @throws IOException which an error of the Go code's is the cause of.
     */
    void call(Object stream, int method, Work write, Work read) throws IOException {
        FunctionType function = handle.type.methods[method];
        int size = function.result == null ? 0 : function.result.size;
        RawCall call = RawCall.begin(exports, function.number, function.digest, function.size, size, RawError.NONE);
        try {
            handle.put(call, call.args());
            write.with(call);
            call.run();
            read.with(call);
        } catch (GuestException error) {
            throw new IOException(error.sentence(), error);
        } catch (RuntimeException error) {
            throw call.failed(function.name, error);
        } finally {
            call.end();
            Reference.reachabilityFence(stream);
        }
    }

    void check() throws IOException {
        if (isClosed.get()) {
            throw new IOException("the stream is closed");
        }
    }

    /** Closes it as Go's {@code Close} does. */
    void close(Object stream) throws IOException {
        if (!isClosed.compareAndSet(false, true)) {
            return;
        }
        try {
            if (handle.isOpen()) {
                call(stream, CLOSE, call -> {}, call -> {});
            }
        } finally {
            handle.close();
        }
    }

    @Override
    public String toString() {
        return handle.type.name + (isClosed.get() ? ", closed" : "");
    }
}
