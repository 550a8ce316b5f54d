//! Functions of files end with their call, whatever stands at the path.

use std::fs;
use std::time::{Duration, Instant};

use undergo::{Dir, ErrorKind, Value};

use crate::args;
use crate::common::{fifo, quiet};
use crate::guest::{Arg, BUFFER, CREATE, DATA, DIRECTORY, EXCLUSIVE, FOLLOW, Guest, NONBLOCK, OUT, RIGHT_READ, RIGHT_WRITE, TRUNCATE, on};

/// Within that nobody can tell what is slow from what never ends.
const ENOUGH: Duration = Duration::from_secs(20);

fn guest(on_fiber: bool, readonly: bool, limit: Duration) -> Guest {
    let base = tempfile::tempdir().expect("a folder");
    fifo(base.path());
    fs::write(base.path().join("plain"), "x").expect("a file");
    std::os::unix::fs::symlink("fifo", base.path().join("link")).expect("a link");
    let mut options = quiet();
    options.limits.timeout = Some(limit);
    options.sandbox.dirs = vec![("/d".into(), Dir { path: base.path().into(), readonly })];
    on(on_fiber, options, base)
}

#[test]
fn a_pipe_without_another_end_holds_nobody() {
    let long = "./".repeat(3000) + "fifo";
    let open = |path: &'static str, how: i64, rights: i64, flags: i64| {
        ("path_open", args![DATA, FOLLOW, path, how, rights, 0, flags, OUT].to_vec())
    };
    let set_times = |path: &'static str, follow: i64| ("path_filestat_set_times", args![DATA, follow, path, 5, 5, 5].to_vec());
    let mut calls = vec![set_times("fifo", FOLLOW), set_times("fifo", 0), set_times("link", FOLLOW), set_times("link", 0)];
    for path in ["fifo", "./fifo", "link", "fifo/", "fifo/x", "plain/../fifo"] {
        for rights in [0, RIGHT_READ, RIGHT_WRITE, RIGHT_READ | RIGHT_WRITE] {
            for how in [0, CREATE, TRUNCATE, DIRECTORY, CREATE | EXCLUSIVE, CREATE | TRUNCATE] {
                calls.extend([open(path, how, rights, 0), open(path, how, rights, NONBLOCK)]);
            }
        }
    }
    calls.push(("path_open", args![DATA, FOLLOW, long.as_str(), DIRECTORY, RIGHT_READ, 0, 0, OUT].to_vec()));
    for (name, last) in [("path_filestat_get", vec![Arg::Int(OUT)]), ("path_unlink_file", vec![])] {
        calls.push((
            name,
            [if last.is_empty() { args![DATA, "fifo"].to_vec() } else { args![DATA, FOLLOW, "fifo"].to_vec() }, last].concat(),
        ));
    }
    for (on_fiber, readonly) in [(false, false), (false, true), (true, false)] {
        let began = Instant::now();
        let mut kept: Option<Guest> = None;
        for (name, args) in &calls {
            let guest = kept.take().unwrap_or_else(|| guest(on_fiber, readonly, Duration::from_millis(30)));
            match guest.try_call(name, args) {
                Ok(Value::Int(_)) => kept = Some(guest).filter(|_| *name != "path_unlink_file"),
                // Who only writes waits for a reader, and the call for its deadline.
                Err(error) if error.kind() == ErrorKind::Timeout => {}
                other => panic!("{name}{args:?}: {other:?}"),
            }
        }
        assert!(began.elapsed() < ENOUGH, "{:?}", began.elapsed());
    }
}

#[test]
fn a_directory_that_is_asked_for_is_no_pipe() {
    for (path, how, said) in [("fifo", DIRECTORY, 54), ("link", DIRECTORY, 54), ("fifo/", 0, 54), ("fifo", CREATE | EXCLUSIVE, 20)] {
        let guest = guest(false, false, ENOUGH);
        assert_eq!(guest.open(DATA, path, how, RIGHT_READ, 0), Err(said), "{path}");
        assert_eq!(guest.call("path_filestat_set_times", &args![DATA, FOLLOW, "fifo", 1_000_000_000, 2_000_000_000, 5]), 0);
        let found = fs::metadata(guest.folder.path().join("fifo")).expect("a pipe");
        assert_eq!(std::os::unix::fs::MetadataExt::mtime(&found), 2);
    }
}

#[test]
fn a_large_directory_is_read_in_pieces_with_each_entry_once() {
    const FILES: usize = 30_000;
    for on_fiber in [false, true] {
        let guest = guest(on_fiber, false, ENOUGH);
        let many = guest.folder.path().join("many");
        fs::create_dir(&many).expect("a folder");
        for number in 0..FILES {
            fs::write(many.join(format!("{number:0100}")), "").expect("a file");
        }
        let dir = guest.open(DATA, "many", DIRECTORY, RIGHT_READ, 0).expect("a directory");
        let (mut cookie, mut found) = (0, 0);
        loop {
            assert_eq!(guest.call("fd_readdir", &args![dir, BUFFER, 60_000, cookie, OUT]), 0);
            let (used, mut at) = (guest.word(OUT), 0);
            while at + 24 <= used && at + 24 + guest.word(BUFFER + at + 16) <= used {
                cookie = guest.long(BUFFER + at);
                at += 24 + guest.word(BUFFER + at + 16);
                found += 1;
            }
            if used < 60_000 {
                break;
            }
        }
        assert_eq!(found, FILES + 2);
    }
}

#[test]
fn one_call_carries_a_part_of_what_is_much() {
    for on_fiber in [false, true] {
        let guest = guest(on_fiber, false, ENOUGH);
        let file = guest.open(DATA, "plain", TRUNCATE, RIGHT_READ | RIGHT_WRITE, 0).expect("a file");
        // The memory has 4 pages, and a list may name the same bytes again and again.
        let list: Vec<u8> = (0..1000).flat_map(|_| [0_u32.to_le_bytes(), 262_144_u32.to_le_bytes()].concat()).collect();
        let at = guest.put(&list);
        for (function, from) in
            [("fd_write", vec![]), ("fd_pwrite", vec![Arg::Int(0)]), ("fd_pread", vec![Arg::Int(0)]), ("fd_read", vec![])]
        {
            let args = [args![file, at, 1000].to_vec(), from, vec![Arg::Int(OUT)]].concat();
            guest.write(at, &list);
            assert_eq!(guest.call(function, &args), 0, "{function}");
            assert!(guest.word(OUT) <= 1 << 20, "{function}");
        }
        assert!(fs::metadata(guest.folder.path().join("plain")).expect("a file").len() <= 1 << 20);
        for function in ["fd_sync", "fd_datasync"] {
            assert_eq!(guest.call(function, &args![file]), 0);
        }
        assert_eq!(guest.call("fd_filestat_set_size", &args![file, 0]), 0);
    }
}
