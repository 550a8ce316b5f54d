//! Files that are no plugins, or were plugins once: refused in words, or they behave.

use std::time::Duration;

use crate::common::{self, PLAIN, Random, assemble, conformance_path, data, expect, quiet, world};
use undergo::{Error, ErrorKind, ModuleInfo, Plugin, Value};

fn load(bytes: &[u8]) -> Result<Plugin, Error> {
    Plugin::from_bytes("test.wasm", bytes)
}

#[test]
fn what_is_no_module_is_told_apart() {
    for (bytes, parts) in [
        (&b""[..], &["empty"][..]),
        (b"\0", &["not WebAssembly"]),
        (b"\0asm", &["version 1"]),
        (b"\0asm\x02\0\0\0", &["version 1"]),
        (b"\0asm\x0d\0\x01\0\x01", &["component is damaged"]),
        (b"\x7FELF\x02\x01\x01", &["native binary", "GOOS=wasip1"]),
        (b"package main\n\nfunc main() {}\n", &["Go source", "undergo build"]),
        (b"// Package main greets.\npackage main\n", &["Go source"]),
        (b"(module)", &["not WebAssembly"]),
        (b"\0asm\x01\0\0\0", &["neither _initialize nor _start"]),
        (b"\0asm\x01\0\0\0\x01", &["damaged"]),
    ] {
        expect(&load(bytes).expect_err("no plugin"), ErrorKind::InvalidPlugin, parts);
    }
    let error = Plugin::from_file("/no/such/plugin.wasm").expect_err("no file");
    expect(&error, ErrorKind::InvalidPlugin, &["/no/such/plugin.wasm", "can't be read"]);
    let folder = tempfile::tempdir().expect("a folder");
    expect(&Plugin::from_file(folder.path()).expect_err("a folder"), ErrorKind::InvalidPlugin, &["can't be read"]);
    // What would be waited for, or has no end.
    for path in ["/dev/zero", "/dev/tty", common::fifo(folder.path()).to_str().expect("a path")] {
        expect(&Plugin::from_file(path).expect_err("no file"), ErrorKind::InvalidPlugin, &[path, "can't be read"]);
        // SAFETY: it is refused before anything of it is run.
        let error = unsafe { Plugin::load_compiled(path) }.expect_err("no file");
        expect(&error, ErrorKind::InvalidPlugin, &[path, "can't be read"]);
    }
    // A file of a terabyte is refused before it is read.
    let sparse = folder.path().join("sparse.wasm");
    std::fs::File::create(&sparse).and_then(|file| file.set_len(1 << 40)).expect("a file");
    expect(&Plugin::from_file(&sparse).expect_err("too large"), ErrorKind::InvalidPlugin, &["1099511627776 bytes", "bounds = 8192"]);
    let file = folder.path().join("main.go");
    std::fs::write(&file, "package main").expect("a file");
    expect(&Plugin::from_file(&file).expect_err("source"), ErrorKind::InvalidPlugin, &["main.go", "is no plugin", "Go source"]);
}

#[test]
fn a_module_that_was_cut_off_is_refused() {
    let path = conformance_path().unwrap_or_else(|text| panic!("{text}"));
    let bytes = std::fs::read(path).expect("the guest");
    assert!(ModuleInfo::parse(&bytes).is_ok());
    let mut random = Random::new(11);
    let early = (0..64).chain([100, 1000]);
    for length in early.chain((0..60).map(|_| random.below(bytes.len()))) {
        // Wasmtime would find it out as well, in a long time.
        match load(&bytes[..length]) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{length}: {error:?}"),
            Ok(plugin) => panic!("{plugin:?} of {length} bytes"),
        }
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut random = Random::new(12);
    for i in 0..500 {
        let length = random.below(2000);
        let mut bytes = random.bytes(length);
        if i % 2 == 0 {
            bytes.splice(0..0, *b"\0asm\x01\0\0\0");
        }
        assert_eq!(load(&bytes).expect_err("random bytes").kind(), ErrorKind::InvalidPlugin);
    }
}

