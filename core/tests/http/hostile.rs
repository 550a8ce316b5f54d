//! Guests that fail in each way, and clients that mean no good. The server lives.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use crate::{answer, connect, get, half_close, limits, raw, read_one, serve};

const BRIEF: Duration = Duration::from_millis(200);

#[test]
fn a_guest_that_fails_fails_its_request_alone() {
    let server = serve(1, |options| limits(options).limits.timeout = Some(BRIEF));
    for (path, status) in [("/trap", 500), ("/spin", 504), ("/never", 500), ("/leak", 500), ("/interim", 500)] {
        assert_eq!(get(&server, path).0, status, "{path}");
        assert_eq!(get(&server, "/"), (200, "hello\n".to_owned()), "behind {path}");
    }
    assert_eq!(server.stats().failed, 5);
}

#[test]
fn an_answer_that_ends_early_is_seen_to() {
    let server = serve(1, |options| limits(options).limits.timeout = Some(BRIEF));
    for path in ["/half", "/keep", "/wrong", "/endless"] {
        let text = raw(server.address(), format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes());
        let is_incomplete = if path == "/wrong" {
            text.ends_with("hello\n") && text.contains("content-length: 10\r\n")
        } else {
            !text.ends_with("0\r\n\r\n")
        };
        assert!(text.starts_with("HTTP/1.1 ") && is_incomplete, "{path}: {}", &text[..text.len().min(300)]);
        assert_eq!(get(&server, "/").0, 200, "behind {path}");
    }
}

#[test]
fn a_guest_that_keeps_everything_is_replaced() {
    let server = serve(1, |_| ());
    // Each keeps a few resources.
    for _ in 0..300 {
        assert_eq!(get(&server, "/leak").0, 500);
    }
    assert_eq!(get(&server, "/").0, 200);
    let stats = server.stats();
    assert!(stats.pool.died >= 1, "{stats:?}");
}

#[test]
fn who_is_too_many_is_refused() {
    let server = serve(1, |options| {
        options.queue = 1;
        limits(options).limits.timeout = Some(Duration::from_secs(2));
    });
    let address = server.address();
    let spin = || thread::spawn(move || answer(&raw(address, b"GET /spin HTTP/1.1\r\nHost: test\r\n\r\n")).0);
    let first = spin();
    while server.stats().pool.busy == 0 {
        thread::yield_now();
    }
    let second = spin();
    while server.stats().pool.waiting == 0 {
        thread::yield_now();
    }
    let text = raw(address, b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 503 ") && text.contains("retry-after: 1\r\n"), "{text}");
    assert_eq!(first.join().expect("no panic"), 504);
    // It waited for as long as it may.
    assert!(matches!(second.join().expect("no panic"), 503 | 504));
    assert_eq!(get(&server, "/").0, 200);
    assert!(server.stats().refused >= 1);
}

#[test]
fn smuggled_requests_reach_nobody() {
    let server = serve(1, |_| ());
    let next = "GET /trap HTTP/1.1\r\nHost: test\r\n\r\n";
    for head in [
        "POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\nHost: test\n\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: test\r\nX: a\nContent-Length: 36\r\n\r\n",
    ] {
        let text = raw(server.address(), format!("{head}{next}").as_bytes());
        let (status, _) = answer(&text);
        assert!(matches!(status, 400 | 501), "{head:?}: {text}");
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "{head:?}: {text}");
    }
    assert_eq!(server.stats().failed, 0);
}

#[test]
fn heads_and_bodies_have_bounds() {
    let server = serve(1, |options| options.body = 1000);
    let huge = format!("GET / HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    assert_eq!(answer(&raw(server.address(), huge.as_bytes())).0, 431);
    let many = format!("GET / HTTP/1.1\r\nHost: test\r\n{}\r\n", "X: y\r\n".repeat(1000));
    assert_eq!(answer(&raw(server.address(), many.as_bytes())).0, 431);
    let long = "POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n";
    assert_eq!(answer(&raw(server.address(), long.as_bytes())).0, 413);
    let chunked = format!("POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    assert_eq!(answer(&raw(server.address(), chunked.as_bytes())).0, 413);
    assert_eq!(get(&server, "/").0, 200);
}

#[test]
fn idle_connections_keep_nobody_out() {
    let server = serve(1, |options| options.connections = 50);
    let mut idle = Vec::new();
    for n in 0..500 {
        let mut connection = connect(server.address());
        if n % 2 == 0 {
            // A head that does not come to its end.
            connection.write_all(b"GET / HTTP/1.1\r\nHost: te").expect("sent");
        }
        idle.push(connection);
    }
    assert_eq!(get(&server, "/").0, 200);
    let stats = server.stats();
    assert!(stats.connections <= 50, "{stats:?}");
}

#[test]
fn a_slow_body_holds_no_instance() {
    let server = serve(1, |_| ());
    let mut slow = connect(server.address());
    slow.write_all(b"POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nx").expect("sent");
    for _ in 0..5 {
        assert_eq!(get(&server, "/").0, 200);
        slow.write_all(b"x").expect("sent");
    }
    assert_eq!(server.stats().pool.busy, 0);
    slow.write_all(&[b'x'; 94]).expect("sent");
    assert_eq!(read_one(&mut slow).1.len(), 100);
}

#[test]
fn a_client_that_reads_nothing_holds_no_instance_for_a_small_answer() {
    let server = serve(1, |_| ());
    let mut slow = connect(server.address());
    // A megabyte, of which the system takes a part.
    slow.write_all(b"POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 60000\r\n\r\n").expect("sent");
    slow.write_all(&[b'x'; 60_000]).expect("sent");
    let begun = Instant::now();
    assert_eq!(get(&server, "/").0, 200);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_client_that_leaves_frees_its_instance() {
    let server = serve(1, |_| ());
    for request in ["GET /spin HTTP/1.1\r\nHost: test\r\n\r\n", "GET /endless HTTP/1.1\r\nHost: test\r\n\r\n"] {
        let mut connection = connect(server.address());
        connection.write_all(request.as_bytes()).expect("sent");
        while server.stats().pool.busy == 0 {
            thread::yield_now();
        }
        drop(connection);
        let begun = Instant::now();
        assert_eq!(get(&server, "/").0, 200, "{request}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{request}: {:?}", begun.elapsed());
    }
    // In the middle of a body.
    let mut connection = connect(server.address());
    connection.write_all(b"POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nx").expect("sent");
    half_close(&connection);
    let mut rest = Vec::new();
    let _ = connection.read_to_end(&mut rest);
    assert_eq!(get(&server, "/").0, 200);
}

#[test]
fn any_bytes_are_answered_or_closed() {
    let server = serve(1, |_| ());
    let mut random = crate::common::Random::new(11);
    let request = b"POST /x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for _ in 0..300 {
        let mut bytes = request.to_vec();
        random.damage(&mut bytes);
        let mut connection = connect(server.address());
        let _ = connection.write_all(&bytes);
        half_close(&connection);
        let mut all = Vec::new();
        let _ = connection.read_to_end(&mut all);
        assert!(all.is_empty() || all.starts_with(b"HTTP/1.1 "), "{:?}", String::from_utf8_lossy(&all));
    }
    assert_eq!(get(&server, "/").0, 200);
}
