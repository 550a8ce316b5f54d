import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.wasi.WasiOptions;
import com.dylibso.chicory.wasi.WasiPreview1;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.FunctionImport;
import dev.undergo.java.Instance;
import dev.undergo.java.Items;
import dev.undergo.java.LoadOptions;
import dev.undergo.java.Options;
import dev.undergo.java.Output;
import dev.undergo.java.Plugin;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

/**
 * Measures calls from Java: by a client that bindgen wrote, by names, and beside them by Chicory,
 * whose calls are written by hand.
 */
public final class Bench {
    private static final String TEXT = "hello world";
    private static final byte[] MEGABYTE = new byte[1 << 20];

    private static boolean held = true;

    public static void main(String[] arguments) throws IOException {
        Plugin plugin = Plugin.open(Path.of(arguments[0]), new LoadOptions().compile(LoadOptions.Compile.BEST));
        Options options = new Options().stderr(Output.discard());
        Instance instance = plugin.instantiate(BenchPlugin.imports(options, new Host()));
        BenchPlugin ours = new BenchPlugin(instance);
        Hand hand = new Hand(arguments[0]);
        int version = Runtime.version().feature();
        long add = version >= 22 ? 350 : 1000;
        long text = version >= 22 ? 800 : 2000;

        System.out.println("| Java " + version + " | Undergo, bindgen | bound | Undergo, by name | bound | Chicory's compiler, by hand | ratio |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- |");
        row("`add(int32, int32)`", add, 100_000,
                () -> ours.add(1, 2) == 3,
                () -> (Long) instance.call("add", 1, 2) == 3,
                () -> hand.add(1, 2) == 3);
        row("string → string, 11 bytes", text, 100_000,
                () -> ours.echoString(TEXT).equals(TEXT),
                () -> instance.call("echo-string", TEXT).equals(TEXT),
                () -> hand.echo(TEXT).equals(TEXT));
        byte[][] copies = {new byte[1 << 20], new byte[1 << 20]};
        long copied = median(times(200, () -> {
            System.arraycopy(MEGABYTE, 0, copies[0], 0, MEGABYTE.length);
            System.arraycopy(copies[0], 0, copies[1], 0, MEGABYTE.length);
            return copies[1][5] == 0;
        }));
        row("1 MiB there and back; two copies take " + shown(copied), 6 * copied, 200,
                () -> ours.echoBytes(MEGABYTE).length == MEGABYTE.length,
                () -> ((byte[]) instance.call("echo-bytes", (Object) MEGABYTE)).length == MEGABYTE.length,
                null);
        long calls = 100;
        long[] back = rounds(2_000, () -> ours.callHost((int) calls) == calls * TEXT.length());
        System.out.println("| a call of the host within a call, string → string | " + shown(median(back) / calls) + " | | | | | |");
        living(version, Plugin.open(Path.of(arguments[1]), new LoadOptions().compile(LoadOptions.Compile.BEST)));
        if (!held) {
            System.exit(3);
        }
    }

