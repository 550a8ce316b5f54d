//! What preview 1 reports of a file: its type, size and times.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_primitives::fs::{FileType, Metadata};

/// The numbers of preview 1 for types of files.
pub(crate) const UNKNOWN: u8 = 0;
const BLOCKS: u8 = 1;
pub(crate) const CHARACTERS: u8 = 2;
pub(crate) const DIRECTORY: u8 = 3;
pub(crate) const REGULAR: u8 = 4;
const LINK: u8 = 7;

/// Bytes of a `filestat`.
pub(crate) const SIZE: u32 = 64;

pub(crate) fn kind(found: FileType) -> u8 {
    if found.is_dir() {
        return DIRECTORY;
    }
    if found.is_symlink() {
        return LINK;
    }
    if found.is_file() {
        return REGULAR;
    }
    #[cfg(unix)]
    {
        use cap_primitives::fs::FileTypeExt as _;
        if found.is_block_device() {
            return BLOCKS;
        }
        if found.is_char_device() {
            return CHARACTERS;
        }
    }
    let _ = BLOCKS;
    UNKNOWN
}

/// A file's inode, by which a guest may tell whether two files are the same.
pub(crate) fn inode(device: u64, number: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (device, number).hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn of(found: &Metadata) -> [u8; SIZE as usize] {
    let times = [found.accessed(), found.modified()].map(|time| time.map(|time| since(time.into_std())).unwrap_or_default());
    #[cfg(unix)]
    let (inode, links, changed) = {
        use cap_primitives::fs::MetadataExt as _;
        let changed = u64::try_from(i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec())).unwrap_or_default();
        (inode(found.dev(), found.ino()), found.nlink(), changed)
    };
    #[cfg(not(unix))]
    let (inode, links, changed) = (0, 1, times[1]);
    bytes(inode, kind(found.file_type()), links, found.len(), [times[0], times[1], changed])
}

/// The status of what is no file of the host.
pub(crate) fn made_up(kind: u8) -> [u8; SIZE as usize] {
    bytes(inode(u64::MAX, kind.into()), kind, 1, 0, [0; 3])
}

fn bytes(inode: u64, kind: u8, links: u64, size: u64, times: [u64; 3]) -> [u8; SIZE as usize] {
    let mut bytes = [0; SIZE as usize];
    for (at, word) in (0..).step_by(8).zip([1, inode, u64::from(kind), links, size, times[0], times[1], times[2]]) {
        bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// Nanoseconds since 1970; an earlier time counts as 1970.
fn since(time: SystemTime) -> u64 {
    let passed = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)
}
