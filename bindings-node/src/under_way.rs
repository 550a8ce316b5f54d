//! Running calls.

use std::sync::Arc;

use crate::home::EventLoop;
use crate::js::Env;
use crate::kept::Kept;

/// A call under way. It keeps the loop going, and the host functions alive.
pub(crate) struct UnderWay {
    home: Arc<EventLoop>,
    table: Option<Arc<Kept>>,
}

impl UnderWay {
    /// Notes that a call begins. `table` has its host functions.
    pub(crate) fn begin(home: &Arc<EventLoop>, table: Option<&Arc<Kept>>) -> UnderWay {
        if let (Some(env), Some(table)) = (home.here(), table) {
            table.hold(env);
        }
        home.call_begins();
        UnderWay { home: home.clone(), table: table.cloned() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let table = self.table.take();
        let over = move |home: &EventLoop, env: Env| {
            if let Some(table) = table {
                table.release(env);
            }
            home.call_ends();
        };
        if let Some(env) = self.home.here() {
            over(&self.home, env);
        } else {
            let home = self.home.clone();
            self.home.run_soon(move |env| over(&home, env));
        }
    }
}
