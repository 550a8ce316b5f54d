//! The network as a guest sees it: sockets, what the sandbox allows of them, and what ends a wait
//! for one.

#[path = "../common/mod.rs"]
mod common;
mod datagrams;
mod denied;
mod descriptors;
mod guest;
mod hostile;
mod names;
mod options;
#[cfg(unix)]
mod pipes;
mod streams;
#[cfg(unix)]
mod unix;
mod versions;
mod waits;
