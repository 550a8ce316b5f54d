//! Opening sockets, connecting and listening, addresses and options.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};

use crate::abi::memory;
use crate::config::budget::LOOK;
use crate::wasi::call::Call;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::owned_fd;
use crate::wasi::sockets::address::{Address, UNIX, V4, V6};
use crate::wasi::sockets::options::{self, Choice};
use crate::wasi::sockets::rules;
use crate::wasi::sockets::socket::Socket;

/// The flag of a descriptor in non-blocking mode.
pub(crate) const NONBLOCK: i32 = 4;

const DATAGRAM: i32 = 1;
const STREAM: i32 = 2;

/// The longest name that is looked up.
const MOST_NAME: u32 = 1024;

pub(crate) fn open(mut call: Call<'_>, family: i32, kind: i32, number: i32) -> Result<(), Failed> {
    call.wasi.sockets.access.permit_any()?;
    let family = u16::try_from(family).ok().filter(|family| matches!(*family, V4 | V6 | UNIX)).ok_or(errno::AFNOSUPPORT)?;
    let is_stream = match kind {
        STREAM => true,
        DATAGRAM => false,
        _ => return Err(Failed::Number(errno::PROTOTYPE)),
    };
    owned_fd::has_room(call.wasi)?;
    call.memory.bytes(number, 4)?;
    let socket = call.wasi.sockets.add(Socket::open(family, is_stream)?);
    call.memory.set_word(number, socket as u32)
}

pub(crate) async fn bind(mut call: Call<'_>, fd: i32, address: i32, port: i32) -> Result<(), Failed> {
    call.socket(fd)?;
    let address = call.memory.address(address, port)?;
    call.wasi.sockets.permit_listen(&address)?;
    let is_stream = call.socket(fd)?.is_stream;
    let place = call.wasi.sockets.settle(&address, is_stream)?;
    while !call.socket(fd)?.bind(&address, &place)? {
        let (driver, budget) = (call.driver, &call.wasi.budget);
        budget.look(driver)?;
        driver.pause(&[], budget, Some(LOOK)).await;
    }
    Ok(())
}

pub(crate) fn listen(mut call: Call<'_>, fd: i32, backlog: i32) -> Result<(), Failed> {
    let socket = call.socket(fd)?;
    if !socket.is_bound {
        // The system would choose a port, on all addresses.
        let everywhere = match socket.family {
            V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => return Err(Failed::Number(errno::INVAL)),
        };
        call.wasi.sockets.permit_listen(&Address::Ip(SocketAddr::new(everywhere, 0)))?;
    }
    call.socket(fd)?.listen(backlog)
}

/// In version 1 there are no flags.
pub(crate) async fn accept(mut call: Call<'_>, fd: i32, flags: i32, number: i32) -> Result<(), Failed> {
    if flags & !NONBLOCK != 0 {
        return Err(Failed::Number(errno::INVAL));
    }
    call.memory.bytes(number, 4)?;
    call.socket(fd)?;
    // Checked before the wait: a connection that the guest has no room for should stay in the
    // backlog.
    owned_fd::has_room(call.wasi)?;
    let driver = call.driver;
    let wasi = &mut *call.wasi;
    let socket = wasi.sockets.find(fd).ok_or(errno::BADF)?;
    let mut accepted = socket.accept(driver, &wasi.budget).await?;
    accepted.blocks = flags & NONBLOCK == 0;
    let accepted = wasi.sockets.add(accepted);
    call.memory.set_word(number, accepted as u32)
}

pub(crate) async fn connect(mut call: Call<'_>, fd: i32, address: i32, port: i32) -> Result<(), Failed> {
    let family = call.socket(fd)?.family;
    let address = call.memory.address(address, port)?;
    // Linux lets an IPv6 socket connect to IPv4 and vice versa; other systems don't.
    if address.family() != family {
        return Err(Failed::Number(errno::AFNOSUPPORT));
    }
    let (driver, wasi) = (call.driver, &mut *call.wasi);
    let address = wasi.sockets.permit_connect(&address, driver, &wasi.budget).await?;
    let place = wasi.sockets.reach(&address)?;
    let socket = wasi.sockets.find_mut(fd).ok_or(errno::BADF)?;
    socket.peers.note(&address);
    socket.peer = Some(address);
    socket.connect(&place, driver, &wasi.budget).await
}

