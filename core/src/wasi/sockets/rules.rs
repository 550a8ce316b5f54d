//! Rules: what a guest may connect to, and where it may listen. They are text, the same in every
//! host.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Connecting, sending datagrams, and looking up names.
    Connect,
    /// Binding and listening.
    Listen,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Connect => "connect",
            Action::Listen => "listen",
        })
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// `None`: both.
    action: Option<Action>,
    target: Target,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Ip(Hosts, RangeInclusive<u16>),
    /// A Unix socket, by its path on the host as the guest has to write it.
    Unix(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Any,
    Net(IpNet),
    Name(String),
    /// All names below this one.
    Below(String),
}

const PORTS: RangeInclusive<u16> = 0..=u16::MAX;

impl Rule {
    /// Parses a rule. The error is a sentence for people.
    pub(crate) fn parse(text: &str) -> Result<Rule, String> {
        if text == "any" {
            return Ok(Rule { action: None, target: Target::Ip(Hosts::Any, PORTS) });
        }
        let (action, rest) = match text.split_once('=') {
            Some(("connect", rest)) => (Action::Connect, rest),
            Some(("listen", rest)) => (Action::Listen, rest),
            Some((other, _)) => return Err(format!("a rule begins with connect= or listen=, and '{text}' begins with {other}=")),
            None => (Action::Connect, text),
        };
        let target = Target::parse(rest).map_err(|wrong| format!("'{text}' is no rule: {wrong}"))?;
        if let (Action::Listen, Target::Ip(Hosts::Name(name) | Hosts::Below(name), _)) = (action, &target)
            && name != "localhost"
        {
            return Err(format!("'{text}' is no rule: to listen needs an address, as listen=127.0.0.1:8080 has, not a name"));
        }
        Ok(Rule { action: Some(action), target })
    }

    fn is_for(&self, action: Action) -> bool {
        self.action.is_none_or(|own| own == action)
    }

    /// Whether it allows an address by the address itself. `ip` is canonical: no IPv4-mapped one.
    pub(crate) fn allows_ip(&self, action: Action, ip: IpAddr, port: u16) -> bool {
        match &self.target {
            Target::Ip(hosts, ports) if self.is_for(action) && ports.contains(&port) => match hosts {
                Hosts::Any => true,
                Hosts::Net(net) => net.contains(&ip),
                Hosts::Name(name) => name == "localhost" && ip.is_loopback(),
                Hosts::Below(_) => false,
            },
            _ => false,
        }
    }

