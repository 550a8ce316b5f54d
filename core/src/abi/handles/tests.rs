use std::sync::atomic::AtomicU32;
use std::thread;

use super::*;
use crate::interface::{Interface, Side};

const WIT: &str = "package a:b;
interface callbacks { resource f { call: func(); } }
interface api { resource thing { } resource other { } make: func() -> thing; get: func() -> other; }
world w { use callbacks.{f}; export api; export g: func(x: borrow<f>); }";

/// The resources of the guest, and that of the host.
fn resources() -> (Arc<ResourceType>, Arc<ResourceType>, Arc<ResourceType>) {
    let interface = Interface::parse(WIT).unwrap_or_else(|error| panic!("{error}"));
    let find = |name: &str| interface.resources.iter().find(|resource| resource.ty.name == name).expect("a resource").ty.clone();
    (find("thing"), find("other"), find("f"))
}

fn table(most: u32) -> Arc<Handles> {
    Arc::new(Handles::new(most))
}

fn given(handles: &Arc<Handles>, ty: &Arc<ResourceType>, rep: u32) -> Handle {
    let number = handles.new_own(ty.number, rep).expect("there is room");
    handles.give(ty, number).expect("it was made")
}

fn counts(held: u32, given: u32) -> HandleCounts {
    HandleCounts { held, given }
}

/// Counts its drops.
struct Counted(Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn host(ty: &Arc<ResourceType>, object: &HostObject, is_own: bool) -> Passed {
    Passed::Host { ty: ty.clone(), object: object.clone(), is_own }
}

fn pass(handles: &Arc<Handles>, all: Vec<Passed>) -> Result<(Vec<u32>, Option<Lent>)> {
    let all: Vec<_> = (0..).zip(all).collect();
    let mut numbers = Vec::new();
    let lent = handles.pass(&all, |_, number| numbers.push(number))?;
    Ok((numbers, lent))
}

#[test]
fn a_handle_is_of_one_resource_and_one_place_in_time() {
    let (thing, other, f) = resources();
    assert_eq!((thing.side, f.side), (Side::Guest, Side::Host));
    let handles = table(10);
    let number = handles.new_own(thing.number, 7).expect("there is room");
    assert_eq!(handles.rep(&thing, number).expect("it has it"), 7);
    for (resource, number) in [(&other, number), (&thing, 0), (&thing, number + 1), (&thing, number | 1 << 20), (&thing, u32::MAX)] {
        assert_eq!(handles.rep(resource, number).expect_err("it has not").kind(), ErrorKind::Trap);
        assert!(handles.drop_handle(resource, number).is_err() && handles.give(resource, number).is_err());
    }
    assert!(handles.object(&f, number).is_err());
    assert!(handles.drop_handle(&thing, number).expect("it has it").is_none());
    assert!(handles.drop_handle(&thing, number).is_err(), "its place is free");
    let again = handles.new_own(thing.number, 8).expect("there is room");
    assert_ne!(again, number, "the same place has another generation");
    assert!(handles.rep(&thing, number).is_err());
    assert!(handles.has_ended());
    assert_eq!(handles.take_ended(), [(thing.number, 7)]);
    assert!(!handles.has_ended());
}

#[test]
fn generations_come_round_without_a_handle_that_is_0_or_negative() {
    let (thing, _, _) = resources();
    let handles = table(1);
    // Miri takes minutes for all.
    for _ in 0..=if cfg!(miri) { 20 } else { 2 * GENERATIONS } {
        let number = handles.new_own(thing.number, 1).expect("there is room");
        assert!(number != 0 && number <= i32::MAX as u32);
        handles.drop_handle(&thing, number).expect("it has it");
        handles.take_ended();
    }
}

#[test]
fn what_the_guest_ends_counts_until_it_is_released() {
    let (thing, _, _) = resources();
    let handles = table(2);
    for rep in 0..2 {
        let number = handles.new_own(thing.number, rep).expect("there is room");
        handles.drop_handle(&thing, number).expect("it has it");
    }
    assert_eq!(handles.new_own(thing.number, 2).expect_err("two wait").kind(), ErrorKind::OutOfMemory);
    assert_eq!(handles.take_ended().len(), 2);
    handles.new_own(thing.number, 2).expect("there is room again");
    // What the host's program ends does not count: it is bounded by what it was given.
    let handles = table(1);
    for rep in 0..3 {
        given(&handles, &thing, rep).close();
    }
    assert_eq!(handles.take_ended().len(), 3);
}

#[test]
fn closing_ends_it_once() {
    let (thing, _, _) = resources();
    let handles = table(10);
    let one = given(&handles, &thing, 1);
    let same = one.clone();
    assert_eq!(handles.counts(), counts(0, 1));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| same.close());
        }
    });
    drop(one);
    assert!(!same.is_open() && same.rep(&handles).is_err());
    drop(same);
    assert_eq!((handles.counts(), handles.take_ended()), (counts(0, 0), vec![(thing.number, 1)]));
}

