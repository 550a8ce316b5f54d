use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use crate::support::{Run, fixture, kitchen, run, undergo};

fn folder() -> &'static Path {
    env!("CARGO_TARGET_TMPDIR").as_ref()
}

/// The program of the fixtures that has all sorts of control flow, with its names and without.
fn flow(flags: &str, name: &str) -> PathBuf {
    let file = folder().join(format!("{name}.wasm"));
    let go = env::var_os("UNDERGO_GO").unwrap_or_else(|| "go".into());
    let mut build = Command::new(go);
    build.args(["build", flags, "-o"]).arg(&file).arg(".").current_dir(fixture("flow"));
    run(build.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOPROXY", "off"), ("GOFLAGS", "")])).ok();
    file
}

fn named() -> &'static PathBuf {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| flow("-ldflags=", "flow"));
    &FILE
}

/// Optimizes a module; gives the file, and what the command printed.
fn optimized(file: &Path) -> (PathBuf, String) {
    let out = file.with_extension("fast.wasm");
    let said = undergo(folder(), &["optimize", "--verbose", path(file), "-o", path(&out)]).ok();
    (out, said)
}

fn path(file: &Path) -> &str {
    file.to_str().expect("a path")
}

/// Runs the program in that file, as it is there.
fn program(file: &Path, args: &[&str]) -> Run {
    let words: Vec<&str> = ["run", "--no-optimize", path(file)].into_iter().chain(args.iter().copied()).collect();
    undergo(folder(), &words)
}

/// A trace without the values of arguments and addresses, which may differ from run to run.
fn comparable(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split(['(', '+']).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_program_does_the_same() {
    let (fast, said) = optimized(named());
    assert!(said.contains("functions rewritten"), "{said}");
    let (before, after) = (program(named(), &[]).ok(), program(&fast, &[]).ok());
    assert_eq!(before, after);
    assert!(before.contains("goroutines 499500\n") && before.contains("main.frames:"), "{before}");
    assert!(fs::metadata(&fast).expect("written").len() < fs::metadata(named()).expect("built").len());
}

#[test]
fn it_fails_in_the_same_way() {
    let (fast, _) = optimized(named());
    for how in ["nil", "deep", "goroutine", "deadlock", "exit"] {
        let (before, after) = (program(named(), &[how]), program(&fast, &[how]));
        assert_eq!((before.code, &before.stdout), (after.code, &after.stdout), "{how}");
        assert_eq!(comparable(&before.stderr), comparable(&after.stderr), "{how}");
    }
}

#[test]
fn a_program_without_names_does_the_same() {
    let plain = flow("-ldflags=-s -w", "flow-stripped");
    let (fast, _) = optimized(&plain);
    assert_eq!(program(&plain, &[]).ok(), program(&fast, &[]).ok());
}

#[test]
fn what_is_loaded_is_optimized() {
    let (fast, _) = optimized(named());
    let size = |file: &Path, flags: &[&str]| {
        let out = folder().join("loaded.undergo");
        undergo(folder(), &[&["compile", path(file), "-o", path(&out)], flags].concat()).ok();
        fs::metadata(out).expect("written").len() - fs::metadata(file).expect("built").len()
    };
    // A compiled plugin has the module that it was made from beside the code.
    let (loaded, as_it_is) = (size(named(), &[]), size(named(), &["--no-optimize"]));
    assert!(loaded < as_it_is, "{loaded} bytes of native code, and {as_it_is}");
    assert_eq!(size(&fast, &[]), loaded, "nothing is done to it twice");
    let plain = undergo(folder(), &["run", path(named()), "deep"]);
    assert_eq!(comparable(&plain.stderr), comparable(&program(named(), &["deep"]).stderr));
}

#[test]
fn each_loop_can_be_interrupted() {
    for shape in ["empty", "tight", "nested", "goto", "goroutine", "deferred"] {
        for flags in [&["--timeout", "300ms"][..], &["--timeout", "300ms", "--no-optimize"], &["--fuel", "100000000"]] {
            let words = [&["run"], flags, &[path(named()), "spin", shape]].concat();
            let ended = undergo(folder(), &words);
            assert_eq!(ended.code, 125, "{shape} with {flags:?}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_plugin_does_the_same() {
    let plain = folder().join("kitchen-plain.wasm");
    undergo(folder(), &["build", "--no-optimize", path(&fixture("kitchen")), "-o", path(&plain)]).ok();
    let (fast, _) = optimized(&plain);
    undergo(folder(), &["inspect", "--check", path(&fast)]).ok();
    // A build does the same by itself.
    let size = |file: &Path| fs::metadata(file).expect("a file").len();
    assert!(size(kitchen().as_ref()) < size(&plain), "{} and {}", size(kitchen().as_ref()), size(&plain));
    undergo(folder(), &["optimize", kitchen(), "-o", path(&fast)]).fails(1, &["optimized before"]);
    let imports = ["--import", "directory.lookup=[\"x\"]", "--import", "directory.note=null"];
    let person = r#"{"name":"Ada","tags":["a"],"user-id":1,"color":"red"}"#;
    let call = |file: &str| undergo(folder(), &[&["call", file][..], &imports, &["greet", person, "false"]].concat()).ok();
    assert_eq!(call(path(&plain)), call(kitchen()));
}

#[test]
fn what_is_no_module_of_go_is_refused_with_the_reason() {
    let (fast, _) = optimized(named());
    let refused = |file: &Path, why: &str| {
        let out = folder().join("refused.wasm");
        undergo(folder(), &["optimize", path(file), "-o", path(&out)]).fails(1, &["can't be optimized", why]);
        assert!(!out.exists(), "nothing is written");
    };
    refused(&fast, "optimized before");
    let own = folder().join("own.wasm");
    fs::write(&own, wat::parse_str("(module (func (export \"_start\")))").expect("a module")).expect("written");
    refused(&own, "not compiled by Go");
    fs::write(&own, b"\0asm\x01\0\0\0\x01").expect("written");
    refused(&own, "damaged");
}
