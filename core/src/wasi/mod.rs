//! WASI preview 1 and its extension for sockets: the sandbox, as a guest sees it.

pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod errno;
pub(crate) mod fd;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod linker;
pub(crate) mod owned_fd;
pub(crate) mod pipes;
pub(crate) mod poll;
pub(crate) mod preview2;
#[cfg(feature = "wasi-0-3")]
pub(crate) mod preview3;
pub(crate) mod random;
pub(crate) mod sandbox;
pub(crate) mod sockets;
pub(crate) mod stdio;
mod waiting;
