//! Arbitrary bytes as a module: it is one that may be loaded, or it is refused. Reading, the bounds
//! of what a compiler is asked for, names and proposals are all part of it.
#![no_main]

use undergo::{Error, ErrorKind, ModuleInfo, Plugin};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let refused = |error: &Error| assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error:?}");
    match ModuleInfo::parse(bytes) {
        Ok(_) => drop(Plugin::validate(bytes).inspect_err(refused)),
        Err(error) => refused(&error),
    }
});
