package dev.undergo.java;

import java.lang.ref.Reference;
import java.time.Duration;
import java.util.List;

/**
 * A running copy of a plugin: its own memory, goroutines and globals.
 *
 * <p>Threads may share it: one call runs at a time, and others wait. A host function may call back
 * into the instance that called it. When a call ends in any other way than by a return or a
 * returned Go error, the instance is dead, and each later call throws {@link
 * DeadInstanceException}. Close it when it is no longer needed: its memory is outside of the JVM's.
 */
public final class Instance extends Exports implements AutoCloseable {
    Instance(Plugin plugin, Callee callee, long limit) {
        super(plugin, callee, limit, 0, null);
        Plugin.CLEANER.register(this, callee::close);
    }

    /** Whether it answers calls. */
    public boolean isAlive() {
        return !callee.isClosed() && callee.is(Library.INSTANCE_IS_ALIVE);
    }

    /** Whether its code is that of the better compiler. */
    public boolean isBest() {
        return callee.is(Library.INSTANCE_IS_BEST);
    }

    /** What the last call used, or the initialisation before the first. */
    public Usage usage() {
        return Usage.read(at -> {
            callee.use(handle -> {
                UndergoException.check(Library.call(Library.INSTANCE_USAGE, handle, at));
                return null;
            });
        });
    }

    /** How many handles it has now. It can be read during a call. */
    public HandleCounts handles() {
        long at = Memory.allocate(8);
        try {
            return callee.use(handle -> {
                UndergoException.check(Library.call(Library.INSTANCE_HANDLES, handle, at));
                return HandleCounts.read(at);
            });
        } finally {
            Memory.free(at);
        }
    }

    /**
     * What the sandbox has denied it so far of the network, each thing once, with the rule that
     * would allow it.
     */
    public List<String> denied() {
        return callee.use(handle -> Library.texts(Library.call(Library.INSTANCE_DENIED, handle)));
    }

    /**
     * Makes the guest anew, as it was after its first initialisation; a dead instance lives again.
     */
    public void reset() {
        reset(null);
    }

    /**
     * The same within a time.
     *
     * @param timeout null for the limit of the instance.
     */
    public void reset(Duration timeout) {
        bounded(Library.INSTANCE_RESET, timeout);
    }

    /** Lets the guest's background goroutines run, which otherwise run only during calls. */
    public void poll() {
        poll(null);
    }

    /**
     * The same within a time.
     *
     * @param timeout null for the limit of the instance.
     */
    public void poll(Duration timeout) {
        bounded(Library.INSTANCE_POLL, timeout);
    }

    private void bounded(long function, Duration timeout) {
        long options = Memory.allocate(16);
        try {
            Memory.putLong(options, Options.nanoseconds(timeout));
            Memory.putLong(options + 8, 0);
            callee.use(handle -> {
                UndergoException.check(Library.call(function, handle, options));
                return null;
            });
        } finally {
            Memory.free(options);
            Reference.reachabilityFence(this);
        }
    }

    /** Takes what the guest wrote to a captured standard output. */
    public byte[] takeStdout() {
        return take(Library.INSTANCE_TAKE_STDOUT);
    }

    /** Takes what the guest wrote to a captured standard error. */
    public byte[] takeStderr() {
        return take(Library.INSTANCE_TAKE_STDERR);
    }

    private byte[] take(long function) {
        return callee.use(handle -> {
            long value = Library.call(function, handle);
            long bytes = Memory.allocate(16);
            try {
                Memory.clear(bytes, 16);
                Library.call(Library.VALUE_GET_BYTES, value, bytes);
                return Library.bytes(Memory.getLong(bytes), Memory.getLong(bytes + 8));
            } finally {
                Memory.free(bytes);
                Library.call(Library.VALUE_DELETE, value);
            }
        });
    }

    /** Bytes of guest memory, which never shrinks. */
    public long memorySize() {
        return callee.word(Library.INSTANCE_MEMORY_SIZE);
    }

    /** Copies guest memory. Addresses are the guest's, and every access is checked. */
    public byte[] readMemory(long address, int length) {
        if (address < 0 || length < 0 || address + length > memorySize()) {
            throw UndergoException.of(ErrorKind.TYPE_MISMATCH, length + " bytes at " + address + " do not lie within the guest's memory");
        }
        long copied = Memory.allocate(Math.max(length, 1));
        try {
            callee.use(handle -> {
                UndergoException.check(Library.call(Library.INSTANCE_READ_MEMORY, handle, address, copied, length));
                return null;
            });
            return Library.bytes(copied, length);
        } finally {
            Memory.free(copied);
        }
    }

    /** Copies to guest memory. */
    public void writeMemory(long address, byte[] bytes) {
        if (address < 0 || address > 0xffff_ffffL) {
            throw UndergoException.of(ErrorKind.TYPE_MISMATCH, address + " is no address of a guest's memory");
        }
        long copied = Library.cBytes(bytes);
        try {
            callee.use(handle -> {
                UndergoException.check(Library.call(Library.INSTANCE_WRITE_MEMORY, handle, address, copied, bytes.length));
                return null;
            });
        } finally {
            Memory.free(copied);
        }
    }

    /**
     * Refuses further calls, which throw {@link DeadInstanceException}. Those that have begun, or
     * wait for their turn, go on, and then all is freed. It may be called in a host function, and
     * more than once.
     */
    @Override
    public void close() {
        callee.close();
    }

    @Override
    public String toString() {
        return "Instance of " + plugin;
    }
}
