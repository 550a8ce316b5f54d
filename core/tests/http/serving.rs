//! What a server does for its clients, and how it ends.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use undergo::{ErrorKind, ErrorSink, ServeOptions, Server};

use crate::common::{expect, quiet};
use crate::{answer, connect, get, guest, raw, read_one, serve};

#[test]
fn requests_are_answered() {
    let server = serve(2, |_| ());
    assert_eq!(get(&server, "/"), (200, "hello\n".to_owned()));
    let text = raw(server.address(), b"HEAD / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    let text = raw(server.address(), b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(answer(&text), (200, "hello\n".to_owned()), "{text}");
    assert!(text.contains("\r\ndate: ") && text.contains("connection: close"), "{text}");
    let stats = server.stats();
    assert_eq!((stats.requests, stats.failed, stats.refused), (3, 0, 0), "{stats:?}");
}

#[test]
fn bodies_of_any_form_cross() {
    let server = serve(2, |_| ());
    for size in [0, 1, 4096, 70_000, 1_000_000] {
        let body: String = (0..size).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
        let head = format!("POST /x HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n");
        let text = raw(server.address(), &[head.as_bytes(), body.as_bytes()].concat());
        assert!(answer(&text) == (200, body.clone()), "{size}: {}", &text[..text.len().min(300)]);
        let mut chunked = b"POST /x HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for piece in body.as_bytes().chunks(999) {
            chunked.extend(format!("{:x};x=y\r\n", piece.len()).into_bytes());
            chunked.extend_from_slice(piece);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\nX-Trailer: 1\r\n\r\n");
        assert!(answer(&raw(server.address(), &chunked)) == (200, body), "{size}");
    }
}

#[test]
fn a_connection_is_used_again() {
    let server = serve(1, |_| ());
    let mut connection = connect(server.address());
    for _ in 0..3 {
        connection.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("sent");
        assert_eq!(read_one(&mut connection).1, b"hello\n");
    }
    // Both at once, and a body in between.
    connection
        .write_all(b"POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nokGET / HTTP/1.1\r\nHost: test\r\n\r\n")
        .expect("sent");
    assert_eq!(read_one(&mut connection).1, b"ok");
    assert_eq!(read_one(&mut connection).1, b"hello\n");
    assert_eq!(server.stats().connections, 1);
}

#[test]
fn a_client_that_waits_to_be_told_is_told() {
    let server = serve(1, |_| ());
    let mut connection = connect(server.address());
    connection.write_all(b"POST /x HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").expect("sent");
    assert!(read_one(&mut connection).0.starts_with("HTTP/1.1 100 "));
    connection.write_all(b"ok").expect("sent");
    assert_eq!(read_one(&mut connection).1, b"ok");
}

#[test]
fn instances_keep_their_state_unless_each_request_gets_a_fresh_one() {
    let server = serve(1, |_| ());
    assert_eq!((get(&server, "/c").1.as_str(), get(&server, "/c").1.as_str()), ("hello\n1", "hello\n2"));
    let server = serve(1, |options| options.pool.max_calls = Some(1));
    assert_eq!((get(&server, "/c").1.as_str(), get(&server, "/c").1.as_str()), ("hello\n1", "hello\n1"));
}

#[test]
fn many_clients_share_few_instances() {
    let server = serve(2, |_| ());
    thread::scope(|scope| {
        for _ in 0..16 {
            let server = &server;
            scope.spawn(move || {
                let mut connection = connect(server.address());
                for _ in 0..50 {
                    connection.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("sent");
                    assert_eq!(read_one(&mut connection).1, b"hello\n");
                }
            });
        }
    });
    let stats = server.stats();
    assert_eq!((stats.requests, stats.refused, stats.failed), (800, 0, 0), "{stats:?}");
    assert!(stats.pool.made <= 2, "{stats:?}");
}

#[test]
fn a_server_ends_behind_its_requests() {
    let server = serve(1, |options| options.pool.instance.limits.timeout = Some(Duration::from_millis(500)));
    let idle = connect(server.address());
    let address = server.address();
    let running = thread::spawn(move || answer(&raw(address, b"GET /spin HTTP/1.1\r\nHost: test\r\n\r\n")).0);
    while server.stats().pool.busy == 0 {
        thread::yield_now();
    }
    let begun = Instant::now();
    server.close(Some(Duration::from_secs(20))).expect("in time");
    assert_eq!(running.join().expect("no panic"), 504);
    assert!(begun.elapsed() < Duration::from_secs(10), "the idle one is not waited for");
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
    server.close(None).expect("once more");
    assert!(server.is_closed());
    drop(idle);
}

#[test]
fn what_does_not_end_in_time_is_ended() {
    let server = serve(1, |_| ());
    let address = server.address();
    let running = thread::spawn(move || raw(address, b"GET /spin HTTP/1.1\r\nHost: test\r\n\r\n"));
    while server.stats().pool.busy == 0 {
        thread::yield_now();
    }
    let begun = Instant::now();
    expect(&server.close(Some(Duration::from_millis(50))).expect_err("it spins"), ErrorKind::Timeout, &["still running"]);
    running.join().expect("no panic");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_server_that_is_dropped_ends() {
    let server = serve(1, |_| ());
    let address = server.address();
    let connection = connect(address);
    drop(server);
    let begun = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it listens still");
        thread::sleep(Duration::from_millis(5));
    }
    drop(connection);
}

#[test]
fn failures_are_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let errors = told.clone();
    let server = serve(1, |options| {
        options.errors = Some(ErrorSink::new(move |error| errors.lock().expect("no panic").push(error.kind())));
    });
    assert_eq!((get(&server, "/trap").0, get(&server, "/").0, get(&server, "/never").0), (500, 200, 500));
    assert_eq!(*told.lock().expect("no panic"), [ErrorKind::Trap, ErrorKind::Trap]);
}

