//! Name resolution by the system. A query can't be cancelled, and occupies a thread until it is
//! answered, which may take half a minute. So the number of queries at a time is bounded, for a
//! process and for the instances of one plugin; further ones wait for their turn, as long as their
//! calls may.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::config::budget::Budget;
use crate::platform::fork::PerProcess;
use crate::sched::driver::Driver;
use crate::wasi::call::Failed;
use crate::wasi::errno;

/// Queries at a time: of a process, and of one plugin.
const MOST: usize = 32;
const SHARE: usize = 8;

/// Addresses that are used of one name.
const MOST_ADDRESSES: usize = 1024;

/// The longest single wait of a call without limits.
const LONG: Duration = Duration::from_secs(10);

/// Identifies a plugin, whose instances share a bound of queries. Compared by address.
#[derive(Default)]
pub(crate) struct Share;

/// A query for one name.
struct Lookup {
    name: String,
    share: Arc<Share>,
    answer: Mutex<Answer>,
    answered: Condvar,
}

#[derive(Default)]
struct Answer {
    /// `Err` if the system gave no thread.
    found: Option<Result<Vec<IpAddr>, i32>>,
    waker: Option<Waker>,
}

/// The queries of a process.
#[derive(Default)]
struct Desk {
    /// The plugin of each query that is running on a thread.
    running: Vec<Arc<Share>>,
    queue: VecDeque<Arc<Lookup>>,
}

fn desk() -> MutexGuard<'static, Desk> {
    // A forked child has none of its parent's threads.
    static DESK: PerProcess<Mutex<Desk>> = PerProcess::new();
    DESK.get_or_make(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resolves a name, and waits for it as long as the budget lasts.
pub(crate) async fn resolve(name: &str, share: &Arc<Share>, driver: Driver, budget: &Budget) -> Result<Vec<IpAddr>, Failed> {
    // These names always mean this machine.
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    }
    budget.look(driver)?;
    let lookup = Lookup { name: name.to_owned(), share: share.clone(), answer: Mutex::default(), answered: Condvar::new() };
    let asked = Asked(Arc::new(lookup));
    line_up(asked.0.clone());
    let found = match driver {
        Driver::Direct => asked.0.wait(budget)?,
        // Whatever ends the call drops this future.
        Driver::Fiber => poll_fn(|context| asked.0.poll(context.waker())).await,
    }?;
    if found.is_empty() { Err(Failed::Number(errno::NOENT)) } else { Ok(found) }
}

fn line_up(lookup: Arc<Lookup>) {
    let mut desk = desk();
    desk.queue.push_back(lookup);
    desk.begin();
}

/// A query that a call waits for. When it is dropped, the query is cancelled unless it is running.
struct Asked(Arc<Lookup>);

impl Drop for Asked {
    fn drop(&mut self) {
        desk().queue.retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

impl Desk {
    /// Takes the first query from the queue that may run.
    fn next(&mut self) -> Option<Arc<Lookup>> {
        if self.running.len() >= MOST {
            return None;
        }
        let has_room = |share: &Arc<Share>| self.running.iter().filter(|other| Arc::ptr_eq(other, share)).count() < SHARE;
        let place = self.queue.iter().position(|lookup| has_room(&lookup.share))?;
        let next = self.queue.remove(place)?;
        self.running.push(next.share.clone());
        Some(next)
    }

    /// Starts a thread for each query that may run.
    fn begin(&mut self) {
        while let Some(lookup) = self.next() {
            let work = lookup.clone();
            if thread::Builder::new().name("undergo-names".to_owned()).spawn(move || ask_all(work)).is_err() {
                self.end(&lookup.share);
                lookup.tell(Err(errno::AGAIN));
            }
        }
    }

    fn end(&mut self, share: &Arc<Share>) {
        if let Some(place) = self.running.iter().position(|other| Arc::ptr_eq(other, share)) {
            self.running.swap_remove(place);
        }
    }
}

/// The work of a thread: one query, and then others from the queue.
fn ask_all(mut lookup: Arc<Lookup>) {
    loop {
        lookup.tell(Ok(ask(&lookup.name)));
        let mut desk = desk();
        desk.end(&lookup.share);
        match desk.next() {
            Some(next) => lookup = next,
            None => return,
        }
    }
}

impl Lookup {
    fn lock(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, found: Result<Vec<IpAddr>, i32>) {
        let mut answer = self.lock();
        answer.found = Some(found);
        self.answered.notify_all();
        if let Some(waker) = answer.waker.take() {
            drop(answer);
            waker.wake();
        }
    }

    fn wait(&self, budget: &Budget) -> Result<Result<Vec<IpAddr>, i32>, Failed> {
        loop {
            budget.check()?;
            let mut answer = self.lock();
            if let Some(found) = answer.found.take() {
                return Ok(found);
            }
            drop(self.answered.wait_timeout(answer, budget.pause().unwrap_or(LONG)));
        }
    }

    fn poll(&self, waker: &Waker) -> Poll<Result<Vec<IpAddr>, i32>> {
        let mut answer = self.lock();
        match answer.found.take() {
            Some(found) => Poll::Ready(found),
            None => {
                answer.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }
}

/// The system's answer in its order, each address once; empty if it has none.
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
        if !ips.contains(&found.ip()) && ips.len() < MOST_ADDRESSES {
            ips.push(found.ip());
        }
    }
    ips
}

/// A name that tests resolve without a query.
#[cfg(test)]
pub(crate) const KNOWN: (&str, IpAddr) = ("known.example", IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)));

