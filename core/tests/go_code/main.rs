//! Functions of any control flow do the same before and after: each is run from many seeds, resumed
//! where it unwound, and leaves the same traces.
//!
//! `SEED=…` begins elsewhere, and `MODULES=…` tries more: `make fuzz` does so.

mod generate;
mod random;

use generate::{BUDGET, HASH, PENDING, RECOVER, SEED, STACK};
use random::Random;
use undergo::{CodeCache, Compile, Plugin, PluginOptions};
use wasmtime::{Engine, Instance, Memory, Module, Store};

/// How often a function is run, and resumed in each of these runs.
const RUNS: u64 = 12;
const RESUMPTIONS: usize = 200;
/// Segments that a run goes through.
const STEPS: u64 = 300;

const FUNCTIONS: usize = 40;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn functions_do_the_same() {
    let (first, modules) = (number("SEED", 1), number("MODULES", 12));
    let engine = Engine::default();
    for seed in first..first + modules {
        let (text, recover) = generate::module(seed, FUNCTIONS);
        let plain = wat::parse_str(&text).expect("a module");
        let done = gowasm::optimize(&plain).unwrap_or_else(|why| panic!("SEED={seed}: {why}"));
        // All functions but those of the prelude.
        assert!(done.rewritten >= FUNCTIONS, "SEED={seed}: {:?}", done.copied);
        let load = |bytes: &[u8]| Module::new(&engine, bytes).unwrap_or_else(|why| panic!("SEED={seed}: {why:?}"));
        let (plain, fast) = (load(&plain), load(&done.module));
        for (function, recover) in recover.iter().enumerate() {
            for run in 0..RUNS {
                let trace = |module: &Module| run_once(&engine, module, function, *recover, seed ^ run << 32);
                assert_eq!(trace(&plain), trace(&fast), "SEED={seed}: function {function}, run {run}");
            }
        }
    }
}

/// Whatever the bytes, there is a module or a reason; and of a valid module comes a valid one.
#[test]
fn damage_does_no_harm() {
    let (first, modules) = (number("SEED", 1), number("MODULES", 12));
    for seed in first..first + modules {
        let mut random = Random(seed);
        let whole = wat::parse_str(generate::module(seed, 6).0).expect("a module");
        for _ in 0..150 {
            let mut damaged = whole.clone();
            for _ in 0..1 + random.below(3) {
                let at = random.below(damaged.len());
                match random.below(4) {
                    0 => damaged.truncate(at.max(8)),
                    1 => drop(damaged.remove(at)),
                    2 => damaged.insert(at, random.next() as u8),
                    _ => damaged[at] = random.next() as u8,
                }
            }
            let is_valid = wasmparser::validate(&damaged).is_ok();
            if let Ok(done) = gowasm::optimize(&damaged) {
                assert!(done.module.len() <= 2 * damaged.len() + 300 * (1 + done.rewritten), "SEED={seed}: {} bytes", done.module.len());
                assert!(!is_valid || wasmparser::validate(&done.module).is_ok(), "SEED={seed}: valid code became invalid");
            }
        }
    }
}

/// Work is stopped when nobody wants it, and a second time there is none.
#[test]
fn work_ends_when_it_should() {
    let module = wat::parse_str(generate::module(1, 3).0).expect("a module");
    assert_eq!(gowasm::optimize_while(&module, || false).err(), Some(gowasm::Unchanged::Stopped));
    let done = gowasm::optimize(&module).expect("optimized");
    assert_eq!(gowasm::optimize(&done.module).err(), Some(gowasm::Unchanged::AlreadyOptimized));
    let asked = std::cell::Cell::new(0);
    let some = gowasm::optimize_while(&module, || {
        asked.set(asked.get() + 1);
        asked.get() < 3
    });
    assert_eq!((some.err(), asked.get()), (Some(gowasm::Unchanged::Stopped), 3));
}

/// Where the loops that a table of jumps had hidden are too many for the compilers, a module is compiled as it is.
#[test]
fn what_asks_for_too_much_is_compiled_as_it_was() {
    let plain = wat::parse_str(generate::nested(45)).expect("a module");
    let done = gowasm::optimize(&plain).expect("optimized");
    assert_eq!(done.rewritten, 1, "{:?}", done.copied);
    for compile in [Compile::Fast, Compile::Best] {
        let load = |bytes: &[u8]| {
            Plugin::from_bytes_with("nested", bytes, &PluginOptions { compile, cache: CodeCache::Off, ..PluginOptions::default() })
        };
        load(&plain).expect("it keeps the bounds");
        let error = load(&done.module).expect_err("it does not");
        assert!(error.message().contains("45 loops within each other"), "{error}");
    }
}

/// What a run leaves: the results of the calls, the state in memory, and the stack pointer.
fn run_once(engine: &Engine, module: &Module, function: usize, recover: Option<u32>, seed: u64) -> (Vec<i32>, [u64; 4], i32) {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).expect("an instance");
    let memory = instance.get_memory(&mut store, "memory").expect("a memory");
    let function_pc = 0x1000 + 5 + function as u64;
    let recover = recover.map_or(0, |block| function_pc << 16 | u64::from(block));
    for (at, value) in [(SEED, seed), (BUDGET, STEPS), (RECOVER, recover)] {
        memory.write(&mut store, at as usize, &value.to_le_bytes()).expect("memory");
    }
    let called = instance.get_typed_func::<i32, i32>(&mut store, &format!("f{function}")).expect("the function");
    let (mut results, mut block) = (Vec::new(), 0);
    for _ in 0..RESUMPTIONS {
        let result = called.call(&mut store, block).unwrap_or_else(|trap| if trap.is::<wasmtime::Trap>() { -1 } else { -2 });
        results.push(result);
        let pending = read(&store, memory, PENDING);
        if result != 1 || pending == 0 {
            break;
        }
        assert_eq!(pending >> 16, function_pc, "the PC is one of this function");
        block = (pending & 0xFFFF) as i32;
    }
    let state = [HASH, SEED, BUDGET, PENDING].map(|at| read(&store, memory, at));
    let stack = instance.get_global(&mut store, "sp").and_then(|global| global.get(&mut store).i32()).expect("the stack pointer");
    assert!(stack >= STACK as i32 - 64);
    (results, state, stack)
}

fn read(store: &Store<()>, memory: Memory, at: u64) -> u64 {
    let mut bytes = [0; 8];
    memory.read(store, at as usize, &mut bytes).expect("memory");
    u64::from_le_bytes(bytes)
}
