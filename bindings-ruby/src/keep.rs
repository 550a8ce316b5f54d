//! Values that Ruby's collector has to see: it looks on the stacks of threads, and not into this
//! library's memory.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use magnus::prelude::*;
use magnus::value::Opaque;
use magnus::{DataTypeFunctions, Error, RModule, Ruby, TypedData, Value, gc};

/// What is touched with Ruby's lock alone.
struct Locked<T>(RefCell<T>);

// SAFETY: whoever calls the functions of this file has Ruby's lock, and so has the collector, which
// marks while its thread has it.
unsafe impl<T> Sync for Locked<T> {}

struct Slot {
    value: Opaque<Value>,
    is_kept: AtomicBool,
}

/// A value that is kept alive, and stays at its place, until this is dropped: on any thread, with
/// Ruby's lock or without.
pub(crate) struct Kept(Arc<Slot>);

/// Values that are kept for as long as something shows them to the collector.
pub(crate) struct Slots(Locked<Vec<Arc<Slot>>>);

impl Slots {
    pub(crate) const fn new() -> Slots {
        Slots(Locked(RefCell::new(Vec::new())))
    }

    /// Keeps a value, with Ruby's lock.
    pub(crate) fn keep(&self, value: Value) -> Kept {
        let slot = Arc::new(Slot { value: value.into(), is_kept: AtomicBool::new(true) });
        let mut slots = self.0.0.borrow_mut();
        if slots.len() == slots.capacity() {
            slots.retain(|slot| slot.is_kept.load(Ordering::Acquire));
            // So that it is not looked through again soon.
            let left = slots.len();
            slots.reserve(left + 4);
        }
        slots.push(slot.clone());
        Kept(slot)
    }

    pub(crate) fn mark(&self, marker: &gc::Marker) {
        for slot in self.0.0.borrow().iter().filter(|slot| slot.is_kept.load(Ordering::Acquire)) {
            marker.mark(slot.value);
        }
    }
}

static KEPT: Slots = Slots::new();

impl Kept {
    /// One that nothing else needs to show.
    pub(crate) fn new(value: Value) -> Kept {
        KEPT.keep(value)
    }

    pub(crate) fn value(&self, ruby: &Ruby) -> Value {
        ruby.get_inner(self.0.value)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.is_kept.store(false, Ordering::Release);
    }
}

struct Lowered {
    values: Vec<Opaque<Value>>,
    /// How many calls read their arguments.
    readers: usize,
}

static LOWERED: Locked<Lowered> = Locked(RefCell::new(Lowered { values: Vec::new(), readers: 0 }));

/// Keeps the values that are [held](Reading::hold), while arguments are read.
pub(crate) struct Reading(());

impl Reading {
    /// With Ruby's lock, as where it is dropped.
    pub(crate) fn begin() -> Reading {
        LOWERED.0.borrow_mut().readers += 1;
        Reading(())
    }

    /// Keeps a value until all arguments have been read that are being read.
    pub(crate) fn hold(value: Value) {
        LOWERED.0.borrow_mut().values.push(value.into());
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut lowered = LOWERED.0.borrow_mut();
        lowered.readers -= 1;
        if lowered.readers == 0 {
            lowered.values.clear();
        }
    }
}

/// The object by which the collector finds them.
#[derive(TypedData)]
#[magnus(class = "Undergo::Kept", mark)]
struct Roots;

impl DataTypeFunctions for Roots {
    fn mark(&self, marker: &gc::Marker) {
        KEPT.mark(marker);
        for value in &LOWERED.0.borrow().values {
            marker.mark(*value);
        }
    }
}

/// Shows the collector what is kept.
pub(crate) fn define(ruby: &Ruby, module: RModule) -> Result<(), Error> {
    let class = module.define_class("Kept", ruby.class_object())?;
    class.undef_default_alloc_func();
    ruby.gc_register_mark_object(ruby.obj_wrap(Roots));
    module.funcall::<_, _, Value>("private_constant", (ruby.to_symbol("Kept"),))?;
    Ok(())
}
