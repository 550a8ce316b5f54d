//! `poll_oneoff`: waiting for clocks and descriptors, as long as the budget of the call lasts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::p1::wasi_snapshot_preview1 as preview1;
use wiggle::GuestMemory;

use crate::abi::memory::{self, GuestMemory as Checked};
use crate::config::budget::LOOK;
use crate::error::Result;
use crate::platform::descriptor::{Found, Wanted, Wants, look};
use crate::sched::driver::Driver;
use crate::wasi::call::{Call, Failed};
use crate::wasi::clock::Simulated;
use crate::wasi::context::Wasi;
use crate::wasi::errno;
use crate::wasi::files::table::Entry as Open;
use crate::wasi::owned_fd::is_own;
use crate::wasi::pipes::Pipes;
use crate::wasi::sockets::socket::Socket;
use crate::wasi::sockets::table::Sockets;
use crate::wasi::stdio::output::Stream;
use crate::wasi::stdio::streams::{Standard, Standards, Streams};

/// Subscriptions in one call: each takes memory of the host.
const MOST: u32 = 1 << 16;

/// Sizes of `subscription` and `event`.
const SUBSCRIPTION: u32 = 48;
const EVENT: usize = 32;

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

/// A `subscription`, as the guest wrote it.
#[derive(Clone, Copy)]
struct Subscription {
    userdata: u64,
    kind: u8,
    /// The number of a clock or a descriptor.
    target: u32,
    time: u64,
    is_absolute: bool,
}

/// All subscriptions, resolved.
struct Waits {
    all: Vec<Wait>,
    /// The sockets and pipes among them, once for each operation. However many subscriptions there
    /// are, the guest has no more of these.
    own: Vec<(i32, Wants)>,
}

/// A subscription, resolved.
struct Wait {
    userdata: u64,
    kind: u8,
    until: Until,
}

enum Until {
    /// `None` for never.
    Moment(Option<Instant>),
    /// Nanoseconds of a simulated clock.
    Simulated(u64),
    Input,
    Output(Standard),
    /// A socket or a pipe, by its index in `own`.
    Own(usize),
    /// Known already.
    Now(Outcome),
}

/// The result in an event.
#[derive(Clone, Copy)]
struct Outcome {
    error: i32,
    bytes: u64,
    is_end: bool,
}

impl Outcome {
    const PLAIN: Outcome = Outcome { error: errno::SUCCESS, bytes: 0, is_end: false };

    fn failed(error: i32) -> Outcome {
        Outcome { error, ..Outcome::PLAIN }
    }

    /// A read that would not wait; 0 bytes mean the end.
    fn readable(bytes: u64) -> Outcome {
        Outcome { bytes, is_end: bytes == 0, ..Outcome::PLAIN }
    }

    fn writable() -> Outcome {
        Outcome { bytes: 1, ..Outcome::PLAIN }
    }

    /// A socket or a pipe that is ready; the number of bytes is not known.
    fn own(found: Found) -> Outcome {
        Outcome { bytes: 1, is_end: found.is_over, ..Outcome::PLAIN }
    }
}

/// An `event` for the guest.
struct Event {
    userdata: u64,
    kind: u8,
    outcome: Outcome,
}

/// Serves `time.Sleep`, and whatever waits for descriptors.
pub(crate) async fn poll_oneoff(mut call: Call<'_>, subscriptions: i32, events: i32, count: i32, ready: i32) -> Result<(), Failed> {
    let wanted = read(call.memory.0, subscriptions as u32, events as u32, count as u32)?;
    let waits = resolve(&wanted, call.wasi, call.driver).await?;
    let happened = wait(&waits, call.wasi, call.driver).await?;
    let count = write(call.memory.0, events as u32, &happened);
    call.memory.answer(ready, count)
}

/// Reads the subscriptions, and checks that there is room for as many events. The error is the
/// guest's number.
fn read(memory: &[u8], at: u32, events: u32, count: u32) -> Result<Vec<Subscription>, i32> {
    if count == 0 || count > MOST {
        return Err(errno::INVAL);
    }
    let memory = Checked::new(memory);
    let bytes = memory.slice(at, count, SUBSCRIPTION, 8).map_err(|_| errno::FAULT)?;
    memory.slice(events, count, EVENT as u32, 8).map_err(|_| errno::FAULT)?;
    let one = |bytes: &[u8]| {
        let kind = memory::read_u8(bytes, 8);
        Subscription {
            userdata: memory::read_u64(bytes, 0),
            kind,
            target: memory::read_u32(bytes, 16),
            time: memory::read_u64(bytes, 24),
            is_absolute: memory::read_u16(bytes, 40) & 1 != 0,
        }
    };
    let all: Vec<_> = bytes.chunks_exact(SUBSCRIPTION as usize).map(one).collect();
    if all.iter().any(|one| one.kind > FD_WRITE) { Err(errno::INVAL) } else { Ok(all) }
}

