import dev.undergo.GuestException;
import dev.undergo.Imports;
import dev.undergo.Instance;
import dev.undergo.Limits;
import dev.undergo.PanicException;
import dev.undergo.Plugin;
import dev.undergo.Sandbox;
import dev.undergo.TypeMismatchException;
import dev.undergo.UnknownExportException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * Calls the greeter from Java: values and errors there and back.
 *
 * <p>Usage: Main greeter.wasm
 */
public final class Main {
  private static final Map<String, List<String>> DIRECTORY =
      Map.of("Ada", List.of("mathematics", "engines"), "Grace", List.of());

  public static void main(String[] args) {
    Plugin plugin = Plugin.load(args[0]);
    Imports imports = new Imports().function("directory", "lookup", given -> lookup((String) given.get(0)));
    try (Instance greeter = plugin.instantiate(imports, new Sandbox(), Limits.of(64L << 20, Duration.ofSeconds(5)))) {
      // What the plugin has, with the comments of its Go source.
      System.out.println("exports: " + String.join(", ", plugin.getExports().keySet()));
      System.out.println(plugin.getExports().get("greet").getDocs());
      System.out.println();

      // A Map will do for a record, and what is optional may be left out.
      System.out.println(greeter.call("greet", Map.of("name", "Ada", "tags", List.of()), false));
      Map<String, Object> grace =
          Map.of("name", "Grace", "email", "grace@example.com", "tags", List.of("compilers"));
      System.out.println(greeter.call("greet", grace, true));
      System.out.println();

      // An error that the Go function returns.
      try {
        greeter.call("greet", Map.of("name", "", "tags", List.of()), false);
      } catch (GuestException error) {
        System.out.println(error.getKind() + ": " + error.getSentence());
      }

      // An exception of a Java function reaches Go as an error, if the Go function returns one.
      try {
        greeter.call("greet", Map.of("name", "Nobody", "tags", List.of()), false);
      } catch (GuestException error) {
        System.out.println(error.getKind() + ": " + error.getSentence());
      }

      // A value that does not fit: the path says which.
      try {
        greeter.call("greet", Map.of("name", "Ada", "tags", List.of("a", "b", 3)), false);
      } catch (TypeMismatchException error) {
        System.out.println(error.getKind() + ": at " + error.getPath());
      }

      // A name that is misspelt.
      try {
        greeter.call("great", grace, false);
      } catch (UnknownExportException error) {
        System.out.println(error.getKind() + ": " + error.getSentence());
      }

      // The instance has lived through all of these. A panic ends it.
      System.out.println(greeter.isAlive() ? "alive" : "ended");
      try {
        greeter.call("initial", Map.of("name", "", "tags", List.of()));
      } catch (PanicException error) {
        System.out.println(error.getKind() + ": " + error.getSentence());
        System.out.println("in " + error.getFrames().get(0).getFunction());
      }
      System.out.println(greeter.isAlive() ? "alive" : "ended");

      // The plugin itself is as good as ever, and a new instance is quickly made.
      try (Instance another = plugin.instantiate(imports)) {
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
