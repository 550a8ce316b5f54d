package dev.undergo.java;

import java.util.List;

/**
 * A function as generated code knows it. For what {@code undergo bindgen --lang java} writes:
 * programs have no use for it, and it changes with bindgen.
 *
 * @param module the interface of an import; empty for an export.
 * @param name the name in WIT.
 * @param text the signature in WIT.
 * @param digest stands for the name and the types.
 */
public record RawSignature(String module, String name, String text, long digest) {
    /** Finds the function by its names; null for none. */
    FunctionType in(FunctionType[] functions) {
        for (FunctionType function : functions) {
            if (function.name.equals(name) && function.module.equals(module)) {
                return function;
            }
        }
        return null;
    }

    /** Says how a function differs; null for none. */
    String difference(FunctionType found) {
        if (found == null) {
            return "it has no " + name + ", which the client has as " + text;
        } else if (found.signature.equals(text)) {
            return "the types of " + text + " are others than in the client";
        }
        return "it has " + found.signature + ", and the client has " + text;
    }

    static UndergoException outdated(List<String> differences) {
        return UndergoException.of(
                ErrorKind.SIGNATURE_MISMATCH,
                "the client was generated for another plugin: " + String.join("; ", differences) + "; run 'undergo bindgen' again");
    }
}
