//! Components: of Go source, and of modules. Another engine runs them in tools/test_components.py.

use std::fs;
use std::path::Path;
use std::process::Command;

use wasmparser::{Validator, WasmFeatures};
use wit_component::{DecodedWasm, OutputToString, WitPrinter};

use crate::support::{command, folder, run, undergo};

const MOD: &str = "module example.com/tiny\n\ngo 1.24\n";
const TINY: &str = "package main

import \"context\"

//undergo:enum
type Color int

const (
	Red Color = iota
	Blue
)

//undergo:import directory
var Lookup func(name string) []string

//undergo:export
func CountWords(ctx context.Context, words []string) (map[string]uint32, error) {
	counts := map[string]uint32{}
	for _, w := range words {
		for _, found := range Lookup(w) {
			counts[found]++
		}
	}
	return counts, ctx.Err()
}

//undergo:export
func Turn(v [3]float64, c Color) (Color, [3]float64) { return c, v }

func main() {}
";

/// Checks a component, and gives its world as text.
pub(crate) fn world(file: &Path, features: WasmFeatures) -> String {
    let bytes = fs::read(file).expect("read");
    Validator::new_with_features(features).validate_all(&bytes).expect("valid");
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).expect("a component") else {
        panic!("it is no component");
    };
    let package = resolve.worlds[world].package.expect("a package");
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.print(&resolve, package, &[]).expect("printed");
    printer.output.to_string()
}

#[test]
fn a_plugin_becomes_a_component() {
    let dir = folder(&[("go.mod", MOD), ("main.go", TINY)]);
    let out = undergo(dir.path(), &["build", "--component"]).ok();
    assert!(out.starts_with("tiny.wasm  ") && out.contains(" MB, 2 exports, 1 import"), "{out}");
    let wit = world(&dir.path().join("tiny.wasm"), WasmFeatures::default());
    for line in [
        "import directory: interface {",
        "lookup: func(name: string) -> list<string>;",
        "export count-words: func(words: list<string>) -> result<list<tuple<string, u32>>, string>;",
        "import wasi:cli/environment@0.2.",
    ] {
        assert!(wit.contains(line), "{line} is not in: {wit}");
    }
    // What only Undergo's hosts give is answered within.
    for absent in ["undergo:go/context", "undergo:go/refusal", "map<"] {
        assert!(!wit.contains(absent), "{absent} is in: {wit}");
    }
}

#[test]
fn a_map_may_be_kept() {
    let dir = folder(&[("go.mod", MOD), ("main.go", TINY)]);
    undergo(dir.path(), &["build", "--component", "--features", "map"]).ok();
    let wit = world(&dir.path().join("tiny.wasm"), WasmFeatures::all());
    assert!(wit.contains("map<string, u32>"), "{wit}");
    undergo(dir.path(), &["build", "--features", "map"]).fails(1, &["add --component"]);
}

#[test]
fn a_program_becomes_a_component() {
    let dir = folder(&[("go.mod", MOD), ("main.go", "package main\n\nfunc main() { println(\"hello\") }\n")]);
    let out = undergo(dir.path(), &["build", "--command", "--component", "-o", "built.wasm"]).ok();
    assert!(out.contains("a component that exports wasi:cli/run"), "{out}");
    undergo(dir.path(), &["build", "--command", "-o", "program.wasm"]).ok();
    let out = undergo(dir.path(), &["component", "program.wasm", "-o", "adapted.wasm"]).ok();
    assert!(out.starts_with("adapted.wasm  ") && out.ends_with(" MB, a component\n"), "{out}");
    for name in ["built.wasm", "adapted.wasm"] {
        let wit = world(&dir.path().join(name), WasmFeatures::default());
        assert!(wit.contains("export wasi:cli/run@0.2."), "{wit}");
    }
}

#[test]
fn a_module_of_another_compiler_becomes_a_component() {
    // Rust's compiler leaves out what initializes nothing.
    becomes_a_component(r#"(func (export "_initialize"))"#);
    becomes_a_component("");
}

fn becomes_a_component(initialize: &str) {
    let dir = folder(&[]);
    // Its world is exported by a function of that name, as wit-bindgen does it.
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            {initialize}
            (func (export "roll") (result i32) (drop (call $random (i32.const 0) (i32.const 4))) (i32.load (i32.const 0))))"#
    );
    let mut module = wat::parse_str(text).expect("a module");
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_source("dice.wit", "package a:dice; world dice { export roll: func() -> u32; }").expect("an interface");
    let world_id = resolve.select_world(&[package], None).expect("a world");
    wit_component::embed_component_metadata(&mut module, &resolve, world_id, wit_component::StringEncoding::UTF8).expect("embedded");
    fs::write(dir.path().join("dice.wasm"), module).expect("written");
    if initialize.is_empty() {
        undergo(dir.path(), &["inspect", "--check", "dice.wasm"]).fails(1, &["it was built to become a component", "'undergo component'"]);
    }
    undergo(dir.path(), &["component", "dice.wasm", "-o", "out.wasm"]).ok();
    let wit = world(&dir.path().join("out.wasm"), WasmFeatures::default());
    assert!(wit.contains("export roll: func() -> u32;") && wit.contains("wasi:random/random@0.2."), "{wit}");
}

