//! Waiting: for sockets, moments and standard input together, and what ends it.

use std::future::Future;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use undergo::{CallOptions, CancelToken, ErrorKind, Input, Value};

use crate::common::{PLAIN, expect};
use crate::guest::{
    AGAIN, ALREADY, BYTES, CONNABORTED, CONNREFUSED, DATAGRAM, EVENTS, Guest, INPROGRESS, LIST, NONBLOCK, OK, RESULT, RESULT_2, STREAM,
    UNIX, V4, options, second,
};

pub(crate) const CLOCK: u8 = 0;
pub(crate) const READ: u8 = 1;
pub(crate) const WRITE: u8 = 2;
const BADF: u16 = 8;
const MS: u64 = 1_000_000;

/// Polls for descriptors, or for moments that are so many nanoseconds away; gives for each event
/// its number, its error and its kind.
pub(crate) fn poll(guest: &Guest, subscriptions: &[(u8, u32, u64)]) -> undergo::Result<Vec<(u64, u16, u8)>> {
    let at = EVENTS + 16384;
    for (i, (kind, target, time)) in subscriptions.iter().enumerate() {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&(i as u64).to_le_bytes());
        bytes[8] = *kind;
        // A clock's number is that of the clock which never goes back.
        bytes[16..20].copy_from_slice(&if *kind == CLOCK { 1 } else { *target }.to_le_bytes());
        bytes[24..32].copy_from_slice(&time.to_le_bytes());
        guest.put(at + i as u32 * 48, &bytes);
    }
    assert_eq!(guest.try_call("poll_oneoff", &[at.into(), EVENTS.into(), subscriptions.len() as i64, RESULT.into()])?, OK);
    let events = guest.bytes(EVENTS, guest.word(RESULT) * 32);
    let one = |event: &[u8]| (u64::from_le_bytes(event[..8].try_into().expect("8")), u16::from_le_bytes([event[8], event[9]]), event[10]);
    Ok(events.chunks_exact(32).map(one).collect())
}

/// An address where connections are neither accepted nor refused: its queue is full.
fn full() -> (SocketAddr, Vec<Socket>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("an address");
    listener.listen(0).expect("a listener");
    let at = listener.local_addr().expect("an address").as_socket().expect("an address");
    let mut held = vec![listener];
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_nonblocking(true).expect("a socket");
        // Under way, or in the queue.
        drop(socket.connect(&at.into()));
        held.push(socket);
    }
    (at, held)
}

#[test]
fn several_things_are_waited_for_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let guest = Guest::new(&["any"]);
    let fd = guest.open(V4, STREAM);
    assert_eq!(guest.connect(fd, listener.local_addr().expect("an address")), OK);
    let (mut host, _) = listener.accept().expect("a connection");
    let number = fd as u32;
    assert_eq!(poll(&guest, &[(READ, number, 0), (CLOCK, 0, 20 * MS)]).expect("a call"), [(1, 0, CLOCK)]);
    assert_eq!(poll(&guest, &[(READ, number, 0), (WRITE, number, 0), (CLOCK, 0, 1000 * MS)]).expect("a call"), [(1, 0, WRITE)]);
    // What is no descriptor harms no other, and is told at once.
    assert_eq!(
        poll(&guest, &[(READ, number + 7, 0), (READ, number, 0), (READ, 99, 0)]).expect("a call"),
        [(0, BADF, READ), (2, BADF, READ)]
    );
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        host.write_all(b"x").expect("written");
        host
    });
    let began = Instant::now();
    assert_eq!(
        poll(&guest, &[(CLOCK, 0, 60_000 * MS), (READ, number, 0), (READ, number, 0)]).expect("a call"),
        [(1, 0, READ), (2, 0, READ)]
    );
    assert!(began.elapsed() < Duration::from_secs(30));
    drop(late.join().expect("no panic"));
    assert_eq!(guest.reads(fd), b"x");
    // The end can be read as well.
    assert_eq!(poll(&guest, &[(READ, number, 0)]).expect("a call"), [(0, 0, READ)]);
    assert_eq!(guest.reads(fd), b"");
}

#[test]
fn sockets_are_waited_for_together_with_standard_input() {
    let mut options = options(&["any"]);
    options.sandbox.stdin = Input::Bytes(b"typed".to_vec());
    let guest = Guest::with(second(), options);
    let fd = guest.open(V4, DATAGRAM);
    let [at, port] = guest.address(([127, 0, 0, 1], 0).into());
    guest.ok("sock_bind", &[fd, at, port]);
    let number = fd as u32;
    assert_eq!(poll(&guest, &[(READ, number, 0), (READ, 0, 0), (CLOCK, 0, 60_000 * MS)]).expect("a call"), [(1, 0, READ)]);
}

