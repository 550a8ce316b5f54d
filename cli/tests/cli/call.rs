use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Run, folder, kitchen, undergo};

const IMPORTS: [&str; 4] = ["--import", "directory.lookup=[\"x\"]", "--import", "directory.note=null"];

fn call(args: &[&str]) -> Run {
    let mut all = vec!["call", kitchen()];
    all.extend(IMPORTS);
    all.extend(args);
    undergo(Path::new("."), &all)
}

#[test]
fn records_and_names_are_taken_in_any_form() {
    for person in [
        r#"{"name":"Ada","tags":["a"],"user-id":1,"color":"dark-blue"}"#,
        r#"{"name":"Ada","email":null,"tags":["a"],"userId":1,"color":"DarkBlue"}"#,
        r#"{"name":"Ada","tags":["a"],"user_id":1,"color":"dark_blue"}"#,
    ] {
        assert_eq!(call(&["greet", person, "false"]).ok(), "\"hello Ada [a] 1\"\n");
    }
    let person = r#"{"name":"Ada","email":"a@b","tags":[],"user-id":9007199254740993,"color":"red"}"#;
    let shown = call(&["EchoPerson", person]).ok();
    assert_eq!(shown.split_whitespace().collect::<String>(), person);
    assert!(shown.contains("\n  \"user-id\": 9007199254740993,\n"), "{shown}");
}

fn echo(args: &[&str]) -> String {
    call(args).ok().split_whitespace().collect()
}

