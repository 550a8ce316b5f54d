use std::path::Path;

use crate::support::{bare, folder, kitchen, living, undergo};

#[test]
fn a_plugin_shows_what_it_gives_and_wants() {
    let page = undergo(Path::new("."), &["inspect", kitchen()]).ok();
    for text in [
        "kind  plugin (reactor)",
        "go    go1.",
        "  greet(p: person, shout: bool) -> result<string, string>\n      Greet says hello to p.\n",
        "  directory.lookup(name: string) -> result<list<string>, string>\n      Lookup asks the host for tags.\n",
        "fd_write",
        "component-type",
        "export greet: func(p: person, shout: bool) -> result<string, string>;",
    ] {
        assert!(page.contains(text), "{text:?} is not in {page}");
    }
}

#[test]
fn the_json_form_is_stable() {
    let text = undergo(Path::new("."), &["inspect", "--json", bare()]).ok();
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let members: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "file",
            "kind",
            "callable",
            "go",
            "size",
            "world",
            "wit",
            "exports",
            "imports",
            "resources",
            "wasi",
            "sections",
            "nested",
            "producers"
        ]
    );
    assert_eq!(value["kind"], "reactor");
    assert_eq!(value["world"], serde_json::Value::Null);
    let export = serde_json::json!({"name": "addTwo", "signature": "addTwo(i32) -> i32", "docs": "", "typed": false});
    assert_eq!(value["exports"], serde_json::json!([export]));
    assert_eq!(value["imports"][0]["module"], "host");
    let text = undergo(Path::new("."), &["inspect", "--json", kitchen()]).ok();
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["world"], "kitchen");
    assert_eq!(value["exports"][0]["docs"], "Greet says hello to p.\n\nIt fails for nobody: someone without a \"name\".");
}

#[test]
fn resources_are_shown_with_their_methods() {
    let page = undergo(Path::new("."), &["inspect", living()]).ok();
    let (head, _) = page.split_once("\nInterface\n").expect("an interface");
    for text in [
        "\n  merge(a: borrow<document>, others: list<borrow<document>>) -> document\n      Merge makes one of two, or of all.\n",
        "\nResources of the plugin\n",
        "\n  document\n      A Document has a title and a text.\n    constructor(text: string) -> result<document, string>\n",
        "\n    title() -> string\n        Title is its first line.\n",
        "\n    next(most: u32) -> tuple<list<string>, bool>\n",
        "\nResources of the host\n",
        "\n  store\n      A Store has texts.\n    get(key: string) -> result<string, string>\n        Get is the text kept under key.\n",
    ] {
        assert!(head.contains(text), "{text:?} is not in {head}");
    }
    // What its functions are in the module is nobody's business, and what hosts do with handles.
    assert!(!head.contains('#') && !head.contains("[resource-") && !head.contains("Imports,"), "{head}");
    let text = undergo(Path::new("."), &["inspect", "--json", living()]).ok();
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(value["exports"].as_array().expect("a list").iter().all(|export| export["typed"] == true), "{text}");
    assert_eq!(value["imports"], serde_json::json!([]));
    let resources = value["resources"].as_array().expect("a list");
    let document = resources.iter().find(|resource| resource["name"] == "document").expect("a document");
    assert_eq!((&document["side"], &document["docs"]), (&"guest".into(), &"A Document has a title and a text.".into()));
    assert_eq!(document["constructor"]["signature"], "constructor(text: string) -> result<document, string>");
    assert_eq!(
        document["methods"][0],
        serde_json::json!({"name": "title", "signature": "title() -> string", "docs": "Title is its first line."})
    );
    assert!(
        resources.iter().any(|resource| resource["name"] == "store" && resource["side"] == "host" && resource["constructor"].is_null())
    );
    undergo(Path::new("."), &["inspect", "--check", "--allow-import", "nothing", living()]).ok();
}

#[test]
fn foreign_files_say_what_they_are() {
    let dir = folder(&[("empty", ""), ("main.go", "package main\n"), ("damaged", "\0asm\u{1}\0\0\0\u{1}\u{7f}")]);
    let inspect = |file: &str| undergo(dir.path(), &["inspect", file]);
    inspect("empty").fails(1, &["error[invalid-plugin]: ", "the file is empty"]);
    inspect("main.go").fails(1, &["it is Go source"]);
    inspect("damaged").fails(1, &["the module is damaged"]);
    inspect("missing").fails(1, &["missing can't be read"]);
}