#[test]
fn names_that_do_more_than_name_are_refused() {
    let odd = ["a\nb", "\x1b[31m", "\0", "\x7f", "a\u{9b}31m", "a\u{202e}b", "a\u{2028}", "\u{feff}a", "a\u{200b}", "a\u{3164}"];
    let long = "x".repeat(2000);
    for name in odd.into_iter().chain([long.as_str()]) {
        let shown: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        for (what, part) in [
            ("the module of an import", format!("(import \"{shown}\" \"f\" (func))")),
            ("an import", format!("(import \"m\" \"{shown}\" (global i32))")),
            ("an export", format!("(func (export \"{shown}\"))")),
            ("an export", format!("(global (export \"{shown}\") i32 (i32.const 0))")),
            ("a section", format!("(@custom \"{shown}\" \"\")")),
        ] {
            let error = load(&assemble(&format!("(module {part} (func (export \"_initialize\")))"))).expect_err(what);
            expect(&error, ErrorKind::InvalidPlugin, &[&format!("the name of {what}, '")]);
            let message = error.message();
            assert!(message.len() < 400 && message.chars().all(|c| ('\x20'..='\x7e').contains(&c) || c == '…'), "{message:?}");
        }
    }
    let fine = "größer.than(*T[int]) 語 +&'\\22";
    load(&assemble(&format!("(module (func (export \"{fine}\")) (func (export \"_initialize\")))"))).expect("it is a name");
}

#[test]
fn a_version_of_go_is_a_word() {
    let with = |version: &str| {
        let producers = [b"\x01\x08language\x01\x02Go".as_slice(), &[version.len() as u8], version.as_bytes()].concat();
        let text: String = producers.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let module = assemble(&format!("(module (func (export \"_initialize\")) (@custom \"producers\" \"{text}\"))"));
        ModuleInfo::parse(&module).expect("a module").go_version
    };
    assert_eq!(with("go1.26.8").as_deref(), Some("go1.26.8"));
    assert_eq!(with("go1.26\x1b[31mRED"), None);
    assert_eq!(with("go1.26\u{9b}31m"), None);
    assert_eq!(with(&"1".repeat(100)), None);
}

/// A small plugin with all that the host uses of a module.
fn small() -> Vec<u8> {
    let wit = world("world w { import host: interface { note: func(s: string) -> string; } export f: func(s: string) -> list<string>; }");
    assemble(&format!(
        r#"(module
        (import "host" "note" (func $note (param i32 i32 i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 2) (global $heap (mut i32) (i32.const 32768)) (table 2 funcref) (elem (i32.const 0) $note $random)
        (func (export "_initialize") (drop (call $random (i32.const 512) (i32.const 8))))
        (func (export "undergo_arena") (result i32) (i32.const 256))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          (global.get $heap)
          (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get 3)) (i32.const 7)) (i32.const -8))))
        (func (export "f") (param i32 i32) (result i32)
          (call $note (local.get 0) (local.get 1) (i32.const 1032))
          (i32.store (i32.const 1024) (i32.const 1032)) (i32.store (i32.const 1028) (i32.const 1))
          (i32.const 1024))
        (func (export "cabi_post_f") (param i32))
        (data (i32.const 256) "\00\08\00\00\00\10\00\00") (data (i32.const 65536) "{}"))"#,
        data(&wit)
    ))
}

#[test]
fn a_module_with_flipped_bits_is_refused_or_behaves() {
    let good = small();
    let run = |plugin: &Plugin| -> Result<Value, Error> {
        let mut options = quiet();
        options.limits.timeout = Some(Duration::from_millis(200));
        options.limits.memory = Some(1 << 20);
        options.limits.value = Some(1 << 20);
        for (module, function) in plugin.imports() {
            options.imports.func(module, function.name.clone(), |args| Ok(args.first().cloned().unwrap_or(Value::None)));
        }
        let name = plugin.exports().next().map_or_else(|| "f".to_owned(), |function| function.name.clone());
        plugin.instantiate(options)?.call(&name, &["hello".into()], &PLAIN)
    };
    let whole = load(&good).and_then(|plugin| run(&plugin)).expect("the undamaged module works");
    assert_eq!(whole, Value::List(vec!["hello".into()]));
    let mut random = Random::new(13);
    let (mut refused, mut failed, mut worked) = (0, 0, 0);
    for _ in 0..600 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(2) {
            let at = 8 + random.below(bytes.len() - 8);
            bytes[at] ^= 1 << random.below(8);
        }
        match load(&bytes).map(|plugin| run(&plugin)) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidPlugin, "{error:?}");
                refused += 1;
            }
            Ok(Err(error)) => {
                assert!(!error.message().is_empty());
                failed += 1;
            }
            Ok(Ok(_)) => worked += 1,
        }
    }
    // The damage reached all stages, so each of them was tried.
    assert!(refused > 50 && failed > 10 && worked > 10, "{refused} refused, {failed} failed, {worked} worked");
}
