//! What a module may ask of the compilers, checked in one pass over its bytes before they see it.
//!
//! A compilation can't be stopped, and Cranelift's time and memory grow faster than a function
//! does: with the values that are live across its blocks, and with those within one block. So the
//! work is estimated here, and a module that asks for more than Go's compiler ever does is refused.
//! docs/loading.md has the measurements.
//!
//! From the bottom up: `weight` (one operator), `tally` (how a function's values multiply its
//! work), `function` (the walk over one), `measure` (a module's parts).

mod function;
mod measure;
mod tally;
mod weight;

use wasmparser::Parser;

use crate::compile::bounds::measure::Measuring;
use crate::compile::component;
use crate::compile::program::is_component;
use crate::error::{Error, ErrorKind, Result};

/// The parts of a module that are bounded one by one: their names, and their maximum counts. Each
/// maximum is at least four times what the largest measured module of Go has, where that is more
/// than a handful.
const PARTS: [(&str, u64); 10] = [
    ("functions", 100_000),
    ("types", 2_000),
    ("values in types", 20_000),
    ("imports", 2_000),
    ("exports", 20_000),
    ("globals", 10_000),
    ("tables", 16),
    ("table elements", 400_000),
    // Go's linker writes at most 100,000 of either kind, which is also what the engine accepts.
    ("segments", 200_000),
    // The host describes each of them.
    ("values in the signatures of imports and exports", 100_000),
];
/// Bytes of a module.
const MAX_SIZE: u64 = 128 << 20;
/// Bytes of the passive segments, which stay in memory as long as the module does.
const MAX_PASSIVE: u64 = 32 << 20;
/// Bytes of one function.
const MAX_BODY: u64 = 2 << 20;
/// Nested loops. Go's compiler writes one.
const MAX_LOOPS: u64 = 40;
/// Work in one function.
const MAX_FUNCTION: u64 = 9_000_000;
/// Work in all functions of a module, however large it is.
const MAX_WORK: u64 = 400_000_000;
/// Work in all functions of a small module; each byte of code allows that much more.
const BASE_WORK: u64 = 8_000_000;
const WORK_PER_BYTE: u64 = 10;

/// Refuses a module that has more parts than `times` the usual bounds. Reads no code.
///
/// # Errors
///
/// `invalid-plugin`, with the name of the part.
pub(crate) fn check_parts(bytes: &[u8], times: u32) -> Result<()> {
    check(bytes, times, false)
}

/// Refuses a module that asks for more work than `times` the usual bounds.
///
/// # Errors
///
/// As [`check_parts`].
pub(crate) fn check_work(bytes: &[u8], times: u32) -> Result<()> {
    check(bytes, times, true)
}

/// Refuses a module that has more bytes than `times` the usual bound, before they are read.
///
/// # Errors
///
/// As [`check_parts`].
pub(crate) fn check_size(bytes: u64, times: u32) -> Result<()> {
    bounded("bytes", bytes, MAX_SIZE, times)
}

fn bounded(what: &str, found: u64, bound: u64, times: u32) -> Result<()> {
    let most = bound.saturating_mul(times.max(1).into());
    if found <= most {
        return Ok(());
    }
    let text = format!(
        "it has {found} {what}, and {most} are accepted, since a compilation can't be stopped: where it comes from hands that you trust, load it \
         with bounds = {}",
        found.div_ceil(bound)
    );
    Err(Error::new(ErrorKind::InvalidPlugin, text))
}

fn check(bytes: &[u8], times: u32, code: bool) -> Result<()> {
    check_size(bytes.len() as u64, times)?;
    if !is_component(bytes) {
        return check_module(bytes, times, code).map(drop);
    }
    let mut work = 0_u64;
    for module in component::modules(bytes)? {
        work = work.saturating_add(check_module(module, times, code)?);
    }
    bounded("units of work for a compiler", work, MAX_WORK, times)
}

