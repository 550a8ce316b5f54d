package dev.undergo.java;

/**
 * A host function with structs. For what {@code undergo bindgen --lang java} writes: programs have
 * no use for it, and it changes with bindgen.
 */
@FunctionalInterface
public interface RawFunction {
    /** Reads the struct of the arguments, and writes the result. */
    void call(long args, long result, RawRoom room) throws Exception;

    /** Gives the function to a plugin that imports it. */
    static Options give(Options options, RawSignature signature, RawFunction function) {
        return options.function(signature, function::call);
    }
}
