package dev.undergo.java;

/** What the library has for the JVM: only numbers cross. */
final class Jni {
    private Jni() {}

    /**
     * Notes the class whose method {@code dispatched} does all that the library calls in Java, and
     * gives the address of its dispatcher.
     */
    static native long begin();

    /** Gives the address of a function of the library by its name, a text of C; 0 for none. */
    static native long symbol(long name);

    /** Calls a function that takes one pointer. */
    static native void enter(long function, long struct);

    /** Calls a function that takes up to six numbers or pointers. */
    static native long call(long function, long a, long b, long c, long d, long e, long f);

    /** Calls a function that takes a pointer and gives a struct of two words, which it writes. */
    static native void pair(long function, long a, long result);

    /** Writes up to so many numbers of objects that nobody has any more, and gives how many. */
    static native long released(long numbers, long room);

    /** Called by the library, on the thread of the call. */
    static void dispatched(long at) {
        Dispatcher.dispatched(at);
    }
}
