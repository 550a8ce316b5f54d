//! Components for a world that is given: `undergo build --component --wit PATH --world NAME`.

use std::path::Path;

use crate::component::world;
use crate::support::{folder, undergo};

const MOD: &str = "module example.com/tiny\n\ngo 1.24\n";
const WIT: &str = "package acme:calc@1.2.0;

interface types {
  record person { name: string, tags: list<string> }
}

interface sums {
  add: func(a: s32, b: s32) -> s32;
}

interface directory {
  use types.{person};
  lookup: func(name: string) -> result<person, string>;
  unused: func();
}

world calc {
  import directory;
  export sums;
  export describe: func(name: string) -> result<string, string>;
}

world pages {
  export api;
}

interface api {
  resource page {
    constructor(text: string);
    text: func() -> string;
  }
  longest: func(pages: list<borrow<page>>) -> u32;
}
";
const CALC: &str = "package main

type Person struct {
	Name string
	Tags []string
}

//undergo:import directory
var Lookup func(name string) (Person, error)

// Add adds.
//
//undergo:export
func Add(a, b int32) int32 { return a + b }

//undergo:export
func Describe(name string) (string, error) {
	p, err := Lookup(name)
	return p.Name, err
}

func main() {}
";

fn wit_of(file: &Path) -> String {
    world(file, wasmparser::WasmFeatures::default())
}

#[test]
fn functions_get_their_places_in_the_world() {
    let dir = folder(&[("go.mod", MOD), ("main.go", CALC), ("wit/calc.wit", WIT)]);
    undergo(dir.path(), &["build", "--component", "--wit", "wit", "--world", "calc"]).ok();
    let wit = wit_of(&dir.path().join("tiny.wasm"));
    for line in [
        "import acme:calc/directory@1.2.0;",
        "export acme:calc/sums@1.2.0;",
        "export describe: func(name: string) -> result<string, string>;",
        "wasi:cli/environment@0.2.",
    ] {
        assert!(wit.contains(line), "{line} is not in: {wit}");
    }
    // The file alone does as well.
    undergo(dir.path(), &["build", "--component", "--wit", "wit/calc.wit", "--world", "acme:calc/calc", "-o", "again.wasm"]).ok();
}

#[test]
fn resources_get_theirs() {
    let source = "package main

//undergo:resource
type Page struct{ text string }

//undergo:export
func NewPage(text string) *Page { return &Page{text} }

//undergo:export
func (p *Page) Text() string { return p.text }

//undergo:export
func Longest(pages []*Page) uint32 { return uint32(len(pages)) }

func main() {}
";
    let dir = folder(&[("go.mod", MOD), ("main.go", source), ("wit/calc.wit", WIT)]);
    undergo(dir.path(), &["build", "--component", "--wit", "wit", "--world", "pages"]).ok();
    let wit = wit_of(&dir.path().join("tiny.wasm"));
    assert!(wit.contains("export acme:calc/api@1.2.0;") && !wit.contains("undergo:"), "{wit}");
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let dir = folder(&[("go.mod", MOD), ("main.go", CALC), ("wit/calc.wit", WIT)]);
    let build = |from: &str, into: &str, texts: &[&str]| {
        std::fs::write(dir.path().join("main.go"), CALC.replace(from, into)).expect("written");
        undergo(dir.path(), &["build", "--component", "--wit", "wit", "--world", "calc"]).fails(1, texts);
    };
    build(
        "func Add(a, b int32) int32 { return a + b }",
        "func Add(a, b int64) int64 { return a + b }",
        &["main.go:14: of acme:calc/sums@1.2.0, which it exports, the function add: a: it has s64, and the world has s32"],
    );
    build(
        "func Add(",
        "func Subtract(",
        &[
            "main.go:14: it exports subtract, and the world calc does not have it",
            "it does not export acme:calc/sums@1.2.0, which the world calc asks for",
        ],
    );
    build(
        "Lookup func(name string)",
        "Lookup func(id string)",
        &[
            "main.go:9: of acme:calc/directory@1.2.0, which it imports, the function lookup: its parameters are (id), and the world has (name)",
        ],
    );
    build("undergo:import directory", "undergo:import people", &["main.go:9: it imports people, and the world calc does not have it"]);
    build("Tags []string", "Age  int", &["main.go:9: ", "the result: it has the fields name, age, and the world has name, tags"]);
}

const RAW: &str = "package main

import _ \"github.com/undergo-dev/undergo/go-guest-sdk\"

//go:wasmimport wasi:http/types@0.2.3 [constructor]fields
func newFields() uint32

//go:wasmimport wasi:http/types@0.2.3 [constructor]outgoing-response
func newResponse(headers uint32) uint32

