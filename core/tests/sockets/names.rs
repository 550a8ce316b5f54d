//! `sock_getaddrinfo`.

use std::net::{IpAddr, SocketAddr, TcpListener};

use crate::guest::{ACCES, BYTES, FAULT, Guest, NOENT, OK, RESULT, RESULT_2, RESULT_3, STREAM, V4};

const NODES: u32 = 8192;
const STEP: u32 = 128;

/// Looks up, with a list of so many nodes whose places for addresses have that size; gives the
/// addresses, or the number.
fn look_up(guest: &Guest, node: &str, service: &str, hints: [u8; 4], nodes: u32, size: u32) -> Result<Vec<SocketAddr>, i64> {
    for i in 0..nodes {
        let (at, next) = (NODES + i * STEP, if i + 1 < nodes { NODES + (i + 1) * STEP } else { 0 });
        let words = [0, 0, 0, at + 32, 0, 0, next];
        guest.put(at, &words.map(u32::to_le_bytes).concat());
        guest.put(at + 32, &[0, size, at + 64, 0].map(u32::to_le_bytes).concat());
        guest.put(at + 64, &[0; 26]);
    }
    guest.put(RESULT, &NODES.to_le_bytes());
    guest.put(BYTES, &[node.as_bytes(), &[0], service.as_bytes(), &[0]].concat());
    guest.put(RESULT_3, &[&hints[..], &[0; 24]].concat());
    let (node_len, service_len) = (node.len() as i64 + 1, service.len() as i64 + 1);
    let at = i64::from(BYTES);
    let args = [at, node_len, at + node_len, service_len, RESULT_3.into(), RESULT.into(), nodes.into(), RESULT_2.into()];
    match guest.call("sock_getaddrinfo", &args) {
        OK => Ok((0..guest.word(RESULT_2)).map(|i| found(guest, NODES + i * STEP)).collect()),
        said => Err(said),
    }
}

fn found(guest: &Guest, at: u32) -> SocketAddr {
    let data = guest.bytes(at + 64, 18);
    let port = u16::from_be_bytes([data[0], data[1]]);
    let family = guest.bytes(at + 2, 1)[0];
    assert_eq!((guest.word(at + 8), guest.word(at + 32)), (16, family.into()));
    let ip: IpAddr = match family {
        1 => <[u8; 4]>::try_from(&data[2..6]).expect("4 bytes").into(),
        2 => <[u8; 16]>::try_from(&data[2..18]).expect("16 bytes").into(),
        other => panic!("family {other}"),
    };
    SocketAddr::new(ip, port)
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

#[test]
fn names_and_numbers_are_looked_up() {
    let guest = Guest::new(&["localhost:*"]);
    let any = [0, 0, 0, 2];
    assert_eq!(look_up(&guest, "localhost", "80", any, 8, 26), Ok(vec![at("127.0.0.1:80"), at("[::1]:80")]));
    assert_eq!(look_up(&guest, "localhost", "80", any, 8, 14), Ok(vec![at("127.0.0.1:80"), at("[::1]:80")]), "14 has room for 26");
    assert_eq!(look_up(&guest, "localhost", "https", [0, 0, 1, 2], 8, 26), Ok(vec![at("127.0.0.1:443")]));
    assert_eq!(look_up(&guest, "localhost", "", [0, 0, 2, 2], 8, 26), Ok(vec![at("[::1]:0")]));
    assert_eq!(look_up(&guest, "localhost", "80", any, 1, 26), Ok(vec![at("127.0.0.1:80")]), "as many as there is room for");
    assert_eq!(look_up(&guest, "10.1.2.3", "5", any, 8, 26), Ok(vec![at("10.1.2.3:5")]), "that asks nobody");
    assert_eq!(look_up(&guest, "", "80", [1, 0, 0, 2], 8, 26), Ok(vec![at("0.0.0.0:80"), at("[::]:80")]));
    assert_eq!(look_up(&guest, "", "80", any, 8, 26), Ok(vec![at("127.0.0.1:80"), at("[::1]:80")]));
    assert_eq!(look_up(&guest, "localhost", "80", any, 8, 5), Err(FAULT));
    assert_eq!(look_up(&guest, "localhost", "no-service", any, 8, 26), Err(NOENT));
    assert_eq!(look_up(&guest, "localhost", "80", [4, 0, 0, 2], 8, 26), Err(NOENT), "a number is wanted");
    assert_eq!(look_up(&guest, "no name", "80", any, 8, 26), Err(NOENT));
}

#[test]
fn a_name_is_looked_up_only_where_a_rule_has_it() {
    let guest = Guest::new(&["example.org:443", "*.internal:*"]);
    let any = [0, 0, 0, 2];
    assert_eq!(look_up(&guest, "secret.evil.example", "80", any, 8, 26), Err(ACCES));
    assert_eq!(look_up(&guest, "internal", "80", any, 8, 26), Err(ACCES));
    let denied = guest.instance.denied().join("\n");
    assert!(denied.contains("looking up secret.evil.example; it takes the rule connect=secret.evil.example:PORT"), "{denied}");
}

#[test]
fn a_name_that_is_looked_up_can_be_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let guest = Guest::new(&[&format!("localhost:{port}")]);
    let found = look_up(&guest, "localhost", &port.to_string(), [0, 0, 1, 2], 8, 26).expect("an address");
    assert_eq!(guest.connect(guest.open(V4, STREAM), found[0]), OK);
    let elsewhere = SocketAddr::new(found[0].ip(), port ^ 1);
    assert_eq!(guest.connect(guest.open(V4, STREAM), elsewhere), ACCES);
}
