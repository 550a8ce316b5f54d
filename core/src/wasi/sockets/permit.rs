//! Whether the rules allow what a guest wants, and if not, which rule would.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use crate::config::budget::Budget;
use crate::sched::driver::Driver;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::sockets::address::Address;
use crate::wasi::sockets::denials::Denials;
use crate::wasi::sockets::lookups::{self, Share};
use crate::wasi::sockets::network::Network;
use crate::wasi::sockets::rules::Action;
use crate::wasi::sockets::socket::{Socket, destination, meant};
use crate::wasi::sockets::table::Sockets;

impl Sockets {
    /// Whether the guest may have sockets of its own at all.
    pub(crate) fn permit_any(&self) -> Result<(), Failed> {
        if self.network.is_off() {
            return Err(self.deny("the use of the network", "any, or one for less, such as connect=example.org:443"));
        }
        Ok(())
    }

    /// Whether the guest may connect to an address, or send to it; returns the address to use. The
    /// address that is checked is the one that the packets go to.
    pub(crate) async fn permit_connect(&mut self, address: &Address, driver: Driver, budget: &Budget) -> Result<Address, Failed> {
        let ip = match address {
            Address::Unix(path) if self.network.allows_unix(Action::Connect, path) => return Ok(address.clone()),
            Address::Unix(_) => return Err(self.deny_at(Action::Connect, address)),
            Address::Ip(ip) => destination(*ip),
        };
        let (to, port) = (meant(ip.ip()), ip.port());
        if self.network.allows_ip(Action::Connect, to, port) || self.is_named(to, port) {
            return Ok(Address::Ip(ip));
        }
        // The guest may have the address from a name server of its own, so the names in the rules
        // are resolved now.
        if is_public(to) {
            let due: Vec<String> = self.network.names(port).map(str::to_owned).collect();
            for name in due {
                if self.names.is_due(&name) {
                    match lookups::resolve(&name, &self.share, driver, budget).await {
                        Ok(found) => self.names.remember(&name, &found),
                        Err(Failed::Number(_)) => {}
                        Err(ended) => return Err(ended),
                    }
                }
            }
            if self.is_named(to, port) {
                return Ok(Address::Ip(ip));
            }
        }
        let address = SocketAddr::new(to, port);
        // For a guest that resolved a name, suggest a rule for that name.
        match self.names.of(to).first().filter(|_| is_public(to)) {
            Some(name) => Err(self.deny(&format!("connecting to {address}, which is {name}"), &format!("connect={name}:{port}"))),
            None => Err(self.deny_at(Action::Connect, &Address::Ip(address))),
        }
    }

    /// Whether the guest may receive a datagram from there, on a socket that was not bound by a
    /// rule for listening: it may if it may send there, or has done so.
    pub(crate) fn admits(&self, socket: &Socket, from: Option<&Address>) -> bool {
        let Some(Address::Ip(from)) = from else { return false };
        let (ip, port) = (from.ip().to_canonical(), from.port());
        socket.peers.has(*from) || self.network.allows_ip(Action::Connect, ip, port) || self.is_named(ip, port)
    }

    /// Whether the guest may bind a socket to an address.
    pub(crate) fn permit_listen(&self, address: &Address) -> Result<(), Failed> {
        let is_allowed = match address {
            Address::Unix(path) => self.network.allows_unix(Action::Listen, path),
            Address::Ip(ip) => self.network.allows_ip(Action::Listen, ip.ip().to_canonical(), ip.port()),
        };
        if is_allowed { Ok(()) } else { Err(self.deny_at(Action::Listen, address)) }
    }

    /// Whether the guest may look up a name. A query reaches other parties: a name is enough to
    /// carry a secret out.
    pub(crate) fn permit_name(&self, name: &str) -> Result<(), Failed> {
        self.permit_any()?;
        if name == "localhost" || self.network.allows_name(name, None) {
            return Ok(());
        }
        Err(self.deny(&format!("looking up {name}"), &format!("connect={name}:PORT")))
    }

