use std::path::Path;

use crate::support::{bare, folder, kitchen, undergo};

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
    assert_eq!(members, ["file", "kind", "go", "size", "world", "wit", "exports", "imports", "wasi", "sections"]);
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
fn foreign_files_say_what_they_are() {
    let dir = folder(&[("empty", ""), ("main.go", "package main\n"), ("damaged", "\0asm\u{1}\0\0\0\u{1}\u{7f}")]);
    let inspect = |file: &str| undergo(dir.path(), &["inspect", file]);
    inspect("empty").fails(1, &["error[invalid-plugin]: ", "the file is empty"]);
    inspect("main.go").fails(1, &["it is Go source"]);
    inspect("damaged").fails(1, &["the module is damaged"]);
    inspect("missing").fails(1, &["missing can't be read"]);
}
