//! Stores in the host's memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::store::{Page, Result, Store, StoreError, Stores, number};

/// What all stores may hold together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) entries: usize,
    /// Of keys and values.
    pub(crate) bytes: usize,
}

/// Keys of a page, and their bytes.
const PAGE: usize = 1000;
const PAGE_BYTES: usize = 256 << 10;

pub(crate) struct Memory {
    stores: BTreeMap<String, Arc<Contents>>,
}

struct Contents {
    /// That of all stores.
    room: Arc<Mutex<Room>>,
    entries: Mutex<Entries>,
}

struct Room {
    entries: usize,
    bytes: usize,
}

#[derive(Default)]
struct Entries {
    values: HashMap<Arc<str>, Entry>,
    /// By their numbers, which grow: a page begins behind the last one, whatever has been deleted
    /// since.
    order: BTreeMap<u64, Arc<str>>,
    last: u64,
}

struct Entry {
    number: u64,
    value: Vec<u8>,
}

impl Memory {
    pub(crate) fn new(names: impl IntoIterator<Item = String>, bounds: Bounds) -> Memory {
        let room = Arc::new(Mutex::new(Room { entries: bounds.entries, bytes: bounds.bytes }));
        let store = |name| (name, Arc::new(Contents { room: room.clone(), entries: Mutex::default() }));
        Memory { stores: names.into_iter().map(store).collect() }
    }
}

