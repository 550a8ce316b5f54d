//! What the machine and the system give: statics that survive a fork, native stacks, the
//! processor's cycle counter, memory barriers, private folders, files that are read as a whole,
//! descriptors that may block, and the threads of asynchronous calls.

pub(crate) mod async_fd;
pub(crate) mod descriptor;
pub(crate) mod fiber;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod fork;
pub(crate) mod membarrier;
pub(crate) mod runtime;
pub(crate) mod stack;
pub(crate) mod tsc;
pub(crate) mod window;