/// Each way to wait for what never comes; what it takes for that is kept.
fn waits(guest: &Guest) -> Vec<(&'static str, Vec<i64>, Vec<Socket>)> {
    let listener = guest.open(V4, STREAM);
    let at = guest.listen(listener);
    let connected = guest.open(V4, STREAM);
    assert_eq!(guest.connect(connected, at), OK);
    let datagrams = guest.open(V4, DATAGRAM);
    let [address, port] = guest.address(([127, 0, 0, 1], 0).into());
    guest.ok("sock_bind", &[datagrams, address, port]);
    let lonely = guest.open(V4, STREAM);
    guest.listen(lonely);
    let (full, held) = full();
    let connecting = guest.open(V4, STREAM);
    let [address, port] = guest.address(full);
    let [list, count] = guest.list(&[10]);
    let result = i64::from(RESULT);
    vec![
        ("sock_accept", vec![lonely, 0, result], vec![]),
        ("fd_read", vec![connected, list, count, result], vec![]),
        ("sock_recv", vec![connected, list, count, 0, result, RESULT_2.into()], vec![]),
        ("sock_recv_from", vec![datagrams, list, count, 0, 0, result, result, RESULT_2.into()], vec![]),
        ("sock_connect", vec![connecting, address, port], held),
    ]
}

#[test]
fn a_deadline_ends_every_wait() {
    for number in 0..5 {
        let mut guest = Guest::new(&["any"]);
        let (name, args, _held) = waits(&guest).swap_remove(number);
        guest.call = CallOptions { timeout: Some(Duration::from_millis(80)), ..PLAIN };
        let began = Instant::now();
        let error = guest.try_call(name, &args).expect_err(name);
        expect(&error, ErrorKind::Timeout, &["80ms"]);
        assert!((80..20_000).contains(&began.elapsed().as_millis()), "{name}: {:?}", began.elapsed());
        assert!(guest.instance.dead().is_some());
    }
}

#[test]
fn a_token_ends_every_wait() {
    for number in 0..5 {
        let mut guest = Guest::new(&["any"]);
        let (name, args, _held) = waits(&guest).swap_remove(number);
        let token = CancelToken::new();
        guest.call = CallOptions { cancel: Some(token.clone()), ..PLAIN };
        let canceller = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            token.cancel();
        });
        expect(&guest.try_call(name, &args).expect_err(name), ErrorKind::Cancelled, &[]);
        canceller.join().expect("no panic");
    }
}

#[test]
fn a_guest_sets_how_long_it_waits() {
    let guest = Guest::new(&["any"]);
    let (name, args, _) = waits(&guest).swap_remove(1);
    guest.put(BYTES, &[0_u64.to_le_bytes(), 30_000_u64.to_le_bytes()].concat());
    guest.ok("sock_setsockopt", &[args[0], 0, 11, BYTES.into(), 16]);
    let began = Instant::now();
    assert_eq!(guest.call(name, &args), AGAIN);
    assert!(began.elapsed() >= Duration::from_millis(30));
}

fn on_one_thread<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// Of a connection that was refused, the system's event queue says that it is over, and goes on
/// saying so.
#[test]
fn a_guest_on_a_fiber_may_connect_again_after_a_refusal() {
    let ((gone, held), (full, _held)) = (full(), full());
    on_one_thread(async move {
        let guest = second().instantiate_async(options(&["any"]), &PLAIN).await.expect("an instance");
        let limited = CallOptions { timeout: Some(Duration::from_secs(60)), ..PLAIN };
        let call = async |name: &str, args: &[i64]| {
            let args: Vec<Value> = args.iter().map(|arg| Value::Int(*arg)).collect();
            guest.call(name, &args, &limited).await.expect("a call")
        };
        let word = || u32::from_le_bytes(guest.read_memory(RESULT, 4).expect("memory").try_into().expect("4 bytes"));
        // One wait to write to the socket, and one for so many milliseconds.
        let wait = async |fd: i64, time: u64| {
            let mut both = [[0_u8; 48]; 2];
            (both[0][8], both[1][8]) = (WRITE, CLOCK);
            both[0][16..20].copy_from_slice(&(fd as u32).to_le_bytes());
            both[1][16] = 1;
            both[1][24..32].copy_from_slice(&(time * MS).to_le_bytes());
            guest.write_memory(EVENTS + 16384, &both.concat()).expect("memory");
            assert_eq!(call("poll_oneoff", &[(EVENTS + 16384).into(), EVENTS.into(), 2, RESULT.into()]).await, Value::Int(OK));
            assert_eq!(word(), 1);
            guest.read_memory(EVENTS + 10, 1).expect("memory")[0]
        };
        assert_eq!(call("sock_open", &[V4, STREAM, RESULT.into()]).await, Value::Int(OK));
        let fd = i64::from(word());
        assert_eq!(call("fd_fdstat_set_flags", &[fd, NONBLOCK]).await, Value::Int(OK));
        guest.write_memory(64, &[128_u32.to_le_bytes(), 4_u32.to_le_bytes()].concat()).expect("memory");
        guest.write_memory(128, &[127, 0, 0, 1]).expect("memory");
        assert_eq!(call("sock_connect", &[fd, 64, gone.port().into()]).await, Value::Int(INPROGRESS));
        // It waits in vain first, so that the queue has the socket. The listener goes then, and the
        // next attempt of the system is refused.
        assert_eq!(wait(fd, 50).await, CLOCK);
        drop(held);
        assert_eq!(wait(fd, 50_000).await, WRITE);
        assert_eq!(call("sock_getsockopt", &[fd, 0, 2, RESULT.into(), 4]).await, Value::Int(OK));
        assert_eq!(i64::from(word()), CONNREFUSED);
        // Linux tells of the refusal once more before it begins anew.
        assert!([CONNABORTED, INPROGRESS].map(Value::Int).contains(&call("sock_connect", &[fd, 64, full.port().into()]).await));
        assert!([ALREADY, INPROGRESS].map(Value::Int).contains(&call("sock_connect", &[fd, 64, full.port().into()]).await));
        assert_eq!(wait(fd, 50).await, CLOCK);
    });
}