#[test]
fn a_plugin_has_no_hold_on_the_terminal() {
    let odd = "\\1b]0;title\\07\\c2\\9b31m";
    let dir = tempfile::tempdir().expect("a directory");
    let show = |parts: &str| {
        let module = format!("(module {parts} (func (export \"_initialize\")))");
        std::fs::write(dir.path().join("m.wasm"), wat::parse_str(module).expect("a module")).expect("written");
        for args in [&["inspect"][..], &["inspect", "--check"], &["inspect", "--json"]] {
            let run = undergo(dir.path(), &[args, &["m.wasm"]].concat());
            let text = run.stdout + &run.stderr;
            assert!(text.chars().all(|c| c == '\n' || undergo::host::escape::is_plain(c)), "{text:?}");
        }
    };
    show(&format!("(import \"m{odd}\" \"f\" (func))"));
    show(&format!("(import \"wasi_snapshot_preview1\" \"f{odd}\" (func))"));
    show(&format!("(func (export \"f{odd}\"))"));
    show(&format!("(@custom \"s{odd}\" \"\")"));
    show("(@custom \"producers\" \"\\01\\08language\\01\\02Go\\0ago\\1b[31mRED\")");
    // These are no names, and come with a plugin that is fine.
    let wit = "package a:b; world w { /// \u{200f}\u{feff}\u{2028}\r\u{a0}docs\n export f: func(); }";
    let header = format!("undergo:interface:1:{:08x}:{:08x}\n", wit.len(), crc32(wit.as_bytes()));
    let data: String = header.bytes().chain(wit.bytes()).map(|byte| format!("\\{byte:02x}")).collect();
    let realloc = "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0))";
    show(&format!("(memory (export \"memory\") 1) (data \"\\ff{data}\") (func (export \"f\")) {realloc}"));
    let text = undergo(dir.path(), &["inspect", "m.wasm"]).ok();
    assert!(text.contains("\\u{200f}\\u{feff}\\u{2028}\\r\\u{a0}docs") && text.contains("\u{fffd}\u{fffd}"), "{text}");
}

/// The checksum of an interface.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[test]
fn a_check_is_for_ci() {
    let check = |args: &[&str]| undergo(Path::new("."), &[&["inspect", "--check"], args].concat());
    assert!(check(&[kitchen()]).ok().contains("kitchen.wasm is fine"));
    check(&[kitchen(), "--allow-import", "directory", "--allow-import", "other.name", "--min-go", "1.24"]).ok();
    check(&[kitchen(), "--allow-import", "other", "--min-go", "1.99"])
        .fails(1, &["it imports directory.lookup, which is not allowed", "it was compiled by go1.", "wants go1.99 or newer"]);
    undergo(Path::new("."), &["inspect", kitchen(), "--min-go", "1.24"]).fails(2, &["--check"]);
    check(&[kitchen(), "--min-go", "old"]).fails(2, &["'old' is no version of Go"]);
}

