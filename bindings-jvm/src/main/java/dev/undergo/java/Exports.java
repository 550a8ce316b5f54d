package dev.undergo.java;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The exports of an instance or a pool. */
public abstract sealed class Exports permits Instance, Pool, Exports.View {
    final Plugin plugin;
    final Callee callee;
    /** Nanoseconds that the instances' calls may take; 0 for any time. */
    final long limit;
    /** Nanoseconds that calls of this view may take; 0 for the limit. */
    final long timeout;
    final CancelToken cancel;

    Exports(Plugin plugin, Callee callee, long limit, long timeout, CancelToken cancel) {
        this.plugin = plugin;
        this.callee = callee;
        this.limit = limit;
        this.timeout = timeout;
        this.cancel = cancel;
    }

    /** The plugin that it is of. */
    public final Plugin plugin() {
        return plugin;
    }

    /**
     * Calls an export by its name, in WIT or in Java, and gives its result as an object that is
     * natural for it.
     *
     * <p>Arguments are what {@code docs/java.md} lists: a record or a {@code Map} for a record, an
     * enum's constant or a {@code String} for a case, {@code byte[]} for bytes.
     *
     * @throws UndergoException when the call does not return. What a host function has thrown comes
     *     as it is, also where it is a checked exception.
     */
    public final Object call(String name, Object... arguments) {
        return Dynamic.call(this, Object.class, plugin.export(name), null, arguments);
    }

    /**
     * The same with a result of a class: a record for a record, an enum, {@code long[]} for a list
     * of numbers, any number that the value fits.
     */
    public final <T> T call(Class<T> type, String name, Object... arguments) {
        return Dynamic.cast(type, Dynamic.call(this, type, plugin.export(name), null, arguments));
    }

    /**
     * Makes an object of a resource of the plugin, whose name is that in WIT or in Java: {@code
     * construct("document", "text")} calls the Go function {@code NewDocument}. Only an instance
     * has objects: {@link Pool#take} lends one.
     */
    public final Resource construct(String resource, Object... arguments) {
        return (Resource) Dynamic.call(this, Resource.class, plugin.constructor(resource), null, arguments);
    }

    /**
     * Calls an export on a thread of this package. When the future is cancelled, so is the call,
     * which ends the instance. A call in a host function is made at once.
     */
    public final CompletableFuture<Object> callAsync(String name, Object... arguments) {
        return callAsync(Object.class, name, arguments);
    }

    /** The same with a result of a class. */
    public final <T> CompletableFuture<T> callAsync(Class<T> type, String name, Object... arguments) {
        return RawAsync.call(this, exports -> exports.call(type, name, arguments));
    }

    /** The same as {@link #construct}, on a thread of this package. */
    public final CompletableFuture<Resource> constructAsync(String resource, Object... arguments) {
        return RawAsync.call(this, exports -> exports.construct(resource, arguments));
    }

    /**
     * A view of the same thing with other options for its calls.
     *
     * @param timeout how long a call may take, including the wait for its turn; null for the limit
     *     of the instance.
     * @param cancel can end the calls earlier, from any thread; may be null.
     */
    public final Exports using(Duration timeout, CancelToken cancel) {
        return new View(this, Options.nanoseconds(timeout), cancel);
    }

    /** What this is a view of. */
    Exports root() {
        return this;
    }

    /** The same exports, with other options. It keeps what it is a view of. */
    static final class View extends Exports {
        private final Exports of;

        View(Exports of, long timeout, CancelToken cancel) {
            super(of.plugin, of.callee, of.limit, timeout, cancel);
            this.of = of.root();
        }

        @Override
        Exports root() {
            return of;
        }
    }
}
