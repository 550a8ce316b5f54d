//! What the functions do, beside the numbers that they give.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use undergo::{ErrorKind, Input};

use crate::args;
use crate::guest::{
    APPEND, APPEND_FILE, Arg, BUFFER, CREATE, DATA, EXCLUSIVE, FILE, FOLLOW, Guest, OUT, READ_FILE, READ_ONLY, RIGHT_READ, RIGHT_WRITE,
    SUB, TRUNCATE, WRITE_FILE,
};

const READ_WRITE: i64 = RIGHT_READ | RIGHT_WRITE;
const STDIN: i64 = 0;
const BADF: i64 = 8;
pub const DIRECTORY: i64 = 3;
pub const REGULAR: i64 = 4;
pub const SYMLINK: i64 = 7;

/// Runs a test in both ways to run guests.
pub fn each_way(test: impl Fn(&Guest)) {
    for on_fiber in [false, true] {
        test(&Guest::new(on_fiber));
    }
}

/// A call that succeeds.
pub fn ok(guest: &Guest, name: &str, args: &[Arg<'_>]) {
    assert_eq!(guest.call(name, args), 0, "{name}{args:?}");
}

/// Writes, and gives how many bytes were.
fn write(guest: &Guest, descriptor: i64, bytes: &[u8]) -> i64 {
    ok(guest, "fd_write", &[descriptor.into(), Arg::Write(bytes), OUT.into()]);
    guest.word(OUT)
}

fn place(guest: &Guest, descriptor: i64) -> i64 {
    ok(guest, "fd_tell", &args![descriptor, OUT]);
    guest.long(OUT)
}

/// The type, the number of links, and the size.
fn stat(guest: &Guest, flags: i64, path: &str) -> (i64, i64, i64) {
    ok(guest, "path_filestat_get", &args![DATA, flags, path, OUT]);
    (guest.read(OUT + 16, 1)[0].into(), guest.long(OUT + 24), guest.long(OUT + 32))
}

#[test]
fn reading_and_writing_move_the_place_and_nothing_else_does() {
    each_way(|guest| {
        assert_eq!(guest.bytes(FILE, 4), Ok(b"0123".to_vec()));
        assert_eq!((write(guest, FILE, b"ab"), place(guest, FILE)), (2, 6));
        ok(guest, "fd_pread", &[FILE.into(), Arg::Read(3), Arg::Int(1), OUT.into()]);
        assert_eq!(guest.read(BUFFER, 3), b"123");
        ok(guest, "fd_pwrite", &[FILE.into(), Arg::Write(b"X"), Arg::Int(0), OUT.into()]);
        assert_eq!(place(guest, FILE), 6);
        assert_eq!(guest.host("file.txt"), "X123ab6789");
        for (offset, whence, expected) in [(2, 0, 2), (3, 1, 5), (-1, 2, 9), (5, 2, 15)] {
            ok(guest, "fd_seek", &args![FILE, offset, whence, OUT]);
            assert_eq!((guest.long(OUT), place(guest, FILE)), (expected, expected));
        }
        // Behind the end there is nothing to read, and what is written there leaves a hole.
        assert_eq!(guest.bytes(FILE, 4), Ok(Vec::new()));
        write(guest, FILE, b"!");
        assert_eq!(guest.host("file.txt"), "X123ab6789\0\0\0\0\0!");
        // Each descriptor has a place of its own.
        assert_eq!(guest.bytes(READ_FILE, 2), Ok(b"X1".to_vec()));
    });
}

#[test]
fn appending_is_a_flag_that_can_be_set_and_taken_back() {
    each_way(|guest| {
        write(guest, APPEND_FILE, b"a");
        ok(guest, "fd_seek", &args![APPEND_FILE, 0, 0, OUT]);
        write(guest, APPEND_FILE, b"b");
        assert_eq!(guest.host("file.txt"), "0123456789ab");
        let flags = |descriptor: i64| {
            ok(guest, "fd_fdstat_get", &args![descriptor, OUT]);
            i64::from(guest.read(OUT + 2, 1)[0])
        };
        assert_eq!((flags(APPEND_FILE), flags(FILE)), (APPEND, 0));
        ok(guest, "fd_fdstat_set_flags", &args![FILE, APPEND]);
        write(guest, FILE, b"c");
        ok(guest, "fd_fdstat_set_flags", &args![FILE, 0]);
        ok(guest, "fd_seek", &args![FILE, 0, 0, OUT]);
        write(guest, FILE, b"d");
        assert_eq!((flags(FILE), guest.host("file.txt").as_str()), (0, "d123456789abc"));
    });
}

#[test]
fn opening_creates_and_truncates_as_asked() {
    each_way(|guest| {
        let new = guest.open(DATA, "new.txt", CREATE | EXCLUSIVE, READ_WRITE, 0).expect("a file");
        write(guest, new, b"new");
        assert_eq!(guest.host("new.txt"), "new");
        let again = guest.open(DATA, "new.txt", CREATE, READ_WRITE, 0).expect("a file");
        assert_eq!(guest.bytes(again, 9), Ok(b"new".to_vec()));
        guest.open(DATA, "link", TRUNCATE, READ_WRITE, 0).expect("a file");
        assert_eq!(guest.host("file.txt"), "");
        guest.open(SUB, "other.txt", CREATE, READ_WRITE, 0).expect("a file");
        assert_eq!(guest.host("sub/other.txt"), "");
        ok(guest, "fd_filestat_set_size", &args![new, 5]);
        assert_eq!(guest.host("new.txt"), "new\0\0");
        ok(guest, "fd_filestat_set_size", &args![new, 1]);
        assert_eq!(guest.host("new.txt"), "n");
    });
}

#[test]
fn a_file_that_is_made_for_reading_is_only_read() {
    each_way(|guest| {
        for (name, how) in [("new.txt", CREATE | EXCLUSIVE), ("sub/inner.txt", CREATE), ("file.txt", TRUNCATE)] {
            let file = guest.open(DATA, name, how, RIGHT_READ, 0).expect("a file");
            for (function, args) in [
                ("fd_write", &[file.into(), Arg::Write(b"x"), OUT.into()][..]),
                ("fd_pwrite", &[file.into(), Arg::Write(b"x"), Arg::Int(0), OUT.into()]),
            ] {
                assert_eq!(guest.call(function, args), BADF, "{function} of {name}");
            }
            assert_ne!(guest.call("fd_filestat_set_size", &args![file, 5]), 0, "{name}");
            let expected = if name == "sub/inner.txt" { "inner" } else { "" };
            assert_eq!((guest.bytes(file, 9), guest.host(name).as_str()), (Ok(expected.into()), expected));
            ok(guest, "fd_fdstat_get", &args![file, OUT]);
            assert_eq!(guest.long(OUT + 8) & READ_WRITE, RIGHT_READ, "{name}");
        }
    });
}

#[test]
fn names_are_made_moved_and_removed() {
    each_way(|guest| {
        let exists = |name: &str| fs::symlink_metadata(guest.folder.path().join("data").join(name)).is_ok();
        ok(guest, "path_create_directory", &args![DATA, "sub/new"]);
        ok(guest, "path_rename", &args![DATA, "file.txt", SUB, "new/moved.txt"]);
        assert!(!exists("file.txt") && exists("sub/new/moved.txt"));
        ok(guest, "path_link", &args![DATA, 0, "sub/new/moved.txt", DATA, "hard.txt"]);
        assert_eq!(stat(guest, 0, "hard.txt"), (REGULAR, 2, 10));
        ok(guest, "path_unlink_file", &args![SUB, "new/moved.txt"]);
        assert_eq!((stat(guest, 0, "hard.txt"), guest.host("hard.txt").as_str()), ((REGULAR, 1, 10), "0123456789"));
        ok(guest, "path_remove_directory", &args![DATA, "sub/new"]);
        assert!(!exists("sub/new"));
        // What is open lives on without a name.
        assert_eq!(guest.bytes(READ_FILE, 3), Ok(b"012".to_vec()));
        ok(guest, "path_symlink", &args!["hard.txt", DATA, "soft"]);
        assert_eq!((stat(guest, 0, "soft").0, stat(guest, FOLLOW, "soft")), (SYMLINK, (REGULAR, 1, 10)));
        // Renaming goes over what is there, if that is of its kind.
        ok(guest, "path_rename", &args![DATA, "soft", DATA, "hard.txt"]);
        assert_eq!(stat(guest, 0, "hard.txt").0, SYMLINK);
    });
}

#[test]
fn links_are_read_as_far_as_there_is_room() {
    each_way(|guest| {
        for (room, expected) in [(100, &b"file.txt"[..]), (4, b"file"), (0, b"")] {
            ok(guest, "path_readlink", &args![DATA, "link", BUFFER, room, OUT]);
            assert_eq!(guest.read(BUFFER, guest.word(OUT) as usize), expected);
        }
    });
}

#[test]
fn descriptors_are_told_what_they_are() {
    each_way(|guest| {
        let kind = |descriptor: i64| {
            ok(guest, "fd_fdstat_get", &args![descriptor, OUT]);
            let kind = i64::from(guest.read(OUT, 1)[0]);
            (kind, guest.long(OUT + 8) & READ_WRITE)
        };
        assert_eq!([DATA, SUB].map(|directory| kind(directory).0), [DIRECTORY, DIRECTORY]);
        assert_eq!([FILE, READ_FILE, WRITE_FILE].map(kind), [(REGULAR, READ_WRITE), (REGULAR, RIGHT_READ), (REGULAR, RIGHT_WRITE)]);
        for (directory, name) in [(DATA, "/data"), (READ_ONLY, "/ro")] {
            ok(guest, "fd_prestat_get", &args![directory, OUT]);
            assert_eq!((guest.read(OUT, 1)[0], guest.word(OUT + 4)), (0, name.len() as i64));
            ok(guest, "fd_prestat_dir_name", &args![directory, BUFFER, name.len() as i64]);
            assert_eq!(guest.read(BUFFER, name.len()), name.as_bytes());
        }
        // One file has one number, by whichever name.
        let inode = |path: &str| {
            ok(guest, "path_filestat_get", &args![DATA, FOLLOW, path, OUT]);
            guest.read(OUT, 16)
        };
        assert_eq!(inode("file.txt"), inode("link"));
        assert_ne!(inode("file.txt"), inode("sub/inner.txt"));
    });
}

#[test]
fn times_are_set_to_the_nanosecond() {
    each_way(|guest| {
        let host = |name: &str| {
            let found = fs::symlink_metadata(guest.folder.path().join("data").join(name)).expect("a file");
            (found.atime() * 1_000_000_000 + found.atime_nsec(), found.mtime() * 1_000_000_000 + found.mtime_nsec())
        };
        let (first, second) = (1_000_000_000_000_000_001, 1_200_000_000_000_000_002);
        ok(guest, "fd_filestat_set_times", &args![FILE, first, second, 1 | 4]);
        assert_eq!(host("file.txt"), (first, second));
        ok(guest, "fd_filestat_get", &args![FILE, OUT]);
        assert_eq!((guest.long(OUT + 40), guest.long(OUT + 48)), (first, second));
        // Only one of them; by a link; of the link itself.
        ok(guest, "path_filestat_set_times", &args![DATA, FOLLOW, "link", 7, 7, 4]);
        assert_eq!(host("file.txt"), (first, 7));
        ok(guest, "path_filestat_set_times", &args![DATA, 0, "link", 5, 6, 1 | 4]);
        assert_eq!((host("link"), host("file.txt")), ((5, 6), (first, 7)));
        // To now.
        ok(guest, "fd_filestat_set_times", &args![FILE, 0, 0, 2 | 8]);
        assert!(host("file.txt").1 > second);
    });
}

#[test]
fn numbers_are_closed_and_given_anew() {
    each_way(|guest| {
        ok(guest, "fd_renumber", &args![FILE, SUB]);
        assert_eq!((guest.bytes(SUB, 2), guest.bytes(FILE, 2)), (Ok(b"01".to_vec()), Err(BADF)));
        ok(guest, "fd_close", &args![SUB]);
        assert_eq!(guest.bytes(SUB, 2), Err(BADF));
        // Descriptors don't run out when they are closed.
        for _ in 0..1000 {
            let descriptor = guest.open(DATA, "file.txt", 0, RIGHT_READ, 0).expect("a file");
            ok(guest, "fd_close", &args![descriptor]);
        }
        ok(guest, "fd_close", &args![DATA]);
        assert_eq!(guest.open(DATA, "file.txt", 0, RIGHT_READ, 0), Err(BADF));
    });
}

/// A subscription to what can be read.
fn readable(guest: &Guest, descriptor: i64) -> (i64, i64, u8) {
    let mut subscription = [0; 48];
    subscription[8] = 1;
    subscription[16..20].copy_from_slice(&(descriptor as u32).to_le_bytes());
    guest.write(BUFFER, &subscription);
    ok(guest, "poll_oneoff", &args![BUFFER, OUT, 1, OUT + 64]);
    assert_eq!(guest.word(OUT + 64), 1);
    (i64::from(guest.read(OUT + 8, 1)[0]), guest.long(OUT + 16), guest.read(OUT + 24, 1)[0])
}

#[test]
fn the_standard_input_ends() {
    for on_fiber in [false, true] {
        let guest = Guest::with(on_fiber, |options| options.sandbox.stdin = Input::Bytes(b"abc".to_vec()));
        assert_eq!(readable(&guest, STDIN), (0, 3, 0));
        assert_eq!((guest.bytes(STDIN, 2), guest.bytes(STDIN, 9)), (Ok(b"ab".to_vec()), Ok(b"c".to_vec())));
        // Again and again.
        for _ in 0..2 {
            assert_eq!((guest.bytes(STDIN, 9), readable(&guest, STDIN)), (Ok(Vec::new()), (0, 0, 1)));
        }
        // So does a file.
        assert_eq!(readable(&guest, FILE), (0, 10, 0));
        assert_eq!(guest.bytes(FILE, 100).map(|bytes| bytes.len()), Ok(10));
        assert_eq!((guest.bytes(FILE, 1), readable(&guest, FILE)), (Ok(Vec::new()), (0, 0, 1)));
        assert_eq!(readable(&guest, 99).0, BADF);
    }
}

#[test]
fn a_read_only_directory_is_read() {
    each_way(|guest| {
        let file = guest.open(READ_ONLY, "sub/inner.txt", 0, RIGHT_READ, 0).expect("a file");
        assert_eq!(guest.bytes(file, 9), Ok(b"inner".to_vec()));
        assert_ne!(guest.call("fd_write", &[file.into(), Arg::Write(b"x"), OUT.into()]), 0);
        assert_ne!(guest.call("fd_filestat_set_size", &args![file, 0]), 0);
        assert_ne!(guest.call("fd_filestat_set_times", &args![file, 5, 5, 1 | 4]), 0);
        let path = guest.folder.path().join("ro/sub/inner.txt");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "inner");
        assert!(fs::metadata(path).expect("a file").mtime() > 5);
    });
}

