//! What WASI has of a guest, and what it needs of a store's data.

use std::sync::Arc;

use wasmtime::Memory;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtxBuilder, WasiView as _};

use crate::config::Limits;
use crate::config::budget::Budget;
use crate::error::Result;
use crate::wasi::clock::Simulated;
use crate::wasi::files::given::Given;
use crate::wasi::files::listing::Listings;
use crate::wasi::files::table::Files;
use crate::wasi::files::temporary::Temporary;
use crate::wasi::http::Requests;
use crate::wasi::pipes::Pipes;
use crate::wasi::preview2::{self, Output};
use crate::wasi::random::Seeded;
use crate::wasi::sandbox::Sandbox;
use crate::wasi::sockets::access::Access;
use crate::wasi::sockets::component::Listening;
use crate::wasi::sockets::denials::Denials;
use crate::wasi::sockets::lookups::Share;
use crate::wasi::sockets::table::Sockets;
use crate::wasi::stdio::streams::{Standards, Streams};

/// The data of a store whose guest has WASI. All functions of WASI are generic over it, as those of
/// wasmtime-wasi are over its views.
pub(crate) trait Host: Send + 'static {
    /// What WASI has of the guest.
    fn wasi(&mut self) -> &mut Wasi;

    /// The guest's memory, once it is known.
    fn memory(&self) -> Option<Memory>;

    /// The guest has waited, and computes again from now on.
    fn resume(&mut self);
}

/// What WASI has of a guest.
pub(crate) struct Wasi {
    /// What wasmtime-wasi serves: arguments, the environment, clocks, the host's random numbers.
    pub(crate) p1: WasiP1Ctx,
    /// A component's standard output and error.
    pub(crate) outputs: Option<[Output; 2]>,
    /// That of the innermost call: it bounds every wait.
    pub(crate) budget: Budget,
    pub(crate) streams: Arc<Streams>,
    pub(crate) standards: Standards,
    /// `None` where the guest reads the host's clocks.
    pub(crate) clock: Option<Simulated>,
    /// `None` where the guest's random numbers are the host's.
    pub(crate) random: Option<Seeded>,
    pub(crate) sockets: Sockets,
    /// Those of a component that take datagrams from everybody.
    pub(crate) listening: Listening,
    /// By HTTP, of a component.
    pub(crate) requests: Requests,
    pub(crate) pipes: Pipes,
    pub(crate) files: Files,
    pub(crate) listings: Listings,
    /// Removed when the guest is dropped.
    _temporary: Option<Temporary>,
}

/// What a guest's `Wasi` is made from.
pub(crate) struct Parts<'p> {
    /// The name that the guest has for itself, `argv[0]`.
    pub(crate) name: &'p str,
    /// Whether Go compiled it.
    pub(crate) is_go: bool,
    /// Whether it has WASI 0.2.
    pub(crate) is_component: bool,
    /// Whether its functions may suspend, as those of WASI 0.3 do.
    pub(crate) suspends: bool,
    pub(crate) sandbox: &'p Sandbox,
    pub(crate) limits: &'p Limits,
    /// These outlive a guest: after a reset the next one gets the same.
    pub(crate) given: &'p Arc<Given>,
    pub(crate) streams: &'p Arc<Streams>,
    pub(crate) denials: &'p Arc<Denials>,
    pub(crate) share: &'p Arc<Share>,
}

impl Wasi {
    /// # Errors
    ///
    /// `denied` when something that the sandbox gives can't be used.
    pub(crate) fn new(parts: &Parts<'_>) -> Result<Wasi> {
        let &Parts { sandbox, limits, given, streams, is_go, .. } = parts;
        let clock = Simulated::of(sandbox.clock);
        let temporary = sandbox.temp.then(Temporary::new).transpose()?;
        let mut builder = context(parts.name, sandbox, limits, clock.as_ref());
        let dirs = || given.dirs.iter().cloned().chain(temporary.as_ref().and_then(Temporary::dir));
        let access = Access::new(&sandbox.network, parts.denials, parts.share);
        let outputs = parts.is_component.then(|| preview2::give(&mut builder, sandbox, given, dirs(), streams, &access)).transpose()?;
        if parts.is_component {
            // Files are read and written on the guest's own thread: a forked child has no other.
            // But where a stream may lead from one file to another, the engine would copy all of it
            // in one step, which nothing could end.
            builder.allow_blocking_current_thread(!parts.suspends);
        }
        let mut p1 = builder.build_p1();
        p1.ctx().table.set_max_capacity(preview2::most_resources(limits));
        Ok(Wasi {
            p1,
            outputs,
            budget: Budget::default(),
            streams: streams.clone(),
            standards: Standards::new(&sandbox.stdin, given, streams, is_go)?,
            clock,
            random: Seeded::of(sandbox.random),
            sockets: Sockets::new(sandbox, access.clone(), given.clone())?,
            listening: Listening::default(),
            requests: Requests::new(access, limits),
            pipes: Pipes::default(),
            files: Files::new(given, temporary.as_ref(), &sandbox.network, limits, is_go),
            listings: Listings::default(),
            _temporary: temporary,
        })
    }
}

/// What wasmtime-wasi serves.
fn context(name: &str, sandbox: &Sandbox, limits: &Limits, clock: Option<&Simulated>) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    // argv[0] is never absent: real libraries panic without it.
    builder.arg(name).args(&sandbox.args).envs(&sandbox.env);
    if let Some(memory) = limits.memory
        && !sandbox.env.iter().any(|(key, _)| key == "GOMEMLIMIT")
    {
        builder.env("GOMEMLIMIT", (memory / 10 * 9).to_string());
    }
    if let Some(clock) = clock {
        clock.give_to(&mut builder);
    }
    builder
}

#[cfg(test)]
pub(crate) mod tests {
    use wasmtime_wasi::WasiCtxView;

    use super::*;

    /// A store's data that is never used: for linkers alone.
    pub(crate) struct Unused(Wasi);

    impl Host for Unused {
        fn wasi(&mut self) -> &mut Wasi {
            &mut self.0
        }

        fn memory(&self) -> Option<Memory> {
            None
        }

        fn resume(&mut self) {}
    }

    impl wasmtime_wasi::WasiView for Unused {
        fn ctx(&mut self) -> WasiCtxView<'_> {
            self.0.p1.ctx()
        }
    }
}
