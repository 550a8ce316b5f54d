//! Functions of preview 1 for descriptors that the table of files does not have: sockets and pipes.

use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::context::Wasi;
use crate::wasi::errno;
use crate::wasi::pipes::Pipes;
use crate::wasi::sockets::functions::NONBLOCK;
use crate::wasi::sockets::table::Sockets;
use crate::wasi::sockets::transfer;

/// The numbers of preview 1 for types of sockets.
const DATAGRAM: u8 = 5;
const STREAM: u8 = 6;

/// All rights that there are: the core does not restrict descriptors by rights.
const RIGHTS: u64 = (1 << 30) - 1;

pub(crate) fn is_own(wasi: &Wasi, fd: i32) -> bool {
    wasi.sockets.find(fd).is_some() || wasi.pipes.find(fd).is_some()
}

/// Whether the guest may open one more descriptor of the host. The error is the guest's number for
/// that.
pub(crate) fn has_room(wasi: &mut Wasi) -> Result<(), i32> {
    make_room(wasi, 1)
}

/// Whether the guest may open `more` descriptors. Directories that are kept open while they are
/// listed are closed for that, since they can be listed anew.
pub(crate) fn make_room(wasi: &mut Wasi, more: usize) -> Result<(), i32> {
    loop {
        let others = wasi.sockets.count() + wasi.pipes.count() + wasi.listings.descriptors();
        match wasi.files.has_room(others + more) {
            Err(_) if wasi.listings.drop_oldest() => {}
            done => return done,
        }
    }
}

pub(crate) async fn read(mut call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    call.memory.bytes(done, 4)?;
    let count = if let Some(pipe) = call.wasi.pipes.find(fd) {
        let pieces = call.memory.pieces(buffers, count)?;
        match pieces.first() {
            Some((at, len)) => pipe.read(&mut call.memory.0[*at..at + len], call.driver, &call.wasi.budget).await?,
            None => 0,
        }
    } else {
        transfer::fill(&mut call, (fd, buffers, count), 0, false).await?.count
    };
    call.memory.set_word(done, count as u32)
}

pub(crate) async fn write(mut call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    let Some(pipe) = call.wasi.pipes.find(fd) else {
        return transfer::transmit(call, (fd, buffers, count), None, 0, done).await;
    };
    call.memory.bytes(done, 4)?;
    let pieces = call.memory.pieces(buffers, count)?;
    let count = match pieces.first() {
        // Short writes are allowed; callers continue with the rest.
        Some((at, len)) => pipe.write(&call.memory.0[*at..at + len], call.driver, &call.wasi.budget).await?,
        None => 0,
    };
    call.memory.set_word(done, count as u32)
}

/// The type of a descriptor, and its flags.
fn kind(wasi: &Wasi, fd: i32) -> Result<(u8, i32), Failed> {
    let (kind, blocks) = match (wasi.sockets.find(fd), wasi.pipes.find(fd)) {
        (Some(socket), _) => (if socket.is_stream { STREAM } else { DATAGRAM }, socket.blocks),
        (None, Some(pipe)) => (pipe.kind, pipe.blocks),
        (None, None) => return Err(Failed::Number(errno::BADF)),
    };
    Ok((kind, if blocks { 0 } else { NONBLOCK }))
}

pub(crate) fn stat(mut call: Call<'_>, fd: i32, at: i32) -> Result<(), Failed> {
    let (kind, flags) = kind(call.wasi, fd)?;
    let bytes = call.memory.bytes_mut(at, 24)?;
    bytes.fill(0);
    (bytes[0], bytes[2]) = (kind, flags as u8);
    bytes[8..16].copy_from_slice(&RIGHTS.to_le_bytes());
    bytes[16..].copy_from_slice(&RIGHTS.to_le_bytes());
    Ok(())
}

pub(crate) fn set_flags(wasi: &mut Wasi, fd: i32, flags: i32) -> Result<(), Failed> {
    if flags & !NONBLOCK != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    let blocks = flags & NONBLOCK == 0;
    if let Some(socket) = wasi.sockets.find_mut(fd) {
        socket.blocks = blocks;
    } else {
        wasi.pipes.find_mut(fd).ok_or(errno::BADF)?.blocks = blocks;
    }
    Ok(())
}

pub(crate) fn file_stat(mut call: Call<'_>, fd: i32, at: i32) -> Result<(), Failed> {
    let (kind, _) = kind(call.wasi, fd)?;
    let bytes = call.memory.bytes_mut(at, 64)?;
    bytes.fill(0);
    // One link, as systems report.
    (bytes[16], bytes[24]) = (kind, 1);
    Ok(())
}

/// Closes a socket or a pipe. Returns whether nothing is left to close.
pub(crate) fn close(wasi: &mut Wasi, fd: i32) -> bool {
    let was_socket = wasi.sockets.remove(fd).is_some();
    // The table of files has an entry behind a listener that was handed in, which keeps its number
    // free.
    wasi.pipes.close(fd) || was_socket && Sockets::is_own(fd)
}

/// Moves a socket to the number of another socket; `None` where both are files. A socket can't take
/// the number of a file, nor a file that of a socket: their numbers are in different ranges.
pub(crate) fn renumber(wasi: &mut Wasi, from: i32, to: i32) -> Option<Result<(), i32>> {
    let is_ours = |fd| is_own(wasi, fd) || Sockets::is_own(fd) || Pipes::is_own(fd);
    if !is_ours(from) && !is_ours(to) {
        return None;
    }
    let sockets = &mut wasi.sockets;
    Some(match (sockets.find(from).is_some(), sockets.find(to).is_some()) {
        (true, true) => {
            if from != to
                && let Some(moved) = sockets.remove(from)
            {
                sockets.replace(to, moved);
            }
            Ok(())
        }
        (false, false) if wasi.pipes.find(from).is_none() && wasi.pipes.find(to).is_none() => Err(errno::BADF),
        _ if from == to => Ok(()),
        _ => Err(errno::NOTSUP),
    })
}

/// What a function for files answers for a socket or a pipe; `None` for all other descriptors.
pub(crate) fn refused(wasi: &Wasi, fd: i32, function: &str) -> Option<i32> {
    is_own(wasi, fd).then(|| refusal(function))
}

fn refusal(function: &str) -> i32 {
    match function {
        "fd_fdstat_set_rights" => errno::SUCCESS,
        "fd_seek" | "fd_tell" | "fd_pread" | "fd_pwrite" | "fd_advise" => errno::SPIPE,
        "fd_allocate" => errno::NODEV,
        "fd_sync" | "fd_datasync" | "fd_filestat_set_size" | "fd_filestat_set_times" => errno::INVAL,
        _ => errno::NOTDIR,
    }
}