/// Checks one module; returns its work.
fn check_module(bytes: &[u8], times: u32, code: bool) -> Result<u64> {
    let at_most = |what: &str, found: u64, bound: u64| bounded(what, found, bound, times);
    let mut measuring = Measuring::new(code);
    for payload in Parser::new(0).parse_all(bytes) {
        // Damaged modules are reported elsewhere: the engine stops there, too.
        let Ok(payload) = payload else { break };
        let read = measuring.payload(&payload);
        let measure = &measuring.measure;
        // Checked within the loop, so that a module with far too much is not read to its end.
        for ((what, bound), found) in PARTS.iter().zip(measure.parts) {
            at_most(what, found, *bound)?;
        }
        at_most("bytes in passive segments", measure.passive, MAX_PASSIVE)?;
        at_most("bytes in one function", measure.largest.body, MAX_BODY)?;
        at_most("loops within each other in one function", measure.largest.loops, MAX_LOOPS)?;
        at_most("units of work for a compiler in one function", measure.largest.work, MAX_FUNCTION)?;
        if read.is_err() {
            break;
        }
    }
    let measure = measuring.measure;
    at_most("units of work for a compiler", measure.work, MAX_WORK.min(BASE_WORK + WORK_PER_BYTE * measure.code))?;
    Ok(measure.work)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Of a module with one function of that body.
    fn measured(body: &str) -> measure::Measure {
        let text = format!("(module (memory 1) (table 1 funcref) (func (param i32) {body}))");
        let Ok(bytes) = wat::parse_str(&text) else { panic!("{text:.100}") };
        let mut measuring = Measuring::new(true);
        for payload in Parser::new(0).parse_all(&bytes) {
            measuring.payload(&payload.expect("a module")).expect("a module");
        }
        measuring.measure
    }

    fn work(body: &str) -> u64 {
        measured(body).work
    }

    /// The rows of the table in docs/loading.md. `MODULES` is a folder with the modules:
    /// `MODULES=… cargo test --package undergo --lib -- --ignored --nocapture modules_are_counted`.
    #[test]
    #[ignore = "needs a folder of large modules"]
    fn modules_are_counted() {
        let folder = std::env::var("MODULES").expect("MODULES is the folder of the modules");
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "wasm") {
                continue;
            }
            let (name, bytes) = (path.file_stem().expect("a name").display(), std::fs::read(&path).expect("a file"));
            let mut measuring = Measuring::new(true);
            for payload in Parser::new(0).parse_all(&bytes) {
                measuring.payload(&payload.expect("a module")).expect("a module");
            }
            let measure = measuring.measure;
            println!(
                "| {name} | {:.1} | {} | {} | {} | {} | {:.1} |",
                bytes.len() as f64 / f64::from(1 << 20),
                measure.parts[0],
                measure.largest.body >> 10,
                measure.largest.work,
                measure.work,
                measure.work as f64 / measure.code as f64
            );
            // Far within: nobody should meet the bounds with a module that Go's compiler wrote.
            assert!(measure.largest.work <= MAX_FUNCTION && measure.work <= MAX_WORK, "{name}");
            check(&bytes, 1, true).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    /// Registers are allocated in a time by the square of the number of loops, nested or not.
    #[test]
    #[cfg_attr(miri, ignore = "takes long")]
    fn loops_one_behind_another_multiply_each_other() {
        let of = |count: usize| work(&"(loop (br_if 0 (local.get 0)))".repeat(count));
        let (few, many) = (of(1_000), of(10_000));
        assert!(many > 30 * few, "{few} and {many}");
        let loops = "(loop)".repeat(12_000);
        let bytes = wat::parse_str(format!("(module (func {loops}))")).expect("a module");
        let refused = check_work(&bytes, 1).expect_err("too much");
        assert!(refused.message().contains("units of work for a compiler in one function"), "{refused}");
    }

    /// What an optimiser goes through for each further operation with a constant.
    #[test]
    #[cfg_attr(miri, ignore = "takes long")]
    fn operations_with_constants_in_a_chain_weigh_more() {
        let chain = |length: usize| format!("local.get 0 {} drop ", "i32.const 3 i32.xor ".repeat(length));
        let apart = work(&chain(2).repeat(1_000));
        let joined = work(&chain(2_000));
        assert!(joined > 4 * apart, "{apart} and {joined}");
        // A local in between begins a new one.
        let broken = format!("local.get 0 {} drop", "i32.const 3 i32.xor local.get 0 i32.add ".repeat(2_000));
        assert!(work(&broken) < 2_000 * 20, "{}", work(&broken));
    }

    /// The walk itself takes no time by the product of loops and locals.
    #[test]
    #[cfg_attr(miri, ignore = "takes long")]
    fn nested_loops_with_reads_of_locals_are_measured_in_linear_time() {
        const LOOPS: usize = 200_000;
        const LOCALS: usize = 49_000;
        // The first read of each local, which was written before all of the loops.
        let reads: String = (1..LOCALS).map(|local| format!("local.get {local} drop ")).collect();
        let body = format!("(local {}) {} {reads} {}", "i32 ".repeat(LOCALS), "loop ".repeat(LOOPS), "end ".repeat(LOOPS));
        let began = Instant::now();
        assert_eq!(measured(&body).largest.loops, LOOPS as u64);
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }
}
