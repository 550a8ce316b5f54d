//! Functions of any control flow do the same before and after: each is run from many seeds, resumed
//! where it unwound, and leaves the same traces.
//!
//! `SEED=…` begins elsewhere, and `MODULES=…` tries more: `make fuzz` does so.

mod generate;
mod random;

use generate::{BUDGET, FIRST_PC, HASH, PENDING, RECOVER, SEED, STACK};
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

/// How often each function is called by its number.
fn calls(module: &[u8]) -> [usize; 17] {
    let mut calls = [0; 17];
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        let wasmparser::Payload::CodeSectionEntry(body) = payload.expect("a module") else { continue };
        for operator in body.get_operators_reader().expect("a body") {
            if let wasmparser::Operator::Call { function_index } = operator.expect("an instruction") {
                calls[function_index as usize] += 1;
            }
        }
    }
    calls
}

/// Leaves that can't panic are called no more, nor is the function that divides by a constant; the
/// one that has stored something before its check is called as before.
#[test]
fn leaves_are_written_where_they_are_called() {
    const LATE: usize = 7;
    const CHOOSE: usize = 8;
    const NOTHING: usize = 9;
    const DIVIDE: usize = 16;
    let (mut before, mut after) = ([0; 17], [0; 17]);
    for seed in 1..=4 {
        let plain = wat::parse_str(generate::module(seed, FUNCTIONS).0).expect("a module");
        let done = gowasm::optimize(&plain).expect("optimized");
        for (sum, found) in [(&mut before, calls(&plain)), (&mut after, calls(&done.module))] {
            sum.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
        }
    }
    assert!(before[CHOOSE] > 0 && before[NOTHING] > 0, "{before:?}");
    assert_eq!([after[CHOOSE], after[NOTHING]], [0, 0]);
    assert!(0 < after[LATE] && after[LATE] <= before[LATE], "{before:?}, {after:?}");
    assert!(0 < after[DIVIDE] && after[DIVIDE] < before[DIVIDE], "{before:?}, {after:?}");
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

/// A table as Go's runtime has it, whose entries are these words and names.
fn table(functions: &[(u32, &str)], count: u64) -> Vec<u8> {
    const BEGIN: usize = 72;
    let (mut names, mut pairs, mut entries) = (vec![0], Vec::new(), Vec::new());
    let behind = (functions.len() as u32 * 2 + 1) * 4;
    for (pc, name) in functions {
        pairs.extend([*pc, behind + entries.len() as u32 * 4]);
        entries.extend([*pc, names.len() as u32]);
        names.extend(name.bytes().chain([0]));
    }
    pairs.push(0);
    let words = [count, 0, 0, BEGIN as u64, 0, 0, 0, (BEGIN + names.len()) as u64];
    let mut table = b"\xF1\xFF\xFF\xFF\0\0\x01\x08".to_vec();
    table.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    table.extend(&names);
    table.extend(pairs.iter().chain(&entries).flat_map(|word| word.to_le_bytes()));
    table
}

/// The module of that seed without names, and with these bytes as its data.
fn nameless(seed: u64, data: &[u8]) -> Vec<u8> {
    let (text, _) = generate::module(seed, 6);
    let open = text.trim_end().strip_suffix(')').expect("a module");
    let data: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let whole = wat::parse_str(format!("{open} (data (i32.const 1024) \"{data}\"))")).expect("a module");
    let mut module = whole[..8].to_vec();
    for payload in wasmparser::Parser::new(0).parse_all(&whole) {
        let payload = payload.expect("a module");
        let is_name = matches!(&payload, wasmparser::Payload::CustomSection(section) if section.name() == "name");
        if let Some((id, range)) = payload.as_section().filter(|_| !is_name) {
            let mut size = range.len();
            module.push(id);
            while size > 0x7F {
                module.push((size & 0x7F | 0x80) as u8);
                size >>= 7;
            }
            module.push(size as u8);
            module.extend_from_slice(&whole[range]);
        }
    }
    module
}

/// What a module says of its functions in its data may be anything: there is a module or a reason,
/// in no time, and a valid module stays one.
#[test]
fn forged_tables_do_no_harm() {
    let named: Vec<(u32, &str)> = [(0x1000, "runtime.sigpanic"), (0x1001, "runtime.deferreturn"), (0x1002, "runtime.goexit")].to_vec();
    let all: Vec<(u32, &str)> = (0..10).map(|i| (0x1000 + i, "runtime.gopanic")).collect();
    // Numbers that go down, are equal, and are far beyond what there is.
    let odd = [(9, "runtime.throw"), (5, "runtime.x"), (5, "runtime.sigpanic"), (u32::MAX, "runtime.goexit")];
    // A million of the bytes that a header begins with, alone and with words that lead back to
    // them.
    let header = table(&[(0x1000, "main.main")], 1);
    let none = table(&[], 1 << 60);
    let forged: [(&str, Vec<u8>); 8] = [
        ("some", table(&named, 3)),
        ("all", table(&all, 10)),
        ("odd", table(&odd, 4)),
        ("more than there are", table(&all, 1 << 30)),
        ("one before the other", [&none[..], &table(&named, 3)].concat()),
        ("headers", header[..8].repeat(1 << 18)),
        ("headers with words", none[..72].repeat(1 << 15)),
        ("headers with tables", header.repeat(1 << 14)),
    ];
    for (name, data) in &forged {
        let module = nameless(1, data);
        let is_valid = wasmparser::validate(&module);
        is_valid.unwrap_or_else(|why| panic!("{name}: {why}"));
        let began = std::time::Instant::now();
        let done = gowasm::optimize(&module);
        // What takes the square of the headers takes minutes.
        assert!(began.elapsed().as_secs() < 30, "{name}: {:?}", began.elapsed());
        match done {
            Ok(done) => {
                assert!(done.module.len() <= 2 * module.len() + 300 * (1 + done.rewritten), "{name}: {} bytes", done.module.len());
                wasmparser::validate(&done.module).unwrap_or_else(|why| panic!("{name}: {why}"));
            }
            Err(why) => assert_eq!(why, gowasm::Unchanged::NoRuntime, "{name}"),
        }
    }
    // Names that are right are believed, wherever they lie.
    assert!(gowasm::optimize(&nameless(1, &table(&named, 3))).is_ok());
    for lie in ["headers", "headers with words", "headers with tables"] {
        let data = &forged.iter().find(|(name, _)| *name == lie).expect("it is there").1;
        assert_eq!(gowasm::optimize(&nameless(1, data)).err(), Some(gowasm::Unchanged::NoRuntime), "{lie}");
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

/// Where the loops that a table of jumps had hidden are too many for the compilers, a module is
/// compiled as it is.
#[test]
fn what_asks_for_too_much_is_compiled_as_it_was() {
    let plain = wat::parse_str(generate::nested(45)).expect("a module");
    let done = gowasm::optimize(&plain).expect("optimized");
    let others = gowasm::optimize(&wat::parse_str(generate::module(1, 0).0).expect("a module")).expect("optimized");
    assert_eq!(done.rewritten, others.rewritten + 1, "{:?}", done.copied);
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
    let function_pc = FIRST_PC + function as u64;
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
    // A leaf that panics leaves the PC of its caller on the stack.
    assert!(stack >= STACK as i32 - 64 - 8 * RESUMPTIONS as i32);
    (results, state, stack)
}

fn read(store: &Store<()>, memory: Memory, at: u64) -> u64 {
    let mut bytes = [0; 8];
    memory.read(store, at as usize, &mut bytes).expect("memory");
    u64::from_le_bytes(bytes)
}
