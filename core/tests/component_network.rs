//! Names and datagrams of components, by the rules of the sandbox.
#![cfg(not(miri))]

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::{component, expect, quiet};
use undergo::{CallOptions, ErrorKind, Instance, Network, Value};

const WIT: &str = "package test:net;
world w {
  import wasi:sockets/instance-network@0.2.0;
  import wasi:sockets/ip-name-lookup@0.2.0;
  import wasi:sockets/udp@0.2.0;
  import wasi:sockets/udp-create-socket@0.2.0;
  export look-up: func(name: string) -> s32;
  export open: func(a: u32, port: u32) -> s32;
  export send: func(port: u32) -> s32;
  export receive: func() -> s32;
}
package wasi:io@0.2.0 {
  interface poll { resource pollable { block: func(); } }
}
package wasi:sockets@0.2.0 {
  interface network {
    resource network;
    enum error-code {
      unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict,
      not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable, address-in-use,
      remote-unreachable, connection-refused, connection-reset, connection-aborted, datagram-too-large,
      name-unresolvable, temporary-resolver-failure, permanent-resolver-failure,
    }
    enum ip-address-family { ipv4, ipv6 }
    type ipv4-address = tuple<u8, u8, u8, u8>;
    type ipv6-address = tuple<u16, u16, u16, u16, u16, u16, u16, u16>;
    variant ip-address { ipv4(ipv4-address), ipv6(ipv6-address) }
    record ipv4-socket-address { port: u16, address: ipv4-address }
    record ipv6-socket-address { port: u16, flow-info: u32, address: ipv6-address, scope-id: u32 }
    variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }
  }
  interface instance-network { use network.{network}; instance-network: func() -> network; }
  interface ip-name-lookup {
    use wasi:io/poll@0.2.0.{pollable};
    use network.{network, error-code, ip-address};
    resource resolve-address-stream {
      resolve-next-address: func() -> result<option<ip-address>, error-code>;
      subscribe: func() -> pollable;
    }
    resolve-addresses: func(network: borrow<network>, name: string) -> result<resolve-address-stream, error-code>;
  }
  interface udp {
    use wasi:io/poll@0.2.0.{pollable};
    use network.{network, error-code, ip-socket-address};
    record incoming-datagram { data: list<u8>, remote-address: ip-socket-address }
    record outgoing-datagram { data: list<u8>, remote-address: option<ip-socket-address> }
    resource udp-socket {
      start-bind: func(network: borrow<network>, local-address: ip-socket-address) -> result<_, error-code>;
      finish-bind: func() -> result<_, error-code>;
      %stream: func(remote-address: option<ip-socket-address>)
        -> result<tuple<incoming-datagram-stream, outgoing-datagram-stream>, error-code>;
      local-address: func() -> result<ip-socket-address, error-code>;
    }
    resource incoming-datagram-stream {
      receive: func(max-results: u64) -> result<list<incoming-datagram>, error-code>;
      subscribe: func() -> pollable;
    }
    resource outgoing-datagram-stream {
      check-send: func() -> result<u64, error-code>;
      send: func(datagrams: list<outgoing-datagram>) -> result<u64, error-code>;
    }
  }
  interface udp-create-socket {
    use network.{error-code, ip-address-family};
    use udp.{udp-socket};
    create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>;
  }
}
";

