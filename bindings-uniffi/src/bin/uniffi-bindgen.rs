//! Writes the bindings of a language from the built library: see the README.

fn main() {
    uniffi::uniffi_bindgen_main();
}
