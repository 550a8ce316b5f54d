//! Requests of guests, which keep to the rules for the network.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use undergo::{Network, Server};

use crate::{get, limits, serve};

/// What the guest says that its request has failed with: the number of the error code, from `A` on.
fn failure(number: u8) -> (u16, String) {
    (502, char::from(b'A' + number).to_string())
}

const NOT_FOUND: u8 = 2;
const PROHIBITED: u8 = 4;
const REFUSED: u8 = 6;
const INCOMPLETE: u8 = 25;
const DENIED: u8 = 15;
const LIMIT: u8 = 11;
const INVALID_URI: u8 = 19;
const PROTOCOL: u8 = 35;

/// A server whose guest may connect by these rules.
fn proxy(rules: &[&str]) -> Server {
    let network = Network::new(rules).expect("rules");
    serve(2, |options| limits(options).sandbox.network = network)
}

/// A peer that answers each connection with these bytes.
fn peer(response: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let mut connection = connection;
            let mut request = Vec::new();
            let mut piece = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match connection.read(&mut piece) {
                    Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
                    _ => break,
                }
            }
            assert!(request.starts_with(b"GET / HTTP/1.1\r\nhost: "), "{:?}", String::from_utf8_lossy(&request));
            let _ = connection.write_all(response);
        }
    });
    address
}

#[test]
fn what_the_rules_allow_is_asked() {
    let answered = peer(b"HTTP/1.1 203 OK\r\nContent-Length: 5\r\n\r\nfound");
    let server = proxy(&["127.0.0.1:*"]);
    assert_eq!(get(&server, &format!("/proxy?{answered}")), (203, "found".to_owned()));
    let chunked =
        peer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfou\r\n2\r\nnd\r\n0\r\n\r\n");
    assert_eq!(get(&server, &format!("/proxy?{chunked}")), (200, "found".to_owned()));
    let until_closed = peer(b"HTTP/1.0 200 OK\r\n\r\nfound");
    assert_eq!(get(&server, &format!("/proxy?{until_closed}")), (200, "found".to_owned()));
    // By a name that is this machine's, which the rule has.
    let port = answered.rsplit_once(':').expect("a port").1;
    let server = proxy(&["localhost:*"]);
    assert_eq!(get(&server, &format!("/proxy?localhost:{port}")).0, 203);
}

#[test]
fn what_they_do_not_allow_is_denied() {
    let address = peer(b"HTTP/1.1 200 OK\r\n\r\n");
    let port = address.rsplit_once(':').expect("a port").1.to_owned();
    for rules in [&[][..], &["10.0.0.0/8:*"], &["127.0.0.1:1"], &["example.org:443"], &["listen=any"]] {
        let server = proxy(rules);
        assert_eq!(get(&server, &format!("/proxy?{address}")), failure(DENIED), "{rules:?}");
        assert_eq!(get(&server, "/proxy?metadata.google.internal"), failure(DENIED), "{rules:?}");
        // Other forms of the same address.
        for host in ["[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "localhost"] {
            let got = get(&server, &format!("/proxy?{host}:{port}"));
            assert!(got == failure(DENIED) || got == failure(PROHIBITED), "{rules:?} {host}: {got:?}");
        }
        for host in ["127.1", "0x7f000001", "2130706433", "user@127.0.0.1", "a_b..c"] {
            let got = get(&server, &format!("/proxy?{host}:{port}"));
            assert!(got == failure(INVALID_URI) || got.0 == 500, "{rules:?} {host}: {got:?}");
        }
    }
}

/// A name that anybody controls can stand for this machine, or for what gives out its secrets.
#[test]
fn a_name_does_not_stand_for_this_machine() {
    let address = peer(b"HTTP/1.1 200 OK\r\n\r\n");
    let port = address.rsplit_once(':').expect("a port").1;
    let server = proxy(&["*.localhost:*"]);
    assert_eq!(get(&server, &format!("/proxy?evil.localhost:{port}")), failure(PROHIBITED));
}

