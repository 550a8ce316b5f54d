//! Functions of preview 1 for any descriptor. Standard streams are served here, sockets and pipes
//! by `owned_fd`, files by `files`.

use std::io;

use wasmtime_wasi::I32Exit;

use crate::wasi::call::{Call, Failed, MOST};
use crate::wasi::context::Wasi;
use crate::wasi::errno;
use crate::wasi::files::content;
use crate::wasi::owned_fd::{self, is_own};
use crate::wasi::sockets::functions::NONBLOCK;
use crate::wasi::sockets::table::Sockets;
use crate::wasi::stdio::streams::Standard;

/// The exit code that shells report for a program that a broken pipe has ended: 128 plus the
/// signal's number.
pub(crate) const BROKEN_PIPE: i32 = 141;

pub(crate) fn fd_fdstat_get(call: Call<'_>, fd: i32, stat: i32) -> Result<(), Failed> {
    if is_own(call.wasi, fd) { owned_fd::stat(call, fd, stat) } else { content::fd_fdstat_get(call, fd, stat) }
}

pub(crate) fn fd_fdstat_set_flags(wasi: &mut Wasi, fd: i32, flags: i32) -> Result<(), Failed> {
    if is_own(wasi, fd) {
        return owned_fd::set_flags(wasi, fd, flags);
    }
    let Some(standard) = wasi.standards.find(fd) else { return content::fd_fdstat_set_flags(&mut wasi.files, fd, flags) };
    if flags & !NONBLOCK != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    wasi.standards.set_nonblocking(standard, flags & NONBLOCK != 0);
    Ok(())
}

pub(crate) async fn fd_filestat_get(call: Call<'_>, fd: i32, stat: i32) -> Result<(), Failed> {
    if is_own(call.wasi, fd) { owned_fd::file_stat(call, fd, stat) } else { content::fd_filestat_get(call, fd, stat).await }
}

pub(crate) async fn fd_write(call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    if is_own(call.wasi, fd) {
        return owned_fd::write(call, fd, buffers, count, done).await;
    }
    let Some(standard) = call.wasi.standards.find(fd) else {
        return content::write(call, (fd, buffers, count, done), None).await;
    };
    let Call { mut memory, wasi, driver } = call;
    let stream = wasi.streams.output(standard).ok_or(errno::BADF)?;
    let blocks = !wasi.standards.is_nonblocking(standard);
    let mut written = 0;
    let list = memory.list(buffers, count, 4)?;
    for number in 0..list.len() / 8 {
        let (at, len) = memory.buffer(list, number)?;
        // Short writes are allowed; callers continue with the rest.
        let len = len.min(MOST - written);
        match stream.write(&memory.0[at..at + len], blocks, driver, &wasi.budget).await? {
            Ok(count) => {
                written += count;
                if count < len {
                    break;
                }
            }
            Err(_) if written > 0 => break,
            Err(error) => {
                let said = errno::from_system(&error);
                // Elsewhere a signal ends a program that writes to a pipe without readers. A
                // program that ignores the first error might never end.
                if said == errno::PIPE && wasi.standards.note_broken(standard) {
                    return Err(Failed::Trapped(I32Exit(BROKEN_PIPE).into()));
                }
                return Err(Failed::Number(said));
            }
        }
    }
    memory.answer(done, written)
}

pub(crate) async fn fd_read(call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    if is_own(call.wasi, fd) {
        return owned_fd::read(call, fd, buffers, count, done).await;
    }
    match call.wasi.standards.find(fd) {
        Some(Standard::Input) => {}
        Some(_) => return Err(Failed::Number(errno::BADF)),
        None => return content::read(call, (fd, buffers, count, done), None).await,
    }
    let Call { mut memory, wasi, driver } = call;
    // The first buffer with room is enough: a read may return less than it was asked for, and
    // should not wait for more.
    let (mut at, mut len) = (0, 0);
    let list = memory.list(buffers, count, 4)?;
    for number in 0..list.len() / 8 {
        let buffer = memory.buffer(list, number)?;
        if len == 0 {
            (at, len) = (buffer.0, buffer.1.min(MOST));
        }
    }
    if len == 0 {
        return memory.answer(done, 0);
    }
    let blocks = !wasi.standards.is_nonblocking(Standard::Input);
    match wasi.standards.stdin.read(&mut memory.0[at..at + len], blocks, driver, &wasi.budget).await? {
        Ok(count) => memory.answer(done, count),
        Err(error) => Err(Failed::Number(match error.kind() {
            io::ErrorKind::InvalidInput => errno::INVAL,
            io::ErrorKind::WouldBlock => errno::AGAIN,
            _ => errno::IO,
        })),
    }
}

pub(crate) fn fd_close(wasi: &mut Wasi, fd: i32) -> Result<(), Failed> {
    if owned_fd::close(wasi, fd) {
        return Ok(());
    }
    wasi.files.close(fd)?;
    wasi.standards.close(fd);
    wasi.listings.forget(fd);
    Ok(())
}

pub(crate) fn fd_renumber(wasi: &mut Wasi, from: i32, to: i32) -> Result<(), Failed> {
    if let Some(renumbered) = owned_fd::renumber(wasi, from, to) {
        renumbered?;
        // The table of files has an entry behind a listener that was handed in, which keeps its
        // number free.
        if from != to && !Sockets::is_own(from) {
            wasi.files.close(from)?;
        }
        return Ok(());
    }
    wasi.files.renumber(from, to)?;
    wasi.standards.renumber(from, to);
    wasi.listings.forget(from);
    wasi.listings.forget(to);
    Ok(())
}
