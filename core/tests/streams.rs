//! Standard streams: where output goes and input comes from, and that no wait for either outlasts
//! the call.
#![cfg(unix)]

mod common;

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use common::host::Hosted;
use common::{PLAIN, conformance, expect, expect_dead, failure, fifo, plugin, quiet};
use undergo::{CallOptions, CancelToken, Error, ErrorKind, Input, Instance, InstanceOptions, Output, Plugin, Value};

const LIMIT: Duration = Duration::from_millis(100);

/// `print(fd)` prints `0123456\n` once, `flood(fd)` prints 8 KiB of it without end, `read(fd)`
/// gives the first byte of its input, -1 at its end.
fn guest() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let text = "0123456\\n".repeat(1024);
        plugin(&format!(
            r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
            (memory (export "memory") 2)
            (data (i32.const 0) "\00\04\00\00\08\00\00\00\00\04\00\00\00\20\00\00") (data (i32.const 1024) "{text}")
            (func (export "print") (param i32) (result i32)
              (call $write (local.get 0) (i32.const 0) (i32.const 1) (i32.const 64)))
            (func (export "flood") (param i32)
              (loop $on (br_if $on (i32.eqz (call $write (local.get 0) (i32.const 8) (i32.const 1) (i32.const 64))))))
            (func (export "read") (param i32) (result i32)
              (i32.store (i32.const 32) (i32.const 100)) (i32.store (i32.const 36) (i32.const 1))
              (drop (call $read (local.get 0) (i32.const 32) (i32.const 1) (i32.const 64)))
              (if (result i32) (i32.load (i32.const 64)) (then (i32.load8_u (i32.const 100))) (else (i32.const -1))))
            (func (export "read-errno") (param i32) (result i32)
              (call $read (local.get 0) (i32.const 32) (i32.const 1) (i32.const 64)))
            (func (export "close") (param i32) (result i32) (call $close (local.get 0)))
            (func (export "renumber") (param i32 i32) (result i32) (call $renumber (local.get 0) (local.get 1)))
            (func (export "_initialize")))"#
        ))
        .expect("a plugin")
    })
}

fn start(options: InstanceOptions) -> Instance {
    guest().instantiate(options).expect("an instance")
}

fn int(instance: &Instance, name: &str, args: &[i64]) -> i64 {
    let args: Vec<_> = args.iter().copied().map(Value::Int).collect();
    match instance.call(name, &args, &PLAIN) {
        Ok(Value::Int(int)) => int,
        other => panic!("{name} gave {other:?}"),
    }
}

/// Collects lines.
fn collector() -> (Arc<Mutex<Vec<String>>>, Output) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let output = Output::lines(move |line| {
        kept.lock().expect("no panic").push(String::from_utf8_lossy(line).into_owned());
        Ok(())
    });
    (lines, output)
}

#[test]
fn lines_go_to_a_function_of_the_host() {
    let (out, stdout) = collector();
    let (err, stderr) = collector();
    let mut options = quiet();
    options.sandbox.stdout = stdout;
    options.sandbox.stderr = stderr;
    let hosted = Hosted::new(conformance(), options).expect("an instance");
    let print = |out: &str, err: &str| hosted.call("print", &[out.into(), err.into()]).expect("a call");
    print("one\ntwo\n\nthr", "warning\n");
    assert_eq!(out.lock().expect("no panic").split_off(0), ["one", "two", "", "thr"]);
    print("ee\n", "");
    assert_eq!(*out.lock().expect("no panic"), ["ee"]);
    assert_eq!(*err.lock().expect("no panic"), ["warning"]);
    // A panic is told line by line, and as the error.
    let ended = hosted.call("panic", &["at the disco".into()]).expect_err("a panic");
    expect(&ended, ErrorKind::Panic, &["at the disco"]);
    assert!(err.lock().expect("no panic").iter().any(|line| line.contains("at the disco")));
}

#[test]
fn a_function_for_lines_that_fails_ends_the_call() {
    let object: undergo::HostError = Arc::new("the host's own");
    for (output, parts) in [
        (
            Output::lines({
                let object = object.clone();
                move |_| Err(Error::from_host("the log is full", object.clone()))
            }),
            "the log is full",
        ),
        (Output::lines(|_| panic!("no log")), "panicked: no log"),
    ] {
        let mut options = quiet();
        options.sandbox.stdout = output;
        let instance = start(options);
        let error = failure(&instance, "flood", &[Value::Int(1)]);
        expect(&error, ErrorKind::HostError, &[parts]);
        assert_eq!(error.host().is_some(), parts == "the log is full");
        assert!(error.host().is_none_or(|host| Arc::ptr_eq(host, &object)));
        expect_dead(&instance, ErrorKind::HostError);
    }
}

