package dev.undergo.java;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * How a class of Java has the methods of a host's object: they are matched by their names, and the
 * counts of parameters.
 */
final class ObjectPlan {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

    private final Bound[] methods;

    /** A method of Java for one of the resource. */
    private record Bound(FunctionType type, MethodHandle method, Type[] params) {
        Object call(Object object, long args) throws Throwable {
            Object[] given = new Object[params.length];
            for (int i = 0; i < given.length; i++) {
                WitType.Field param = type.params[i];
                try {
                    given[i] = Lift.VALUES.lift(param.type(), args + param.at(), params[i]);
                } catch (Misfit misfit) {
                    throw misfit.at(param.name()).in(type.fullName());
                }
            }
            return (Object) method.invokeExact(object, given);
        }
    }

    private ObjectPlan(Bound[] methods) {
        this.methods = methods;
    }

    /** The methods of an object. */
    static Dispatcher.Hosted[] methods(ResourceType resource, Object value) {
        if (value instanceof HostObject object) {
            Dispatcher.Hosted[] functions = new Dispatcher.Hosted[resource.methods.length];
            for (int i = 0; i < functions.length; i++) {
                String name = resource.methods[i].ownName();
                functions[i] = new Hosted(resource.methods[i], arguments -> object.call(name, arguments));
            }
            return functions;
        }
        return of(resource, value).bound(value);
    }

    /** The function for a callback: a {@link HostFunction}, or what a functional interface has. */
    static Dispatcher.Hosted callback(ResourceType resource, Object value) {
        if (value instanceof HostFunction function) {
            return new Hosted(resource.methods[0], function);
        }
        return of(resource, value).bound(value)[0];
    }

    private Dispatcher.Hosted[] bound(Object object) {
        Dispatcher.Hosted[] functions = new Dispatcher.Hosted[methods.length];
        for (int i = 0; i < functions.length; i++) {
            Bound method = methods[i];
            functions[i] = (args, result, room) -> Hosted.answer(method.type, method.call(object, args), result, room);
        }
        return functions;
    }

    /** The plan, which is made once. */
    private static ObjectPlan of(ResourceType resource, Object value) {
        Class<?> of = value.getClass();
        ObjectPlan found = resource.plans.get(of);
        return found != null ? found : resource.plans.computeIfAbsent(of, each -> plan(resource, each, value));
    }

    private static ObjectPlan plan(ResourceType resource, Class<?> of, Object value) {
        Bound[] bound = new Bound[resource.methods.length];
        for (int i = 0; i < bound.length; i++) {
            FunctionType type = resource.methods[i];
            Method found = resource.shape == ResourceType.Shape.CALLBACK ? single(of, type.params.length) : named(of, type);
            if (found == null) {
                String wanted = resource.shape == ResourceType.Shape.CALLBACK
                        ? "a HostFunction, or another functional interface with " + type.params.length + " parameters"
                        : "an object with the methods " + resource.methodNames();
                Misfit misfit = Passed.unfit(resource, wanted, value);
                throw resource.shape == ResourceType.Shape.CALLBACK ? misfit : new Misfit(misfit.text() + ", which has no public "
                        + WitType.camel(type.ownName()) + " with " + type.params.length + " parameters");
            }
            bound[i] = new Bound(type, handle(found), found.getGenericParameterTypes());
        }
        return new ObjectPlan(bound);
    }

    /** The public method of that name, and with as many parameters. */
    private static Method named(Class<?> of, FunctionType type) {
        String folded = WitType.fold(type.ownName());
        Method found = null;
        for (Method each : of.getMethods()) {
            boolean fits = !Modifier.isStatic(each.getModifiers()) && !each.isBridge() && each.getParameterCount() == type.params.length;
            if (fits && WitType.fold(each.getName()).equals(folded)) {
                if (found != null) {
                    throw new Misfit(of.getTypeName() + " has two methods for " + type.ownName() + ": " + found + " and " + each);
                }
                found = each;
            }
        }
        return found;
    }

    /** The method that a functional interface of the class leaves open, with so many parameters. */
    private static Method single(Class<?> of, int params) {
        // Not each interface with one method is one: numbers have Comparable.
        boolean isLambda = of.isHidden() || of.isSynthetic();
        for (Class<?> each : interfaces(of, new LinkedHashSet<>())) {
            if (!isLambda && !each.isAnnotationPresent(FunctionalInterface.class)) {
                continue;
            }
            Method found = null;
            int count = 0;
            for (Method method : each.getMethods()) {
                if (Modifier.isAbstract(method.getModifiers()) && !isOfObject(method)) {
                    found = method;
                    count++;
                }
            }
            if (count == 1 && found.getParameterCount() == params) {
                return found;
            }
        }
        return null;
    }

    private static Set<Class<?>> interfaces(Class<?> of, Set<Class<?>> found) {
        for (Class<?> each = of; each != null; each = each.getSuperclass()) {
            for (Class<?> one : each.getInterfaces()) {
                found.add(one);
                interfaces(one, found);
            }
        }
        return found;
    }

    private static boolean isOfObject(Method method) {
        try {
            return Modifier.isPublic(Object.class.getMethod(method.getName(), method.getParameterTypes()).getModifiers());
        } catch (NoSuchMethodException error) {
            return false;
        }
    }

    /** Takes the object, and an array of the arguments. */
    private static MethodHandle handle(Method method) {
        try {
            method.setAccessible(true);
            int params = method.getParameterCount();
            return LOOKUP.unreflect(method)
                    .asFixedArity()
                    .asType(MethodType.genericMethodType(params + 1))
                    .asSpreader(Object[].class, params);
        } catch (IllegalAccessException | RuntimeException error) {
            throw new Misfit(method + " can't be called: " + error.getMessage());
        }
    }
}
