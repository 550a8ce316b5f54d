import dev.undergo.java.CallTimeoutException;
import dev.undergo.java.GuestException;
import dev.undergo.java.Instance;
import dev.undergo.java.Options;
import dev.undergo.java.PanicException;
import dev.undergo.java.Plugin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Tries what may be wrong with a Java: a line for each thing, {@code ok NAME} or {@code not ok
 * NAME: why}.
 *
 * <p>Usage: Probe probe.wasm
 */
public final class Probe {
    private static Plugin plugin;
    private static Instance instance;

    private interface Check {
        void run() throws Exception;
    }

    private record Point(double x, double y, String name) {}

    public static void main(String[] args) {
        check("load", () -> {
            plugin = Plugin.open(Path.of(args[0]));
            instance = start(name -> name + " is here", null);
        });
        check("call", () -> {
            same(42L, ((Number) instance.call("add", 20, 22)).longValue());
            same(0L, ((Number) instance.call("add", -1, 1)).longValue());
        });
        check("buffer", () -> {
            same(0.75, instance.call("sum", (Object) new double[] {0.5, 0.25}));
            double[] many = new double[100_000];
            Arrays.fill(many, 1);
            same(100_000.0, instance.call("sum", (Object) many));
        });
        check("record", () -> {
            Map<?, ?> moved = (Map<?, ?>) instance.call("move", new Point(1, 2, "p"), 0.5);
            same(Map.of("x", 1.5, "y", 2.5, "name", "p'"), moved);
        });
        check("host", () -> {
            same("Ada is here", instance.call("ask", "Ada"));
            try (Instance failing = start(name -> { throw new IllegalStateException("out"); }, null)) {
                contains(raised(RuntimeException.class, () -> failing.call("ask", "Ada")).getMessage(), "out");
            }
        });
        check("error", () -> contains(raised(GuestException.class, () -> instance.call("fail", "as told")).getMessage(), "as told"));
        check("panic", () -> {
            try (Instance one = start(name -> name, null)) {
                PanicException error = raised(PanicException.class, () -> one.call("first", List.of()));
                contains(error.getMessage(), "index out of range");
                contains(error.frames().get(0).function(), "First");
            }
        });
        check("timeout", () -> {
            try (Instance one = start(name -> name, Duration.ofMillis(50))) {
                raised(CallTimeoutException.class, () -> one.call("spin"));
            }
        });
    }

    private static Instance start(Function<String, String> lookup, Duration timeout) {
        Options options = new Options().function("host", "lookup", given -> lookup.apply(given.text(0)));
        return plugin.instantiate(timeout == null ? options : options.timeout(timeout));
    }

    private static void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Exception | LinkageError | AssertionError error) {
            System.out.println(("not ok " + name + ": " + error).replace('\n', ' '));
        }
    }

    private static <E extends Exception> E raised(Class<E> type, Check call) throws Exception {
        try {
            call.run();
        } catch (Exception error) {
            if (type.isInstance(error)) {
                return type.cast(error);
            }
            throw error;
        }
        throw new AssertionError("nothing was thrown");
    }

    private static void same(Object wanted, Object given) {
        if (!wanted.equals(given)) {
            throw new AssertionError(given + " instead of " + wanted);
        }
    }

    private static void contains(String text, String part) {
        if (!text.contains(part)) {
            throw new AssertionError(text + " has no " + part);
        }
    }
}
