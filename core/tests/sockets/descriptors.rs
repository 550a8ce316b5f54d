//! What a socket is as a descriptor, and where listeners that the host hands in are.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::SockRef;
use undergo::Dir;

use crate::guest::{
    BADF, BYTES, DATAGRAM, FAULT, Guest, INVAL, MFILE, NONBLOCK, NOTSOCK, NOTSUP, OK, PERM, RESULT, SPIPE, STREAM, V4, options, second,
};
use crate::waits::{CLOCK, READ, poll};

#[test]
fn a_socket_is_a_descriptor_of_its_kind() {
    let guest = Guest::new(&["any"]);
    for (kind, file_type) in [(STREAM, 6), (DATAGRAM, 5)] {
        let fd = guest.open(V4, kind);
        guest.ok("fd_fdstat_get", &[fd, BYTES.into()]);
        assert_eq!(guest.bytes(BYTES, 4), [file_type, 0, 0, 0]);
        guest.set_nonblocking(fd);
        guest.ok("fd_fdstat_get", &[fd, BYTES.into()]);
        assert_eq!(guest.bytes(BYTES, 4), [file_type, 0, NONBLOCK as u8, 0]);
        assert_eq!(guest.call("fd_fdstat_set_flags", &[fd, 1]), INVAL);
        guest.ok("fd_filestat_get", &[fd, BYTES.into()]);
        assert_eq!(guest.bytes(BYTES + 16, 1), [file_type]);
        assert_eq!(guest.call("fd_seek", &[fd, 0, 0, RESULT.into()]), SPIPE);
        assert_eq!(guest.call("fd_prestat_get", &[fd, RESULT.into()]), BADF);
        guest.ok("fd_close", &[fd]);
        for (function, args) in [("fd_close", vec![fd]), ("fd_fdstat_get", vec![fd, BYTES.into()]), ("sock_listen", vec![fd, 1])] {
            assert_eq!(guest.call(function, &args), BADF, "{function}");
        }
        assert_eq!(guest.read(fd).expect("a call"), Err(BADF));
    }
}

#[test]
fn a_socket_takes_the_number_of_another() {
    let host = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let to = host.local_addr().expect("an address");
    let guest = Guest::new(&["any"]);
    let (one, two) = (guest.open(V4, STREAM), guest.open(V4, STREAM));
    assert_eq!(guest.connect(one, to), OK);
    let (mut connected, _) = host.accept().expect("a connection");
    guest.ok("fd_renumber", &[one, two]);
    guest.ok("fd_renumber", &[two, two]);
    assert_eq!(guest.write(one, b"x"), BADF);
    assert_eq!(guest.write(two, b"x"), OK);
    assert_eq!(connected.read(&mut [0; 4]).expect("a byte"), 1);
    assert_eq!(guest.call("fd_renumber", &[two, 1]), NOTSUP, "a file's number");
    assert_eq!(guest.call("fd_renumber", &[1, two]), NOTSUP);
    assert_eq!(guest.call("fd_renumber", &[one, two]), NOTSUP);
    assert_eq!(guest.call("fd_renumber", &[one, one + 50]), BADF);
}

#[test]
fn listeners_that_are_handed_in_are_behind_the_directories() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "text").expect("written");
    let mut options = options(&[]);
    options.sandbox.dirs = vec![("/".to_owned(), Dir { path: folder.path().into(), readonly: true })];
    let addresses = [0, 1].map(|_| options.sandbox.network.open("127.0.0.1:0").expect("a listener"));
    let guest = Guest::with(second(), options);
    guest.ok("fd_prestat_get", &[3, RESULT.into()]);
    assert_eq!(guest.call("sock_accept", &[3, 0, RESULT.into()]), NOTSOCK);
    for (fd, address) in (4..).zip(addresses) {
        assert_eq!(guest.call("fd_prestat_get", &[fd, RESULT.into()]), BADF, "the end of the directories");
        guest.ok("fd_fdstat_get", &[fd, BYTES.into()]);
        assert_eq!(guest.bytes(BYTES, 1), [6]);
        assert_eq!(guest.local(fd), address);
        let mut host = TcpStream::connect(address).expect("a connection");
        let (said, accepted) = guest.accept(fd).expect("a call");
        assert_eq!(said, OK, "without any rule");
        host.write_all(b"hello").expect("written");
        assert_eq!(guest.reads(accepted), b"hello");
    }
    assert_eq!(guest.call("fd_fdstat_get", &[6, BYTES.into()]), BADF);
    // Files come behind them, and in their place only when they are closed.
    let open = || {
        guest.put(BYTES, b"file");
        guest.ok("path_open", &[3, 0, BYTES.into(), 4, 0, 2, 0, 0, RESULT.into()]);
        guest.word(RESULT)
    };
    assert_eq!(open(), 6);
    guest.ok("fd_close", &[4]);
    assert_eq!(open(), 4);
    assert_eq!(guest.reads(4), b"text");
    // A listener of a listener's number: its own is free.
    guest.ok("fd_close", &[5]);
    assert_eq!(guest.call("fd_close", &[5]), BADF);
}

