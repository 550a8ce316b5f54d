use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::support::{command, fixture, folder, run, undergo};

/// The program of the fixtures, built as any Go program is.
fn program() -> &'static PathBuf {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program.wasm");
        let go = env::var_os("UNDERGO_GO").unwrap_or_else(|| "go".into());
        let mut build = Command::new(go);
        build.args(["build", "-o"]).arg(&file).arg(".").current_dir(fixture("program"));
        run(build.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOPROXY", "off")])).ok();
        file
    });
    &FILE
}

fn undergo_run(options: &[&str], args: &[&str]) -> Command {
    let mut command = command(env!("CARGO_TARGET_TMPDIR").as_ref());
    command.arg("run").args(options).arg(program()).args(args);
    command
}

#[test]
fn a_program_has_its_arguments_and_its_exit_code() {
    assert_eq!(run(&mut undergo_run(&[], &["args", "-v", "--", "two words"])).ok(), "program.wasm\nargs\n-v\n--\ntwo words\n");
    let three = run(&mut undergo_run(&[], &["exit", "3"]));
    three.fails(3, &["leaving\n"]);
    assert_eq!(three.stdout, "");
}

#[test]
fn what_is_run_again_gets_better_code() {
    let cache = tempfile::tempdir().expect("a directory");
    let kept = || {
        let files = fs::read_dir(cache.path().join("code")).into_iter().flatten().flatten();
        files.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "code")).count()
    };
    let again = || assert_eq!(run(undergo_run(&[], &["args"]).env("UNDERGO_CACHE_DIR", cache.path())).ok(), "program.wasm\nargs\n");
    again();
    assert_eq!(kept(), 1, "the quick code alone");
    again();
    let began = Instant::now();
    while kept() < 2 {
        assert!(began.elapsed() < Duration::from_secs(180), "there is no better code");
        thread::sleep(Duration::from_millis(20));
    }
    // The process that wrote it has ended when the lock is free; it leaves nothing half done.
    let lock = fs::File::open(cache.path().join("improve.lock")).expect("a lock");
    lock.lock().expect("it ends");
    again();
    assert_eq!(kept(), 2);
    let half = fs::read_dir(cache.path().join("code"))
        .expect("the folder")
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|extension| extension == "tmp"));
    assert!(!half, "what was half written is gone");
}

#[test]
fn a_panic_is_the_programs_own_affair() {
    run(&mut undergo_run(&[], &["panic"])).fails(2, &["panic: oh dear\n", "goroutine 1 [running]:\nmain.main()"]);
}

#[test]
fn standard_input_reaches_the_program() {
    let mut command = undergo_run(&[], &["upper"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
    child.stdin.take().expect("a pipe").write_all("grüße\n".as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(0), "GRÜSSE\n"));
}

#[test]
fn a_program_has_what_it_is_given_and_no_more() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a.txt"), "a file").expect("written");
    let given = format!("{}::/data:ro", dir.path().display());
    assert_eq!(run(&mut undergo_run(&["--dir", &given], &["read", "/data/a.txt"])).ok(), "a file\n");
    run(&mut undergo_run(&["--dir", &given], &["write", "/data/b.txt"])).fails(1, &["/data/b.txt"]);
    run(&mut undergo_run(&[], &["read", "/data/a.txt"])).fails(1, &["open /data/a.txt: No such file or directory"]);
    run(&mut undergo_run(&[], &["write", "/b.txt"])).fails(1, &["open /b.txt: Operation not permitted"]);
    for options in [&[][..], &["--temp"], &["--dir", &given]] {
        assert_eq!(run(&mut undergo_run(options, &["read", "/dev/null"])).ok(), "\n");
    }
    run(&mut undergo_run(&["--temp"], &["write", "/tmp/b.txt"])).ok();
    run(&mut undergo_run(&[], &["write", "/tmp/b.txt"])).fails(1, &["/tmp/b.txt: No such file or directory"]);
    let shouted = format!("{}::/data:RO", dir.path().display());
    run(&mut undergo_run(&["--dir", &shouted], &["write", "/data/b.txt"])).fails(1, &["/data/b.txt"]);
    let mistaken = format!("{}::/data:readonly", dir.path().display());
    run(&mut undergo_run(&["--dir", &mistaken], &["read", "/data/a.txt"])).fails(2, &["':ro' is for reading only"]);
    assert_eq!(run(&mut undergo_run(&["--env", "MODE=prod"], &["env"])).ok(), "MODE=prod\n");
}

#[test]
fn the_network_is_there_as_far_as_rules_allow() {
    let denied = run(&mut undergo_run(&[], &["open"]));
    assert_eq!((denied.code, denied.stdout.as_str()), (0, "Permission denied\n"), "{}", denied.stderr);
    assert!(denied.stderr.contains("undergo: the sandbox denied the use of the network; it takes the rule any"), "{}", denied.stderr);
    for rule in ["any", "connect=example.org:443", "10.0.0.0/8:*", "listen=127.0.0.1:0"] {
        let allowed = run(&mut undergo_run(&["--net", rule], &["open"]));
        assert_eq!((allowed.code, allowed.stdout.as_str(), allowed.stderr.as_str()), (0, "errno 0\n", ""), "{rule}");
    }
    run(&mut undergo_run(&["--net", "example.org"], &["open"])).fails(2, &["--net", "'example.org' is no rule", "the port is missing"]);
    run(&mut undergo_run(&["--listener", "8080"], &["open"])).fails(125, &["'8080' is no address to listen at"]);
}

