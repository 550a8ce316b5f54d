package dev.undergo.java;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;

/** A resource of a plugin's interface: what its handles are of. */
final class ResourceType {
    /** What the objects are. */
    enum Shape {
        OBJECT,
        CALLBACK,
        ITERATOR,
        READER,
        WRITER;

        static Shape of(String word) {
            return valueOf(word.toUpperCase(Locale.ROOT));
        }
    }

    /** The name in WIT. */
    final String name;
    /** Whether its objects are the guest's, and not the host's. */
    final boolean isGuests;
    final Shape shape;
    /** null where there is none. */
    FunctionType constructor;
    FunctionType[] methods = {};
    /** How classes of Java have the methods of a host's object. */
    final ConcurrentHashMap<Class<?>, ObjectPlan> plans = new ConcurrentHashMap<>();

    ResourceType(String name, boolean isGuests, Shape shape) {
        this.name = name;
        this.isGuests = isGuests;
        this.shape = shape;
    }

    /** A method by its name, in WIT or in Java. */
    FunctionType method(String wanted) {
        String folded = WitType.fold(wanted);
        for (FunctionType method : methods) {
            if (WitType.fold(method.ownName()).equals(folded)) {
                return method;
            }
        }
        throw UndergoException.of(ErrorKind.UNKNOWN_EXPORT, name + " has no method '" + wanted + "'; it has " + methodNames());
    }

    String methodNames() {
        return WitType.listed(Arrays.stream(methods).map(method -> WitType.camel(method.ownName())).toArray(String[]::new));
    }

    @Override
    public String toString() {
        return name;
    }
}