    /// Whether it allows the addresses of a name, at a port or at any.
    pub(crate) fn allows_name(&self, name: &str, port: Option<u16>) -> bool {
        match &self.target {
            Target::Ip(hosts, ports) if self.is_for(Action::Connect) && port.is_none_or(|port| ports.contains(&port)) => match hosts {
                Hosts::Any => true,
                Hosts::Net(_) => false,
                Hosts::Name(own) => own == name,
                Hosts::Below(above) => name.strip_suffix(above.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            },
            _ => false,
        }
    }

    /// The single name that it allows at that port, if any.
    pub(crate) fn name(&self, at: u16) -> Option<&str> {
        match &self.target {
            Target::Ip(Hosts::Name(name), ports) if self.is_for(Action::Connect) && ports.contains(&at) => Some(name),
            _ => None,
        }
    }

    /// The single path that it allows, if any.
    pub(crate) fn unix_path(&self) -> Option<&str> {
        match &self.target {
            Target::Unix(path) if path != "*" => Some(path),
            _ => None,
        }
    }

    pub(crate) fn allows_unix(&self, action: Action, path: &[u8]) -> bool {
        matches!(&self.target, Target::Unix(own) if own == "*" || own.as_bytes() == path) && self.is_for(action)
    }
}

impl Target {
    fn parse(text: &str) -> Result<Target, String> {
        if text == "any" {
            return Ok(Target::Ip(Hosts::Any, PORTS));
        }
        if let Some(path) = text.strip_prefix("unix:") {
            // The system's paths have at most 108 bytes, with the terminating zero.
            return match path {
                _ if path.contains('\0') => Err("a path has no zero byte".to_owned()),
                _ if path.len() > 107 => Err("the path of a Unix socket has 107 bytes at the most".to_owned()),
                _ if path.starts_with('/') || path == "*" => Ok(Target::Unix(path.to_owned())),
                _ => Err("the path of a Unix socket has to be absolute: unix:/run/app.sock, or * for every path".to_owned()),
            };
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None if text.matches(':').count() > 1 => {
                return Err("an IPv6 address stands in brackets: [::1]:443, [fd00::/8]:*".to_owned());
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.ok_or("the port is missing; write it behind the address, or * for every port: example.org:443, 10.0.0.0/8:*")?;
        Ok(Target::Ip(Hosts::parse(host, text.starts_with('['))?, ports(port)?))
    }
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let wrong = || format!("'{text}' is no port; write a number up to 65535, two with a hyphen, or * for every port");
    let number =
        |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u16>().map_err(|_| wrong()) } else { Err(wrong()) };
    match text.split_once('-') {
        _ if text == "*" => Ok(PORTS),
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            if from <= to { Ok(from..=to) } else { Err(wrong()) }
        }
        None => number(text).map(|port| port..=port),
    }
}

impl Hosts {
    fn parse(text: &str, in_brackets: bool) -> Result<Hosts, String> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Hosts::Net(IpNet::from(ip.to_canonical())));
        }
        if text.contains('/') {
            return match text.parse::<IpNet>() {
                Ok(net) if net.trunc() == net => Ok(Hosts::Net(net)),
                Ok(net) => Err(format!("{net} has bits behind its prefix; did you mean {}?", net.trunc())),
                Err(_) => Err(format!("'{text}' is no network; write 10.0.0.0/8 or [fd00::/8]")),
            };
        }
        if in_brackets {
            return Err(format!("'{text}' is no IPv6 address"));
        }
        if text == "*" {
            return Ok(Hosts::Any);
        }
        let (below, bare) = text.strip_prefix("*.").map_or((false, text), |bare| (true, bare));
        let name = name(bare).ok_or_else(|| {
            format!("'{text}' is neither an address nor a host's name; a name has letters, digits and hyphens, and xn--… for all else")
        })?;
        Ok(if below { Hosts::Below(name) } else { Hosts::Name(name) })
    }
}

/// The canonical form of a host name: in lower case, without the dot of the root. `None` if it is
/// no name.
pub(crate) fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
    };
    // For resolvers a name that ends in a number is an address, in one of many forms.
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
    (text.len() <= 253 && text.split('.').all(is_label) && !is_number).then(|| text.to_ascii_lowercase())
}