    /** Measures what lives longer than a call, beside what does not. */
    private static void living(int version, Plugin plugin) {
        Instance instance = plugin.instantiate(LivingPlugin.imports(new Options(), n -> n));
        LivingPlugin ours = new LivingPlugin(instance);
        LivingPlugin.Adder adder = ours.newAdder();
        int calls = 100;
        int sum = calls * (calls - 1) / 2;
        System.out.println();
        System.out.println("| Java " + version + " | time | beside it | time | ratio | bound |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        beside("a method of an object, `add(int32, int32)`", "a plain call", 120, 100_000, 1, () -> adder.add(1, 2) == 3, () -> ours.add(1, 2) == 3);
        beside("a function that is an argument, int32 → int32", "a host function", 120, 1_000, calls,
                () -> ours.callBack(calls, n -> n) == sum,
                () -> ours.callHost(calls) == sum);
        long items = 100_000;
        beside("an item of an iterator, int64", "one of Java's `LongStream`", 0, 1, (int) items, () -> {
            long found = 0;
            try (Items<Long> numbers = ours.numbers(items)) {
                while (numbers.hasNext()) {
                    found += numbers.next();
                }
            }
            return found == items * (items - 1) / 2;
        }, () -> LongStream.range(0, items).boxed().mapToLong(Long::longValue).sum() == items * (items - 1) / 2);
    }

    /** Measures two in turns, and prints the medians of what is done so many times in each. */
    private static void beside(String what, String other, int bound, int count, int each, BooleanSupplier ours, BooleanSupplier theirs) {
        long[][] times = new long[2][15];
        for (int round = -3; round < 15; round++) {
            long a = once(count, ours);
            long b = once(count, theirs);
            if (round >= 0) {
                times[0][round] = a;
                times[1][round] = b;
            }
        }
        double a = (double) median(times[0]) / each;
        double b = (double) median(times[1]) / each;
        System.out.println("| " + what + " | " + shown(Math.round(a)) + " | " + other + " | " + shown(Math.round(b)) + " | "
                + String.format("%.2f × | ", a / b) + (bound == 0 ? "— |" : String.format("≤ %.1f × |", bound / 100.0)));
        held &= bound == 0 || 100 * a <= bound * b;
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

    /** Measures in turns, and prints the medians. */
    private static void row(String what, long bound, int count, BooleanSupplier typed, BooleanSupplier named, BooleanSupplier theirs) {
        List<BooleanSupplier> all = new ArrayList<>(List.of(typed, named));
        if (theirs != null) {
            all.add(theirs);
        }
        long[][] times = new long[all.size()][15];
        // The first round has the JVM compile what is called.
        for (int round = -3; round < 15; round++) {
            for (int i = 0; i < times.length; i++) {
                long time = once(count, all.get(i));
                if (round >= 0) {
                    times[i][round] = time;
                }
            }
        }
        long a = median(times[0]);
        long b = median(times[1]);
        String other = theirs == null ? " | " : shown(median(times[2])) + " | " + String.format("%.2f ×", (double) a / median(times[2]));
        System.out.println("| " + what + " | " + shown(a) + " | ≤ " + shown(bound) + " | " + shown(b) + " | ≤ " + shown(3 * bound) + " | " + other + " |");
        held &= a <= bound && b <= 3 * bound;
    }

    private static long[] rounds(int count, BooleanSupplier call) {
        once(count, call);
        return times(count, call);
    }

    private static long[] times(int count, BooleanSupplier call) {
        long[] times = new long[15];
        for (int round = 0; round < times.length; round++) {
            times[round] = once(count, call);
        }
        return times;
    }

    private static long once(int count, BooleanSupplier call) {
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            if (!call.getAsBoolean()) {
                throw new AssertionError("a call gave something else");
            }
        }
        return (System.nanoTime() - start) / count;
    }

    private static long median(long[] times) {
        Arrays.sort(times);
        return times[times.length / 2];
    }

    private static String shown(long nanoseconds) {
        return nanoseconds >= 10_000 ? String.format("%.1f µs", nanoseconds / 1e3) : nanoseconds + " ns";
    }

    /** The plugin under Chicory. */
    private static final class Hand {
        private final Memory memory;
        private final ExportFunction sum;
        private final ExportFunction same;
        private final ExportFunction room;

        Hand(String file) throws IOException {
            WasmModule module = Parser.parse(new File(file));
            WasiPreview1 wasi = WasiPreview1.builder().withOptions(WasiOptions.builder().withArguments(List.of("plugin"))
                    .withStderr(new ByteArrayOutputStream()).build()).build();
            List<ImportFunction> functions = new ArrayList<>(List.of(wasi.toHostFunctions()));
            for (int i = 0; i < module.importSection().importCount(); i++) {
                if (module.importSection().getImport(i) instanceof FunctionImport wanted
                        && wanted.importType() == ExternalType.FUNCTION && !wanted.module().equals("wasi_snapshot_preview1")) {
                    functions.add(new HostFunction(
                            wanted.module(), wanted.name(), module.typeSection().getType(wanted.typeIndex()), (instance, given) -> given));
                }
            }
            var instance = com.dylibso.chicory.runtime.Instance.builder(module)
                    .withImportValues(ImportValues.builder().addFunction(functions.toArray(ImportFunction[]::new)).build())
                    .withMachineFactory(MachineFactoryCompiler.compile(module))
                    .build();
            instance.export("_initialize").apply();
            memory = instance.memory();
            sum = instance.export("add");
            same = instance.export("echo-string");
            room = instance.export("cabi_realloc");
        }

        int add(int a, int b) {
            return (int) sum.apply(a, b)[0];
        }

        /** Does what the canonical ABI asks for: a block for the text, and where the result is. */
        String echo(String text) {
            int at = (int) room.apply(0, 0, 1, text.length())[0];
            memory.writeString(at, text);
            int result = (int) same.apply(at, text.length())[0];
            return memory.readString(memory.readInt(result), memory.readInt(result + 4));
        }
    }
}
