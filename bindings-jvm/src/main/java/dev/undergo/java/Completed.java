package dev.undergo.java;

import java.util.List;

/**
 * The result of a command.
 *
 * @param code its exit code: that of {@code os.Exit}, 0 when {@code main} returned, 2 after a
 *     panic, whose text is on its standard error.
 * @param stdout what it wrote to its standard output, if that is captured.
 * @param stderr the same for its standard error.
 * @param truncated whether it wrote more than is captured, or than the limits allow.
 * @param usage what it used.
 * @param denied what the sandbox denied it of the network, each thing once, with the rule that
 *     would allow it.
 */
public record Completed(int code, byte[] stdout, byte[] stderr, boolean truncated, Usage usage, List<String> denied) {
    /** Reads what the library has. */
    static Completed read(long handle) {
        return new Completed(
                (int) Library.call(Library.COMPLETED_CODE, handle),
                bytes(Library.COMPLETED_STDOUT, handle),
                bytes(Library.COMPLETED_STDERR, handle),
                Library.is(Library.call(Library.COMPLETED_IS_TRUNCATED, handle)),
                Usage.read(at -> Library.call(Library.COMPLETED_USED, handle, at)),
                Library.texts(Library.call(Library.COMPLETED_DENIED, handle)));
    }

    private static byte[] bytes(long function, long handle) {
        long pair = Memory.allocate(16);
        try {
            Jni.pair(function, handle, pair);
            return Library.bytes(Memory.getLong(pair), Memory.getLong(pair + 8));
        } finally {
            Memory.free(pair);
        }
    }

    @Override
    public String toString() {
        return "Completed with code " + code + ", " + stdout.length + " and " + stderr.length + " bytes of output";
    }
}
