//! Directories that a guest reads piece by piece. A directory of moderate size is read at once, and
//! kept until its end is reached or it is closed: a guest that removes what it has found then
//! misses nothing. Of a larger directory only a window is kept, so that a directory of any size
//! costs the host little.

use std::fs::File;
use std::io;

use cap_primitives::fs::{Metadata, ReadDir, read_base_dir};

use crate::config::budget::Budget;
use crate::sched::driver::Driver;
use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::files::status;
use crate::wasi::files::table::{Entry, Place};
use crate::wasi::files::{failed, trap};
use crate::wasi::owned_fd;

/// Bytes that are kept of one directory, and of all together.
const MOST: usize = 16 << 20;

/// Directories that are kept at once: enough for a guest that walks down a tree.
const MOST_AT_ONCE: usize = 64;

/// Entries that are read at once: between two such reads the call checks whether it should go on.
const PIECE: usize = 1024;

/// The directories that a guest is reading, the most recent last.
#[derive(Default)]
pub(crate) struct Listings(Vec<Listing>);

/// The content of a directory when its reading began, or a window of it.
struct Listing {
    fd: i32,
    /// Entries in the format of preview 1, without gaps.
    bytes: Vec<u8>,
    /// The offset of each entry in `bytes`.
    starts: Vec<usize>,
    /// The number of the first entry that is kept.
    first: usize,
    /// The entries that have not been read; `None` at the end.
    rest: Option<Rest>,
}

/// A directory that is being read.
struct Rest {
    entries: ReadDir,
    device: u64,
}

impl Listings {
    /// Discards what was read under a descriptor that is closed or replaced.
    pub(crate) fn forget(&mut self, fd: i32) {
        self.0.retain(|listing| listing.fd != fd);
    }

    /// How many of the host's descriptors are kept.
    pub(crate) fn descriptors(&self) -> usize {
        self.0.iter().filter(|listing| listing.rest.is_some()).count()
    }

    /// Lets go of the oldest that has a descriptor of the host's. Gives whether there was one.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        let place = self.0.iter().position(|listing| listing.rest.is_some());
        place.map(|place| self.0.remove(place)).is_some()
    }

    fn take(&mut self, fd: i32) -> Option<Listing> {
        let place = self.0.iter().position(|listing| listing.fd == fd)?;
        Some(self.0.remove(place))
    }

    fn keep(&mut self, listing: Listing) {
        let mut bytes = listing.bytes.len();
        self.0.push(listing);
        // The most recent ones are kept.
        let fit = self.0.iter().rev().skip(1).take(MOST_AT_ONCE - 1).take_while(|listing| {
            bytes += listing.bytes.len();
            bytes <= MOST
        });
        let fit = 1 + fit.count();
        self.0.drain(..self.0.len() - fit);
    }
}

impl Rest {
    fn new(dir: &File) -> io::Result<(Rest, u64)> {
        let found = Metadata::from_file(dir)?;
        #[cfg(unix)]
        let (device, number) = {
            use cap_primitives::fs::MetadataExt as _;
            (found.dev(), found.ino())
        };
        #[cfg(not(unix))]
        let (device, number) = (found.len(), 0);
        Ok((Rest { entries: read_base_dir(dir)?, device }, status::inode(device, number)))
    }

    /// Reads some entries: inode, type and name of each.
    fn read(&mut self) -> io::Result<Vec<(u64, u8, Vec<u8>)>> {
        let mut read = Vec::new();
        for entry in self.entries.by_ref().take(PIECE) {
            let entry = entry?;
            #[cfg(unix)]
            let number = std::os::unix::fs::DirEntryExt::ino(&entry);
            #[cfg(not(unix))]
            let number = 0;
            // Where the system does not report a type, the guest can ask for it.
            let kind = entry.file_type().map_or(status::UNKNOWN, status::kind);
            read.push((status::inode(self.device, number), kind, entry.file_name().into_encoded_bytes()));
        }
        Ok(read)
    }
}

impl Listing {
    fn new(fd: i32, own: u64, rest: Option<Rest>) -> Listing {
        let mut listing = Listing { fd, bytes: Vec::new(), starts: Vec::new(), first: 0, rest };
        for name in [".", ".."] {
            listing.push(own, status::DIRECTORY, name.as_bytes());
        }
        listing
    }

    /// The header of an entry: the number of the next entry, the inode, the length of the name, the
    /// type.
    fn push(&mut self, inode: u64, kind: u8, name: &[u8]) {
        let next = self.first + self.starts.len() + 1;
        self.starts.push(self.bytes.len());
        self.bytes.extend((next as u64).to_le_bytes());
        self.bytes.extend(inode.to_le_bytes());
        self.bytes.extend((name.len() as u32).to_le_bytes());
        self.bytes.extend([kind, 0, 0, 0]);
        self.bytes.extend(name);
    }

    /// The entries from that number on. `None` if they are no longer kept.
    fn from(&self, cookie: u64) -> Option<&[u8]> {
        let place = usize::try_from(cookie).ok()?.checked_sub(self.first)?;
        Some(self.starts.get(place).map_or(&[], |start| &self.bytes[*start..]))
    }

    /// Discards the entries before that number.
    fn drop_before(&mut self, cookie: u64) {
        let place = usize::try_from(cookie).unwrap_or(usize::MAX).saturating_sub(self.first).min(self.starts.len());
        let start = self.starts.get(place).copied().unwrap_or(self.bytes.len());
        self.bytes.drain(..start);
        self.starts.drain(..place);
        self.starts.iter_mut().for_each(|at| *at -= start);
        self.first += place;
    }