/// Resolves the subscriptions. One that can't be waited for yields an event with an error, and does
/// not affect the others.
async fn resolve(subscriptions: &[Subscription], wasi: &mut Wasi, driver: Driver) -> wasmtime::Result<Waits> {
    let now = Instant::now();
    let mut all = Vec::with_capacity(subscriptions.len());
    let (mut own, mut places, mut files) = (Vec::new(), HashMap::new(), HashMap::new());
    for one in subscriptions {
        let until = match (one.kind, wasi.standards.find(one.target as i32)) {
            (CLOCK, _) => moment(one, now, wasi)?,
            (FD_READ, Some(Standard::Input)) => Until::Input,
            (FD_WRITE, Some(standard @ (Standard::Output | Standard::Error))) => Until::Output(standard),
            (_, Some(_)) => Until::Now(Outcome::failed(errno::BADF)),
            // A listener that was shut down: accepting reports that.
            (_, None) if wasi.sockets.find(one.target as i32).is_some_and(Socket::is_shut) => {
                Until::Now(Outcome::own(Found { is_ready: true, is_over: true }))
            }
            (kind, None) if is_own(wasi, one.target as i32) => {
                let wanted = (one.target as i32, if kind == FD_READ { Wants::Read } else { Wants::Write });
                Until::Own(*places.entry(wanted).or_insert_with(|| {
                    own.push(wanted);
                    own.len() - 1
                }))
            }
            (kind, None) => Until::Now(match files.entry((kind, one.target)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(file(kind, one.target, wasi, driver).await?),
            }),
        };
        all.push(Wait { userdata: one.userdata, kind: one.kind, until });
    }
    Ok(Waits { all, own })
}

fn moment(one: &Subscription, now: Instant, wasi: &mut Wasi) -> wasmtime::Result<Until> {
    if let (Some(clock), REALTIME | MONOTONIC) = (&wasi.clock, one.target) {
        let when = if one.is_absolute { clock.when(one.target == REALTIME, one.time) } else { clock.passed().saturating_add(one.time) };
        return Ok(Until::Simulated(when));
    }
    let passed = match (one.target, one.is_absolute) {
        (REALTIME | MONOTONIC, false) => 0,
        (REALTIME, true) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        }
        // Only wasmtime-wasi knows when this clock began.
        (MONOTONIC, true) => {
            let mut bytes = [0; 8];
            let mut memory = GuestMemory::Unshared(&mut bytes);
            preview1::clock_time_get(&mut wasi.p1, &mut memory, MONOTONIC as i32, 1, 0)?;
            u64::from_le_bytes(bytes)
        }
        _ => return Ok(Until::Now(Outcome::failed(errno::INVAL))),
    };
    Ok(Until::Moment(now.checked_add(Duration::from_nanos(one.time.saturating_sub(passed)))))
}

/// Files are always ready; directories, and numbers without a file, never are.
async fn file(kind: u8, fd: u32, wasi: &mut Wasi, driver: Driver) -> wasmtime::Result<Outcome> {
    let open = match wasi.files.find(fd as i32) {
        Some(Open::Null(_)) if kind == FD_WRITE => return Ok(Outcome::writable()),
        Some(Open::Null(_)) => return Ok(Outcome::readable(0)),
        Some(Open::File(open)) => open,
        _ => return Ok(Outcome::failed(errno::BADF)),
    };
    if kind == FD_WRITE {
        return Ok(Outcome::writable());
    }
    let (file, at) = (open.file.clone(), open.at);
    match driver.blocking(move || file.metadata()).await {
        Ok(found) => Ok(Outcome::readable(found.len().saturating_sub(at))),
        Err(error) => Ok(Outcome::failed(errno::from_system(&error))),
    }
}

