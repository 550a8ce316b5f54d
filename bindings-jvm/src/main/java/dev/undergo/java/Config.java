package dev.undergo.java;

/** What instances are made with, as the library has it. */
final class Config implements AutoCloseable {
    /** Bytes of undergo_limits_t. */
    private static final int LIMITS = 64;

    final Plugin plugin;
    final long imports;
    final long sandbox;
    /** undergo_limits_t. */
    final long limits;

    Config(Plugin plugin, Options options) {
        this.plugin = plugin;
        imports = Library.call(Library.IMPORTS_NEW);
        sandbox = Library.call(Library.SANDBOX_NEW);
        limits = Memory.allocate(LIMITS);
        Memory.clear(limits, LIMITS);
        try {
            options.apply(this);
        } catch (Throwable thrown) {
            close();
            throw thrown;
        }
    }

    /** Nanoseconds that calls may take. */
    long timeout() {
        return Memory.getLong(limits + 8);
    }

    /** Gives a host function. */
    void give(FunctionType function, Dispatcher.Hosted hosted) {
        long module = Library.cText(function.module);
        long name = Library.cText(function.name);
        Dispatcher.Given given = new Dispatcher.Given(new String[] {function.fullName()}, new Dispatcher.Hosted[] {hosted}, plugin.errors, null);
        try {
            UndergoException.check(Library.call(
                    Library.IMPORTS_SET_DISPATCHED, imports, module, name, function.digest, Library.DISPATCHER, Handles.hold(given)));
        } finally {
            Memory.free(name);
            Memory.free(module);
        }
    }

    @Override
    public void close() {
        Library.call(Library.IMPORTS_DELETE, imports);
        Library.call(Library.SANDBOX_DELETE, sandbox);
        Memory.free(limits);
    }
}
