package dev.undergo.java;

import java.lang.ref.Reference;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;

/**
 * What instances, pools and commands may reach and use, and which functions the host gives them. By
 * default they reach nothing but the standard output and error of this process, have no host
 * functions, and no limits but those of WebAssembly (4 GiB of memory) and of one value.
 *
 * <p>Each method gives the options, changed. They may serve for many instances.
 */
public final class Options {
    private static final long STDOUT = 1;
    private static final long STDERR = 2;

    private final List<Consumer<Config>> given = new ArrayList<>();

    void apply(Config config) {
        for (Consumer<Config> each : given) {
            each.accept(config);
        }
    }

    private Options with(Consumer<Config> change) {
        given.add(change);
        return this;
    }

    /** Nanoseconds of a time, for the library; 0 for null. A time that is no time is at least 1. */
    static long nanoseconds(Duration time) {
        if (time == null) {
            return 0;
        }
        if (time.isNegative()) {
            throw new IllegalArgumentException("the time is " + time + "; write one that is not negative");
        }
        try {
            return Math.max(time.toNanos(), 1);
        } catch (ArithmeticException tooLong) {
            return Long.MAX_VALUE;
        }
    }

    private Options limit(String name, int at, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + " is " + value + "; write a number that is not negative");
        }
        return with(config -> Memory.putLong(config.limits + at, value));
    }

    private Options smallLimit(String name, int at, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + " is " + value + "; write a number that is not negative");
        }
        return with(config -> Memory.putInt(config.limits + at, value));
    }

    /** Limits the bytes of guest memory. 0, here and below, is the default. */
    public Options memory(long bytes) {
        return limit("memory", 0, bytes);
    }

    /**
     * Limits how long a call may take, and the initialisation: computing, sleeping, host functions
     * and waiting for the instance.
     */
    public Options timeout(Duration time) {
        return limit("timeout", 8, nanoseconds(time));
    }

    /** Limits the bytes that one value from the guest may take on this side; 1 GiB by default. */
    public Options value(long bytes) {
        return limit("value", 16, bytes);
    }

    /**
     * Limits the bytes that the guest may write to each of its two outputs over its life; the rest
     * is dropped.
     */
    public Options output(long bytes) {
        return limit("output", 24, bytes);
    }

    /**
     * Limits the bytes of guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of
     * two; 4 MiB by default.
     */
    public Options stack(long bytes) {
        return limit("stack", 32, bytes);
    }

    /**
     * Limits how much each call may compute, in units of about one WebAssembly instruction. It
     * costs about a tenth of the speed.
     */
    public Options fuel(long units) {
        return limit("fuel", 40, units);
    }

    /** Limits the elements of the guest's tables, all together; 4,194,304 by default. */
    public Options table(int elements) {
        return smallLimit("table", 48, elements);
    }

    /** Limits the descriptors of this process that the guest may hold at once; 128 by default. */
    public Options descriptors(int count) {
        return smallLimit("descriptors", 52, count);
    }

    /**
     * Limits the handles that the guest may hold at once, of objects of the host and of its own;
     * 10,000 by default.
     */
    public Options handles(int count) {
        return smallLimit("handles", 56, count);
    }

    /**
     * Gives a function, by the name of its interface in WIT, and its own in WIT or in Java. What
     * the plugin does not import is left alone.
     */
    public Options function(String module, String name, HostFunction function) {
        return with(config -> {
            FunctionType found = config.plugin.imported(module, name);
            if (found != null) {
                config.give(found, new Hosted(found, function));
            }
        });
    }

    /**
     * Gives the exports of another instance as the functions of an interface, by its name in WIT: a
     * plugin that calls a plugin. Their types have to be those that the plugin imports, or else no
     * instance is made. Functions that are given later replace those of the same name.
     *
     * <p>A call goes from guest to guest, within the bounds of the call around it, and waits for
     * its turn where others call the linked instance. Whatever ends that one is an error of the
     * import, which the Go code gets where the import returns one. Calls in a circle are busy. What
     * is made with these options has the linked instance until its own end, even if that was closed
     * meanwhile; it must be none of a pool.
     */
    public Options link(String module, Instance instance) {
        return with(config -> {
            long name = Library.cText(module);
            try {
                instance.callee.use(handle -> {
                    UndergoException.check(Library.call(Library.IMPORTS_LINK, config.imports, name, handle));
                    return null;
                });
            } finally {
                Memory.free(name);
            }
        });
    }

    /**
     * Gives the plugin {@code wasi:keyvalue}: {@code store}, {@code batch} and {@code atomics}.
     * What has the same stores shares them.
     */
    public Options keyvalue(KeyValue stores) {
        return with(config -> {
            UndergoException.check(Library.call(Library.IMPORTS_KEYVALUE, config.imports, stores.handle()));
            Reference.reachabilityFence(stores);
        });
    }

    /** Gives the plugin {@code wasi:config} with these values. Plugins see later changes. */
    public Options config(Map<String, String> values) {
        for (String module : List.of("wasi:config/store", "wasi:config/runtime")) {
            function(module, "get", arguments -> Optional.ofNullable(values.get(arguments.text(0))));
            function(module, "get-all", arguments -> values.entrySet().stream()
                    .map(entry -> List.of(entry.getKey(), entry.getValue()))
                    .toList());
        }
        return this;
    }

    /**
     * Gives the plugin {@code wasi:logging}, whose lines go to a logger. {@code critical} is an
     * error there. Control characters, and those that begin another line, are escaped, and of a
     * longer text 64 Ki characters are logged.
     */
    public Options logging(System.Logger logger) {
        return function("wasi:logging/logging", "log", arguments -> {
            System.Logger.Level level = switch (arguments.text(0)) {
                case "trace" -> System.Logger.Level.TRACE;
                case "debug" -> System.Logger.Level.DEBUG;
                case "warn" -> System.Logger.Level.WARNING;
                case "error", "critical" -> System.Logger.Level.ERROR;
                default -> System.Logger.Level.INFO;
            };
            if (logger.isLoggable(level)) {
                String context = plain(arguments.text(1));
                String message = plain(arguments.text(2));
                logger.log(level, context.isEmpty() ? message : context + ": " + message);
            }
            return null;
        });
    }

    /** Characters of a text that are logged. */
    private static final int LONGEST = 64 << 10;

    /** A text in one line, without what would change a terminal. */
    private static String plain(String text) {
        String shown = text.length() > LONGEST
                ? text.substring(0, LONGEST) + "… (" + (text.length() - LONGEST) + " more characters)"
                : text;
        StringBuilder out = new StringBuilder(shown.length());
        for (int i = 0; i < shown.length(); i++) {
            char c = shown.charAt(i);
            boolean isPlain = c == '\t' || c >= 0x20 && c < 0x7f || c >= 0xa0
                    && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
            out.append(isPlain ? String.valueOf(c) : String.format("\\u{%x}", (int) c));
        }
        return out.toString();
    }

    /** Gives a function of a generated client. */
    Options function(RawSignature signature, Dispatcher.Hosted function) {
        return with(config -> {
            FunctionType found = signature.in(config.plugin.imports);
            if (found == null) {
                return;
            }
            if (found.digest != signature.digest()) {
                throw RawSignature.outdated(List.of(signature.difference(found)));
            }
            config.give(found, function);
        });
    }

    private interface Setting {
        long set(long sandbox, long[] texts);
    }

    /** Has the library note some texts in the sandbox. */
    private Options sandbox(Setting setting, String... texts) {
        return with(config -> {
            long[] given = new long[texts.length];
            try {
                for (int i = 0; i < texts.length; i++) {
                    given[i] = Library.cText(texts[i]);
                }
                UndergoException.check(setting.set(config.sandbox, given));
            } finally {
                for (long text : given) {
                    if (text != 0) {
                        Memory.free(text);
                    }
                }
            }
        });
    }

    private Options sandbox(LongUnaryOperator setting) {
        return with(config -> UndergoException.check(setting.applyAsLong(config.sandbox)));
    }

    /** Adds to {@code os.Args}, after the program's name, which is always there. */
    public Options args(String... arguments) {
        for (String argument : arguments) {
            sandbox((sandbox, texts) -> Library.call(Library.SANDBOX_ADD_ARG, sandbox, texts[0]), argument);
        }
        return this;
    }

    /** Sets an environment variable. Nothing is taken from this process's own environment. */
    public Options env(String name, String value) {
        return sandbox((sandbox, texts) -> Library.call(Library.SANDBOX_SET_ENV, sandbox, texts[0], texts[1]), name, value);
    }

    /**
     * Gives the guest a directory of the host. Where none is given at {@code /}, it sees an empty
     * root that it can only read.
     *
     * @param guest the path at which the guest sees it.
     */
    public Options dir(String guest, Path host) {
        return dir(guest, host, 0);
    }

    /** Gives the guest a directory of the host that it can only read. */
    public Options readOnlyDir(String guest, Path host) {
        return dir(guest, host, 1);
    }

    private Options dir(String guest, Path host, long readOnly) {
        return sandbox((sandbox, texts) -> Library.call(Library.SANDBOX_ADD_DIR, sandbox, texts[0], texts[1], readOnly), guest, host.toString());
    }

    /**
     * Gives the guest a private, empty folder at {@code /tmp}, which is removed with the instance.
     */
    public Options temp() {
        return sandbox(sandbox -> Library.call(Library.SANDBOX_SET_TEMP, sandbox, 1));
    }

    /** Has the guest read these bytes from its standard input, which is empty by default. */
    public Options stdin(byte[] content) {
        return sandbox(sandbox -> {
            long bytes = Library.cBytes(content);
            try {
                return Library.call(Library.SANDBOX_STDIN_BYTES, sandbox, bytes, content.length);
            } finally {
                Memory.free(bytes);
            }
        });
    }

    /** Has the guest read its standard input from a file, each instance from its beginning. */
    public Options stdin(Path file) {
        return sandbox((sandbox, texts) -> Library.call(Library.SANDBOX_STDIN_FILE, sandbox, texts[0]), file.toString());
    }

    /** Has the guest read the standard input of this process. */
    public Options inheritStdin() {
        return sandbox(sandbox -> Library.call(Library.SANDBOX_STDIN_INHERIT, sandbox));
    }

    /** Says where the guest's standard output goes. */
    public Options stdout(Output output) {
        return output(STDOUT, output);
    }

    /**
     * Says where its standard error goes. Its end is kept for the text of a panic in any case.
     */
    public Options stderr(Output output) {
        return output(STDERR, output);
    }

    private Options output(long stream, Output output) {
        return sandbox(sandbox -> {
            if (output instanceof Output.Inherit) {
                return Library.call(Library.SANDBOX_INHERIT, sandbox, stream);
            } else if (output instanceof Output.Discard) {
                return Library.call(Library.SANDBOX_DISCARD, sandbox, stream);
            } else if (output instanceof Output.Capture capture) {
                return Library.call(Library.SANDBOX_CAPTURE, sandbox, stream, capture.limit());
            }
            return Library.call(Library.SANDBOX_LINES_DISPATCHED, sandbox, stream, Library.DISPATCHER, Handles.hold(output));
        });
    }

    /**
     * Gives the guest a clock of its own, for repeatable runs: it starts at this time, advances by
     * a microsecond whenever the guest reads it, and to the end of a wait, which takes no time.
     */
    public Options clock(Instant start) {
        return sandbox(sandbox -> Library.call(Library.SANDBOX_SET_CLOCK, sandbox, start.getEpochSecond(), start.getNano()));
    }

    /**
     * Has all random numbers of the guest follow from a seed, for repeatable runs: never where keys
     * are made.
     */
    public Options seed(long seed) {
        return sandbox(sandbox -> Library.call(Library.SANDBOX_SET_SEED, sandbox, seed));
    }

    /**
     * Lets the guest use the network by rules such as {@code example.org:443} and {@code
     * listen=127.0.0.1:8080}; docs/network.md has all of them. What no rule allows is denied.
     */
    public Options network(String... rules) {
        for (String rule : rules) {
            sandbox((sandbox, texts) -> Library.call(Library.SANDBOX_ALLOW_NETWORK, sandbox, texts[0]), rule);
        }
        return this;
    }

    /**
     * Listens at an address such as {@code 127.0.0.1:8080} for the guest, which accepts there, and
     * needs no rule. The listeners' descriptors are the first ones after those of the directories,
     * from 3 on.
     */
    public Options listen(String address) {
        return sandbox((sandbox, texts) -> Library.call(Library.SANDBOX_LISTEN, sandbox, texts[0], 0), address);
    }
}