/// Each function gives a number that is not negative, or -1 less the number of the error's case.
const CORE: &str = r#"
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop_pollable (param i32)))
    (import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
    (import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))
    (import "wasi:sockets/ip-name-lookup@0.2.0" "[method]resolve-address-stream.resolve-next-address" (func $next (param i32 i32)))
    (import "wasi:sockets/ip-name-lookup@0.2.0" "[method]resolve-address-stream.subscribe" (func $found (param i32) (result i32)))
    (import "wasi:sockets/ip-name-lookup@0.2.0" "[resource-drop]resolve-address-stream" (func $drop_lookup (param i32)))
    (import "wasi:sockets/udp-create-socket@0.2.0" "create-udp-socket" (func $create (param i32 i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]udp-socket.start-bind" (func $bind (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]udp-socket.finish-bind" (func $bound (param i32 i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]udp-socket.stream" (func $stream (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]udp-socket.local-address" (func $local (param i32 i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]incoming-datagram-stream.receive" (func $receive (param i32 i64 i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]incoming-datagram-stream.subscribe" (func $arrived (param i32) (result i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]outgoing-datagram-stream.check-send" (func $check (param i32 i32)))
    (import "wasi:sockets/udp@0.2.0" "[method]outgoing-datagram-stream.send" (func $send (param i32 i32 i32 i32)))
    (global $in (mut i32) (i32.const 0))
    (global $out (mut i32) (i32.const 0))
    (func $wait (param i32)
        (call $block (local.get 0))
        (call $drop_pollable (local.get 0)))
    (func $failed (param i32) (result i32) (i32.sub (i32.const -1) (i32.load8_u (local.get 0))))
    (func (export "look-up") (param i32 i32) (result i32) (local $lookup i32) (local $count i32)
        (call $resolve (call $network) (local.get 0) (local.get 1) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.const 20)))))
        (local.set $lookup (i32.load (i32.const 20)))
        (call $wait (call $found (local.get $lookup)))
        (block $end
            (loop $again
                (call $next (local.get $lookup) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then (local.set $count (call $failed (i32.const 18))) (br $end)))
                (br_if $end (i32.eqz (i32.load8_u (i32.const 18))))
                (local.set $count (i32.add (local.get $count) (i32.const 1)))
                (br $again)))
        (call $drop_lookup (local.get $lookup))
        (local.get $count))
    (func (export "open") (param $a i32) (param $port i32) (result i32) (local $socket i32)
        (call $create (i32.const 0) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.const 20)))))
        (local.set $socket (i32.load (i32.const 20)))
        ;; $a.0.0.1, or any address for 0
        (call $bind (local.get $socket) (call $network) (i32.const 0) (local.get $port) (local.get $a) (i32.const 0) (i32.const 0)
            (i32.ne (local.get $a) (i32.const 0)) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.const 17)))))
        (call $bound (local.get $socket) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.const 17)))))
        (call $stream (local.get $socket) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.const 20)))))
        (global.set $in (i32.load (i32.const 20)))
        (global.set $out (i32.load (i32.const 24)))
        (call $local (local.get $socket) (i32.const 16))
        (i32.load16_u (i32.const 24)))
    (data (i32.const 512) "x")
    (func (export "send") (param $port i32) (result i32)
        (call $check (global.get $out) (i32.const 16))
        ;; one byte to 127.0.0.1
        (i32.store (i32.const 64) (i32.const 512))
        (i32.store (i32.const 68) (i32.const 1))
        (i32.store8 (i32.const 72) (i32.const 1))
        (i32.store8 (i32.const 76) (i32.const 0))
        (i32.store16 (i32.const 80) (local.get $port))
        (i32.store (i32.const 82) (i32.const 0x0100007f))
        (call $send (global.get $out) (i32.const 64) (i32.const 1) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.const 24)))))
        (i32.load (i32.const 24)))
    (func (export "receive") (result i32)
        (loop $again
            (call $wait (call $arrived (global.get $in)))
            (call $receive (global.get $in) (i64.const 16) (i32.const 16))
            (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.const 20)))))
            (br_if $again (i32.eqz (i32.load (i32.const 24)))))
        (i32.load (i32.const 24)))
"#;

/// What the guest gives for the errors `access-denied`, `invalid-argument` and `name-unresolvable`.
const DENIED: i64 = -2;
const INVALID: i64 = -4;
const UNRESOLVABLE: i64 = -19;

fn guest(rules: &[&str]) -> Instance {
    let mut options = quiet();
    options.sandbox.network = Network::new(rules).expect("rules");
    options.limits.timeout = Some(Duration::from_secs(20));
    component(WIT, CORE).instantiate(options).unwrap_or_else(|error| panic!("{error}"))
}

fn call(guest: &Instance, name: &str, args: &[i64]) -> i64 {
    let args: Vec<_> = args.iter().map(|arg| Value::Int(*arg)).collect();
    match guest.call(name, &args, CallOptions::NONE) {
        Ok(Value::Int(number)) => number,
        other => panic!("{name} gave {other:?}"),
    }
}

