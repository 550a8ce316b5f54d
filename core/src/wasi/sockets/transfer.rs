//! Sending and receiving.

use crate::config::budget::{Budget, LOOK};
use crate::sched::driver::Driver;
use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::call::MOST;
use crate::wasi::errno;
use crate::wasi::sockets::address::UNIX;
use crate::wasi::sockets::place::Place;
use crate::wasi::sockets::socket::{Received, Socket};
use crate::wasi::sockets::table::Sockets;

/// Flags for receiving, in preview 1.
const PEEK: i32 = 1;
const WAIT_ALL: i32 = 2;

/// The flag of preview 1 for a datagram that was longer than the buffers.
const CUT: u32 = 1;

/// A socket, and a list of buffers: its address, and how many there are.
pub(crate) type List = (i32, i32, i32);

/// The longest datagram.
const DATAGRAM: usize = 64 << 10;

pub(crate) async fn recv_from(
    mut call: Call<'_>,
    list: List,
    address: i32,
    flags: i32,
    // 0 in version 1, which has no port.
    port: i32,
    done: i32,
    said: i32,
) -> Result<(), Failed> {
    let received = receive(&mut call, list, flags, done, said, true).await?;
    let number = match address {
        0 => 0,
        at => {
            // Streams carry no addresses: it comes from the peer.
            let from = match received.from {
                None if call.socket(list.0)?.is_stream => call.socket(list.0)?.peer().unwrap_or_default(),
                from => from,
            };
            call.memory.set_address(at, from.as_ref())?
        }
    };
    if port == 0 { Ok(()) } else { call.memory.set_word(port, number.into()) }
}

pub(crate) async fn recv(mut call: Call<'_>, list: List, flags: i32, done: i32, said: i32) -> Result<(), Failed> {
    receive(&mut call, list, flags, done, said, false).await.map(|_| ())
}

async fn receive(call: &mut Call<'_>, list: List, flags: i32, done: i32, said: i32, wants_address: bool) -> Result<Received, Failed> {
    if flags & !(PEEK | WAIT_ALL) != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    call.memory.bytes(done, 4)?;
    call.memory.bytes(said, 4)?;
    call.socket(list.0)?;
    let received = fill(call, list, flags, wants_address).await?;
    call.memory.set_word(done, received.count as u32)?;
    call.memory.set_word(said, if received.is_cut { CUT } else { 0 })?;
    Ok(received)
}

/// Receives into the buffers of a list. The socket is known to exist.
pub(crate) async fn fill(call: &mut Call<'_>, list: List, flags: i32, wants_address: bool) -> Result<Received, Failed> {
    let pieces = call.memory.pieces(list.1, list.2)?;
    let (driver, wasi) = (call.driver, &mut *call.wasi);
    let socket = wasi.sockets.find(list.0).ok_or(errno::BADF)?;
    drop_strangers(socket, &wasi.sockets, driver, &wasi.budget).await?;
    let all = flags & WAIT_ALL != 0 && socket.is_stream;
    let system = if flags & PEEK != 0 { peek() } else { 0 };
    let memory = &mut *call.memory.0;
    match pieces[..] {
        // For a stream there is nothing to wait for. For a datagram socket this takes a whole
        // datagram.
        [] if socket.is_stream => Ok(Received { count: 0, is_cut: false, from: None }),
        [] => socket.receive(&mut [], system, wants_address, driver, &wasi.budget).await,
        [(at, len)] | [(at, len), ..] if socket.is_stream && (!all || pieces.len() == 1) => {
            let buffer = &mut memory[at..at + len];
            if all {
                whole(socket, buffer, system, driver, &wasi.budget).await
            } else {
                socket.receive(buffer, system, false, driver, &wasi.budget).await
            }
        }
        [(at, len)] => socket.receive(&mut memory[at..at + len], system, wants_address, driver, &wasi.budget).await,
        // Buffers may overlap, so the system can't be given all of them.
        _ => {
            let total = pieces.iter().map(|(_, len)| len).sum::<usize>().min(if socket.is_stream { MOST } else { DATAGRAM });
            let mut bytes = vec![0; total];
            let received = if all {
                whole(socket, &mut bytes, system, driver, &wasi.budget).await?
            } else {
                socket.receive(&mut bytes, system, wants_address, driver, &wasi.budget).await?
            };
            let mut rest = &bytes[..received.count];
            for (at, len) in pieces {
                let (first, behind) = rest.split_at(len.min(rest.len()));
                memory[at..at + first.len()].copy_from_slice(first);
                rest = behind;
            }
            Ok(received)
        }
    }
}

