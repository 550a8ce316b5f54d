//! Connections, in both directions, over IP and within the machine.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::guest::{
    AFNOSUPPORT, AGAIN, CONNREFUSED, Guest, INPROGRESS, MFILE, NOTCONN, OK, PIPE, RESULT, RESULT_2, STREAM, UNIX, V4, V6, options, second,
};

#[test]
fn a_guest_connects_and_exchanges_bytes() {
    for (family, address) in [(V4, "127.0.0.1:0"), (V6, "[::1]:0")] {
        let Ok(listener) = TcpListener::bind(address) else {
            assert_eq!(family, V6, "there is a machine without IPv6, but none without IPv4");
            continue;
        };
        let to = listener.local_addr().expect("an address");
        let guest = Guest::new(&[&to.to_string()]);
        let fd = guest.open(family, STREAM);
        assert!([NOTCONN, PIPE].contains(&guest.write(fd, b"x")), "systems differ");
        assert_eq!(guest.connect(fd, to), OK);
        let (mut host, from) = listener.accept().expect("a connection");
        assert_eq!(guest.local(fd), from);
        guest.ok("sock_getpeeraddr", &[fd, guest.room(), RESULT.into()]);
        assert_eq!(guest.found(RESULT), to);
        assert_eq!(guest.write(fd, b"hello"), OK);
        let mut buffer = [0; 5];
        host.read_exact(&mut buffer).expect("bytes");
        assert_eq!(&buffer, b"hello");
        host.write_all(b"to you").expect("written");
        assert_eq!(guest.reads(fd), b"to you");
        guest.ok("sock_shutdown", &[fd, 2]);
        assert_eq!(host.read(&mut buffer).expect("the end"), 0);
        drop(host);
        assert_eq!(guest.reads(fd), b"");
        guest.ok("fd_close", &[fd]);
    }
}

#[test]
fn a_guest_listens_and_accepts() {
    let guest = Guest::new(&["listen=127.0.0.1:0"]);
    let fd = guest.open(V4, STREAM);
    let at = guest.listen(fd);
    let mut host = TcpStream::connect(at).expect("a connection");
    let (said, accepted) = guest.accept(fd).expect("a call");
    assert_eq!(said, OK);
    guest.ok("sock_getpeeraddr", &[accepted, guest.room(), RESULT.into()]);
    assert_eq!(guest.found(RESULT), host.local_addr().expect("an address"));
    host.write_all(b"in pieces").expect("written");
    // Into several buffers, and a look before.
    let received = |flags: i64, lens: &[u32]| {
        let [list, count] = guest.list(lens);
        guest.ok("sock_recv", &[accepted, list, count, flags, RESULT.into(), RESULT_2.into()]);
        assert_eq!(guest.word(RESULT_2), 0);
        guest.bytes(crate::guest::BYTES, guest.word(RESULT))
    };
    assert_eq!(received(1, &[100]), b"in pieces");
    assert_eq!(received(2, &[3, 0, 2, 4]), b"in pieces", "all of it");
    let [list, count] = guest.list(&[2, 0, 3]);
    guest.put(crate::guest::BYTES, b"hello");
    guest.ok("sock_send", &[accepted, list, count, 0, RESULT.into()]);
    assert_eq!(guest.word(RESULT), 5);
    let mut buffer = [0; 5];
    host.read_exact(&mut buffer).expect("bytes");
    assert_eq!(&buffer, b"hello");
}

#[test]
fn without_waiting_a_connection_is_under_way_until_it_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let to = listener.local_addr().expect("an address");
    let guest = Guest::new(&["connect=127.0.0.1:*"]);
    let fd = guest.open(V4, STREAM);
    guest.set_nonblocking(fd);
    assert_eq!(guest.connect(fd, to), INPROGRESS);
    assert_eq!(crate::waits::poll(&guest, &[(crate::waits::WRITE, fd as u32, 0)]).expect("a call"), [(0, 0, crate::waits::WRITE)]);
    guest.ok("sock_getsockopt", &[fd, 0, 2, RESULT.into(), 4]);
    assert_eq!(guest.word(RESULT), 0, "no error");
    guest.ok("sock_getpeeraddr", &[fd, guest.room(), RESULT.into()]);
    assert_eq!(guest.read(fd).expect("a call"), Err(AGAIN));
    // Nobody is there.
    drop(listener);
    let fd = guest.open(V4, STREAM);
    guest.set_nonblocking(fd);
    assert_eq!(guest.connect(fd, to), INPROGRESS);
    assert_eq!(crate::waits::poll(&guest, &[(crate::waits::WRITE, fd as u32, 0)]).expect("a call").len(), 1);
    guest.ok("sock_getsockopt", &[fd, 0, 2, RESULT.into(), 4]);
    assert_eq!(i64::from(guest.word(RESULT)), CONNREFUSED);
    assert_eq!(guest.connect(guest.open(V4, STREAM), to), CONNREFUSED, "and the same for who waits");
    assert_eq!(guest.connect(guest.open(V6, STREAM), to), AFNOSUPPORT);
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_reached_by_its_rule() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sock").to_str().expect("text").to_owned();
    let guest = Guest::new(&[&format!("listen=unix:{path}"), &format!("connect=unix:{path}")]);
    let listener = guest.open(UNIX, STREAM);
    let [at, port] = guest.unix(&path);
    guest.ok("sock_bind", &[listener, at, port]);
    guest.ok("sock_listen", &[listener, 5]);
    guest.ok("sock_getlocaladdr", &[listener, guest.room(), RESULT.into()]);
    let whole = guest.bytes(crate::guest::ADDRESS, 128);
    assert_eq!((i64::from(whole[0]), &whole[2..2 + path.len()], whole[2 + path.len()]), (UNIX, path.as_bytes(), 0));
    let client = guest.open(UNIX, STREAM);
    let [at, port] = guest.unix(&path);
    guest.ok("sock_connect", &[client, at, port]);
    let (said, accepted) = guest.accept(listener).expect("a call");
    assert_eq!((said, guest.write(client, b"within")), (OK, OK));
    assert_eq!(guest.reads(accepted), b"within");
}

#[test]
fn the_end_of_a_guest_is_that_of_its_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let to = listener.local_addr().expect("an address");
    let mut guest = Guest::new(&[&to.to_string()]);
    let fd = guest.open(V4, STREAM);
    assert_eq!(guest.connect(fd, to), OK);
    let (mut host, _) = listener.accept().expect("a connection");
    guest.call.timeout = Some(std::time::Duration::from_millis(10));
    assert!(guest.read(fd).is_err() && guest.instance.dead().is_some());
    // Its handle is there still.
    assert_eq!(host.read(&mut [0; 1]).expect("the end"), 0);
}

#[test]
fn there_are_as_many_sockets_as_the_limits_say() {
    let mut options = options(&["any"]);
    options.limits.descriptors = Some(3);
    let guest = Guest::with(second(), options);
    let listener = guest.open(V4, STREAM);
    let at = guest.listen(listener);
    let (one, _two) = (guest.open(V4, STREAM), guest.open(V4, STREAM));
    assert_eq!(guest.call("sock_open", &[V4, STREAM, RESULT.into()]), MFILE);
    let mut host = TcpStream::connect(at).expect("a connection");
    assert_eq!(guest.accept(listener).expect("a call").0, MFILE);
    guest.ok("fd_close", &[one]);
    // The connection has waited.
    let (said, accepted) = guest.accept(listener).expect("a call");
    assert_eq!((said, accepted), (OK, one), "the lowest free number");
    host.write_all(b"x").expect("written");
    assert_eq!(guest.reads(accepted), b"x");
}
