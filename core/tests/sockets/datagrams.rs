//! UDP.

use std::net::UdpSocket;

use std::time::{Duration, Instant};

use crate::guest::{ADDRESS, AGAIN, BYTES, DATAGRAM, Guest, OK, RESULT, RESULT_2, RESULT_3, V4};

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

/// A socket of the guest's that was not bound, where it is by the system's choice, once it has sent
/// something there.
fn unbound(guest: &Guest, host: &UdpSocket) -> (i64, std::net::SocketAddr) {
    let fd = guest.open(V4, DATAGRAM);
    let [at, port] = guest.address(host.local_addr().expect("an address"));
    let [list, count] = guest.list(&[3]);
    guest.ok("sock_send_to", &[fd, list, count, at, port, 0, RESULT.into()]);
    let (_, mut from) = host.recv_from(&mut [0; 8]).expect("a datagram");
    from.set_ip([127, 0, 0, 1].into());
    (fd, from)
}

#[test]
fn a_stranger_does_not_reach_a_socket_that_was_not_bound() {
    let [host, stranger] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let guest = Guest::new(&[&host.local_addr().expect("an address").to_string()]);
    let (fd, here) = unbound(&guest, &host);
    stranger.send_to(b"SECRET", here).expect("sent");
    host.send_to(b"answer", here).expect("sent");
    assert_eq!(guest.reads(fd), b"answer");
    guest.set_nonblocking(fd);
    for _ in 0..200 {
        stranger.send_to(b"SECRET", here).expect("sent");
    }
    // By each function, and also for a look only: nothing of it is in the guest's memory.
    guest.put(BYTES, &[0; 64]);
    let [list, count] = guest.list(&[16, 16]);
    let (room, result, result_2, result_3) = (guest.room(), RESULT.into(), RESULT_2.into(), RESULT_3.into());
    for (function, args) in [
        ("fd_read", vec![fd, list, count, result]),
        ("sock_recv", vec![fd, list, count, 1, result, result_2]),
        ("sock_recv", vec![fd, list, count, 0, result, result_2]),
        ("sock_recv_from", vec![fd, list, count, room, 1, result, result_2, result_3]),
        ("sock_recv_from", vec![fd, list, count, room, 0, result, result_2, result_3]),
    ] {
        assert_eq!(guest.call(function, &args), AGAIN, "{function}");
        assert_eq!(guest.bytes(BYTES, 64), [0; 64]);
    }
    host.send_to(b"another", here).expect("sent");
    assert_eq!(guest.reads(fd), b"another");
    // Who connects hears that peer alone, also of what came before.
    stranger.send_to(b"SECRET", here).expect("sent");
    assert_eq!(guest.connect(fd, host.local_addr().expect("an address")), OK);
    assert_eq!(guest.read(fd).expect("a call"), Err(AGAIN));
    host.send_to(b"the last", here).expect("sent");
    assert_eq!(guest.reads(fd), b"the last");
}

#[test]
fn whom_a_guest_may_send_to_it_hears_as_well() {
    let [host, other] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let guest = Guest::new(&["127.0.0.1:*"]);
    let (fd, here) = unbound(&guest, &host);
    other.send_to(b"hello", here).expect("sent");
    assert_eq!(guest.reads(fd), b"hello");
}

#[test]
fn a_flood_of_strangers_does_not_outlast_the_call() {
    let [host, stranger] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let mut guest = Guest::new(&[&host.local_addr().expect("an address").to_string()]);
    let (fd, here) = unbound(&guest, &host);
    guest.call.timeout = Some(Duration::from_millis(100));
    std::thread::scope(|scope| {
        let began = Instant::now();
        scope.spawn(move || {
            while began.elapsed() < Duration::from_millis(300) {
                stranger.send_to(b"SECRET", here).expect("sent");
            }
        });
        assert!(guest.read(fd).is_err(), "the deadline");
        assert!(began.elapsed() < Duration::from_secs(20));
    });
}
