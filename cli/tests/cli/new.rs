use std::fs;

use crate::support::undergo;

#[test]
fn what_is_new_builds_and_can_be_called() {
    let dir = tempfile::tempdir().expect("a directory");
    undergo(dir.path(), &["new", "my-plugin"]).ok();
    let folder = dir.path().join("my-plugin");
    let out = undergo(&folder, &["build"]).ok();
    assert!(out.starts_with("my-plugin.wasm  ") && out.contains("1 export, 1 import"), "{out}");
    let readme = fs::read_to_string(folder.join("README.md")).expect("a README");
    assert!(readme.contains("undergo build ") && readme.contains("python main.py"), "{readme}");
    let args = ["call", "my-plugin.wasm", "greet", r#"{"name":"Ada","tags":["x"]}"#, "true", "--import", "directory.lookup=[\"y\"]"];
    assert_eq!(undergo(&folder, &args).ok(), "\"HELLO, ADA! (Y, X)\"\n");
}

#[test]
fn each_host_has_its_own_program() {
    let dir = tempfile::tempdir().expect("a directory");
    for (host, program, command) in [("python", "main.py", "python main.py"), ("node", "main.mjs", "npm install && node main.mjs")] {
        let name = format!("for-{host}");
        let out = undergo(dir.path(), &["new", &name, "--host", host]).ok();
        assert!(out.ends_with(&format!("  {command}\n")), "{out}");
        let text = fs::read_to_string(dir.path().join(&name).join(program)).expect("a program");
        assert!(text.contains(&format!("{name}.wasm")) && !text.contains("NAME"), "{text}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let dir = tempfile::tempdir().expect("a directory");
    undergo(dir.path(), &["new", "a"]).ok();
    fs::write(dir.path().join("a/main.go"), "mine").expect("written");
    undergo(dir.path(), &["new", "a"]).fails(1, &["a exists already"]);
    assert_eq!(fs::read_to_string(dir.path().join("a/main.go")).expect("read"), "mine");
    undergo(dir.path(), &["new", "../b"]).fails(2, &["words of lower-case letters"]);
}