#[test]
fn a_check_finds_what_loading_would_find_and_more() {
    let module = |text: &str| wat::parse_str(text).expect("a module");
    let dir = tempfile::tempdir().expect("a directory");
    let check = |text: &str, args: &[&str]| {
        std::fs::write(dir.path().join("m.wasm"), module(text)).expect("written");
        undergo(dir.path(), &[&["inspect", "--check", "m.wasm"], args].concat())
    };
    let command = r#"(module (func (export "_start")))"#;
    check(command, &[]).fails(1, &["m.wasm: it is a command, which has no _initialize"]);
    check(command, &["--allow-command"]).ok();
    check(r#"(module (func (export "_start")) (func (export "malloc")))"#, &[]).fails(1, &["it is a command"]);
    check(r#"(module (func (export "_start")) (func (export "f")))"#, &[]).ok();
    let shown = undergo(dir.path(), &["inspect", "m.wasm"]).ok();
    assert!(shown.contains("command whose functions can be called, after its main"), "{shown}");
    let shown = undergo(dir.path(), &["inspect", "m.wasm", "--json"]).ok();
    assert!(shown.contains("\"kind\": \"command\"") && shown.contains("\"callable\": true"), "{shown}");
    let odd = r#"(module (import "wasi_snapshot_preview1" "fd_teleport" (func)) (func (export "_initialize")))"#;
    check(odd, &[]).fails(1, &["it imports fd_teleport, which is no function of WASI preview 1"]);
    check(r#"(module (func (export "_initialize") (drop (i32.const 1)) i32.const 2))"#, &[]).fails(1, &["the module is not valid"]);
    check(r#"(module (func (export "_initialize")))"#, &["--min-go", "1.24"]).fails(1, &["does not say which Go compiled it"]);
    check(r#"(module)"#, &[]).fails(1, &["it exports neither _initialize nor _start"]);
}

/// A component with a module and another component in it, each with a name.
const COMPONENT: &str = r#"(component
    (import "wasi:sockets/network@0.2.6" (instance))
    (import "my:kv/store@1.2.0" (instance
        (export "bucket" (type (sub resource)))
        (export "[method]bucket.get" (func (param "self" (borrow 0)) (param "key" string) (result (option (list u8)))))
        (export "open" (func (param "name" string) (result (own 0))))))
    (core module $main (@name "main")
        (@producers (language "Go" "go1.26.8") (processed-by "tool" "1.0"))
        (func (export "f") (param i32) (result i32) local.get 0))
    (component $inner (@name "inner") (core module))
    (core instance $i (instantiate $main))
    (func $f (param "n" u32) (result u32) (canon lift (core func $i "f")))
    (export "twice" (func $f)))"#;

fn component(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), wat::parse_str(text).expect("a component")).expect("written");
}

#[test]
fn a_component_shows_what_it_is_made_of() {
    let dir = folder(&[]);
    component(dir.path(), "c.wasm", COMPONENT);
    let page = undergo(dir.path(), &["inspect", "c.wasm"]).ok();
    for text in [
        "kind  component\n",
        "go    go1.26.8\n",
        "net   it opens sockets",
        "\nExports\n  twice(n: u32) -> u32\n",
        "\n  my:kv/store@1.2.0.open(name: string) -> bucket\n",
        "\nResources of the host\n  my:kv/store@1.2.0.bucket\n    get(key: string) -> option<list<u8>>\n",
        "\nWASI interfaces\n  wasi:sockets/network@0.2.6\n",
        "\nProducers\n  language      Go go1.26.8\n  processed-by  tool 1.0\n",
        "  main\n",
        "  inner\n",
        "  1.0  module",
        "\nInterface\n  package root:component;\n",
    ] {
        assert!(page.contains(text), "{text:?} is not in {page}");
    }
    let text = undergo(dir.path(), &["inspect", "--json", "c.wasm"]).ok();
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let of_module: serde_json::Value = serde_json::from_str(&undergo(dir.path(), &["inspect", "--json", bare()]).ok()).expect("JSON");
    let members = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&value), members(&of_module));
    assert_eq!((&value["kind"], &value["world"], &value["go"]), (&"component".into(), &"root".into(), &"go1.26.8".into()));
    let export = serde_json::json!({"name": "twice", "signature": "twice(n: u32) -> u32", "docs": "", "typed": true});
    assert_eq!(value["exports"], serde_json::json!([export]));
    assert_eq!((&value["imports"][0]["module"], &value["imports"][0]["name"]), (&"my:kv/store@1.2.0".into(), &"open".into()));
    let paths: Vec<&str> = value["nested"].as_array().expect("a list").iter().filter_map(|nested| nested["path"].as_str()).collect();
    assert_eq!(paths, ["0", "1", "1.0"]);
    assert_eq!(value["nested"][0]["name"], "main");
    assert_eq!(value["producers"][0], serde_json::json!({"field": "language", "name": "Go", "version": "go1.26.8"}));
}

#[test]
fn a_component_has_no_hold_on_the_terminal() {
    let odd = "\\1b]0;title\\07\\c2\\9b31m";
    let dir = folder(&[]);
    for part in [
        format!("(@custom \"s{odd}\" \"\")"),
        format!("(core module (@name \"m{odd}\"))"),
        format!("(core module (@producers (language \"Go\" \"1{odd}\")))"),
        format!("(core module (import \"m{odd}\" \"f\" (func)))"),
        format!("(import \"f{odd}\" (func))"),
        format!("(@custom \"package-docs\" \"\\00{{\\22docs\\22:\\22a{odd}\\22}}\")"),
    ] {
        // Some are no names of a component, which is then told of.
        let Ok(bytes) = wat::parse_str(format!("(component {part})")) else { continue };
        std::fs::write(dir.path().join("c.wasm"), bytes).expect("written");
        for args in [&["inspect"][..], &["inspect", "--check"], &["inspect", "--json"], &["wit"]] {
            let run = undergo(dir.path(), &[args, &["c.wasm"]].concat());
            let text = run.stdout + &run.stderr;
            assert!(text.chars().all(|c| c == '\n' || undergo::host::escape::is_plain(c)), "{text:?}");
        }
    }
}

