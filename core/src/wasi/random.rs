//! A guest's random numbers: the host's, or those of a seed, for reproducible runs.

use wasmtime_wasi::p1::wasi_snapshot_preview1 as preview1;
use wiggle::GuestMemory;

use crate::wasi::call::{Call, Failed};

/// Where a guest's random numbers come from: `crypto/rand`, `math/rand`, the seeds of maps.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Random {
    /// From the host; they can't be predicted.
    #[default]
    Host,
    /// From that seed, the same for each instance and each run: for reproducible runs, and never
    /// for keys. They do not depend on the machine or on the version of this crate.
    Seed(u64),
}

/// The random numbers of a seed.
pub(crate) struct Seeded(blake3::OutputReader);

impl Seeded {
    /// `None` where the numbers are the host's.
    pub(crate) fn of(random: Random) -> Option<Seeded> {
        let Random::Seed(seed) = random else { return None };
        let mut hasher = blake3::Hasher::new_derive_key("undergo: the random numbers of a guest");
        hasher.update(&seed.to_le_bytes());
        Some(Seeded(hasher.finalize_xof()))
    }

    /// The next of them.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

/// Bytes that are generated at once: between two pieces the guest checks whether it should go on.
const PIECE: usize = 1 << 20;

pub(crate) fn random_get(call: Call<'_>, at: i32, len: i32) -> Result<(), Failed> {
    let Call { mut memory, wasi, .. } = call;
    for piece in memory.bytes_mut(at, len as u32)?.chunks_mut(PIECE) {
        wasi.budget.check_limits()?;
        match &mut wasi.random {
            Some(seeded) => seeded.fill(piece),
            None => {
                // A piece fits an i32.
                let size = piece.len() as i32;
                preview1::random_get(&mut wasi.p1, &mut GuestMemory::Unshared(piece), 0, size)?;
            }
        }
    }
    Ok(())
}
