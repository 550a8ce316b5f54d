package dev.undergo.java;

/** The arguments of a host function, to be read while it runs. */
public final class Arguments {
    private final FunctionType function;
    private final long at;
    private boolean over;

    Arguments(FunctionType function, long at) {
        this.function = function;
        this.at = at;
    }

    /** How many there are. */
    public int size() {
        return function.params.length;
    }

    /** Gives an argument as an object that is natural for it. */
    public Object get(int index) {
        return lift(index, Object.class);
    }

    /** Gives an argument as an object of a class: a record, an enum, an array, a number. */
    public <T> T get(int index, Class<T> type) {
        Object found = lift(index, type);
        return Dynamic.cast(type, found);
    }

    /** Gives an argument that is a string, or the case of an enum. */
    public String text(int index) {
        return get(index, String.class);
    }

    /** Gives an argument that is an integer. */
    public long number(int index) {
        return (Long) lift(index, long.class);
    }

    private Object lift(int index, Class<?> type) {
        if (over) {
            throw new IllegalStateException("the host function has returned: read its arguments before");
        }
        WitType.Field param = function.params[index];
        try {
            return Lift.VALUES.lift(param.type(), at + param.at(), type);
        } catch (Misfit misfit) {
            throw misfit.at(param.name()).in(function.fullName());
        }
    }

    /** Nothing can be read any more. */
    void end() {
        over = true;
    }
}