pub(crate) fn shutdown(mut call: Call<'_>, fd: i32, how: i32) -> Result<(), Failed> {
    // First report what is no socket, then what can't be done with one.
    let socket = call.socket(fd)?;
    socket.shutdown(match how {
        1 => Shutdown::Read,
        2 => Shutdown::Write,
        3 => Shutdown::Both,
        _ => return Err(Failed::Number(errno::INVAL)),
    })
}

/// In version 1 there is a place for the address's family.
pub(crate) fn local_address(mut call: Call<'_>, fd: i32, address: i32, kind: Option<i32>, port: i32) -> Result<(), Failed> {
    let local = call.socket(fd)?.local()?;
    set_address(&mut call, local.as_ref(), address, kind, port)
}

/// As [`local_address`].
pub(crate) fn peer_address(mut call: Call<'_>, fd: i32, address: i32, kind: Option<i32>, port: i32) -> Result<(), Failed> {
    let peer = call.socket(fd)?.peer()?;
    set_address(&mut call, peer.as_ref(), address, kind, port)
}

fn set_address(call: &mut Call<'_>, found: Option<&Address>, address: i32, kind: Option<i32>, port: i32) -> Result<(), Failed> {
    let number = call.memory.set_address(address, found)?;
    if let Some(kind) = kind {
        call.memory.set_word(kind, found.map_or(0, Address::version))?;
    }
    call.memory.set_word(port, number.into())
}

pub(crate) fn set_option(mut call: Call<'_>, fd: i32, level: i32, name: i32, value: i32, len: i32) -> Result<(), Failed> {
    let choice = Choice::find(level, name)?;
    // The longest option is a time, of two 64-bit words.
    let bytes = call.memory.bytes(value, (len as u32).min(16))?.to_vec();
    options::set(call.socket(fd)?, choice, &bytes)
}

pub(crate) fn get_option(mut call: Call<'_>, fd: i32, level: i32, name: i32, value: i32, len: i32) -> Result<(), Failed> {
    let choice = Choice::find(level, name)?;
    let found = options::get(call.socket(fd)?, choice)?;
    // The size itself, or its address; toolchains differ. No variable lies at address 4, 8 or 16.
    let place = (!matches!(len, 4 | 8 | 16)).then_some(len);
    let room = match place {
        None => len as u32,
        Some(place) => call.memory.word(place)?,
    };
    let bytes = found.bytes();
    let size = bytes.len() as u32;
    if room < size {
        return Err(Failed::Number(errno::INVAL));
    }
    call.memory.bytes_mut(value, size)?.copy_from_slice(&bytes);
    match place {
        Some(place) => call.memory.set_word(place, size),
        None => Ok(()),
    }
}

pub(crate) async fn address_info(
    mut call: Call<'_>,
    (node, node_len): (i32, i32),
    (service, service_len): (i32, i32),
    hints: i32,
    results: i32,
    most: i32,
    count: i32,
) -> Result<(), Failed> {
    const PASSIVE: u16 = 1;
    const NUMERIC: u16 = 4;
    call.wasi.sockets.access.permit_any()?;
    let node = call.memory.text(node, node_len)?;
    let port = port(&call.memory.text(service, service_len)?)?;
    let wanted = match hints {
        0 => vec![0; 28],
        at => call.memory.bytes(at, 28)?.to_vec(),
    };
    let (flags, family, kind) = (memory::read_u16(&wanted, 0), memory::read_u8(&wanted, 2), memory::read_u8(&wanted, 3));
    call.memory.bytes(count, 4)?;
    let first = call.memory.word(results)? as i32;
    let found = if node.is_empty() && port.is_some() {
        let (v4, v6) =
            if flags & PASSIVE != 0 { (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED) } else { (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST) };
        vec![IpAddr::V4(v4), IpAddr::V6(v6)]
    } else if let Ok(ip) = node.parse::<IpAddr>() {
        vec![ip]
    } else if flags & NUMERIC != 0 {
        return Err(Failed::Number(errno::NOENT));
    } else {
        let name = rules::name(&node).ok_or(errno::NOENT)?;
        call.wasi.sockets.access.permit_name(&name)?;
        let wasi = &mut *call.wasi;
        wasi.sockets.access.look_up(&name, call.driver, &wasi.budget).await?
    };
    let wants = |ip: &IpAddr| family == 0 || u16::from(family) == if ip.is_ipv4() { V4 } else { V6 };
    let (mut at, mut written) = (first, 0);
    for ip in found.into_iter().filter(wants).take(most as u32 as usize) {
        if at == 0 {
            break;
        }
        at = call.memory.set_result(at, SocketAddr::new(ip, port.unwrap_or_default()), kind)?;
        written += 1;
    }
    call.memory.set_word(count, written)
}

