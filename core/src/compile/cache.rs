//! The cache of compiled code on disk: keyed by the input of the compilation, private to the user,
//! and bounded in size.
//!
//! Native code is loaded from here, so nobody else may be able to write it. Files are written under
//! a temporary name and then renamed, so that a file is complete or does not exist. A file that was
//! damaged later fails its digest, and is compiled anew.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::config::CodeCache;
use crate::config::size::parse_size;
use crate::platform::file::open_regular;
use crate::platform::folder::{is_private, open_lock, private_folder};

/// Bytes of all files, unless the environment says otherwise.
const DEFAULT_SIZE: u64 = 1 << 30;

/// These bytes and the digest of the code follow the code.
const MAGIC: [u8; 16] = *b"undergo code 01\n";
const TRAILER: usize = MAGIC.len() + blake3::OUT_LEN;

/// An older temporary file was left behind by a process that is gone.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder with compiled code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cache {
    folder: PathBuf,
    size: u64,
}

impl Cache {
    /// The folder that was chosen: `None` for no cache.
    ///
    /// # Errors
    ///
    /// A sentence that says why there is no cache although one was wanted. Plugins are loaded
    /// without it then.
    pub(crate) fn choose(choice: &CodeCache) -> Result<Option<Cache>, String> {
        let folder = match choice {
            CodeCache::Off => return Ok(None),
            CodeCache::Folder(folder) => folder.clone(),
            CodeCache::User => match user_folder()? {
                Some(folder) => folder,
                None => return Ok(None),
            },
        };
        let size = match std::env::var("UNDERGO_CACHE_SIZE") {
            Err(_) => DEFAULT_SIZE,
            Ok(text) if text.is_empty() => DEFAULT_SIZE,
            Ok(text) => parse_size(&text, "UNDERGO_CACHE_SIZE").map_err(|error| error.message().to_owned())?,
        };
        if let (CodeCache::User, Some(all)) = (choice, folder.parent()) {
            // Whoever can write the parent folder could replace this one.
            private_folder(all).map_err(|why| format!("compiled code is not cached: {} {why}", all.display()))?;
        }
        private_folder(&folder).map_err(|why| format!("compiled code is not cached: {} {why}", folder.display()))?;
        Ok(Some(Cache { folder, size }))
    }

    /// The code with that key, checked, as a file at its beginning. Removes a file that is damaged
    /// or that others can write.
    pub(crate) fn open(&self, key: &blake3::Hash) -> Option<File> {
        let path = self.path(key);
        let (mut file, _) = open_regular(&path).ok()?;
        match is_whole(&mut file).and_then(|is_whole| file.rewind().map(|()| is_whole)) {
            Ok(true) => {
                // The time of the last use, for `evict`. If it can't be set, the time of the last
                // write stands in for it.
                let _ = file.set_modified(SystemTime::now());
                Some(file)
            }
            Ok(false) => {
                self.remove(key);
                None
            }
            Err(_) => None,
        }
    }

    /// Stores the code. A failure is no error: the next process compiles the module once more.
    pub(crate) fn store(&self, key: &blake3::Hash, code: &[u8]) {
        if code.len() as u64 + TRAILER as u64 <= self.size && self.write(key, code).is_ok() {
            let _ = self.evict(key);
        }
    }

    pub(crate) fn remove(&self, key: &blake3::Hash) {
        let _ = fs::remove_file(self.path(key));
    }

    fn path(&self, key: &blake3::Hash) -> PathBuf {
        self.folder.join(format!("{}.code", key.to_hex()))
    }

    fn write(&self, key: &blake3::Hash, code: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let temporary = self.folder.join(name);
        let write = || {
            let mut file = create(&temporary)?;
            file.write_all(code)?;
            file.write_all(&MAGIC)?;
            file.write_all(blake3::hash(code).as_bytes())?;
            drop(file);
            fs::rename(&temporary, self.path(key))
        };
        write().inspect_err(|_| drop(fs::remove_file(&temporary)))
    }

    /// Removes the least recently used files until the rest fits. One process at a time does so.
    fn evict(&self, newest: &blake3::Hash) -> io::Result<()> {
        let lock = open_lock(&self.folder.join("lock"))?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        let evicted = self.evict_all_but(newest);
        // Unlocked explicitly, because a child that was forked meanwhile has the file open too.
        lock.unlock()?;
        evicted
    }

    fn evict_all_but(&self, newest: &blake3::Hash) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match path.extension().and_then(OsStr::to_str) {
                Some("code") => files.push((used, metadata.len(), path)),
                Some("tmp") if used.elapsed().is_ok_and(|age| age > ABANDONED) => drop(fs::remove_file(path)),
                _ => {}
            }
        }
        files.sort();
        let newest = self.path(newest);
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files {
            if total <= self.size {
                break;
            }
            // Clocks may be wrong: the file that was just written stays.
            if path != newest && fs::remove_file(&path).is_ok() {
                total -= size;
            }
        }
        Ok(())
    }
}

