//! Arbitrary text as an interface: it is one, or it is refused as part of a plugin that is none.
#![no_main]

use undergo::interface::Interface;
use undergo::ErrorKind;

libfuzzer_sys::fuzz_target!(|text: &str| {
    for parse in [Interface::parse, Interface::parse_component] {
        if let Err(error) = parse(text) {
            assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error:?}");
        }
    }
});