/// The texts of a block that a pair of functions gives.
fn texts(guest: &Guest, sizes: &str, get: &str) -> Vec<String> {
    ok(guest, sizes, &args![OUT, OUT + 8]);
    let (count, size) = (guest.word(OUT), guest.word(OUT + 8));
    ok(guest, get, &args![OUT, BUFFER]);
    let block = guest.read(BUFFER, size as usize);
    assert!(block.is_empty() || block.ends_with(b"\0"));
    let all = (0..count).map(|number| {
        let text = &block[(guest.word(OUT + 4 * number) - BUFFER) as usize..];
        let end = text.iter().position(|byte| *byte == 0).expect("an end");
        String::from_utf8(text[..end].to_vec()).expect("text")
    });
    all.collect()
}

#[test]
fn arguments_and_environment_are_those_that_were_given() {
    for on_fiber in [false, true] {
        let guest = Guest::with(on_fiber, |options| {
            options.sandbox.args = vec!["-v".into(), String::new(), "grüße".into()];
            options.sandbox.env = vec![("A".into(), "b=c".into()), ("EMPTY".into(), String::new())];
        });
        assert_eq!(texts(&guest, "args_sizes_get", "args_get"), ["test.wasm", "-v", "", "grüße"]);
        assert_eq!(texts(&guest, "environ_sizes_get", "environ_get"), ["A=b=c", "EMPTY="]);
        let bare = Guest::new(on_fiber);
        assert_eq!((texts(&bare, "args_sizes_get", "args_get").len(), texts(&bare, "environ_sizes_get", "environ_get").len()), (1, 0));
    }
}

#[test]
fn an_exit_ends_the_guest_with_its_code() {
    for code in [0, 1, 126, 255, -1] {
        each_way(|guest| {
            let error = guest.try_call("proc_exit", &args![code]).expect_err("an exit");
            assert_eq!((error.kind(), error.exit_code().map(i64::from)), (ErrorKind::Exit, Some(code)));
            assert_eq!(guest.try_call("sched_yield", &[]).expect_err("it is dead").kind(), ErrorKind::DeadInstance);
        });
    }
}

#[test]
fn clocks_go_on_and_random_numbers_differ() {
    each_way(|guest| {
        for clock in [0, 1] {
            let now = || {
                ok(guest, "clock_time_get", &args![clock, 1, OUT]);
                guest.long(OUT)
            };
            let first = now();
            assert!(first > 0 && now() >= first, "{clock}");
            ok(guest, "clock_res_get", &args![clock, OUT]);
            assert!(guest.long(OUT) > 0);
        }
        ok(guest, "random_get", &args![BUFFER, 32]);
        let bytes = guest.read(BUFFER, 32);
        assert_ne!(bytes[..16], bytes[16..]);
    });
}
