//! Names of hosts: what they resolve to, on this machine, and what of it this guest was told.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::descriptor::Waiting;
use crate::errno;
use crate::patience::Patience;
use crate::runtime;
use crate::sockets::Failed;

/// Addresses that are remembered for a guest.
const MOST: usize = 1024;

/// How long an answer of the system is good for: whoever connects again and again should not ask it again and again.
const FRESH: Duration = Duration::from_secs(10);

/// Look-ups under way whose call may be over already: the system can't be told to give up.
const MOST_THREADS: usize = 64;

/// The addresses of names that the guest may connect to.
#[derive(Default)]
pub(crate) struct Names {
    /// With each address the names that have it.
    known: HashMap<IpAddr, Vec<String>>,
    /// The addresses, oldest first.
    order: VecDeque<IpAddr>,
    /// When a name was resolved, for a rule.
    asked: HashMap<String, Instant>,
}

impl Names {
    /// Remembers what a name resolved to.
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

    /// The names that an address was given for.
    pub(crate) fn of(&self, ip: IpAddr) -> &[String] {
        self.known.get(&ip).map_or(&[], Vec::as_slice)
    }

    /// Whether it is time to ask the system for a name that a rule has.
    pub(crate) fn is_due(&mut self, name: &str) -> bool {
        let now = Instant::now();
        match self.asked.get(name) {
            Some(asked) if now.duration_since(*asked) < FRESH => false,
            _ => {
                // As many as there are rules.
                self.asked.insert(name.to_owned(), now);
                true
            }
        }
    }
}

/// Asks the system for a name's addresses. It takes as long as that takes, or as the call has patience.
pub(crate) async fn resolve(name: &str, waiting: Waiting, patience: &Patience) -> Result<Vec<IpAddr>, Failed> {
    // What is this machine needs nobody to say so.
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    }
    let name = name.to_owned();
    let found = match waiting {
        Waiting::Thread => on_thread(name, patience)?,
        // A call that ends drops this, and the look-up comes to its end by itself.
        Waiting::Task => runtime::clock().spawn_blocking(move || ask(&name)).await.unwrap_or_default(),
    };
    if found.is_empty() { Err(Failed::Number(errno::NOENT)) } else { Ok(found) }
}

fn on_thread(name: String, patience: &Patience) -> Result<Vec<IpAddr>, Failed> {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            THREADS.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let before = THREADS.fetch_add(1, Ordering::Relaxed);
    let counted = Counted;
    if before >= MOST_THREADS {
        return Err(Failed::Number(errno::AGAIN));
    }
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        let _counted = counted;
        // Nobody may wait for it any more.
        let _ = sender.send(ask(&name));
    };
    thread::Builder::new().name("undergo-names".to_owned()).spawn(work).map_err(|_| Failed::Number(errno::AGAIN))?;
    loop {
        patience.check()?;
        match receiver.recv_timeout(patience.pause().unwrap_or(FRESH)) {
            Ok(found) => return Ok(found),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
        }
    }
}

/// The system's own answer, in its order, each address once; nothing where it has none.
fn ask(name: &str) -> Vec<IpAddr> {
    #[cfg(test)]
    if name == KNOWN.0 {
        return vec![KNOWN.1];
    }
    #[cfg(test)]
    if name == SLOW {
        // Longer than any test waits.
        thread::sleep(Duration::from_secs(600));
    }
    let mut ips: Vec<IpAddr> = Vec::new();
    for found in (name, 0).to_socket_addrs().into_iter().flatten() {
        if !ips.contains(&found.ip()) && ips.len() < MOST {
            ips.push(found.ip());
        }
    }
    ips
}

/// A name and its address that tests have without asking anybody.
#[cfg(test)]
pub(crate) const KNOWN: (&str, IpAddr) = ("known.example", IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)));

/// One that is asked for in vain.
#[cfg(test)]
const SLOW: &str = "slow.example";

#[cfg(test)]
mod tests {
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
    #[cfg_attr(miri, ignore = "leaves a thread behind")]
    fn a_deadline_ends_a_look_up() {
        use crate::error::ErrorKind;
        use crate::patience::Deadline;
        let patience = Patience { deadline: Some(Deadline::after(Duration::from_millis(30))), ..Patience::default() };
        let ended = on_thread(SLOW.to_owned(), &patience);
        assert!(matches!(ended, Err(Failed::Ended(error)) if error.kind() == ErrorKind::Timeout));
        assert!(on_thread(KNOWN.0.to_owned(), &Patience::default()).is_ok_and(|found| found == [KNOWN.1]));
    }

    #[test]
    fn a_name_is_asked_for_now_and_then() {
        let mut names = Names::default();
        assert!(names.is_due("a") && !names.is_due("a") && names.is_due("b"));
    }
}
