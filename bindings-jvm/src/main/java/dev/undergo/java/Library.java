package dev.undergo.java;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * The C library: the one that the system property {@code undergo.library} or the environment
 * variable {@code UNDERGO_LIBRARY} names, or else the one in this package's jar.
 */
final class Library {
    /** Another version of the library is not loaded. */
    static final String VERSION = "0.1.0";

    /** The dispatcher, undergo_dispatcher_t. */
    static final long DISPATCHER;

    static {
        load();
        checkVersion();
        DISPATCHER = Memory.allocate(16);
        Memory.putLong(DISPATCHER, Jni.begin());
        Memory.putLong(DISPATCHER + 8, 0);
    }

    static final long ARENA_ALLOC = symbol("arena_alloc");
    static final long ARENA_DELETE = symbol("arena_delete");
    static final long CANCEL_NEW = symbol("cancel_new");
    static final long CANCEL_CANCEL = symbol("cancel_cancel");
    static final long CANCEL_DELETE = symbol("cancel_delete");
    static final long COMPLETED_CODE = symbol("completed_code");
    static final long COMPLETED_DELETE = symbol("completed_delete");
    static final long COMPLETED_DENIED = symbol("completed_denied");
    static final long COMPLETED_IS_TRUNCATED = symbol("completed_is_truncated");
    static final long COMPLETED_STDERR = symbol("completed_stderr");
    static final long COMPLETED_STDOUT = symbol("completed_stdout");
    static final long COMPLETED_USED = symbol("completed_used");
    static final long DISPATCH_DEPTH = symbol("dispatch_depth");
    static final long ERROR_CHAINED = symbol("error_chained");
    static final long ERROR_DELETE = symbol("error_delete");
    static final long ERROR_DENIED = symbol("error_denied");
    static final long ERROR_DISPATCHED = symbol("error_dispatched");
    static final long ERROR_ENDING_DISPATCHED = symbol("error_ending_dispatched");
    static final long ERROR_EXIT_CODE = symbol("error_exit_code");
    static final long ERROR_FRAME = symbol("error_frame");
    static final long ERROR_KIND = symbol("error_kind");
    static final long ERROR_MESSAGE = symbol("error_message");
    static final long ERROR_NEW_DISPATCHED = symbol("error_new_dispatched");
    static final long ERROR_OF_KIND = symbol("error_of_kind");
    static final long ERROR_PATH = symbol("error_path");
    static final long ERROR_STDERR = symbol("error_stderr");
    static final long ERROR_WITH_CHAIN = symbol("error_with_chain");
    static final long HANDLE_CLOSE = symbol("handle_close");
    static final long HANDLE_DELETE = symbol("handle_delete");
    static final long HANDLE_IS_OPEN = symbol("handle_is_open");
    static final long IMPORTS_DELETE = symbol("imports_delete");
    static final long IMPORTS_KEYVALUE = symbol("imports_keyvalue");
    static final long IMPORTS_LINK = symbol("imports_link");
    static final long IMPORTS_NEW = symbol("imports_new");
    static final long IMPORTS_SET_DISPATCHED = symbol("imports_set_dispatched");
    static final long INSTANCE_DELETE = symbol("instance_delete");
    static final long INSTANCE_DENIED = symbol("instance_denied");
    static final long INSTANCE_ENTER = symbol("instance_enter");
    static final long INSTANCE_HANDLES = symbol("instance_handles");
    static final long INSTANCE_IS_ALIVE = symbol("instance_is_alive");
    static final long INSTANCE_IS_BEST = symbol("instance_is_best");
    static final long INSTANCE_MEMORY_SIZE = symbol("instance_memory_size");
    static final long INSTANCE_POLL = symbol("instance_poll");
    static final long INSTANCE_READ_MEMORY = symbol("instance_read_memory");
    static final long INSTANCE_RESET = symbol("instance_reset");
    static final long INSTANCE_TAKE_STDERR = symbol("instance_take_stderr");
    static final long INSTANCE_TAKE_STDOUT = symbol("instance_take_stdout");
    static final long INSTANCE_USAGE = symbol("instance_usage");
    static final long INSTANCE_WRITE_MEMORY = symbol("instance_write_memory");
    static final long KEYVALUE_DELETE = symbol("keyvalue_delete");
    static final long KEYVALUE_GET = symbol("keyvalue_get");
    static final long KEYVALUE_NEW = symbol("keyvalue_new");
    static final long KEYVALUE_SET = symbol("keyvalue_set");
    static final long OBJECT_DELETE = symbol("object_delete");
    static final long OBJECT_DISPATCHED = symbol("object_dispatched");
    static final long OBJECT_NEW_DISPATCHED = symbol("object_new_dispatched");
    static final long PLUGIN_DELETE = symbol("plugin_delete");
    static final long PLUGIN_DESCRIBE = symbol("plugin_describe");
    static final long PLUGIN_DIAGNOSTIC = symbol("plugin_diagnostic");
    static final long PLUGIN_EXPORT = symbol("plugin_export");
    static final long PLUGIN_FIND = symbol("plugin_find");
    static final long PLUGIN_FROM_BYTES = symbol("plugin_from_bytes");
    static final long PLUGIN_GO_VERSION = symbol("plugin_go_version");
    static final long PLUGIN_IMPORT = symbol("plugin_import");
    static final long PLUGIN_INSTANTIATE_WITH = symbol("plugin_instantiate_with");
    static final long PLUGIN_INTERFACE = symbol("plugin_interface");
    static final long PLUGIN_IS_BEST = symbol("plugin_is_best");
    static final long PLUGIN_KIND = symbol("plugin_kind");
    static final long PLUGIN_LOAD = symbol("plugin_load");
    static final long PLUGIN_LOAD_COMPILED = symbol("plugin_load_compiled");
    static final long PLUGIN_NAME = symbol("plugin_name");
    static final long PLUGIN_POOL = symbol("plugin_pool");
    static final long PLUGIN_RUN = symbol("plugin_run");
    static final long PLUGIN_SERVE = symbol("plugin_serve");
    static final long PLUGIN_WAIT_COMPILED = symbol("plugin_wait_compiled");
    static final long POOL_CLOSE = symbol("pool_close");
    static final long POOL_DELETE = symbol("pool_delete");
    static final long POOL_ENTER = symbol("pool_enter");
    static final long POOL_LEND = symbol("pool_lend");
    static final long POOL_STATS = symbol("pool_stats");
    static final long POOL_WARM_UP = symbol("pool_warm_up");
    static final long SANDBOX_ADD_ARG = symbol("sandbox_add_arg");
    static final long SANDBOX_ADD_DIR = symbol("sandbox_add_dir");
    static final long SANDBOX_ALLOW_NETWORK = symbol("sandbox_allow_network");
    static final long SANDBOX_CAPTURE = symbol("sandbox_capture");
    static final long SANDBOX_DELETE = symbol("sandbox_delete");
    static final long SANDBOX_DISCARD = symbol("sandbox_discard");
    static final long SANDBOX_INHERIT = symbol("sandbox_inherit");
    static final long SANDBOX_LINES_DISPATCHED = symbol("sandbox_lines_dispatched");
    static final long SANDBOX_LISTEN = symbol("sandbox_listen");
    static final long SANDBOX_NEW = symbol("sandbox_new");
    static final long SANDBOX_SET_CLOCK = symbol("sandbox_set_clock");
    static final long SANDBOX_SET_ENV = symbol("sandbox_set_env");
    static final long SANDBOX_SET_SEED = symbol("sandbox_set_seed");
    static final long SANDBOX_SET_TEMP = symbol("sandbox_set_temp");
    static final long SANDBOX_STDIN_BYTES = symbol("sandbox_stdin_bytes");
    static final long SANDBOX_STDIN_FILE = symbol("sandbox_stdin_file");
    static final long SANDBOX_STDIN_INHERIT = symbol("sandbox_stdin_inherit");
    static final long SERVER_ADDRESS = symbol("server_address");
    static final long SERVER_CLOSE = symbol("server_close");
    static final long SERVER_DELETE = symbol("server_delete");
    static final long SERVER_IS_CLOSED = symbol("server_is_closed");
    static final long SERVER_STATS = symbol("server_stats");
    static final long VALUE_AT = symbol("value_at");
    static final long VALUE_DELETE = symbol("value_delete");
    static final long VALUE_GET_BYTES = symbol("value_get_bytes");
    static final long VALUE_GET_STRING = symbol("value_get_string");
    static final long VALUE_LEN = symbol("value_len");

