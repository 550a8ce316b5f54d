package dev.undergo.java;

/** A host function whose types are known from the description of the interface alone. */
record Hosted(FunctionType type, HostFunction function) implements Dispatcher.Hosted {
    @Override
    public void call(long args, long result, RawRoom room) throws Exception {
        Arguments arguments = new Arguments(type, args);
        Object answer;
        try {
            answer = function.call(arguments);
        } finally {
            arguments.end();
        }
        answer(type, answer, result, room);
    }

    /** Writes the result of a host function. */
    static void answer(FunctionType type, Object answer, long result, RawRoom room) {
        if (type.result == null) {
            return;
        }
        try {
            Lower.lower(room, type.result, answer, result);
        } catch (Misfit misfit) {
            throw misfit.at("result").of(type.fullName());
        }
    }
}
