package dev.undergo.java;

import java.lang.ref.Reference;
import java.lang.reflect.Type;

/** Calls whose types are known from the description of the interface alone. */
final class Dynamic {
    private Dynamic() {}

    static Object call(Exports exports, Type wanted, String name, Object[] arguments) {
        FunctionType export = exports.plugin.export(name);
        WitType.Field[] params = export.params;
        if (arguments.length != params.length) {
            throw UndergoException.of(
                    ErrorKind.TYPE_MISMATCH, "expected " + params.length + " arguments, got " + arguments.length, export.name + "()");
        }
        int size = export.result == null ? 0 : export.result.size;
        RawCall call = RawCall.begin(exports, export.number, export.digest, export.size, size, RawError.NONE);
        try {
            int at = 0;
            try {
                for (; at < params.length; at++) {
                    Lower.lower(call, params[at].type(), arguments[at], call.args() + params[at].at());
                }
            } catch (Misfit misfit) {
                throw misfit.at(params[at].name()).in(export.name);
            }
            call.run();
            if (export.result == null) {
                return null;
            }
            try {
                return Lift.lift(export.result, call.result(), wanted);
            } catch (Misfit misfit) {
                throw misfit.at("result").in(export.name);
            }
        } finally {
            call.end();
            Reference.reachabilityFence(exports);
        }
    }

    /** A value of a primitive class, whose {@code cast} takes none. */
    @SuppressWarnings("unchecked")
    static <T> T unboxed(Class<T> type, Object value) {
        return (T) value;
    }
}
