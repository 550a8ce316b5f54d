//! What a component has used up of what the engine counts for the host.
//!
//! The engine has no types for these that a program could name, unlike for traps: what is left is
//! what it says, whole, of the cause alone. Names that the guest has chosen are in the texts around
//! it.

use crate::abi::quota::too_large;
use crate::error::{Error, ErrorKind};
use crate::guest::state::State;

/// Of handles: where one is made, and where one is lent.
const HANDLES: [&str; 2] =
    ["cannot allocate another handle: store handle limit exceeded", "cannot lend resource: store handle limit exceeded"];

/// Of tasks and streams: the table of them is full.
const TASKS: &str = "resource table has no free keys";

/// Of the memory for values that the engine lifts.
const VALUES: &str = "too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted";

/// The host's error for it; `None` if something else has ended the guest.
#[cold]
pub(crate) fn exhausted(error: &wasmtime::Error, state: &State) -> Option<Error> {
    if error.is::<wasmtime::Trap>() || error.is::<wasmtime_wasi::I32Exit>() || Error::from_wasmtime(error).is_some() {
        return None;
    }
    let cause = error.root_cause().to_string();
    let most = state.component.as_ref().and_then(|component| component.most_handles);
    match most {
        None if HANDLES.contains(&cause.as_str()) => return Some(state.handles.too_many()),
        Some(most) if HANDLES.contains(&cause.as_str()) || cause == TASKS => {
            let text = format!("the guest has {most} handles, streams or tasks, which is what its limits allow (handles, descriptors)");
            return Some(Error::new(ErrorKind::OutOfMemory, text));
        }
        _ => {}
    }
    (cause == VALUES).then(|| too_large(state.max_value))
}
