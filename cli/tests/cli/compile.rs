//! `undergo compile`.

use std::fs;

use undergo::{CodeCache, Compile, InstanceOptions, Limits, PluginOptions, Tier};

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
fn it_compiles_for_others() {
    let dir = tempfile::tempdir().expect("a folder");
    let compiler = Some(std::path::PathBuf::from(env!("CARGO_BIN_EXE_undergo")));
    let options = |compile| PluginOptions { compile, cache: CodeCache::Off, compiler: compiler.clone(), ..PluginOptions::default() };
    for (compile, tier) in [(Compile::Fast, Tier::Fast), (Compile::Best, Tier::Best)] {
        let plugin = undergo::Plugin::from_bytes_with("small.wasm", MODULE, &options(compile)).expect("it is compiled");
        assert_eq!(plugin.tier().expect("a tier"), tier);
        let counted = InstanceOptions { limits: Limits { fuel: Some(1000), ..Limits::default() }, ..InstanceOptions::default() };
        plugin.instantiate(counted).expect("with fuel, too");
    }
    // As it is, too: the program is told so.
    undergo::Plugin::from_bytes_with("small.wasm", MODULE, &PluginOptions { optimize: false, ..options(Compile::Best) }).expect("compiled");
    // What this process refuses is not asked for.
    let damaged = [MODULE, &[1, 2, 3]].concat();
    assert!(undergo::Plugin::from_bytes_with("damaged.wasm", &damaged, &options(Compile::Best)).is_err());
    // Standard input and output, and limits too small for anything.
    fs::write(dir.path().join("small.wasm"), MODULE).expect("a file");
    let input = fs::File::open(dir.path().join("small.wasm")).expect("the file");
    run(command(dir.path()).args(["compile", "-", "-o", "out.undergo", "--compile", "fast", "--max-seconds", "50"]).stdin(input)).ok();
    assert!(dir.path().join("out.undergo").exists());
    run(command(dir.path()).args(["compile", "-"])).fails(1, &["-o"]);
    if cfg!(unix) {
        let told = run(command(dir.path()).args(["compile", "small.wasm", "--max-memory", "1000000"]));
        assert_ne!(told.code, 0);
    }
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
