import dev.undergo.java.Function;
import dev.undergo.java.GuestException;
import dev.undergo.java.Instance;
import dev.undergo.java.Options;
import dev.undergo.java.PanicException;
import dev.undergo.java.Plugin;
import dev.undergo.java.TypeMismatchException;
import dev.undergo.java.UnknownExportException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.Collectors;

/**
 * Calls the greeter from Java: values and errors there and back.
 *
 * <p>Usage: Main greeter.wasm
 */
public final class Main {
    private static final Map<String, List<String>> DIRECTORY = Map.of("Ada", List.of("mathematics", "engines"), "Grace", List.of());

    /** What the plugin takes as a record. Its components are matched by their names. */
    record Person(String name, String email, List<String> tags) {}

    public static void main(String[] args) {
        Plugin plugin = Plugin.open(Path.of(args[0]));
        Options options = new Options()
                .memory(64L << 20)
                .timeout(Duration.ofSeconds(5))
                .function("directory", "lookup", given -> lookup(given.text(0)));
        try (Instance greeter = plugin.instantiate(options)) {
            // What the plugin has, with the comments of its Go source.
            System.out.println("exports: " + plugin.exports().stream().map(Function::name).collect(Collectors.joining(", ")));
            System.out.println(plugin.exports().get(0).docs());
            System.out.println();

            // A record of Java will do for one of the plugin, or a Map; an option may be null.
            System.out.println(greeter.call("greet", new Person("Ada", null, List.of()), false));
            Map<String, Object> grace = Map.of("name", "Grace", "email", "grace@example.com", "tags", List.of("compilers"));
            System.out.println(greeter.call("greet", grace, true));
            System.out.println();

            // An error that the Go function returns.
            try {
                greeter.call("greet", new Person("", null, List.of()), false);
            } catch (GuestException error) {
                System.out.println(error.kind() + ": " + error.sentence());
            }

            // An exception of a Java function reaches Go as an error, if Go has one there.
            try {
                greeter.call("greet", new Person("Nobody", null, List.of()), false);
            } catch (GuestException error) {
                System.out.println(error.kind() + ": " + error.sentence());
            }

            // A value that does not fit: the path says which.
            try {
                greeter.call("greet", Map.of("name", "Ada", "tags", List.of("a", "b", 3)), false);
            } catch (TypeMismatchException error) {
                System.out.println(error.kind() + ": at " + error.path());
            }

            // A name that is misspelt.
            try {
                greeter.call("great", grace, false);
            } catch (UnknownExportException error) {
                System.out.println(error.kind() + ": " + error.sentence());
            }

            // The instance has lived through all of these. A panic ends it.
            System.out.println(greeter.isAlive() ? "alive" : "ended");
            try {
                greeter.call("initial", new Person("", null, List.of()));
            } catch (PanicException error) {
                System.out.println(error.kind() + ": " + error.sentence());
                System.out.println("in " + error.frames().get(0).function());
            }
            System.out.println(greeter.isAlive() ? "alive" : "ended");

            // The plugin itself is as good as ever, and a new instance is quickly made.
            try (Instance another = plugin.instantiate(options)) {
                System.out.println(another.call("initial", grace));
            }
        }
    }

    /** Gives a person's tags; the plugin calls this. */
    private static List<String> lookup(String name) {
        List<String> tags = DIRECTORY.get(name);
        if (tags == null) {
            throw new NoSuchElementException(name + " is not in the directory");
        }
        return tags;
    }
}
