//! Coroutines with stacks of their own, as C has them: a host function that is left in the middle
//! by one keeps others out of all guests of its thread.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::{PLAIN, expect, plugin, quiet};
use undergo::{CallOptions, ErrorKind, Instance, Plugin, PoolOptions, Result, Value};

/// A coroutine, which runs until it yields to the thread's own stack.
struct Coroutine {
    context: Box<libc::ucontext_t>,
    stack: Vec<u8>,
}

thread_local! {
    static MAIN: RefCell<Box<libc::ucontext_t>> = RefCell::new(Box::new(empty()));
    static CURRENT: Cell<*mut libc::ucontext_t> = const { Cell::new(std::ptr::null_mut()) };
    static CODE: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

fn empty() -> libc::ucontext_t {
    // SAFETY: a context is plain data, and is filled before it is used.
    unsafe { std::mem::zeroed() }
}

extern "C" fn begin() {
    if let Some(code) = CODE.take() {
        code();
    }
    yield_now();
    unreachable!("it is over");
}

/// Goes back to the thread's own stack.
fn yield_now() {
    let own = CURRENT.get();
    let main = MAIN.with(|main| &raw mut **main.borrow_mut());
    // SAFETY: both contexts live: the coroutine's until the test ends, and the thread's.
    unsafe { libc::swapcontext(own, main) };
}

impl Coroutine {
    fn new(bytes: usize) -> Coroutine {
        let mut coroutine = Coroutine { context: Box::new(empty()), stack: vec![0; bytes] };
        // SAFETY: the context and its stack live as long as the coroutine, and do not move.
        unsafe {
            libc::getcontext(&raw mut *coroutine.context);
            coroutine.context.uc_stack.ss_sp = coroutine.stack.as_mut_ptr().cast();
            coroutine.context.uc_stack.ss_size = coroutine.stack.len();
            libc::makecontext(&raw mut *coroutine.context, begin, 0);
        }
        coroutine
    }

    fn start(&mut self, code: impl FnOnce() + 'static) {
        CODE.set(Some(Box::new(code)));
        self.resume();
    }

    fn resume(&mut self) {
        CURRENT.set(&raw mut *self.context);
        let main = MAIN.with(|main| &raw mut **main.borrow_mut());
        // SAFETY: as in `yield_now`.
        unsafe { libc::swapcontext(main, &raw const *self.context) };
    }
}

fn asking() -> Plugin {
    plugin(
        r#"(module (import "h" "f" (func $f (result i32))) (memory (export "memory") 1) (func (export "_initialize"))
             (func (export "ask") (result i32) (call $f)) (func (export "seven") (result i32) (i32.const 7))
             (func $deep (export "deep") (param i32) (result i32)
               (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))"#,
    )
    .expect("a plugin")
}

/// One whose host function lets others go on, unless it is told to return at once.
fn switching(plugin: &Plugin, switches: &Arc<AtomicBool>) -> Instance {
    let switches = switches.clone();
    let mut options = quiet();
    options.imports.func("h", "f", move |_| {
        if switches.load(Ordering::SeqCst) {
            yield_now();
        }
        Ok(Value::Int(7))
    });
    plugin.instantiate(options).expect("an instance")
}

type Outcome = Arc<std::sync::Mutex<Option<Result<Value>>>>;

fn calls(instance: &Instance, name: &'static str, args: Vec<Value>) -> (Outcome, impl FnOnce() + 'static) {
    let outcome = Outcome::default();
    let (instance, told) = (instance.clone(), outcome.clone());
    (outcome, move || *told.lock().expect("no panic") = Some(instance.call(name, &args, &PLAIN)))
}

fn result(outcome: &Outcome) -> Result<Value> {
    outcome.lock().expect("no panic").take().expect("the call is over")
}

#[test]
fn a_host_function_that_was_left_keeps_other_stacks_out() {
    const STACK: usize = 256 << 10;
    let plugin = asking();
    let switches = Arc::new(AtomicBool::new(true));
    let (a, b) = (switching(&plugin, &switches), switching(&plugin, &switches));
    let pool = plugin.pool(PoolOptions::new(1, {
        let mut options = quiet();
        options.imports.func("h", "f", |_| Ok(Value::Int(7)));
        options
    }));
    let pool = pool.expect("a pool");
    // On either side of each other in memory.
    let mut coroutines = [Coroutine::new(STACK), Coroutine::new(STACK), Coroutine::new(STACK)];
    for first in 0..3 {
        let (second, third) = ((first + 1) % 3, (first + 2) % 3);
        coroutines = coroutines.map(|_| Coroutine::new(STACK));
        let (asked, code) = calls(&a, "ask", vec![]);
        coroutines[first].start(code);
        // It waits in the host function. Neither another coroutine nor the thread itself may enter
        // a guest, that one or another.
        for (instance, coroutine) in [(&b, second), (&a, third)] {
            let (outcome, code) = calls(instance, "ask", vec![]);
            coroutines[coroutine].start(code);
            expect(
                &result(&outcome).expect_err("another is under way"),
                ErrorKind::Busy,
                &["another greenlet, fiber or coroutine", "threads of their own"],
            );
        }
        let busy = [
            b.call("seven", &[], &PLAIN).err(),
            a.call("seven", &[], &PLAIN).err(),
            a.reset(&PLAIN).err(),
            a.memory_size().err(),
            pool.call("seven", &[], &PLAIN).err(),
            plugin.instantiate(quiet_with_import()).err(),
        ];
        for error in busy {
            expect(&error.expect("another is under way"), ErrorKind::Busy, &["another greenlet, fiber or coroutine"]);
        }
        // Another thread may.
        let elsewhere = b.clone();
        let seven = std::thread::spawn(move || elsewhere.call("seven", &[], &PLAIN)).join().expect("no panic");
        assert_eq!(seven.expect("a call"), Value::Int(7));
        // One that waits for the instance waits in vain, and is not taken for the thread that is in
        // it.
        let brief = CallOptions { timeout: Some(Duration::from_millis(30)), ..PLAIN };
        let same = a.clone();
        let waited = std::thread::spawn(move || same.call("seven", &[], &brief)).join().expect("no panic");
        expect(&waited.expect_err("it is busy"), ErrorKind::Timeout, &["busy"]);
        coroutines[first].resume();
        assert_eq!(result(&asked).expect("a call"), Value::Int(7));
        // All is as before.
        for instance in [&a, &b] {
            switches.store(false, Ordering::SeqCst);
            assert_eq!(instance.call("ask", &[], &PLAIN).expect("a call"), Value::Int(7));
            switches.store(true, Ordering::SeqCst);
        }
        assert_eq!(pool.call("seven", &[], &PLAIN).expect("a call"), Value::Int(7));
    }
}

fn quiet_with_import() -> undergo::InstanceOptions {
    let mut options = quiet();
    options.imports.func("h", "f", |_| Ok(Value::Int(7)));
    options
}

/// Where nobody is left in the middle, coroutines call as threads do, however small their stacks
/// are.
#[test]
fn a_guest_has_enough_stack_on_a_small_coroutine() {
    let plugin = asking();
    let switches = Arc::new(AtomicBool::new(false));
    let instance = switching(&plugin, &switches);
    let check = move || {
        let mut coroutine = Coroutine::new(128 << 10);
        for (name, args, value) in [("deep", vec![Value::Int(50_000)], 50_000), ("ask", vec![], 7)] {
            let mut coroutine = Coroutine::new(128 << 10);
            let (outcome, code) = calls(&instance, name, args);
            coroutine.start(code);
            assert_eq!(result(&outcome).expect("a call"), Value::Int(value));
        }
        let (outcome, code) = calls(&instance, "deep", vec![Value::Int(10_000_000)]);
        coroutine.start(code);
        expect(&result(&outcome).expect_err("too deep"), ErrorKind::Trap, &["overflowed"]);
        instance.reset(&PLAIN).expect("a reset");
    };
    check();
    std::thread::spawn(check).join().expect("no panic");
}