fn look_up(guest: &Instance, name: &str) -> i64 {
    match guest.call("look-up", &[name.into()], CallOptions::NONE) {
        Ok(Value::Int(number)) => number,
        other => panic!("look-up gave {other:?}"),
    }
}

/// A socket of this program's, and its port.
fn socket() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let port = socket.local_addr().expect("an address").port();
    (socket, port)
}

#[test]
fn names_are_looked_up_by_the_rules() {
    let guest = guest(&["nowhere.invalid:80", "127.0.0.1:80"]);
    assert_eq!(look_up(&guest, "localhost"), 2);
    assert_eq!((look_up(&guest, "10.0.0.1"), look_up(&guest, "[::1]")), (1, 1));
    assert_eq!(look_up(&guest, "nowhere.invalid"), UNRESOLVABLE);
    assert_eq!(look_up(&guest, "example.org"), DENIED);
    for wrong in ["", "a b", "-.org", "0x7f.1"] {
        assert_eq!(look_up(&guest, wrong), INVALID, "{wrong:?}");
    }
    let denied = guest.denied();
    assert!(denied.iter().any(|text| text.contains("looking up example.org; it takes the rule connect=example.org:PORT")), "{denied:?}");
    let alone = self::guest(&[]);
    assert_eq!((look_up(&alone, "localhost"), call(&alone, "open", &[0, 0])), (DENIED, DENIED));
}

#[test]
fn datagrams_go_where_the_rules_say_and_come_from_there() {
    let ((known, port), (stranger, other)) = (socket(), socket());
    let guest = guest(&[&format!("127.0.0.1:{port}")]);
    let own = call(&guest, "open", &[0, 0]);
    assert!(own > 0, "{own}");
    assert_eq!(call(&guest, "send", &[port.into()]), 1);
    let mut got = [0; 8];
    let (count, from) = known.recv_from(&mut got).expect("a datagram");
    assert_eq!((&got[..count], i64::from(from.port())), (&b"x"[..], own));
    assert_eq!(call(&guest, "send", &[other.into()]), DENIED);
    for _ in 0..40 {
        stranger.send_to(b"from a stranger", ("127.0.0.1", own as u16)).expect("it is sent");
    }
    known.send_to(b"from there", ("127.0.0.1", own as u16)).expect("it is sent");
    assert_eq!(call(&guest, "receive", &[]), 1);
    // Nothing else comes.
    stranger.send_to(b"from a stranger", ("127.0.0.1", own as u16)).expect("it is sent");
    let brief = CallOptions { timeout: Some(Duration::from_millis(300)), ..CallOptions::default() };
    let error = guest.call("receive", &[], &brief).expect_err("there is none");
    expect(&error, ErrorKind::Timeout, &[]);
}

#[test]
fn a_flood_from_strangers_does_not_hold_a_call_beyond_its_deadline() {
    let (known, port) = socket();
    let guest = guest(&[&format!("127.0.0.1:{port}")]);
    let own = call(&guest, "open", &[0, 0]);
    let done = AtomicBool::new(false);
    let (error, took) = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (stranger, _) = socket();
                while !done.load(Ordering::Relaxed) {
                    // The system may have no room for more.
                    let _ = stranger.send_to(b"from a stranger", ("127.0.0.1", own as u16));
                }
            });
        }
        let brief = CallOptions { timeout: Some(Duration::from_millis(300)), ..CallOptions::default() };
        let begun = Instant::now();
        let result = guest.call("receive", &[], &brief);
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        (result.expect_err("there is none for it"), took)
    });
    expect(&error, ErrorKind::Timeout, &[]);
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(known);
}

#[test]
fn a_rule_for_listening_lets_everybody_send() {
    let (stranger, _) = socket();
    let guest = guest(&["listen=127.0.0.1:0"]);
    assert_eq!(call(&guest, "open", &[10, 0]), DENIED);
    let own = call(&guest, "open", &[127, 0]);
    assert!(own > 0, "{own}");
    stranger.send_to(b"from a stranger", ("127.0.0.1", own as u16)).expect("it is sent");
    assert_eq!(call(&guest, "receive", &[]), 1);
    assert_eq!(call(&guest, "send", &[9]), DENIED);
}
