//! Arbitrary bytes as a module of Go: it is rewritten or left alone, without a panic, in time and
//! room that are linear in its size. With the code of a module that is valid, what comes of it is
//! valid, too.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(done) = gowasm::optimize(bytes) {
        assert!(done.module.len() <= 2 * bytes.len() + 300 * (1 + done.rewritten), "{} bytes of {}", done.module.len(), bytes.len());
        let is_valid = |module: &[u8]| wasmparser::Validator::new().validate_all(module);
        if is_valid(bytes).is_ok() {
            is_valid(&done.module).expect("valid code stays valid");
        }
    }
    for imported in [0, 7] {
        if let Some(names) = gowasm::GoNames::find(bytes, imported) {
            let _ = names.of(imported);
        }
    }
});
