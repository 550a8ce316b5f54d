//! Arbitrary bytes as a module: it is one, or it is refused.
#![no_main]

use undergo::{ErrorKind, ModuleInfo};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = ModuleInfo::parse(bytes) {
        assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error:?}");
    }
});
