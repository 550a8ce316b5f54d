//! Named pipes in the sandbox's directories: they wait as sockets do, and no wait outlasts its
//! call.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use undergo::{CallOptions, Dir, ErrorKind, Value};

use crate::common::{PLAIN, expect, fifo};
use crate::guest::{AGAIN, BADF, BYTES, Guest, LIST, NOTSOCK, OK, PERM, PIPE, RESULT, SPIPE, options, second};
use crate::waits::{CLOCK, READ, poll};

const READS: i64 = 1 << 1;
const WRITES: i64 = 1 << 6;
const NONBLOCK: i64 = 4;

fn guest(folder: &Path, readonly: bool) -> Guest {
    let mut options = options(&[]);
    options.sandbox.dirs = vec![("/".to_owned(), Dir { path: folder.into(), readonly })];
    Guest::with(second(), options)
}

/// Opens a path in the guest's directory, for its number or that of the error.
fn try_open(guest: &Guest, path: &str, rights: i64, flags: i64) -> undergo::Result<Result<i64, i64>> {
    guest.put(BYTES, path.as_bytes());
    let said = guest.try_call("path_open", &[3, 1, BYTES.into(), path.len() as i64, 0, rights, 0, flags, RESULT.into()])?;
    Ok(if said == OK { Ok(guest.word(RESULT).into()) } else { Err(said) })
}

fn open(guest: &Guest, path: &str, rights: i64, flags: i64) -> i64 {
    try_open(guest, path, rights, flags).expect("a call").unwrap_or_else(|said| panic!("errno {said}"))
}

#[test]
fn a_pipe_is_read_as_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    let guest = guest(folder.path(), true);
    // Nobody writes yet, and opening it does not wait for that.
    let fd = open(&guest, "fifo", READS, NONBLOCK);
    assert_eq!(guest.read(fd).expect("a call"), Err(AGAIN));
    assert_eq!(poll(&guest, &[(READ, fd as u32, 0), (CLOCK, 0, 20_000_000)]).expect("a call"), [(1, 0, CLOCK)]);
    let mut writer = OpenOptions::new().write(true).open(&path).expect("a reader");
    writer.write_all(b"hello").expect("written");
    assert_eq!(poll(&guest, &[(READ, fd as u32, 0), (CLOCK, 0, u64::MAX / 4)]).expect("a call"), [(0, 0, READ)]);
    assert_eq!(guest.reads(fd), b"hello");
    assert_eq!(guest.read(fd).expect("a call"), Err(AGAIN));
    guest.ok("fd_fdstat_set_flags", &[fd, 0]);
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(40));
        writer.write_all(b"late").expect("written");
    });
    assert_eq!(guest.reads(fd), b"late");
    late.join().expect("no panic");
    assert_eq!(guest.reads(fd), b"", "the end");
    assert_eq!(guest.call("fd_seek", &[fd, 0, 0, RESULT.into()]), SPIPE);
    assert_eq!(guest.call("sock_shutdown", &[fd, 1]), NOTSOCK);
    guest.ok("fd_fdstat_get", &[fd, BYTES.into()]);
    guest.ok("fd_filestat_get", &[fd, BYTES.into()]);
    guest.ok("fd_close", &[fd]);
    assert_eq!(guest.call("fd_close", &[fd]), BADF);
    assert_eq!(try_open(&guest, "fifo", WRITES, 0).expect("a call"), Err(PERM), "the directory is for reading only");
}

#[test]
fn a_pipe_is_written_once_somebody_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    let guest = guest(folder.path(), false);
    assert_eq!(try_open(&guest, "fifo", WRITES, NONBLOCK).expect("a call"), Err(60), "nobody reads");
    let reader = thread::spawn(move || {
        thread::sleep(Duration::from_millis(40));
        let mut text = [0; 5];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut text)).expect("bytes");
        text
    });
    let fd = open(&guest, "fifo", WRITES, 0);
    assert_eq!(guest.write(fd, b"hello"), OK);
    assert_eq!(&reader.join().expect("no panic"), b"hello");
    // The reader is gone: that is a number, and no signal.
    assert_eq!(guest.write(fd, b"more"), PIPE);
}

#[test]
fn a_deadline_ends_waits_for_the_other_end() {
    let folder = tempfile::tempdir().expect("a folder");
    fifo(folder.path());
    for rights in [READS, WRITES] {
        let mut guest = guest(folder.path(), false);
        guest.call = CallOptions { timeout: Some(Duration::from_millis(60)), ..PLAIN };
        let began = Instant::now();
        let ended = try_open(&guest, "fifo", rights, 0).and_then(|opened| guest.read(opened.expect("a pipe")).map(|_| ()));
        expect(&ended.expect_err("no end"), ErrorKind::Timeout, &["60ms"]);
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

/// The test's one thread does both sides.
#[test]
fn a_guest_on_a_fiber_holds_no_thread_while_it_waits_for_a_pipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    let mut options = options(&[]);
    options.sandbox.dirs = vec![("/".to_owned(), Dir { path: folder.path().into(), readonly: false })];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let guest = second().instantiate_async(options, &PLAIN).await.expect("an instance");
        guest.write_memory(BYTES, b"fifo").expect("memory");
        let args = [3, 1, BYTES.into(), 4, 0, WRITES, 0, 0, RESULT.into()].map(Value::Int);
        // Nobody reads yet, and then somebody does.
        let read = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).expect("a pipe")
        };
        let (opened, mut reader) = tokio::join!(guest.call("path_open", &args, &PLAIN), read);
        assert_eq!(opened.expect("a call"), Value::Int(OK));
        let fd = u32::from_le_bytes(guest.read_memory(RESULT, 4).expect("memory").try_into().expect("4 bytes"));
        guest.write_memory(LIST, &[BYTES.to_le_bytes(), 4_u32.to_le_bytes()].concat()).expect("memory");
        let args = [fd.into(), LIST.into(), 1, RESULT.into()].map(Value::Int);
        assert_eq!(guest.call("fd_write", &args, &PLAIN).await.expect("a call"), Value::Int(OK));
        let mut text = [0; 4];
        reader.read_exact(&mut text).expect("bytes");
        assert_eq!(&text, b"fifo");
    });
}

#[test]
fn files_are_what_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "text").expect("written");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("out")).expect("a link");
    let guest = guest(folder.path(), false);
    assert_eq!(guest.reads(open(&guest, "file", READS, 0)), b"text");
    assert!(try_open(&guest, "out", READS, 0).expect("a call").is_err());
    assert!(try_open(&guest, "../x", READS, 0).expect("a call").is_err());
    assert_eq!(try_open(&guest, "none", READS, 0).expect("a call"), Err(44));
}
