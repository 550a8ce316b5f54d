//! Options of sockets, by the extension's numbers.

use std::time::Duration;

use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::sockets::address::{UNIX, V6};
use crate::wasi::sockets::socket::Socket;

/// An option that guests may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    ReuseAddress,
    Kind,
    Error,
    Broadcast,
    SendBuffer,
    ReceiveBuffer,
    KeepAlive,
    Linger,
    ReceiveTimeout,
    SendTimeout,
    IsListening,
    NoDelay,
    KeepAliveTime(Span),
    OnlyV6,
}

/// A parameter of keep-alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Seconds of silence before the first probe.
    Idle,
    /// Seconds between two probes.
    Interval,
    /// How many probes may stay unanswered before the connection is given up.
    Count,
}

/// The value of an option.
pub(crate) enum Value {
    Number(i32),
    /// `None` for off.
    Linger(Option<Duration>),
    /// `None` for ever.
    Time(Option<Duration>),
}

impl Choice {
    /// # Errors
    ///
    /// `NOPROTOOPT` for an option that is not supported.
    pub(crate) fn find(level: i32, name: i32) -> Result<Choice, Failed> {
        const SOCKET: i32 = 0;
        const TCP: i32 = 6;
        const IP6: i32 = 41;
        Ok(match (level, name) {
            (SOCKET, 0) => Choice::ReuseAddress,
            (SOCKET, 1) => Choice::Kind,
            (SOCKET, 2) => Choice::Error,
            (SOCKET, 4) => Choice::Broadcast,
            (SOCKET, 5) => Choice::SendBuffer,
            (SOCKET, 6) => Choice::ReceiveBuffer,
            (SOCKET, 7) => Choice::KeepAlive,
            (SOCKET, 9) => Choice::Linger,
            (SOCKET, 11) => Choice::ReceiveTimeout,
            (SOCKET, 12) => Choice::SendTimeout,
            (SOCKET, 13) => Choice::IsListening,
            (TCP, 15) => Choice::NoDelay,
            // The extension has no numbers for these. They are those of Linux, as the overlay of
            // Go's standard library passes them.
            (TCP, 4) => Choice::KeepAliveTime(Span::Idle),
            (TCP, 5) => Choice::KeepAliveTime(Span::Interval),
            (TCP, 6) => Choice::KeepAliveTime(Span::Count),
            (IP6, 26) => Choice::OnlyV6,
            // DONTROUTE and BINDTODEVICE would circumvent the rules; nobody uses OOBINLINE and
            // RCVLOWAT.
            _ => return Err(Failed::Number(errno::NOPROTOOPT)),
        })
    }
}

pub(crate) fn get(socket: &Socket, choice: Choice) -> Result<Value, Failed> {
    let host = socket.host();
    let number = match choice {
        Choice::ReuseAddress => host.reuse_address()?.into(),
        Choice::Kind => {
            if socket.is_stream {
                2
            } else {
                1
            }
        }
        // Reading the error would take it from the other users of the socket.
        Choice::Error if socket.is_shared() => errno::SUCCESS,
        Choice::Error => host.take_error()?.map_or(errno::SUCCESS, |error| errno::from_system(&error)),
        Choice::Broadcast => host.broadcast()?.into(),
        Choice::SendBuffer => size(host.send_buffer_size()?),
        Choice::ReceiveBuffer => size(host.recv_buffer_size()?),
        Choice::KeepAlive => host.keepalive()?.into(),
        Choice::Linger => return Ok(Value::Linger(host.linger()?)),
        Choice::ReceiveTimeout => return Ok(Value::Time(socket.budget[0])),
        Choice::SendTimeout => return Ok(Value::Time(socket.budget[1])),
        Choice::IsListening => is_listening(socket)?.into(),
        Choice::NoDelay if socket.family == UNIX || !socket.is_stream => return Err(Failed::Number(errno::NOPROTOOPT)),
        Choice::NoDelay => host.tcp_nodelay()?.into(),
        Choice::OnlyV6 if socket.family != V6 => return Err(Failed::Number(errno::NOPROTOOPT)),
        Choice::OnlyV6 => host.only_v6()?.into(),
        // Not all systems report it.
        Choice::KeepAliveTime(_) => return Err(Failed::Number(errno::NOPROTOOPT)),
    };
    Ok(Value::Number(number))
}

