package dev.undergo.java;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;

/**
 * Stores of keys and values, for plugins that import {@code wasi:keyvalue}: see {@link
 * Options#keyvalue}. It may be used by several threads.
 */
public final class KeyValue {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long handle;

    private KeyValue(Room room, String redis) {
        List<Long> texts = new ArrayList<>();
        long names = Memory.allocate(8L * Math.max(room.stores.size(), 1));
        long out = Memory.allocate(8);
        try {
            for (int i = 0; i < room.stores.size(); i++) {
                long text = Library.cText(room.stores.get(i));
                texts.add(text);
                Memory.putLong(names + 8L * i, text);
            }
            long address = 0;
            if (redis != null) {
                address = Library.cText(redis);
                texts.add(address);
            }
            UndergoException.check(
                    Library.call(Library.KEYVALUE_NEW, address, names, room.stores.size(), room.entries, room.bytes, out));
            long made = Memory.getLong(out);
            handle = made;
            CLEANER.register(this, () -> Library.call(Library.KEYVALUE_DELETE, made));
        } finally {
            Memory.free(out);
            Memory.free(names);
            texts.forEach(Memory::free);
        }
    }

    /**
     * What stores have room for.
     *
     * @param stores the names of the stores that a plugin can open
     * @param entries how many keys there may be in memory, in all stores together
     * @param bytes how many bytes these and their values may have, and an answer of Redis
     */
    public record Room(List<String> stores, long entries, long bytes) {
        /** One store, called {@code default}, with 100,000 entries and 64 MiB. */
        public static final Room DEFAULT = new Room(List.of("default"), 100_000, 64L << 20);

        /** Copies the names. */
        public Room {
            stores = List.copyOf(stores);
        }
    }

    /** Makes stores in memory. */
    public static KeyValue memory(Room room) {
        return new KeyValue(room, null);
    }

    /**
     * Makes stores in Redis, at {@code redis://[user:password@]host[:port][/database]}. It is
     * connected to when a plugin needs it; an operation ends with the deadline of the call, and
     * after 5 seconds where there is none.
     */
    public static KeyValue redis(String url, Room room) {
        return new KeyValue(room, url);
    }

    long handle() {
        return handle;
    }

    /** Gives the value of a key of a store; null if there is none. */
    public byte[] get(String store, String key) {
        long storeText = Library.cText(store);
        long keyText = Library.cText(key);
        long out = Memory.allocate(16);
        try {
            UndergoException.check(Library.call(Library.KEYVALUE_GET, handle, storeText, keyText, out));
            long value = Memory.getLong(out);
            if (value == 0) {
                return null;
            }
            try {
                Library.call(Library.VALUE_GET_BYTES, value, out);
                return Library.bytes(Memory.getLong(out), Memory.getLong(out + 8));
            } finally {
                Library.call(Library.VALUE_DELETE, value);
            }
        } finally {
            Memory.free(out);
            Memory.free(keyText);
            Memory.free(storeText);
            Reference.reachabilityFence(this);
        }
    }

    /** Sets the value of a key of a store. */
    public void set(String store, String key, byte[] value) {
        long storeText = Library.cText(store);
        long keyText = Library.cText(key);
        long bytes = Memory.allocate(Math.max(value.length, 1));
        try {
            Memory.put(bytes, value);
            UndergoException.check(Library.call(Library.KEYVALUE_SET, handle, storeText, keyText, bytes, value.length));
        } finally {
            Memory.free(bytes);
            Memory.free(keyText);
            Memory.free(storeText);
            Reference.reachabilityFence(this);
        }
    }
}
