package dev.undergo.java;

/** A function that a plugin may call. */
@FunctionalInterface
public interface HostFunction {
    /**
     * Runs it. The result is what an argument of a call may be; null where there is none.
     *
     * <p>It runs on the thread of the call; for a pool, on several at once. It may call the
     * instance that called it. What it throws becomes the Go {@code error} where the Go function
     * has one among its results; elsewhere it ends the call and the instance. Either way the caller
     * of the plugin gets the same object, unless the Go code handles the error. If the plugin has
     * errors with fields, {@code errors.As} finds those that are thrown, or are among the causes of
     * what is thrown: see {@link GuestException}. What asks the program to end (an {@code Error},
     * an {@code InterruptedException}, a {@code CancellationException}) always ends the call.
     */
    Object call(Arguments arguments) throws Exception;
}
