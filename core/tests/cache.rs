//! The cache of compiled code: found again, private, and never trusted when it is damaged.
#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::common::{PLAIN, assemble, component_bytes, start};
use undergo::{CodeCache, Compile, Plugin, PluginOptions, Value};

/// Large enough to be worth caching, and quick to compile.
fn module() -> Vec<u8> {
    let data = "x".repeat(100_000);
    assemble(&format!(
        r#"(module (memory (export "memory") 2) (data (i32.const 0) "{data}") (func (export "_initialize"))
            (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#
    ))
}

/// The same as a component.
fn component() -> Vec<u8> {
    let data = "x".repeat(100_000);
    component_bytes(
        "package a:b; world w { export add: func(a: s32, b: s32) -> s32; }",
        &format!(
            r#"(data "{data}") (func (export "add") (param i32 i32) (result i32)
                (i32.add (local.get 0) (local.get 1)))"#
        ),
    )
}

fn load(folder: &Path) -> Plugin {
    load_bytes(folder, &module())
}

fn load_bytes(folder: &Path, bytes: &[u8]) -> Plugin {
    let options = PluginOptions { compile: Compile::Best, cache: CodeCache::Folder(folder.to_owned()), ..PluginOptions::default() };
    Plugin::from_bytes_with("adder.wasm", bytes, &options).expect("a plugin")
}

fn works(plugin: &Plugin) {
    assert_eq!(start(plugin).call("add", &[Value::Int(2), Value::Int(3)], &PLAIN).expect("a call"), Value::Int(5));
}

/// The one file with code.
fn code(folder: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path());
    let found = files.find(|path| path.extension().is_some_and(|extension| extension == "code"));
    assert!(files.all(|path| path.extension().is_none_or(|extension| extension != "code")));
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

fn age(path: &Path) -> Duration {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).expect("it is there");
    modified.elapsed().unwrap_or_default()
}

fn make_old(path: &Path) {
    let file = File::options().write(true).open(path).expect("the file");
    file.set_modified(SystemTime::now() - Duration::from_secs(9000)).expect("its time");
}

#[test]
fn code_is_kept_privately_and_found_again() {
    for bytes in [module(), component()] {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("a").join("code");
        let plugin = load_bytes(&folder, &bytes);
        works(&plugin);
        assert!(!plugin.was_cached());
        // What a process has compiled is shared while it is used.
        drop(plugin);
        let path = code(&folder).expect("the code");
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        let written = fs::read(&path).expect("the code");
        make_old(&path);
        let plugin = load_bytes(&folder, &bytes);
        assert!(plugin.diagnostics().is_empty(), "{:?}", plugin.diagnostics());
        works(&plugin);
        assert!(plugin.was_cached());
        // It was used, which its time tells, and not written.
        assert!(age(&path) < Duration::from_secs(1000));
        assert_eq!(fs::read(&path).expect("the code"), written);
    }
}

#[test]
fn what_is_damaged_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("its mode");
    works(&load(folder.path()));
    let path = code(folder.path()).expect("the code");
    let good = fs::read(&path).expect("the code");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    let longer = [&good[..], b"more"].concat();
    let damaged = [
        Vec::new(),
        good[..10].to_vec(),
        good[..good.len() / 2].to_vec(),
        good[..good.len() - 1].to_vec(),
        flipped(0),
        flipped(good.len() / 3),
        flipped(good.len() - 1),
        flipped(good.len() - 40),
        vec![0; good.len()],
        longer,
    ];
    for bytes in damaged {
        fs::write(&path, &bytes).expect("the code");
        works(&load(folder.path()));
        let healed = fs::read(&path).expect("the code");
        assert_ne!(healed, bytes);
        assert_eq!(healed.len(), good.len());
        make_old(&path);
        works(&load(folder.path()));
        assert!(age(&path) < Duration::from_secs(1000));
    }
}

#[test]
fn what_others_may_write_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("its mode");
    let plugin = load(folder.path());
    works(&plugin);
    let [told] = &plugin.diagnostics()[..] else { panic!("{:?}", plugin.diagnostics()) };
    assert!(told.contains("not cached") && told.contains("others may write") && told.contains("chmod 700"), "{told}");
    assert_eq!(code(folder.path()), None);
    drop(plugin);
    // A file that others may write is replaced.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("its mode");
    works(&load(folder.path()));
    let path = code(folder.path()).expect("the code");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("its mode");
    works(&load(folder.path()));
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_folder_that_cannot_be_is_no_obstacle() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    for place in [file.clone(), file.join("below")] {
        let plugin = load(&place);
        works(&plugin);
        assert_eq!(plugin.diagnostics().len(), 1);
    }
    let options = PluginOptions { compile: Compile::Best, cache: CodeCache::Off, ..PluginOptions::default() };
    let plugin = Plugin::from_bytes_with("adder.wasm", &module(), &options).expect("a plugin");
    works(&plugin);
    assert!(plugin.diagnostics().is_empty());
}