/// The port of a service; `None` for no service. Guests that need others than these few give the
/// number.
fn port(service: &str) -> Result<Option<u16>, Failed> {
    const KNOWN: [(&str, u16); 10] = [
        ("ftp", 21),
        ("ssh", 22),
        ("telnet", 23),
        ("smtp", 25),
        ("domain", 53),
        ("http", 80),
        ("pop3", 110),
        ("imap", 143),
        ("https", 443),
        ("postgresql", 5432),
    ];
    if service.is_empty() {
        return Ok(None);
    }
    let known = KNOWN.iter().find(|(name, _)| *name == service).map(|(_, port)| *port);
    service.parse().ok().or(known).map(Some).ok_or(Failed::Number(errno::NOENT))
}

impl crate::wasi::call::Memory<'_> {
    /// A text and its length, which may include one or more terminating zeros.
    fn text(&self, at: i32, len: i32) -> Result<String, Failed> {
        if len as u32 > MOST_NAME {
            return Err(Failed::Number(errno::NAMETOOLONG));
        }
        let bytes = self.bytes(at, len as u32)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8(bytes[..end].to_vec()).map_err(|_| Failed::Number(errno::NOENT))
    }

    /// Writes a result into the node of the guest's list at that address; returns the address of
    /// the next node.
    fn set_result(&mut self, at: i32, address: SocketAddr, kind: u8) -> Result<i32, Failed> {
        const NODE: u32 = 28;
        const SOCKADDR: u32 = 16;
        let kind = if kind == 0 { STREAM as u8 } else { kind };
        let family = if address.is_ipv4() { V4 } else { V6 } as u8;
        let node = self.bytes_mut(at, NODE)?;
        let (to, next) = (memory::read_u32(node, 12) as i32, memory::read_u32(node, 24) as i32);
        (node[0], node[1], node[2], node[3]) = (0, 0, family, kind);
        // TCP or UDP, by the numbers of the extension.
        node[4..8].copy_from_slice(&if i32::from(kind) == STREAM { 1_u32 } else { 2 }.to_le_bytes());
        node[8..12].copy_from_slice(&SOCKADDR.to_le_bytes());
        node[20..24].fill(0);
        let sockaddr = self.bytes_mut(to, SOCKADDR)?;
        // Guests that say 14 have room for more.
        let room = match memory::read_u32(sockaddr, 4) {
            14 => 26,
            room => room,
        };
        let data = memory::read_u32(sockaddr, 8) as i32;
        sockaddr[0] = family;
        let octets;
        let ip = match address.ip() {
            IpAddr::V4(ip) => &ip.octets()[..],
            IpAddr::V6(ip) => {
                octets = ip.octets();
                &octets[..]
            }
        };
        let size = 2 + ip.len() as u32;
        if room < size {
            return Err(Failed::Number(errno::FAULT));
        }
        let data = self.bytes_mut(data, size)?;
        data[..2].copy_from_slice(&address.port().to_be_bytes());
        data[2..].copy_from_slice(ip);
        Ok(next)
    }
}
