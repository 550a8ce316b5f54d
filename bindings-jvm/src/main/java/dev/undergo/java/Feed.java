package dev.undergo.java;

import java.lang.reflect.Array;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.BaseStream;

/** Gives a guest the items of an iterator in batches, as many as are ready. */
final class Feed<T> implements Dispatcher.Hosted {
    /** Nanoseconds after which a batch goes to the guest as it is. */
    private static final long READY = 50_000;
    /** The most items that are given at once, however many the guest asks for. */
    private static final int MOST = 1024;

    private final Iterator<? extends T> items;
    private final Raw.Put<? super T> put;
    /** Bytes of an item. */
    private final int size;
    /** What the iterable is for. */
    private final String name;
    /** What came instead of an item, behind others. */
    private Throwable failed;

    Feed(String name, Iterator<? extends T> items, int size, Raw.Put<? super T> put) {
        this.name = name;
        this.items = items;
        this.size = size;
        this.put = put;
    }

    /** That of a value whose type is known from the description alone. */
    static Feed<Object> dynamic(ResourceType resource, Object value) {
        FunctionType next = resource.methods[0];
        WitType item = next.result.fields[0].type().element;
        return new Feed<>(next.name, iterator(resource, value), item.size, (room, at, each) -> Lower.lower(room, item, each, at));
    }

    private static Iterator<?> iterator(ResourceType resource, Object value) {
        if (value instanceof Iterator<?> iterator) {
            return iterator;
        } else if (value instanceof Iterable<?> iterable) {
            return iterable.iterator();
        } else if (value instanceof BaseStream<?, ?> stream) {
            return stream.iterator();
        } else if (value instanceof Map<?, ?> map) {
            return map.entrySet().iterator();
        } else if (value.getClass().isArray()) {
            return new Items(value);
        }
        throw Passed.unfit(resource, "an Iterable, an Iterator, a Stream or an array", value);
    }

    /** The items of an array of any type. */
    private static final class Items implements Iterator<Object> {
        private final Object array;
        private final int length;
        private int at;

        Items(Object array) {
            this.array = array;
            length = Array.getLength(array);
        }

        @Override
        public boolean hasNext() {
            return at < length;
        }

        @Override
        public Object next() {
            if (at >= length) {
                throw new NoSuchElementException();
            }
            return Array.get(array, at++);
        }
    }

    private void put(RawRoom room, long at, T item, int index) {
        try {
            put.put(room, at, item);
        } catch (Misfit misfit) {
            throw misfit.at("[" + index + "]").of(name);
        }
    }

    /** The method {@code next}: its argument is a u32, its result a list and a bool. */
    @Override
    public void call(long args, long result, RawRoom room) throws Throwable {
        Throwable thrown = failed;
        if (thrown != null) {
            failed = null;
            throw thrown;
        }
        int most = (int) Math.min(Math.max(Memory.getInt(args) & 0xffff_ffffL, 1), MOST);
        long begun = System.nanoTime();
        int count = 0;
        boolean hasEnded = false;
        long at = 0;
        try {
            while (true) {
                if (!items.hasNext()) {
                    hasEnded = true;
                    break;
                }
                T item = items.next();
                if (at == 0) {
                    at = room.room((long) most * size);
                }
                put(room, at + (long) count * size, item, count);
                count++;
                if (count == most || System.nanoTime() - begun > READY) {
                    break;
                }
            }
        } catch (Throwable error) {
            if (count == 0) {
                throw error;
            }
            // After the items before it.
            failed = error;
        }
        Memory.putLong(result, at);
        Memory.putLong(result + 8, count);
        Memory.putByte(result + 16, (byte) (hasEnded ? 1 : 0));
    }
}