    /// Reads until `room` bytes are available from that number on, or the directory ends.
    async fn read_on(&mut self, cookie: u64, room: usize, driver: Driver, budget: &Budget) -> Result<(), Failed> {
        while let Some(rest) = self.rest.take() {
            budget.look(driver)?;
            let mut rest = rest;
            let read = driver.blocking(move || rest.read().map(|read| (rest, read))).await;
            let (rest, read) = read.map_err(|error| failed(&error))?;
            // Fewer entries than requested are the last ones.
            if read.len() == PIECE {
                self.rest = Some(rest);
            }
            for (inode, kind, name) in read {
                self.push(inode, kind, &name);
            }
            if self.bytes.len() >= MOST {
                if self.from(cookie).is_some_and(|rest| rest.len() >= room) {
                    break;
                }
                self.drop_before(cookie);
            }
        }
        Ok(())
    }
}

/// Serves `os.ReadDir`. Fills a buffer with entries from a number on; an entry without enough room
/// is truncated, as in preview 1.
pub(crate) async fn fd_readdir(mut call: Call<'_>, (fd, buffer, len, cookie, done): (i32, i32, i32, i64, i32)) -> Result<(), Failed> {
    call.place(done, 4)?;
    call.place(buffer, len as u32)?;
    let dir = match call.wasi.files.find(fd) {
        Some(Entry::Dir(dir)) => dir.place.clone(),
        // Other systems report that it is no directory.
        Some(_) => return Err(Failed::Number(errno::NOTDIR)),
        None => return Err(Failed::Number(errno::BADF)),
    };
    let (cookie, room) = (cookie as u64, len as u32 as usize);
    // A listing that starts over is read anew.
    let kept = call.wasi.listings.take(fd).filter(|listing| cookie != 0 && listing.from(cookie).is_some());
    let mut listing = match (kept, dir) {
        (Some(listing), _) => listing,
        (None, Place::Host(file)) => {
            // Nothing is refused for it: it has a descriptor for this call, and keeps it where
            // there is room.
            let _ = owned_fd::has_room(call.wasi);
            let (rest, own) = call.ask(move || Rest::new(&file)).await?;
            Listing::new(fd, own, Some(rest))
        }
        (None, Place::Root(names)) => {
            let mut listing = Listing::new(fd, status::inode(u64::MAX, status::DIRECTORY.into()), None);
            for (name, is_dir) in call.wasi.files.list_root(&names) {
                listing.push(1, if is_dir { status::DIRECTORY } else { status::CHARACTERS }, name.as_bytes());
            }
            listing
        }
    };
    if listing.from(cookie).is_none_or(|rest| rest.len() < room) {
        listing.read_on(cookie, room, call.driver, &call.wasi.budget).await?;
    }
    let rest = listing.from(cookie).ok_or_else(|| trap("the number of an entry that is gone"))?;
    let count = rest.len().min(room);
    call.result(buffer, &rest[..count])?;
    // A guest that gets nothing has read everything; others may ask for their last entries again.
    if count > 0 {
        call.wasi.listings.keep(listing);
        let _ = owned_fd::make_room(call.wasi, 0);
    }
    call.result(done, &(count as u32).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(fd: i32, names: &[&str]) -> Listing {
        let mut listing = Listing::new(fd, 0, None);
        for name in names {
            listing.push(0, 0, name.as_bytes());
        }
        listing
    }

    /// The numbers of those that are kept.
    fn kept(listings: &Listings) -> Vec<i32> {
        listings.0.iter().map(|listing| listing.fd).collect()
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut listings = Listings::default();
        for fd in 0..100 {
            listings.keep(listing(fd, &[]));
        }
        assert_eq!(kept(&listings), (36..100).collect::<Vec<_>>());
        for fd in [100, 101, 102] {
            listings.keep(Listing { bytes: vec![0; MOST / 2], ..listing(fd, &[]) });
        }
        assert_eq!(kept(&listings), [101, 102]);
        listings.forget(101);
        assert_eq!(kept(&listings), [102]);
    }

    #[test]
    fn what_has_a_descriptor_gives_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = File::open(folder.path()).expect("a folder");
        let mut listings = Listings::default();
        for fd in 0..4 {
            let rest = (fd % 2 == 1).then(|| Rest::new(&dir).expect("a folder").0);
            listings.keep(Listing { rest, ..listing(fd, &[]) });
        }
        assert_eq!(listings.descriptors(), 2);
        assert!(listings.drop_oldest());
        assert_eq!((kept(&listings), listings.descriptors()), (vec![0, 2, 3], 1));
        assert!(listings.drop_oldest() && !listings.drop_oldest());
    }

    #[test]
    fn entries_are_found_by_their_numbers() {
        let mut listing = listing(5, &["file.txt"]);
        let sizes = |listing: &Listing| [0, 2, 3, u64::MAX, i64::MAX as u64].map(|cookie| listing.from(cookie).map(<[u8]>::len));
        assert_eq!(sizes(&listing), [Some(25 + 26 + 32), Some(32), Some(0), Some(0), Some(0)]);
        listing.drop_before(1);
        assert_eq!(sizes(&listing), [None, Some(32), Some(0), Some(0), Some(0)]);
        listing.push(0, 0, b"next");
        assert_eq!((listing.from(3).map(|bytes| bytes[0]), listing.from(0)), (Some(4), None));
        listing.drop_before(u64::MAX);
        assert_eq!((listing.first, listing.from(4)), (4, Some(&[][..])));
    }
}
