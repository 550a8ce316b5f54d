//! A stranger's plugin is built, and no native code of it runs.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{command, folder, names, run, undergo};

const MOD: &str = "module example.com/hostile\n\ngo 1.24\n";
const MAIN: &str = "package main\n\n//undergo:export\nfunc Add(a, b int) int { return a + b }\n\nfunc main() {}\n";
const SDK: &str = "github.com/undergo-dev/undergo/go-guest-sdk";

/// A program that leaves a mark, in place of the generator.
const GENERATOR: &str = "package main\n\nimport \"os\"\n\nfunc main() { os.WriteFile(os.Getenv(\"MARK\"), nil, 0o666) }\n";

fn script(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
    fs::write(file, format!("#!/bin/sh\n{text}\n")).expect("written");
    fs::set_permissions(file, Permissions::from_mode(0o755)).expect("executable");
}

/// `undergo build`, and the file that whatever runs natively would write.
fn marked(dir: &Path) -> (Command, PathBuf) {
    let mark = dir.join("mark");
    let mut build = command(dir);
    build.args(["build", "-o", "out.wasm"]).env("MARK", &mark);
    (build, mark)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("copied");
        }
    }
}

#[test]
fn the_generator_is_never_that_of_the_tree() {
    let gomod = format!("{MOD}\nrequire {SDK} v0.1.0\n\nreplace {SDK} => ./evil\n");
    let evil = format!("module {SDK}\n\ngo 1.24\n");
    let dir = folder(&[("go.mod", &gomod), ("main.go", MAIN), ("evil/go.mod", &evil), ("evil/cmd/undergo-gen/main.go", GENERATOR)]);
    // Its SDK has no package that the glue could call.
    let (mut build, mark) = marked(dir.path());
    run(&mut build).fails(1, &[SDK, "takes the guest SDK from its own modules"]);
    assert!(!mark.exists());
    // With one it is used, and runs in the sandbox.
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../go-guest-sdk");
    copy(&sdk, &dir.path().join("evil"));
    fs::write(dir.path().join("evil/cmd/undergo-gen/main.go"), GENERATOR).expect("written");
    run(&mut marked(dir.path()).0).ok();
    assert!(!mark.exists());
    assert_eq!(undergo(dir.path(), &["call", "out.wasm", "add", "1", "2"]).ok(), "3\n");
    // The same by go.work.
    fs::write(dir.path().join("go.mod"), MOD).expect("written");
    fs::write(dir.path().join("go.work"), "go 1.24\n\nuse (\n\t.\n\t./evil\n)\n").expect("written");
    run(marked(dir.path()).0.env("GOFLAGS", "")).ok();
    assert!(!mark.exists());
}

/// Of types that each have the previous one twice, the last has it a billion times: whoever goes
/// through all of them does not end.
#[test]
fn types_that_mean_a_billion_are_built_and_written_at_once() {
    // The interface may be nested 64 deep, and each step is two types.
    const DEPTH: usize = 28;
    let mut source = String::from("package main\n\ntype R0 struct{ A string }\n\n//undergo:variant\ntype V0 interface{ is0() }\n");
    source += "type Leaf struct{ A string }\nfunc (Leaf) is0() {}\n";
    for i in 0..DEPTH {
        let next = i + 1;
        source += &format!("type R{next} struct{{ A, B []R{i} }}\n\n//undergo:variant\ntype V{next} interface{{ is{next}() }}\n");
        source += &format!("type C{i} struct{{ X V{i} }}\ntype D{i} struct{{ X V{i} }}\n");
        source += &format!("func (C{i}) is{next}() {{}}\nfunc (D{i}) is{next}() {{}}\n");
    }
    source += &format!("\n//undergo:export\nfunc Variant(v V{DEPTH}) V{DEPTH} {{ return v }}\n");
    source += &format!("\n//undergo:export\nfunc Record(r R{DEPTH}) R{DEPTH} {{ return r }}\n\nfunc main() {{}}\n");
    let dir = folder(&[("go.mod", MOD), ("main.go", &source)]);
    undergo(dir.path(), &["build", "-o", "out.wasm"]).ok();
    undergo(dir.path(), &["inspect", "out.wasm"]).ok();
    for language in ["python", "ts", "c", "cpp", "go", "java", "kotlin", "ruby", "rust", "swift"] {
        undergo(dir.path(), &["bindgen", "out.wasm", "--lang", language]).ok();
    }
}

#[test]
fn a_toolchain_that_the_tree_names_is_not_fetched_unless_the_user_asks() {
    let dir =
        folder(&[("go.mod", "module example.com/hostile\n\ngo 1.99\n"), ("main.go", MAIN), ("env", "GOTOOLCHAIN=auto\n"), ("none", "")]);
    let build = |name: &str, value: &str| {
        let mut build = command(dir.path());
        build.args(["build"]).env("GOENV", dir.path().join("none")).env_remove("GOTOOLCHAIN").env(name, value);
        run(&mut build)
    };
    build("UNUSED", "").fails(1, &["requires go >= 1.99", "is not fetched by itself", "GOTOOLCHAIN=auto"]);
    build("GOTOOLCHAIN", "").fails(1, &["is not fetched by itself"]);
    // Without a network it comes no further than to want it.
    let file = dir.path().join("env");
    for asked in [build("GOTOOLCHAIN", "auto"), build("GOENV", file.to_str().expect("a path"))] {
        asked.fails(1, &["1.99"]);
        assert!(!asked.stderr.contains("is not fetched by itself"), "{}", asked.stderr);
    }
    // A line that asks for no more than to prefer it changes nothing.
    fs::write(dir.path().join("go.mod"), format!("{MOD}\ntoolchain go1.99.1\n")).expect("written");
    assert_eq!(build("UNUSED", "").code, 0);
}

