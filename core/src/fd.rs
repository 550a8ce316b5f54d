//! What preview 1 does with any descriptor: standard streams, sockets and pipes are served here, where the patience of the call is at hand; files are passed on.

use std::io;

use wasmtime::Caller;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::wasi_snapshot_preview1;
use wiggle::GuestMemory;

use crate::abi::memory::{GuestMemory as Checked, read_u32};
use crate::descriptor::Waiting;
use crate::errno;
use crate::error::Error;
use crate::listing;
use crate::own;
use crate::paths;
use crate::pipes::{self, CREATE, EXCLUSIVE, TRUNCATE, WRITE, Wanted};
use crate::preview1::{MOST, MOST_BUFFERS, answer, buffer, parts};
use crate::sockets;
use crate::sockets::call::Call;
use crate::sockets::functions::NONBLOCK;
use crate::sockets::table::Sockets;
use crate::state::State;
use crate::streams::Standard;

/// Calls wasmtime-wasi, for a descriptor that is a file.
macro_rules! pass_on {
    ($waiting:expr, $caller:ident, async $name:ident($fd:ident $(, $arg:ident)*)) => {{
        let (memory, state) = $crate::preview1::parts(&mut $caller)?;
        let mut memory = wiggle::GuestMemory::Unshared(memory);
        let work = wasmtime_wasi::p1::wasi_snapshot_preview1::$name(&mut state.wasi, &mut memory, $fd, $($arg),*);
        $waiting.run(work).await
    }};
    ($waiting:expr, $caller:ident, $name:ident($fd:ident $(, $arg:ident)*)) => {{
        let (memory, state) = $crate::preview1::parts(&mut $caller)?;
        let mut memory = wiggle::GuestMemory::Unshared(memory);
        wasmtime_wasi::p1::wasi_snapshot_preview1::$name(&mut state.wasi, &mut memory, $fd, $($arg),*)
    }};
}
pub(crate) use pass_on;

/// What shells say of a program that a broken pipe has ended: 128, and the number of the signal.
const BROKEN_PIPE: i32 = 141;

pub(crate) fn is_own(caller: &Caller<'_, State>, fd: i32) -> bool {
    own::is_own(caller.data(), fd)
}

pub(crate) async fn fd_fdstat_get(waiting: Waiting, mut caller: Caller<'_, State>, (fd, stat): (i32, i32)) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(own::stat(Call::new(waiting, &mut caller)?, fd, stat));
    }
    let said = pass_on!(waiting, caller, async fd_fdstat_get(fd, stat))?;
    let (memory, state) = parts(&mut caller)?;
    let standard = state.standards.find(fd).filter(|standard| state.standards.is_nonblocking(*standard));
    // Behind the type, which is one byte and another one for its place.
    if let (errno::SUCCESS, Some(_), Some(flags)) = (said, standard, memory.get_mut(stat as u32 as usize + 2)) {
        *flags |= NONBLOCK as u8;
    }
    Ok(said)
}

pub(crate) fn fd_fdstat_set_flags(mut caller: Caller<'_, State>, fd: i32, flags: i32) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(own::set_flags(caller.data_mut(), fd, flags));
    }
    let standards = &mut caller.data_mut().standards;
    if let Some(standard) = standards.find(fd) {
        if flags & !NONBLOCK != 0 {
            return Ok(errno::INVAL);
        }
        standards.set_nonblocking(standard, flags & NONBLOCK != 0);
        return Ok(errno::SUCCESS);
    }
    pass_on!(Waiting::Thread, caller, fd_fdstat_set_flags(fd, flags))
}

pub(crate) async fn fd_filestat_get(waiting: Waiting, mut caller: Caller<'_, State>, (fd, stat): (i32, i32)) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(own::file_stat(Call::new(waiting, &mut caller)?, fd, stat));
    }
    pass_on!(waiting, caller, async fd_filestat_get(fd, stat))
}

pub(crate) async fn fd_write(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (fd, buffers, count, done): (i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(own::write(Call::new(waiting, &mut caller)?, fd, buffers, count, done).await);
    }
    let (memory, state) = parts(&mut caller)?;
    let standard = match state.standards.find(fd) {
        Some(standard) => standard,
        None => {
            let mut memory = GuestMemory::Unshared(memory);
            return waiting.run(wasi_snapshot_preview1::fd_write(&mut state.wasi, &mut memory, fd, buffers, count, done)).await;
        }
    };
    let Some(stream) = state.streams.output(standard) else { return Ok(errno::BADF) };
    let blocks = !state.standards.is_nonblocking(standard);
    let count = count as u32;
    if count > MOST_BUFFERS {
        return Ok(errno::INVAL);
    }
    let mut written = 0;
    {
        let memory = &*memory;
        let Ok(list) = Checked::new(memory).slice(buffers as u32, count, 8, 4) else { return Ok(errno::FAULT) };
        for number in 0..count {
            let Ok((at, len)) = buffer(memory, list, number) else { return Ok(errno::FAULT) };
            // Short writes are allowed, and callers go on with the rest.
            let len = len.min(MOST - written);
            match stream.write(&memory[at..at + len], blocks, waiting, &state.patience).await.map_err(Error::into_wasmtime)? {
                Ok(count) => {
                    written += count;
                    if count < len {
                        break;
                    }
                }
                Err(_) if written > 0 => break,
                Err(error) => {
                    let said = errno::from_system(&error);
                    // Elsewhere a signal ends who writes where nobody reads. One that was told, and writes all the same, may never end else.
                    if said == errno::PIPE && state.standards.note_broken(standard) {
                        return Err(I32Exit(BROKEN_PIPE).into());
                    }
                    return Ok(said);
                }
            }
        }
    }
    Ok(answer(memory, done, written))
}