impl Stores for Memory {
    fn open(&self, name: &str) -> Result<Arc<dyn Store>> {
        let store = self.stores.get(name).ok_or(StoreError::NoSuchStore)?;
        Ok(store.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    /// Takes room for what is new, where the old makes some.
    fn change(&mut self, new: (usize, usize), old: (usize, usize)) -> Result<()> {
        let (entries, bytes) = (self.entries + old.0, self.bytes + old.1);
        match (entries.checked_sub(new.0), bytes.checked_sub(new.1)) {
            (Some(entries), Some(bytes)) => {
                (self.entries, self.bytes) = (entries, bytes);
                Ok(())
            }
            (None, _) => Err(StoreError::other("the stores are full: they have as many entries as they may")),
            (_, None) => Err(StoreError::other("the stores are full: they have as many bytes as they may")),
        }
    }
}

impl Entries {
    fn size(&self, key: &str) -> (usize, usize) {
        self.values.get(key).map_or((0, 0), |entry| (1, key.len() + entry.value.len()))
    }

    fn put(&mut self, key: String, value: Vec<u8>) {
        if let Some(entry) = self.values.get_mut(key.as_str()) {
            entry.value = value;
            return;
        }
        self.last += 1;
        let key: Arc<str> = key.into();
        self.order.insert(self.last, key.clone());
        self.values.insert(key, Entry { number: self.last, value });
    }
}

impl Store for Contents {
    fn get(&self, keys: &[String], _: Option<Instant>) -> Result<Vec<Option<Vec<u8>>>> {
        let entries = lock(&self.entries);
        Ok(keys.iter().map(|key| entries.values.get(key.as_str()).map(|entry| entry.value.clone())).collect())
    }

    fn set(&self, new: Vec<(String, Vec<u8>)>, _: Option<Instant>) -> Result<()> {
        // Of equal keys the last one counts.
        let new: BTreeMap<String, Vec<u8>> = new.into_iter().collect();
        let mut entries = lock(&self.entries);
        let (mut needed, mut freed) = ((0, 0), (0, 0));
        for (key, value) in &new {
            let old = entries.size(key);
            needed = (needed.0 + 1, needed.1 + key.len() + value.len());
            freed = (freed.0 + old.0, freed.1 + old.1);
        }
        lock(&self.room).change(needed, freed)?;
        for (key, value) in new {
            entries.put(key, value);
        }
        Ok(())
    }

    fn delete(&self, keys: &[String], _: Option<Instant>) -> Result<()> {
        let mut entries = lock(&self.entries);
        for key in keys {
            let size = entries.size(key);
            if let Some(entry) = entries.values.remove(key.as_str()) {
                entries.order.remove(&entry.number);
                lock(&self.room).change((0, 0), size)?;
            }
        }
        Ok(())
    }

    fn exists(&self, key: &str, _: Option<Instant>) -> Result<bool> {
        Ok(lock(&self.entries).values.contains_key(key))
    }

    fn page(&self, from: u64, _: Option<Instant>) -> Result<Page> {
        let entries = lock(&self.entries);
        let (mut keys, mut bytes, mut last) = (Vec::new(), 0, from);
        for (number, key) in entries.order.range(from.saturating_add(1)..) {
            if keys.len() == PAGE || bytes >= PAGE_BYTES {
                return Ok((keys, Some(last)));
            }
            bytes += key.len();
            keys.push(key.as_ref().to_owned());
            last = *number;
        }
        Ok((keys, None))
    }

    fn increment(&self, key: &str, delta: i64, _: Option<Instant>) -> Result<i64> {
        let mut entries = lock(&self.entries);
        let old = number(entries.values.get(key).map(|entry| &*entry.value))?;
        let sum = old.checked_add(delta).ok_or_else(|| StoreError::other("the sum has more than 64 bits"))?;
        let value = sum.to_string().into_bytes();
        lock(&self.room).change((1, key.len() + value.len()), entries.size(key))?;
        entries.put(key.to_owned(), value);
        Ok(sum)
    }

    fn swap(&self, key: &str, read: Option<&[u8]>, value: Vec<u8>, _: Option<Instant>) -> Result<bool> {
        let mut entries = lock(&self.entries);
        if entries.values.get(key).map(|entry| &*entry.value) != read {
            return Ok(false);
        }
        lock(&self.room).change((1, key.len() + value.len()), entries.size(key))?;
        entries.put(key.to_owned(), value);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(entries: usize, bytes: usize) -> Arc<dyn Store> {
        Memory::new(["a".to_owned()], Bounds { entries, bytes }).open("a").unwrap_or_else(|error| panic!("{error}"))
    }

    fn entry(key: &str, value: &str) -> (String, Vec<u8>) {
        (key.to_owned(), value.as_bytes().to_vec())
    }

    fn get(store: &dyn Store, key: &str) -> Option<String> {
        let values = store.get(&[key.to_owned()], None).unwrap_or_else(|error| panic!("{error}"));
        values[0].clone().map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    #[test]
    fn values_are_what_was_set_last() {
        let store = store(10, 100);
        assert_eq!(store.set(vec![entry("k", "1"), entry("k", "2"), entry("l", "3")], None), Ok(()));
        assert_eq!((get(&*store, "k").as_deref(), get(&*store, "x")), (Some("2"), None));
        assert_eq!((store.exists("l", None), store.exists("x", None)), (Ok(true), Ok(false)));
        assert_eq!(store.delete(&["k".to_owned(), "x".to_owned()], None), Ok(()));
        assert_eq!(store.page(0, None), Ok((vec!["l".to_owned()], None)));
    }

    #[test]
    fn there_are_the_stores_that_were_named() {
        let memory = Memory::new(["a".to_owned()], Bounds { entries: 1, bytes: 1 });
        for name in ["", "b", "../a", "A", "a/"] {
            assert_eq!(memory.open(name).err(), Some(StoreError::NoSuchStore), "{name}");
        }
    }

    #[test]
    fn stores_are_bounded_together() {
        let memory = Memory::new(["a", "b"].map(str::to_owned), Bounds { entries: 3, bytes: 10 });
        let [a, b] = ["a", "b"].map(|name| memory.open(name).unwrap_or_else(|error| panic!("{error}")));
        assert_eq!(a.set(vec![entry("k", "1234567")], None), Ok(()));
        assert!(b.set(vec![entry("k", "123")], None).is_err_and(|error| error.to_string().contains("bytes")));
        // What replaces another needs the difference only.
        assert_eq!(a.set(vec![entry("k", "123456789")], None), Ok(()));
        assert_eq!(a.set(vec![entry("k", "")], None), Ok(()));
        assert_eq!(b.set(vec![entry("1", ""), entry("2", "")], None), Ok(()));
        assert!(b.set(vec![entry("3", "")], None).is_err_and(|error| error.to_string().contains("entries")));
        // All or nothing.
        assert!(b.set(vec![entry("1", "x"), entry("3", "")], None).is_err());
        assert_eq!(get(&*b, "1").as_deref(), Some(""));
        assert_eq!(a.delete(&["k".to_owned(), "k".to_owned()], None), Ok(()));
        assert_eq!(b.set(vec![entry("3", "1234567")], None), Ok(()));
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let store = store(10_000, 1 << 20);
        let all = (0..2500).map(|i| entry(&format!("{i:04}"), "")).collect();
        assert_eq!(store.set(all, None), Ok(()));
        let (mut from, mut seen) = (0, Vec::new());
        loop {
            let (keys, next) = store.page(from, None).unwrap_or_else(|error| panic!("{error}"));
            assert!(keys.len() <= PAGE);
            assert_eq!(store.delete(&keys, None), Ok(()));
            seen.extend(keys);
            let Some(next) = next else { break };
            from = next;
        }
        assert_eq!(seen.len(), 2500);
        assert_eq!(store.page(u64::MAX, None), Ok((Vec::new(), None)));
    }

    #[test]
    fn numbers_grow_within_their_range() {
        let store = store(10, 100);
        assert_eq!((store.increment("n", 5, None), store.increment("n", -7, None)), (Ok(5), Ok(-2)));
        assert_eq!(get(&*store, "n").as_deref(), Some("-2"));
        assert!(store.increment("n", i64::MIN, None).is_err());
        assert_eq!(store.set(vec![entry("t", "one")], None), Ok(()));
        assert!(store.increment("t", 1, None).is_err());
    }

    #[test]
    fn a_value_that_has_changed_is_not_replaced() {
        let store = store(10, 100);
        assert_eq!(store.swap("k", Some(b"x"), b"y".to_vec(), None), Ok(false));
        assert_eq!(store.swap("k", None, b"y".to_vec(), None), Ok(true));
        assert_eq!(store.swap("k", None, b"z".to_vec(), None), Ok(false));
        assert_eq!(store.swap("k", Some(b"y"), b"z".to_vec(), None), Ok(true));
        assert_eq!(get(&*store, "k").as_deref(), Some("z"));
    }
}
