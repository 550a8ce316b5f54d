//! `undergo serve`, and programs that are components.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};

use crate::support::{command, folder, run, undergo};

fn component() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/http/server.wasm")
}

/// A server, its standard error, and its address.
fn serve(args: &[&str]) -> (Child, BufReader<ChildStderr>, String) {
    let mut serving = command(Path::new("."));
    serving.arg("serve").arg(component()).args(["--addr", "127.0.0.1:0"]).args(args).stderr(Stdio::piped()).stdin(Stdio::null());
    let mut child = serving.spawn().expect("the command starts");
    let mut errors = BufReader::new(child.stderr.take().expect("its standard error"));
    let mut line = String::new();
    errors.read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("undergo: serving http://").unwrap_or_else(|| panic!("{line}")).to_owned();
    (child, errors, address)
}

fn get(address: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("a connection");
    write!(connection, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}

#[cfg(unix)]
#[test]
fn a_component_serves_until_it_is_told_to_end() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let (mut child, mut errors, address) = serve(&["--timeout", "500ms", "--memory", "64MiB"]);
        assert!(get(&address, "/").ends_with("\r\n\r\nhello\n"));
        assert!(get(&address, "/trap").starts_with("HTTP/1.1 500 "));
        assert!(get(&address, "/spin").starts_with("HTTP/1.1 504 "));
        let idle = TcpStream::connect(&address).expect("a connection");
        // SAFETY: the process is a child that was not waited for.
        assert_eq!(unsafe { libc::kill(child.id().cast_signed(), signal) }, 0);
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        drop(idle);
        let mut told = String::new();
        errors.read_to_string(&mut told).expect("text");
        assert!(told.contains("a request failed: error[trap]") && told.contains("a request failed: error[timeout]"), "{told}");
    }
}

#[test]
fn what_is_no_server_is_refused() {
    let dir = folder(&[("go.mod", "module example.com/app\n\ngo 1.24\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
    undergo(dir.path(), &["build", "--command", "-o", "app.wasm"]).ok();
    undergo(dir.path(), &["serve", "app.wasm"]).fails(1, &["wasi:http/incoming-handler"]);
    let component = component();
    let component = component.to_str().expect("text");
    undergo(dir.path(), &["serve", component, "--addr", "nowhere"]).fails(1, &["no address"]);
    undergo(dir.path(), &["run", component]).fails(125, &["wasi:cli/run"]);
}

const APP: &str = r#"package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "flood" {
		for {
			fmt.Println("flood")
		}
	}
	n, _ := io.Copy(os.Stdout, os.Stdin)
	b, err := os.ReadFile("/data/note.txt")
	fmt.Fprintln(os.Stderr, n, os.Args[1:], os.Getenv("MODE"), string(b), err)
	os.Exit(7)
}
"#;

#[test]
fn a_component_that_is_a_program_runs_as_one() {
    let dir = folder(&[("go.mod", "module example.com/app\n\ngo 1.24\n"), ("main.go", APP), ("data/note.txt", "noted")]);
    undergo(dir.path(), &["build", "--command", "--component", "-o", "app.wasm"]).ok();
    let input = "line\n".repeat(50_000);
    std::fs::write(dir.path().join("input.txt"), &input).expect("written");
    for way in ["run", "exec"] {
        let mut running = command(dir.path());
        running.arg(way).args(["--env", "MODE=x"]);
        if way == "run" {
            running.args(["--dir", "data::/data:ro"]);
        }
        running.args(["app.wasm", "-a", "b"]).stdin(std::fs::File::open(dir.path().join("input.txt")).expect("the file"));
        let done = run(&mut running);
        let note = if way == "run" { "noted <nil>" } else { " open /data/note.txt: " };
        // WASI 0.2 has no other code for a program that fails.
        done.fails(1, &[&format!("{} [-a b] x ", input.len()), note]);
        assert_eq!(done.stdout, input, "{way}");
    }
    undergo(dir.path(), &["run", "--timeout", "300ms", "app.wasm", "flood"]).fails(125, &["timeout"]);
}

/// As a signal would do it.
#[cfg(unix)]
#[test]
fn a_component_whose_output_nobody_reads_ends() {
    let dir = folder(&[("go.mod", "module example.com/app\n\ngo 1.24\n"), ("main.go", APP)]);
    undergo(dir.path(), &["build", "--command", "--component", "-o", "app.wasm"]).ok();
    let mut running = command(dir.path()).args(["run", "app.wasm", "flood"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut first = [0; 6];
    running.stdout.take().expect("its output").read_exact(&mut first).expect("a line");
    assert_eq!((&first, running.wait().expect("it ends").code()), (b"flood\n", Some(141)));
}