    private Library() {}

    private static void load() {
        String given = System.getProperty("undergo.library", System.getenv("UNDERGO_LIBRARY"));
        if (given != null && !given.isEmpty()) {
            System.load(given);
            return;
        }
        String resource = "native/" + platform() + "/" + System.mapLibraryName("undergo");
        try (InputStream packed = Library.class.getResourceAsStream(resource)) {
            if (packed == null) {
                throw new UnsatisfiedLinkError("this jar of Undergo has no library for " + platform()
                        + ": name one in the system property undergo.library or in UNDERGO_LIBRARY");
            }
            Path file = Files.createTempFile("undergo-", System.mapLibraryName(""));
            try {
                Files.copy(packed, file, StandardCopyOption.REPLACE_EXISTING);
                System.load(file.toString());
            } finally {
                // Where a file that is in use can't be removed, it goes with the process.
                if (!file.toFile().delete()) {
                    file.toFile().deleteOnExit();
                }
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The folder of the jar with the library for this machine. */
    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch");
        String name = system.startsWith("mac") ? "darwin" : system.startsWith("windows") ? "windows" : "linux";
        return name + "-" + switch (machine) {
            case "amd64" -> "x86_64";
            case "arm64" -> "aarch64";
            default -> machine;
        };
    }

    private static void checkVersion() {
        String found = text(call(symbol("version")));
        if (!VERSION.equals(found)) {
            throw new UnsatisfiedLinkError("the library is that of Undergo " + found + ", and these classes are for " + VERSION);
        }
    }

    private static long symbol(String name) {
        long text = cText("undergo_" + name);
        try {
            long found = Jni.symbol(text);
            if (found == 0) {
                throw new UnsatisfiedLinkError("the library of Undergo has no undergo_" + name + ": it is another version's");
            }
            return found;
        } finally {
            Memory.free(text);
        }
    }

    static long call(long function) {
        return Jni.call(function, 0, 0, 0, 0, 0, 0);
    }

    static long call(long function, long a) {
        return Jni.call(function, a, 0, 0, 0, 0, 0);
    }

    static long call(long function, long a, long b) {
        return Jni.call(function, a, b, 0, 0, 0, 0);
    }

    static long call(long function, long a, long b, long c) {
        return Jni.call(function, a, b, c, 0, 0, 0);
    }

    static long call(long function, long a, long b, long c, long d) {
        return Jni.call(function, a, b, c, d, 0, 0);
    }

    static long call(long function, long a, long b, long c, long d, long e) {
        return Jni.call(function, a, b, c, d, e, 0);
    }

    static long call(long function, long a, long b, long c, long d, long e, long f) {
        return Jni.call(function, a, b, c, d, e, f);
    }

    /** Whether a function of C said true. */
    static boolean is(long word) {
        return (word & 0xff) != 0;
    }

    /** A copy of a text of C; null for NULL. */
    static String text(long at) {
        if (at == 0) {
            return null;
        }
        int length = 0;
        while (Memory.getByte(at + length) != 0) {
            length++;
        }
        return new String(bytes(at, length), StandardCharsets.UTF_8);
    }

    /** A copy of bytes of C. */
    static byte[] bytes(long at, long length) {
        byte[] copied = new byte[Math.toIntExact(length)];
        if (copied.length > 0) {
            Memory.get(at, copied);
        }
        return copied;
    }

    /** A text for C, which is to be freed. What follows a NUL is refused. */
    static long cText(String text) {
        if (text.indexOf('\0') >= 0) {
            throw UndergoException.of(ErrorKind.TYPE_MISMATCH, "there is a NUL in " + text.replace("\0", "\\0"));
        }
        return cBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Bytes for C, with a NUL behind them, which are to be freed. */
    static long cBytes(byte[] bytes) {
        long at = Memory.allocate(bytes.length + 1L);
        Memory.put(at, bytes);
        Memory.putByte(at + bytes.length, (byte) 0);
        return at;
    }

    /** Reads a list of texts of the library, and frees it. */
    static java.util.List<String> texts(long list) {
        long text = Memory.allocate(16);
        try {
            long count = call(VALUE_LEN, list);
            java.util.ArrayList<String> found = new java.util.ArrayList<>();
            for (long i = 0; i < count; i++) {
                if (is(call(VALUE_GET_STRING, call(VALUE_AT, list, i), text))) {
                    found.add(new String(bytes(Memory.getLong(text), Memory.getLong(text + 8)), StandardCharsets.UTF_8));
                }
            }
            return java.util.List.copyOf(found);
        } finally {
            Memory.free(text);
            call(VALUE_DELETE, list);
        }
    }
}
