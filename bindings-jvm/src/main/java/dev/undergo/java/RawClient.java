package dev.undergo.java;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * An instance or a pool whose exports are those that generated code knows. For what {@code undergo
 * bindgen --lang java} writes: programs have no use for it, and it changes with bindgen.
 */
public final class RawClient {
    private final Exports exports;
    private final int[] numbers;
    private final long[] digests;
    private final RawError[] errors;

    /**
     * Finds the exports.
     *
     * @param errors those with fields that there are exceptions for.
     * @throws SignatureMismatchException when they are others, with all that differs.
     */
    public RawClient(Exports exports, RawSignature[] signatures, RawError... errors) {
        this.exports = exports;
        this.errors = errors;
        numbers = new int[signatures.length];
        digests = new long[signatures.length];
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < signatures.length; i++) {
            FunctionType found = signatures[i].in(exports.plugin.exports);
            found = found != null ? found : signatures[i].in(exports.plugin.members);
            if (found == null || found.digest != signatures[i].digest()) {
                wrong.add(signatures[i].difference(found));
                continue;
            }
            numbers[i] = found.number;
            digests[i] = found.digest;
        }
        if (!wrong.isEmpty()) {
            throw RawSignature.outdated(wrong);
        }
    }

    private RawClient(Exports exports, RawClient of) {
        this.exports = exports;
        numbers = of.numbers;
        digests = of.digests;
        errors = of.errors;
    }

    /**
     * Begins a call of the export, the constructor or the method of that index, which is to be
     * ended on the same thread.
     *
     * @param args bytes of the struct of the arguments.
     * @param result bytes of the result; 0 for none.
     */
    public RawCall begin(int export, int args, int result) {
        return RawCall.begin(exports, numbers[export], digests[export], args, result, errors);
    }

    /** Takes the handle at a place; null where there is none. */
    Handle take(long at, String resource) {
        long handle = Memory.getLong(at);
        return handle == 0 ? null : new Handle(resource(each -> each.name.equals(resource)), handle);
    }

    /** Takes that of a stream. */
    Handle take(long at, ResourceType.Shape shape) {
        long handle = Memory.getLong(at);
        return handle == 0 ? null : new Handle(resource(each -> each.shape == shape), handle);
    }

    private ResourceType resource(Predicate<ResourceType> wanted) {
        for (ResourceType each : exports.plugin.resources) {
            if (each.isGuests && wanted.test(each)) {
                return each;
            }
        }
        throw new IllegalStateException("the plugin has no such resource");
    }

    RawError[] errors() {
        return errors;
    }

    /** The same for another view of what its exports are of. */
    public RawClient on(Exports view) {
        return new RawClient(view, this);
    }

    /** What its exports are of. */
    public Exports exports() {
        return exports;
    }
}
