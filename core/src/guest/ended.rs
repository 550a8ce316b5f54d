//! What ended a guest, as an error.

use wasmtime::AsContext;

use crate::error::go_panic;
use crate::error::{Error, ErrorKind, Frame};
use crate::guest::memory_cache::Values;
use crate::guest::state::State;

/// The error for what ended the guest. `mark` is how much it had written to its standard error when
/// it was entered.
#[cold]
pub(crate) fn classify(error: &wasmtime::Error, store: impl AsContext<Data = State>, mark: u64) -> Error {
    let store = store.as_context();
    let state = store.data();
    let frames =
        |error| frames(error, state.guest.memory.and_then(Values::memory).map_or(&[][..], |memory| memory.data(&store)), state.imported);
    let stderr = state.wasi.streams.stderr.since(mark);
    if let Some(ended) = Error::from_wasmtime(error) {
        // An error from an inner call has that call's details.
        let ended = if ended.stderr().is_empty() {
            ended.with_stderr(stderr).with_denied(state.wasi.sockets.access.denials.take_last())
        } else {
            ended
        };
        // Where the guest stood. A host function's error has its own traceback.
        return if ended.kind() == ErrorKind::Timeout && ended.frames().is_empty() { ended.with_frames(frames(error)) } else { ended };
    }
    let exit = error.downcast_ref::<wasmtime_wasi::I32Exit>().map(|exit| exit.0);
    let trap = error.downcast_ref::<wasmtime::Trap>();
    // Go's runtime ends only in this way after a panic: an exit is the plugin's own, whatever it
    // has printed.
    let gave_up = exit.is_none() && trap == Some(&wasmtime::Trap::UnreachableCodeReached);
    let report = if gave_up { state.wasi.streams.stderr.report(mark) } else { None };
    let ended = match (report, exit, trap) {
        (Some(report), ..) => {
            let panic = go_panic::parse(&report, &stderr);
            match state.limiter.exceeded() {
                Some(exceeded) if panic.kind() == ErrorKind::OutOfMemory => exceeded.with_frames(panic.frames().to_vec()),
                _ => panic,
            }
        }
        (_, Some(code), _) => Error::new(ErrorKind::Exit, format!("the guest called os.Exit({code})")).with_exit_code(code),
        (None, None, Some(wasmtime::Trap::StackOverflow)) => Error::new(
            ErrorKind::Trap,
            format!(
                "the guest's stack of {} KiB overflowed: is there a recursion without end? If not, the limit of the stack can be raised",
                state.settings.stack.bytes() >> 10
            ),
        )
        .with_frames(frames(error)),
        (None, None, Some(wasmtime::Trap::OutOfFuel)) => {
            let fuel = state.fuel.unwrap_or_default();
            Error::new(ErrorKind::OutOfFuel, format!("the call used up its fuel, of which it had {fuel}")).with_frames(frames(error))
        }
        (None, None, Some(trap)) => Error::new(ErrorKind::Trap, trap.to_string()).with_frames(frames(error)),
        (None, None, None) => Error::new(ErrorKind::Trap, format!("{error:#}")),
    };
    ended.with_stderr(stderr).with_denied(state.wasi.sockets.access.denials.take_last())
}

/// The frames of a backtrace. An endless recursion has a hundred thousand similar frames; the
/// innermost ones are enough.
fn backtrace(error: &wasmtime::Error) -> impl Iterator<Item = &wasmtime::FrameInfo> {
    const MOST: usize = 64;
    error.downcast_ref::<wasmtime::WasmBacktrace>().into_iter().flat_map(|trace| trace.frames()).take(MOST)
}

/// The same, with the names by the module or by Go.
fn frames(error: &wasmtime::Error, memory: &[u8], imported: u32) -> Vec<Frame> {
    let mut backtrace = backtrace(error).peekable();
    // Finding the names takes a while.
    let names = backtrace.peek().and_then(|_| gowasm::GoNames::find(memory, imported));
    let name = |frame: &wasmtime::FrameInfo| {
        let of_go = names.as_ref().and_then(|names| names.of(frame.func_index()));
        of_go.or_else(|| frame.func_name()).map_or_else(|| format!("function {}", frame.func_index()), str::to_owned)
    };
    backtrace.map(|frame| Frame { function: name(frame), file: String::new(), line: 0 }).collect()
}
