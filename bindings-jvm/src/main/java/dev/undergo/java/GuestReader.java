package dev.undergo.java;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;

/** A stream of a guest's, to read from. */
final class GuestReader extends InputStream {
    private final GuestStream stream;

    GuestReader(Exports exports, Handle handle) {
        stream = new GuestStream(exports, handle, this);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        stream.check();
        if (length == 0) {
            return 0;
        }
        int most = Math.min(length, Source.CHUNK);
        int[] count = {0};
        stream.call(
                this,
                GuestStream.TRANSFER,
                call -> Memory.putInt(call.args() + 8, most),
                call -> {
                    long given = Memory.getLong(call.result() + 8);
                    if (given > most) {
                        throw UndergoException.of(ErrorKind.TRAP, "the guest's stream gave " + given + " bytes, of " + most);
                    }
                    count[0] = (int) given;
                    if (given > 0) {
                        Memory.get(Memory.getLong(call.result()), into, offset, count[0]);
                    }
                });
        return count[0] == 0 ? -1 : count[0];
    }

    @Override
    public long transferTo(OutputStream out) throws IOException {
        byte[] buffer = new byte[Source.CHUNK];
        long all = 0;
        for (int count = read(buffer); count >= 0; count = read(buffer)) {
            out.write(buffer, 0, count);
            all += count;
        }
        return all;
    }

    @Override
    public void close() throws IOException {
        stream.close(this);
    }

    @Override
    public String toString() {
        return "InputStream(" + stream + ")";
    }
}
