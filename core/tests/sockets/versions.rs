//! Version 1 of the extension, which its signatures tell apart.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};

use undergo::{ErrorKind, InstanceOptions};

use crate::common::{expect, plugin};
use crate::guest::{ADDRESS, BYTES, DATAGRAM, Guest, OK, RESULT, RESULT_2, RESULT_3, SPAN, STREAM, V4, first, options};

/// Room for an address as version 1 has it.
fn room(guest: &Guest, bytes: u32) {
    guest.put(SPAN, &[ADDRESS.to_le_bytes(), bytes.to_le_bytes()].concat());
    guest.put(ADDRESS, &[0xFF; 16]);
}

#[test]
fn the_first_version_has_addresses_of_its_own() {
    let guest = Guest::with(first(), options(&["any"]));
    let fd = guest.open(V4, STREAM);
    let [at, port] = guest.address(([127, 0, 0, 1], 0).into());
    guest.ok("sock_bind", &[fd, at, port]);
    guest.ok("sock_listen", &[fd, 5]);
    for size in [4, 16] {
        room(&guest, size);
        guest.ok("sock_getlocaladdr", &[fd, SPAN.into(), RESULT.into(), RESULT_2.into()]);
        assert_eq!((guest.bytes(ADDRESS, 4), guest.word(RESULT)), (vec![127, 0, 0, 1], 4));
    }
    let local = u16::try_from(guest.word(RESULT_2)).expect("a port");
    let mut host = TcpStream::connect(("127.0.0.1", local)).expect("a connection");
    guest.ok("sock_accept", &[fd, RESULT.into()]);
    let accepted = i64::from(guest.word(RESULT));
    room(&guest, 16);
    guest.ok("sock_getpeeraddr", &[accepted, SPAN.into(), RESULT.into(), RESULT_2.into()]);
    assert_eq!(guest.word(RESULT_2), u32::from(host.local_addr().expect("an address").port()));
    host.write_all(b"one").expect("written");
    assert_eq!(guest.reads(accepted), b"one");
}

#[test]
fn the_first_version_receives_without_a_port() {
    let guest = Guest::with(first(), options(&["any"]));
    let fd = guest.open(V4, DATAGRAM);
    let [at, port] = guest.address(([127, 0, 0, 1], 0).into());
    guest.ok("sock_bind", &[fd, at, port]);
    room(&guest, 16);
    guest.ok("sock_getlocaladdr", &[fd, SPAN.into(), RESULT.into(), RESULT_2.into()]);
    let local = u16::try_from(guest.word(RESULT_2)).expect("a port");
    let host = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    host.send_to(b"datagram", ("127.0.0.1", local)).expect("sent");
    room(&guest, 4);
    let [list, count] = guest.list(&[100]);
    assert_eq!(guest.call("sock_recv_from", &[fd, list, count, SPAN.into(), 0, RESULT_2.into(), RESULT_3.into()]), OK);
    assert_eq!((guest.bytes(BYTES, guest.word(RESULT_2)), guest.bytes(ADDRESS, 4)), (b"datagram".to_vec(), vec![127, 0, 0, 1]));
}

#[test]
fn what_no_version_has_is_refused() {
    let odd = plugin(
        r#"(module (import "wasi_snapshot_preview1" "sock_open" (func (param i64) (result i32)))
        (memory (export "memory") 1) (func (export "_initialize")))"#,
    );
    let error = odd.and_then(|odd| odd.instantiate(InstanceOptions::default())).expect_err("no such function");
    expect(&error, ErrorKind::InvalidPlugin, &["sock_open"]);
}
