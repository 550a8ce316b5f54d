//! What preview 1 does with any descriptor: standard streams, sockets and pipes are served here, where the budget of the call is at hand; files by `files`.

use std::io;

use wasmtime::Caller;
use wasmtime_wasi::I32Exit;

use crate::abi::memory::GuestMemory as Checked;
use crate::error::Error;
use crate::guest::state::State;
use crate::wasi::descriptor::Waiting;
use crate::wasi::errno;
use crate::wasi::files::content;
use crate::wasi::owned_fd;
use crate::wasi::preview1::{MOST, MOST_BUFFERS, answer, buffer, parts};
use crate::wasi::sockets;
use crate::wasi::sockets::call::Call;
use crate::wasi::sockets::functions::NONBLOCK;
use crate::wasi::sockets::table::Sockets;
use crate::wasi::stdio::streams::Standard;

/// What shells say of a program that a broken pipe has ended: 128, and the number of the signal.
const BROKEN_PIPE: i32 = 141;

pub(crate) fn is_own(caller: &Caller<'_, State>, fd: i32) -> bool {
    owned_fd::is_own(caller.data(), fd)
}

pub(crate) async fn fd_fdstat_get(waiting: Waiting, mut caller: Caller<'_, State>, (fd, stat): (i32, i32)) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(owned_fd::stat(Call::new(waiting, &mut caller)?, fd, stat));
    }
    sockets::said(content::fd_fdstat_get(Call::new(waiting, &mut caller)?, fd, stat))
}

pub(crate) fn fd_fdstat_set_flags(mut caller: Caller<'_, State>, fd: i32, flags: i32) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(owned_fd::set_flags(caller.data_mut(), fd, flags));
    }
    let standards = &mut caller.data_mut().standards;
    if let Some(standard) = standards.find(fd) {
        if flags & !NONBLOCK != 0 {
            return Ok(errno::INVAL);
        }
        standards.set_nonblocking(standard, flags & NONBLOCK != 0);
        return Ok(errno::SUCCESS);
    }
    sockets::said(content::fd_fdstat_set_flags(&mut Call::new(Waiting::Thread, &mut caller)?, fd, flags))
}

pub(crate) async fn fd_filestat_get(waiting: Waiting, mut caller: Caller<'_, State>, (fd, stat): (i32, i32)) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(owned_fd::file_stat(Call::new(waiting, &mut caller)?, fd, stat));
    }
    sockets::said(content::fd_filestat_get(Call::new(waiting, &mut caller)?, fd, stat).await)
}

pub(crate) async fn fd_write(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (fd, buffers, count, done): (i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    if is_own(&caller, fd) {
        return sockets::said(owned_fd::write(Call::new(waiting, &mut caller)?, fd, buffers, count, done).await);
    }
    let Some(standard) = caller.data().standards.find(fd) else {
        return sockets::said(content::write(Call::new(waiting, &mut caller)?, (fd, buffers, count, done), None).await);
    };
    let (memory, state) = parts(&mut caller)?;
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
            match stream.write(&memory[at..at + len], blocks, waiting, &state.budget).await.map_err(Error::into_wasmtime)? {
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
        return sockets::said(owned_fd::read(Call::new(waiting, &mut caller)?, fd, buffers, count, done).await);
    }
    match caller.data().standards.find(fd) {
        Some(Standard::Input) => {}
        Some(_) => return Ok(errno::BADF),
        None => return sockets::said(content::read(Call::new(waiting, &mut caller)?, (fd, buffers, count, done), None).await),
    }
    let (memory, state) = parts(&mut caller)?;
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
    let read = state.standards.stdin.read(&mut memory[at..at + len], blocks, waiting, &state.budget).await.map_err(Error::into_wasmtime)?;
    Ok(match read {
        Ok(count) => answer(memory, done, count),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => errno::INVAL,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => errno::AGAIN,
        Err(_) => errno::IO,
    })
}

pub(crate) fn fd_close(mut caller: Caller<'_, State>, fd: i32) -> i32 {
    let state = caller.data_mut();
    if owned_fd::close(state, fd) {
        return errno::SUCCESS;
    }
    if let Err(said) = state.files.close(fd) {
        return said;
    }
    state.standards.close(fd);
    state.listings.forget(fd);
    errno::SUCCESS
}

pub(crate) fn fd_renumber(mut caller: Caller<'_, State>, from: i32, to: i32) -> i32 {
    let state = caller.data_mut();
    if let Some(said) = owned_fd::renumber(state, from, to) {
        // Behind a listener that was handed in stands what keeps its number from files.
        if said == errno::SUCCESS && from != to && !Sockets::is_own(from) {
            return state.files.close(from).err().unwrap_or(errno::SUCCESS);
        }
        return said;
    }
    if let Err(said) = state.files.renumber(from, to) {
        return said;
    }
    state.standards.renumber(from, to);
    state.listings.forget(from);
    state.listings.forget(to);
    errno::SUCCESS
}
