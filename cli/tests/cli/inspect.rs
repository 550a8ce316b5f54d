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
    assert_eq!(members, ["file", "kind", "go", "size", "world", "wit", "exports", "imports", "resources", "wasi", "sections"]);
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
    let odd = r#"(module (import "wasi_snapshot_preview1" "fd_teleport" (func)) (func (export "_initialize")))"#;
    check(odd, &[]).fails(1, &["it imports fd_teleport, which is no function of WASI preview 1"]);
    check(r#"(module (func (export "_initialize") (drop (i32.const 1)) i32.const 2))"#, &[]).fails(1, &["the module is not valid"]);
    check(r#"(module (func (export "_initialize")))"#, &["--min-go", "1.24"]).fails(1, &["does not say which Go compiled it"]);
    check(r#"(module)"#, &[]).fails(1, &["it exports neither _initialize nor _start"]);
}
