//! What goes wrong, and with which number. Each row is a call of a guest to which nothing has
//! happened.

use std::collections::BTreeSet;

use undergo::{ErrorKind, Value};

use crate::args;
use crate::guest::{
    Arg, BEYOND, BUFFER, CREATE, DATA, DIRECTORY, EXCLUSIVE, FILE, FOLLOW, Guest, NONBLOCK, NONE, OUT, READ_FILE, READ_ONLY, RIGHT_READ,
    RIGHT_WRITE, SIGNATURES, SUB, TRUNCATE, WRITE_FILE,
};

pub const OK: i64 = 0;
const BADF: i64 = 8;
pub const EXIST: i64 = 20;
const FAULT: i64 = 21;
const INVAL: i64 = 28;
const ISDIR: i64 = 31;
const LOOP: i64 = 32;
const NAMETOOLONG: i64 = 37;
pub const NOENT: i64 = 44;
const NOTDIR: i64 = 54;
const NOTEMPTY: i64 = 55;
const NOTSOCK: i64 = 57;
const NOTSUP: i64 = 58;
const PERM: i64 = 63;
const ILSEQ: i64 = 25;
const SPIPE: i64 = 70;
/// No number: the guest ends, as the specification has it for pointers that can't be. So do numbers
/// without a meaning that no toolchain's library passes on.
const TRAP: i64 = -1;
const STDIN: i64 = 0;
const STDOUT: i64 = 1;

/// Above the 255 bytes that a name has at most.
fn long_name() -> &'static str {
    const NAME: [u8; 300] = [b'n'; 300];
    std::str::from_utf8(&NAME).expect("text")
}

pub type Row = (&'static str, Vec<Arg<'static>>, i64);

macro_rules! rows {
    ($($name:ident($($arg:expr),* $(,)?) => $errno:expr;)*) => { vec![$((stringify!($name), args![$($arg),*].to_vec(), $errno)),*] };
}
pub(crate) use rows;

