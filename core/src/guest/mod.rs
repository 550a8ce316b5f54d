//! The data of a running guest's store, and what every call needs: its memory, limits, lifecycle,
//! and the lock around it.

pub(crate) mod component;
pub(crate) mod ended;
pub(crate) mod exhausted;
pub(crate) mod handles;
pub(crate) mod host;
pub(crate) mod lifecycle;
pub(crate) mod limiter;
pub(crate) mod lock;
pub(crate) mod memory_cache;
pub(crate) mod object;
pub(crate) mod options;
pub(crate) mod reentry;
pub(crate) mod refusal;
pub(crate) mod state;
pub(crate) mod waits;
pub(crate) mod words;
