//! The handles of an instance: those that its guest has, and those that the host's program has of
//! the guest's objects. See docs/abi.md, section 10.

use std::any::Any;
use std::fmt;
use std::mem::{replace, take};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::error::{Error, ErrorKind, Result};
use crate::interface::ResourceType;
use crate::platform::fork;

mod passed;
#[cfg(test)]
mod tests;

use passed::unlike;
pub(crate) use passed::{Passed, Typed};

/// How many handles a guest may have, unless the limits say otherwise.
pub(crate) const DEFAULT_MAX_HANDLES: u32 = 10_000;

/// The bits of a guest's handle that hold its place in the table, plus one; above them is the
/// place's generation.
const PLACE_BITS: u32 = 20;
const MAX_PLACES: usize = (1 << PLACE_BITS) - 1;
const GENERATIONS: u32 = (1 << (31 - PLACE_BITS)) - 1;

/// A handle of an object of a guest. Clones are the same handle. It may be closed, cloned and
/// dropped on any thread; the guest's object is then released by the next call of the instance, or
/// by the end of the one that runs.
#[derive(Clone)]
pub struct Handle(Arc<Given>);

/// What the host's program has of an object.
struct Given {
    handles: Arc<Handles>,
    ty: Arc<ResourceType>,
    rep: u32,
    place: usize,
    /// Whether it was not closed, nor given away.
    is_open: AtomicBool,
    era: u64,
}

impl Given {
    /// Without a lock: each call of a method asks this.
    #[inline]
    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed) && self.era == self.handles.era.load(Ordering::Relaxed)
    }
}

impl Handle {
    /// The resource of the object.
    #[must_use]
    pub fn ty(&self) -> &Arc<ResourceType> {
        &self.0.ty
    }

    /// Whether it can be used: it was not closed, nor given away, and its instance was not reset or
    /// returned to its pool.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// Ends it. Closing it again does nothing.
    pub fn close(&self) {
        self.0.handles.close(&self.0);
    }

    /// Checks that it is open, and of that resource.
    pub(crate) fn check(&self, resource: &ResourceType) -> Result<()> {
        let own = &self.0.ty;
        if !std::ptr::eq(&raw const **own, resource) {
            return Err(unlike(own, resource));
        }
        if self.is_open() { Ok(()) } else { Err(closed(own)) }
    }

    /// The instance of the object, if it has not ended.
    pub(crate) fn home(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.handles.home.get()?.upgrade()
    }

    /// The representation, for a call of that instance.
    #[inline]
    pub(crate) fn rep(&self, handles: &Arc<Handles>) -> Result<u32> {
        if !Arc::ptr_eq(&self.0.handles, handles) {
            return Err(foreign(&self.0.ty));
        }
        if self.is_open() { Ok(self.0.rep) } else { Err(closed(&self.0.ty)) }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.handles.close(self);
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.0.ty.name)
    }
}

/// An object of the host's program, as a guest calls it. What it consists of is known to the level
/// that runs host functions. Cheap to clone.
#[derive(Clone)]
pub struct HostObject {
    pub(crate) methods: Arc<dyn Any + Send + Sync>,
    value: Option<Arc<dyn Any + Send + Sync>>,
}

impl HostObject {
    pub(crate) fn of(methods: Arc<dyn Any + Send + Sync>) -> HostObject {
        HostObject { methods, value: None }
    }

    /// The same with what the program has given, for when a guest passes the object back.
    #[must_use]
    pub fn standing_for(self, value: impl Any + Send + Sync) -> HostObject {
        HostObject { value: Some(Arc::new(value)), ..self }
    }

    /// What the program has given, if it is of that type.
    #[must_use]
    pub fn value<T: Any>(&self) -> Option<&T> {
        self.value.as_ref()?.downcast_ref()
    }
}

impl PartialEq for HostObject {
    fn eq(&self, other: &HostObject) -> bool {
        Arc::ptr_eq(&self.methods, &other.methods)
    }
}

impl fmt::Debug for HostObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostObject")
    }
}

/// The table of an instance. One for its whole life, also when its guest is made anew.
pub(crate) struct Handles {
    table: Mutex<Table>,
    /// Whether objects of the guest wait for their release.
    has_ended: AtomicBool,
    /// Which of its guests, or users, has the handles. Those of an earlier era are closed. Changed
    /// under the lock.
    era: AtomicU64,
    most: u32,
    /// The process that created it: see `fork.rs`.
    generation: u64,
    /// The instance, as the level of instances knows it.
    home: OnceLock<Weak<dyn Any + Send + Sync>>,
}