/// What has to do with names.
#[rustfmt::skip]
fn of_paths() -> Vec<Row> {
    let open = RIGHT_READ;
    let write = RIGHT_READ | RIGHT_WRITE;
    rows! {
        path_open(DATA, FOLLOW, "file.txt", 0, open, 0, 0, OUT) => OK;
        path_open(DATA, FOLLOW, "none", 0, open, 0, 0, OUT) => NOENT;
        path_open(DATA, FOLLOW, "none/none", CREATE, write, 0, 0, OUT) => NOENT;
        path_open(DATA, FOLLOW, "", 0, open, 0, 0, OUT) => NOENT;
        path_open(DATA, FOLLOW, "file.txt", CREATE | EXCLUSIVE, write, 0, 0, OUT) => EXIST;
        path_open(DATA, FOLLOW, "file.txt", DIRECTORY, open, 0, 0, OUT) => NOTDIR;
        path_open(DATA, FOLLOW, "file.txt/", 0, open, 0, 0, OUT) => NOTDIR;
        path_open(DATA, FOLLOW, "file.txt/inner", 0, open, 0, 0, OUT) => NOTDIR;
        path_open(DATA, FOLLOW, "sub", 0, RIGHT_WRITE, 0, 0, OUT) => ISDIR;
        path_open(DATA, FOLLOW, "sub", TRUNCATE, write, 0, 0, OUT) => ISDIR;
        path_open(DATA, FOLLOW, "loop-a", 0, open, 0, 0, OUT) => LOOP;
        path_open(DATA, 0, "link", 0, open, 0, 0, OUT) => LOOP;
        path_open(DATA, FOLLOW, "dangling", 0, open, 0, 0, OUT) => NOENT;
        path_open(DATA, FOLLOW, long_name(), 0, open, 0, 0, OUT) => NAMETOOLONG;
        path_open(DATA, FOLLOW, "../secret.txt", 0, open, 0, 0, OUT) => PERM;
        path_open(DATA, FOLLOW, "sub/../../secret.txt", 0, open, 0, 0, OUT) => PERM;
        path_open(DATA, FOLLOW, "/etc/passwd", 0, open, 0, 0, OUT) => PERM;
        path_open(DATA, FOLLOW, "out", 0, open, 0, 0, OUT) => PERM;
        path_open(DATA, FOLLOW, "absolute", 0, open, 0, 0, OUT) => PERM;
        path_open(DATA, FOLLOW, "up/secret.txt", 0, open, 0, 0, OUT) => PERM;
        path_open(DATA, FOLLOW, "out", CREATE | TRUNCATE, write, 0, 0, OUT) => PERM;
        path_open(SUB, FOLLOW, "../file.txt", 0, open, 0, 0, OUT) => PERM;
        path_open(FILE, FOLLOW, "file.txt", 0, open, 0, 0, OUT) => NOTDIR;
        path_open(STDIN, FOLLOW, "file.txt", 0, open, 0, 0, OUT) => BADF;
        path_open(NONE, FOLLOW, "file.txt", 0, open, 0, 0, OUT) => BADF;
        path_open(READ_ONLY, FOLLOW, "file.txt", 0, open, 0, 0, OUT) => OK;
        path_open(READ_ONLY, FOLLOW, "file.txt", 0, write, 0, 0, OUT) => PERM;
        path_open(READ_ONLY, FOLLOW, "file.txt", TRUNCATE, open, 0, 0, OUT) => PERM;
        path_open(READ_ONLY, FOLLOW, "new.txt", CREATE, open, 0, 0, OUT) => PERM;
        path_open(DATA, FOLLOW, Arg::Text(b"\xff"), 0, open, 0, 0, OUT) => ILSEQ;
        path_open(DATA, FOLLOW, BEYOND, 5, 0, open, 0, 0, OUT) => TRAP;
        path_open(DATA, FOLLOW, "file.txt", 0, open, 0, 0, BEYOND) => FAULT;
        path_open(DATA, FOLLOW, "file.txt", 1 << 8, open, 0, 0, OUT) => TRAP;
        path_create_directory(DATA, "new") => OK;
        path_create_directory(DATA, "sub") => EXIST;
        path_create_directory(DATA, "file.txt") => EXIST;
        path_create_directory(DATA, "none/new") => NOENT;
        path_create_directory(DATA, "file.txt/new") => NOTDIR;
        path_create_directory(DATA, long_name()) => NAMETOOLONG;
        path_create_directory(DATA, "../new") => PERM;
        path_create_directory(READ_ONLY, "new") => PERM;
        path_create_directory(FILE, "new") => BADF;
        path_create_directory(NONE, "new") => BADF;
        path_create_directory(DATA, BEYOND, 3) => TRAP;
        path_remove_directory(DATA, "empty") => OK;
        path_remove_directory(DATA, "sub") => NOTEMPTY;
        path_remove_directory(DATA, "file.txt") => NOTDIR;
        path_remove_directory(DATA, "to-sub") => NOTDIR;
        path_remove_directory(DATA, "none") => NOENT;
        path_remove_directory(DATA, "../ro") => PERM;
        path_remove_directory(READ_ONLY, "empty") => PERM;
        path_remove_directory(NONE, "empty") => BADF;
        path_unlink_file(DATA, "file.txt") => OK;
        path_unlink_file(DATA, "dangling") => OK;
        path_unlink_file(DATA, "none") => NOENT;
        path_unlink_file(DATA, "empty") => ISDIR;
        path_unlink_file(DATA, "file.txt/") => NOTDIR;
        path_unlink_file(DATA, "../secret.txt") => PERM;
        path_unlink_file(READ_ONLY, "file.txt") => PERM;
        path_unlink_file(NONE, "file.txt") => BADF;
        path_rename(DATA, "file.txt", DATA, "new.txt") => OK;
        path_rename(DATA, "none", DATA, "new.txt") => NOENT;
        path_rename(DATA, "file.txt", DATA, "empty") => ISDIR;
        path_rename(DATA, "empty", DATA, "file.txt") => NOTDIR;
        path_rename(DATA, "empty", DATA, "sub") => NOTEMPTY;
        path_rename(DATA, "sub", DATA, "sub/inner") => INVAL;
        path_rename(DATA, "file.txt", DATA, "../new.txt") => PERM;
        path_rename(DATA, "../secret.txt", DATA, "new.txt") => PERM;
        path_rename(DATA, "file.txt", READ_ONLY, "new.txt") => PERM;
        path_rename(READ_ONLY, "file.txt", DATA, "new.txt") => PERM;
        path_rename(DATA, "file.txt", NONE, "new.txt") => BADF;
        path_link(DATA, 0, "file.txt", DATA, "new.txt") => OK;
        path_link(DATA, 0, "none", DATA, "new.txt") => NOENT;
        path_link(DATA, 0, "file.txt", DATA, "sub") => EXIST;
        path_link(DATA, 0, "sub", DATA, "new") => PERM;
        path_link(DATA, 0, "../secret.txt", DATA, "new.txt") => PERM;
        path_link(DATA, 0, "file.txt", DATA, "../new.txt") => PERM;
        path_link(DATA, 0, "file.txt", READ_ONLY, "new.txt") => PERM;
        path_link(READ_ONLY, 0, "file.txt", DATA, "new.txt") => PERM;
        path_link(NONE, 0, "file.txt", DATA, "new.txt") => BADF;
        path_symlink("file.txt", DATA, "new") => OK;
        path_symlink("file.txt", DATA, "sub") => EXIST;
        path_symlink("file.txt", DATA, "none/new") => NOENT;
        path_symlink("/etc/passwd", DATA, "new") => PERM;
        path_symlink("file.txt", DATA, "../new") => PERM;
        path_symlink("file.txt", READ_ONLY, "new") => PERM;
        path_symlink("file.txt", NONE, "new") => BADF;
        path_readlink(DATA, "link", BUFFER, 100, OUT) => OK;
        path_readlink(DATA, "file.txt", BUFFER, 100, OUT) => INVAL;
        path_readlink(DATA, "none", BUFFER, 100, OUT) => NOENT;
        path_readlink(DATA, "../secret.txt", BUFFER, 100, OUT) => PERM;
        path_readlink(NONE, "link", BUFFER, 100, OUT) => BADF;
        path_filestat_get(DATA, FOLLOW, "link", OUT) => OK;
        path_filestat_get(DATA, 0, "dangling", OUT) => OK;
        path_filestat_get(DATA, FOLLOW, "dangling", OUT) => NOENT;
        path_filestat_get(DATA, FOLLOW, "loop-a", OUT) => LOOP;
        path_filestat_get(DATA, FOLLOW, "file.txt/", OUT) => NOTDIR;
        path_filestat_get(DATA, FOLLOW, "out", OUT) => PERM;
        path_filestat_get(DATA, 0, "..", OUT) => PERM;
        path_filestat_get(NONE, 0, "link", OUT) => BADF;
        path_filestat_get(DATA, FOLLOW, "link", BEYOND) => TRAP;
        path_filestat_set_times(DATA, FOLLOW, "file.txt", 5, 5, 5) => OK;
        path_filestat_set_times(DATA, FOLLOW, "file.txt", 5, 5, 3) => INVAL;
        path_filestat_set_times(DATA, FOLLOW, "none", 5, 5, 5) => NOENT;
        path_filestat_set_times(DATA, FOLLOW, "out", 5, 5, 5) => PERM;
        path_filestat_set_times(READ_ONLY, FOLLOW, "file.txt", 5, 5, 5) => PERM;
        path_filestat_set_times(NONE, FOLLOW, "file.txt", 5, 5, 5) => BADF;
    }
}

