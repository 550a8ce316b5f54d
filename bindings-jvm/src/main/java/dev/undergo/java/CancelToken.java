package dev.undergo.java;

import java.lang.ref.Cleaner;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * Ends calls from another thread. One token may serve many calls; a cancelled token stays
 * cancelled.
 */
public final class CancelToken {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long handle;
    /** What is told when it is cancelled: turns that calls wait for, and tokens within this one. */
    private final Set<CompletableFuture<Void>> waiting = Collections.newSetFromMap(new WeakHashMap<>());
    private boolean cancelled;
    /** What the token within which this one is tells; kept here, since that one does not. */
    private CompletableFuture<Void> told;

    /** Makes one that is not cancelled. */
    public CancelToken() {
        long made = Library.call(Library.CANCEL_NEW);
        handle = made;
        CLEANER.register(this, () -> Library.call(Library.CANCEL_DELETE, made));
    }

    long handle() {
        return handle;
    }

    /** Ends all calls that have the token, now and later. Does not wait for them to end. */
    public void cancel() {
        Library.call(Library.CANCEL_CANCEL, handle);
        CompletableFuture<?>[] told;
        synchronized (this) {
            cancelled = true;
            told = waiting.toArray(CompletableFuture<?>[]::new);
        }
        for (CompletableFuture<?> turn : told) {
            turn.completeExceptionally(new CancellationException());
        }
    }

    /** Whether it is cancelled. */
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** Has a turn given up when the token is cancelled. */
    void tell(CompletableFuture<Void> turn) {
        boolean already;
        synchronized (this) {
            already = cancelled;
            waiting.add(turn);
        }
        if (already) {
            turn.completeExceptionally(new CancellationException());
        }
    }

    /** Makes a token that is cancelled with another one, which may be null. */
    static CancelToken within(CancelToken outer) {
        CancelToken inner = new CancelToken();
        if (outer != null) {
            inner.told = new CompletableFuture<>();
            inner.told.whenComplete((nothing, cancelled) -> inner.cancel());
            outer.tell(inner.told);
        }
        return inner;
    }
}
