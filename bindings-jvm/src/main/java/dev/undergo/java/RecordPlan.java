package dev.undergo.java;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;

/** How a record of Java stands for one of an interface: components are matched by their names. */
final class RecordPlan {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

    /** Reads the components, in the order of the fields; null for a field that is optional. */
    private final MethodHandle[] accessors;
    /** Takes an array of the components. */
    private final MethodHandle constructor;
    /** The field of each component, and its type in Java. */
    final int[] fields;
    final Type[] types;
    /** A field that no component stands for; null when there is none. */
    final String missing;

    private RecordPlan(WitType type, Class<?> of) {
        RecordComponent[] components = of.getRecordComponents();
        accessors = new MethodHandle[type.fields.length];
        fields = new int[components.length];
        types = new Type[components.length];
        for (int i = 0; i < components.length; i++) {
            int field = field(type, components[i].getName());
            if (field < 0) {
                throw new Misfit(of.getName() + " has the component " + components[i].getName() + ", and " + type
                        + " has no field of that name; its fields are " + type.fieldNames());
            }
            if (accessors[field] != null) {
                throw new Misfit(of.getName() + " has two components for " + type.fields[field].name() + " of " + type);
            }
            fields[i] = field;
            types[i] = components[i].getGenericType();
            accessors[field] = accessor(components[i]);
        }
        String without = null;
        for (int i = 0; i < accessors.length; i++) {
            if (accessors[i] == null) {
                without = type.fields[i].name();
                if (type.fields[i].type().kind != WitType.Kind.OPTION) {
                    throw new Misfit(of.getName() + " has no component for " + without + " of " + type);
                }
            }
        }
        missing = without;
        constructor = constructor(of, components);
    }

    /** The plan, which is made once. */
    static RecordPlan of(WitType type, Class<?> of) {
        RecordPlan found = type.plans.get(of);
        return found != null ? found : type.plans.computeIfAbsent(of, each -> new RecordPlan(type, each));
    }

    private static int field(WitType type, String name) {
        String folded = WitType.fold(name);
        for (int i = 0; i < type.fields.length; i++) {
            if (WitType.fold(type.fields[i].name()).equals(folded)) {
                return i;
            }
        }
        return -1;
    }

    private static MethodHandle accessor(RecordComponent component) {
        try {
            Method method = component.getAccessor();
            method.setAccessible(true);
            return LOOKUP.unreflect(method).asType(MethodType.methodType(Object.class, Object.class));
        } catch (IllegalAccessException | RuntimeException error) {
            throw new Misfit("the component " + component.getName() + " can't be read: " + error.getMessage());
        }
    }

    private static MethodHandle constructor(Class<?> of, RecordComponent[] components) {
        Class<?>[] types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            Constructor<?> found = of.getDeclaredConstructor(types);
            found.setAccessible(true);
            return LOOKUP.unreflectConstructor(found)
                    .asType(MethodType.genericMethodType(types.length))
                    .asSpreader(Object[].class, types.length);
        } catch (ReflectiveOperationException | RuntimeException error) {
            throw new Misfit(of.getName() + " can't be made: " + error.getMessage());
        }
    }

    /** The values of a record's fields. */
    Object[] read(Record record) {
        Object[] values = new Object[accessors.length];
        for (int i = 0; i < values.length; i++) {
            try {
                values[i] = accessors[i] == null ? null : (Object) accessors[i].invokeExact((Object) record);
            } catch (Throwable thrown) {
                throw UndergoException.sneaky(thrown);
            }
        }
        return values;
    }

    /** Makes a record of its components. */
    Object make(Object[] components) {
        try {
            return (Object) constructor.invokeExact(components);
        } catch (Throwable thrown) {
            throw UndergoException.sneaky(thrown);
        }
    }

    /** The components of a record that stands for several values. */
    static Object[] components(Record record) {
        RecordComponent[] components = record.getClass().getRecordComponents();
        Object[] values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            try {
                Object value = accessor(components[i]).invokeExact((Object) record);
                values[i] = value;
            } catch (Throwable thrown) {
                throw UndergoException.sneaky(thrown);
            }
        }
        return values;
    }

    /** Makes a record that stands for several values. */
    static Object ofTuple(Class<?> of, Object[] components) {
        RecordComponent[] declared = of.getRecordComponents();
        try {
            return (Object) constructor(of, declared).invokeExact(components);
        } catch (Throwable thrown) {
            throw UndergoException.sneaky(thrown);
        }
    }
}
