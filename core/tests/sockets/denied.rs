//! Off by default: every function is tried. And what the rules leave out.

use std::io::ErrorKind as IoError;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use undergo::{ErrorKind, Network, Value, WASI_FUNCTIONS};

use crate::common::{PLAIN, expect, failure, plugin, quiet};
use crate::guest::{ACCES, BADF, DATAGRAM, FUNCTIONS, Guest, NOTSOCK, OK, RESULT, RESULT_2, RESULT_3, STREAM, UNIX, V4, V6};

#[test]
fn nothing_of_the_network_is_there_by_default() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    listener.set_nonblocking(true).expect("a listener");
    let to = listener.local_addr().expect("an address");
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    receiver.set_nonblocking(true).expect("a socket");
    let guest = Guest::new(&[]);
    // Standard streams, what could be a file, and where sockets are.
    for fd in [0, 1, 2, 3, 4, 1 << 30, -1] {
        let [at, port] = guest.address(to);
        let [list, count] = guest.list(&[4]);
        let (result, result_2, result_3) = (RESULT.into(), RESULT_2.into(), RESULT_3.into());
        let udp = i64::from(receiver.local_addr().expect("an address").port());
        let tried: [(&str, Vec<i64>); 15] = [
            ("sock_accept", vec![fd, 0, result]),
            ("sock_bind", vec![fd, at, 0]),
            ("sock_connect", vec![fd, at, port]),
            ("sock_getaddrinfo", vec![0, 0, 0, 0, 0, 0, 0, result]),
            ("sock_getlocaladdr", vec![fd, at, result]),
            ("sock_getpeeraddr", vec![fd, at, result]),
            ("sock_getsockopt", vec![fd, 0, 1, result, 4]),
            ("sock_listen", vec![fd, 5]),
            ("sock_open", vec![V4, STREAM, result]),
            ("sock_recv", vec![fd, list, count, 0, result, result_2]),
            ("sock_recv_from", vec![fd, list, count, at, 0, result, result_2, result_3]),
            ("sock_send", vec![fd, list, count, 0, result]),
            ("sock_send_to", vec![fd, list, count, at, udp, 0, result]),
            ("sock_setsockopt", vec![fd, 0, 0, result, 4]),
            ("sock_shutdown", vec![fd, 3]),
        ];
        let known: Vec<_> = WASI_FUNCTIONS.iter().copied().filter(|name| name.starts_with("sock_")).collect();
        assert_eq!(tried.iter().map(|(name, _)| *name).collect::<Vec<_>>(), known, "every function is tried");
        assert!(known.iter().all(|name| FUNCTIONS.iter().any(|(function, _)| function == name)));
        for (name, args) in tried {
            let said = guest.call(name, &args);
            let expected: &[i64] = match name {
                "sock_open" | "sock_getaddrinfo" => &[ACCES],
                _ if (0..3).contains(&fd) => &[NOTSOCK],
                _ => &[BADF],
            };
            assert!(expected.contains(&said), "{name}({args:?}) = {said}");
        }
        for (family, kind) in [(V4, DATAGRAM), (V6, STREAM), (V6, DATAGRAM), (UNIX, STREAM), (UNIX, DATAGRAM)] {
            assert_eq!(guest.call("sock_open", &[family, kind, RESULT.into()]), ACCES);
        }
    }
    assert_eq!(listener.accept().expect_err("no connection").kind(), IoError::WouldBlock);
    assert_eq!(receiver.recv(&mut [0; 8]).expect_err("no datagram").kind(), IoError::WouldBlock);
    let denied = guest.instance.denied();
    assert!(denied.len() == 1 && denied[0].contains("the use of the network") && denied[0].contains("the rule any"), "{denied:?}");
}

#[test]
fn what_no_rule_allows_is_refused_and_the_rule_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    listener.set_nonblocking(true).expect("a listener");
    let to = listener.local_addr().expect("an address");
    let guest = Guest::new(&["connect=127.0.0.1:1", "10.0.0.0/8:*", "listen=127.0.0.1:1"]);
    let fd = guest.open(V4, STREAM);
    assert_eq!(guest.connect(fd, to), ACCES);
    assert_eq!(guest.connect(fd, SocketAddr::from(([0, 0, 0, 0], to.port()))), ACCES);
    let [at, port] = guest.address(to);
    assert_eq!(guest.call("sock_bind", &[fd, at, port]), ACCES);
    let [at, port] = guest.address(SocketAddr::from(([127, 0, 0, 1], 0)));
    assert_eq!(guest.call("sock_bind", &[fd, at, port]), ACCES, "any port is not port 1");
    assert_eq!(guest.call("sock_listen", &[fd, 5]), ACCES, "to listen without a bind is to listen everywhere");
    let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", to.port()).parse().expect("an address");
    assert_eq!(guest.connect(guest.open(V6, STREAM), mapped), ACCES);
    let unix = guest.open(UNIX, STREAM);
    for function in ["sock_connect", "sock_bind"] {
        let [at, port] = guest.unix("/tmp/undergo-denied.sock");
        assert_eq!(guest.call(function, &[unix, at, port]), ACCES);
    }
    assert_eq!(listener.accept().expect_err("no connection").kind(), IoError::WouldBlock);
    let denied = guest.instance.denied().join("\n");
    for rule in [
        format!("connecting to {to}; it takes the rule connect={to}"),
        format!("listening at {to}; it takes the rule listen={to}"),
        "the rule listen=127.0.0.1:0".to_owned(),
        "the rule listen=0.0.0.0:0".to_owned(),
        "the rule connect=unix:/tmp/undergo-denied.sock".to_owned(),
        "the rule listen=unix:/tmp/undergo-denied.sock".to_owned(),
    ] {
        assert!(denied.contains(&rule), "{rule} is not in:\n{denied}");
    }
}

