//! HTTP of components: servers, whose clients are not friendly, and requests.

#[path = "../common/mod.rs"]
mod common;

mod guest;
mod hostile;
mod requests;
mod serving;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use undergo::{InstanceOptions, PoolOptions, ServeOptions, Server};

/// A server of that many instances.
fn serve(instances: usize, change: impl FnOnce(&mut ServeOptions)) -> Server {
    let mut options = ServeOptions::new(PoolOptions::new(instances, common::quiet()));
    change(&mut options);
    guest::server().serve("127.0.0.1:0", options).unwrap_or_else(|error| panic!("{error}"))
}

fn limits(options: &mut ServeOptions) -> &mut InstanceOptions {
    &mut options.pool.instance
}

/// A connection that fails rather than waits for ever.
fn connect(address: SocketAddr) -> TcpStream {
    let connection = TcpStream::connect(address).expect("a connection");
    connection.set_read_timeout(Some(Duration::from_secs(30))).expect("an option");
    connection
}

/// Sends these bytes, and returns all that comes until the server closes.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut connection = connect(address);
    // The server need not read all of it.
    let _ = connection.write_all(bytes);
    let mut all = Vec::new();
    // A reset ends it as well.
    let _ = connection.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

/// The status and the body of a GET.
fn get(server: &Server, path: &str) -> (u16, String) {
    answer(&raw(server.address(), format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes()))
}

/// The status and the body in the text of a response.
fn answer(text: &str) -> (u16, String) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {head:?}"));
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return (status, body.to_owned());
    }
    let (mut rest, mut whole) = (body, String::new());
    while let Some((size, more)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 || more.len() < size + 2 {
            break;
        }
        whole.push_str(&more[..size]);
        rest = &more[size + 2..];
    }
    (status, whole)
}

/// One response on a connection that goes on: its head and its body.
fn read_one(connection: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(connection.read(&mut byte).expect("a byte"), 1, "{:?}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    connection.read_exact(&mut body).expect("the body");
    (head, body)
}

/// Nothing more is sent.
fn half_close(connection: &TcpStream) {
    connection.shutdown(Shutdown::Write).expect("half of it");
}
