//! Directories that a guest reads piece by piece. wasmtime-wasi reads the whole of one for each piece, with a look at each file, and counts from its beginning: with the small buffers of C and Rust
//! that takes minutes for some thousands of files, and who removes them meanwhile misses others. So it is read once, and kept until its end is reached, or it is closed.

use wasmtime_wasi::p1::wasi_snapshot_preview1;
use wiggle::GuestMemory;

use crate::abi::memory::read_u32;
use crate::descriptor::Waiting;
use crate::errno;
use crate::state::State;

/// Bytes that a directory is first given room for.
const ROOM: usize = 64 << 10;

/// Bytes of a directory that is kept, and of all that are. One that is larger is read as wasmtime-wasi does it.
const MOST: usize = 16 << 20;

/// Directories that are kept at once: those of a guest that goes down a tree.
const MOST_AT_ONCE: usize = 64;

/// Before each name: the number of the next entry, that of the file, the length of the name, and the type.
const HEAD: usize = 24;

/// The directories that a guest has begun to read, the latest last.
#[derive(Default)]
pub(crate) struct Listings(Vec<Listing>);

/// What was in a directory when it began to be read.
struct Listing {
    fd: i32,
    /// Entries one behind the other, as preview 1 has them.
    bytes: Vec<u8>,
    /// Where each begins.
    starts: Vec<usize>,
}

impl Listings {
    /// Takes note that the descriptor has something else from now on.
    pub(crate) fn forget(&mut self, fd: i32) {
        self.0.retain(|listing| listing.fd != fd);
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

impl Listing {
    /// Reads all of a directory; `Err` has the number for what went wrong, or `None` for one that is too large.
    async fn read(state: &mut State, waiting: Waiting, fd: i32) -> wasmtime::Result<Result<Listing, Option<i32>>> {
        // How many bytes there are comes before them.
        const COUNT: usize = 8;
        let mut size = ROOM;
        loop {
            let mut bytes = vec![0; COUNT + size];
            let mut memory = GuestMemory::Unshared(&mut bytes);
            let work = wasi_snapshot_preview1::fd_readdir(&mut state.wasi, &mut memory, fd, COUNT as i32, size as i32, 0, 0);
            let said = waiting.run(work).await?;
            if said != errno::SUCCESS {
                return Ok(Err(Some(said)));
            }
            let used = read_u32(&bytes, 0) as usize;
            if used < size {
                bytes.truncate(COUNT + used);
                bytes.drain(..COUNT);
                return Ok(Ok(Listing::of(fd, bytes)));
            }
            size *= 4;
            if size > MOST {
                return Ok(Err(None));
            }
        }
    }

    fn of(fd: i32, bytes: Vec<u8>) -> Listing {
        let (mut starts, mut at) = (Vec::new(), 0);
        while at + HEAD <= bytes.len() {
            starts.push(at);
            at += HEAD + read_u32(&bytes[at..], 16) as usize;
        }
        Listing { fd, bytes, starts }
    }

    /// The entries from that number on.
    fn from(&self, cookie: i64) -> &[u8] {
        let start = usize::try_from(cookie).ok().and_then(|cookie| self.starts.get(cookie));
        start.map_or(&[], |start| &self.bytes[*start..])
    }
}

/// Fills a buffer with entries, from that number on; how many bytes there are. What has no room is cut off, as preview 1 has it. `Err` has the number for what went wrong, or `None` for a directory
/// that is too large to be kept.
pub(crate) async fn fill(
    state: &mut State,
    waiting: Waiting,
    fd: i32,
    buffer: &mut [u8],
    cookie: i64,
) -> wasmtime::Result<Result<usize, Option<i32>>> {
    let mut kept = None;
    // From its beginning it is read anew.
    if cookie != 0 {
        kept = state.listings.0.iter().position(|listing| listing.fd == fd).map(|place| state.listings.0.remove(place));
    } else {
        state.listings.forget(fd);
    }
    let listing = match kept {
        Some(listing) => listing,
        None => match Listing::read(state, waiting, fd).await? {
            Ok(listing) => listing,
            Err(failed) => return Ok(Err(failed)),
        },
    };
    let rest = listing.from(cookie);
    let count = rest.len().min(buffer.len());
    buffer[..count].copy_from_slice(&rest[..count]);
    // Who gets nothing has had all of it; others may ask for their last entries again.
    if count > 0 {
        state.listings.keep(listing);
    }
    Ok(Ok(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of those that are kept.
    fn kept(listings: &Listings) -> Vec<i32> {
        listings.0.iter().map(|listing| listing.fd).collect()
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut listings = Listings::default();
        for fd in 0..100 {
            listings.keep(Listing::of(fd, Vec::new()));
        }
        assert_eq!(kept(&listings), (36..100).collect::<Vec<_>>());
        for fd in [100, 101, 102] {
            listings.keep(Listing { fd, bytes: vec![0; MOST / 2], starts: Vec::new() });
        }
        assert_eq!(kept(&listings), [101, 102]);
        listings.forget(101);
        assert_eq!(kept(&listings), [102]);
    }

    #[test]
    fn entries_are_found_by_their_numbers() {
        let entry = |name: &str| {
            let mut bytes = vec![0; HEAD];
            bytes[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
            [bytes, name.as_bytes().to_vec()].concat()
        };
        let listing = Listing::of(5, [entry("."), entry("file.txt")].concat());
        assert_eq!([0, 1, 2, -1, i64::MAX].map(|cookie| listing.from(cookie).len()), [57, 32, 0, 0, 0]);
    }
}
