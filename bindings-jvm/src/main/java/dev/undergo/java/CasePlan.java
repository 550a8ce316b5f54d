package dev.undergo.java;

import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;

/**
 * How a record of Java stands for a case of a variant, as {@code undergo bindgen} has it: it is
 * called after the case, or after the variant and the case. It has the fields of the case's value
 * where that is the record of the case's name, and else that value as its only component, or none.
 *
 * @param index the place of the case.
 * @param value the type of the component; null where there is none.
 */
record CasePlan(int index, Type value) {
    /** The plan, which is made once. */
    static CasePlan of(WitType type, Class<?> of) {
        CasePlan found = type.casePlans.get(of);
        return found != null ? found : type.casePlans.computeIfAbsent(of, each -> plan(type, each));
    }

    private static CasePlan plan(WitType type, Class<?> of) {
        int index = index(type, of);
        if (index < 0) {
            throw new Misfit(of.getTypeName() + " is called after no case of " + type + ": " + WitType.listed(type.cases));
        }
        if (isOwn(type.fields[index])) {
            return new CasePlan(index, of);
        }
        RecordComponent[] components = of.getRecordComponents();
        int count = type.fields[index].type() == null ? 0 : 1;
        if (components.length != count) {
            throw new Misfit(of.getTypeName() + " has " + components.length + " components, and the case " + type.cases[index] + " of "
                    + type + (count == 0 ? " has no value" : " has one value"));
        }
        return new CasePlan(index, count == 0 ? null : components[0].getGenericType());
    }

    private static int index(WitType type, Class<?> of) {
        String name = of.isRecord() ? WitType.fold(of.getSimpleName()) : "";
        for (String before : new String[] {"", WitType.fold(type.name)}) {
            for (int i = 0; i < type.cases.length; i++) {
                if (name.equals(before + WitType.fold(type.cases[i]))) {
                    return i;
                }
            }
        }
        return -1;
    }

    /** Whether the value of a case is the record of its name. */
    static boolean isOwn(WitType.Field of) {
        return of.type() != null && of.type().kind == WitType.Kind.RECORD && of.type().name.equals(of.name());
    }

    /** The record for a case among those of a class: it is one, or they implement it. */
    static Class<?> find(WitType type, int index, Class<?> wanted) {
        if (wanted.isRecord()) {
            return wanted;
        }
        Class<?>[] permitted = wanted.getPermittedSubclasses();
        if (permitted != null) {
            for (Class<?> each : permitted) {
                if (index(type, each) == index) {
                    return each;
                }
            }
        }
        throw new Misfit(wanted.getTypeName() + " has no record for the case " + type.cases[index] + " of " + type);
    }
}