/// What has to do with descriptors.
#[rustfmt::skip]
fn of_descriptors() -> Vec<Row> {
    rows! {
        fd_read(FILE, Arg::Read(4), OUT) => OK;
        fd_read(STDIN, Arg::Read(4), OUT) => OK;
        fd_read(WRITE_FILE, Arg::Read(4), OUT) => BADF;
        fd_read(STDOUT, Arg::Read(4), OUT) => BADF;
        fd_read(SUB, Arg::Read(4), OUT) => ISDIR;
        fd_read(NONE, Arg::Read(4), OUT) => BADF;
        fd_read(FILE, BEYOND, 1, OUT) => TRAP;
        fd_read(FILE, Arg::Read(4), BEYOND) => TRAP;
        fd_read(STDIN, BEYOND, 1, OUT) => FAULT;
        fd_pread(FILE, Arg::Read(4), 3, OUT) => OK;
        fd_pread(STDIN, Arg::Read(4), 3, OUT) => SPIPE;
        fd_pread(WRITE_FILE, Arg::Read(4), 3, OUT) => BADF;
        fd_pread(NONE, Arg::Read(4), 3, OUT) => BADF;
        fd_write(FILE, Arg::Write(b"x"), OUT) => OK;
        fd_write(STDOUT, Arg::Write(b"x"), OUT) => OK;
        fd_write(READ_FILE, Arg::Write(b"x"), OUT) => BADF;
        fd_write(STDIN, Arg::Write(b"x"), OUT) => BADF;
        fd_write(SUB, Arg::Write(b"x"), OUT) => BADF;
        fd_write(NONE, Arg::Write(b"x"), OUT) => BADF;
        fd_write(STDOUT, BEYOND, 1, OUT) => FAULT;
        fd_write(STDOUT, Arg::Write(b"x"), BEYOND) => FAULT;
        fd_pwrite(FILE, Arg::Write(b"x"), 3, OUT) => OK;
        fd_pwrite(STDOUT, Arg::Write(b"x"), 3, OUT) => SPIPE;
        fd_pwrite(READ_FILE, Arg::Write(b"x"), 3, OUT) => BADF;
        fd_pwrite(NONE, Arg::Write(b"x"), 3, OUT) => BADF;
        fd_seek(FILE, 3, 0, OUT) => OK;
        fd_seek(FILE, -1, 0, OUT) => INVAL;
        fd_seek(FILE, -11, 2, OUT) => INVAL;
        fd_seek(FILE, 0, 3, OUT) => INVAL;
        fd_seek(STDIN, 0, 0, OUT) => SPIPE;
        fd_seek(STDOUT, 0, 1, OUT) => SPIPE;
        fd_seek(SUB, 0, 0, OUT) => BADF;
        fd_seek(NONE, 0, 0, OUT) => BADF;
        fd_tell(FILE, OUT) => OK;
        fd_tell(STDIN, OUT) => SPIPE;
        fd_tell(SUB, OUT) => BADF;
        fd_tell(NONE, OUT) => BADF;
        fd_close(FILE) => OK;
        fd_close(DATA) => OK;
        fd_close(NONE) => BADF;
        fd_close(-1) => BADF;
        fd_renumber(FILE, READ_FILE) => OK;
        fd_renumber(FILE, NONE) => BADF;
        fd_renumber(NONE, FILE) => BADF;
        fd_sync(FILE) => OK;
        fd_sync(NONE) => BADF;
        fd_datasync(FILE) => OK;
        fd_datasync(NONE) => BADF;
        fd_advise(FILE, 0, 5, 0) => OK;
        fd_advise(FILE, 0, 5, 9) => TRAP;
        fd_advise(STDIN, 0, 5, 0) => BADF;
        fd_advise(NONE, 0, 5, 0) => BADF;
        fd_allocate(FILE, 0, 5) => NOTSUP;
        fd_allocate(NONE, 0, 5) => BADF;
        fd_fdstat_get(FILE, OUT) => OK;
        fd_fdstat_get(NONE, OUT) => BADF;
        fd_fdstat_get(FILE, BEYOND) => TRAP;
        fd_fdstat_set_flags(FILE, 1) => OK;
        fd_fdstat_set_flags(FILE, NONBLOCK) => OK;
        fd_fdstat_set_flags(FILE, 1 << 9) => TRAP;
        fd_fdstat_set_flags(NONE, 0) => BADF;
        fd_fdstat_set_rights(NONE, 0, 0) => BADF;
        fd_filestat_get(FILE, OUT) => OK;
        fd_filestat_get(STDIN, OUT) => OK;
        fd_filestat_get(NONE, OUT) => BADF;
        fd_filestat_set_size(FILE, 3) => OK;
        fd_filestat_set_size(READ_FILE, 3) => INVAL;
        fd_filestat_set_size(SUB, 3) => BADF;
        fd_filestat_set_size(NONE, 3) => BADF;
        fd_filestat_set_times(FILE, 5, 5, 5) => OK;
        fd_filestat_set_times(FILE, 5, 5, 3) => INVAL;
        fd_filestat_set_times(NONE, 5, 5, 5) => BADF;
        fd_readdir(SUB, BUFFER, 100, 0, OUT) => OK;
        fd_readdir(FILE, BUFFER, 100, 0, OUT) => NOTDIR;
        fd_readdir(STDIN, BUFFER, 100, 0, OUT) => NOTDIR;
        fd_readdir(NONE, BUFFER, 100, 0, OUT) => BADF;
        fd_prestat_get(DATA, OUT) => OK;
        fd_prestat_get(SUB, OUT) => BADF;
        fd_prestat_get(NONE, OUT) => BADF;
        fd_prestat_dir_name(DATA, BUFFER, 5) => OK;
        fd_prestat_dir_name(DATA, BUFFER, 4) => NAMETOOLONG;
        fd_prestat_dir_name(SUB, BUFFER, 5) => NOTDIR;
        fd_prestat_dir_name(NONE, BUFFER, 5) => BADF;
        sock_accept(FILE, 0, OUT) => NOTSOCK;
        sock_accept(NONE, 0, OUT) => BADF;
        sock_recv(FILE, Arg::Read(4), 0, OUT, OUT) => NOTSOCK;
        sock_recv(NONE, Arg::Read(4), 0, OUT, OUT) => BADF;
        sock_send(FILE, Arg::Write(b"x"), 0, OUT) => NOTSOCK;
        sock_send(NONE, Arg::Write(b"x"), 0, OUT) => BADF;
        sock_shutdown(FILE, 0) => NOTSOCK;
        sock_shutdown(NONE, 0) => BADF;
    }
}

