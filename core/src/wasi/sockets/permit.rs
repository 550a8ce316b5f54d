//! Whether the rules allow what a guest wants of its sockets, of which some are Unix sockets.

use crate::config::budget::Budget;
use crate::sched::driver::Driver;
use crate::wasi::call::Failed;
use crate::wasi::sockets::address::Address;
use crate::wasi::sockets::rules::Action;
use crate::wasi::sockets::socket::{Socket, destination};
use crate::wasi::sockets::table::Sockets;

impl Sockets {
    /// Whether the guest may connect to an address, or send to it; returns the address to use. The
    /// address that is checked is the one that the packets go to.
    pub(crate) async fn permit_connect(&self, address: &Address, driver: Driver, budget: &Budget) -> Result<Address, Failed> {
        match address {
            Address::Unix(path) if self.access.network.allows_unix(Action::Connect, path) => Ok(address.clone()),
            Address::Unix(_) => Err(self.access.deny_at(Action::Connect, address)),
            Address::Ip(ip) => {
                let ip = destination(*ip);
                self.access.permit_connect(ip, driver, budget).await?;
                Ok(Address::Ip(ip))
            }
        }
    }

    /// Whether the guest may receive a datagram from there, on a socket that was not bound by a
    /// rule for listening: it may if it may send there, or has done so.
    pub(crate) fn admits(&self, socket: &Socket, from: Option<&Address>) -> bool {
        let Some(Address::Ip(from)) = from else { return false };
        socket.peers.has(*from) || self.access.admits(*from)
    }

    /// Whether the guest may bind a socket to an address.
    pub(crate) fn permit_listen(&self, address: &Address) -> Result<(), Failed> {
        match address {
            Address::Unix(path) if self.access.network.allows_unix(Action::Listen, path) => Ok(()),
            Address::Unix(_) => Err(self.access.deny_at(Action::Listen, address)),
            Address::Ip(ip) => self.access.permit_listen(*ip),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};
    use std::sync::Arc;

    use super::*;
    use crate::wasi::files::given::Given;
    use crate::wasi::sandbox::Sandbox;
    use crate::wasi::sockets::access::Access;
    use crate::wasi::sockets::lookups;
    use crate::wasi::sockets::network::Network;
    use crate::wasi::sockets::socket::meant;

    fn sockets(rules: &[&str]) -> Sockets {
        let network = Network::new(rules).expect("rules");
        let sandbox = Sandbox { network, ..Sandbox::default() };
        let given = Given::open(&sandbox).expect("nothing to open");
        Sockets::new(&sandbox, Access::new(&sandbox.network, &Arc::default(), &Arc::default()), given).expect("sockets")
    }

    fn connects(sockets: &Sockets, to: &str) -> Option<String> {
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
        let sockets = sockets(&["10.0.0.0/8:*", "127.0.0.1:80"]);
        assert_eq!(connects(&sockets, "10.1.2.3:5").as_deref(), Some("10.1.2.3:5"));
        assert_eq!(connects(&sockets, "[::ffff:10.1.2.3]:5").as_deref(), Some("[::ffff:10.1.2.3]:5"));
        assert_eq!(connects(&sockets, "[::ffff:11.1.2.3]:5"), None);
        assert_eq!(connects(&sockets, "0.0.0.0:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(connects(&sockets, "0.0.0.0:81"), None);
        assert_eq!(connects(&sockets, "[::]:80"), None, "that is ::1");
        let denied = sockets.access.denials.all();
        assert!(denied.iter().any(|text| text.contains("connect=127.0.0.1:81")), "{denied:?}");
    }

    #[test]
    fn names_stand_for_what_they_were_resolved_to() {
        let sockets = sockets(&["*.example.org:443"]);
        assert_eq!(connects(&sockets, "93.184.216.34:443"), None);
        let told = ["93.184.216.34", "10.0.0.7", "127.0.0.1", "169.254.169.254", "::1"].map(|ip| ip.parse().expect("an address"));
        sockets.access.remember("www.example.org", &told);
        sockets.access.remember("www.example.com", &["1.2.3.4".parse().expect("an address")]);
        assert!(connects(&sockets, "93.184.216.34:443").is_some());
        assert!(connects(&sockets, "10.0.0.7:443").is_some(), "a name of an internal host is usual");
        for not in ["93.184.216.34:80", "127.0.0.1:443", "169.254.169.254:443", "[::1]:443", "1.2.3.4:443", "0.0.0.0:443"] {
            assert_eq!(connects(&sockets, not), None, "{not}");
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
            let sockets = sockets(&["*.example.org:80", "known.example:80"]);
            sockets.access.remember("www.example.org", &[ip]);
            let at = SocketAddr::new(ip, 80).to_string();
            assert_eq!(connects(&sockets, &at), None, "{at} by its name");
            // The addresses themselves can be allowed.
            let meant = SocketAddr::new(meant(ip), 80).to_string();
            assert!(connects(&self::sockets(&[&meant]), &at).is_some(), "{at} by its address");
        }
        for text in ["10.0.0.7", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd12::1", "2001:db8::1", "64:ff9b::8.8.8.8", "2002:808:808::1"]
        {
            let sockets = sockets(&["*.example.org:80"]);
            sockets.access.remember("www.example.org", &[text.parse().expect("an address")]);
            assert!(connects(&sockets, &SocketAddr::new(text.parse().expect("an address"), 80).to_string()).is_some(), "{text}");
        }
    }

    #[test]
    fn a_name_stands_for_its_address_though_the_guest_never_asked() {
        let (name, ip) = lookups::KNOWN;
        let sockets = sockets(&[&format!("{name}:443")]);
        assert!(connects(&sockets, &format!("{ip}:443")).is_some());
        assert_eq!(connects(&sockets, "198.51.100.8:443"), None);
        assert_eq!(connects(&sockets, &format!("{ip}:80")), None);
        let denied = sockets.access.denials.all().join("\n");
        assert!(denied.contains(&format!("connecting to {ip}:80, which is {name}; it takes the rule connect={name}:80")), "{denied}");
    }

    #[test]
    fn only_allowed_names_are_looked_up() {
        let named = sockets(&["example.org:443"]);
        assert!(named.access.permit_name("example.org").is_ok() && named.access.permit_name("localhost").is_ok());
        assert!(named.access.permit_name("evil.example").is_err());
        assert!(named.access.denials.all().iter().any(|text| text.contains("connect=evil.example:PORT")));
        assert!(sockets(&["10.0.0.0/8:*"]).access.permit_name("example.org").is_err());
        assert!(sockets(&["any"]).access.permit_name("example.org").is_ok());
        assert!(sockets(&[]).access.permit_name("localhost").is_err());
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
