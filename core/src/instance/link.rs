//! Linked instances: the exports of one as the imports of another.
//!
//! A call of a linked function goes from guest to guest. Its arguments and its result are checked
//! and copied by way of a block of the host's, and no value of the host's is made. The call has the
//! bounds of the one around it, and the limits of its own instance.
//!
//! The store of the calling instance is not lent to anybody meanwhile: what the other one calls
//! can't come back into it, and is told that it is busy.

use std::cell::RefCell;
use std::sync::Arc;

use crate::abi::block::Block;
use crate::abi::chain;
use crate::abi::handles::{Handle, HostObject};
use crate::abi::transfer::Transfer;
use crate::call::outcome::Outcome;
use crate::config::CallOptions;
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::host::{Answer, HostCall, HostFunction, Imports};
use crate::guest::waits::in_a_circle;
use crate::instance::Instance;
use crate::instance::arguments::Arguments;
use crate::instance::async_instance::AsyncInstance;
use crate::instance::link_types::compare;
use crate::instance::running::{Running, Wait};
use crate::interface::{Function, ResourceType};
use crate::platform::stack::{remaining_stack, thread_id};

/// What can be [linked](Imports::link): [`Instance`] and [`AsyncInstance`].
///
/// This trait is sealed.
pub trait Linkable: sealed::Sealed {}

impl Linkable for Instance {}
impl Linkable for AsyncInstance {}

mod sealed {
    use std::sync::Arc;

    use crate::instance::Instance;
    use crate::instance::async_instance::AsyncInstance;
    use crate::instance::running::Running;

    #[allow(unnameable_types, reason = "it seals a trait")]
    pub trait Sealed {
        fn linked(&self) -> Runs;
    }

    /// An instance that is linked.
    #[allow(unnameable_types, reason = "as above")]
    pub struct Runs(pub(super) Arc<Running>);

    impl Sealed for Instance {
        fn linked(&self) -> Runs {
            Runs(self.0.clone())
        }
    }

    impl Sealed for AsyncInstance {
        fn linked(&self) -> Runs {
            Runs(self.0.clone())
        }
    }
}

impl Imports {
    /// Adds the exports of another instance as the functions of an interface: a plugin that calls a
    /// plugin. They replace functions that were added before, and may be replaced by others.
    ///
    /// Creating an instance compares each function that its plugin imports with the export of that
    /// name: their types must be the same, and hold no functions, iterators or streams. Objects are
    /// passed: those of the linked instance are those of the resource of that name that the plugin
    /// imports. Of several functions with one name, the plugin gets that of the interface.
    ///
    /// - A call waits for its turn where others use the linked instance. Deadline and tokens of the
    ///   call around it count, and each instance keeps its own limits.
    /// - Whatever ends the linked instance is an error of the import: the Go code gets it, if the
    ///   import returns an error, and the instance lives on. [`Error::host`] of an error that is
    ///   not caught has the original one.
    /// - Calls in a circle are [`Busy`](ErrorKind::Busy).
    /// - An asynchronous instance has to be linked to one that is asynchronous as well. Where a
    ///   blocking one is linked to an asynchronous one, its calls hold the thread.
    ///
    /// The importing instance keeps the other one alive.
    ///
    /// ```no_run
    /// use undergo::{Imports, InstanceOptions, Plugin};
    ///
    /// # fn main() -> undergo::Result<()> {
    /// let directory = Plugin::from_file("directory.wasm")?.instantiate(InstanceOptions::default())?;
    ///
    /// let mut imports = Imports::default();
    /// imports.link("directory", &directory);
    /// let greeter = Plugin::from_file("greeter.wasm")?.instantiate(InstanceOptions::default().imports(imports))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn link(&mut self, interface: impl Into<String>, instance: &impl Linkable) {
        let (interface, running) = (Arc::<str>::from(interface.into()), instance.linked().0);
        let plugin = running.seed.plugin.clone();
        let running = Arc::new(Held(Some(running)));
        let mut set = |name: &str, export| {
            let link = Link { running: running.clone(), export, interface: interface.clone() };
            self.set(&*interface, name, Arc::new(link));
        };
        for (export, function) in plugin.functions().enumerate().filter(|(_, function)| !function.is_method) {
            set(&function.name, export);
        }
        // Several interfaces may export what has the same name, and have longer ones then.
        for (export, function) in plugin.functions().enumerate() {
            let Some((of, name)) = function.core_name.split_once('#') else { continue };
            if of == &*interface || of.split_once('@').is_some_and(|(of, _)| of == &*interface) {
                set(name, export);
            }
        }
    }
}

