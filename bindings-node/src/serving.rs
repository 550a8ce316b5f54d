//! Servers that run.

use std::sync::{Mutex, PoisonError};

use undergo::Server;

use crate::under_way::UnderWay;

/// A server, and what keeps the loop going until it is closed.
pub(crate) struct Serving {
    pub(crate) core: Server,
    under_way: Mutex<Option<UnderWay>>,
}

impl Serving {
    pub(crate) fn new(core: Server, under_way: UnderWay) -> Serving {
        Serving { core, under_way: Mutex::new(Some(under_way)) }
    }

    /// Gives what has kept the loop going.
    pub(crate) fn end(&self) -> Option<UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
