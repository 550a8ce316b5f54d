//! Directories that a guest reads piece by piece. One of some size is read at once and kept until its end is reached or it is closed: then who removes
//! what was found misses nothing. Of a larger one a part is kept, which moves on, so that a directory of any size costs the host little.

use std::fs::File;
use std::io;

use cap_primitives::fs::{Metadata, ReadDir, read_base_dir};

use crate::config::budget::Budget;
use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::files::status;
use crate::wasi::files::table::{Entry, Place};
use crate::wasi::files::{failed, trap};
use crate::wasi::waiting::Waiting;

/// Bytes of a directory that are kept, and of all that are.
const MOST: usize = 16 << 20;

/// Directories that are kept at once: those of a guest that goes down a tree.
const MOST_AT_ONCE: usize = 64;

/// Entries that are read at once: between two such the call looks whether it should go on.
const PIECE: usize = 1024;

/// The directories that a guest has begun to read, the latest last.
#[derive(Default)]
pub(crate) struct Listings(Vec<Listing>);

/// What was in a directory when it began to be read, or a part of that.
struct Listing {
    fd: i32,
    /// Entries one behind the other, as preview 1 has them.
    bytes: Vec<u8>,
    /// Where each begins.
    starts: Vec<usize>,
    /// The number of the first that is kept.
    first: usize,
    /// What there is to read on; `None` at the end.
    rest: Option<Rest>,
}

/// A directory that is being read.
struct Rest {
    entries: ReadDir,
    device: u64,
}

impl Listings {
    /// Takes note that the descriptor has something else from now on.
    pub(crate) fn forget(&mut self, fd: i32) {
        self.0.retain(|listing| listing.fd != fd);
    }

    fn take(&mut self, fd: i32) -> Option<Listing> {
        let place = self.0.iter().position(|listing| listing.fd == fd)?;
        Some(self.0.remove(place))
    }

    fn keep(&mut self, listing: Listing) {
        let mut bytes = listing.bytes.len();
        self.0.push(listing);
        // The latest of them are the ones to go on with.
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

    /// Reads some entries: the number of each file, its kind, and its name.
    fn read(&mut self) -> io::Result<Vec<(u64, u8, Vec<u8>)>> {
        let mut read = Vec::new();
        for entry in self.entries.by_ref().take(PIECE) {
            let entry = entry?;
            #[cfg(unix)]
            let number = std::os::unix::fs::DirEntryExt::ino(&entry);
            #[cfg(not(unix))]
            let number = 0;
            // A kind that the system does not tell is found out by who wants to know.
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

    /// Before each name stand the number of the next entry, that of the file, the length of the name, and the type.
    fn push(&mut self, inode: u64, kind: u8, name: &[u8]) {
        let next = self.first + self.starts.len() + 1;
        self.starts.push(self.bytes.len());
        self.bytes.extend((next as u64).to_le_bytes());
        self.bytes.extend(inode.to_le_bytes());
        self.bytes.extend((name.len() as u32).to_le_bytes());
        self.bytes.extend([kind, 0, 0, 0]);
        self.bytes.extend(name);
    }

    /// The entries from that number on. `None`: it is before those that are kept.
    fn from(&self, cookie: u64) -> Option<&[u8]> {
        let place = usize::try_from(cookie).ok()?.checked_sub(self.first)?;
        Some(self.starts.get(place).map_or(&[], |start| &self.bytes[*start..]))
    }

    /// Lets go of what lies before that number, as far as it is kept.
    fn drop_before(&mut self, cookie: u64) {
        let place = usize::try_from(cookie).unwrap_or(usize::MAX).saturating_sub(self.first).min(self.starts.len());
        let start = self.starts.get(place).copied().unwrap_or(self.bytes.len());
        self.bytes.drain(..start);
        self.starts.drain(..place);
        self.starts.iter_mut().for_each(|at| *at -= start);
        self.first += place;
    }

    /// Reads on, until there are so many bytes from that number on, or no more entries.
    async fn read_on(&mut self, cookie: u64, room: usize, waiting: Waiting, budget: &Budget) -> Result<(), Failed> {
        while let Some(rest) = self.rest.take() {
            waiting.check(budget)?;
            let mut rest = rest;
            let read = waiting.blocking(move || rest.read().map(|read| (rest, read))).await;
            let (rest, read) = read.map_err(|error| failed(&error))?;
            // Fewer than were asked for are the last.
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

/// `os.ReadDir` ends here. Fills a buffer with entries from a number on; what has no room is cut off, as preview 1 has it.
pub(crate) async fn fd_readdir(mut call: Call<'_>, (fd, buffer, len, cookie, done): (i32, i32, i32, i64, i32)) -> Result<(), Failed> {
    call.place(done, 4)?;
    call.place(buffer, len as u32)?;
    let dir = match call.wasi.files.find(fd) {
        Some(Entry::Dir(dir)) => dir.place.clone(),
        // Other systems say that it is no directory.
        Some(_) => return Err(Failed::Number(errno::NOTDIR)),
        None => return Err(Failed::Number(errno::BADF)),
    };
    let (cookie, room) = (cookie as u64, len as u32 as usize);
    // From its beginning it is read anew.
    let kept = call.wasi.listings.take(fd).filter(|listing| cookie != 0 && listing.from(cookie).is_some());
    let mut listing = match (kept, dir) {
        (Some(listing), _) => listing,
        (None, Place::Host(file)) => {
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
        listing.read_on(cookie, room, call.waiting, &call.wasi.budget).await?;
    }
    let rest = listing.from(cookie).ok_or_else(|| trap("the number of an entry that is gone"))?;
    let count = rest.len().min(room);
    call.result(buffer, &rest[..count])?;
    // Who gets nothing has had all of it; others may ask for their last entries again.
    if count > 0 {
        call.wasi.listings.keep(listing);
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
