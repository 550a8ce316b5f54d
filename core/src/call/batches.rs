//! How the items of a host's iterable get to a guest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// After this long a batch goes to the guest as it is: it may need the first item now.
pub const BATCH: Duration = Duration::from_micros(50);

/// How far an iterable of the host's has got, from which a guest takes batches.
#[derive(Debug, Default)]
pub struct Batches {
    has_ended: AtomicBool,
    /// The error that came after items, for the batch after them.
    failed: Mutex<Option<Error>>,
}

impl Batches {
    /// Takes items by `next`, which says whether there was one: as many as the guest asks for, or
    /// as come within [`BATCH`]. Returns whether there are no more; `next` is not called again
    /// then, nor after an error.
    ///
    /// # Errors
    ///
    /// That of `next`, after the items before it.
    pub fn gather(&self, most: u32, mut next: impl FnMut() -> Result<bool>) -> Result<bool> {
        if let Some(error) = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        let begun = Instant::now();
        for taken in 0..most {
            if self.has_ended.load(Ordering::Relaxed) {
                return Ok(true);
            }
            match next() {
                Ok(true) => {}
                Ok(false) => {
                    self.has_ended.store(true, Ordering::Relaxed);
                    return Ok(true);
                }
                Err(error) => {
                    self.has_ended.store(true, Ordering::Relaxed);
                    if taken == 0 {
                        return Err(error);
                    }
                    *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return Ok(false);
                }
            }
            if begun.elapsed() >= BATCH {
                break;
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// Takes a batch of at most that many, of numbers that end with 5, or fail then; gives those
    /// that came, and how it went.
    fn gather(batches: &Batches, at: &mut u32, most: u32, fails: bool) -> (Vec<u32>, Result<bool>) {
        let mut items = Vec::new();
        let ended = batches.gather(most, || {
            *at += 1;
            if *at > 5 {
                return if fails { Err(Error::new(ErrorKind::HostError, "no more")) } else { Ok(false) };
            }
            items.push(*at);
            Ok(true)
        });
        (items, ended)
    }

    #[test]
    fn no_more_than_is_asked_for_until_the_end() {
        let (batches, mut at) = (Batches::default(), 0);
        for (most, wanted, ended) in [(1, vec![1], false), (3, vec![2, 3, 4], false), (9, vec![5], true), (9, vec![], true)] {
            let (items, found) = gather(&batches, &mut at, most, false);
            assert_eq!((items, found.expect("no error")), (wanted, ended));
        }
        assert_eq!(at, 6, "it was asked once after its last item");
    }

    #[test]
    fn an_error_comes_after_the_items_before_it() {
        let (batches, mut at) = (Batches::default(), 0);
        let (items, found) = gather(&batches, &mut at, 9, true);
        assert_eq!((items, found.expect("no error yet")), (vec![1, 2, 3, 4, 5], false));
        let (items, found) = gather(&batches, &mut at, 9, true);
        assert!(items.is_empty() && found.is_err_and(|error| error.message() == "no more"));
        assert!(gather(&batches, &mut at, 9, true).1.expect("it is over"));
        assert_eq!(at, 6);
    }

    #[test]
    fn what_comes_slowly_is_not_held_back() {
        let batches = Batches::default();
        let mut taken = 0;
        let ended = batches.gather(1000, || {
            taken += 1;
            std::thread::sleep(BATCH);
            Ok(true)
        });
        assert_eq!((taken, ended.expect("no error")), (1, false));
    }
}
