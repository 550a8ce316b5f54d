//! Arbitrary text as an interface.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| drop(undergo::Interface::parse(text)));
