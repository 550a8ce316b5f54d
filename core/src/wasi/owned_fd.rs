//! What preview 1 does with any descriptor, where that is the core's own: a socket, or a pipe.

use crate::guest::state::State;
use crate::wasi::errno;
use crate::wasi::pipes::Pipes;
use crate::wasi::sockets::Failed;
use crate::wasi::sockets::call::Call;
use crate::wasi::sockets::functions::NONBLOCK;
use crate::wasi::sockets::table::Sockets;
use crate::wasi::sockets::transfer;

/// The numbers of preview 1 for kinds of sockets.
const DATAGRAM: u8 = 5;
const STREAM: u8 = 6;

/// What a descriptor may be used for: all there is. Nobody is kept from anything by it.
const RIGHTS: u64 = (1 << 30) - 1;

pub(crate) fn is_own(state: &State, fd: i32) -> bool {
    state.sockets.find(fd).is_some() || state.pipes.find(fd).is_some()
}

/// Whether the guest may have one more descriptor of the host's. The error is its number for that.
pub(crate) fn has_room(state: &State) -> Result<(), i32> {
    state.files.has_room(state.sockets.count() + state.pipes.count())
}

pub(crate) async fn read(mut call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    call.memory.bytes(done, 4)?;
    let count = if let Some(pipe) = call.state.pipes.find(fd) {
        let pieces = call.memory.pieces(buffers, count)?;
        match pieces.first() {
            Some((at, len)) => pipe.read(&mut call.memory.0[*at..at + len], call.waiting, &call.state.budget).await?,
            None => 0,
        }
    } else {
        transfer::fill(&mut call, fd, buffers, count, 0, false).await?.count
    };
    call.memory.set_word(done, count as u32)
}

pub(crate) async fn write(mut call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    let Some(pipe) = call.state.pipes.find(fd) else {
        return transfer::transmit(call, fd, buffers, count, None, 0, done).await;
    };
    call.memory.bytes(done, 4)?;
    let pieces = call.memory.pieces(buffers, count)?;
    let count = match pieces.first() {
        // Short writes are allowed, and callers go on with the rest.
        Some((at, len)) => pipe.write(&call.memory.0[*at..at + len], call.waiting, &call.state.budget).await?,
        None => 0,
    };
    call.memory.set_word(done, count as u32)
}

/// The kind of a descriptor, and its flags.
fn kind(state: &State, fd: i32) -> Result<(u8, i32), Failed> {
    let (kind, blocks) = match (state.sockets.find(fd), state.pipes.find(fd)) {
        (Some(socket), _) => (if socket.is_stream { STREAM } else { DATAGRAM }, socket.blocks),
        (None, Some(pipe)) => (pipe.kind, pipe.blocks),
        (None, None) => return Err(Failed::Number(errno::BADF)),
    };
    Ok((kind, if blocks { 0 } else { NONBLOCK }))
}

pub(crate) fn stat(mut call: Call<'_>, fd: i32, at: i32) -> Result<(), Failed> {
    let (kind, flags) = kind(call.state, fd)?;
    let bytes = call.memory.bytes_mut(at, 24)?;
    bytes.fill(0);
    (bytes[0], bytes[2]) = (kind, flags as u8);
    bytes[8..16].copy_from_slice(&RIGHTS.to_le_bytes());
    bytes[16..].copy_from_slice(&RIGHTS.to_le_bytes());
    Ok(())
}

pub(crate) fn set_flags(state: &mut State, fd: i32, flags: i32) -> Result<(), Failed> {
    if flags & !NONBLOCK != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    let blocks = flags & NONBLOCK == 0;
    if let Some(socket) = state.sockets.find_mut(fd) {
        socket.blocks = blocks;
    } else {
        state.pipes.find_mut(fd).ok_or(errno::BADF)?.blocks = blocks;
    }
    Ok(())
}

pub(crate) fn file_stat(mut call: Call<'_>, fd: i32, at: i32) -> Result<(), Failed> {
    let (kind, _) = kind(call.state, fd)?;
    let bytes = call.memory.bytes_mut(at, 64)?;
    bytes.fill(0);
    // One link, as systems have it.
    (bytes[16], bytes[24]) = (kind, 1);
    Ok(())
}

/// Closes what is the core's own; gives whether that is all there is to it.
pub(crate) fn close(state: &mut State, fd: i32) -> bool {
    let was_socket = state.sockets.remove(fd).is_some();
    // Behind a listener that was handed in stands what keeps its number from files.
    state.pipes.close(fd) || was_socket && Sockets::is_own(fd)
}

/// Puts a socket at another socket's number; `None` where both are files. What is the core's own and a file don't change places: their numbers are not of one kind.
pub(crate) fn renumber(state: &mut State, from: i32, to: i32) -> Option<i32> {
    let is_ours = |fd| is_own(state, fd) || Sockets::is_own(fd) || Pipes::is_own(fd);
    if !is_ours(from) && !is_ours(to) {
        return None;
    }
    let sockets = &mut state.sockets;
    Some(match (sockets.find(from).is_some(), sockets.find(to).is_some()) {
        (true, true) => {
            if from != to
                && let Some(moved) = sockets.remove(from)
            {
                sockets.replace(to, moved);
            }
            errno::SUCCESS
        }
        (false, false) if state.pipes.find(from).is_none() && state.pipes.find(to).is_none() => errno::BADF,
        _ if from == to => errno::SUCCESS,
        _ => errno::NOTSUP,
    })
}

/// What a descriptor of the core's own says to what only files do.
pub(crate) fn refusal(function: &str) -> i32 {
    match function {
        "fd_fdstat_set_rights" => errno::SUCCESS,
        "fd_seek" | "fd_tell" | "fd_pread" | "fd_pwrite" | "fd_advise" => errno::SPIPE,
        "fd_allocate" => errno::NODEV,
        "fd_sync" | "fd_datasync" | "fd_filestat_set_size" | "fd_filestat_set_times" => errno::INVAL,
        _ => errno::NOTDIR,
    }
}
