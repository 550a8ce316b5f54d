import dev.undergo.java.Instance;
import dev.undergo.java.LoadOptions;
import dev.undergo.java.Options;
import dev.undergo.java.Output;
import dev.undergo.java.Plugin;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.extism.sdk.manifest.Manifest;
import org.extism.sdk.wasm.PathWasmSource;

/** Measures bytes there and back beside Extism's SDK, whose calls take bytes and give bytes. */
public final class Extism {
    private static final int ROUNDS = 15;

    public static void main(String[] arguments) throws IOException {
        Plugin plugin = Plugin.open(Path.of(arguments[0]), new LoadOptions().compile(LoadOptions.Compile.BEST));
        Instance instance = plugin.instantiate(BenchPlugin.imports(new Options().stderr(Output.discard()), new Host()));
        BenchPlugin ours = new BenchPlugin(instance);
        var manifest = new Manifest(new PathWasmSource("echo", arguments[1], null));
        try (var theirs = new org.extism.sdk.Plugin(manifest, true, null)) {
            System.out.println("| Java " + Runtime.version().feature() + " | Undergo, bindgen | Extism's SDK | ratio |");
            System.out.println("| --- | --- | --- | --- |");
            row("16 bytes there and back", 16, 10_000, ours, theirs);
            row("1 MiB there and back", 1 << 20, 20, ours, theirs);
        }
    }

    private static void row(String what, int size, int count, BenchPlugin ours, org.extism.sdk.Plugin theirs) {
        byte[] sent = new byte[size];
        Arrays.fill(sent, (byte) 7);
        long[] mine = new long[ROUNDS];
        long[] its = new long[ROUNDS];
        // The first rounds have the JVM compile what is called.
        for (int round = -3; round < ROUNDS; round++) {
            long start = System.nanoTime();
            for (int i = 0; i < count; i++) {
                check(ours.echoBytes(sent), sent);
            }
            long between = System.nanoTime();
            for (int i = 0; i < count; i++) {
                check(theirs.call("echo", sent), sent);
            }
            if (round >= 0) {
                mine[round] = (between - start) / count;
                its[round] = (System.nanoTime() - between) / count;
            }
        }
        Arrays.sort(mine);
        Arrays.sort(its);
        double a = mine[ROUNDS / 2] / 1e3;
        double b = its[ROUNDS / 2] / 1e3;
        System.out.printf("| %s | %.2f µs | %.2f µs | %.4f × |%n", what, a, b, a / b);
    }

    private static void check(byte[] given, byte[] sent) {
        if (given.length != sent.length || given[given.length - 1] != sent[sent.length - 1]) {
            throw new AssertionError("other bytes came back");
        }
    }

    private static final class Host implements BenchPlugin.Host {
        @Override
        public String upper(String s) {
            return s;
        }

        @Override
        public int pause(int n) {
            return n;
        }
    }
}
