//! Standard streams of real Go programs: what waits for one keeps no other goroutine from running,
//! and who writes where nobody reads hears of it.

use std::io::{BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::{env, fs};

use crate::support::{command, fixture, run};

fn program() -> &'static PathBuf {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("streams.wasm");
        let go = env::var_os("UNDERGO_GO").unwrap_or_else(|| "go".into());
        let mut build = Command::new(go);
        build.args(["build", "-o"]).arg(&file).arg(".").current_dir(fixture("streams"));
        run(build.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOPROXY", "off")])).ok();
        file
    });
    &FILE
}

/// `undergo run` and `undergo exec` of it.
fn both(case: &str) -> [Command; 2] {
    ["run", "exec"].map(|verb| {
        let mut command = command(env!("CARGO_TARGET_TMPDIR").as_ref());
        command.arg(verb).arg(program()).arg(case);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    })
}

fn start(command: &mut Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command.spawn().expect("the command starts");
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    (child, stdout)
}

fn line(stdout: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("text");
    line
}

/// What it wrote to standard error, and its exit code.
fn ended(mut child: Child) -> (String, Option<i32>) {
    let mut text = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut text).expect("text");
    (text, child.wait().expect("it ends").code())
}

#[test]
fn goroutines_run_while_one_reads() {
    for mut command in both("while") {
        let (mut child, mut stdout) = start(&mut command);
        let mut stdin = child.stdin.take().expect("a pipe");
        // Nothing was written yet.
        assert_eq!(line(&mut stdout), "from a goroutine\n");
        stdin.write_all(b"text").expect("written");
        drop(stdin);
        assert_eq!(line(&mut stdout), "\"text\" <nil>\n");
        assert_eq!(ended(child), (String::new(), Some(0)));
    }
    for mut command in both("ticks") {
        let (mut child, mut stdout) = start(&mut command);
        let mut stdin = child.stdin.take().expect("a pipe");
        assert_eq!(line(&mut stdout), "ticks\n");
        for text in ["a\n", "b\n"] {
            stdin.write_all(text.as_bytes()).expect("written");
            assert_eq!(line(&mut stdout), format!("line {text}"));
        }
        drop(stdin);
        assert_eq!(ended(child), (String::new(), Some(0)));
    }
}

#[test]
fn a_deadline_of_standard_input_holds() {
    for mut command in both("deadline") {
        let (mut child, mut stdout) = start(&mut command);
        assert_eq!([(); 3].map(|()| line(&mut stdout)), ["<nil>\n", "read /dev/stdin: i/o timeout true\n", "<nil>\n"]);
        child.stdin.take().expect("a pipe").write_all(b"then\n").expect("written");
        assert_eq!(line(&mut stdout), "\"then\\n\" <nil>\n");
        assert_eq!(ended(child), (String::new(), Some(0)));
    }
}

#[test]
fn what_has_nothing_to_wait_for_ends_as_elsewhere() {
    for (case, code, out, err) in [
        ("signal", 0, "time\n", ""),
        ("goexit", 4, "last\n", ""),
        ("closed", 0, "read /dev/stdin: file already closed\n", "write /dev/stdout: file already closed\n"),
        ("deadlock", 2, "", "fatal error: all goroutines are asleep - deadlock!\n"),
    ] {
        for mut command in both(case) {
            let (mut child, mut stdout) = start(&mut command);
            // A pipe that stays open.
            let _stdin = child.stdin.take().expect("a pipe");
            let mut text = String::new();
            stdout.read_to_string(&mut text).expect("text");
            let (stderr, said) = ended(child);
            assert_eq!((text.as_str(), said), (out, Some(code)), "{case}: {stderr}");
            assert!(stderr.starts_with(err), "{case}: {stderr}");
        }
    }
}

#[test]
fn files_are_read_to_their_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("in.txt");
    fs::write(&path, "from a file").expect("a file");
    for mut command in both("while") {
        command.stdin(fs::File::open(&path).expect("the file"));
        let text = run(&mut command).ok();
        assert!(text.contains("\"from a file\" <nil>\n") && text.contains("from a goroutine\n"), "{text}");
        assert!(run(command.stdin(Stdio::null())).ok().contains("\"\" <nil>\n"));
    }
}

#[test]
fn all_is_written_to_a_slow_reader() {
    for mut command in both("big") {
        let (child, mut stdout) = start(&mut command);
        assert_eq!(line(&mut stdout), "0123456789abcde\n");
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest).expect("text");
        assert_eq!(rest.len() + 16, (16 << 17) + 1);
        assert_eq!(ended(child), ("<nil>\n".to_owned(), Some(0)));
    }
    for mut command in both("stalled") {
        let (mut child, mut stdout) = start(&mut command);
        // The pipe is full by now, or will be.
        assert_eq!(line(&mut BufReader::new(child.stderr.take().expect("a pipe"))), "from a goroutine\n");
        let mut all = Vec::new();
        stdout.read_to_end(&mut all).expect("text");
        assert_eq!((all.len(), child.wait().expect("it ends").code()), (1 << 20, Some(0)));
    }
}

#[test]
fn a_program_ends_when_nobody_reads() {
    for (case, code, text) in [("epipe", 5, "write /dev/stdout: Broken pipe\n"), ("careless", 141, "")] {
        for mut command in both(case) {
            let (child, mut stdout) = start(&mut command);
            assert_eq!(line(&mut stdout), "y\n");
            drop(stdout);
            assert_eq!(ended(child), (text.to_owned(), Some(code)), "{case}");
        }
    }
    // Standard error as well.
    for mut command in both("deadlock") {
        let (mut child, _stdout) = start(&mut command);
        drop(child.stderr.take());
        assert!(matches!(child.wait().expect("it ends").code(), Some(2 | 141)));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    for mut command in both("big") {
        command.stdout(fs::File::options().write(true).open("/dev/full").expect("a device"));
        let child = command.spawn().expect("the command starts");
        let (text, code) = ended(child);
        assert!(text.contains("No space left on device"), "{text}");
        assert_eq!(code, Some(0));
    }
}