#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    free: Vec<usize>,
    /// How many of them the guest has.
    held: u32,
    /// How many of the guest's objects the host's program has.
    given: u32,
    /// The guest's objects whose handles have ended: the number of the resource, and the
    /// representation.
    ended: Vec<(usize, u32)>,
    /// How many of those the guest itself has ended. They count as if it still had them: nothing
    /// else bounds their number before they are released.
    dropped: u32,
    /// Which of the instance's guests has them.
    guest: u64,
}

struct Entry {
    generation: u32,
    content: Content,
}

enum Content {
    Free,
    /// The guest's handle of an object of its own.
    Own {
        resource: usize,
        rep: u32,
    },
    /// An object of the guest of which the host's program has a handle.
    Given {
        resource: usize,
        rep: u32,
    },
    /// The guest's handle of an object of the host.
    Host {
        resource: usize,
        object: HostObject,
        is_own: bool,
    },
}

/// How many handles there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandleCounts {
    /// Handles that the guest has: of objects of the host, and of its own on their way.
    pub held: u32,
    /// Handles of the guest's objects that the host's program has.
    pub given: u32,
}

impl Handles {
    pub(crate) fn new(most: u32) -> Handles {
        Handles {
            table: Mutex::default(),
            has_ended: AtomicBool::new(false),
            era: AtomicU64::new(0),
            most,
            generation: fork::generation(),
            home: OnceLock::new(),
        }
    }

