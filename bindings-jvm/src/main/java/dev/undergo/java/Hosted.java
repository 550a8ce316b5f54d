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
        if (type.result == null) {
            return;
        }
        try {
            Lower.lower(room, type.result, answer, result);
        } catch (Misfit misfit) {
            throw misfit.at("result").of(type.module + "." + type.name);
        }
    }
}
