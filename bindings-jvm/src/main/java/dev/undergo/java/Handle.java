package dev.undergo.java;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A handle of a guest's object, as the library has it. It is freed when it is closed, or nobody has
 * it any more, and nobody uses it.
 */
final class Handle {
    private static final int CLOSED = 1 << 30;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Handle.class, "state", int.class);
        } catch (ReflectiveOperationException error) {
            throw new ExceptionInInitializerError(error);
        }
    }

    /** undergo_handle_t. */
    final long at;
    final ResourceType type;
    /** How many use it, and whether it is closed. */
    private volatile int state;

    Handle(ResourceType type, long at) {
        this.type = type;
        this.at = at;
    }

    /** Begins to use it, until {@link #leave}. Whether it is not closed. */
    private boolean join() {
        while (true) {
            int now = state;
            if ((now & CLOSED) != 0) {
                return false;
            }
            if (STATE.compareAndSet(this, now, now + 1)) {
                return true;
            }
        }
    }

    /** Writes it to a place as an argument of a call, which uses it as long as it has the room. */
    void put(RawRoom room, long to) {
        if (!join()) {
            throw new Misfit("the " + type.name + " is closed");
        }
        room.uses(this);
        Memory.putLong(to, at);
    }

    void leave() {
        if ((int) STATE.getAndAdd(this, -1) == CLOSED + 1) {
            Library.call(Library.HANDLE_DELETE, at);
        }
    }

    /**
     * Lets go of it: the guest releases its object at the beginning of a later call. No code of the
     * guest's runs here.
     */
    void drop() {
        while (true) {
            int now = state;
            if ((now & CLOSED) != 0) {
                return;
            }
            if (STATE.compareAndSet(this, now, now | CLOSED)) {
                if (now == 0) {
                    Library.call(Library.HANDLE_DELETE, at);
                }
                return;
            }
        }
    }

    /** Closes it: the guest releases its object now, or after the call that is under way. */
    void close() {
        if (!join()) {
            return;
        }
        try {
            Elsewhere.run(() -> UndergoException.check(Library.call(Library.HANDLE_CLOSE, at)));
        } finally {
            drop();
            leave();
        }
    }

    /** Whether it can be used. */
    boolean isOpen() {
        if (!join()) {
            return false;
        }
        try {
            return Library.is(Library.call(Library.HANDLE_IS_OPEN, at));
        } finally {
            leave();
        }
    }
}
