//! Plugins without the SDK: core signatures, and guest memory by pointer and length, as in the Go
//! documentation.

use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use crate::common::{self, PLAIN, expect, quiet};
use undergo::{ErrorKind, Instance, Plugin, Value};

const SOURCE: &str = r#"package main

import "unsafe"

//go:wasmimport host emit
func emit(p unsafe.Pointer, n uint32) int32

//go:wasmexport add
func add(x, y int32) int32 { return x + y }

//go:wasmexport mix
func mix(a int64, b float32, c float64, d uint32) float64 { return float64(a) + float64(b) + c + float64(d) }

//go:wasmexport double
func double(x uint64) uint64 { return 2 * x }

var kept [][]byte

// alloc gives n bytes that the host may write.
//
//go:wasmexport alloc
func alloc(n uint32) unsafe.Pointer {
	b := make([]byte, n)
	kept = append(kept, b)
	return unsafe.Pointer(unsafe.SliceData(b))
}

//go:wasmexport hash
func hash(p unsafe.Pointer, n uint32) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range unsafe.Slice((*byte)(p), n) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

//go:wasmexport greet
func greet() int32 {
	s := []byte("hello from Go")
	return emit(unsafe.Pointer(unsafe.SliceData(s)), uint32(len(s)))
}

//go:wasmexport nothing
func nothing() {}

//go:wasmexport fail
func fail() { panic("bare panic") }

func main() {}
"#;

/// The plugin, built by the Go toolchain alone.
fn bare() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("main.go"), SOURCE).expect("a file");
        std::fs::write(at("go.mod"), "module bare\n\ngo 1.24\n").expect("a file");
        let built = Command::new("go")
            .args(["build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", "bare.wasm", "."])
            .envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off")])
            .current_dir(folder.path())
            .output()
            .expect("the tests of bare modules need Go 1.24 or later on PATH");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Plugin::from_file(at("bare.wasm")).expect("a plugin")
    })
}

/// An instance whose `emit` reads guest memory from within the guest's call.
fn instance() -> (Arc<Instance>, Arc<Mutex<Vec<u8>>>) {
    let slot = Arc::new(OnceLock::<std::sync::Weak<Instance>>::new());
    let emitted = Arc::new(Mutex::new(Vec::new()));
    let mut options = quiet();
    let (inner, out) = (slot.clone(), emitted.clone());
    options.imports.func("host", "emit", move |args| {
        let [Value::Int(address), Value::Int(length)] = *args else { return Err(common::host::fail("emit wants two numbers")) };
        let instance = inner.get().and_then(std::sync::Weak::upgrade).ok_or_else(|| common::host::fail("no instance"))?;
        let bytes = instance.read_memory(address as u32, length as u32)?;
        out.lock().map_err(|error| common::host::fail(&error.to_string()))?.extend(bytes);
        Ok(Value::Int(length))
    });
    let instance = Arc::new(bare().instantiate(options).expect("an instance"));
    slot.set(Arc::downgrade(&instance)).expect("the first time");
    (instance, emitted)
}

