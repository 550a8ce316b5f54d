package dev.undergo.java;

import java.io.IOException;
import java.io.OutputStream;

/** Gives a stream the bytes of a guest. */
final class Sink {
    private final OutputStream stream;

    Sink(OutputStream stream) {
        this.stream = stream;
    }

    /** Those of a writer, in their order. */
    Dispatcher.Hosted[] functions() {
        return new Dispatcher.Hosted[] {this::write, (args, result, room) -> stream.close()};
    }

    private void write(long args, long result, RawRoom room) throws IOException {
        long at = Memory.getLong(args);
        long left = Memory.getLong(args + 8);
        while (left > 0) {
            byte[] bytes = Library.bytes(at, Math.min(left, Source.CHUNK));
            stream.write(bytes);
            at += bytes.length;
            left -= bytes.length;
        }
    }
}