/// In the form in which it is parsed.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(action) = self.action {
            write!(f, "{action}=")?;
        }
        let (hosts, ports) = match &self.target {
            Target::Unix(path) => return write!(f, "unix:{path}"),
            Target::Ip(Hosts::Any, ports) if *ports == PORTS => return f.write_str("any"),
            Target::Ip(hosts, ports) => (hosts, ports),
        };
        match hosts {
            Hosts::Any => f.write_str("*")?,
            Hosts::Name(name) => f.write_str(name)?,
            Hosts::Below(name) => write!(f, "*.{name}")?,
            Hosts::Net(net) => {
                let text = if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() };
                if net.addr().is_ipv6() { write!(f, "[{text}]")? } else { f.write_str(&text)? }
            }
        }
        match (ports.start(), ports.end()) {
            (0, &u16::MAX) => f.write_str(":*"),
            (from, to) if from == to => write!(f, ":{from}"),
            (from, to) => write!(f, ":{from}-{to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> Rule {
        Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn connects(text: &str, ip: &str, port: u16) -> bool {
        rule(text).allows_ip(Action::Connect, ip.parse().expect("an address"), port)
    }

    #[test]
    fn addresses_are_allowed_by_address_network_and_port() {
        assert!(connects("10.1.2.3:5432", "10.1.2.3", 5432));
        assert!(!connects("10.1.2.3:5432", "10.1.2.3", 5433));
        assert!(!connects("10.1.2.3:5432", "10.1.2.4", 5432));
        assert!(connects("connect=10.0.0.0/8:*", "10.255.0.1", 1));
        assert!(!connects("connect=10.0.0.0/8:*", "11.0.0.1", 1));
        assert!(connects("[::1]:8000-8002", "::1", 8001));
        assert!(!connects("[::1]:8000-8002", "::1", 8003));
        assert!(connects("[fd00::/8]:443", "fd12::1", 443));
        assert!(connects("*:53", "8.8.8.8", 53) && !connects("*:53", "8.8.8.8", 54));
        assert!(connects("any", "1.2.3.4", 9) && connects("connect=any", "::2", 9));
        assert!(
            connects("localhost:80", "127.0.0.1", 80) && connects("localhost:80", "::1", 80) && !connects("localhost:80", "10.0.0.1", 80)
        );
        // Names alone say nothing about addresses.
        assert!(!connects("example.org:443", "93.184.216.34", 443));
        assert!(!connects("listen=any", "1.2.3.4", 9));
        assert!(rule("any").allows_ip(Action::Listen, IpAddr::from([0, 0, 0, 0]), 80));
        assert!(!rule("listen=127.0.0.1:80").allows_ip(Action::Listen, IpAddr::from([0, 0, 0, 0]), 80));
        assert!(!rule("127.0.0.1:80").allows_ip(Action::Listen, IpAddr::from([127, 0, 0, 1]), 80));
    }

    #[test]
    fn names_are_allowed_as_a_whole() {
        let one = rule("Example.org.:443");
        assert!(one.allows_name("example.org", None) && one.allows_name("example.org", Some(443)));
        assert!(!one.allows_name("example.org", Some(80)) && !one.allows_name("www.example.org", None));
        assert_eq!((one.name(443), one.name(80)), (Some("example.org"), None));
        let below = rule("*.example.org:*");
        assert!(below.allows_name("www.example.org", None) && below.allows_name("a.b.example.org", Some(1)));
        for other in ["example.org", "badexample.org", ".example.org", "example.org.evil"] {
            assert!(!below.allows_name(other, None), "{other}");
        }
        assert!(rule("any").allows_name("x", None));
        assert!(!rule("10.0.0.0/8:*").allows_name("x", None) && !rule("listen=any").allows_name("x", None));
    }

    #[test]
    fn unix_sockets_are_allowed_by_path() {
        let rule = rule("listen=unix:/run/a.sock");
        assert!(rule.allows_unix(Action::Listen, b"/run/a.sock"));
        assert!(!rule.allows_unix(Action::Connect, b"/run/a.sock") && !rule.allows_unix(Action::Listen, b"/run/../run/a.sock"));
        assert!(!Rule::parse("any").expect("a rule").allows_unix(Action::Connect, b"/run/a.sock"));
        let every = Rule::parse("connect=unix:*").expect("a rule");
        assert!(every.allows_unix(Action::Connect, b"/run/a.sock") && !every.allows_unix(Action::Listen, b"/run/a.sock"));
    }

    #[test]
    fn what_is_no_rule_says_what_to_write() {
        for (text, part) in [
            ("", "the port is missing"),
            ("example.org", "the port is missing"),
            ("::1:443", "in brackets"),
            ("[example.org]:443", "no IPv6 address"),
            ("10.0.0.1/8:443", "did you mean 10.0.0.0/8?"),
            ("10.0.0.0/33:443", "is no network"),
            ("10.0.0.300:443", "neither an address"),
            ("0x7f000001:443", "neither an address"),
            ("exämple.org:443", "xn--"),
            ("www.*.org:443", "neither an address"),
            ("example.org:https", "is no port"),
            ("example.org:+1", "is no port"),
            ("example.org:2-1", "is no port"),
            ("example.org:65536", "is no port"),
            ("serve=127.0.0.1:80", "connect= or listen="),
            ("listen=example.org:80", "needs an address"),
            ("unix:run/a.sock", "absolute"),
        ] {
            let error = Rule::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 8 } else { 500 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rules_are_written_as_they_are_read(text in "(connect=|listen=)?(any|localhost:[0-9]{1,4}|127\\.0\\.0\\.1:\\*|10\\.0\\.0\\.0/8:[1-9]0-90|\\[fd00::/8\\]:1|unix:/[a-z]{1,9}|[a-z]{1,5}\\.org:7)") {
            if let Ok(rule) = Rule::parse(&text) {
                prop_assert_eq!(&Rule::parse(&rule.to_string()), &Ok(rule.clone()));
            }
        }

        #[test]
        fn any_text_is_a_rule_or_an_error(text in ".{0,40}") {
            if let Ok(rule) = Rule::parse(&text) {
                prop_assert_eq!(&Rule::parse(&rule.to_string()), &Ok(rule.clone()));
            }
        }
    }
}
