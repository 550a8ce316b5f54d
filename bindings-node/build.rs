//! What the linker has to know: see the crate `napi-build`.

fn main() {
    napi_build::setup();
}