#[test]
fn instances_share_a_listener() {
    let mut options = options(&[]);
    let address = options.sandbox.network.open("127.0.0.1:0").expect("a listener");
    let guests = [0, 1].map(|_| Guest::with(second(), options.clone()));
    for guest in &guests {
        let mut host = TcpStream::connect(address).expect("a connection");
        let (said, accepted) = guest.accept(3).expect("a call");
        assert_eq!(said, OK);
        host.write_all(b"one of many").expect("written");
        assert_eq!(guest.reads(accepted), b"one of many");
    }
    guests[0].instance.reset(&crate::common::PLAIN).expect("a reset");
    let _host = TcpStream::connect(address).expect("a connection");
    assert_eq!(guests[0].accept(3).expect("a call").0, OK, "a guest made anew has it again");
}

/// A listener of the host's that two guests have, and its address.
fn shared() -> (TcpListener, SocketAddr, [Guest; 2]) {
    let host = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let at = host.local_addr().expect("an address");
    let mut options = options(&["any"]);
    options.sandbox.network.give(host.try_clone().expect("the same")).expect("a listener");
    let guests = [0, 1].map(|_| Guest::with(second(), options.clone()));
    (host, at, guests)
}

#[test]
fn what_a_guest_does_to_a_shared_listener_is_for_itself_alone() {
    let (host, at, [evil, honest]) = shared();
    let before = {
        let host = SockRef::from(&host);
        let buffers = (host.recv_buffer_size().expect("a size"), host.send_buffer_size().expect("a size"));
        (host.reuse_address().expect("an option"), host.keepalive().expect("an option"), host.tcp_nodelay().expect("an option"), buffers)
    };
    // Options, and how many may wait.
    for (level, name, value) in
        [(0, 0, &[0; 4][..]), (0, 5, &[0, 8, 0, 0]), (0, 6, &[0, 8, 0, 0]), (0, 7, &[1, 0, 0, 0]), (6, 15, &[1, 0, 0, 0])]
    {
        evil.put(BYTES, value);
        assert_eq!(evil.call("sock_setsockopt", &[3, level, name, BYTES.into(), value.len() as i64]), PERM, "{level} {name}");
    }
    evil.put(BYTES, &[1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(evil.call("sock_setsockopt", &[3, 0, 9, BYTES.into(), 8]), PERM, "who accepts would drop connections");
    evil.ok("sock_setsockopt", &[3, 0, 11, BYTES.into(), 16]);
    evil.ok("sock_listen", &[3, 0]);
    let [to, port] = evil.address(([127, 0, 0, 1], 0).into());
    assert_ne!(evil.call("sock_bind", &[3, to, port]), OK);
    assert_ne!(evil.connect(3, at), OK);
    let after = SockRef::from(&host);
    let buffers = (after.recv_buffer_size().expect("a size"), after.send_buffer_size().expect("a size"));
    let now = (
        after.reuse_address().expect("an option"),
        after.keepalive().expect("an option"),
        after.tcp_nodelay().expect("an option"),
        buffers,
    );
    assert_eq!(now, before);
    let held: Vec<_> = (0..8).map(|_| TcpStream::connect(at).expect("there is room for it to wait")).collect();
    for _ in &held {
        assert_eq!(honest.accept(3).expect("a call").0, OK);
    }
    // The end, of one direction and of both: more is not sent there anyhow.
    evil.ok("sock_shutdown", &[3, 2]);
    evil.set_nonblocking(3);
    assert_eq!(evil.call("sock_shutdown", &[3, 0]), INVAL);
    evil.ok("sock_shutdown", &[3, 3]);
    assert_eq!(evil.accept(3).expect("a call").0, INVAL);
    assert_eq!(evil.call("sock_listen", &[3, 5]), INVAL);
    assert_eq!(poll(&evil, &[(READ, 3, 0), (CLOCK, 0, u64::MAX / 4)]).expect("a call"), [(0, 0, READ)]);
    let _mine = TcpStream::connect(at).expect("a connection");
    assert_eq!(honest.accept(3).expect("a call").0, OK);
    let _another = TcpStream::connect(at).expect("a connection");
    host.accept().expect("the host's own");
    // A guest that is made anew has it as it was given.
    evil.instance.reset(&crate::common::PLAIN).expect("a reset");
    let _last = TcpStream::connect(at).expect("a connection");
    assert_eq!(evil.accept(3).expect("a call").0, OK);
}

#[test]
fn a_guests_own_listener_ends_as_the_system_has_it() {
    let guest = Guest::new(&["any"]);
    let fd = guest.open(V4, STREAM);
    let at = guest.listen(fd);
    guest.ok("sock_shutdown", &[fd, 3]);
    assert_eq!(guest.accept(fd).expect("a call").0, INVAL);
    assert!(TcpStream::connect(at).is_err());
}

#[cfg(unix)]
#[test]
fn a_guest_holds_so_many_descriptors_of_all_kinds() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("f"), "text").expect("written");
    let mut options = options(&["any"]);
    options.sandbox.dirs = vec![("/".to_owned(), Dir { path: folder.path().into(), readonly: false })];
    let at = options.sandbox.network.open("127.0.0.1:0").expect("a listener");
    options.limits.descriptors = Some(4);
    let guest = Guest::with(second(), options);
    let open = |how: i64| {
        guest.put(BYTES, b"f.");
        let (path, len) = if how == 2 { (1, 1) } else { (0, 1) };
        match guest.call("path_open", &[3, 0, i64::from(BYTES) + path, len, how, 2, 0, 0, RESULT.into()]) {
            OK => Ok(i64::from(guest.word(RESULT))),
            said => Err(said),
        }
    };
    let file = open(0).expect("a file");
    let dir = open(2).expect("a directory");
    let socket = guest.open(V4, STREAM);
    let _host = TcpStream::connect(at).expect("a connection");
    let (said, accepted) = guest.accept(4).expect("a call");
    assert_eq!(said, OK);
    // Neither the sandbox's directory, nor the listener, nor the standard streams count.
    let full = || {
        assert_eq!((open(0), open(2)), (Err(MFILE), Err(MFILE)));
        assert_eq!(guest.call("sock_open", &[V4, DATAGRAM, RESULT.into()]), MFILE);
        assert_eq!(guest.accept(4).expect("a call").0, MFILE, "it does not wait");
    };
    full();
    for fd in [file, dir, socket, accepted] {
        guest.ok("fd_close", &[fd]);
        assert!(open(0).is_ok());
        full();
    }
    // What is written over is closed.
    let (one, two) = (5, 6);
    guest.ok("fd_renumber", &[one, two]);
    guest.ok("fd_renumber", &[two, two]);
    assert!(open(0).is_ok());
    full();
    assert_eq!(guest.call("fd_close", &[77]), BADF);
    full();
    // To close what did not count gives no room.
    guest.ok("fd_close", &[4]);
    guest.ok("fd_close", &[0]);
    guest.ok("fd_close", &[3]);
    assert_eq!(guest.call("sock_open", &[V4, DATAGRAM, RESULT.into()]), MFILE);
    guest.instance.reset(&crate::common::PLAIN).expect("a reset");
    assert!(open(0).is_ok(), "a guest made anew has none");
}

