package dev.undergo.java;

/**
 * An object of a plugin, in the instance that has given it: a {@link Resource}, or one of a class
 * that {@code undergo bindgen} has written.
 *
 * <p>The guest keeps the object until this is closed, or until nobody has it any more. Then the
 * guest releases it, at once or at the next call: never in the middle of another. It can't be used
 * after that, nor after a reset of its instance, nor after the return of that to a pool. Any thread
 * may use it.
 */
public abstract class GuestObject implements AutoCloseable {
    /** What calls its methods, and keeps the instance. */
    final Exports exports;
    final Handle handle;

    GuestObject(Exports exports, Handle handle) {
        this.exports = exports;
        this.handle = handle;
        Plugin.CLEANER.register(this, handle::drop);
    }

    /** A view of an object, which keeps that. */
    GuestObject(GuestObject of, Exports exports) {
        this.exports = exports;
        handle = of.handle;
    }

    /** For what {@code undergo bindgen --lang java} writes. */
    protected GuestObject(RawHandle given) {
        this(given.client().exports(), given.handle());
    }

    /** Whether it was closed, given away to the guest, or ended with its instance. */
    public final boolean isClosed() {
        return !handle.isOpen();
    }

    /**
     * Has the guest release the object, which runs its {@code Close}: at once, or after the call
     * that is under way. Closing it again does nothing.
     */
    @Override
    public final void close() {
        handle.close();
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + "(" + handle.type + (isClosed() ? ", closed)" : ")");
    }
}
