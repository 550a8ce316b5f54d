//! Arbitrary bytes as guest memory, as interfaces and as modules: a bounded run of what core/fuzz
//! does without end, with a fixed seed. `UNDERGO_FUZZ_SECONDS` makes each test as long as that.

use std::time::{Duration, Instant};

#[path = "common/hostile_memory.rs"]
mod hostile_memory;

use crate::common::{Random, assemble, data, world};
use undergo::interface::Interface;
use undergo::{ErrorKind, ModuleInfo};

/// Runs the attack until the time is up, and a number of times at least.
fn for_a_while(seed: u64, least: u32, mut attack: impl FnMut(&mut Random)) {
    // Miri is some hundred times slower, and looks at each access.
    let (least, default) = if cfg!(miri) { (least.div_ceil(100), 0) } else { (least, 3) };
    let seconds = std::env::var("UNDERGO_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut random = Random::new(seed);
    let mut runs = 0;
    while runs < least || Instant::now() < end {
        attack(&mut random);
        runs += 1;
    }
    assert!(runs >= least);
}

#[test]
fn hostile_memory_is_lifted_or_refused() {
    for_a_while(1, 10_000, |random| {
        let length = random.below(600);
        hostile_memory::fuzz_lift(&random.bytes(length));
    });
}

const WIT: &str = "interface types { use undergo:go/types.{time}; record p { name: string, at: time, tags: list<string>, n: option<u32> } \
                   enum color { red, green } variant shape { point(tuple<f32, f32>), label(string), none, of(p) } \
                   variant error { text(string), p(tuple<string, p>) } }\nworld w { use types.{p, color, shape, error}; \
                   import host: interface { use types.{error}; look: func(name: string) -> result<list<string>, list<error>>; } \
                   export f: func(p: p, c: color, m: map<string, s64>) -> result<tuple<s8, s64>, list<error>>; \
                   export g: func(s: shape, o: option<shape>) -> result<shape, string>; }";

#[test]
fn damaged_interfaces_are_refused() {
    let text = world(WIT);
    assert!(Interface::parse(&text).is_ok());
    for_a_while(2, 300, |random| {
        let mut damaged = text.clone().into_bytes();
        random.damage(&mut damaged);
        if let Err(error) = Interface::parse(&String::from_utf8_lossy(&damaged)) {
            assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error:?}");
        }
    });
}

#[test]
fn damaged_modules_are_read_or_refused() {
    let body = r#"(import "host" "look" (func (param i32 i32 i32))) (func (export "_initialize"))
        (func (export "f") (param i32 i32 i64) (result i32) (i32.add (local.get 0) (local.get 1))) (memory (export "memory") 1)"#;
    let module = assemble(&format!("(module {body} (data (i32.const 0) \"{}\"))", data(&world(WIT))));
    assert!(ModuleInfo::parse(&module).is_ok_and(|info| info.wit.is_some()));
    for_a_while(3, 1000, |random| {
        let mut damaged = module.clone();
        random.damage(&mut damaged);
        if let Err(error) = ModuleInfo::parse(&damaged) {
            assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error:?}");
        }
    });
}
