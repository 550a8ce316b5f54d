//! Running calls.

use std::sync::Arc;

use crate::home::EventLoop;
use crate::js::Env;
use crate::kept::Kept;

/// A call under way. It keeps the loop going, and alive what of JavaScript's it may need: the host
/// functions.
pub(crate) struct UnderWay {
    home: Arc<EventLoop>,
    needs: Option<Arc<Kept>>,
}

impl UnderWay {
    /// Notes that a call begins.
    pub(crate) fn begin(home: &Arc<EventLoop>, needs: Option<&Arc<Kept>>) -> UnderWay {
        if let (Some(env), Some(needs)) = (home.here(), needs) {
            needs.hold(env);
        }
        home.call_begins();
        UnderWay { home: home.clone(), needs: needs.cloned() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let needs = self.needs.take();
        let over = move |home: &EventLoop, env: Env| {
            if let Some(needs) = needs {
                needs.release(env);
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