/// All else.
#[rustfmt::skip]
fn of_processes() -> Vec<Row> {
    rows! {
        args_get(OUT, BUFFER) => OK;
        args_get(BEYOND, BUFFER) => TRAP;
        args_sizes_get(OUT, BUFFER) => OK;
        args_sizes_get(OUT, BEYOND) => TRAP;
        environ_get(OUT, BUFFER) => OK;
        environ_sizes_get(OUT, BUFFER) => OK;
        environ_sizes_get(BEYOND, BUFFER) => TRAP;
        clock_res_get(0, OUT) => OK;
        clock_res_get(1, OUT) => OK;
        clock_res_get(2, OUT) => BADF;
        clock_res_get(7, OUT) => TRAP;
        clock_time_get(0, 1, OUT) => OK;
        clock_time_get(1, 1, OUT) => OK;
        clock_time_get(3, 1, OUT) => BADF;
        clock_time_get(7, 1, OUT) => TRAP;
        clock_time_get(0, 1, BEYOND) => TRAP;
        random_get(BUFFER, 16) => OK;
        random_get(BEYOND - 8, 16) => FAULT;
        random_get(BEYOND, 0) => OK;
        poll_oneoff(BUFFER, OUT, 0, OUT) => INVAL;
        poll_oneoff(BEYOND, OUT, 1, OUT) => FAULT;
        poll_oneoff(BUFFER, BEYOND, 1, OUT) => FAULT;
        sched_yield() => OK;
        proc_raise(6) => NOTSUP;
    }
}

