//! The three standard streams: what a guest reads, and where what it writes goes.

pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod streams;