#[test]
fn version_control_is_not_asked() {
    let dir = folder(&[
        ("go.mod", MOD),
        ("main.go", MAIN),
        (".git/HEAD", "ref: refs/heads/main\n"),
        (".git/objects/x", ""),
        (".git/refs/heads/x", ""),
    ]);
    let evil = dir.path().join("evil");
    script(&evil, "touch \"$MARK\"");
    let config = format!("[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {}\n", evil.display());
    fs::write(dir.path().join(".git/config"), config).expect("written");
    let (mut build, mark) = marked(dir.path());
    run(build.env("GOFLAGS", "-mod=mod -buildvcs=true")).ok();
    assert!(!mark.exists());
}

#[test]
fn programs_are_not_looked_for_in_the_tree() {
    let dir = folder(&[("go.mod", MOD), ("main.go", MAIN)]);
    for name in ["go", "git", "bin/go"] {
        script(&dir.path().join(name), "touch \"$MARK\"; exit 1");
    }
    let (mut build, mark) = marked(dir.path());
    let path = std::env::var("PATH").expect("a PATH");
    run(build.env("PATH", format!(".::bin:{path}"))).ok();
    assert!(!mark.exists());
    let (mut none, _) = marked(dir.path());
    run(none.env("PATH", ".:bin")).fails(1, &["no go command on PATH"]);
}

#[test]
fn a_cache_that_others_may_write_is_refused() {
    let dir = folder(&[("go.mod", MOD), ("main.go", MAIN), ("cache/bin/x", ""), ("cache/sdk/x", "")]);
    let cache = dir.path().join("cache");
    let build = |place: &Path| run(marked(dir.path()).0.env("UNDERGO_CACHE_DIR", place));
    for place in [cache.clone(), cache.join("bin"), cache.join("sdk")] {
        fs::set_permissions(&place, Permissions::from_mode(0o777)).expect("set");
        build(&cache)
            .fails(1, &[place.to_str().expect("a path"), "others may write to it", "chmod 700", "UNDERGO_CACHE_DIR names another place"]);
        fs::set_permissions(&place, Permissions::from_mode(0o755)).expect("set");
    }
    build(&cache).ok();
    // The user's own link is the user's own choice.
    symlink(&cache, dir.path().join("link")).expect("a link");
    build(&dir.path().join("link")).ok();
    fs::write(dir.path().join("file"), "").expect("written");
    build(&dir.path().join("file")).fails(1, &["can't be made"]);
}

#[test]
fn what_lies_in_the_cache_is_checked() {
    let dir = folder(&[("go.mod", MOD), ("main.go", MAIN)]);
    let cache = dir.path().join("cache");
    let build = || {
        let (mut build, mark) = marked(dir.path());
        run(build.env("UNDERGO_CACHE_DIR", &cache)).ok();
        assert!(!mark.exists());
    };
    build();
    let only = |folder: &str| {
        let names = names(&cache.join(folder));
        assert_eq!(names.len(), 1, "{names:?}");
        cache.join(folder).join(&names[0])
    };
    // A program that others could have written, and one that is a link.
    let generator = only("bin");
    script(&generator, "touch \"$MARK\"");
    fs::set_permissions(&generator, Permissions::from_mode(0o777)).expect("set");
    build();
    script(&dir.path().join("evil"), "touch \"$MARK\"");
    fs::remove_file(&generator).expect("removed");
    symlink(dir.path().join("evil"), &generator).expect("a link");
    // Sources that are not ours, which the generator would be built from.
    fs::write(only("sdk").join("doc.go"), "package undergo\n\nfunc broken( {\n").expect("written");
    fs::write(only("sdk").join("cmd/undergo-gen/evil.go"), "package main\n\nfunc broken( {\n").expect("written");
    build();
    assert!(!fs::symlink_metadata(&generator).expect("it is there").is_symlink());
}

/// Nobody writes to it, and whoever opens it to read waits for one who does.
fn pipe(path: &Path) {
    let name = std::ffi::CString::new(path.to_str().expect("a path")).expect("no zero");
    // SAFETY: a string that ends with a zero.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    for (place, is_link) in [("undergo_gen.go", false), ("undergo_gen.go", true), ("go.sum", false)] {
        let dir = folder(&[("go.mod", MOD), ("main.go", MAIN)]);
        if is_link {
            symlink("/dev/zero", dir.path().join(place)).expect("a link");
        } else {
            pipe(&dir.path().join(place));
        }
        run(&mut marked(dir.path()).0).fails(1, &[place, "can't be read", "no regular file"]);
    }
    let dir = folder(&[]);
    pipe(&dir.path().join("pipe.wasm"));
    symlink("/dev/zero", dir.path().join("zeros.wasm")).expect("a link");
    for file in ["pipe.wasm", "zeros.wasm"] {
        for (command, code) in [("inspect", 1), ("call", 2), ("run", 125), ("compile", 1), ("optimize", 1)] {
            let more: &[&str] = match command {
                "call" => &["f"],
                "optimize" => &["-o", "out.wasm"],
                _ => &[],
            };
            undergo(dir.path(), &[&[command, file], more].concat()).fails(code, &[file, "can't be read"]);
        }
    }
}
