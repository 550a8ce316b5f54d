//! The addresses that host names were resolved to, for a guest.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses that are remembered for a guest.
const MOST: usize = 1024;

/// How long an answer is used: a guest that connects again and again should not cause a query each
/// time.
const FRESH: Duration = Duration::from_secs(10);

/// The addresses of names that the guest may connect to.
#[derive(Default)]
pub(crate) struct Names {
    /// The names of each address.
    known: HashMap<IpAddr, Vec<String>>,
    /// The addresses, oldest first.
    order: VecDeque<IpAddr>,
    /// When a rule's name was resolved last.
    asked: HashMap<String, Instant>,
}

impl Names {
    /// Records what a name was resolved to.
    pub(crate) fn remember(&mut self, name: &str, ips: &[IpAddr]) {
        for ip in ips {
            let ip = ip.to_canonical();
            if !self.known.contains_key(&ip) {
                if self.order.len() >= MOST
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.known.remove(&oldest);
                }
                self.order.push_back(ip);
            }
            let names = self.known.entry(ip).or_default();
            if !names.iter().any(|known| known == name) && names.len() < MOST {
                names.push(name.to_owned());
            }
        }
    }

    /// The names that were resolved to an address.
    pub(crate) fn of(&self, ip: IpAddr) -> &[String] {
        self.known.get(&ip).map_or(&[], Vec::as_slice)
    }

    /// Whether a rule's name should be resolved again.
    pub(crate) fn is_due(&mut self, name: &str) -> bool {
        let now = Instant::now();
        match self.asked.get(name) {
            Some(asked) if now.duration_since(*asked) < FRESH => false,
            _ => {
                // There are no more of these than rules.
                self.asked.insert(name.to_owned(), now);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn ip(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn names_are_known_by_their_addresses() {
        let mut names = Names::default();
        names.remember("a", &[ip(1), IpAddr::V6(Ipv4Addr::from(2).to_ipv6_mapped())]);
        names.remember("b", &[ip(2)]);
        assert_eq!(names.of(ip(1)), ["a"]);
        assert_eq!(names.of(ip(2)), ["a", "b"]);
        assert!(names.of(ip(3)).is_empty());
        let many: Vec<_> = (10..10 + MOST as u32).map(ip).collect();
        names.remember("c", &many);
        assert!(names.of(ip(1)).is_empty() && names.of(ip(2)).is_empty(), "the oldest are forgotten");
        assert_eq!(names.known.len(), MOST);
    }

    #[test]
    fn a_name_is_asked_for_now_and_then() {
        let mut names = Names::default();
        assert!(names.is_due("a") && !names.is_due("a") && names.is_due("b"));
    }
}
