package dev.undergo.java;

import java.io.IOException;
import java.io.InputStream;

/** Gives a guest the bytes of a stream. */
final class Source {
    /** Bytes that a stream carries at once, at most. */
    static final int CHUNK = 256 << 10;

    private final InputStream stream;
    /** Kept for the next read; a read within a read has its own. */
    private byte[] kept = {};

    Source(InputStream stream) {
        this.stream = stream;
    }

    /** Those of a reader, in their order. */
    Dispatcher.Hosted[] functions() {
        return new Dispatcher.Hosted[] {this::read, (args, result, room) -> stream.close()};
    }

    private void read(long args, long result, RawRoom room) throws IOException {
        int most = (int) Math.min(Math.max(Memory.getInt(args) & 0xffff_ffffL, 1), CHUNK);
        byte[] buffer = kept;
        kept = new byte[0];
        if (buffer.length < most) {
            buffer = new byte[most];
        }
        int count = stream.read(buffer, 0, most);
        if (count == 0 || count > most) {
            throw new IOException(stream.getClass().getTypeName() + " read " + count + " bytes, of " + most);
        }
        // An empty list is the end.
        if (count > 0) {
            Memory.put(Lower.place(room, result, count, 1), buffer, 0, count);
        }
        kept = buffer;
    }
}
