//! What an instance may reach over the network.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::wasi::sockets::rules::{Action, Rule};

/// What of the network an instance may reach: nothing by default.
///
/// Rules are text, the same in every host and for the command:
///
/// | rule | allows |
/// | --- | --- |
/// | `example.org:443` | connecting to the addresses of that host, as this machine resolves them; and looking up its name |
/// | `*.example.org:443` | the same for all names below that one, once the guest has looked them up |
/// | `10.0.0.0/8:5432`, `[::1]:*`, `*:8000-8999` | connecting to addresses |
/// | `listen=127.0.0.1:8080`, `listen=0.0.0.0:0` | listening, or receiving datagrams, at that address; port 0 is one that the system chooses |
/// | `connect=unix:/run/db.sock`, `listen=unix:…` | a Unix socket of the host with exactly that path |
/// | `any` | all of these but Unix sockets; `connect=any` and `listen=any` one half of it |
///
/// A rule without `connect=` or `listen=` before it is one for connecting. docs/network.md has all
/// of it.
///
/// ```
/// use undergo::{InstanceOptions, Network};
///
/// # fn main() -> Result<(), undergo::Error> {
/// let mut options = InstanceOptions::default();
/// options.sandbox.network = Network::new(["example.org:443", "10.0.0.0/8:5432"])?;
/// let address = options.sandbox.network.open("127.0.0.1:0")?;
/// assert_ne!(address.port(), 0);
/// assert!(Network::new(["example.org"]).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Network {
    rules: Vec<Rule>,
    listeners: Vec<Arc<TcpListener>>,
}

impl Network {
    /// What these rules allow.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a text that is no rule; it says what to write.
    pub fn new<S: AsRef<str>>(rules: impl IntoIterator<Item = S>) -> Result<Network> {
        let mut network = Network::default();
        for rule in rules {
            network.allow(rule.as_ref())?;
        }
        Ok(network)
    }

    /// Allows what one more rule says.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for a text that is no rule; it says what to write.
    pub fn allow(&mut self, rule: &str) -> Result<()> {
        self.rules.push(Rule::parse(rule).map_err(|wrong| Error::new(ErrorKind::TypeMismatch, wrong))?);
        Ok(())
    }

    /// Hands a listener to each instance, open already: the guest accepts connections there, and
    /// needs no rule for it. Its descriptor is the first behind those of the directories: 3 without
    /// any, and one more for each further listener. Instances share the listener, and each
    /// connection is one instance's.
    ///
    /// # Errors
    ///
    /// `denied` when the system refuses the listener.
    pub fn give(&mut self, listener: TcpListener) -> Result<()> {
        listener.set_nonblocking(true).map_err(|error| Error::new(ErrorKind::Denied, format!("the listener can't be used: {error}")))?;
        self.listeners.push(Arc::new(listener));
        Ok(())
    }

    /// Opens a listener at an address such as `127.0.0.1:8080`, and [gives](Network::give) it.
    /// Returns the address, with the port that the system chose for 0.
    ///
    /// # Errors
    ///
    /// `type-mismatch` for what is no address with a port; `denied` when the system refuses to
    /// listen there.
    pub fn open(&mut self, address: &str) -> Result<SocketAddr> {
        let (listener, bound) = listen(address)?;
        self.give(listener)?;
        Ok(bound)
    }

    /// Whether the guest can have no socket of its own.
    pub(crate) fn is_off(&self) -> bool {
        self.rules.is_empty()
    }

    /// What a module can't use of it, judged by the functions that it imports, as sentences. Either
    /// it was given by mistake, or the module was built without package `net`.
    pub(crate) fn unused_by(&self, name: &str, has: impl Fn(&str) -> bool) -> Vec<String> {
        let mut unused = Vec::new();
        if !self.rules.is_empty() && !has("sock_open") && !has("sock_getaddrinfo") {
            unused.push(format!(
                "{name} is given rules for the network in vain, as it opens no sockets: Go's package net needs 'undergo build --net' or 'undergo overlay' for that"
            ));
        }
        if !self.listeners.is_empty() && !has("sock_accept") {
            unused.push(format!("{name} is given a listener in vain, as it accepts no connections"));
        }
        unused
    }

    pub(crate) fn listeners(&self) -> &[Arc<TcpListener>] {
        &self.listeners
    }

    pub(crate) fn allows_ip(&self, action: Action, ip: IpAddr, port: u16) -> bool {
        self.rules.iter().any(|rule| rule.allows_ip(action, ip, port))
    }

    pub(crate) fn allows_name(&self, name: &str, port: Option<u16>) -> bool {
        self.rules.iter().any(|rule| rule.allows_name(name, port))
    }

    /// The names that may be connected to at that port and that denote a single host.
    pub(crate) fn names(&self, port: u16) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(move |rule| rule.name(port))
    }

    /// The paths of Unix sockets that rules name.
    pub(crate) fn unix_paths(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(Rule::unix_path)
    }

    pub(crate) fn allows_unix(&self, action: Action, path: &[u8]) -> bool {
        self.rules.iter().any(|rule| rule.allows_unix(action, path))
    }
}

/// Opens a listener at an address such as `127.0.0.1:8080`.
pub(crate) fn listen(address: &str) -> Result<(TcpListener, SocketAddr)> {
    let at: SocketAddr = match address.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse(),
        None => address.parse(),
    }
    .map_err(|_| {
        Error::new(ErrorKind::TypeMismatch, format!("'{address}' is no address to listen at; write 127.0.0.1:8080 or [::1]:8080"))
    })?;
    let refused = |error: io::Error| Error::new(ErrorKind::Denied, format!("the system refuses to listen at {address}: {error}"));
    let listener = TcpListener::bind(at).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Its rules, as they are written.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("rules", &self.rules.iter().map(Rule::to_string).collect::<Vec<_>>())
            .field("listeners", &self.listeners)
            .finish()
    }
}