pub(crate) async fn fd_read(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (fd, buffers, count, done): (i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(own::read(Call::new(waiting, &mut caller)?, fd, buffers, count, done).await);
    }
    let (memory, state) = parts(&mut caller)?;
    match state.standards.find(fd) {
        Some(Standard::Input) => {}
        Some(_) => return Ok(errno::BADF),
        None => {
            let mut memory = GuestMemory::Unshared(memory);
            let said = waiting.run(wasi_snapshot_preview1::fd_read(&mut state.wasi, &mut memory, fd, buffers, count, done)).await?;
            // To wasmtime-wasi a directory is no descriptor at all here; `os.ReadFile` of one should say what it does elsewhere.
            return Ok(if said == errno::BADF && kind(waiting, state, fd).await? == Some(DIRECTORY) { errno::ISDIR } else { said });
        }
    }
    let count = count as u32;
    if count > MOST_BUFFERS {
        return Ok(errno::INVAL);
    }
    // The first buffer that has room is enough: a read may give less than it was asked for, and should not wait for more.
    let mut first = (0, 0);
    {
        let Ok(list) = Checked::new(memory).slice(buffers as u32, count, 8, 4) else { return Ok(errno::FAULT) };
        for number in 0..count {
            let Ok((at, len)) = buffer(memory, list, number) else { return Ok(errno::FAULT) };
            if first.1 == 0 {
                first = (at, len.min(MOST));
            }
        }
    }
    let (at, len) = first;
    let blocks = !state.standards.is_nonblocking(Standard::Input);
    if len == 0 {
        return Ok(answer(memory, done, 0));
    }
    let read =
        state.standards.stdin.read(&mut memory[at..at + len], blocks, waiting, &state.patience).await.map_err(Error::into_wasmtime)?;
    Ok(match read {
        Ok(count) => answer(memory, done, count),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => errno::INVAL,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => errno::AGAIN,
        Err(_) => errno::IO,
    })
}

pub(crate) async fn fd_close(waiting: Waiting, mut caller: Caller<'_, State>, (fd,): (i32,)) -> wasmtime::Result<i32> {
    let (memory, state) = parts(&mut caller)?;
    if own::close(state, fd) {
        return Ok(errno::SUCCESS);
    }
    let mut memory = GuestMemory::Unshared(memory);
    let said = waiting.run(wasi_snapshot_preview1::fd_close(&mut state.wasi, &mut memory, fd)).await?;
    if said == errno::SUCCESS {
        state.standards.close(fd);
        state.listings.forget(fd);
        state.quota.closed(fd);
    }
    Ok(said)
}

pub(crate) async fn fd_renumber(waiting: Waiting, mut caller: Caller<'_, State>, (from, to): (i32, i32)) -> wasmtime::Result<i32> {
    let (memory, state) = parts(&mut caller)?;
    let mut memory = GuestMemory::Unshared(memory);
    if let Some(said) = own::renumber(state, from, to) {
        // Behind a listener that was handed in stands what keeps its number from files.
        if said == errno::SUCCESS && from != to && !Sockets::is_own(from) {
            return waiting.run(wasi_snapshot_preview1::fd_close(&mut state.wasi, &mut memory, from)).await;
        }
        return Ok(said);
    }
    let said = waiting.run(wasi_snapshot_preview1::fd_renumber(&mut state.wasi, &mut memory, from, to)).await?;
    if said == errno::SUCCESS {
        state.standards.renumber(from, to);
        state.pipes.renumbered(from, to);
        state.listings.forget(from);
        state.listings.forget(to);
        state.quota.renumbered(from, to);
    }
    Ok(said)
}

/// Go hands on whatever a program takes for a whence, at which wasmtime-wasi would trap.
pub(crate) async fn fd_seek(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (fd, offset, whence, place): (i32, i64, i32, i32),
) -> wasmtime::Result<i32> {
    const MOST: i32 = 2;
    if is_own(&caller, fd) {
        return Ok(own::refusal("fd_seek"));
    }
    if !(0..=MOST).contains(&whence) {
        return Ok(errno::INVAL);
    }
    pass_on!(waiting, caller, async fd_seek(fd, offset, whence, place))
}

