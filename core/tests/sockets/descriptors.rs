//! What a socket is as a descriptor, and where listeners that the host hands in are.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use undergo::Dir;

use crate::guest::{BADF, BYTES, DATAGRAM, Guest, INVAL, NONBLOCK, NOTSOCK, NOTSUP, OK, RESULT, SPIPE, STREAM, V4, options, second};

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