#[test]
fn a_component_is_checked_as_a_plugin_is() {
    let dir = folder(&[]);
    component(dir.path(), "c.wasm", COMPONENT);
    let check = |args: &[&str]| undergo(dir.path(), &[&["inspect", "--check", "c.wasm"], args].concat());
    check(&["--allow-import", "other", "--min-go", "1.99"])
        .fails(1, &["it imports my:kv/store@1.2.0.open, which is not allowed", "it was compiled by go1.26.8"]);
    std::fs::write(dir.path().join("c.wasm"), b"\0asm\x0a\0\x01\0").expect("written");
    check(&[]).fails(1, &["c.wasm: it is a component of version 10"]);
    undergo(dir.path(), &["inspect", "c.wasm"]).fails(1, &["c.wasm can't be read: it is a component of version 10"]);
}

#[test]
fn what_fits_a_world_is_fine() {
    let dir = folder(&[(
        "wit/w.wit",
        "package a:b;
world kv { import my:kv/store@1.2.3; export twice: func(n: u32) -> u32; }
world other { export twice: func(m: u32) -> u32; export thrice: func(); export run: interface { f: func(); } }
world typed { import my:kv/store@1.2.3; export twice: func(n: u32) -> list<string>; }
package my:kv@1.2.3 { interface store { get: func(key: string) -> option<list<u8>>; put: func(key: string); } }
",
    )]);
    let text = r#"(component
        (import "my:kv/store@1.2.0" (instance (export "get" (func (param "key" string) (result (option (list u8)))))))
        (core module $main (func (export "f") (param i32) (result i32) local.get 0))
        (core instance $i (instantiate $main))
        (func $f (param "n" u32) (result u32) (canon lift (core func $i "f")))
        (export "twice" (func $f)))"#;
    component(dir.path(), "c.wasm", text);
    let check = |world: &str| undergo(dir.path(), &["inspect", "--check", "c.wasm", "--wit", "wit", "--world", world]);
    // The version is another of those that hosts take for each other.
    check("kv").ok();
    check("other").fails(
        1,
        &[
            "c.wasm: it imports my:kv/store@1.2.0, and the world other does not have it",
            "c.wasm: it exports twice, and its parameters are (n), and the world has (m)",
            "c.wasm: it does not export thrice, which the world other asks for",
            "c.wasm: it does not export run, which the world other asks for",
        ],
    );
    check("typed").fails(1, &["it exports twice, and the result: it has u32, and the world has list<string>"]);
    check("none").fails(1, &["World `none` not found"]);
    undergo(dir.path(), &["inspect", "c.wasm", "--wit", "wit"]).fails(2, &["--check"]);
}

#[test]
fn a_plugin_fits_its_own_world_and_no_other() {
    let dir = folder(&[]);
    for plugin in [kitchen(), living()] {
        let text = undergo(dir.path(), &["wit", plugin]).ok();
        let check = |text: &str| {
            std::fs::write(dir.path().join("w.wit"), text).expect("written");
            undergo(dir.path(), &["inspect", "--check", plugin, "--wit", "w.wit"])
        };
        check(&text).ok();
        if plugin == kitchen() {
            check(&text.replace("email: option<string>", "email: string"))
                .fails(1, &["p: email: it has option<string>, and the world has string"]);
            check(&text.replace("dark-blue", "light-blue"))
                .fails(1, &["it has the cases red, dark-blue, and the world has red, light-blue"]);
            check(&text.replace("lookup: func", "look: func")).fails(1, &["of directory, which it imports, the function lookup"]);
            check(&text.replace("  export greet:", "  export greeting:")).fails(1, &["it does not export greeting"]);
        }
    }
    undergo(dir.path(), &["inspect", "--check", bare(), "--wit", "w.wit"]).fails(1, &["it has no interface, and --wit wants one"]);
}
