//! Calls that suspend instead of holding a thread: where they run, how long they may block an event
//! loop, and the clock that interrupts guests.

pub(crate) mod driver;
pub(crate) mod fairness;
pub(crate) mod handoff;
pub(crate) mod task;
pub(crate) mod ticker;
