//! How many of the host's descriptors a guest holds: the process has few of them, and they are everybody's.

use std::collections::HashSet;

use crate::errno;

/// Descriptors that a guest may hold at once, unless the limits say otherwise.
const DESCRIPTORS: u32 = 128;

/// The files and directories that a guest has opened, and how much it may have open of all kinds. What the host needs for it does not count: the sandbox's
/// directories, the standard streams, and listeners that were handed in.
pub(crate) struct Quota {
    most: usize,
    files: HashSet<i32>,
}

impl Quota {
    pub(crate) fn new(most: Option<u32>) -> Quota {
        Quota { most: most.unwrap_or(DESCRIPTORS) as usize, files: HashSet::new() }
    }

    /// Whether there is room for one more beside the files and so many others. The error is the guest's number for it.
    pub(crate) fn has_room(&self, others: usize) -> Result<(), i32> {
        if self.files.len() + others < self.most { Ok(()) } else { Err(errno::MFILE) }
    }

    /// Whether the guest has opened a file or a directory at that number.
    pub(crate) fn has(&self, number: i32) -> bool {
        self.files.contains(&number)
    }

    /// Takes note that the guest has opened a file or a directory.
    pub(crate) fn opened(&mut self, number: i32) {
        self.files.insert(number);
    }

    /// Takes note that a number is free.
    pub(crate) fn closed(&mut self, number: i32) {
        self.files.remove(&number);
    }

    /// Takes note that what had one number has another, and that what had that one is closed.
    pub(crate) fn renumbered(&mut self, from: i32, to: i32) {
        if from != to {
            self.files.remove(&to);
            if self.files.remove(&from) {
                self.files.insert(to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_or_written_over_gives_room() {
        let mut quota = Quota::new(Some(2));
        quota.opened(4);
        assert!(quota.has_room(0).is_ok() && quota.has_room(1) == Err(errno::MFILE));
        quota.opened(5);
        assert_eq!(quota.has_room(0), Err(errno::MFILE));
        quota.renumbered(4, 4);
        assert!(quota.has(4) && quota.has(5));
        quota.renumbered(4, 5);
        assert!(!quota.has(4) && quota.has(5) && quota.has_room(0).is_ok());
        // What was not counted stays so.
        quota.renumbered(3, 5);
        assert!(!quota.has(5) && quota.has_room(1).is_ok());
        quota.closed(77);
        assert_eq!(Quota::new(Some(0)).has_room(0), Err(errno::MFILE));
    }
}
