//! The way into a guest and out of it: calls of exports, calls of host functions, and calls back from within these.

pub(crate) mod async_host_call;
pub(crate) mod fiber;
pub(crate) mod host_call;
pub(crate) mod reentry;
pub(crate) mod words;
