//! `undergo compile`.

use std::fs;

use crate::support::{command, run};

const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x0f\x01\x0b_initialize\0\0\x0a\x04\x01\x02\0\x0b";

#[test]
fn a_plugin_becomes_a_file_of_native_code() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("small.wasm"), MODULE).expect("a file");
    let told = run(command(dir.path()).args(["compile", "small.wasm"])).ok();
    assert!(told.starts_with("small.undergo  ") && told.contains(std::env::consts::ARCH), "{told}");
    // SAFETY: the command above made the file.
    let plugin = unsafe { undergo::Plugin::load_compiled(dir.path().join("small.undergo")) }.expect("it loads");
    assert_eq!(plugin.info().size, MODULE.len());
    run(command(dir.path()).args(["compile", "small.wasm", "--fuel", "-o", "counted.undergo"])).ok();
    run(command(dir.path()).args(["call", "small.undergo", "f"])).fails(2, &["compiled plugin", "load_compiled"]);
}

#[test]
fn what_cannot_be_compiled_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    run(command(dir.path()).args(["compile", "none.wasm"])).fails(1, &["none.wasm can't be read"]);
    fs::write(dir.path().join("main.go"), "package main").expect("a file");
    run(command(dir.path()).args(["compile", "main.go"])).fails(1, &["main.go can't be compiled", "Go source"]);
    fs::write(dir.path().join("a.undergo"), MODULE).expect("a file");
    run(command(dir.path()).args(["compile", "a.undergo"])).fails(1, &["would be overwritten", "-o"]);
}
