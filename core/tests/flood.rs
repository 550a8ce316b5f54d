//! A guest that wants more than the process has: descriptors, and waits for them. The limit of
//! descriptors is one of the process, so these tests have one of their own.
#![cfg(unix)]

mod common;

use std::future::Future;
use std::net::{TcpListener, UdpSocket};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use common::{expect, plugin, quiet};
use undergo::{CallOptions, Dir, ErrorKind, InstanceOptions, Network, Plugin, Value};

/// Descriptors of this process.
const MOST: u64 = 256;

/// Leaves the process so many descriptors, for one test at a time.
fn few() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is there, and is all that the calls use.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = MOST;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
    turn
}

/// `poll(port, n, kind)` connects a socket, and polls n subscriptions of it; `files` opens `f`
/// until that fails, `sockets` opens sockets: they give the number for why.
fn guest() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        plugin(
            r#"(module
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open" (func $path (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 128) (data (i32.const 200) "f")
            (global $count (mut i32) (i32.const 0))
            (func (export "count") (result i32) (global.get $count))
            (func (export "poll") (param $port i32) (param $n i32) (param $kind i32) (result i32) (local $i i32)
              (drop (call $open (i32.const 1) (i32.const 2) (i32.const 8)))
              (i32.store (i32.const 100) (i32.const 0x0100007f)) (i32.store (i32.const 120) (i32.const 100)) (i32.store (i32.const 124) (i32.const 4))
              (if (call $connect (i32.load (i32.const 8)) (i32.const 120) (local.get $port)) (then (return (i32.const -1))))
              (loop $on
                (i32.store8 (i32.add (i32.const 0x10008) (i32.mul (local.get $i) (i32.const 48))) (local.get $kind))
                (i32.store (i32.add (i32.const 0x10010) (i32.mul (local.get $i) (i32.const 48))) (i32.load (i32.const 8)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $on (i32.lt_u (local.get $i) (local.get $n))))
              (call $poll (i32.const 0x10000) (i32.const 0x400000) (local.get $n) (i32.const 24)))
            (func (export "files") (result i32) (local $said i32)
              (loop $on
                (local.set $said (call $path (i32.const 3) (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
                (if (i32.eqz (local.get $said)) (then (global.set $count (i32.add (global.get $count) (i32.const 1))) (br $on))))
              (local.get $said))
            (func (export "sockets") (result i32) (local $said i32)
              (loop $on
                (local.set $said (call $open (i32.const 1) (i32.const 2) (i32.const 8)))
                (if (i32.eqz (local.get $said)) (then (global.set $count (i32.add (global.get $count) (i32.const 1))) (br $on))))
              (local.get $said))
            (func (export "accept") (result i32) (call $accept (i32.const 4) (i32.const 0) (i32.const 8)))
            (func (export "_initialize")))"#,
        )
        .expect("a plugin")
    })
}

fn options(folder: &std::path::Path) -> InstanceOptions {
    let mut options = quiet();
    options.sandbox.dirs = vec![("/".to_owned(), Dir { path: folder.into(), readonly: true })];
    options.sandbox.network = Network::new(["127.0.0.1:*"]).expect("rules");
    options
}

fn open() -> usize {
    std::fs::read_dir(if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" }).expect("a folder").count()
}

const MFILE: Value = Value::Int(33);

#[test]
fn one_guest_does_not_take_the_descriptors_of_the_process() {
    let _few = few();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("f"), "x").expect("a file");
    for (function, limit, held) in [("files", None, 128), ("sockets", None, 128), ("files", Some(7), 7), ("sockets", Some(0), 0)] {
        let mut options = options(folder.path());
        options.limits.descriptors = limit;
        let guest = guest().instantiate(options).expect("an instance");
        let before = open();
        assert_eq!(guest.call(function, &[], CallOptions::NONE).expect("a call"), MFILE);
        assert_eq!(guest.call("count", &[], CallOptions::NONE).expect("a call"), Value::Int(held));
        // The host has a few of its own.
        assert!(open() <= before + held as usize + 16, "{function}");
        UdpSocket::bind("127.0.0.1:0").expect("there are more for the host");
    }
}

#[test]
fn a_process_without_descriptors_is_an_error_for_the_guest() {
    let _few = few();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("f"), "x").expect("a file");
    let mut options = options(folder.path());
    options.limits.descriptors = Some(100_000);
    options.limits.timeout = Some(Duration::from_secs(30));
    let at = options.sandbox.network.open("127.0.0.1:0").expect("a listener");
    let other = guest().instantiate(options.clone()).expect("an instance");
    assert_eq!(other.call("count", &[], CallOptions::NONE).expect("a call"), Value::Int(0));
    let _waits = std::net::TcpStream::connect(at).expect("a connection");
    let greedy = guest().instantiate(options.clone()).expect("an instance");
    assert_eq!(greedy.call("sockets", &[], CallOptions::NONE).expect("a call"), MFILE);
    assert_eq!(other.call("accept", &[], CallOptions::NONE).expect("a call"), MFILE);
    expect(&guest().instantiate(options).expect_err("no descriptors"), ErrorKind::Denied, &["Too many open files"]);
    greedy.reset(&CallOptions::default()).expect_err("neither has it");
    drop(greedy);
    assert_eq!(other.call("accept", &[], CallOptions::NONE).expect("a call"), Value::Int(0));
}

/// Runs it with another task beside it, which has to have its turns.
fn with_heartbeat<T>(work: impl Future<Output = T>) -> (T, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (mut work, mut beats) = (std::pin::pin!(work), 0);
        loop {
            tokio::select! {
                done = &mut work => return (done, beats),
                () = tokio::time::sleep(Duration::from_millis(5)) => beats += 1,
            }
        }
    })
}

#[test]
fn more_subscriptions_than_descriptors_end_as_others_do() {
    let _few = few();
    let host = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = Value::Int(host.local_addr().expect("an address").port().into());
    let folder = tempfile::tempdir().expect("a folder");
    let brief = CallOptions { timeout: Some(Duration::from_millis(300)), ..CallOptions::default() };
    let (read, write) = (1, 2);
    for count in [1, 300, 1000, 65_536] {
        // There is nothing to read, so the deadline ends it; and room to write, which all of them
        // are told.
        let args = |kind| [port.clone(), Value::Int(count), Value::Int(kind)];
        let began = Instant::now();
        let start = || guest().instantiate(options(folder.path())).expect("an instance");
        expect(&start().call("poll", &args(read), &brief).expect_err("nothing"), ErrorKind::Timeout, &["300ms"]);
        let slow = CallOptions { timeout: Some(Duration::from_secs(60)), ..CallOptions::default() };
        let instance = start();
        assert_eq!(instance.call("poll", &args(write), &slow).expect("room"), Value::Int(0));
        assert_eq!(instance.read_memory(24, 4).expect("memory"), (count as u32).to_le_bytes());
        let (ended, beats) = with_heartbeat(async {
            let instance = guest().instantiate_async(options(folder.path()), &CallOptions::default()).await.expect("an instance");
            instance.call("poll", &args(read), &brief).await
        });
        expect(&ended.expect_err("nothing"), ErrorKind::Timeout, &["300ms"]);
        assert!(beats >= 5, "{count}: the loop stood still");
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