#[test]
fn each_datagram_is_checked() {
    let allowed = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let other = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    other.set_nonblocking(true).expect("a socket");
    let guest = Guest::new(&[&allowed.local_addr().expect("an address").to_string()]);
    let fd = guest.open(V4, DATAGRAM);
    for (to, expected) in [(&allowed, OK), (&other, ACCES), (&allowed, OK)] {
        let [at, port] = guest.address(to.local_addr().expect("an address"));
        let [list, count] = guest.list(&[3]);
        assert_eq!(guest.call("sock_send_to", &[fd, list, count, at, port, 0, RESULT.into()]), expected);
    }
    assert_eq!(other.recv(&mut [0; 8]).expect_err("no datagram").kind(), IoError::WouldBlock);
    assert_eq!(allowed.recv(&mut [0; 8]).expect("a datagram"), 3);
}

#[test]
fn rules_that_are_none_say_so() {
    let error = Network::new(["10.0.0.0/8:*", "example.org"]).expect_err("no rule");
    expect(&error, ErrorKind::TypeMismatch, &["'example.org' is no rule", "the port is missing"]);
    let mut network = Network::default();
    expect(&network.open("somewhere").expect_err("no address"), ErrorKind::TypeMismatch, &["127.0.0.1:8080"]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = taken.local_addr().expect("an address").to_string();
    expect(&network.open(&address).expect_err("taken"), ErrorKind::Denied, &["refuses to listen", &address]);
}

#[test]
fn an_error_carries_what_was_denied_in_its_call() {
    // `open` asks for a socket, and ends as it is told: by an exit, a trap, or a return.
    let plugin = plugin(
        r#"(module
        (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (func (export "_initialize"))
        (func (export "open") (param i32)
          (drop (call $open (i32.const 1) (i32.const 2) (i32.const 0)))
          (if (i32.eq (local.get 0) (i32.const 1)) (then (call $exit (i32.const 3))))
          (if (i32.eq (local.get 0) (i32.const 2)) (then unreachable)))
        (func (export "fail") unreachable))"#,
    )
    .expect("a plugin");
    let instance = plugin.instantiate(quiet()).expect("an instance");
    let exit = failure(&instance, "open", &[Value::Int(1)]);
    expect(&exit, ErrorKind::Exit, &["os.Exit(3)", "the sandbox denied the use of the network"]);
    assert_eq!((exit.exit_code(), exit.denied().is_some()), (Some(3), true));
    let instance = plugin.instantiate(quiet()).expect("an instance");
    let trap = failure(&instance, "open", &[Value::Int(2)]);
    assert!(trap.kind() == ErrorKind::Trap && trap.denied().is_some_and(|text| text.contains("the rule any")), "{trap:?}");
    // What an earlier call was denied is nothing to a later one.
    let instance = plugin.instantiate(quiet()).expect("an instance");
    instance.call("open", &[Value::Int(0)], &PLAIN).expect("a call");
    assert_eq!(failure(&instance, "fail", &[]).denied(), None);
    assert_eq!(instance.denied().len(), 1);
}

#[test]
fn what_is_given_in_vain_is_told() {
    let plain = plugin(r#"(module (memory (export "memory") 1) (func (export "_initialize")))"#).expect("a plugin");
    let mut options = quiet();
    assert!(plain.diagnose(&options).is_empty());
    options.sandbox.network = Network::new(["example.org:443"]).expect("rules");
    options.sandbox.network.open("127.0.0.1:0").expect("a listener");
    let told = plain.diagnose(&options);
    assert!(told.len() == 2 && told[0].contains("opens no sockets") && told[0].contains("undergo build --net"), "{told:?}");
    assert!(told[1].contains("accepts no connections"), "{told:?}");
    // Each once, for those who have no warnings of their own.
    assert!(plain.diagnostics().is_empty());
    for _ in 0..2 {
        plain.instantiate(options.clone()).expect("an instance");
    }
    assert_eq!(plain.diagnostics(), told);
    assert!(crate::guest::second().diagnose(&options).is_empty());
}
