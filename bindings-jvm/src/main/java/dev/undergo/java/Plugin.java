package dev.undergo.java;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A compiled plugin: open it once, instantiate it as often as needed, from any thread. It is freed
 * when it is closed, or when nobody has it any more; its instances and pools live on.
 */
public final class Plugin implements AutoCloseable {
    static final Cleaner CLEANER = Cleaner.create();

    private final Callee handle;
    final FunctionType[] exports;
    final FunctionType[] imports;
    final ErrorType[] errors;
    final ResourceType[] resources;
    /** The constructors and methods of the guest's resources. */
    final FunctionType[] members;
    private final ConcurrentHashMap<String, FunctionType> byName = new ConcurrentHashMap<>();

    private Plugin(long plugin) {
        handle = new Callee(plugin, 0, Library.PLUGIN_DELETE, 0, "plugin");
        Description found = new Description(Library.text(Library.call(Library.PLUGIN_DESCRIBE, plugin)));
        exports = named(found.exports, Library.PLUGIN_EXPORT, plugin);
        imports = named(found.imports, Library.PLUGIN_IMPORT, plugin);
        errors = found.errors.toArray(ErrorType[]::new);
        resources = found.resources.toArray(ResourceType[]::new);
        members = found.members.toArray(FunctionType[]::new);
        for (FunctionType export : exports) {
            byName.put(export.name, export);
        }
        CLEANER.register(this, handle::close);
    }

    private static FunctionType[] named(List<FunctionType> functions, long from, long plugin) {
        long texts = Memory.allocate(32);
        try {
            for (FunctionType function : functions) {
                Library.call(from, plugin, function.number, texts);
                function.module = textOf(texts, 0);
                function.name = textOf(texts, 8);
                function.signature = textOf(texts, 16);
                function.docs = textOf(texts, 24);
            }
            return functions.toArray(FunctionType[]::new);
        } finally {
            Memory.free(texts);
        }
    }

    private static String textOf(long texts, int at) {
        String text = Library.text(Memory.getLong(texts + at));
        return text == null ? "" : text;
    }

    /** Opens a {@code .wasm} file. */
    public static Plugin open(Path file) {
        return open(file, new LoadOptions());
    }

    /** Opens a {@code .wasm} file. */
    public static Plugin open(Path file, LoadOptions options) {
        long path = Library.cText(file.toString());
        try {
            return opened(options, (given, out) -> Library.call(Library.PLUGIN_LOAD, path, given, out));
        } finally {
            Memory.free(path);
        }
    }

    /**
     * Opens the content of a {@code .wasm} file: a resource of a jar, say.
     *
     * @param name what its {@code os.Args[0]} will be.
     */
    public static Plugin open(String name, byte[] content, LoadOptions options) {
        long named = Library.cText(name);
        long bytes = Library.cBytes(content);
        try {
            return opened(options, (given, out) -> Library.call(Library.PLUGIN_FROM_BYTES, bytes, content.length, named, given, out));
        } finally {
            Memory.free(bytes);
            Memory.free(named);
        }
    }

    /**
     * Opens a compiled plugin, which {@code undergo compile} made. That is native code, which runs
     * outside the sandbox: open only what comes from there through hands that you trust. Damage is
     * noticed, malice is not.
     */
    public static Plugin openCompiled(Path file) {
        long path = Library.cText(file.toString());
        try {
            return opened(new LoadOptions(), (given, out) -> Library.call(Library.PLUGIN_LOAD_COMPILED, path, 1, out));
        } finally {
            Memory.free(path);
        }
    }

    private interface Opening {
        long open(long options, long out);
    }

    private static Plugin opened(LoadOptions options, Opening opening) {
        return options.with(given -> new Plugin(made(out -> opening.open(given, out))));
    }

    private interface Making {
        long make(long out);
    }