/// How many datagrams are dropped before the call pauses.
const MOST_DROPPED: usize = 64;

/// Waits for a datagram, and drops those that the rules keep from the guest: none of their bytes
/// get into its memory. A bound socket receives everything, because the rule for listening that
/// allowed it says so.
async fn drop_strangers(socket: &Socket, sockets: &Sockets, driver: Driver, budget: &Budget) -> Result<(), Failed> {
    if socket.is_stream || socket.is_bound || socket.family == UNIX {
        return Ok(());
    }
    let mut dropped = 0;
    loop {
        let next = socket.receive(&mut [0], peek(), true, driver, budget).await?;
        if sockets.admits(socket, next.from.as_ref()) {
            return Ok(());
        }
        socket.receive(&mut [0], 0, true, driver, budget).await?;
        dropped += 1;
        budget.look(driver)?;
        if dropped % MOST_DROPPED == 0 {
            if !socket.blocks {
                return Err(Failed::Number(errno::AGAIN));
            }
            driver.pause(&[], budget, Some(LOOK)).await;
        }
    }
}

/// Receives until the buffer is full or the stream ends.
async fn whole(socket: &Socket, buffer: &mut [u8], flags: i32, driver: Driver, budget: &Budget) -> Result<Received, Failed> {
    // Peeking again would return the same bytes, so one receive has to do.
    if flags != 0 {
        return socket.receive(buffer, flags, false, driver, budget).await;
    }
    let mut count = 0;
    while count < buffer.len() {
        match socket.receive(&mut buffer[count..], 0, false, driver, budget).await {
            Ok(received) if received.count == 0 => break,
            Ok(received) => count += received.count,
            // What has been received is not lost.
            Err(Failed::Number(_)) if count > 0 => break,
            Err(failed) => return Err(failed),
        }
    }
    Ok(Received { count, is_cut: false, from: None })
}

fn peek() -> i32 {
    #[cfg(unix)]
    return libc::MSG_PEEK;
    // The value in winsock2.h.
    #[cfg(not(unix))]
    return 2;
}

pub(crate) async fn send_to(mut call: Call<'_>, list: List, address: i32, port: i32, flags: i32, done: i32) -> Result<(), Failed> {
    let family = call.socket(list.0)?.family;
    let to = match address {
        0 => None,
        at if call.memory.span(at)?.1 == 0 => None,
        at => Some(call.memory.address(at, port)?),
    };
    let to = match to {
        Some(to) if to.family() != family => return Err(Failed::Number(errno::AFNOSUPPORT)),
        Some(to) => {
            let wasi = &mut *call.wasi;
            let to = wasi.sockets.permit_connect(&to, call.driver, &wasi.budget).await?;
            Some((wasi.sockets.reach(&to)?, to))
        }
        None => None,
    };
    let socket = call.socket(list.0)?;
    // A stream only has its peer; Linux would start a connection here on some sockets.
    if to.is_some() && socket.is_stream {
        return Err(Failed::Number(errno::ISCONN));
    }
    if let Some((_, to)) = &to {
        socket.peers.note(to);
    }
    transmit(call, list, to.as_ref().map(|(place, _)| place), flags, done).await
}

pub(crate) async fn send(mut call: Call<'_>, list: List, flags: i32, done: i32) -> Result<(), Failed> {
    call.socket(list.0)?;
    transmit(call, list, None, flags, done).await
}

/// Sends the buffers of a list, and reports how many bytes were sent. The socket is known to exist.
pub(crate) async fn transmit(mut call: Call<'_>, list: List, to: Option<&Place>, flags: i32, done: i32) -> Result<(), Failed> {
    // Preview 1 has no flags for sending.
    if flags != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    call.memory.bytes(done, 4)?;
    let (driver, wasi) = (call.driver, &mut *call.wasi);
    let socket = wasi.sockets.find(list.0).ok_or(errno::BADF)?;
    let sent = {
        let pieces = call.memory.pieces(list.1, list.2)?;
        let slices = call.memory.slices(&pieces);
        socket.send(&slices, to, driver, &wasi.budget).await?
    };
    call.memory.set_word(done, sent as u32)
}
