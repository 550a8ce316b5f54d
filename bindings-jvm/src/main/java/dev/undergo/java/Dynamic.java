package dev.undergo.java;

import java.lang.ref.Reference;
import java.lang.reflect.Type;

/** Calls whose types are known from the description of the interface alone. */
final class Dynamic {
    private Dynamic() {}

    /**
     * Calls a function.
     *
     * @param object that of a method; null for an export.
     */
    static Object call(Exports exports, Type wanted, FunctionType function, Resource object, Object[] arguments) {
        WitType.Field[] params = function.params;
        int own = object == null ? 0 : 1;
        if (arguments.length != params.length - own) {
            throw UndergoException.of(
                    ErrorKind.TYPE_MISMATCH, "expected " + (params.length - own) + " arguments, got " + arguments.length, function.name + "()");
        }
        int size = function.result == null ? 0 : function.result.size;
        RawCall call = RawCall.begin(exports, function.number, function.digest, function.size, size, RawError.NONE);
        try {
            int at = 0;
            try {
                if (object != null) {
                    object.handle.put(call, call.args());
                }
                for (at = own; at < params.length; at++) {
                    Lower.lower(call, params[at].type(), arguments[at - own], call.args() + params[at].at());
                }
            } catch (Misfit misfit) {
                throw misfit.at(params[at].name()).in(function.name);
            }
            call.run();
            if (function.result == null) {
                return null;
            }
            try {
                Lift lift = function.result.holdsHandles ? new Lift(exports.root()) : Lift.VALUES;
                return lift.whole(function.result, call.result(), wanted);
            } catch (Misfit misfit) {
                throw misfit.at("result").in(function.name);
            }
        } finally {
            call.end();
            Reference.reachabilityFence(exports);
            Reference.reachabilityFence(object);
        }
    }

    /** A value of a class, which may be a primitive one, whose {@code cast} takes none. */
    @SuppressWarnings("unchecked")
    static <T> T cast(Class<T> type, Object value) {
        return type.isPrimitive() ? (T) value : type.cast(value);
    }
}