/// A name whose query is never answered.
#[cfg(test)]
const SLOW: &str = "slow.example";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::budget::Deadline;
    use crate::error::ErrorKind;
    use crate::sched::driver::at_once;

    fn resolve_here(name: &str, share: &Arc<Share>, budget: &Budget) -> Result<Vec<IpAddr>, Failed> {
        at_once(resolve(name, share, Driver::Direct, budget))
    }

    fn brief() -> Budget {
        Budget { deadline: Some(Deadline::after(Duration::from_millis(30))), ..Budget::default() }
    }

    #[test]
    #[cfg_attr(miri, ignore = "leaves threads behind")]
    fn a_plugin_has_a_part_of_the_look_ups_and_a_deadline_ends_each() {
        let (slow, other) = (Arc::new(Share), Arc::new(Share));
        for _ in 0..SHARE + 3 {
            let ended = resolve_here(SLOW, &slow, &brief());
            assert!(matches!(ended, Err(Failed::Ended(error)) if error.kind() == ErrorKind::Timeout));
        }
        let running = || desk().running.iter().filter(|share| Arc::ptr_eq(share, &slow)).count();
        assert_eq!(running(), SHARE);
        assert!(desk().queue.iter().all(|lookup| !Arc::ptr_eq(&lookup.share, &slow)), "nobody waits for these");
        // The queries of one plugin do not delay those of others.
        assert!(resolve_here(KNOWN.0, &other, &Budget::default()).is_ok_and(|found| found == [KNOWN.1]));
        assert!(matches!(resolve_here(KNOWN.0, &slow, &brief()), Err(Failed::Ended(_))), "its own are");
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs threads of a runtime")]
    fn a_task_is_woken_by_its_answer() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (share, budget) = (Arc::new(Share), Budget::default());
        let found = runtime.block_on(resolve(KNOWN.0, &share, Driver::Fiber, &budget));
        assert!(found.is_ok_and(|found| found == [KNOWN.1]));
    }

    #[test]
    fn turns_go_round() {
        let shares = [0; 6].map(|_| Arc::new(Share));
        let lookup = |share: &Arc<Share>| {
            Arc::new(Lookup { name: String::new(), share: share.clone(), answer: Mutex::default(), answered: Condvar::new() })
        };
        let mut desk = Desk::default();
        for share in &shares {
            desk.queue.extend((0..2 * SHARE).map(|_| lookup(share)));
        }
        let mut taken = Vec::new();
        while let Some(next) = desk.next() {
            taken.push(next.share.clone());
        }
        assert_eq!(taken.len(), MOST);
        let of = |taken: &[Arc<Share>], share| taken.iter().filter(|other| Arc::ptr_eq(other, share)).count();
        assert_eq!(shares.each_ref().map(|share| of(&taken, share)), [8, 8, 8, 8, 0, 0]);
        desk.end(&shares[1]);
        assert!(desk.next().is_some_and(|next| Arc::ptr_eq(&next.share, &shares[1])), "the first whose turn it is");
        for _ in 0..SHARE {
            desk.end(&shares[0]);
        }
        let next: Vec<_> = std::iter::from_fn(|| desk.next()).map(|next| next.share.clone()).collect();
        assert_eq!(of(&next, &shares[0]), 8);
    }
}
