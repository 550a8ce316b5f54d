//! Results that can't be, from Go code that forges its own slices and strings, and a guest that
//! spoils its own memory.

use crate::common::hostile_guest::{LIMIT, bystander, options, plugin};
use crate::common::{self, PLAIN, expect, expect_dead};
use undergo::{CallOptions, ErrorKind, Instance, Value};

fn start() -> Instance {
    plugin().instantiate(options(None)).expect("an instance")
}

fn works(instance: &Instance) {
    assert_eq!(instance.call("work", &[Value::Int(100)], &PLAIN).expect("a well-behaved call"), Value::Int(338_350));
}

const ENDS: [&str; 5] = ["forged-bytes", "forged-numbers", "forged-string", "forged-strings", "forged-error"];

#[test]
fn lengths_and_addresses_beyond_the_memory() {
    let size = start().memory_size().expect("a memory");
    let end = u32::try_from(size).expect("less than 4 GiB");
    for name in ENDS {
        for (address, length) in [(end - 8, 1000), (end, 8), (8, u32::MAX), (u32::MAX - 7, 8), (1 << 16, end)] {
            let instance = start();
            let error = instance.call(name, &[Value::Int(address.into()), Value::Int(length.into())], &PLAIN).expect_err(name);
            // The glue lowers a forged error's text itself, and may fall over it.
            assert!(matches!(error.kind(), ErrorKind::Trap | ErrorKind::Panic), "{name}({address:#x}, {length}): {error:?}");
            expect_dead(&instance, error.kind());
        }
    }
    works(bystander());
}

#[test]
fn what_lies_in_the_memory_may_be_read() {
    // A guest may show what is its own, wherever it lies.
    let bytes = start().call("forged-bytes", &[Value::Int(65_536), Value::Int(100_000)], &PLAIN).expect("its own memory");
    assert!(matches!(bytes, Value::Bytes(bytes) if bytes.len() == 100_000));
}

#[test]
fn gigabytes_are_not_claimed_for_nothing() {
    let mut limited = options(None);
    limited.limits.value = Some(1 << 20);
    let instance = plugin().instantiate(limited).expect("an instance");
    let error = instance.call("forged-bytes", &[Value::Int(65_536), Value::Int(2 << 20)], &PLAIN).expect_err("too large");
    expect(&error, ErrorKind::OutOfMemory, &["1048576"]);
    let error = start().call("forged-numbers", &[Value::Int(0), Value::Int(1 << 31)], &PLAIN).expect_err("too large");
    expect(&error, ErrorKind::Trap, &[]);
}

#[test]
fn bits_that_mean_nothing() {
    for (name, value) in [("forged-bool", 7), ("forged-bools", 255)] {
        let instance = start();
        match instance.call(name, &[Value::Int(value)], &PLAIN) {
            // Go's own code may make a bool of it.
            Ok(result) => assert!(matches!(result, Value::Bool(_)), "{name}: {result:?}"),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Trap | ErrorKind::Panic), "{name}: {error:?}");
                expect_dead(&instance, error.kind());
            }
        }
    }
    let instance = start();
    let error = instance.call("forged-mood", &[Value::Int(9)], &PLAIN).expect_err("no case");
    expect(&error, ErrorKind::TypeMismatch, &["Mood(9) is not a constant of enum Mood"]);
    let error = instance.call("not-utf8", &[], &PLAIN).expect_err("no text");
    expect(&error, ErrorKind::TypeMismatch, &["UTF-8"]);
    // An everyday mistake, which does no harm.
    works(&instance);
}

/// A call after the guest has spoilt its memory: it ends somehow, soon, and in nothing but an error
/// or a wrong answer.
fn survives(instance: &Instance) {
    // Go's runtime may go round in circles.
    let options = CallOptions { timeout: Some(LIMIT), ..PLAIN };
    let long = "x".repeat(100);
    for (name, args) in [("do", vec![long.as_str().into(), Value::Int(1)]), ("work", vec![Value::Int(100)]), ("names", vec![])] {
        if let Err(error) = instance.call(name, &args, &options) {
            let known = [
                ErrorKind::Trap,
                ErrorKind::Panic,
                ErrorKind::Exit,
                ErrorKind::OutOfMemory,
                ErrorKind::Timeout,
                ErrorKind::DeadInstance,
                ErrorKind::TypeMismatch,
            ];
            assert!(known.contains(&error.kind()), "{name}: {error:?}");
        }
    }
}

#[test]
fn an_arena_that_points_anywhere() {
    let size = i64::try_from(start().memory_size().expect("a memory")).expect("a size");
    let words = |next: i64, end: i64| next | end << 32;
    for n in [
        words(0, 0),
        words(0xFFFF_FFFF, 0xFFFF_FFFF),
        words(0xFFFF_FFF8, 0xFFFF_FFFF),
        words(0, 0xFFFF_FFFF),
        words(0, size),
        words(size - 8, size),
        words(size - 16, size + 65_536),
        words(size, 0),
        words(3, size),
        words(65_536, size),
        words(0xFFFF_FFFF, 8),
    ] {
        let instance = start();
        instance.call("do", &["wreck-arena".into(), Value::Int(n)], &PLAIN).expect("a call");
        survives(&instance);
    }
    works(bystander());
}

#[test]
fn a_memory_spoilt_by_its_own_guest() {
    for n in [1 << 10, 64 << 10, 256 << 10, 1 << 20, 2 << 20] {
        let instance = start();
        if instance.call("do", &["wreck-memory".into(), Value::Int(n)], &PLAIN).is_ok() {
            survives(&instance);
        }
    }
    works(bystander());
}

#[test]
fn a_memory_spoilt_at_random() {
    let mut random = common::Random::new(50_186);
    for _ in 0..40 {
        let instance = start();
        let size = usize::try_from(instance.memory_size().expect("a memory")).expect("a size");
        for _ in 0..2000 {
            let at = random.below(size - 8) as u32;
            let bytes = random.bytes(8);
            instance.write_memory(at, &bytes).expect("its memory");
        }
        survives(&instance);
    }
    works(bystander());
}
