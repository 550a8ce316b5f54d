package dev.undergo.java;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;

/** The line of those that wait for a callee without holding a thread. */
final class Turns {
    private final ArrayDeque<CompletableFuture<Void>> line = new ArrayDeque<>();
    private int free;

    Turns(int size) {
        free = size;
    }

    /** Gives what completes when one's turn has come; whoever completes it before gives up. */
    synchronized CompletableFuture<Void> take() {
        if (free > 0) {
            free--;
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> turn = new CompletableFuture<>();
        line.add(turn);
        return turn;
    }

    /** Ends a turn. */
    void give() {
        while (true) {
            CompletableFuture<Void> next;
            synchronized (this) {
                next = line.poll();
                if (next == null) {
                    free++;
                    return;
                }
            }
            // One that gave up is passed by.
            if (next.complete(null)) {
                return;
            }
        }
    }
}