#[test]
fn values_arrive_exactly() {
    assert_eq!(
        echo(&["echo-ints", "--", "-9223372036854775808", "18446744073709551615", "-128"]),
        "[-9223372036854775808,18446744073709551615,-128]"
    );
    assert_eq!(
        echo(&["echo-floats", r#"[0.1,1,-0.0,"NaN","Infinity","-Infinity",2.2250738585072014e-308]"#, "0.1"]),
        r#"[[0.1,1.0,-0.0,"NaN","Infinity","-Infinity",2.2250738585072014e-308],0.1]"#
    );
    // Go gives the entries of a map in any order.
    let maps: serde_json::Value =
        serde_json::from_str(&echo(&["echo-maps", r#"{"b":1,"":2}"#, r#"[[7,"x"]]"#, r#"{"true":"t"}"#])).expect("JSON");
    assert_eq!(maps, serde_json::json!([{"": 2, "b": 1}, {"7": "x"}, {"true": "t"}]));
    assert_eq!(echo(&["echo-maps", "{}", r#"{"-7":"x"}"#, "{}"]), r#"[{},{"-7":"x"},{}]"#);
    assert_eq!(
        echo(&["echo-times", "2026-02-03T04:05:06.000000789+01:00", "1h0m1.5s"]),
        r#"["2026-02-03T04:05:06.000000789+01:00","1h0m1.5s"]"#
    );
    assert_eq!(echo(&["echo-times", "\"1969-12-31T23:59:59Z\"", "1500000"]), r#"["1969-12-31T23:59:59Z","1.5ms"]"#);
    assert_eq!(echo(&["echo-any", r#"{"a":[1,null,"ü"]}"#]), r#"{"a":[1,null,"ü"]}"#);
    // Beyond 64 bits, and beyond what a float tells apart.
    let digits = r#"{"a":[18446744073709551616,-123456789012345678901234567890,0.1000000000000000000001,1e400]}"#;
    assert_eq!(echo(&["echo-any", digits]), digits);
    assert!(call(&["echo-ints", "--", "0", "18446744073709551616", "0"]).stderr.contains("18446744073709551616 is out of range for u64"));
    assert!(call(&["echo-any", &"[".repeat(100_000)]).stderr.contains("as JSON"));
}

#[test]
fn plain_text_will_do_where_json_has_a_string() {
    for (given, shown) in
        [("Ada", "\"Ada\""), ("12", "\"12\""), ("\"quoted\"", "\"quoted\""), ("null", "\"null\""), ("\"half", "\"\\\"half\""), ("", "\"\"")]
    {
        assert_eq!(call(&["echo-string", given]).ok(), format!("{shown}\n"), "{given}");
    }
    assert_eq!(call(&["echo-string", "--raw", "as it\nis"]).ok(), "as it\nis");
    for (given, shown) in [("base64:AP8=", "base64:AP8="), ("hi", "base64:aGk="), ("[0,255]", "base64:AP8="), ("\"hi\"", "base64:aGk=")] {
        assert_eq!(call(&["echo-bytes", given]).ok(), format!("\"{shown}\"\n"), "{given}");
    }
    assert_eq!(call(&["echo-bytes", "--raw", "base64:aGk="]).ok(), "hi");
}

#[test]
fn optional_arguments_may_be_left_out() {
    assert_eq!(call(&["add", "1"]).ok(), "1\n");
    assert_eq!(call(&["add", "1", "null"]).ok(), "1\n");
    assert_eq!(call(&["add", "1", "-2"]).ok(), "-1\n");
    assert_eq!(call(&["using"]).ok(), "");
}

#[test]
fn a_returned_error_is_exit_code_1() {
    let person = r#"{"name":"","tags":[],"user-id":1,"color":"red"}"#;
    let run = call(&["greet", person, "false"]);
    run.fails(1, &[]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", "nobody to greet\n"));
}

#[test]
fn wrong_arguments_say_where() {
    for (args, text) in [
        (&["greet", "{}"][..], "greet takes 2 arguments, got 1: greet(p: person, shout: bool)"),
        (&["greet", "{}", "true"], "error[type-mismatch]: greet(p): the field 'name' of person is missing"),
        (&["greet", r#"{"name":"A","tags":["a",3],"user-id":1,"color":"red"}"#, "true"], "greet(p.tags[1]): expected string, got a number"),
        (&["greet", r#"{"nam":"A"}"#, "true"], "person has no field 'nam'; did you mean 'name'?"),
        (&["greet", r#"{"user_id":1,"userId":2}"#, "true"], "'user-id' of person is given twice"),
        (&["greet", "{", "true"], "greet(p): expected person as JSON"),
        (&["greet", r#"{"name":"A","tags":[],"user-id":1,"color":"rd"}"#, "true"], "\"rd\" is not a case of color: red, dark-blue"),
        (&["echo-ints", "1", "2", "200"], "200 is out of range for s8 (-128 to 127)"),
        (&["echo-ints", "1.5", "2", "2"], "1.5 is not an integer"),
        (&["echo-ints", "1", "18446744073709551616", "2"], "out of range for u64"),
        (&["echo-ints", "1", "-2", "2"], "-2 is out of range for u64"),
        (&["echo-times", "yesterday", "1s"], "\"yesterday\" is not a time"),
        (&["echo-times", "2026-02-03T04:05:06Z", "1 hour"], "\"1 hour\" is not a duration"),
        (&["echo-bytes", "base64:?"], "the bytes are not base64"),
        (&["echo-bytes", "[256]"], "echo-bytes(b[0]): 256 is out of range for u8"),
        (&["greeet"], "no export 'greeet'; did you mean 'greet'?"),
        (&["echo-any", "{"], "expected json as JSON"),
    ] {
        call(args).fails(2, &[text]);
    }
}

#[test]
fn imports_are_checked_and_answered() {
    let alone = |args: &[&str]| undergo(Path::new("."), &[&["call", kitchen()], args].concat());
    alone(&["add", "1"]).fails(2, &["error[missing-import]: ", "directory.lookup(name: string)", "directory.note"]);
    assert_eq!(echo(&["find", "Ada"]), r#"["x"]"#);
    alone(&["add", "1", "--import", "directory.lokup=[]"]).fails(2, &["it imports directory.", "directory.lookup"]);
    alone(&["add", "1", "--import", "directory.lookup"]).fails(2, &["INTERFACE.NAME=JSON"]);
    let args = ["find", "Ada", "--import", "directory.Lookup=[1]", "--import", "directory.note=null"];
    alone(&args).fails(2, &["error[type-mismatch]", "expected string, got a number"]);
}

#[test]
fn a_panic_shows_its_go_frames() {
    let run = call(&["boom", "oh no"]);
    run.fails(2, &["error[panic]: oh no", "\n  at main.explode (", "main.go:"]);
    assert!(!run.stderr.contains("goroutine 1"), "{}", run.stderr);
}

#[test]
fn limits_hold() {
    let start = Instant::now();
    call(&["--timeout", "300ms", "spin"]).fails(2, &["error[timeout]: "]);
    assert!(start.elapsed() < Duration::from_secs(60));
    call(&["--memory", "48MiB", "fill", "100"]).fails(2, &["error[out-of-memory]: "]);
    assert_eq!(call(&["--memory", "256MiB", "fill", "10"]).ok(), "10\n");
}

#[test]
fn the_plugin_reaches_what_it_is_given() {
    let dir = folder(&[("a.txt", "text")]);
    let mount = format!("{}::/data:ro", dir.path().display());
    let out = call(&["reach", "--raw", "/data/a.txt", "--dir", &mount, "--env", "MODE=test", "--arg", "-x", "--arg", "y"]).ok();
    assert_eq!(out, "test -x,y text");
    call(&["reach", "/data/a.txt"]).fails(1, &["/data/a.txt"]);
    call(&["reach", "/x", "--dir", "nope"]).fails(2, &["HOST::GUEST"]);
}

#[test]
fn what_the_plugin_prints_is_kept_apart_from_the_result() {
    let run = call(&["print", "to out", "to err"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.contains("to out\n") && run.stderr.contains("to err\n"), "{}", run.stderr);
}

/// Moves the cursor, sets a title and colours, in the old way and in that of eight bits, and turns
/// text around.
const ODD: &str = "\u{1b}]0;title\u{7}\u{9b}31m\u{7f}\u{202e}x";

#[track_caller]
fn is_plain(text: &str) {
    assert!(text.chars().all(|c| c == '\n' || undergo::host::escape::is_plain(c)), "{text:?}");
}

#[test]
fn a_plugin_has_no_hold_on_the_terminal() {
    let run = call(&["print", ODD, ODD]);
    assert_eq!(run.code, 0);
    is_plain(&run.stderr);
    assert_eq!(run.stderr.matches("\\u{1b}]0;title\\u{7}\\u{9b}31m\\u{7f}\\u{202e}x").count(), 2, "{}", run.stderr);
    assert!(call(&["print", "--raw", ODD, ""]).stderr.contains(ODD));
    let text = call(&["echo-string", ODD]).ok();
    is_plain(&text);
    assert_eq!(serde_json::from_str::<String>(&text).ok().as_deref(), Some(ODD));
    assert_eq!(call(&["echo-string", "--raw", ODD]).ok(), ODD);
    let run = call(&["boom", ODD]);
    is_plain(&run.stderr);
    run.fails(2, &["error[panic]: \\u{1b}]0;title"]);
    let run = call(&[&format!("nope{ODD}")]);
    is_plain(&run.stderr);
    run.fails(2, &["no export 'nope\\u{1b}]0;"]);
}

#[test]
fn what_is_written_has_a_bound() {
    let (text, most) = ("x".repeat(200), "--max-output=100");
    let run = call(&[most, "echo-string", &text]);
    run.fails(2, &["the result has more than 100 B", "--max-output"]);
    assert_eq!(run.stdout, "");
    call(&[most, "echo-string", "--raw", &text]).fails(2, &["--max-output"]);
    assert_eq!(call(&["--max-output=202", "echo-string", &text]).ok(), format!("\"{text}\"\n"));
    let run = call(&[most, "print", &text, &text]);
    assert_eq!(run.code, 0);
    assert_eq!(run.stderr.matches('x').count(), 100 + "--max-output".matches('x').count(), "{}", run.stderr);
    assert!(run.stderr.contains("printed more than 100 B, and the rest is left out: give a larger --max-output"), "{}", run.stderr);
}

#[test]
fn a_flood_is_cut_off() {
    // The first line may be a report of Go's, which is held back until the call has ended.
    let module = |first: &str| {
        format!(
            r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 40) (data (i32.const 100) "{first}\n")
            (func (export "_initialize"))
            (func (export "flood")
              (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 9))
              (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16)))
              (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 1048576))
              (loop (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16))) (br 0))))"#
        )
    };
    let dir = tempfile::tempdir().expect("a directory");
    for first in ["panic: x", "no panic"] {
        std::fs::write(dir.path().join("flood.wasm"), wat::parse_str(module(first)).expect("a module")).expect("written");
        let run = undergo(dir.path(), &["call", "flood.wasm", "flood", "--timeout", "1s", "--max-output", "1MiB"]);
        is_plain(&run.stderr);
        run.fails(2, &[first, "error[timeout]", "printed more than 1.0 MB"]);
        assert!(run.stderr.len() < (1 << 20) + 1000, "{}", run.stderr.len());
    }
}