/// A socket for datagrams can always send, as far as the system tells; who it sends to may have no
/// room.
#[cfg(unix)]
#[test]
fn who_waits_for_a_receiver_without_room_lets_others_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("full.sock");
    let receiver = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    let path = path.to_str().expect("text");
    on_one_thread(async {
        let rules = options(&[&format!("connect=unix:{path}")]);
        let guest = second().instantiate_async(rules, &PLAIN).await.expect("an instance");
        let limited = CallOptions { timeout: Some(Duration::from_millis(1500)), ..PLAIN };
        let open = [UNIX, DATAGRAM, RESULT.into()].map(Value::Int);
        assert_eq!(guest.call("sock_open", &open, &PLAIN).await.expect("a call"), Value::Int(OK));
        let fd = i64::from(u32::from_le_bytes(guest.read_memory(RESULT, 4).expect("memory").try_into().expect("4 bytes")));
        guest.write_memory(64, &[128_u32.to_le_bytes(), 128_u32.to_le_bytes()].concat()).expect("memory");
        guest.write_memory(128, &[&[3, 0][..], path.as_bytes(), &[0]].concat()).expect("memory");
        guest.write_memory(LIST, &[BYTES.to_le_bytes(), 1000_u32.to_le_bytes()].concat()).expect("memory");
        let send = [fd, LIST.into(), 1, 64, 0, 0, RESULT.into()].map(Value::Int);
        let fill = async {
            loop {
                match guest.call("sock_send_to", &send, &limited).await {
                    Ok(said) => assert_eq!(said, Value::Int(OK)),
                    Err(error) => break error,
                }
            }
        };
        let others = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            guest.dead().is_none()
        };
        let (ended, was_alive) = tokio::join!(fill, others);
        expect(&ended, ErrorKind::Timeout, &["1.5s"]);
        assert!(was_alive, "the thread was free in between");
    });
    drop(receiver);
}

/// The test's one thread does both sides: a wait of the guest that held it would never end.
#[test]
fn a_guest_on_a_fiber_holds_no_thread_while_it_waits() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let to = listener.local_addr().expect("an address");
    on_one_thread(async move {
        let guest = second().instantiate_async(options(&["any"]), &PLAIN).await.expect("an instance");
        let call = async |name: &str, args: &[i64]| {
            let args: Vec<Value> = args.iter().map(|arg| Value::Int(*arg)).collect();
            guest.call(name, &args, &PLAIN).await
        };
        let word = || u32::from_le_bytes(guest.read_memory(RESULT, 4).expect("memory").try_into().expect("4 bytes"));
        assert_eq!(call("sock_open", &[V4, STREAM, RESULT.into()]).await.expect("a call"), Value::Int(OK));
        let fd = i64::from(word());
        guest.write_memory(64, &[128_u32.to_le_bytes(), 4_u32.to_le_bytes()].concat()).expect("memory");
        guest.write_memory(128, &[127, 0, 0, 1]).expect("memory");
        assert_eq!(call("sock_connect", &[fd, 64, to.port().into()]).await.expect("a call"), Value::Int(OK));
        let (mut host, _) = listener.accept().expect("a connection");
        guest.write_memory(LIST, &[BYTES.to_le_bytes(), 100_u32.to_le_bytes()].concat()).expect("memory");
        for round in 0..20_u8 {
            let args = [fd, LIST.into(), 1, RESULT.into()];
            let read = call("fd_read", &args);
            let write = async {
                for _ in 0..5 {
                    tokio::task::yield_now().await;
                }
                host.write_all(&[round]).expect("written");
            };
            let (read, ()) = tokio::join!(read, write);
            assert_eq!((read.expect("a call"), word()), (Value::Int(OK), 1));
            assert_eq!(guest.read_memory(BYTES, 1).expect("memory"), [round]);
        }
        // And a deadline ends it.
        let limited = CallOptions { timeout: Some(Duration::from_millis(50)), ..PLAIN };
        let args = [fd, LIST.into(), 1, RESULT.into()].map(Value::Int);
        expect(&guest.call("fd_read", &args, &limited).await.expect_err("no end"), ErrorKind::Timeout, &["50ms"]);
    });
    drop(TcpStream::connect(to));
}
