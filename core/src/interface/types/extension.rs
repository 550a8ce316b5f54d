//! What hosts keep beside a type.

use std::any::{Any, TypeId};
use std::fmt;

use crate::platform::fork::Lasting;

/// A host's own data beside a type or function; set once.
#[derive(Default)]
pub struct Extension(Lasting<(TypeId, Box<dyn Any + Send + Sync>)>);

impl Extension {
    /// The host's data; made by `make` the first time, or by another thread at the same time.
    /// `None` if it has another type than `T`.
    #[inline]
    pub fn get_or_init<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        let (id, data) = self.0.get_or_make(|| (TypeId::of::<T>(), Box::new(make())));
        // As `downcast_ref`, without its call for the type's id: each call of a host gets here.
        // SAFETY: the id of the type in the box was stored along with it.
        (*id == TypeId::of::<T>()).then(|| unsafe { &*std::ptr::from_ref(&**data).cast::<T>() })
    }

    /// The host's data, if any.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get()?.1.downcast_ref()
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extension")
    }
}