/// An export of an instance, as a host function of others.
struct Link {
    running: Arc<Held>,
    export: usize,
    /// That of the import.
    interface: Arc<str>,
}

/// A linked instance. Long chains of them are dropped one after another, not one within the other.
struct Held(Option<Arc<Running>>);

thread_local! {
    /// What is to be dropped, while something is.
    static DROPPED: RefCell<Option<Vec<Arc<Running>>>> = const { RefCell::new(None) };
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut running = self.0.take();
        // A thread that is ending keeps no list.
        let is_outermost = DROPPED.try_with(|dropped| {
            let mut dropped = dropped.borrow_mut();
            match &mut *dropped {
                Some(list) => {
                    list.extend(running.take());
                    false
                }
                none => {
                    *none = Some(Vec::new());
                    true
                }
            }
        });
        if is_outermost == Ok(true) {
            while let Some(next) = running.take() {
                drop(next);
                running = DROPPED.with_borrow_mut(|dropped| dropped.as_mut().and_then(Vec::pop));
            }
            DROPPED.set(None);
        }
    }
}

impl Link {
    fn running(&self) -> Result<&Arc<Running>> {
        self.running.0.as_ref().ok_or_else(|| Error::new(ErrorKind::DeadInstance, "the linked instance is gone"))
    }
}

impl HostFunction for Link {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let running = self.running()?;
        if running.seed.kind.suspends { later(running, self.export, call) } else { now(running, self.export, call) }
    }

    fn check(&self, import: &Function) -> Result<()> {
        let plugin = &self.running()?.seed.plugin;
        match plugin.function(self.export) {
            Some(export) => compare(&self.interface, import, export, plugin.name()),
            None => Err(Error::new(ErrorKind::UnknownExport, "the linked instance has no such export")),
        }
    }

    fn at_home(&self) -> bool {
        // An asynchronous instance goes there by itself, for its host functions.
        self.running().is_ok_and(|running| !running.seed.kind.suspends)
    }
}

/// Calls an instance whose calls hold their thread.
fn now(running: &Arc<Running>, export: usize, call: &mut HostCall<'_>) -> Result<()> {
    // For the call itself, and for host functions that it calls: see `platform::fiber`.
    const ROOM: usize = 192 << 10;
    if (1..ROOM).contains(&remaining_stack()) {
        let text = "the thread has too little stack left for a call of a linked instance: too many of them call each other";
        return Err(Error::new(ErrorKind::HostError, text));
    }
    if running.seed.lock.is_owned_by(thread_id()) {
        return Err(pass_on(in_a_circle(), call.function(), running, &Budget::default()));
    }
    let plugin = running.seed.plugin.compiled();
    let function = &plugin.exports[export].function;
    let mut arguments = Arguments::of(plugin, export, function);
    read_args(call, &mut arguments)?;
    let around = around(call);
    let done = if is_bounded(&around) {
        running.call_within(Wait::Thread, &mut arguments, running.budget(CallOptions::NONE).within(&around), copied(call.function()))
    } else {
        running.call_here(&mut arguments, CallOptions::NONE, copied(call.function()))
    };
    match done {
        Ok(block) => give(call, block),
        Err(error) => Err(pass_on(error, call.function(), running, &around)),
    }
}

