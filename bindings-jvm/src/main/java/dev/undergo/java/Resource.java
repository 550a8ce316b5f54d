package dev.undergo.java;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * An object of a plugin, whose methods are called by their names: what {@link Exports#construct}
 * gives, and calls whose result is, or has, an object.
 */
public final class Resource extends GuestObject {
    /** What this is a view of, which it keeps; null for none. */
    @SuppressWarnings("unused")
    private final Resource of;

    Resource(Exports exports, Handle handle) {
        super(exports, handle);
        of = null;
    }

    Resource(Resource of, Exports exports) {
        super(of, exports);
        this.of = of;
    }

    /** The name of its resource in WIT. */
    public String resource() {
        return handle.type.name;
    }

    /**
     * Calls a method by its name, in WIT or in Java; otherwise as {@link Exports#call(String,
     * Object...)}.
     */
    public Object call(String method, Object... arguments) {
        return call(exports, Object.class, method, arguments);
    }

    /** The same with a result of a class. */
    public <T> T call(Class<T> type, String method, Object... arguments) {
        return call(exports, type, method, arguments);
    }

    /** Calls a method as {@link Exports#callAsync(String, Object...)} calls an export. */
    public CompletableFuture<Object> callAsync(String method, Object... arguments) {
        return callAsync(Object.class, method, arguments);
    }

    /** The same with a result of a class. */
    public <T> CompletableFuture<T> callAsync(Class<T> type, String method, Object... arguments) {
        return RawAsync.call(exports, view -> call(view, type, method, arguments));
    }

    private <T> T call(Exports view, Class<T> type, String method, Object[] arguments) {
        return Dynamic.cast(type, Dynamic.call(view, type, handle.type.method(method), this, arguments));
    }

    /**
     * A view of the same object with other options for the calls of its methods.
     *
     * @param timeout how long a call may take, including the wait for its turn; null for the limit
     *     of the instance.
     * @param cancel can end the calls earlier, from any thread; may be null.
     */
    public Resource using(Duration timeout, CancelToken cancel) {
        return new Resource(this, exports.using(timeout, cancel));
    }
}
