package dev.undergo.java;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A call under way. For what {@code undergo bindgen --lang java} writes: programs have no use for
 * it, and it changes with bindgen.
 */
public final class RawCall extends RawRoom {
    // undergo_entry_t.
    private static final int TARGET = 0;
    private static final int DIGEST = 8;
    private static final int NUMBER = 16;
    private static final int ARGS = 24;
    private static final int RESULT = 32;
    private static final int SCRATCH = 40;
    private static final int SCRATCH_LEN = 48;
    private static final int TIMEOUT = 56;
    private static final int CANCEL = 64;
    private static final int ARENA = 80;
    private static final int ERROR = 88;
    private static final int ENTRY_SIZE = 96;

    /** For what most results point to. */
    private static final int SCRATCH_SIZE = 1024;

    private static final int BLOCK = 4096;

    private static final Cleaner CLEANER = Cleaner.create();

    /** Calls of a thread: a host function may call again. */
    private static final class Stack {
        RawCall[] calls = new RawCall[4];
        int depth;
    }

    private static final ThreadLocal<Stack> STACK = ThreadLocal.withInitial(Stack::new);

    /** Those for virtual threads, which may be too many to have their own. */
    private static final ConcurrentLinkedQueue<RawCall> SHARED = new ConcurrentLinkedQueue<>();

    private final long entry;
    private final long block;
    /** Memory for what was too large for the block. */
    private long[] spilled = new long[4];
    private int spills;
    private Stack stack;
    private Exports exports;
    private RawError[] errors;
    private long args;
    private long result;

    private RawCall() {
        entry = Memory.allocate(BLOCK);
        long at = entry;
        block = at + ENTRY_SIZE + SCRATCH_SIZE;
        end = at + BLOCK;
        Memory.clear(at, ENTRY_SIZE);
        Memory.putLong(at + SCRATCH, at + ENTRY_SIZE);
        Memory.putLong(at + SCRATCH_LEN, SCRATCH_SIZE);
        CLEANER.register(this, () -> Memory.free(at));
    }

    /** Begins a call, which is to be ended on the same thread. */
    static RawCall begin(Exports exports, int number, long digest, int args, int result, RawError[] errors) {
        RawCall call = Elsewhere.isNeeded() ? shared() : own();
        call.exports = exports;
        call.errors = errors;
        call.next = call.block;
        long entry = call.entry;
        Memory.putLong(entry + DIGEST, digest);
        Memory.putInt(entry + NUMBER, number);
        call.args = call.room(args);
        call.result = call.room(result);
        Memory.putLong(entry + ARGS, call.args);
        Memory.putLong(entry + RESULT, call.result);
        return call;
    }

    private static RawCall own() {
        Stack stack = STACK.get();
        int depth = stack.depth;
        if (depth == stack.calls.length) {
            stack.calls = java.util.Arrays.copyOf(stack.calls, 2 * depth);
        }
        RawCall call = stack.calls[depth];
        if (call == null) {
            call = new RawCall();
            call.stack = stack;
            stack.calls[depth] = call;
        }
        stack.depth = depth + 1;
        return call;
    }

    private static RawCall shared() {
        RawCall call = SHARED.poll();
        return call != null ? call : new RawCall();
    }

    /** Where the struct of the arguments lies. */
    public long args() {
        return args;
    }

    /** Where the result lies, after the call. */
    public long result() {
        return result;
    }

    /** Makes the call. */
    public void run() {
        Exports exports = this.exports;
        Callee callee = exports.callee;
        long entry = this.entry;
        CancelToken cancel = exports.cancel;
        callee.join();
        try {
            Memory.putLong(entry + TARGET, callee.handle);
            Memory.putLong(entry + TIMEOUT, exports.timeout);
            Memory.putLong(entry + CANCEL, cancel == null ? 0 : cancel.handle());
            if (stack == null) {
                Elsewhere.enter(exports, entry, entry + TIMEOUT);
            } else {
                Jni.enter(callee.enter, entry);
            }
        } finally {
            callee.leave();
            Reference.reachabilityFence(cancel);
        }
        long error = Memory.getLong(entry + ERROR);
        if (error != 0) {
            Memory.putLong(entry + ERROR, 0);
            throw UndergoException.sneaky(UndergoException.taken(error, exports.plugin.errors, errors));
        }
    }

    /** The error of a function whose arguments could not be written, or whose call failed. */
    public RuntimeException failed(String function, RuntimeException error) {
        return error instanceof Misfit misfit ? misfit.in(function) : error;
    }

    /** Frees what the arguments and the result pointed to. */
    public void end() {
        letGo();
        long arena = Memory.getLong(entry + ARENA);
        if (arena != 0) {
            Memory.putLong(entry + ARENA, 0);
            Library.call(Library.ARENA_DELETE, arena);
        }
        while (spills > 0) {
            Memory.free(spilled[--spills]);
        }
        exports = null;
        errors = null;
        if (stack == null) {
            SHARED.add(this);
        } else {
            stack.depth--;
        }
    }

    @Override
    ErrorType[] errorTypes() {
        return exports.plugin.errors;
    }

    @Override
    long spill(long size) {
        long at = Memory.allocate(size);
        if (spills == spilled.length) {
            spilled = java.util.Arrays.copyOf(spilled, 2 * spills);
        }
        spilled[spills++] = at;
        return at;
    }
}