#[test]
fn a_listener_is_handed_in() {
    // Who asks for any port can't be told which it was.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").to_string();
    let mut child = undergo_run(&["--listener", &free], &["listener"]).spawn().expect("the command starts");
    let mut conn = loop {
        match TcpStream::connect(&free) {
            Ok(conn) => break conn,
            Err(_) => assert!(child.try_wait().expect("a child").is_none(), "it ended"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    conn.write_all(b"hello").expect("written");
    conn.shutdown(Shutdown::Write).expect("a connection");
    let mut text = String::new();
    conn.read_to_string(&mut text).expect("an answer");
    assert_eq!((text.as_str(), child.wait().expect("it ends").code()), ("hello", Some(0)));
}

#[test]
fn what_ends_a_program_is_told_apart_from_its_exit_codes() {
    run(&mut undergo_run(&["--timeout", "300ms"], &["spin"])).fails(125, &["error[timeout]", "300ms"]);
    run(&mut undergo_run(&["--memory", "64MiB"], &["args"])).ok();
    let mut plugin = command(env!("CARGO_TARGET_TMPDIR").as_ref());
    run(plugin.args(["run", crate::support::kitchen()])).fails(125, &["error[invalid-plugin]", "is a plugin, not a command"]);
    let mut nothing = command(env!("CARGO_TARGET_TMPDIR").as_ref());
    run(nothing.args(["run", "nothing.wasm"])).fails(125, &["nothing.wasm", "can't be read"]);
}

#[test]
fn a_run_can_be_repeated() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("chance.wasm");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../conformance/command");
    let mut build = Command::new(env::var_os("UNDERGO_GO").unwrap_or_else(|| "go".into()));
    build.args(["build", "-buildvcs=false", "-o"]).arg(&file).arg(".").current_dir(folder);
    run(build.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOPROXY", "off")])).ok();
    let chance = |options: &[&str]| {
        let mut command = command(env!("CARGO_TARGET_TMPDIR").as_ref());
        run(command.arg("run").args(options).arg(&file).arg("chance")).ok()
    };
    let first = chance(&["--clock", "2026-02-03T04:05:06Z", "--seed", "7"]);
    assert!(first.starts_with("now 2026-02-03T04:05:06.0000"), "{first}");
    assert!(first.contains("\nslept 1h0m0.0000"), "{first}");
    assert_eq!(chance(&["--clock", "2026-02-03T04:05:06Z", "--seed", "7"]), first);
    let other = chance(&["--clock", "2026-02-03T04:05:06Z", "--seed", "8"]);
    for line in ["key ", "number ", "keys ", "chosen "] {
        let of = |text: &str| text.lines().find(|found| found.starts_with(line)).map(str::to_owned);
        assert!(of(&first).is_some() && of(&first) != of(&other), "{line}: {first}{other}");
    }
    run(&mut undergo_run(&["--clock", "noon"], &["args"])).fails(2, &["2026-02-03T04:05:06Z"]);
}

/// A program that opens a folder as often as it can, and ends with how often it could.
#[test]
fn a_program_has_as_many_descriptors_as_it_is_given() {
    let dir = folder(&[]);
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) ".")
        (func (export "_start") (local $opened i32)
            (block $full
                (loop $on
                    (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2)
                        (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 8))
                    (br_if $full)
                    (local.set $opened (i32.add (local.get $opened) (i32.const 1)))
                    (br_if $on (i32.lt_u (local.get $opened) (i32.const 200)))))
            (call $exit (local.get $opened))))"#;
    fs::write(dir.path().join("greedy.wasm"), wat::parse_str(text).expect("a module")).expect("written");
    let opened = |options: &[&str]| undergo(dir.path(), &[&["run", "--dir", ".::/"], options, &["greedy.wasm"]].concat()).code;
    assert_eq!((opened(&["--descriptors", "7"]), opened(&["--descriptors", "0"]), opened(&[])), (7, 0, 128));
    undergo(dir.path(), &["run", "--descriptors=-1", "greedy.wasm"]).fails(2, &["--descriptors"]);
}

/// A module with more of something than loading allows, and no more than twice that.
#[test]
fn what_asks_for_more_than_usual_is_loaded_with_bounds() {
    let dir = folder(&[]);
    let tables = "(table 1 funcref)".repeat(17);
    let module = |name: &str, export: &str| {
        let text = format!(r#"(module {tables} (memory (export "memory") 1) (func (export "{export}")))"#);
        fs::write(dir.path().join(name), wat::parse_str(text).expect("a module")).expect("written");
    };
    module("program.wasm", "_start");
    module("plugin.wasm", "_initialize");
    for (args, code) in [
        (&["run", "program.wasm"][..], 125),
        (&["exec", "program.wasm"], 125),
        (&["inspect", "--check", "plugin.wasm"], 1),
        (&["compile", "plugin.wasm"], 1),
        (&["call", "plugin.wasm", "_initialize"], 2),
        (&["bindgen", "plugin.wasm", "--lang", "c"], 1),
    ] {
        undergo(dir.path(), args).fails(code, &["17 tables, and 16 are accepted", "bounds = 2"]);
        let wider: Vec<&str> = [&[args[0], "--bounds", "2"], &args[1..]].concat();
        let done = undergo(dir.path(), &wider);
        assert!(!done.stderr.contains("are accepted"), "{wider:?}: {}", done.stderr);
        assert!(done.code == 0 || args[0] == "call", "{wider:?}: {}", done.stderr);
    }
    undergo(dir.path(), &["run", "--bounds", "0", "program.wasm"]).fails(2, &["--bounds"]);
}