#[test]
fn all_or_nothing_is_passed() {
    let (thing, _, f) = resources();
    let handles = table(3);
    let drops = Arc::new(AtomicU32::new(0));
    let object = HostObject::of(Arc::new(Counted(drops.clone())));
    let (one, other) = (given(&handles, &thing, 1), given(&handles, &thing, 2));
    let twice = vec![host(&f, &object, true), host(&f, &object, false), Passed::Own(one.clone()), Passed::Own(one.clone())];
    assert_eq!(pass(&handles, twice).err().map(|error| error.kind()), Some(ErrorKind::TypeMismatch));
    assert_eq!((handles.counts(), one.is_open()), (counts(0, 2), true));
    let many = vec![Passed::Own(one.clone()), host(&f, &object, true), host(&f, &object, false), Passed::Own(other.clone())];
    assert_eq!(pass(&handles, many).err().map(|error| error.kind()), Some(ErrorKind::OutOfMemory));
    assert_eq!((handles.counts(), one.is_open(), other.is_open()), (counts(0, 2), true, true));

    let fit = vec![Passed::Own(one.clone()), host(&f, &object, true), host(&f, &object, false), Passed::Borrow(other.clone())];
    let (numbers, lent) = pass(&handles, fit).expect("they fit");
    assert_eq!((handles.rep(&thing, numbers[0]).expect("the guest's own"), numbers[3]), (1, 2));
    assert_eq!((handles.counts(), one.is_open()), (counts(3, 1), false));
    assert_eq!(handles.drop_handle(&f, numbers[2]).err().map(|error| error.kind()), Some(ErrorKind::Trap));
    drop(lent);
    assert!(handles.object(&f, numbers[2]).is_err(), "the call is over");
    drop((object, handles.drop_handle(&f, numbers[1]).expect("it is its own")));
    assert_eq!((handles.counts(), drops.load(Ordering::Relaxed)), (counts(1, 1), 1));
}

#[test]
fn what_was_lent_ends_only_in_its_own_guest() {
    let (thing, _, f) = resources();
    let handles = table(10);
    let object = HostObject::of(Arc::new(()));
    let (numbers, lent) = pass(&handles, vec![host(&f, &object, false)]).expect("it fits");
    let held = given(&handles, &thing, 5);
    handles.forget();
    assert!(!held.is_open());
    // The next guest has a handle of the same number.
    let (again, _kept) = pass(&handles, vec![host(&f, &object, true)]).expect("it fits");
    assert_eq!(again, numbers);
    drop((lent, held));
    handles.object(&f, again[0]).expect("it still has it");
    assert_eq!((handles.counts(), handles.take_ended()), (counts(1, 0), vec![]));
}

#[test]
fn what_the_program_has_ends_when_it_returns_the_instance() {
    let (thing, _, f) = resources();
    let handles = table(10);
    let object = HostObject::of(Arc::new(()));
    let (_, lent) = pass(&handles, vec![host(&f, &object, false)]).expect("it fits");
    let held = [given(&handles, &thing, 1), given(&handles, &thing, 2)];
    handles.end_given();
    assert!(held.iter().all(|handle| !handle.is_open()));
    let new = given(&handles, &thing, 3);
    drop(held);
    drop(lent);
    assert_eq!((handles.counts(), new.is_open()), (counts(0, 1), true));
    assert_eq!(handles.take_ended().len(), 2);
}