//go:wasmimport wasi:http/types@0.2.3 [static]response-outparam.set
func set(param, isError, response, a uint32, b uint64, c, d, e, f uint32)

//go:wasmexport wasi:http/incoming-handler@0.2.3#handle
func handle(request, out uint32) { set(out, 0, newResponse(newFields()), 0, 0, 0, 0, 0, 0) }

func main() {}
";

#[test]
fn functions_may_be_written_without_the_generator() {
    let dir = folder(&[("go.mod", MOD), ("main.go", RAW)]);
    for world in ["wasi:http/proxy", "wasi:http/proxy@0.2.0"] {
        undergo(dir.path(), &["build", "--component", "--world", world]).ok();
        let wit = wit_of(&dir.path().join("tiny.wasm"));
        assert!(wit.contains("export wasi:http/incoming-handler@0.2.") && wit.contains("import wasi:http/types@0.2."), "{wit}");
        // It runs where there are servers, and nothing else of WASI.
        assert!(!wit.contains("wasi:cli/environment") && !wit.contains("wasi:filesystem"), "{wit}");
        undergo(dir.path(), &["inspect", "tiny.wasm", "--check", "--world", "wasi:http/proxy"]).ok();
    }
    let file = "package a:b; world all { include wasi:cli/imports@0.2.0; include wasi:http/proxy@0.2.0; }";
    std::fs::write(dir.path().join("all.wit"), file).expect("written");
    undergo(dir.path(), &["build", "--component", "--wit", "all.wit"]).ok();
    let wit = wit_of(&dir.path().join("tiny.wasm"));
    assert!(wit.contains("export wasi:http/incoming-handler@0.2.") && wit.contains("wasi:cli/environment"), "{wit}");

    std::fs::write(dir.path().join("main.go"), RAW.replace("[constructor]fields", "[constructor]meadows")).expect("written");
    undergo(dir.path(), &["build", "--component", "--world", "wasi:http/proxy"])
        .fails(1, &["main.go:5: it imports [constructor]meadows from wasi:http/types@0.2.3, and the world proxy does not have it"]);
}

#[test]
fn a_program_has_a_world_too() {
    let source = "package main\n\nfunc main() { println(\"hello\") }\n";
    let dir = folder(&[("go.mod", MOD), ("main.go", source)]);
    let out = undergo(dir.path(), &["build", "--component", "--world", "wasi:cli/command"]).ok();
    assert!(out.contains("a component that exports wasi:cli/run"), "{out}");
    assert!(wit_of(&dir.path().join("tiny.wasm")).contains("export wasi:cli/run@0.2."));
    let sends =
        "package main\n\n//go:wasmimport wasi:http/types@0.2.0 [constructor]fields\nfunc fields() uint32\n\nfunc main() { fields() }\n";
    std::fs::write(dir.path().join("main.go"), sends).expect("written");
    undergo(dir.path(), &["build", "--component", "--command"]).ok();
    assert!(wit_of(&dir.path().join("tiny.wasm")).contains("import wasi:http/types@0.2."));
    undergo(dir.path(), &["build", "--component", "--world", "wasi:cli/command"])
        .fails(1, &["main.go:3: it imports [constructor]fields from wasi:http/types@0.2.0, and the world command does not have it"]);
    std::fs::write(dir.path().join("main.go"), CALC).expect("written");
    undergo(dir.path(), &["build", "--component", "--world", "wasi:cli/command"]).fails(1, &["name another world"]);
    undergo(dir.path(), &["build", "--component", "--world", "wasi:http/proxy"])
        .fails(1, &["it does not export wasi:http/incoming-handler@0.2.", "which the world proxy asks for"]);
}

#[test]
fn what_names_no_world_is_refused() {
    let dir = folder(&[("go.mod", MOD), ("main.go", CALC), ("calc.wit", WIT)]);
    undergo(dir.path(), &["build", "--wit", "calc.wit"]).fails(2, &["--component"]);
    undergo(dir.path(), &["build", "--world", "wasi:http/proxy"]).fails(1, &["add --component"]);
    for (args, texts) in [
        (&["--world", "wasi:http/server"][..], &["wasi:cli/command and wasi:http/proxy are known"][..]),
        (&["--world", "acme:calc/calc"], &["by --wit PATH"]),
        (&["--wit", "calc.wit"], &["calc", "pages"]),
        (&["--wit", "calc.wit", "--world", "sums"], &["sums"]),
        (&["--wit", "missing.wit"], &["missing.wit"]),
    ] {
        undergo(dir.path(), &[&["build", "--component"], args].concat()).fails(1, texts);
    }
}
