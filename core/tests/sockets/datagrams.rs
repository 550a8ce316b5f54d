//! UDP.

use std::net::UdpSocket;

use crate::guest::{ADDRESS, BYTES, DATAGRAM, Guest, OK, RESULT, RESULT_2, RESULT_3, V4};

#[test]
fn datagrams_come_with_their_sender_and_go_where_they_are_sent() {
    let host = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let there = host.local_addr().expect("an address");
    let guest = Guest::new(&["listen=127.0.0.1:0", "127.0.0.1:*"]);
    let fd = guest.open(V4, DATAGRAM);
    let [at, port] = guest.address(([127, 0, 0, 1], 0).into());
    guest.ok("sock_bind", &[fd, at, port]);
    let here = guest.local(fd);
    host.send_to(b"datagram", here).expect("sent");
    let receive = |flags: i64, lens: &[u32]| {
        let room = guest.room();
        let [list, count] = guest.list(lens);
        guest.ok("sock_recv_from", &[fd, list, count, room, flags, RESULT.into(), RESULT_2.into(), RESULT_3.into()]);
        assert_eq!(guest.found(RESULT), there);
        (guest.bytes(BYTES, guest.word(RESULT_2)), guest.word(RESULT_3))
    };
    assert_eq!(receive(1, &[100]), (b"datagram".to_vec(), 0), "a look only");
    assert_eq!(receive(0, &[4, 1, 3, 10]), (b"datagram".to_vec(), 0));
    host.send_to(b"longer than its buffer", here).expect("sent");
    assert_eq!(receive(0, &[6]), (b"longer".to_vec(), 1), "and it says so");
    // To its sender, by the address as it came.
    guest.put(BYTES, b"back");
    let [list, count] = guest.list(&[2, 2]);
    guest.put(crate::guest::SPAN, &[ADDRESS.to_le_bytes(), 128_u32.to_le_bytes()].concat());
    guest.ok("sock_send_to", &[fd, list, count, crate::guest::SPAN.into(), there.port().into(), 0, RESULT.into()]);
    assert_eq!(guest.word(RESULT), 4);
    let mut buffer = [0; 100];
    let (count, from) = host.recv_from(&mut buffer).expect("a datagram");
    assert_eq!((&buffer[..count], from), (&b"back"[..], here));
}

#[test]
fn a_connected_socket_needs_no_address() {
    let host = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let there = host.local_addr().expect("an address");
    let guest = Guest::new(&[&there.to_string()]);
    let fd = guest.open(V4, DATAGRAM);
    assert_eq!(guest.connect(fd, there), OK);
    assert_eq!(guest.write(fd, b"connected"), OK);
    let mut buffer = [0; 100];
    let (count, from) = host.recv_from(&mut buffer).expect("a datagram");
    assert_eq!(&buffer[..count], b"connected");
    host.send_to(b"and back", from).expect("sent");
    assert_eq!(guest.reads(fd), b"and back");
    guest.ok("sock_send_to", &[fd, guest.list(&[3])[0], 1, 0, 0, 0, RESULT.into()]);
    assert_eq!(host.recv(&mut buffer).expect("a datagram"), 3);
}