#[test]
fn a_function_for_lines_may_use_the_instance_but_not_call_it() {
    static INSTANCE: OnceLock<Instance> = OnceLock::new();
    let mut options = quiet();
    options.sandbox.stderr = Output::Capture(100);
    options.sandbox.stdout = Output::lines(|_| {
        let instance = INSTANCE.get().expect("it is set");
        assert_eq!(instance.take_stderr(), b"0123456\n");
        instance.call("print", &[Value::Int(2)], &PLAIN).map(drop)
    });
    let instance = INSTANCE.get_or_init(|| start(options));
    assert_eq!(int(instance, "print", &[2]), 0);
    expect(&failure(instance, "print", &[Value::Int(1)]), ErrorKind::Busy, &["in the middle of a call"]);
}

#[test]
fn output_without_end_is_bounded() {
    let (lines, collected) = collector();
    for (output, kept) in [(Output::Discard, 0), (Output::Capture(1000), 1000), (Output::Capture(1 << 40), 20), (collected, 0)] {
        let mut options = quiet();
        options.limits.timeout = Some(LIMIT);
        if kept != 1000 {
            options.limits.output = Some(20);
        }
        options.sandbox.stdout = output.clone();
        options.sandbox.stderr = output;
        let instance = start(options);
        expect(&failure(&instance, "flood", &[Value::Int(1)]), ErrorKind::Timeout, &["100ms"]);
        assert_eq!(instance.take_stdout().len(), kept);
    }
    assert_eq!(*lines.lock().expect("no panic"), ["0123456", "0123456", "0123"]);
}

#[test]
fn the_host_keeps_no_more_than_it_should_of_a_flood() {
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
        text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
    };
    if !cfg!(target_os = "linux") {
        return;
    }
    let (out, bytes) = (Arc::new(Mutex::new(0_u64)), 50_u64 << 20);
    let kept = out.clone();
    let token = CancelToken::new();
    let cancel = token.clone();
    let mut options = quiet();
    options.sandbox.stderr = Output::lines(move |line| {
        let mut count = kept.lock().expect("no panic");
        *count += line.len() as u64 + 1;
        if *count >= bytes {
            cancel.cancel();
        }
        Ok(())
    });
    let instance = start(options);
    let before = resident();
    let options = CallOptions { cancel: Some(token), ..PLAIN };
    let ended = instance.call("flood", &[Value::Int(2)], &options).expect_err("cancelled");
    assert_eq!(ended.kind(), ErrorKind::Cancelled);
    assert!(*out.lock().expect("no panic") >= bytes);
    let grown = resident().saturating_sub(before);
    // Other tests of this process run meanwhile.
    assert!(grown < bytes, "the process has grown by {grown} bytes");
    assert!(ended.stderr().len() <= 128 << 10, "{}", ended.stderr().len());
}

#[test]
fn a_panic_is_told_although_the_output_is_used_up() {
    let mut options = quiet();
    options.limits.output = Some(3);
    options.sandbox.stderr = Output::Capture(1 << 20);
    let hosted = Hosted::new(conformance(), options).expect("an instance");
    let print = |text: &str| hosted.call("print", &["".into(), text.into()]).expect("no error");
    print("abcdef");
    print("ghi");
    assert_eq!(hosted.instance.take_stderr(), b"abc");
    expect(&hosted.call("panic", &["at the disco".into()]).expect_err("a panic"), ErrorKind::Panic, &["at the disco"]);
}

#[test]
fn standard_input_is_bytes_or_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("in.txt");
    std::fs::write(&path, "ab").expect("a file");
    for stdin in [Input::from(b"ab".to_vec()), Input::File(path.clone())] {
        let mut options = quiet();
        options.sandbox.stdin = stdin;
        // Each instance has its own place in it.
        for instance in [start(options.clone()), start(options)] {
            assert_eq!([(); 4].map(|()| int(&instance, "read", &[0])), [97, 98, -1, -1]);
        }
    }
    assert_eq!(int(&start(quiet()), "read", &[0]), -1);
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        let mut options = quiet();
        options.sandbox.stdin = Input::File(path.clone());
        let denied = guest().instantiate(options).expect_err("no file");
        expect(&denied, ErrorKind::Denied, &["standard input", path.to_str().expect("a name")]);
    }
}

