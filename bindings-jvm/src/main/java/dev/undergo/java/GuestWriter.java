package dev.undergo.java;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;

/** A stream of a guest's, to write to. */
final class GuestWriter extends OutputStream {
    private final GuestStream stream;

    GuestWriter(Exports exports, Handle handle) {
        stream = new GuestStream(exports, handle, this);
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        stream.check();
        int end = offset + length;
        for (int at = offset; at < end; at += Source.CHUNK) {
            int from = at;
            int count = Math.min(end - at, Source.CHUNK);
            stream.call(
                    this,
                    GuestStream.TRANSFER,
                    call -> Memory.put(Lower.place(call, call.args() + 8, count, 1), bytes, from, count),
                    call -> {});
        }
    }

    @Override
    public void close() throws IOException {
        stream.close(this);
    }

    @Override
    public String toString() {
        return "OutputStream(" + stream + ")";
    }
}
