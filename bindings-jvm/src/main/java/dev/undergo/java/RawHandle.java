package dev.undergo.java;

/**
 * A handle that a plugin has given. For what {@code undergo bindgen --lang java} writes: programs
 * have no use for it, and it changes with bindgen.
 */
public final class RawHandle {
    private final RawClient client;
    private final Handle handle;

    RawHandle(RawClient client, Handle handle) {
        this.client = client;
        this.handle = handle;
    }

    /** What calls the methods of its object. */
    public RawClient client() {
        return client;
    }

    Handle handle() {
        return handle;
    }
}