fn call(instance: &Instance, name: &str, args: &[Value]) -> Value {
    instance.call(name, args, &PLAIN).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

#[test]
fn scalars_go_by_their_core_types() {
    let (instance, _) = instance();
    assert!(bare().interface().is_none());
    assert_eq!(call(&instance, "add", &[Value::Int(40), Value::Int(2)]), Value::Int(42));
    assert_eq!(call(&instance, "add", &[Value::Int(i32::MAX.into()), Value::Int(1)]), Value::Int(i32::MIN.into()));
    // WebAssembly says nothing of signs: both ranges are accepted, and results are signed.
    assert_eq!(call(&instance, "add", &[Value::Int(u32::MAX.into()), Value::Int(0)]), Value::Int(-1));
    assert_eq!(call(&instance, "double", &[Value::Uint(u64::MAX)]), Value::Int(-2));
    let mixed = [Value::Int(1), Value::Float(0.5), Value::Float(0.25), Value::Int(4)];
    assert_eq!(call(&instance, "mix", &mixed), Value::Float(5.75));
    assert_eq!(call(&instance, "nothing", &[]), Value::None);
}

#[test]
fn arguments_are_checked_against_the_core_types() {
    let (instance, _) = instance();
    let error = |name: &str, args: &[Value]| instance.call(name, args, &PLAIN).expect_err("a mismatch");
    expect(&error("add", &[Value::Int(1)]), ErrorKind::TypeMismatch, &["takes 2 arguments, got 1", "add(arg0: i32, arg1: i32) -> i32"]);
    expect(&error("add", &[Value::Int(1 << 32), Value::Int(0)]), ErrorKind::TypeMismatch, &["add(arg0)", "out of range for i32"]);
    expect(&error("add", &["x".into(), Value::Int(0)]), ErrorKind::TypeMismatch, &["add(arg0)", "expected i32, got string"]);
    expect(&error("ad", &[]), ErrorKind::UnknownExport, &["'ad'", "add"]);
    expect(&error("_initialize", &[]), ErrorKind::UnknownExport, &["_initialize"]);
    assert!(instance.dead().is_none());
}

#[test]
fn memory_by_pointer_and_length() {
    let (instance, _) = instance();
    let text = b"pointer and length";
    let Value::Int(address) = call(&instance, "alloc", &[Value::Int(text.len() as i64)]) else { panic!("not an address") };
    instance.write_memory(address as u32, text).expect("memory of the guest");
    assert_eq!(instance.read_memory(address as u32, text.len() as u32).expect("memory of the guest"), text);
    let wanted = text.iter().fold(14_695_981_039_346_656_037_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(1_099_511_628_211));
    assert_eq!(call(&instance, "hash", &[Value::Int(address), Value::Int(text.len() as i64)]), Value::Int(wanted.cast_signed()));
}

#[test]
fn memory_has_bounds() {
    let (instance, _) = instance();
    let size = instance.memory_size().expect("a memory");
    let end = u32::try_from(size).expect("less than 4 GiB");
    for (address, length) in [(end, 1), (end - 1, 2), (0, u32::MAX), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
        let error = instance.read_memory(address, length).expect_err("out of bounds");
        expect(&error, ErrorKind::TypeMismatch, &[&format!("{length} bytes at address {address:#x}"), "outside the guest's memory"]);
    }
    expect(&instance.write_memory(end - 1, b"xy").expect_err("out of bounds"), ErrorKind::TypeMismatch, &["2 bytes"]);
    expect(&instance.write_memory(u32::MAX, b"x").expect_err("out of bounds"), ErrorKind::TypeMismatch, &["1 bytes"]);
    assert_eq!(instance.read_memory(end - 1, 1).expect("the last byte").len(), 1);
    assert_eq!(instance.read_memory(end, 0).expect("no bytes"), b"");
    assert!(instance.dead().is_none());
}

#[test]
fn imports_get_pointer_and_length() {
    let (instance, emitted) = instance();
    assert_eq!(call(&instance, "greet", &[]), Value::Int(13));
    assert_eq!(*emitted.lock().expect("the bytes"), b"hello from Go");
    let error = bare().instantiate(quiet()).expect_err("emit is missing");
    expect(&error, ErrorKind::MissingImport, &["host.emit(arg0: i32, arg1: i32) -> i32"]);
}

#[test]
fn a_panic_ends_a_bare_instance_too() {
    let (instance, _) = instance();
    expect(&instance.call("fail", &[], &PLAIN).expect_err("a panic"), ErrorKind::Panic, &["bare panic"]);
    // Its scalar exports would still answer, if they were asked.
    let dead = instance.call("add", &[Value::Int(1), Value::Int(1)], &PLAIN).expect_err("a dead instance");
    expect(&dead, ErrorKind::DeadInstance, &["bare panic"]);
    expect(&instance.read_memory(0, 1).expect_err("a dead instance"), ErrorKind::DeadInstance, &["bare panic"]);
}