#[test]
fn each_call_gives_the_number_that_guests_expect() {
    expect(&[of_paths(), of_descriptors(), of_processes()].concat(), Guest::new);
}

/// Makes each call in a guest of its own, and compares the numbers.
pub fn expect(rows: &[Row], make: impl Fn(bool) -> Guest) {
    let mut wrong = Vec::new();
    for on_fiber in [false, true] {
        let mut kept = None;
        for (name, args, expected) in rows {
            let guest = kept.take().unwrap_or_else(|| make(on_fiber));
            let got = match guest.try_call(name, args) {
                Ok(Value::Int(errno)) => errno,
                Err(error) if error.kind() == ErrorKind::Trap => TRAP,
                other => panic!("{name}{args:?}: {other:?}"),
            };
            if got != *expected {
                wrong.push(format!("{name}{args:?}{}: {got}, not {expected}", if on_fiber { " on a fiber" } else { "" }));
            }
            // What fails changes nothing; to make a guest's folders takes a while.
            kept = (got != OK && got != TRAP).then_some(guest);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_function_has_a_case() {
    let rows = [of_paths(), of_descriptors(), of_processes()].concat();
    let mut called: BTreeSet<_> = rows.iter().map(|(name, ..)| *name).collect();
    // It returns no number: effects.rs has it.
    called.insert("proc_exit");
    assert_eq!(called, SIGNATURES.iter().map(|(name, _)| *name).collect());
    for name in called {
        assert!(undergo::WASI_FUNCTIONS.contains(&name), "{name}");
    }
}
