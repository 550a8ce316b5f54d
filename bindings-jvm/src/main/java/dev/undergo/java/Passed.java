package dev.undergo.java;

import java.io.InputStream;
import java.io.OutputStream;

/** What guests get of Java's objects. */
final class Passed {
    private Passed() {}

    /** Writes a handle of what stands for an object of that resource. */
    static void put(RawRoom room, ResourceType resource, Object value, long to) {
        Dispatcher.Hosted[] functions = switch (resource.shape) {
            case OBJECT -> ObjectPlan.methods(resource, value);
            case CALLBACK -> new Dispatcher.Hosted[] {ObjectPlan.callback(resource, value)};
            case ITERATOR -> new Dispatcher.Hosted[] {Feed.dynamic(resource, value)};
            case READER -> reader(resource, value).functions();
            case WRITER -> writer(resource, value).functions();
        };
        FunctionType[] methods = resource.methods;
        String[] names = new String[methods.length];
        long[] digests = new long[methods.length];
        for (int i = 0; i < methods.length; i++) {
            names[i] = methods[i].name;
            digests[i] = methods[i].digest;
        }
        put(room, names, digests, functions, resource.shape == ResourceType.Shape.OBJECT ? value : null, to);
    }

    private static Source reader(ResourceType resource, Object value) {
        if (value instanceof InputStream stream) {
            return new Source(stream);
        }
        throw unfit(resource, "an InputStream", value);
    }

    private static Sink writer(ResourceType resource, Object value) {
        if (value instanceof OutputStream stream) {
            return new Sink(stream);
        }
        throw unfit(resource, "an OutputStream", value);
    }

    static Misfit unfit(ResourceType resource, String wanted, Object value) {
        return new Misfit("expected " + wanted + " for " + resource + ", got " + value.getClass().getTypeName());
    }

    /**
     * Writes a handle of an object that has these functions for the methods of these names.
     *
     * @param own what a host function gets where a component passes it back; null for what none
     *     does.
     */
    static void put(RawRoom room, String[] names, long[] digests, Dispatcher.Hosted[] functions, Object own, long to) {
        long at = room.room(8L * digests.length);
        for (int i = 0; i < digests.length; i++) {
            Memory.putLong(at + 8L * i, digests[i]);
        }
        long id = Handles.hold(new Dispatcher.Given(names, functions, room.errorTypes(), own));
        UndergoException.check(Library.call(Library.OBJECT_NEW_DISPATCHED, at, digests.length, Library.DISPATCHER, id, to));
        room.made(Memory.getLong(to));
    }
}
