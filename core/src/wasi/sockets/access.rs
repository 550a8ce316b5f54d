//! What of the network the rules let a guest reach, and if not, which rule would: for modules,
//! components and wasi:http alike.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::budget::Budget;
use crate::sched::driver::Driver;
use crate::wasi::call::Failed;
use crate::wasi::errno;
use crate::wasi::sockets::denials::Denials;
use crate::wasi::sockets::lookups::{self, Share};
use crate::wasi::sockets::names::Names;
use crate::wasi::sockets::network::Network;
use crate::wasi::sockets::public::is_public;
use crate::wasi::sockets::rules::Action;
use crate::wasi::sockets::socket::meant;

/// The rules for a guest, and the names that it has looked up. Clones have these in common.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) network: Network,
    pub(crate) denials: Arc<Denials>,
    share: Arc<Share>,
    names: Arc<Mutex<Names>>,
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
        Access { network: network.clone(), denials: denials.clone(), share: share.clone(), names: Arc::default() }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        // Consistent after each statement.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the guest may have sockets of its own at all.
    pub(crate) fn permit_any(&self) -> Result<(), Failed> {
        if self.network.is_off() {
            return Err(self.deny("the use of the network", "any, or one for less, such as connect=example.org:443"));
        }
        Ok(())
    }

    /// Whether the guest may connect to an address, or send to it.
    pub(crate) async fn permit_connect(&self, to: SocketAddr, driver: Driver, budget: &Budget) -> Result<(), Failed> {
        let address = SocketAddr::new(meant(to.ip()), to.port());
        if self.admits(address) {
            return Ok(());
        }
        let (ip, port) = (address.ip(), address.port());
        // The guest may have the address from a name server of its own, so the names in the rules
        // are resolved now.
        if is_public(ip) {
            let due: Vec<String> = self.network.names(port).map(str::to_owned).collect();
            for name in due {
                let is_due = self.names().is_due(&name);
                if is_due
                    && let Err(failed) = self.look_up(&name, driver, budget).await
                    && !matches!(failed, Failed::Number(_))
                {
                    return Err(failed);
                }
            }
            if self.is_named(ip, port) {
                return Ok(());
            }
        }
        // For a guest that resolved a name, suggest a rule for that name.
        let name = self.names().of(ip).first().filter(|_| is_public(ip)).cloned();
        Err(match name {
            Some(name) => self.deny(&format!("connecting to {address}, which is {name}"), &format!("connect={name}:{port}")),
            None => self.deny_at(Action::Connect, &address),
        })
    }

    /// Whether the guest may send to an address, as far as is known without asking for names: so
    /// that it may receive from there.
    pub(crate) fn admits(&self, from: SocketAddr) -> bool {
        let (ip, port) = (from.ip().to_canonical(), from.port());
        self.network.allows_ip(Action::Connect, ip, port) || self.is_named(ip, port)
    }

    /// Whether the guest may bind a socket to an address.
    pub(crate) fn permit_listen(&self, at: SocketAddr) -> Result<(), Failed> {
        let is_allowed = self.network.allows_ip(Action::Listen, at.ip().to_canonical(), at.port());
        if is_allowed { Ok(()) } else { Err(self.deny_at(Action::Listen, &at)) }
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

    /// Looks up a name that the guest may look up, and remembers its addresses.
    pub(crate) async fn look_up(&self, name: &str, driver: Driver, budget: &Budget) -> Result<Vec<IpAddr>, Failed> {
        let found = lookups::resolve(name, &self.share, driver, budget).await?;
        self.remember(name, &found);
        Ok(found)
    }

    /// Records what a name was resolved to.
    pub(crate) fn remember(&self, name: &str, ips: &[IpAddr]) {
        self.names().remember(name, ips);
    }

    /// Whether an allowed name was resolved to the address.
    fn is_named(&self, ip: IpAddr, port: u16) -> bool {
        is_public(ip) && self.names().of(ip).iter().any(|name| self.network.allows_name(name, Some(port)))
    }

    /// Notes that the guest was denied an address; gives what it is told.
    pub(crate) fn deny_at(&self, action: Action, address: &impl fmt::Display) -> Failed {
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