#[test]
fn what_can_not_become_one_is_refused_with_advice() {
    let dir = folder(&[("go.mod", MOD), ("main.go", TINY)]);
    undergo(dir.path(), &["build", "-o", "plugin.wasm"]).ok();
    undergo(dir.path(), &["build", "--component", "-o", "component.wasm"]).ok();
    let plugin = fs::read(dir.path().join("plugin.wasm")).expect("read");
    fs::write(dir.path().join("cut.wasm"), &plugin[..plugin.len() / 2]).expect("written");
    fs::write(dir.path().join("empty.wasm"), "").expect("written");
    for (name, text) in [
        ("bare", r#"(module (memory (export "memory") 1) (func (export "_initialize")) (func (export "add") (result i32) i32.const 1))"#),
        ("no-memory", r#"(module (func (export "_start")))"#),
        (
            "sockets",
            r#"(module (import "wasi_snapshot_preview1" "sock_open" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
        ),
        ("made-up", r#"(module (import "wasi_snapshot_preview1" "fd_fly" (func)) (memory (export "memory") 1) (func (export "_start")))"#),
        ("old", r#"(module (import "wasi_unstable" "fd_write" (func)) (memory (export "memory") 1) (func (export "_start")))"#),
        ("env", r#"(module (import "env" "log" (func)) (memory (export "memory") 1) (func (export "_start")))"#),
        ("unknown", r#"(module (import "elsewhere" "log" (func)) (memory (export "memory") 1) (func (export "_start")))"#),
        (
            "tiny-go",
            r#"(module (memory (export "memory") 1) (func (export "_start"))
                (@custom "producers" "\01\0cprocessed-by\01\06TinyGo\060.35.0"))"#,
        ),
        ("unsound", r#"(module (memory (export "memory") 1) (func (export "_start") i32.add))"#),
    ] {
        fs::write(dir.path().join(format!("{name}.wasm")), wat::parse_str(text).expect(name)).expect("written");
    }
    for (name, texts) in [
        ("component", ["a component already", "as it is"]),
        ("plugin", ["a plugin for Undergo's hosts", "'undergo build --component'"]),
        ("cut", ["the module is damaged", ""]),
        ("empty", ["the file is empty", ""]),
        ("bare", ["no interface", "//undergo:export"]),
        ("no-memory", ["no memory of the name 'memory'", ""]),
        ("sockets", ["sock_open", "without --net"]),
        ("made-up", ["fd_fly", "no engine has"]),
        ("old", ["wasi_unstable", "wasip1"]),
        ("env", ["log", "link what defines"]),
        ("unknown", ["elsewhere", "its interface"]),
        ("tiny-go", ["TinyGo", "-target=wasip2"]),
        ("unsound", ["the module is damaged", ""]),
    ] {
        undergo(dir.path(), &["component", &format!("{name}.wasm"), "-o", "out.wasm"]).fails(1, &texts);
    }
    assert!(!dir.path().join("out.wasm").exists());
    undergo(dir.path(), &["component", "main.go", "-o", "out.wasm"]).fails(1, &["Go source"]);
    undergo(dir.path(), &["build", "--component", "--net"]).fails(2, &["--net"]);
}

#[test]
fn a_plugin_without_an_interface_is_refused() {
    let text = "package main\n\n//go:wasmexport add\nfunc add(a, b int32) int32 { return a + b }\n\nfunc main() {}\n";
    let dir = folder(&[("go.mod", MOD), ("main.go", text)]);
    undergo(dir.path(), &["build", "--component"]).fails(1, &["can't become a component", "//undergo:export"]);
}

#[test]
fn a_module_of_go_by_go_build_becomes_one() {
    let dir = folder(&[("go.mod", MOD), ("main.go", "package main\n\nfunc main() {}\n")]);
    let mut build = Command::new(std::env::var_os("UNDERGO_GO").unwrap_or_else(|| "go".into()));
    build.args(["build", "-o", "go.wasm", "."]).current_dir(dir.path());
    run(build.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOPROXY", "off"), ("GOFLAGS", "")])).ok();
    run(command(dir.path()).args(["component", "go.wasm", "-o", "out.wasm"])).ok();
    world(&dir.path().join("out.wasm"), WasmFeatures::default());
}
