//! The addresses that a datagram socket has sent to, and may thus receive from.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::wasi::sockets::address::Address;

/// Addresses that are remembered for one socket.
const MOST: usize = 64;

/// The most recent addresses that a socket was allowed to send to. They are checked in addition to
/// the rules, for names that may resolve to other addresses now.
#[derive(Default)]
pub(crate) struct Peers(VecDeque<SocketAddr>);

impl Peers {
    pub(crate) fn note(&mut self, to: &Address) {
        let Address::Ip(to) = to else { return };
        let to = canonical(*to);
        if self.0.back() == Some(&to) {
            return;
        }
        self.0.retain(|known| *known != to);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(to);
    }

    pub(crate) fn has(&self, from: SocketAddr) -> bool {
        self.0.contains(&canonical(from))
    }
}

/// The form in which addresses are compared: IPv4-mapped ones are IPv4, and zones are ignored.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_latest_are_known_by_address_and_port() {
        let mut peers = Peers::default();
        peers.note(&Address::Ip(at("[::ffff:10.0.0.1]:53")));
        assert!(peers.has(at("10.0.0.1:53")) && !peers.has(at("10.0.0.1:54")) && !peers.has(at("10.0.0.2:53")));
        for port in 0..MOST as u16 {
            peers.note(&Address::Ip(SocketAddr::new(at("10.0.0.1:0").ip(), 1000 + port)));
            peers.note(&Address::Unix(b"/run/a.sock".to_vec()));
        }
        assert!(!peers.has(at("10.0.0.1:53")) && peers.has(at("10.0.0.1:1000")));
    }
}
