use std::fs;
use std::path::Path;

use crate::support::{command, folder, run, undergo};

const MOD: &str = "module example.com/dial\n\ngo 1.24\n";
const PROGRAM: &str = "package main\n\nimport \"net\"\n\nfunc main() {\n\t_, err := net.Dial(\"tcp\", \"127.0.0.1:9\")\n\tpanic(err)\n}\n";
const PLUGIN: &str = "package main\n\nimport \"net\"\n\n//undergo:export\nfunc Dial(to string) error {\n\t_, err := net.Dial(\"tcp\", to)\n\treturn err\n}\n\nfunc main() {}\n";

fn wasi(file: &Path) -> Vec<String> {
    let shown = undergo(Path::new("."), &["inspect", "--json", file.to_str().expect("a path")]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    shown["wasi"].as_array().expect("a list").iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_plugin_has_sockets_when_it_is_built_with_net() {
    let dir = folder(&[("go.mod", MOD), ("main.go", PLUGIN)]);
    undergo(dir.path(), &["build", "-o", "without.wasm"]).ok();
    undergo(dir.path(), &["build", "--net", "-o", "with.wasm"]).ok();
    let (without, with) = (wasi(&dir.path().join("without.wasm")), wasi(&dir.path().join("with.wasm")));
    let shown = undergo(dir.path(), &["inspect", "with.wasm"]).ok();
    assert!(shown.contains("  net   it opens sockets"), "{shown}");
    for name in ["sock_open", "sock_connect", "sock_getaddrinfo", "sock_getpeeraddr"] {
        assert!(with.iter().any(|found| found == name), "{name} is not in {with:?}");
        assert!(!without.iter().any(|found| found == name), "{name} is in {without:?}");
    }
}

#[test]
fn a_program_is_built_in_one_line() {
    let dir = folder(&[("go.mod", MOD), ("main.go", "package main\n\nfunc main() { println(\"hello\") }\n")]);
    let out = undergo(dir.path(), &["build", "--command"]).ok();
    assert!(out.starts_with("dial.wasm  ") && out.ends_with(" MB, a program for 'undergo run'\n"), "{out}");
    let ran = undergo(dir.path(), &["run", "dial.wasm"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "hello\n"));
    fs::write(dir.path().join("main.go"), PLUGIN).expect("written");
    undergo(dir.path(), &["build", "--command"]).fails(1, &["//undergo: directives", "without --command"]);
}

#[test]
fn the_plain_go_command_takes_the_overlay() {
    let dir = folder(&[("go.mod", MOD), ("main.go", PROGRAM)]);
    let overlay = undergo(dir.path(), &["overlay"]).ok();
    let overlay = overlay.strip_suffix('\n').expect("a line");
    let mut go = std::process::Command::new("go");
    go.current_dir(dir.path()).args(["build", "-overlay", overlay, "-o", "dial.wasm", "."]);
    // Where the tests' toolchain is one of the module cache, a shell would have these from the
    // command's note.
    if let Some(root) = toolchain_link(overlay) {
        go.env("GOTOOLCHAIN", "local").env("GOROOT", root);
    }
    let built = go.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOFLAGS", "-mod=mod")]).output().expect("go is there");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert!(wasi(&dir.path().join("dial.wasm")).iter().any(|name| name == "sock_open"));
    // The second time it is there already, and the same one.
    assert_eq!(undergo(dir.path(), &["overlay"]).ok().trim_end(), overlay);
}

/// The root that an overlay is for, where that is a link of the cache.
fn toolchain_link(overlay: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(overlay).expect("read")).expect("JSON");
    let file = json["Replace"].as_object().expect("an object").keys().next().expect("a file").clone();
    let root = file.split("/src/").next().expect("a root").to_owned();
    fs::symlink_metadata(&root).expect("it is there").file_type().is_symlink().then_some(root)
}

/// The go command keeps toolchains that it has downloaded among its modules, and overlays nothing
/// there.
#[cfg(unix)]
#[test]
fn a_toolchain_of_the_module_cache_is_used_through_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(&[("go.mod", MOD), ("main.go", PLUGIN), ("modules/toolchain.txt", "")]);
    let modules = dir.path().join("modules");
    let root = std::process::Command::new("go").args(["env", "GOROOT"]).output().expect("go is there");
    let root = String::from_utf8(root.stdout).expect("a path");
    std::os::unix::fs::symlink(root.trim(), modules.join("toolchain")).expect("a link");
    let go = dir.path().join("go");
    fs::write(&go, "#!/bin/sh\nGOROOT=$GOMODCACHE/toolchain exec $GOMODCACHE/toolchain/bin/go \"$@\"\n").expect("written");
    fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).expect("executable");
    let with = |args: &[&str]| run(command(dir.path()).env("GOMODCACHE", &modules).env("UNDERGO_GO", &go).args(args));
    with(&["build", "--net"]).ok();
    assert!(wasi(&dir.path().join("dial.wasm")).iter().any(|name| name == "sock_open"));
    let said = with(&["overlay"]);
    assert!(said.stderr.contains("export GOTOOLCHAIN=local GOROOT='"), "{}", said.stderr);
    assert!(toolchain_link(said.ok().trim_end()).is_some());
}

#[test]
fn an_overlay_of_the_user_is_not_lost_silently() {
    let dir = folder(&[("go.mod", MOD), ("main.go", PLUGIN)]);
    for args in [&["overlay"][..], &["build", "--net"], &["build"]] {
        let mut command = command(dir.path());
        command.env("GOFLAGS", "-mod=mod -overlay=/mine.json").args(args);
        run(&mut command).fails(1, &["-overlay=/mine.json", "unset it"]);
    }
}

/// A go command that says this of itself, and can nothing else.
#[cfg(unix)]
fn pretender(dir: &Path, version: &str, root: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let go = dir.join("go");
    let said = serde_json::json!({"GOVERSION": version, "GOROOT": root, "GOMOD": dir.join("go.mod"), "GOMODCACHE": "/nowhere",
        "GOHOSTOS": "linux", "GOHOSTARCH": "amd64"});
    fs::write(&go, format!("#!/bin/sh\ncat <<'END'\n{said}\nEND\n")).expect("written");
    fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).expect("executable");
    go.to_str().expect("a path").to_owned()
}

#[cfg(unix)]
#[test]
fn other_toolchains_are_refused_with_words() {
    let dir = folder(&[("go.mod", MOD), ("main.go", PLUGIN), ("root/src/net/net.go", "package net\n")]);
    let root = dir.path().join("root");
    let with = |version: &str| {
        let go = pretender(dir.path(), version, &root);
        run(command(dir.path()).env("UNDERGO_GO", go).arg("overlay"))
    };
    with("go1.28.1").fails(1, &["Go 1.24 to 1.27", "go1.28.1", "UNDERGO_GO"]);
    with("devel go1.28-abcdef").fails(1, &["Go 1.24 to 1.27"]);
    with("go1.26.99").fails(1, &["is not that of go1.26.99", "syscall/net_fake.go", "https://go.dev/dl"]);
    fs::create_dir_all(root.join("src/syscall")).expect("a directory");
    fs::write(root.join("src/syscall/net_fake.go"), "//go:build js\n\npackage syscall\n").expect("written");
    with("go1.26.99").fails(1, &["syscall/net_fake.go", "'//go:build js || wasip1' 0 times"]);
}
