//! An object of the host's program: the functions that a guest calls by its handle.

use std::sync::Arc;

use crate::abi::handles::HostObject;
use crate::guest::host::HostFunction;

impl HostObject {
    /// An object with these methods, in the order of
    /// [`ResourceType::methods`](crate::interface::ResourceType::methods). A callback has one, an
    /// iterator `next`, a stream `read` or `write`, and `close`.
    pub fn new(methods: impl IntoIterator<Item = Arc<dyn HostFunction>>) -> HostObject {
        let methods: Box<[Arc<dyn HostFunction>]> = methods.into_iter().collect();
        HostObject::of(Arc::new(methods))
    }

    pub(crate) fn method(&self, number: usize) -> Option<Arc<dyn HostFunction>> {
        // It holds no others: `new` is the only way to make one.
        self.methods.downcast_ref::<Box<[Arc<dyn HostFunction>]>>()?.get(number).cloned()
    }
}
