//! Work on a connection that goes on while a guest does something else.

use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::platform::runtime;

/// Work on a connection, which is ended when nobody has this any more. Clones are the same work.
#[derive(Clone)]
pub(crate) struct Transfer(#[expect(dead_code, reason = "what its end does is all")] Arc<Aborting>);

struct Aborting(AbortHandle);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Transfer {
    /// Begins it where sockets are waited for.
    pub(crate) fn begin(work: impl Future<Output = ()> + Send + 'static) -> Transfer {
        Transfer(Arc::new(Aborting(runtime::clock().spawn(work).abort_handle())))
    }
}
