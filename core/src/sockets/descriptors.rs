//! What preview 1 does with any descriptor, where that is a socket.

use crate::errno;
use crate::sockets::Failed;
use crate::sockets::call::Call;
use crate::sockets::functions::NONBLOCK;
use crate::sockets::table::Sockets;
use crate::sockets::transfer;

/// The numbers of preview 1 for kinds of files.
const DATAGRAM: u8 = 5;
const STREAM: u8 = 6;

/// What a descriptor may be used for: all there is. Nobody is kept from anything by it.
const RIGHTS: u64 = (1 << 30) - 1;

pub(crate) async fn read(mut call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    call.memory.bytes(done, 4)?;
    let received = transfer::fill(&mut call, fd, buffers, count, 0, false).await?;
    call.memory.set_word(done, received.count as u32)
}

pub(crate) async fn write(call: Call<'_>, fd: i32, buffers: i32, count: i32, done: i32) -> Result<(), Failed> {
    transfer::transmit(call, fd, buffers, count, None, 0, done).await
}

pub(crate) fn stat(mut call: Call<'_>, fd: i32, at: i32) -> Result<(), Failed> {
    let socket = call.state.sockets.find(fd).ok_or(errno::BADF)?;
    let bytes = call.memory.bytes_mut(at, 24)?;
    bytes.fill(0);
    bytes[0] = if socket.is_stream { STREAM } else { DATAGRAM };
    bytes[2] = if socket.blocks { 0 } else { NONBLOCK as u8 };
    bytes[8..16].copy_from_slice(&RIGHTS.to_le_bytes());
    bytes[16..].copy_from_slice(&RIGHTS.to_le_bytes());
    Ok(())
}

pub(crate) fn set_flags(sockets: &mut Sockets, fd: i32, flags: i32) -> Result<(), Failed> {
    if flags & !NONBLOCK != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    sockets.find_mut(fd).ok_or(errno::BADF)?.blocks = flags & NONBLOCK == 0;
    Ok(())
}

pub(crate) fn file_stat(mut call: Call<'_>, fd: i32, at: i32) -> Result<(), Failed> {
    let socket = call.state.sockets.find(fd).ok_or(errno::BADF)?;
    let bytes = call.memory.bytes_mut(at, 64)?;
    bytes.fill(0);
    bytes[16] = if socket.is_stream { STREAM } else { DATAGRAM };
    // One link, as all systems have it.
    bytes[24] = 1;
    Ok(())
}

/// Puts a socket at another socket's number. A socket and a file don't change places: their numbers are not of one kind.
pub(crate) fn renumber(sockets: &mut Sockets, from: i32, to: i32) -> i32 {
    match (sockets.find(from).is_some(), sockets.find(to).is_some()) {
        (true, true) => {
            if from != to
                && let Some(moved) = sockets.remove(from)
            {
                sockets.replace(to, moved);
            }
            errno::SUCCESS
        }
        (false, false) => errno::BADF,
        _ => errno::NOTSUP,
    }
}

/// What a descriptor that is a socket says to what only files do.
pub(crate) fn refusal(function: &str) -> i32 {
    match function {
        "fd_fdstat_set_rights" => errno::SUCCESS,
        "fd_seek" | "fd_tell" | "fd_pread" | "fd_pwrite" | "fd_advise" => errno::SPIPE,
        "fd_allocate" => errno::NODEV,
        // The end of the directories, for those who look for them.
        "fd_prestat_get" => errno::BADF,
        "fd_sync" | "fd_datasync" | "fd_filestat_set_size" | "fd_filestat_set_times" => errno::INVAL,
        _ => errno::NOTDIR,
    }
}
