//! `poll_oneoff`: moments, descriptors, several of them, and what can't be waited for.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use undergo::{CallOptions, ErrorKind, Input, Instance, InstanceOptions, Plugin, Value};

use crate::common::{self, PLAIN, expect, plugin};

/// `poll(count)` polls the subscriptions that were written at 0; its events are at 32 Ki, their
/// number at 60000.
fn guest() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        plugin(
            r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "poll") (param i32) (result i32)
              (call $poll (i32.const 0) (i32.const 32768) (local.get 0) (i32.const 60000)))
            (func (export "now") (param i32) (result i64)
              (drop (call $time (local.get 0) (i64.const 1) (i32.const 61000))) (i64.load (i32.const 61000)))
            (func (export "_initialize")))"#,
        )
        .expect("a plugin")
    })
}

const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;
const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;
const BADF: u16 = 8;
const INVAL: u16 = 28;
const HOUR: u64 = 3_600_000_000_000;
const MS: u64 = 1_000_000;

/// A subscription of preview 1: what for, a clock or descriptor, how long, and whether that is a
/// moment.
type Subscription = (u8, u32, u64, bool);

fn start(options: InstanceOptions) -> Instance {
    guest().instantiate(options).expect("an instance")
}

/// Polls, and gives for each event the number of its subscription, its error, and its kind.
fn poll(instance: &Instance, subscriptions: &[Subscription], options: &CallOptions) -> undergo::Result<Vec<(u64, u16, u8)>> {
    for (i, (kind, target, time, is_absolute)) in subscriptions.iter().enumerate() {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&(i as u64).to_le_bytes());
        bytes[8] = *kind;
        bytes[16..20].copy_from_slice(&target.to_le_bytes());
        bytes[24..32].copy_from_slice(&time.to_le_bytes());
        bytes[40] = u8::from(*is_absolute);
        instance.write_memory(i as u32 * 48, &bytes)?;
    }
    let errno = instance.call("poll", &[Value::Int(subscriptions.len() as i64)], options)?;
    assert_eq!(errno, Value::Int(0));
    let ready = instance.read_memory(60000, 4)?[0];
    let events = instance.read_memory(32768, u32::from(ready) * 32)?;
    let one = |event: &[u8]| (u64::from_le_bytes(event[..8].try_into().expect("8")), u16::from_le_bytes([event[8], event[9]]), event[10]);
    Ok(events.chunks_exact(32).map(one).collect())
}

fn events(subscriptions: &[Subscription]) -> Vec<(u64, u16, u8)> {
    poll(&start(common::quiet()), subscriptions, &PLAIN).expect("a call")
}

#[test]
fn the_first_moment_ends_the_wait() {
    let began = Instant::now();
    let all = [(CLOCK, MONOTONIC, HOUR, false), (CLOCK, REALTIME, 20 * MS, false), (CLOCK, MONOTONIC, u64::MAX, false)];
    assert_eq!(events(&all), [(1, 0, CLOCK)]);
    assert!(began.elapsed() >= Duration::from_millis(20));
    // What is past is there at once, with all else that is.
    assert_eq!(events(&[(CLOCK, MONOTONIC, 0, false), (CLOCK, REALTIME, 1, true), (CLOCK, MONOTONIC, HOUR, false)]).len(), 2);
}

#[test]
fn moments_of_both_clocks() {
    let instance = start(common::quiet());
    for clock in [REALTIME, MONOTONIC] {
        let now = || match instance.call("now", &[Value::Int(clock.into())], &PLAIN).expect("a call") {
            Value::Int(now) => now as u64,
            other => panic!("{other:?}"),
        };
        let moment = now() + 20 * MS;
        assert_eq!(poll(&instance, &[(CLOCK, clock, moment, true)], &PLAIN).expect("a call"), [(0, 0, CLOCK)]);
        assert!(now() >= moment, "clock {clock}");
        let brief = CallOptions { timeout: Some(Duration::from_millis(50)), ..PLAIN };
        let late = start(common::quiet());
        let never = poll(&late, &[(CLOCK, clock, u64::MAX, true)], &brief).expect_err("never");
        expect(&never, ErrorKind::Timeout, &["50ms"]);
    }
}

#[test]
fn what_cannot_be_waited_for_is_an_event_of_its_own() {
    let all = [(READ, 77, 0, false), (WRITE, 0, 0, false), (READ, 1, 0, false), (CLOCK, 9, 0, false), (CLOCK, MONOTONIC, HOUR, false)];
    assert_eq!(events(&all), [(0, BADF, READ), (1, BADF, WRITE), (2, BADF, READ), (3, INVAL, CLOCK)]);
    assert_eq!(events(&[(READ, 0, 0, false), (WRITE, 1, 0, false), (WRITE, 2, 0, false)]), [(0, 0, READ), (1, 0, WRITE), (2, 0, WRITE)]);
    let instance = start(common::quiet());
    // None, more than there is room for, and more than anybody needs: numbers for the guest.
    for (count, errno) in [(0, 28), (2000, 21), (-1, 28)] {
        assert_eq!(instance.call("poll", &[Value::Int(count)], &PLAIN).expect("a call"), Value::Int(errno), "{count}");
    }
}

#[cfg(unix)]
#[test]
fn input_is_waited_for_together_with_moments() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = common::fifo(folder.path());
    let mut options = common::quiet();
    options.sandbox.stdin = Input::File(path.clone());
    let instance = start(options);
    let mut writer = std::fs::OpenOptions::new().write(true).open(&path).expect("a reader");
    let both = |time| poll(&instance, &[(READ, 0, 0, false), (CLOCK, MONOTONIC, time, false)], &PLAIN).expect("a call");
    assert_eq!(both(MS), [(1, 0, CLOCK)]);
    writer.write_all(b"x").expect("room");
    assert_eq!(both(HOUR), [(0, 0, READ)]);
    let silent = start({
        let mut options = common::quiet();
        options.sandbox.stdin = Input::File(path.clone());
        options
    });
    drop(instance);
    // The byte that is still there would end it: take it away, with the FIFO's last reader but one.
    let mut drain = std::fs::File::open(&path).expect("a writer");
    std::io::Read::read_exact(&mut drain, &mut [0]).expect("a byte");
    let brief = CallOptions { timeout: Some(Duration::from_millis(50)), ..PLAIN };
    let ended = poll(&silent, &[(READ, 0, 0, false)], &brief).expect_err("nothing to read");
    expect(&ended, ErrorKind::Timeout, &["50ms"]);
}