    /// Whether an allowed name was resolved to the address.
    fn is_named(&self, ip: IpAddr, port: u16) -> bool {
        is_public(ip) && self.names.of(ip).iter().any(|name| self.network.allows_name(name, Some(port)))
    }

    fn deny_at(&self, action: Action, address: &Address) -> Failed {
        let what = match action {
            Action::Connect => format!("connecting to {address}"),
            Action::Listen => format!("listening at {address}"),
        };
        self.deny(&what, &format!("{action}={address}"))
    }

    fn deny(&self, what: &str, rule: &str) -> Failed {
        self.denials.note(what, rule);
        Failed::Number(errno::ACCES)
    }
}

/// The rules, for what connects by itself: wasi:http.
#[derive(Clone)]
pub(crate) struct Access {
    network: Network,
    denials: Arc<Denials>,
    share: Arc<Share>,
}

/// Whom a guest wants to reach.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    Ip(IpAddr),
    /// In canonical form.
    Name(String),
}

/// Why a destination has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// No rule allows it.
    Denied,
    /// The name stands for addresses that have to be allowed as such.
    Prohibited,
    /// Nobody knows it.
    Unknown,
}

impl Access {
    pub(crate) fn new(network: &Network, denials: &Arc<Denials>, share: &Arc<Share>) -> Access {
        Access { network: network.clone(), denials: denials.clone(), share: share.clone() }
    }

    /// The addresses of a destination that the guest may connect to. Whoever connects to one of
    /// these connects to what was checked, whatever the name stands for by then.
    pub(crate) async fn resolve(&self, destination: &Destination, port: u16) -> Result<Vec<SocketAddr>, Unresolved> {
        let name = match destination {
            Destination::Ip(ip) => {
                let ip = meant(*ip);
                if self.network.allows_ip(Action::Connect, ip, port) {
                    return Ok(vec![SocketAddr::new(ip, port)]);
                }
                let address = SocketAddr::new(ip, port);
                self.denials.note(&format!("connecting to {address}"), &format!("connect={address}"));
                return Err(Unresolved::Denied);
            }
            Destination::Name(name) => name,
        };
        let is_named = self.network.allows_name(name, Some(port));
        if !is_named && name != "localhost" && !self.network.allows_name(name, None) {
            self.denials.note(&format!("a request to {name}:{port}"), &format!("connect={name}:{port}"));
            return Err(Unresolved::Denied);
        }
        let found = lookups::resolve(name, &self.share, Driver::Fiber, &Budget::default()).await.map_err(|_| Unresolved::Unknown)?;
        let found: Vec<IpAddr> = found.into_iter().map(meant).collect();
        let allowed = |ip: &IpAddr| self.network.allows_ip(Action::Connect, *ip, port) || (is_named && is_public(*ip));
        let addresses: Vec<SocketAddr> = found.iter().copied().filter(allowed).map(|ip| SocketAddr::new(ip, port)).collect();
        match found.first() {
            _ if !addresses.is_empty() => Ok(addresses),
            None => Err(Unresolved::Unknown),
            Some(ip) => {
                let address = SocketAddr::new(*ip, port);
                let rule = if is_public(*ip) { format!("connect={name}:{port}") } else { format!("connect={address}") };
                self.denials.note(&format!("connecting to {address}, which is {name}"), &rule);
                Err(if is_public(*ip) { Unresolved::Denied } else { Unresolved::Prohibited })
            }
        }
    }
}

/// Whether a name may stand for the address. Whoever controls a name can resolve it to any address.
/// So this machine, link-local addresses, and the metadata services of clouds, which give a machine
/// its secrets, must be allowed by address.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_4(ip),
        IpAddr::V6(ip) => is_public_6(ip),
    }
}

