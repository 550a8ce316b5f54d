package dev.undergo.java;

import java.lang.ref.Reference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongFunction;

/** How a plugin is loaded and compiled. Each method gives the options, changed. */
public final class LoadOptions {
    /** Which compiler a plugin's code comes from. */
    public enum Compile {
        /** Quickly first, and better in the background, for instances that are created later. */
        TIERED,
        /** Quickly, to code that takes two to three times as long. */
        FAST,
        /** Well, and loading waits for it. */
        BEST
    }

    private Compile compile = Compile.TIERED;
    private boolean noCache;
    private Path cache;
    private int bounds = 1;
    private Duration timeout;
    private CancelToken cancel;
    private Path compiler;
    private boolean optimize = true;

    /** Chooses the compilers; {@link Compile#TIERED} by default. */
    public LoadOptions compile(Compile how) {
        compile = how;
        return this;
    }

    /** Keeps compiled code in a folder, which has to be private to the user. */
    public LoadOptions cache(Path folder) {
        cache = folder;
        noCache = false;
        return this;
    }

    /** Keeps compiled code nowhere. */
    public LoadOptions noCache() {
        noCache = true;
        return this;
    }

    /** How many times as much as usual the module may ask of the compilers. */
    public LoadOptions bounds(int times) {
        if (times < 1) {
            throw new IllegalArgumentException("bounds is " + times + "; write a number of at least 1");
        }
        bounds = times;
        return this;
    }

    /** How long loading may take. A compilation that has begun goes on in the background. */
    public LoadOptions timeout(Duration time) {
        timeout = time;
        return this;
    }

    /** Can end loading earlier, from any thread. */
    public LoadOptions cancel(CancelToken token) {
        cancel = token;
        return this;
    }

    /**
     * The program {@code undergo}, of this version, which compiles in a separate process with
     * limited time and memory: for modules that you don't trust.
     */
    public LoadOptions compiler(Path program) {
        compiler = program;
        return this;
    }

    /** Whether Go's code is rewritten, which makes it faster; true by default. */
    public LoadOptions optimize(boolean rewrite) {
        optimize = rewrite;
        return this;
    }

    /** Runs code with undergo_plugin_options_t. */
    <T> T with(LongFunction<T> code) {
        long at = Memory.allocate(64);
        long folder = cache == null ? 0 : Library.cText(cache.toString());
        long program = compiler == null ? 0 : Library.cText(compiler.toString());
        try {
            Memory.clear(at, 64);
            Memory.putInt(at, compile.ordinal());
            Memory.putByte(at + 4, (byte) (noCache ? 1 : 0));
            Memory.putLong(at + 8, folder);
            Memory.putInt(at + 16, bounds);
            Memory.putLong(at + 24, Options.nanoseconds(timeout));
            Memory.putLong(at + 32, cancel == null ? 0 : cancel.handle());
            Memory.putLong(at + 40, program);
            Memory.putByte(at + 48, (byte) (optimize ? 0 : 1));
            return code.apply(at);
        } finally {
            if (folder != 0) {
                Memory.free(folder);
            }
            if (program != 0) {
                Memory.free(program);
            }
            Memory.free(at);
            Reference.reachabilityFence(cancel);
        }
    }
}