pub(crate) fn set(socket: &mut Socket, choice: Choice, bytes: &[u8]) -> Result<(), Failed> {
    // Of a shared socket, only the guest's own timeouts are its own.
    if socket.is_shared() && !matches!(choice, Choice::ReceiveTimeout | Choice::SendTimeout) {
        return Err(Failed::Number(errno::PERM));
    }
    let host = socket.host();
    match choice {
        Choice::ReuseAddress => host.set_reuse_address(number(bytes)? != 0)?,
        Choice::Broadcast => host.set_broadcast(number(bytes)? != 0)?,
        Choice::SendBuffer => host.set_send_buffer_size(buffer(bytes)?)?,
        Choice::ReceiveBuffer => host.set_recv_buffer_size(buffer(bytes)?)?,
        Choice::KeepAlive => host.set_keepalive(number(bytes)? != 0)?,
        Choice::NoDelay if socket.family == UNIX || !socket.is_stream => return Err(Failed::Number(errno::NOPROTOOPT)),
        Choice::NoDelay => host.set_tcp_nodelay(number(bytes)? != 0)?,
        Choice::OnlyV6 if socket.family != V6 => return Err(Failed::Number(errno::NOPROTOOPT)),
        Choice::OnlyV6 => host.set_only_v6(number(bytes)? != 0)?,
        Choice::KeepAliveTime(_) if socket.family == UNIX || !socket.is_stream => return Err(Failed::Number(errno::NOPROTOOPT)),
        Choice::KeepAliveTime(span) => keep_alive(socket, span, number(bytes)?)?,
        Choice::Linger => {
            let [is_on, seconds] = words(bytes)?;
            // On most systems closing such a socket blocks. It does not if the time is 0, which
            // drops the connection.
            match (is_on, seconds) {
                (0, _) => host.set_linger(None)?,
                (_, 0) => host.set_linger(Some(Duration::ZERO))?,
                _ => return Err(Failed::Number(errno::NOTSUP)),
            }
        }
        Choice::ReceiveTimeout => socket.budget[0] = time(bytes)?,
        Choice::SendTimeout => socket.budget[1] = time(bytes)?,
        Choice::Kind | Choice::Error | Choice::IsListening => return Err(Failed::Number(errno::NOPROTOOPT)),
    }
    Ok(())
}

/// Sets a parameter of keep-alive, and leaves it on or off as it was.
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "macos",
    target_os = "ios",
    target_os = "windows"
))]
fn keep_alive(socket: &Socket, span: Span, number: i32) -> Result<(), Failed> {
    // Linux accepts no more; other systems check their own bounds.
    let number = u32::try_from(number).ok().filter(|number| (1..=32767).contains(number)).ok_or(errno::INVAL)?;
    let seconds = Duration::from_secs(u64::from(number));
    let asked = socket2::TcpKeepalive::new();
    let asked = match span {
        Span::Idle => asked.with_time(seconds),
        Span::Interval => asked.with_interval(seconds),
        Span::Count => asked.with_retries(number),
    };
    let host = socket.host();
    let was_on = host.keepalive()?;
    host.set_tcp_keepalive(&asked)?;
    Ok(host.set_keepalive(was_on)?)
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "macos",
    target_os = "ios",
    target_os = "windows"
)))]
fn keep_alive(_: &Socket, _: Span, _: i32) -> Result<(), Failed> {
    Err(Failed::Number(errno::NOPROTOOPT))
}

fn number(bytes: &[u8]) -> Result<i32, Failed> {
    Ok(i32::from_le_bytes(bytes.try_into().map_err(|_| errno::INVAL)?))
}

/// Two 32-bit numbers.
fn words(bytes: &[u8]) -> Result<[i32; 2], Failed> {
    let (first, second) = bytes.split_at_checked(4).ok_or(errno::INVAL)?;
    Ok([number(first)?, number(second)?])
}

/// Seconds and microseconds, as 64-bit numbers; 0 is no limit.
fn time(bytes: &[u8]) -> Result<Option<Duration>, Failed> {
    let word = |bytes: &[u8]| Ok::<_, i32>(u64::from_le_bytes(bytes.try_into().map_err(|_| errno::INVAL)?));
    let (seconds, micros) = bytes.split_at_checked(8).ok_or(errno::INVAL)?;
    let (seconds, micros) = (word(seconds)?, word(micros)?);
    if micros >= 1_000_000 || seconds > u64::from(u32::MAX) {
        return Err(Failed::Number(errno::INVAL));
    }
    let time = Duration::from_secs(seconds) + Duration::from_micros(micros);
    Ok((!time.is_zero()).then_some(time))
}

/// The largest buffer that a guest may ask for: its memory is the system's, and not counted as the
/// guest's.
const MOST_BUFFER: usize = 4 << 20;

/// The size of a buffer; the system may have a lower bound of its own.
fn buffer(bytes: &[u8]) -> Result<usize, Failed> {
    let size = usize::try_from(number(bytes)?).map_err(|_| errno::INVAL)?;
    Ok(size.min(MOST_BUFFER))
}

/// The size that the guest asked for: Linux doubles it.
fn size(bytes: usize) -> i32 {
    let bytes = if cfg!(target_os = "linux") { bytes / 2 } else { bytes };
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

fn is_listening(socket: &Socket) -> Result<bool, Failed> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    return Ok(socket.host().is_listener()?);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    {
        let _ = socket;
        Err(Failed::Number(errno::NOPROTOOPT))
    }
}

impl Value {
    /// In the form that the guest gets.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Number(number) => number.to_le_bytes().to_vec(),
            Value::Linger(time) => {
                let seconds = time.map_or(0, |time| i32::try_from(time.as_secs()).unwrap_or(i32::MAX));
                [i32::from(time.is_some()).to_le_bytes(), seconds.to_le_bytes()].concat()
            }
            Value::Time(time) => {
                let time = time.unwrap_or_default();
                [time.as_secs().to_le_bytes(), u64::from(time.subsec_micros()).to_le_bytes()].concat()
            }
        }
    }
}