#[test]
fn a_fifo_is_waited_for_as_long_as_the_call_may() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    let mut options = quiet();
    options.sandbox.stdin = Input::File(path.clone());
    // Without a writer.
    let brief = CallOptions { timeout: Some(LIMIT), ..PLAIN };
    let wait = |options: &InstanceOptions, call: &CallOptions| {
        start(options.clone()).call("read", &[Value::Int(0)], call).expect_err("nothing to read")
    };
    expect(&wait(&options, &brief), ErrorKind::Timeout, &["100ms"]);
    let instance = start(options.clone());
    thread::scope(|scope| {
        let call = scope.spawn(|| [(); 3].map(|()| int(&instance, "read", &[0])));
        let mut writer = OpenOptions::new().write(true).open(&path).expect("a reader");
        writer.write_all(b"x").expect("room");
        writer.write_all(b"y").expect("room");
        drop(writer);
        assert_eq!(call.join().expect("no panic"), [120, 121, -1]);
    });
    // With a writer that says nothing.
    let reader = start(options.clone());
    let _writer = OpenOptions::new().write(true).open(&path).expect("a reader");
    expect(&reader.call("read", &[Value::Int(0)], &brief).expect_err("nothing"), ErrorKind::Timeout, &["100ms"]);
    let token = CancelToken::new();
    let call = CallOptions { cancel: Some(token.clone()), ..PLAIN };
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&options, &call));
        token.cancel();
        expect(&waiting.join().expect("no panic"), ErrorKind::Cancelled, &["cancelled"]);
    });
}

#[test]
fn a_guest_may_close_and_renumber_its_streams() {
    let mut options = quiet();
    options.sandbox.stdout = Output::Capture(100);
    options.sandbox.stderr = Output::Capture(100);
    options.sandbox.stdin = b"ab".to_vec().into();
    let instance = start(options);
    // The numbers of preview 1 for success and for a bad descriptor.
    let (fine, bad) = (0, 8);
    assert_eq!(int(&instance, "print", &[0]), bad);
    assert_eq!(int(&instance, "read-errno", &[1]), bad);
    assert_eq!(int(&instance, "print", &[9]), bad);
    assert_eq!(int(&instance, "renumber", &[2, 1]), fine);
    assert_eq!((int(&instance, "print", &[1]), int(&instance, "print", &[2])), (fine, bad));
    assert_eq!((instance.take_stdout(), instance.take_stderr()), (vec![], b"0123456\n".to_vec()));
    assert_eq!((int(&instance, "close", &[1]), int(&instance, "close", &[1])), (fine, bad));
    assert_eq!(int(&instance, "print", &[1]), bad);
    assert_eq!(int(&instance, "renumber", &[0, 0]), fine);
    assert_eq!(int(&instance, "read", &[0]), 97);
    assert_eq!((int(&instance, "close", &[0]), int(&instance, "read-errno", &[0])), (fine, bad));
}

/// Set for the process that `run_alone` starts.
const ALONE: &str = "UNDERGO_TEST_ALONE";

/// Runs one of the tests below in a process of its own, whose standard streams are its own.
fn run_alone(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    command
}

/// Ends the process at once: its standard output may be full.
fn end(result: Result<(), String>) -> ! {
    let code = result.map_or_else(
        |text| {
            eprintln!("{text}");
            1
        },
        |()| 0,
    );
    std::process::exit(code)
}

fn ends_with(error: &Error, kind: ErrorKind) -> Result<(), String> {
    if error.kind() == kind { Ok(()) } else { Err(format!("{error:?}")) }
}

#[test]
fn alone_flood_of_inherited_output() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    let mut options = InstanceOptions::default();
    options.limits.timeout = Some(LIMIT);
    let all: Vec<_> = (0..3)
        .map(|_| {
            let instance = start(options.clone());
            thread::spawn(move || ends_with(&failure(&instance, "flood", &[Value::Int(1)]), ErrorKind::Timeout))
        })
        .collect();
    end(all.into_iter().try_for_each(|one| one.join().map_err(|_| "a panic".to_owned())?));
}

#[test]
fn a_full_pipe_is_waited_for_as_long_as_the_call_may() {
    let mut child = run_alone("alone_flood_of_inherited_output").stdout(Stdio::piped()).spawn().expect("a process");
    // Nobody reads while it runs.
    let mut stdout = child.stdout.take().expect("a pipe");
    assert!(child.wait().expect("it ends").success());
    let mut text = String::new();
    stdout.read_to_string(&mut text).expect("text");
    assert!(text.contains("0123456\n0123456\n"), "{text}");
}

#[test]
fn a_closed_pipe_drops_what_is_written() {
    let mut child = run_alone("alone_flood_of_inherited_output").stdout(Stdio::piped()).spawn().expect("a process");
    // Its tests' own harness prints first, and needs someone to listen.
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    while stdout.next().expect("a line").expect("text") != "0123456" {}
    drop(stdout);
    assert!(child.wait().expect("it ends").success());
}

