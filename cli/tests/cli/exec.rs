use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Run, command, fixture, folder, run, undergo};

/// The go command, with the fixture as its working directory, for WASI.
fn go(args: &[&str]) -> Command {
    let mut go = Command::new(env::var_os("UNDERGO_GO").unwrap_or_else(|| "go".into()));
    go.args(args).current_dir(fixture("tested")).env("PWD", fixture("tested"));
    go.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOPROXY", "off"), ("GOFLAGS", "-count=1")]);
    go.env("UNDERGO_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    go
}

fn tested(args: &[&str]) -> Run {
    let exec = format!("{} exec", env!("CARGO_BIN_EXE_undergo"));
    run(&mut go(&[&["test", "-exec", &exec], args].concat()))
}

#[test]
fn go_test_runs_its_tests() {
    let passed = tested(&["-run", "Passes|Deep|Network", "-v", "."]).ok();
    assert!(
        passed.contains("--- PASS: TestPasses") && passed.contains("--- PASS: TestDeep") && passed.contains("--- PASS: TestHasNoNetwork"),
        "{passed}"
    );
    let failed = tested(&["-run", "Fails", "."]);
    assert_eq!(failed.code, 1, "{}{}", failed.stdout, failed.stderr);
    assert!(failed.stdout.contains("it fails") && failed.stdout.contains("FAIL\texample.com/tested"), "{}", failed.stdout);
}

const LINKED: &str = r#"package linked

import (
	"os"
	"testing"
)

func TestFiles(t *testing.T) {
	for _, name := range []string{"here", "../above"} {
		if _, err := os.ReadFile(name); err != nil {
			t.Error(err)
		}
	}
}
"#;

/// The go command stands where the user went, and that may be through a link.
#[cfg(unix)]
#[test]
fn files_are_found_from_a_directory_that_is_a_link() {
    let dir = folder(&[
        ("real/go.mod", "module example.com/linked\n\ngo 1.24\n"),
        ("real/above", "above"),
        ("real/sub/here", "here"),
        ("real/sub/linked_test.go", LINKED),
    ]);
    std::os::unix::fs::symlink(dir.path().join("real"), dir.path().join("link")).expect("a link");
    let exec = format!("{} exec", env!("CARGO_BIN_EXE_undergo"));
    let mut test = go(&["test", "-exec", &exec, "."]);
    let sub = dir.path().join("link/sub");
    run(test.current_dir(&sub).env("PWD", &sub)).ok();
}

#[test]
fn a_test_without_end_is_ended_at_its_timeout() {
    let began = Instant::now();
    let spun = tested(&["-run", "Spins", "-timeout", "1s", "."]);
    assert_eq!(spun.code, 1, "{}{}", spun.stdout, spun.stderr);
    let told = "panic: test timed out after 1s\n\ngoroutine running:\nexample.com/tested.spin(...)\nexample.com/tested.TestSpins(...)\n";
    assert!(spun.stdout.contains(told), "{}{}", spun.stdout, spun.stderr);
    // Go's own script takes a minute more, when the go command loses its patience.
    assert!(began.elapsed() < Duration::from_secs(50));
    // A test that sleeps is ended by Go itself, which has more to tell.
    let slept = tested(&["-run", "Sleeps", "-timeout", "1s", "."]);
    assert!(slept.stdout.contains("running tests:") && slept.stdout.contains("TestSleeps"), "{}{}", slept.stdout, slept.stderr);
}

#[test]
fn go_run_runs_a_program() {
    let exec = format!("{} exec", env!("CARGO_BIN_EXE_undergo"));
    let ran = run(&mut go(&["run", "-exec", &exec, ".", "-v", "two words"]));
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "[-v two words]\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("exit status 5"), "{}", ran.stderr);
}

#[test]
fn once_installed_it_needs_no_flag() {
    let dir = tempfile::tempdir().expect("a directory");
    let told = run(command(dir.path()).args(["exec", "--install", "bin"])).ok();
    assert!(told.contains("go_wasip1_wasm_exec is there"), "{told}");
    let mut go = go(&["test", "-run", "Passes", "."]);
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = [dir.path().join("bin")].into_iter().chain(env::split_paths(&path));
    run(go.env("PATH", env::join_paths(dirs).expect("a PATH"))).ok();
    undergo(dir.path(), &["exec", "no.wasm"]).fails(125, &["no.wasm", "can't be read"]);
}

/// Go's own tests of what a runtime has to do for it, unchanged: reading several pipes at once, and
/// a listener that is handed in. They start the go command, which finds what is installed here
/// under the name of Go's own script; to that they hand options for Wasmtime.
#[test]
fn the_tests_that_go_has_for_runtimes_pass() {
    let dir = tempfile::tempdir().expect("a directory");
    run(command(dir.path()).args(["exec", "--install", "bin"])).ok();
    let root = PathBuf::from(run(&mut go(&["env", "GOROOT"])).ok().trim());
    let places = ["src/internal/runtime/wasitest", "src/runtime/internal/wasitest"];
    let tests = places.iter().map(|place| root.join(place)).find(|place| place.is_dir()).expect("Go's tests of runtimes");
    let mut test = go(&["test", "-v", "-run", "TestNonblock|TestTCPEcho", ".", "-target", "wasip1/wasm"]);
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = [dir.path().join("bin"), root.join("bin")].into_iter().chain(env::split_paths(&path));
    // The tests run on this machine, and what they start for WASI.
    test.env_remove("GOOS").env_remove("GOARCH").env("GOWASIENABLERACYTEST", "1").env_remove("GOWASIRUNTIME");
    let ran = run(test.current_dir(&tests).env("PWD", &tests).env("PATH", env::join_paths(dirs).expect("a PATH"))).ok();
    for passed in ["--- PASS: TestNonblock/os.OpenFile", "--- PASS: TestNonblock/os.NewFile", "--- PASS: TestTCPEcho"] {
        assert!(ran.contains(passed), "{ran}");
    }
}

const ENVIRONMENT: &str = r#"package main

import (
	"fmt"
	"os"
)

func main() {
	for _, name := range []string{"A", "B", "PWD", "GIVEN"} {
		value, ok := os.LookupEnv(name)
		fmt.Println(name, ok, value)
	}
	fmt.Println(os.Args[1:])
}
"#;

#[test]
fn variables_are_given_by_name_or_with_a_value() {
    let dir = folder(&[("go.mod", "module example.com/env\n\ngo 1.24\n"), ("main.go", ENVIRONMENT)]);
    undergo(dir.path(), &["build", "--command"]).ok();
    let exec = |options: &str, runtime: &[(&str, &str)]| {
        let words = options.split_whitespace().map(|word| word.replace('_', " "));
        let mut exec = command(dir.path());
        exec.env("GIVEN", "given").env_remove("A").env_remove("B").env("PWD", dir.path()).envs(runtime.iter().copied());
        run(exec.arg("exec").args(words).args(["env.wasm", "--env", "mine"]))
    };
    let here = dir.path().to_str().expect("a path");
    let text = |a: &str, b: &str, given: &str| format!("A {a}\nB {b}\nPWD true {here}\nGIVEN {given}\n[--env mine]\n");
    assert_eq!(exec("", &[]).ok(), text("false ", "false ", "false "));
    assert_eq!(exec("--env A=1 --env B=x=_y --env GIVEN", &[]).ok(), text("true 1", "true x= y", "true given"));
    assert_eq!(exec("--env A=1 --env A= --env-all", &[]).ok(), text("true ", "false ", "true given"));
    assert_eq!(exec("--env-all --env GIVEN=other", &[]).ok(), text("false ", "false ", "true other"));
    exec("--env A", &[]).fails(2, &["A is not set here", "A=VALUE"]);
    exec("--env =1", &[]).fails(2, &["NAME=VALUE"]);
    // What Go's own script takes from its environment.
    let args = ("GOWASIRUNTIMEARGS", "--env A=2  --env GIVEN");
    assert_eq!(exec("--env A=1", &[args]).ok(), text("true 1", "false ", "true given"));
    assert_eq!(exec("", &[args, ("GOWASIRUNTIME", "")]).ok(), text("true 2", "false ", "true given"));
    assert_eq!(exec("", &[args, ("GOWASIRUNTIME", "wazero")]).ok(), text("false ", "false ", "false "));
    exec("", &[("GOWASIRUNTIMEARGS", "--nonsense")]).fails(1, &["--nonsense is no option", "GOWASIRUNTIMEARGS"]);
    // The same grammar for a program that is run on its own.
    let ran = run(command(dir.path()).env("GIVEN", "given").args(["run", "--env", "A=1", "--env", "GIVEN", "env.wasm"])).ok();
    assert!(ran.starts_with("A true 1\nB false \nPWD false \nGIVEN true given\n"), "{ran}");
}