    /** What a function makes and writes, or throws its error. */
    private static long made(Making making) {
        long out = Memory.allocate(8);
        try {
            Memory.putLong(out, 0);
            UndergoException.check(making.make(out));
            return Memory.getLong(out);
        } finally {
            Memory.free(out);
        }
    }

    /** An export, by its name in WIT, or as Go or Java write it. */
    FunctionType export(String name) {
        FunctionType found = byName.get(name);
        return found != null ? found : find(name);
    }

    /** The constructor of a resource of the guest's, by its name in WIT, or as Java writes it. */
    FunctionType constructor(String resource) {
        String folded = WitType.fold(resource);
        for (ResourceType each : resources) {
            if (each.isGuests && WitType.fold(each.name).equals(folded)) {
                if (each.constructor == null) {
                    throw UndergoException.of(ErrorKind.UNKNOWN_EXPORT, each + " has no constructor");
                }
                return each.constructor;
            }
        }
        throw UndergoException.of(ErrorKind.UNKNOWN_EXPORT, name() + " has no resource '" + resource + "'");
    }

    private FunctionType find(String name) {
        long text = Library.cText(name);
        try {
            long number = made(out -> handle.use(plugin -> Library.call(Library.PLUGIN_FIND, plugin, text, out)));
            byName.put(name, exports[(int) number]);
            return exports[(int) number];
        } finally {
            Memory.free(text);
        }
    }

    /** An import by its names; null where there is none. */
    FunctionType imported(String module, String name) {
        FunctionType like = null;
        for (FunctionType function : imports) {
            if (function.module.equals(module) || function.module.startsWith(module + "@")) {
                if (function.name.equals(name)) {
                    return function;
                }
                if (WitType.fold(function.name).equals(WitType.fold(name))) {
                    like = function;
                }
            }
        }
        return like;
    }

    /** Creates an instance without host functions, limits or files. */
    public Instance instantiate() {
        return instantiate(new Options());
    }

    /** Creates an instance, and runs the initialisation of its packages. */
    public Instance instantiate(Options options) {
        return instantiate(options, null);
    }

    /** The same with a token that can end the initialisation from another thread. */
    public Instance instantiate(Options options, CancelToken cancel) {
        return with(options, cancel, (config, call) -> {
            long made = made(out -> handle.use(plugin ->
                    Library.call(Library.PLUGIN_INSTANTIATE_WITH, plugin, config.imports, config.sandbox, config.limits, call, out)));
            return new Instance(this, new Callee(made, Library.INSTANCE_ENTER, Library.INSTANCE_DELETE, 1, "instance"), config.timeout());
        });
    }

    /** Creates a pool of at most so many instances. */
    public Pool pool(int size, Options options) {
        return pool(new PoolOptions(size), options);
    }

    /**
     * Creates a pool. Its instances share the host functions, which run on the threads of the
     * calls, several at once.
     */
    public Pool pool(PoolOptions of, Options options) {
        long wanted = Memory.allocate(32);
        try (Config config = new Config(this, options)) {
            Memory.putLong(wanted, of.size());
            Memory.putLong(wanted + 8, of.maxCalls());
            Memory.putLong(wanted + 16, Options.nanoseconds(of.idle()));
            Memory.putLong(wanted + 24, of.warm());
            long made = made(out -> handle.use(plugin ->
                    Library.call(Library.PLUGIN_POOL, plugin, wanted, config.imports, config.sandbox, config.limits, out)));
            return new Pool(this, new Callee(made, Library.POOL_ENTER, Library.POOL_DELETE, of.size(), "pool"), config.timeout(), of.size());
        } finally {
            Memory.free(wanted);
        }
    }

    /** Serves HTTP, otherwise by the defaults. */
    public Server serve(String address, Options options) {
        return serve(address, new ServeOptions(), options);
    }

