//! What the machine and the system give: statics that survive a fork, native stacks, clocks of the processor, memory barriers, folders that are
//! private, and the threads of asynchronous calls.

pub(crate) mod folder;
pub(crate) mod fork;
pub(crate) mod membarrier;
pub(crate) mod runtime;
pub(crate) mod stack;
pub(crate) mod tsc;