fn is_public_4(ip: Ipv4Addr) -> bool {
    // Those of Alibaba and Azure lie among addresses that are public elsewhere.
    const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
    match ip.octets() {
        // This network, this machine, and addresses for protocols: Oracle's metadata service is
        // 192.0.0.192.
        [0 | 127, ..] | [192, 0, 0, _] => false,
        // Link-local; most metadata services are 169.254.169.254.
        [169, 254, ..] => false,
        // Multicast and reserved.
        [224..=255, ..] => false,
        _ => !METADATA.contains(&ip),
    }
}

fn is_public_6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // A local NAT64, whose format is not known here.
        [0x64, 0xFF9B, 1, ..] => false,
        // Multicast, link-local and site-local.
        [0xFF00..=0xFFFF, ..] | [0xFE80..=0xFEFF, ..] => false,
        // The metadata services of Amazon, Google and Scaleway.
        [0xFD00, 0xEC2, ..] | [0xFD20, 0xCE, ..] | [0xFD00, 0x42, ..] => false,
        // This machine, the unspecified address, and IPv4-compatible addresses.
        [0, 0, 0, 0, 0, 0, ..] => false,
        _ => within(ip).is_none_or(is_public_4),
    }
}

/// The IPv4 address that an IPv6 address leads to, through a router or a tunnel.
fn within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let pair = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        // IPv4-translated, and NAT64.
        [0, 0, 0, 0, 0xFFFF, 0, high, low] => Some(pair(high, low)),
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => Some(pair(high, low)),
        // 6to4, and Teredo, which inverts the bits.
        [0x2002, high, low, ..] => Some(pair(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(pair(!high, !low)),
        // ISATAP, with any prefix.
        [_, _, _, _, 0 | 0x200, 0x5EFE, high, low] => Some(pair(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasi::files::given::Given;
    use crate::wasi::sandbox::Sandbox;

    fn sockets(rules: &[&str]) -> Sockets {
        let network = Network::new(rules).expect("rules");
        let sandbox = Sandbox { network, ..Sandbox::default() };
        let given = Given::open(&sandbox).expect("nothing to open");
        Sockets::new(&sandbox, Arc::default(), Arc::default(), given).expect("sockets")
    }

    fn connects(sockets: &mut Sockets, to: &str) -> Option<String> {
        let address = Address::Ip(to.parse().expect("an address"));
        let budget = Budget::default();
        let mut work = std::pin::pin!(sockets.permit_connect(&address, Driver::Direct, &budget));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match work.as_mut().poll(&mut context) {
            std::task::Poll::Ready(done) => done.ok().map(|address| address.to_string()),
            std::task::Poll::Pending => panic!("a wait on a thread blocks it"),
        }
    }

    #[test]
    fn the_address_that_is_meant_is_checked() {
        let mut sockets = sockets(&["10.0.0.0/8:*", "127.0.0.1:80"]);
        assert_eq!(connects(&mut sockets, "10.1.2.3:5").as_deref(), Some("10.1.2.3:5"));
        assert_eq!(connects(&mut sockets, "[::ffff:10.1.2.3]:5").as_deref(), Some("[::ffff:10.1.2.3]:5"));
        assert_eq!(connects(&mut sockets, "[::ffff:11.1.2.3]:5"), None);
        assert_eq!(connects(&mut sockets, "0.0.0.0:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(connects(&mut sockets, "0.0.0.0:81"), None);
        assert_eq!(connects(&mut sockets, "[::]:80"), None, "that is ::1");
        let denied = sockets.denials.all();
        assert!(denied.iter().any(|text| text.contains("connect=127.0.0.1:81")), "{denied:?}");
    }

    #[test]
    fn names_stand_for_what_they_were_resolved_to() {
        let mut sockets = sockets(&["*.example.org:443"]);
        assert_eq!(connects(&mut sockets, "93.184.216.34:443"), None);
        let told = ["93.184.216.34", "10.0.0.7", "127.0.0.1", "169.254.169.254", "::1"].map(|ip| ip.parse().expect("an address"));
        sockets.names.remember("www.example.org", &told);
        sockets.names.remember("www.example.com", &["1.2.3.4".parse().expect("an address")]);
        assert!(connects(&mut sockets, "93.184.216.34:443").is_some());
        assert!(connects(&mut sockets, "10.0.0.7:443").is_some(), "a name of an internal host is usual");
        for not in ["93.184.216.34:80", "127.0.0.1:443", "169.254.169.254:443", "[::1]:443", "1.2.3.4:443", "0.0.0.0:443"] {
            assert_eq!(connects(&mut sockets, not), None, "{not}");
        }
    }

    #[test]
    fn no_name_stands_for_the_machine_its_link_or_metadata() {
        let special = [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "169.254.170.2",
            "192.0.0.192",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::169.254.169.254",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "::ffff:0:169.254.169.254",
            "fe80::1",
            "fe80::a9fe:a9fe",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:42::42",
            "64:ff9b::169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "2002:a9fe:a9fe::1",
            "2002:7f00:1::",
            "2001:0:1:2:3:4:5601:5601",
            "2001:db8::5efe:169.254.169.254",
            "2001:db8::200:5efe:127.0.0.1",
        ];
        for text in special {
            let ip: IpAddr = text.parse().expect("an address");
            let mut sockets = sockets(&["*.example.org:80", "known.example:80"]);
            sockets.names.remember("www.example.org", &[ip]);
            let at = SocketAddr::new(ip, 80).to_string();
            assert_eq!(connects(&mut sockets, &at), None, "{at} by its name");
            // The addresses themselves can be allowed.
            let meant = SocketAddr::new(meant(ip), 80).to_string();
            assert!(connects(&mut self::sockets(&[&meant]), &at).is_some(), "{at} by its address");
        }
        for text in ["10.0.0.7", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd12::1", "2001:db8::1", "64:ff9b::8.8.8.8", "2002:808:808::1"]
        {
            let mut sockets = sockets(&["*.example.org:80"]);
            sockets.names.remember("www.example.org", &[text.parse().expect("an address")]);
            assert!(connects(&mut sockets, &SocketAddr::new(text.parse().expect("an address"), 80).to_string()).is_some(), "{text}");
        }
    }

    #[test]
    fn a_name_stands_for_its_address_though_the_guest_never_asked() {
        let (name, ip) = lookups::KNOWN;
        let mut sockets = sockets(&[&format!("{name}:443")]);
        assert!(connects(&mut sockets, &format!("{ip}:443")).is_some());
        assert_eq!(connects(&mut sockets, "198.51.100.8:443"), None);
        assert_eq!(connects(&mut sockets, &format!("{ip}:80")), None);
        let denied = sockets.denials.all().join("\n");
        assert!(denied.contains(&format!("connecting to {ip}:80, which is {name}; it takes the rule connect={name}:80")), "{denied}");
    }

    #[test]
    fn only_allowed_names_are_looked_up() {
        let named = sockets(&["example.org:443"]);
        assert!(named.permit_name("example.org").is_ok() && named.permit_name("localhost").is_ok());
        assert!(named.permit_name("evil.example").is_err());
        assert!(named.denials.all().iter().any(|text| text.contains("connect=evil.example:PORT")));
        assert!(sockets(&["10.0.0.0/8:*"]).permit_name("example.org").is_err());
        assert!(sockets(&["any"]).permit_name("example.org").is_ok());
        assert!(sockets(&[]).permit_name("localhost").is_err());
    }

    #[test]
    fn addresses_are_listened_at_as_they_are_written() {
        let sockets = sockets(&["listen=127.0.0.1:0", "listen=unix:/run/a.sock"]);
        let at = |text: &str| Address::Ip(text.parse().expect("an address"));
        assert!(sockets.permit_listen(&at("127.0.0.1:0")).is_ok());
        assert!(sockets.permit_listen(&Address::Unix(b"/run/a.sock".to_vec())).is_ok());
        for not in [at("127.0.0.1:80"), at("0.0.0.0:0"), at("[::]:0"), Address::Unix(b"/run/b.sock".to_vec())] {
            assert!(sockets.permit_listen(&not).is_err(), "{not}");
        }
    }
}