#[test]
fn peers_that_misbehave_are_errors() {
    let server = proxy(&["127.0.0.1:*"]);
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    assert_eq!(get(&server, &format!("/proxy?{gone}")), failure(REFUSED));
    for (response, error) in [
        (&b""[..], INCOMPLETE),
        (b"HTTP/1.1 200 OK\r\nContent-Le", INCOMPLETE),
        (b"SSH-2.0-OpenSSH\r\n\r\n", PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", PROTOCOL),
    ] {
        let address = peer(response);
        assert_eq!(get(&server, &format!("/proxy?{address}")), failure(error), "{:?}", String::from_utf8_lossy(response));
    }
    // An answer that ends early is one for the client of the guest, too.
    let short = peer(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nfound");
    assert_eq!(get(&server, &format!("/proxy?{short}")).1, "found");
}

#[test]
fn a_peer_that_never_answers_ends_with_the_call() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let network = Network::new(["127.0.0.1:*"]).expect("rules");
    let server = serve(1, |options| {
        limits(options).sandbox.network = network;
        limits(options).limits.timeout = Some(Duration::from_millis(200));
    });
    let begun = Instant::now();
    assert_eq!(get(&server, &format!("/proxy?{}", silent.local_addr().expect("an address"))).0, 504);
    assert!(begun.elapsed() < Duration::from_secs(10));
    // The connection has ended as well.
    let (mut connection, _) = silent.accept().expect("it was made");
    connection.set_read_timeout(Some(Duration::from_secs(20))).expect("an option");
    let mut all = Vec::new();
    assert!(connection.read_to_end(&mut all).is_ok(), "closed by the guest's end");
}

#[test]
fn connections_are_limited() {
    let network = Network::new(["127.0.0.1:*"]).expect("rules");
    let server = serve(1, |options| {
        limits(options).sandbox.network = network;
        limits(options).limits.descriptors = Some(0);
    });
    assert_eq!(get(&server, "/proxy?127.0.0.1:1"), failure(LIMIT));
}

#[test]
fn names_that_nobody_has_are_not_found() {
    let server = proxy(&["nobody.invalid:80"]);
    let got = get(&server, "/proxy?nobody.invalid");
    assert!(got == failure(1) || got == failure(NOT_FOUND), "{got:?}");
}

/// What the tests of HTTPS need to trust is read from the environment, once for a process.
#[cfg(feature = "tls")]
#[test]
fn https_trusts_those_who_are_known() {
    let this = std::env::current_exe().expect("this program");
    let known = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/tls/ca.pem");
    for (trusted, expected) in [(Some(known), "200 found, 502 N"), (None, "502 N, 502 N"), (Some("/nowhere"), "502 N, 502 N")] {
        let mut command = std::process::Command::new(&this);
        command.args(["--exact", "requests::by_https", "--ignored", "--nocapture"]).env_remove("SSL_CERT_FILE");
        if let Some(trusted) = trusted {
            command.env("SSL_CERT_FILE", trusted);
        }
        let done = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(said.contains(&format!("({expected})")), "{trusted:?}: {said} {}", String::from_utf8_lossy(&done.stderr));
    }
}

/// Asks a server by its name, and by its address, which its certificate does not have.
#[cfg(feature = "tls")]
#[test]
#[ignore = "run by the test above"]
fn by_https() {
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/leaf.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/leaf.key")).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).expect("a server"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let tls = rustls::ServerConnection::new(config.clone()).expect("a connection");
            let mut stream = rustls::StreamOwned::new(tls, connection);
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfound");
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    let server = proxy(&["127.0.0.1:*", "localhost:*"]);
    let ask = |host: &str| {
        let (status, text) = get(&server, &format!("/quiet?{host}:{port}"));
        format!("{status} {text}")
    };
    println!("({}, {})", ask("localhost"), ask("127.0.0.1"));
}
