package dev.undergo.java;

import java.lang.ref.Reference;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The items of a plugin's iterator, which runs as far as they are asked for, and a batch ahead.
 *
 * <p>Closing it ends it: the Go function's {@code yield} returns false. Otherwise it ends when its
 * last item has come, or when nobody has it any more. An error comes after the items before it. One
 * thread at a time may use it.
 */
public final class Items<T> implements Iterator<T>, AutoCloseable {
    /** Nanoseconds within which a whole batch has to come, so that the next one is larger. */
    private static final long QUICK = 1_000_000;

    private static final int MOST = 256;
    /** The same of numbers. */
    private static final int MOST_NUMBERS = 1024;

    private final Exports exports;
    private final Handle handle;
    private final RawError[] errors;
    /** The method that gives the items. */
    private final FunctionType next;
    private final Raw.Get<List<T>> read;
    private final int limit;
    private final AtomicBoolean isReading = new AtomicBoolean();
    /** How many items are asked for next. */
    private int most = 1;
    private List<T> ready = List.of();
    private int at;
    private boolean hasEnded;

    /**
     * Those of an object.
     *
     * @param errors those with fields that there are exceptions for.
     * @param read reads the list of a batch.
     */
    Items(Exports exports, Handle handle, RawError[] errors, Raw.Get<List<T>> read) {
        this.exports = exports;
        this.handle = handle;
        this.errors = errors;
        this.read = read;
        next = handle.type.methods[0];
        limit = listOf(handle.type).element.kind.isNumber() ? MOST_NUMBERS : MOST;
        Plugin.CLEANER.register(this, handle::drop);
    }

    /** The type of the list that an iterator's batch has. */
    static WitType listOf(ResourceType iterator) {
        return iterator.methods[0].result.fields[0].type();
    }

    /** Whether there is another item. It reads a batch when all that have come were taken. */
    @Override
    public boolean hasNext() {
        while (at == ready.size() && !hasEnded) {
            fetch();
        }
        return at < ready.size();
    }

    @Override
    public T next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the iterator is at its end");
        }
        return ready.get(at++);
    }

    private void fetch() {
        if (!isReading.compareAndSet(false, true)) {
            throw UndergoException.of(ErrorKind.BUSY, "the iterator is in the middle of another call");
        }
        long begun = System.nanoTime();
        RawCall call = RawCall.begin(exports, next.number, next.digest, next.size, next.result.size, errors);
        try {
            handle.put(call, call.args());
            Memory.putInt(call.args() + next.params[1].at(), most);
            call.run();
            long result = call.result();
            ready = read.get(result);
            at = 0;
            hasEnded = Memory.getByte(result + next.result.fields[1].at()) != 0;
        } catch (RuntimeException error) {
            throw call.failed(next.name, error);
        } finally {
            call.end();
            isReading.set(false);
            Reference.reachabilityFence(this);
        }
        if (ready.isEmpty() && !hasEnded) {
            // It would be asked for ever otherwise.
            throw UndergoException.of(ErrorKind.TRAP, "the guest's iterator gave neither an item nor its end");
        }
        if (hasEnded) {
            // The Go function has nothing more to do.
            handle.drop();
        } else if (ready.size() < most || System.nanoTime() - begun > QUICK) {
            most = 1;
        } else {
            most = Math.min(2 * most, limit);
        }
    }

    /** The same items as a stream, which closes this when it is closed. */
    public Stream<T> stream() {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(this, Spliterator.ORDERED), false).onClose(this::close);
    }

    /** Ends the iterator. Closing it again does nothing. */
    @Override
    public void close() {
        ready = List.of();
        at = 0;
        handle.close();
    }

    @Override
    public String toString() {
        return "Items of " + handle.type;
    }
}