/// Calls an instance whose calls suspend.
fn later(running: &Arc<Running>, export: usize, call: &mut HostCall<'_>) -> Result<()> {
    let mut arguments = running.seed.plugin.owned_arguments(export)?;
    read_args(call, &mut arguments)?;
    let (around, parent) = (around(call), call.store.data().lock.owner());
    let (running, import) = (running.clone(), call.import.function.clone());
    call.defer(Box::pin(async move {
        let budget = running.budget(CallOptions::NONE).within(&around);
        match running.call_for(parent, Wait::Task, &mut arguments, budget, copied(&import)).await {
            Ok(block) => Ok(Box::new(move |call: &mut HostCall<'_>| give(call, block)) as Answer),
            Err(error) => Err(pass_on(error, &import, &running, &around)),
        }
    }))
}

/// What bounds the call around this one.
fn around(call: &HostCall<'_>) -> Budget {
    let state = call.store.data();
    Budget { pool: state.pool_of_call(), ..state.wasi.budget.clone() }
}

fn is_bounded(budget: &Budget) -> bool {
    budget.is_limited() || budget.caller.is_some() || budget.pool != 0
}

/// Copies the arguments of the import to the block of the export's.
fn read_args(call: &mut HostCall<'_>, arguments: &mut Arguments<'_, 'static>) -> Result<()> {
    let handles = call.store.data().handles.clone();
    let (export, block) = arguments.parts();
    call.read_args(|import, memory, bytes, quota| {
        let transfer = Transfer::new(memory, quota, &handles, stand_in);
        for ((param, taken), at) in import.params.iter().zip(&export.params).zip(&import.abi.params.offsets) {
            transfer.value(&param.ty, &taken.ty, bytes, *at, block, *at).map_err(|error| error.at(param.name.clone()))?;
        }
        Ok(())
    })
}

/// Copies the result of the export to a block for the guest that has called the import.
fn copied(import: &Function) -> impl FnOnce(Outcome<'_, '_>) -> Result<Block<'static>> {
    |outcome| {
        let handles = outcome.store.data().handles.clone();
        outcome.lift_with(|export, memory, bytes, quota| {
            let layout = &export.abi.result;
            let mut block = Block::begin(layout.size);
            if let (Some(given), Some(taken)) = (&export.result, &import.result) {
                let transfer = Transfer::new(memory, quota, &handles, stand_in);
                transfer.value(given, taken, bytes, layout.value_offset, &mut block, layout.value_offset)?;
            }
            Ok(block)
        })
    }
}

/// Answers with the result of the export, whose objects become the guest's.
fn give(call: &mut HostCall<'_>, mut block: Block<'static>) -> Result<()> {
    if block.passes_handles() {
        // Only owned ones can be a result, so none of them ends with the call.
        block.settle(&call.import.function, &call.store.data().handles)?;
    }
    call.give(block)
}

/// An object of an instance as one of the resource of that name that another instance imports. Its
/// methods are links.
fn stand_in(handle: Handle, resource: &ResourceType) -> Result<HostObject> {
    let running = handle.home().and_then(|home| home.downcast::<Running>().ok());
    let running = running.ok_or_else(|| Error::new(ErrorKind::DeadInstance, "the instance of the object has ended"))?;
    let (plugin, own) = (running.seed.plugin.clone(), handle.ty().clone());
    let (running, interface) = (Arc::new(Held(Some(running))), Arc::<str>::from(&*resource.interface));
    let method = |name: &String| {
        let number = own.methods.iter().position(|method| method == name)?;
        let export = plugin.member(&own.function(number)?)?;
        Some(Arc::new(Link { running: running.clone(), export, interface: interface.clone() }) as Arc<dyn HostFunction>)
    };
    let methods: Option<Vec<_>> = resource.methods.iter().map(method).collect();
    let lacking =
        || Error::new(ErrorKind::SignatureMismatch, format!("the {} lacks methods of the {} that is imported", own.name, resource.name));
    Ok(HostObject::new(methods.ok_or_else(lacking)?).standing_for(handle))
}

/// What the error of a linked call is for the guest that has called it.
fn pass_on(error: Error, import: &Function, running: &Running, around: &Budget) -> Error {
    // Its own bounds end it too, whichever of the two has noticed first.
    if let Err(ended) = around.check_limits() {
        return ended;
    }
    match error.kind() {
        // The program's own, or that of its user: whoever interrupts a call means all of it.
        ErrorKind::HostError => error,
        ErrorKind::Cancelled if error.host().is_some() => error,
        ErrorKind::GuestError => {
            let chain = chain::adopted(error.chain(), import.errors.as_deref());
            Error::new(ErrorKind::HostError, error.message()).with_chain(chain)
        }
        kind => {
            let text = format!("{}, which is linked: {kind}: {error}", running.seed.plugin.name());
            Error::from_host(text, Arc::new(error))
        }
    }
}