/// The listeners that are handed in don't count; what takes their numbers does, and they don't
/// where they are moved to.
#[test]
fn a_socket_counts_whatever_number_it_has() {
    let mut options = options(&["any"]);
    for _ in 0..2 {
        options.sandbox.network.open("127.0.0.1:0").expect("a listener");
    }
    options.limits.descriptors = Some(2);
    let guest = Guest::with(second(), options);
    let full = || assert_eq!(guest.call("sock_open", &[V4, DATAGRAM, RESULT.into()]), MFILE);
    let (one, two) = (guest.open(V4, STREAM), guest.open(V4, STREAM));
    full();
    // The first listener is gone, and a socket has its number.
    guest.ok("fd_renumber", &[one, 3]);
    full();
    // The second listener has the number of a socket, which is gone.
    guest.ok("fd_renumber", &[4, two]);
    let third = guest.open(V4, STREAM);
    full();
    guest.ok("fd_renumber", &[two, third]);
    let _fourth = guest.open(V4, STREAM);
    full();
    guest.ok("fd_close", &[3]);
    guest.open(V4, STREAM);
    full();
}

#[test]
fn nothing_is_opened_whose_number_has_no_place() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("f"), "text").expect("written");
    let mut options = options(&["any"]);
    options.sandbox.dirs = vec![("/".to_owned(), Dir { path: folder.path().into(), readonly: false })];
    let guest = Guest::with(second(), options);
    guest.put(BYTES, b"fg");
    for place in [-4, 65_533, 65_536] {
        assert_eq!(guest.call("path_open", &[3, 0, BYTES.into(), 1, 0, 2, 0, 0, place]), FAULT, "{place}");
        assert_eq!(guest.call("path_open", &[3, 0, i64::from(BYTES) + 1, 1, 1, 64, 0, 0, place]), FAULT, "{place}");
    }
    assert!(!folder.path().join("g").exists());
    guest.ok("path_open", &[3, 0, BYTES.into(), 1, 0, 2, 0, 0, RESULT.into()]);
    assert_eq!(guest.word(RESULT), 4, "the first there is");
}