/// Waits for the first events, and returns all that have happened by then.
async fn wait(waits: &Waits, wasi: &mut Wasi, driver: Driver) -> Result<Vec<Event>> {
    // Borrowed as parts: a task that waits must be Send, and `Wasi` as a whole is not Sync.
    let Wasi { standards, streams, sockets, pipes, budget, clock, .. } = wasi;
    let (standards, streams, budget, clock) = (&*standards, &**streams, &*budget, clock.as_ref());
    let (own, waits) = (awaited(&waits.own, sockets, pipes), &waits.all[..]);
    let mut wanted = descriptors(waits, standards, streams);
    wanted.extend(&own);
    let mut in_vain = 0;
    loop {
        let now = Instant::now();
        // Asked once, so that all subscriptions for a stream get the same answer.
        let input = waits.iter().any(|wait| matches!(wait.until, Until::Input)).then(|| standards.stdin.ready()).flatten();
        // One call of the system for all of them.
        let found = look(&own);
        let passed = clock.map_or(0, Simulated::passed);
        let happened: Vec<_> = waits.iter().filter_map(|wait| wait.event(now, passed, input, streams, &found)).collect();
        if !happened.is_empty() {
            return Ok(happened);
        }
        budget.look(driver)?;
        // Waits for a simulated clock take no time: it advances to the nearest moment at once.
        if let (Some(clock), Some(next)) = (clock, waits.iter().filter_map(Wait::simulated).min()) {
            clock.go_to(next);
            continue;
        }
        let next = waits.iter().filter_map(Wait::moment).min().map(|next| next.saturating_duration_since(Instant::now()));
        in_vain = if driver.pause(&wanted, budget, next).await { in_vain + 1 } else { 0 };
        if in_vain > 1 {
            // Reported as ready, but not ready for this. No event will follow, and the thread may
            // be an event loop's, so poll now and then.
            driver.pause(&[], budget, Some(next.map_or(LOOK, |next| next.min(LOOK)))).await;
        }
    }
}

/// The sockets and pipes to wait for. They existed when the wait began, and nothing closes them
/// meanwhile.
fn awaited<'s>(own: &[(i32, Wants)], sockets: &'s Sockets, pipes: &'s Pipes) -> Vec<Wanted<'s>> {
    let one = |(number, wants): &(i32, Wants)| {
        let socket = sockets.find(*number).map(Socket::awaited);
        Some((socket.or_else(|| Some(&pipes.find(*number)?.descriptor as _))?, *wants))
    };
    own.iter().filter_map(one).collect()
}

/// The host's descriptors to wait for: at most one for each standard stream.
fn descriptors<'s>(waits: &[Wait], standards: &'s Standards, streams: &'s Streams) -> Vec<Wanted<'s>> {
    let is_wanted = |standard: Standard| {
        waits.iter().any(|wait| match wait.until {
            Until::Input => standard == Standard::Input,
            Until::Output(output) => standard == output,
            _ => false,
        })
    };
    [
        (Standard::Input, standards.stdin.descriptor(), Wants::Read),
        (Standard::Output, streams.stdout.descriptor(), Wants::Write),
        (Standard::Error, streams.stderr.descriptor(), Wants::Write),
    ]
    .into_iter()
    .filter(|(standard, ..)| is_wanted(*standard))
    .filter_map(|(_, descriptor, wants)| Some((descriptor? as _, wants)))
    .collect()
}

impl Wait {
    fn moment(&self) -> Option<Instant> {
        match self.until {
            Until::Moment(moment) => moment,
            _ => None,
        }
    }

    fn simulated(&self) -> Option<u64> {
        match self.until {
            Until::Simulated(passed) => Some(passed),
            _ => None,
        }
    }

    fn event(&self, now: Instant, passed: u64, input: Option<u64>, streams: &Streams, own: &[Found]) -> Option<Event> {
        let outcome = match self.until {
            Until::Moment(moment) => moment.is_some_and(|moment| moment <= now).then_some(Outcome::PLAIN),
            Until::Simulated(moment) => (moment <= passed).then_some(Outcome::PLAIN),
            Until::Input => input.map(Outcome::readable),
            Until::Output(standard) => {
                let descriptor = streams.output(standard).and_then(Stream::descriptor);
                descriptor.is_none_or(|descriptor| descriptor.is_ready(Wants::Write)).then(Outcome::writable)
            }
            Until::Own(place) => own.get(place).filter(|found| found.is_ready).map(|found| Outcome::own(*found)),
            Until::Now(outcome) => Some(outcome),
        };
        outcome.map(|outcome| Event { userdata: self.userdata, kind: self.kind, outcome })
    }
}

/// Writes the events, for which there is room; returns their number.
fn write(memory: &mut [u8], at: u32, events: &[Event]) -> usize {
    let room = memory[at as usize..].chunks_exact_mut(EVENT);
    for (bytes, event) in room.zip(events) {
        bytes.fill(0);
        bytes[..8].copy_from_slice(&event.userdata.to_le_bytes());
        bytes[8..10].copy_from_slice(&(event.outcome.error as u16).to_le_bytes());
        bytes[10] = event.kind;
        bytes[16..24].copy_from_slice(&event.outcome.bytes.to_le_bytes());
        bytes[24] = u8::from(event.outcome.is_end);
    }
    events.len()
}
