package dev.undergo.java;

import java.time.Duration;

/**
 * A plugin that serves HTTP, on threads of the library's. It serves until it is closed, also when
 * nobody has it any more; but it does not keep the virtual machine from ending.
 */
public final class Server implements AutoCloseable {
    private final Plugin plugin;
    private final Callee callee;
    private final String address;
    /** What it had done when it was freed. */
    private volatile ServerStats ended;

    Server(Plugin plugin, long handle) {
        this.plugin = plugin;
        callee = new Callee(handle, 0, Library.SERVER_DELETE, 0, "server");
        address = callee.text(Library.SERVER_ADDRESS);
    }

    /** The plugin that serves. */
    public Plugin plugin() {
        return plugin;
    }

    /** Where it listens: {@code 127.0.0.1:8080}, with the port that the system chose for 0. */
    public String address() {
        return address;
    }

    /**
     * What it has done so far, and what it has now; what it had done at its end, once it has ended.
     */
    public ServerStats stats() {
        long at = Memory.allocate(ServerStats.SIZE);
        try {
            return callee.use(handle -> {
                UndergoException.check(Library.call(Library.SERVER_STATS, handle, at));
                return ServerStats.read(at);
            });
        } catch (DeadInstanceException isFreed) {
            return ended;
        } finally {
            Memory.free(at);
        }
    }

    /** Whether it is closed, or about to end. */
    public boolean isClosed() {
        try {
            return callee.is(Library.SERVER_IS_CLOSED);
        } catch (DeadInstanceException isFreed) {
            return true;
        }
    }

    /**
     * Accepts no more connections, and waits for running requests. In a host function that one of
     * its requests has called, it does not wait: the server ends behind its running requests then.
     */
    @Override
    public void close() {
        try {
            end(0);
        } catch (BusyException isItsOwn) {
            // It takes no more requests all the same.
        }
    }

    /**
     * The same within a time. After it, requests that are still running are cut off, and it throws
     * {@link CallTimeoutException}; it throws {@link BusyException} where it can't wait. The server
     * is closed in both cases.
     *
     * @param timeout null for as long as it takes.
     */
    public void close(Duration timeout) {
        end(Options.nanoseconds(timeout));
    }

    private void end(long nanoseconds) {
        if (callee.isClosed()) {
            return;
        }
        try {
            Elsewhere.run(() -> callee.use(handle -> {
                UndergoException.check(Library.call(Library.SERVER_CLOSE, handle, nanoseconds));
                return null;
            }));
        } catch (BusyException isItsOwn) {
            // Somebody has to free it behind its requests.
            Elsewhere.THREADS.execute(() -> end(0));
            throw isItsOwn;
        } catch (DeadInstanceException isFreed) {
            return;
        } catch (CallTimeoutException wereCutOff) {
            free();
            throw wereCutOff;
        }
        free();
    }

    private void free() {
        ServerStats last = stats();
        if (ended == null) {
            ended = last;
        }
        callee.close();
    }

    @Override
    public String toString() {
        return "Server(" + plugin + " at " + address + (isClosed() ? ", closed)" : ")");
    }
}
