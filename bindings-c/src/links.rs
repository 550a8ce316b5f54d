//! The errors that an error consists of, as its handle keeps them.

use std::ffi::{CString, c_void};
use std::sync::Arc;

use undergo::host::Lasting;
use undergo::{ChainedError, ErrorFields, Value};

use crate::arena::Arena;
use crate::boundary::c_text;
use crate::types::Text;

/// One of the errors of a chain.
pub(crate) struct Link {
    /// Ends with a NUL, which is not of it.
    text: String,
    /// The name of its type in WIT, if it has fields.
    pub(crate) name: Option<CString>,
    pub(crate) fields: LinkFields,
}

/// The fields of an error.
pub(crate) enum LinkFields {
    None,
    /// A host's own, as a struct.
    Struct {
        digest: u64,
        size: usize,
        words: Box<[u64]>,
    },
    /// A host's own, as a value.
    Value(Value),
    /// Those of a plugin's interface, and the struct of them, for programs that ask for it.
    Known(ErrorFields, Lasting<Lifted>),
}

/// The struct of an error's fields.
pub(crate) struct Lifted {
    pub(crate) digest: u64,
    pub(crate) size: usize,
    /// NULL if there was no memory.
    pub(crate) at: *const c_void,
    /// What it lies in, with all that it points to.
    pub(crate) _arena: Arena,
}

// SAFETY: nobody changes what lies there.
unsafe impl Send for Lifted {}
// SAFETY: as above.
unsafe impl Sync for Lifted {}

impl Link {
    pub(crate) fn new(text: &str, name: Option<&str>, fields: LinkFields) -> Arc<Link> {
        Arc::new(Link { text: format!("{text}\0"), name: name.map(c_text), fields })
    }

    pub(crate) fn of(chained: &ChainedError) -> Arc<Link> {
        let Some(fields) = chained.fields() else { return Link::new(chained.text(), None, LinkFields::None) };
        Link::new(chained.text(), Some(&fields.record().name), LinkFields::Known(fields.clone(), Lasting::new()))
    }

    pub(crate) fn text(&self) -> &str {
        self.text.strip_suffix('\0').unwrap_or_default()
    }

    /// The text for C, followed by a NUL.
    pub(crate) fn given_text(&self) -> Text {
        Text { ptr: self.text.as_ptr().cast(), len: self.text().len() }
    }
}