/// `UNDERGO_CACHE_DIR`, or the user's folder for caches; `None` when the variable is empty.
fn user_folder() -> Result<Option<PathBuf>, String> {
    match std::env::var_os("UNDERGO_CACHE_DIR") {
        Some(folder) if folder.is_empty() => Ok(None),
        Some(folder) => {
            let folder = std::path::absolute(folder).map_err(|error| format!("UNDERGO_CACHE_DIR is no path: {error}"))?;
            Ok(Some(folder.join("code")))
        }
        None => {
            let project = directories::ProjectDirs::from("", "", "undergo");
            let text = "compiled code is not cached: there is no home folder; UNDERGO_CACHE_DIR names a folder for it";
            Ok(Some(project.ok_or(text)?.cache_dir().join("code")))
        }
    }
}

/// Whether the file is complete, and as it was written. Reads all of it, which is cheap compared
/// with compiling: the pages are needed anyway.
fn is_whole(file: &mut File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    let Some(mut left) = usize::try_from(metadata.len()).ok().and_then(|size| size.checked_sub(TRAILER)) else { return Ok(false) };
    if !metadata.is_file() || !is_private(&metadata) {
        return Ok(false);
    }
    let mut digest = blake3::Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    while left > 0 {
        let part = left.min(buffer.len());
        file.read_exact(&mut buffer[..part])?;
        digest.update(&buffer[..part]);
        left -= part;
    }
    let mut trailer = [0; TRAILER];
    file.read_exact(&mut trailer)?;
    let (magic, told) = trailer.split_at(MAGIC.len());
    Ok(magic == MAGIC && told == digest.finalize().as_bytes())
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn cache(folder: &Path, size: u64) -> Cache {
        private_folder(folder).expect("a folder");
        Cache { folder: folder.to_owned(), size }
    }

    fn key(n: u32) -> blake3::Hash {
        blake3::hash(&n.to_le_bytes())
    }

    fn make_old(cache: &Cache, n: u32, seconds: u64) {
        let file = File::options().write(true).open(cache.path(&key(n))).expect("the file");
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("its time");
    }

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn what_was_used_least_recently_goes_first() {
        let parent = tempfile::tempdir().expect("a folder");
        let size = 3 * (1000 + TRAILER as u64);
        let cache = cache(&parent.path().join("code"), size);
        for n in 0..3 {
            cache.store(&key(n), &[n as u8; 1000]);
            make_old(&cache, n, 1000 - u64::from(n));
        }
        // The oldest file is used, so that the second one is the oldest.
        assert!(cache.open(&key(0)).is_some());
        cache.store(&key(3), &[3; 1000]);
        assert_eq!([0, 1, 2, 3].map(|n| cache.open(&key(n)).is_some()), [true, false, true, true]);
        // Code that is larger than the whole cache is not stored, and evicts nothing.
        cache.store(&key(4), &vec![4; size as usize]);
        assert_eq!([0, 2, 3, 4].map(|n| cache.open(&key(n)).is_some()), [true, true, true, false]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn what_was_left_behind_goes() {
        let parent = tempfile::tempdir().expect("a folder");
        let cache = cache(&parent.path().join("code"), 1 << 20);
        let (old, new) = (cache.folder.join("1-1.tmp"), cache.folder.join("1-2.tmp"));
        fs::write(&new, "new").expect("a file");
        let file = File::create(&old).expect("a file");
        file.set_modified(SystemTime::now() - 2 * ABANDONED).expect("its time");
        cache.store(&key(1), b"code");
        assert_eq!((old.exists(), new.exists()), (false, true));
    }

    #[test]
    #[cfg_attr(miri, ignore = "uses files")]
    fn writers_at_the_same_time_leave_whole_files() {
        let parent = tempfile::tempdir().expect("a folder");
        let cache = cache(&parent.path().join("code"), 20_000);
        thread::scope(|scope| {
            for n in 0..8_u8 {
                let cache = &cache;
                scope.spawn(move || {
                    for i in 0..50 {
                        cache.store(&key(i % 3), &vec![n; 1000 + usize::from(n)]);
                        if let Some(mut file) = cache.open(&key(i % 3)) {
                            let mut bytes = Vec::new();
                            file.read_to_end(&mut bytes).expect("the file");
                            let code = &bytes[..bytes.len() - TRAILER];
                            assert!(code.len() >= 1000 && code.iter().all(|byte| *byte == code[0]));
                        }
                    }
                });
            }
        });
        let left = fs::read_dir(&cache.folder).expect("the folder").flatten();
        assert!(left.map(|entry| entry.path()).all(|path| path.extension().is_none_or(|extension| extension != "tmp")));
    }
}
