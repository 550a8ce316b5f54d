//! A guest's network: the WasmEdge extension of preview 1, versions 1 and 2, over sockets of the host, within the sandbox's rules.
//!
//! Downwards: `rules`, `network`, `address`, `denials`, `peers`, `socket`, `lookups`, `names`, `table`, `place`, `permit`, `options`, `call`, `transfer`, `functions`, `link`. Sandboxes name `network`, so that comes before all else.

use std::io;

use crate::error::Error;
use crate::wasi::errno;

pub(crate) mod address;
pub(crate) mod call;
pub(crate) mod denials;
pub(crate) mod functions;
pub(crate) mod link;
pub(crate) mod lookups;
mod names;
pub(crate) mod network;
mod options;
mod peers;
mod permit;
pub(crate) mod place;
mod rules;
pub(crate) mod socket;
pub(crate) mod table;
pub(crate) mod transfer;

/// Why a function did not do what the guest wanted.
pub(crate) enum Failed {
    /// The guest's number for it.
    Number(i32),
    /// The call has to end.
    Ended(Error),
}

impl From<i32> for Failed {
    fn from(number: i32) -> Failed {
        Failed::Number(number)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Ended(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Number(errno::from_system(&error))
    }
}

/// What Wasmtime gives to the guest.
pub(crate) fn said(done: Result<(), Failed>) -> wasmtime::Result<i32> {
    match done {
        Ok(()) => Ok(errno::SUCCESS),
        Err(Failed::Number(number)) => Ok(number),
        Err(Failed::Ended(error)) => Err(error.into_wasmtime()),
    }
}
