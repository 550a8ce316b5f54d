//! Arbitrary guest memory: see core/tests/common/hostile_memory.rs.
#![no_main]

#[path = "../../tests/common/hostile_memory.rs"]
mod hostile_memory;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile_memory::fuzz_lift(data));