    /// Says whose they are.
    pub(crate) fn belong_to(&self, home: Weak<dyn Any + Send + Sync>) {
        // Once: an instance has one table for its whole life.
        let _ = self.home.set(home);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process has been forked since. A thread of the parent's may have had the lock
    /// then, and never releases it here.
    fn is_left_behind(&self) -> bool {
        self.generation != fork::generation()
    }

    pub(crate) fn counts(&self) -> HandleCounts {
        if self.is_left_behind() {
            return HandleCounts::default();
        }
        let table = self.lock();
        HandleCounts { held: table.held, given: table.given }
    }

    /// Whether objects of the guest wait for their release.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// The objects to release: the number of the resource, and the representation.
    pub(crate) fn take_ended(&self) -> Vec<(usize, u32)> {
        let mut table = self.lock();
        self.has_ended.store(false, Ordering::Relaxed);
        table.dropped = 0;
        take(&mut table.ended)
    }

    fn end(&self, table: &mut Table, resource: usize, rep: u32) {
        table.ended.push((resource, rep));
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Forgets all handles, because the guest has ended. What of the host it held is dropped here.
    pub(crate) fn forget(&self) {
        if self.is_left_behind() {
            return;
        }
        let mut table = self.lock();
        self.era.fetch_add(1, Ordering::Relaxed);
        let guest = table.guest + 1;
        let entries = replace(&mut *table, Table { guest, ..Table::default() }).entries;
        self.has_ended.store(false, Ordering::Relaxed);
        drop(table);
        // Outside of the lock: the host's objects may have code that runs when they are dropped.
        drop(entries);
    }

    /// Ends the handles that the host's program has, because it returns the instance.
    pub(crate) fn end_given(&self) {
        if self.is_left_behind() {
            return;
        }
        let mut table = self.lock();
        if table.given == 0 {
            return;
        }
        self.era.fetch_add(1, Ordering::Relaxed);
        for place in 0..table.entries.len() {
            if let Content::Given { resource, rep } = table.entries[place].content {
                table.release(place);
                self.end(&mut table, resource, rep);
            }
        }
    }

    /// `[resource-new]`: a handle of the guest's own.
    pub(crate) fn new_own(&self, resource: usize, rep: u32) -> Result<u32> {
        self.lock().insert(Content::Own { resource, rep }, self.most)
    }

    /// `[resource-rep]`: the representation of an own object.
    pub(crate) fn rep(&self, resource: &ResourceType, handle: u32) -> Result<u32> {
        let table = self.lock();
        match table.find(handle).map(|place| &table.entries[place].content) {
            Some(Content::Own { resource: number, rep }) if *number == resource.number => Ok(*rep),
            _ => Err(no_handle(resource, handle)),
        }
    }

    /// Takes an own object back, which goes to a component: returns its representation.
    pub(crate) fn take_own(&self, resource: &ResourceType, handle: u32) -> Result<u32> {
        let mut table = self.lock();
        let place = table.find(handle).ok_or_else(|| no_handle(resource, handle))?;
        let Content::Own { resource: number, rep } = table.entries[place].content else { return Err(no_handle(resource, handle)) };
        if number != resource.number {
            return Err(no_handle(resource, handle));
        }
        table.release(place);
        Ok(rep)
    }

    /// The error for a guest that wants more handles than it may have.
    pub(crate) fn too_many(&self) -> Error {
        too_many(self.most)
    }

    /// How many the guest may have.
    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    /// The object of the host that a handle of the guest's denotes.
    pub(crate) fn object(&self, resource: &ResourceType, handle: u32) -> Result<HostObject> {
        let table = self.lock();
        match table.find(handle).map(|place| &table.entries[place].content) {
            Some(Content::Host { resource: number, object, .. }) if *number == resource.number => Ok(object.clone()),
            _ => Err(no_handle(resource, handle)),
        }
    }

    /// The same for a handle with which the guest gives the object away.
    pub(crate) fn take_object(&self, resource: &ResourceType, handle: u32) -> Result<HostObject> {
        let mut table = self.lock();
        let place = table.find(handle).ok_or_else(|| no_handle(resource, handle))?;
        match &table.entries[place].content {
            Content::Host { resource: number, is_own: true, .. } if *number == resource.number => {}
            _ => return Err(no_handle(resource, handle)),
        }
        table.release_object(place).ok_or_else(|| no_handle(resource, handle))
    }

    /// `[resource-drop]`: ends a handle of the guest's. Returns the host's object, to be dropped
    /// when nothing is locked.
    pub(crate) fn drop_handle(&self, resource: &ResourceType, handle: u32) -> Result<Option<HostObject>> {
        let mut table = self.lock();
        let Some(place) = table.find(handle) else { return Err(no_handle(resource, handle)) };
        match &table.entries[place].content {
            Content::Own { resource: number, rep } if *number == resource.number => {
                let rep = *rep;
                table.release(place);
                table.dropped += 1;
                self.end(&mut table, resource.number, rep);
                Ok(None)
            }
            Content::Host { resource: number, is_own: true, .. } if *number == resource.number => Ok(table.release_object(place)),
            Content::Host { resource: number, is_own: false, .. } if *number == resource.number => {
                let text = format!("the guest drops the handle {handle} of {}, which it has borrowed", resource.name);
                Err(Error::new(ErrorKind::Trap, text))
            }
            _ => Err(no_handle(resource, handle)),
        }
    }

    /// Lifts an owned handle of the guest's: it becomes one of the host's program.
    pub(crate) fn give(self: &Arc<Self>, ty: &Arc<ResourceType>, handle: u32) -> Result<Handle> {
        if handle == 0 {
            return Err(no_handle(ty, handle).of_no_value());
        }
        let mut table = self.lock();
        let place = table.find(handle).ok_or_else(|| no_handle(ty, handle))?;
        let Content::Own { resource, rep } = table.entries[place].content else { return Err(no_handle(ty, handle)) };
        if resource != ty.number {
            return Err(no_handle(ty, handle));
        }
        table.entries[place].content = Content::Given { resource, rep };
        table.held -= 1;
        table.given += 1;
        let (handles, ty, is_open, era) = (self.clone(), ty.clone(), AtomicBool::new(true), self.era.load(Ordering::Relaxed));
        drop(table);
        Ok(Handle(Arc::new(Given { handles, ty, rep, place, is_open, era })))
    }

    fn close(&self, given: &Given) {
        if self.is_left_behind() || !given.is_open() {
            return;
        }
        let mut table = self.lock();
        // Under the lock, that of an era whose handles have ended may not be closed again.
        if given.is_open() && given.is_open.swap(false, Ordering::Relaxed) {
            table.release(given.place);
            self.end(&mut table, given.ty.number, given.rep);
        }
    }

    /// Gives the guest what is passed, each at its place: `put` gets the place and the core value.
    /// Returns the borrowed handles, which end with the call. If one can't be passed, none is.
    pub(crate) fn pass(self: &Arc<Self>, all: &[(u32, Passed)], mut put: impl FnMut(u32, u32)) -> Result<Option<Lent>> {
        let mut table = self.lock();
        let (mut made, mut lent, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        let done = all.iter().try_for_each(|(at, passed)| {
            let value = match passed {
                Passed::Borrow(handle) => handle.rep(self)?,
                Passed::Own(handle) => {
                    let rep = handle.rep(self)?;
                    table.check_room(self.most)?;
                    let place = handle.0.place;
                    table.entries[place].content = Content::Own { resource: handle.0.ty.number, rep };
                    table.held += 1;
                    table.given -= 1;
                    handle.0.is_open.store(false, Ordering::Relaxed);
                    moved.push(handle);
                    number(place, table.entries[place].generation)
                }
                Passed::Host { ty, object, is_own } => {
                    let content = Content::Host { resource: ty.number, object: object.clone(), is_own: *is_own };
                    let handle = table.insert(content, self.most)?;
                    if *is_own { &mut made } else { &mut lent }.push(handle);
                    handle
                }
                Passed::Typed { .. } => unreachable!("its resource was looked up when the function was known"),
            };
            put(*at, value);
            Ok(())
        });
        if done.is_err() {
            for Handle(given) in moved {
                table.entries[given.place].content = Content::Given { resource: given.ty.number, rep: given.rep };
                table.held -= 1;
                table.given += 1;
                given.is_open.store(true, Ordering::Relaxed);
            }
            made.append(&mut lent);
            for handle in made {
                // Whoever passed the object still has it, so this drops nothing.
                let _ = table.find(handle).and_then(|place| table.release_object(place));
            }
        }
        done.map(|()| (!lent.is_empty()).then(|| Lent { handles: self.clone(), guest: table.guest, lent }))
    }
}

/// Handles that the guest has borrowed for a call, and which end when this is dropped.
pub(crate) struct Lent {
    handles: Arc<Handles>,
    /// Another guest may have handles of the same numbers.
    guest: u64,
    lent: Vec<u32>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut table = self.handles.lock();
        if table.guest != self.guest {
            return;
        }
        let end = |handle: &u32| table.find(*handle).and_then(|place| table.release_object(place));
        let objects: Vec<_> = self.lent.iter().filter_map(end).collect();
        drop(table);
        // Outside of the lock: the host's objects may have code that runs when they are dropped.
        drop(objects);
    }
}

impl Table {
    fn check_room(&self, most: u32) -> Result<()> {
        if self.held.saturating_add(self.dropped) >= most { Err(too_many(most)) } else { Ok(()) }
    }

    fn insert(&mut self, content: Content, most: u32) -> Result<u32> {
        self.check_room(most)?;
        let place = match self.free.pop() {
            Some(place) => {
                self.entries[place].content = content;
                place
            }
            None if self.entries.len() < MAX_PLACES => {
                self.entries.push(Entry { generation: 0, content });
                self.entries.len() - 1
            }
            None => return Err(too_many(MAX_PLACES as u32)),
        };
        self.held += 1;
        Ok(number(place, self.entries[place].generation))
    }

    /// The place of a handle of the guest's.
    fn find(&self, handle: u32) -> Option<usize> {
        let place = ((handle & ((1 << PLACE_BITS) - 1)) as usize).checked_sub(1)?;
        let entry = self.entries.get(place)?;
        let is_guests = matches!(entry.content, Content::Own { .. } | Content::Host { .. });
        (is_guests && number(place, entry.generation) == handle).then_some(place)
    }

    fn release(&mut self, place: usize) -> Content {
        let entry = &mut self.entries[place];
        entry.generation = entry.generation.wrapping_add(1);
        let content = replace(&mut entry.content, Content::Free);
        match content {
            Content::Given { .. } => self.given -= 1,
            Content::Own { .. } | Content::Host { .. } => self.held -= 1,
            Content::Free => {}
        }
        self.free.push(place);
        content
    }

    fn release_object(&mut self, place: usize) -> Option<HostObject> {
        match self.release(place) {
            Content::Host { object, .. } => Some(object),
            _ => None,
        }
    }
}

/// A guest's handle: never 0, nor negative.
fn number(place: usize, generation: u32) -> u32 {
    (place as u32 + 1) | (generation & GENERATIONS) << PLACE_BITS
}

#[cold]
fn no_handle(resource: &ResourceType, handle: u32) -> Error {
    Error::new(ErrorKind::Trap, format!("the guest gave the handle {handle} of {}, which it does not have", resource.name))
}

#[cold]
fn closed(resource: &ResourceType) -> Error {
    let text = format!("the {} is closed, or was given away, or its instance was reset or returned to its pool", resource.name);
    Error::new(ErrorKind::TypeMismatch, text)
}

#[cold]
fn foreign(resource: &ResourceType) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("the {} belongs to another instance", resource.name))
}

#[cold]
fn too_many(most: u32) -> Error {
    Error::new(ErrorKind::OutOfMemory, format!("the guest has {most} handles, which is its limit (handles)"))
}