/// A program that floods its output, until that fails: its exit code is the number for why.
#[test]
fn alone_program_that_floods() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    let program = plugin(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\08\00\00\00") (data (i32.const 16) "0123456\n")
        (func (export "_start") (local $said i32)
          (loop $on
            (local.set $said (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
            (br_if $on (i32.eqz (local.get $said))))
          ;; It does not look the first time, as a careless one.
          (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 64)))
          (call $exit (local.get $said))))"#,
    )
    .expect("a program");
    let mut options = InstanceOptions::default();
    options.sandbox.stdout = Output::Inherit;
    options.sandbox.stderr = Output::Discard;
    let done = program.run(options, &CallOptions { timeout: Some(Duration::from_secs(60)), ..PLAIN }).map_err(|error| format!("{error:?}"));
    end(done.and_then(|done| if done.code == 64 { Ok(()) } else { Err(format!("code {}", done.code)) }));
}

#[test]
fn a_program_is_told_that_nobody_reads() {
    let mut child = run_alone("alone_program_that_floods").stdout(Stdio::piped()).spawn().expect("a process");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    while stdout.next().expect("a line").expect("text") != "0123456" {}
    drop(stdout);
    assert!(child.wait().expect("it ends").success());
}

/// `flags(fd)` gives the flags of a descriptor; a program of Go says so in its section of
/// producers.
fn flags(producers: &str, stdin: Input, fd: i64) -> i64 {
    let text = format!(
        r#"(module {producers}
        (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\08\00\00\00")
        (func (export "flags") (param i32) (result i32)
          (drop (call $stat (local.get 0) (i32.const 32))) (i32.load16_u (i32.const 34)))
        (func (export "set") (param i32) (result i32) (call $set (i32.const 0) (local.get 0)))
        (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64)))
        (func (export "_initialize")))"#
    );
    let mut options = quiet();
    options.sandbox.stdin = stdin;
    let instance = plugin(&text).expect("a plugin").instantiate(options).expect("an instance");
    let found = int(&instance, "flags", &[fd]);
    if found == 4 {
        assert_eq!(int(&instance, "read", &[]), 6, "nothing yet");
        // The guest has it as it wants.
        assert_eq!((int(&instance, "set", &[0]), int(&instance, "flags", &[0]), int(&instance, "set", &[1])), (0, 0, 28));
        let brief = CallOptions { timeout: Some(LIMIT), ..PLAIN };
        expect(&instance.call("read", &[], &brief).expect_err("it waits"), ErrorKind::Timeout, &["100ms"]);
    }
    found
}

#[test]
fn a_pipe_does_not_block_a_program_of_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    let file = folder.path().join("file");
    std::fs::write(&file, "text").expect("a file");
    let _writer = OpenOptions::new().read(true).write(true).open(&path).expect("a FIFO");
    let go = r#"(@producers (language "Go" "go1.26.8"))"#;
    assert_eq!(flags(go, Input::File(path.clone()), 0), 4);
    for (producers, stdin, fd) in [
        ("", Input::File(path.clone()), 0),
        (r#"(@producers (language "Rust" ""))"#, Input::File(path.clone()), 0),
        (go, Input::File(file), 0),
        (go, Input::from(b"text".to_vec()), 0),
        // Where it goes nowhere, and what the runtime says at its end.
        (go, Input::File(path.clone()), 1),
        (go, Input::File(path), 2),
    ] {
        assert_eq!(flags(producers, stdin.clone(), fd), 0, "{producers} {stdin:?} {fd}");
    }
}

#[test]
fn alone_inherited_input() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    let mut options = InstanceOptions::default();
    options.sandbox.stdin = Input::Inherit;
    options.limits.timeout = Some(LIMIT);
    let instance = start(options);
    let first = int(&instance, "read", &[0]);
    let then = failure(&instance, "read", &[Value::Int(0)]);
    end(if first == 122 { ends_with(&then, ErrorKind::Timeout) } else { Err(format!("it read {first}")) });
}

#[test]
fn the_process_input_can_be_inherited() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    // Both ends, so that no open waits, and the child sees no end.
    let mut both = OpenOptions::new().read(true).write(true).open(&path).expect("a FIFO");
    both.write_all(b"z").expect("room");
    let child = run_alone("alone_inherited_input").stdin(File::open(&path).expect("a FIFO")).stdout(Stdio::null()).spawn();
    assert!(child.expect("a process").wait().expect("it ends").success());
}