    /**
     * Serves HTTP/1.1 by a component that exports {@code wasi:http/incoming-handler}. Each request
     * is answered by an instance of a pool, which keeps its state for the next one unless the
     * options say otherwise. The instances share the host functions, which run on threads of the
     * server, several at once. The timeout of the options is that of a request, 30 seconds if there
     * is none.
     *
     * <p>It throws {@link InvalidPluginException} if the plugin does not serve HTTP, {@link
     * TypeMismatchException} for an address that is none, {@link DeniedException} if the system
     * refuses to listen there, and {@link MissingImportException}.
     *
     * @param address {@code 127.0.0.1:8080}, say; port 0 is one that the system chooses.
     */
    public Server serve(String address, ServeOptions of, Options options) {
        try (Config config = new Config(this, options)) {
            return handle.use(plugin -> of.with(address, wanted -> new Server(this, made(out ->
                    Library.call(Library.PLUGIN_SERVE, plugin, wanted, config.imports, config.sandbox, config.limits, out)))));
        }
    }

    /**
     * Runs a command to completion. Its outputs are captured, up to 1 MiB each, unless an option
     * says otherwise. Any exit code is a result; errors are anything else that ends it.
     */
    public Completed run(Options options) {
        return run(options, null);
    }

    /** The same with a token that can end it from another thread. */
    public Completed run(Options options, CancelToken cancel) {
        return with(options, cancel, (config, call) -> {
            long completed = made(out -> handle.use(plugin ->
                    Library.call(Library.PLUGIN_RUN, plugin, config.imports, config.sandbox, config.limits, call, out)));
            try {
                return Completed.read(completed);
            } finally {
                Library.call(Library.COMPLETED_DELETE, completed);
            }
        });
    }

    private interface Beginning<T> {
        T begin(Config config, long call);
    }

    /** Runs code with undergo_call_options_t. */
    private <T> T with(Options options, CancelToken cancel, Beginning<T> code) {
        long call = Memory.allocate(16);
        try (Config config = new Config(this, options)) {
            Memory.putLong(call, 0);
            Memory.putLong(call + 8, cancel == null ? 0 : cancel.handle());
            return code.begin(config, call);
        } finally {
            Memory.free(call);
            Reference.reachabilityFence(cancel);
        }
    }

    /** The functions that it has. */
    public List<Function> exports() {
        return functions(exports);
    }

    /** The functions that it needs. */
    public List<Function> imports() {
        return functions(imports);
    }

    private static List<Function> functions(FunctionType[] of) {
        List<Function> found = new ArrayList<>();
        for (FunctionType function : of) {
            found.add(new Function(function.module, function.name, function.signature, function.docs));
        }
        return List.copyOf(found);
    }

    /** The name of its file. */
    public String name() {
        return handle.text(Library.PLUGIN_NAME);
    }

    /** {@code "reactor"}, whose exports are called, or {@code "command"}, which is run. */
    public String kind() {
        return handle.text(Library.PLUGIN_KIND);
    }

    /** Its interface as WIT text; null for a module without one. */
    public String wit() {
        return handle.text(Library.PLUGIN_INTERFACE);
    }

    /** The version of Go that compiled it; null where the module does not say so. */
    public String goVersion() {
        return handle.text(Library.PLUGIN_GO_VERSION);
    }

    /** What went wrong when it was loaded, or is without effect, and did no harm, as sentences. */
    public List<String> diagnostics() {
        return handle.each(Library.PLUGIN_DIAGNOSTIC);
    }

    /** Waits until nothing of it is being compiled, so that new instances have the best code. */
    public void waitCompiled() {
        handle.use(plugin -> {
            UndergoException.check(Library.call(Library.PLUGIN_WAIT_COMPILED, plugin));
            return null;
        });
    }

    /** Whether the next instance will have the code of the better compiler. */
    public boolean isBest() {
        return Library.is(handle.word(Library.PLUGIN_IS_BEST));
    }

    /** Frees the plugin. Its instances and pools live on. */
    @Override
    public void close() {
        handle.close();
    }

    @Override
    public String toString() {
        return handle.isClosed() ? "a closed plugin" : name();
    }
}