/// A server of the asking guest, with a function that answers it.
fn ask(instances: usize, change: impl FnOnce(&mut ServeOptions), answer: impl Fn(char) -> u32 + Send + Sync + 'static) -> Server {
    let mut options = ServeOptions::new(undergo::PoolOptions::new(instances, quiet()));
    options.pool.instance.imports.function("test:host/ask", "ask", move |what: u32| answer(char::from_u32(what).unwrap_or_default()));
    change(&mut options);
    guest::asking().serve("127.0.0.1:0", options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn functions_of_the_host_hold_nobody_else_up() {
    let (sent, begun) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let gone = Mutex::new(gone);
    let server = ask(
        64,
        |_| (),
        move |what| {
            if what == 'w' {
                sent.send(()).expect("somebody waits");
                gone.lock().expect("no panic").recv().expect("somebody sends");
            }
            200 + u32::from(what == 'w')
        },
    );
    thread::scope(|scope| {
        // More than there are threads.
        let waiting: Vec<_> = (0..40).map(|_| scope.spawn(|| get(&server, "/aw").0)).collect();
        for _ in &waiting {
            begun.recv_timeout(Duration::from_secs(30)).expect("it begins");
        }
        assert_eq!((get(&server, "/ax").0, get(&server, "/").0), (200, 200));
        for _ in &waiting {
            go.send(()).expect("sent");
        }
        assert!(waiting.into_iter().all(|request| request.join().expect("no panic") == 201));
    });
}

/// What closing a server has come to, where it was closed by one of its own requests.
type Ended = Arc<Mutex<Vec<ErrorKind>>>;

fn close(server: &OnceLock<Server>, ended: &Ended) {
    let error = server.get().expect("it is there").close(None).expect_err("it can't wait");
    ended.lock().expect("no panic").push(error.kind());
}

#[test]
fn a_request_can_t_wait_for_itself_when_it_ends_its_server() {
    for path in ["/a1", "/trap"] {
        let (own, ended): (Arc<OnceLock<Server>>, Ended) = Default::default();
        let (there, seen, here, known) = (own.clone(), ended.clone(), own.clone(), ended.clone());
        let asked = move |_| {
            close(&here, &known);
            202
        };
        let server = ask(1, |options| options.errors = Some(ErrorSink::new(move |_| close(&there, &seen))), asked);
        assert!(own.set(server.clone()).is_ok());
        assert_eq!(get(&server, path).0, if path == "/a1" { 202 } else { 500 });
        assert!(server.is_closed());
        server.close(Some(Duration::from_secs(20))).expect("it has ended behind the request");
        assert_eq!(*ended.lock().expect("no panic"), [ErrorKind::Busy]);
        assert!(TcpStream::connect(server.address()).is_err());
    }
}

#[test]
fn without_a_queue_only_what_finds_an_instance_is_answered() {
    let (sent, begun) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let wait = move |_| {
        sent.send(()).expect("somebody waits");
        gone.lock().expect("no panic").recv().expect("somebody sends");
        200
    };
    let server = ask(1, |options| options.queue = 0, wait);
    thread::scope(|scope| {
        let first = scope.spawn(|| get(&server, "/a1").0);
        begun.recv_timeout(Duration::from_secs(30)).expect("it begins");
        assert_eq!(get(&server, "/").0, 503);
        go.send(()).expect("sent");
        assert_eq!(first.join().expect("no panic"), 200);
    });
    assert_eq!((server.stats().refused, get(&server, "/").0), (1, 200));
}

#[test]
fn what_is_no_server_is_refused() {
    let options = || ServeOptions::new(undergo::PoolOptions::new(1, quiet()));
    let module = crate::common::plugin(r#"(module (func (export "_start")))"#).expect("a command");
    expect(&module.serve("127.0.0.1:0", options()).expect_err("no server"), ErrorKind::InvalidPlugin, &["wasi:http/incoming-handler"]);
    let server = guest::server();
    for wrong in ["", "127.0.0.1", "example.org:80", "127.0.0.1:99999"] {
        expect(&server.serve(wrong, options()).expect_err(wrong), ErrorKind::TypeMismatch, &["no address"]);
    }
    let taken = serve(1, |_| ());
    expect(&server.serve(&taken.address().to_string(), options()).expect_err("taken"), ErrorKind::Denied, &["listen"]);
    let none = ServeOptions { connections: 0, ..options() };
    expect(&server.serve("127.0.0.1:0", none).expect_err("none"), ErrorKind::TypeMismatch, &["connections"]);
    expect(&server.instantiate(quiet()).expect_err("a server"), ErrorKind::InvalidPlugin, &["wasi:http/incoming-handler"]);
}
