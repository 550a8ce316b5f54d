//! Components that are programs: they export `wasi:cli/run`, and run as commands do.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::common::{self, assemble, expect, quiet};
use undergo::{CallOptions, CancelToken, Completed, ErrorKind, Input, InstanceOptions, Output, Plugin, Result};

/// A component whose `run` is that code. It can copy its input to one of its outputs by `$copy`,
/// and end by `$exit`.
fn program(run: &str) -> Plugin {
    Plugin::from_bytes("app.wasm", &assemble(&text(run))).unwrap_or_else(|error| panic!("{error}"))
}

fn text(run: &str) -> String {
    format!(
        r#"(component
        (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
        (alias export $error "error" (type $io-error))
        (import "wasi:io/streams@0.2.0" (instance $streams
            (export "input-stream" (type $in (sub resource)))
            (export "output-stream" (type $out (sub resource)))
            (alias outer 1 $io-error (type $outer-error))
            (export "error" (type $error (eq $outer-error)))
            (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
            (export "stream-error" (type $stream-error (eq $failed)))
            (export "[method]input-stream.blocking-read" (func
                (param "self" (borrow $in)) (param "len" u64) (result (result (list u8) (error $stream-error)))))
            (export "[method]output-stream.blocking-write-and-flush" (func
                (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
        (alias export $streams "input-stream" (type $input))
        (alias export $streams "output-stream" (type $output))
        (import "wasi:cli/stdin@0.2.0" (instance $stdin
            (alias outer 1 $input (type $outer)) (export "input-stream" (type $in (eq $outer)))
            (export "get-stdin" (func (result (own $in))))))
        (import "wasi:cli/stdout@0.2.0" (instance $stdout
            (alias outer 1 $output (type $outer)) (export "output-stream" (type $out (eq $outer)))
            (export "get-stdout" (func (result (own $out))))))
        (import "wasi:cli/stderr@0.2.0" (instance $stderr
            (alias outer 1 $output (type $outer)) (export "output-stream" (type $out (eq $outer)))
            (export "get-stderr" (func (result (own $out))))))
        (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
        (core module $libc
            (memory (export "memory") 4)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))
        (core instance $libc (instantiate $libc))
        (alias core export $libc "memory" (core memory $memory))
        (alias core export $libc "realloc" (core func $realloc))
        (core func $read (canon lower (func $streams "[method]input-stream.blocking-read") (memory $memory) (realloc $realloc)))
        (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory)))
        (core func $get-stdin (canon lower (func $stdin "get-stdin")))
        (core func $get-stdout (canon lower (func $stdout "get-stdout")))
        (core func $get-stderr (canon lower (func $stderr "get-stderr")))
        (core func $call-exit (canon lower (func $exit "exit")))
        (core module $code
            (import "libc" "memory" (memory 4))
            (import "wasi" "read" (func $read (param i32 i64 i32)))
            (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
            (import "wasi" "stdin" (func $stdin (result i32)))
            (import "wasi" "stdout" (func $stdout (result i32)))
            (import "wasi" "stderr" (func $stderr (result i32)))
            (import "wasi" "exit" (func $exit (param i32)))
            ;; Copies all of its input; returns whether a write has failed.
            (func $copy (param $to i32) (result i32) (local $from i32)
                (local.set $from (call $stdin))
                (loop $more
                    (call $read (local.get $from) (i64.const 4096) (i32.const 16))
                    (if (i32.load8_u (i32.const 16)) (then (return (i32.const 0))))
                    (call $write (local.get $to) (i32.load (i32.const 20)) (i32.load (i32.const 24)) (i32.const 32))
                    (br_if $more (i32.eqz (i32.load8_u (i32.const 32)))))
                (i32.const 1))
            (func (export "run") (result i32) {run}))
        (core instance $i (instantiate $code
            (with "libc" (instance $libc))
            (with "wasi" (instance
                (export "read" (func $read)) (export "write" (func $write))
                (export "stdin" (func $get-stdin)) (export "stdout" (func $get-stdout)) (export "stderr" (func $get-stderr))
                (export "exit" (func $call-exit))))))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $exported (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $exported)))"#
    )
}

const CAT: &str = "(call $copy (call $stdout))";

/// Runs it in each way there is, which must come to the same.
fn each_way(plugin: &Plugin, options: &InstanceOptions, call: &CallOptions) -> Result<Completed> {
    let blocking = plugin.run(options.clone(), call);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let awaited = runtime.block_on(plugin.run_async(options.clone(), call));
    for other in [awaited, plugin.run_here(options.clone(), call)] {
        match (&blocking, &other) {
            (Ok(a), Ok(b)) => assert_eq!((a.code, &a.stdout, &a.stderr), (b.code, &b.stdout, &b.stderr)),
            (Err(a), Err(b)) => assert_eq!(a.kind(), b.kind()),
            _ => panic!("{blocking:?} here, {other:?} there"),
        }
    }
    blocking
}

#[test]
fn what_run_returns_is_the_exit_code() {
    for (run, code) in [
        ("(i32.const 0)", 0),
        ("(i32.const 1)", 1),
        ("(call $exit (i32.const 0)) (i32.const 1)", 0),
        ("(call $exit (i32.const 1)) (i32.const 0)", 1),
    ] {
        let done = each_way(&program(run), &InstanceOptions::default(), CallOptions::NONE).expect("it ends");
        assert_eq!(done.code, code, "{run}");
        assert!(done.usage.memory >= 4 << 16, "{:?}", done.usage);
    }
}

#[test]
fn input_and_output_are_those_of_the_sandbox() {
    let mut options = InstanceOptions::default();
    let all: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    options.sandbox.stdin = Input::Bytes(all.clone());
    let done = each_way(&program(CAT), &options, CallOptions::NONE).expect("it ends");
    assert_eq!((done.code, done.stdout == all, done.stderr.len(), done.truncated), (0, true, 0, false));
    let done = each_way(&program("(call $copy (call $stderr))"), &options, CallOptions::NONE).expect("it ends");
    assert_eq!((done.stdout.len(), done.stderr == all), (0, true));
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&all).expect("written");
    options.sandbox.stdin = Input::File(file.path().to_owned());
    let done = each_way(&program(CAT), &options, CallOptions::NONE).expect("it ends");
    assert_eq!(done.stdout.len(), all.len());
    options.sandbox.stdout = Output::Usual(10);
    let done = each_way(&program(CAT), &options, CallOptions::NONE).expect("it ends");
    assert_eq!((done.stdout.as_slice(), done.truncated), (&all[..10], true));
}

#[test]
fn what_was_written_before_an_exit_is_kept() {
    let mut options = InstanceOptions::default();
    options.sandbox.stdin = Input::Bytes(b"last words\n".to_vec());
    let plugin = program("(drop (call $copy (call $stderr))) (call $exit (i32.const 1)) (unreachable)");
    let done = each_way(&plugin, &options, CallOptions::NONE).expect("it ends");
    assert_eq!((done.code, done.stderr.as_slice()), (1, b"last words\n".as_slice()));
}

#[test]
fn a_trap_is_an_error() {
    let trapped = each_way(&program("unreachable"), &InstanceOptions::default(), CallOptions::NONE).expect_err("a trap");
    expect(&trapped, ErrorKind::Trap, &["unreachable"]);
}

/// It computes, or waits for input that never comes.
#[test]
fn deadlines_and_tokens_end_a_program() {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no FIFOs"))]
    let mut endless = vec![("(loop $again (br $again)) (i32.const 0)", Input::default())];
    #[cfg(unix)]
    let folder = tempfile::tempdir().expect("a folder");
    #[cfg(unix)]
    let path = common::fifo(folder.path());
    #[cfg(unix)]
    let _writer = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("the other end");
    #[cfg(unix)]
    endless.push((CAT, Input::File(path)));
    for (run, stdin) in endless {
        let plugin = program(run);
        let mut options = quiet();
        options.sandbox.stdin = stdin;
        let begun = Instant::now();
        let brief = CallOptions::default().timeout(Duration::from_millis(50));
        expect(&each_way(&plugin, &options, &brief).expect_err("too long"), ErrorKind::Timeout, &[]);
        let token = CancelToken::new();
        token.cancel();
        let cancelled = CallOptions::default().cancel(token);
        expect(&each_way(&plugin, &options, &cancelled).expect_err("cancelled"), ErrorKind::Cancelled, &[]);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}

#[test]
fn programs_are_run_and_not_instantiated() {
    let refused = program("(i32.const 0)").instantiate(quiet()).expect_err("a program");
    expect(&refused, ErrorKind::InvalidPlugin, &["wasi:cli/run@0.2.0", "run"]);
    let library = r#"(component
        (core module $code (func (export "f")))
        (core instance $i (instantiate $code))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    let library = Plugin::from_bytes("library.wasm", &assemble(library)).expect("a component");
    let refused = library.run(quiet(), CallOptions::NONE).expect_err("no program");
    expect(&refused, ErrorKind::InvalidPlugin, &["does not export wasi:cli/run"]);
    // Its export may have another type than the interface's.
    let other = r#"(component
        (core module $code (func (export "run") (param i32) (result i32) (i32.const 0)))
        (core instance $i (instantiate $code))
        (func $run (param "x" u32) (result u32) (canon lift (core func $i "run")))
        (instance $exported (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $exported)))"#;
    let other = Plugin::from_bytes("other.wasm", &assemble(other)).expect("a component");
    assert!(other.run(quiet(), CallOptions::NONE).is_err());
}