/// `os.ReadDir` of a file ends here. To wasmtime-wasi that is no descriptor at all; other systems say that it is no directory.
pub(crate) async fn fd_readdir(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (fd, buffer, len, cookie, done): (i32, i32, i32, i64, i32),
) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return Ok(own::refusal("fd_readdir"));
    }
    let (memory, state) = parts(&mut caller)?;
    let checked = Checked::new(memory);
    let there = checked.slice(buffer as u32, len as u32, 1, 1).is_ok() && checked.slice(done as u32, 1, 4, 4).is_ok();
    let (at, len_there) = (buffer as u32 as usize, len as u32 as usize);
    let filled = match there && len != 0 {
        true => listing::fill(state, waiting, fd, &mut memory[at..at + len_there], cookie).await?,
        false => Err(None),
    };
    let said = match filled {
        Ok(count) => return Ok(answer(memory, done, count)),
        Err(Some(said)) => said,
        Err(None) => pass_on!(waiting, caller, async fd_readdir(fd, buffer, len, cookie, done))?,
    };
    let state = caller.data_mut();
    Ok(if said == errno::BADF && kind(waiting, state, fd).await?.is_some() { errno::NOTDIR } else { said })
}

const DIRECTORY: u8 = 3;

/// The type of what a descriptor has; `None` where nobody has that one.
async fn kind(waiting: Waiting, state: &mut State, fd: i32) -> wasmtime::Result<Option<u8>> {
    const TYPE: usize = 16;
    let mut stat = [0_u8; 64];
    let mut memory = GuestMemory::Unshared(&mut stat);
    let said = waiting.run(wasi_snapshot_preview1::fd_filestat_get(&mut state.wasi, &mut memory, fd, 0)).await?;
    Ok((said == errno::SUCCESS).then_some(stat[TYPE]))
}

/// The parameters of `path_open`: where, how to look up, the path and its length, how to open, rights and inherited ones, flags, and where the number goes.
pub(crate) type PathOpen = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

/// How a file is opened that is made, or made empty.
const MAKING: i32 = CREATE | TRUNCATE;

pub(crate) async fn path_open(waiting: Waiting, mut caller: Caller<'_, State>, args: PathOpen) -> wasmtime::Result<i32> {
    let (dir, look_up, path, len, how, rights, inherited, flags, number) = args;
    if is_own(&caller, dir) {
        return Ok(errno::NOTDIR);
    }
    // What was opened has to be known, to be counted: its number must have a place.
    let (memory, state) = parts(&mut caller)?;
    if Checked::new(memory).slice(number as u32, 1, 4, 4).is_err() {
        return Ok(errno::FAULT);
    }
    if let Err(said) = own::has_room(state) {
        return Ok(said);
    }
    if pipes::may_be(caller.data(), how, len as u32) {
        let mut call = Call::new(waiting, &mut caller)?;
        // What is wrong with the parameters is told below.
        let text = call.memory.bytes(path, len as u32).ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        if let Some(text) = text {
            let wanted = Wanted { dir, look_up, path: &text, rights, flags };
            let opened = match pipes::open_pipe(wanted, call.state, waiting).await {
                Ok(None) => None,
                Ok(Some(pipe)) => Some(call.memory.set_word(number, pipe as u32)),
                Err(failed) => Some(Err(failed)),
            };
            if let Some(opened) = opened {
                return sockets::said(opened);
            }
        }
    }
    let mut said = pass_on!(waiting, caller, async path_open(dir, look_up, path, len, how, rights, inherited, flags, number))?;
    if how & MAKING != 0 && rights & WRITE == 0 {
        // What creates or empties a file is opened by wasmtime-wasi for writing, whatever else was asked for. So it is opened again, as a file that is there.
        let is_made = said == errno::SUCCESS;
        if is_made {
            let made = answered(&mut caller, number)?;
            pass_on!(waiting, caller, async fd_close(made))?;
        }
        // Who may not write may find it there all the same.
        let may_be_there = matches!(said, errno::ACCES | errno::PERM | errno::IO) && how & (TRUNCATE | EXCLUSIVE) == 0;
        if is_made || may_be_there {
            let how = how & !(MAKING | EXCLUSIVE);
            let again = pass_on!(waiting, caller, async path_open(dir, look_up, path, len, how, rights, inherited, flags, number))?;
            if is_made || again != errno::NOENT {
                said = again;
            }
        }
    }
    let said = paths::told_of_open(said, &mut caller, (dir, path, len), (how, rights))?;
    if said == errno::SUCCESS {
        let opened = answered(&mut caller, number)?;
        caller.data_mut().quota.opened(opened);
    }
    Ok(said)
}

/// The number that a call has just written for the guest.
fn answered(caller: &mut Caller<'_, State>, at: i32) -> wasmtime::Result<i32> {
    let (memory, _) = parts(caller)?;
    let word = Checked::new(memory).slice(at as u32, 1, 4, 4).map_err(Error::into_wasmtime)?;
    Ok(read_u32(word, 0) as i32)
}
