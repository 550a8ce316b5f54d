//! What a guest reaches that changes the directories around those that it is given: it stays where
//! it was, after a reset, in the next instance of a pool, and at once.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use undergo::{Dir, ErrorKind, Input, InstanceOptions, PoolOptions};

use crate::args;
use crate::common::{PLAIN, expect, quiet};
use crate::guest::{CREATE, FOLLOW, Guest, OUT, RIGHT_READ, RIGHT_WRITE, TRUNCATE, on, wrappers};

const X: i64 = 3;
const SUB: i64 = 4;

/// A folder `x` with `sub` in it, and `outside` beside it, in both of which a file `name` says
/// where it is.
fn folders() -> TempDir {
    let base = tempfile::tempdir().expect("a folder");
    for folder in ["x/sub", "outside"] {
        fs::create_dir_all(base.path().join(folder)).expect("a folder");
        fs::write(base.path().join(folder).join("name"), folder).expect("a file");
    }
    fs::write(base.path().join("x/input"), "input").expect("a file");
    base
}

fn options(base: &Path, readonly: bool) -> InstanceOptions {
    let mut options = quiet();
    let dir = |name: &str, readonly| Dir { path: base.join(name), readonly };
    options.sandbox.dirs = vec![("/x".into(), dir("x", false)), ("/sub".into(), dir("x/sub", readonly))];
    options.sandbox.stdin = Input::File(base.join("x/input"));
    options
}

/// Moves a name of `x` away, and puts a link to what lies outside in its place.
fn replace(guest: &Guest, name: &str, target: &str) {
    assert_eq!(guest.call("path_rename", &args![X, name, X, "gone"]), 0);
    assert_eq!(guest.call("path_symlink", &args![target, X, name]), 0);
}

fn read(guest: &Guest, dir: i64, path: &str) -> Result<Vec<u8>, i64> {
    guest.bytes(guest.open(dir, path, 0, RIGHT_READ, 0)?, 100)
}

#[test]
fn a_directory_stays_the_one_that_was_given() {
    for (on_fiber, readonly) in [(false, false), (false, true), (true, false), (true, true)] {
        let base = folders();
        let guest = on(on_fiber, options(base.path(), readonly), base);
        replace(&guest, "sub", "../outside");
        for _ in 0..3 {
            assert_eq!(read(&guest, SUB, "name"), Ok(b"x/sub".to_vec()));
            let written = guest.open(SUB, "name", CREATE | TRUNCATE, RIGHT_WRITE, 0);
            assert_eq!(written.is_ok(), !readonly, "{written:?}");
            if !readonly {
                fs::write(guest.folder.path().join("x/gone/name"), "x/sub").expect("the folder that was given");
            }
            guest.reset();
        }
        assert_eq!(fs::read_to_string(guest.folder.path().join("outside/name")).expect("a file"), "outside");
        assert_eq!(fs::read_dir(guest.folder.path().join("outside")).expect("a folder").count(), 1);
    }
}

#[test]
fn the_next_instance_of_a_pool_gets_the_same_directories() {
    let base = folders();
    let mut pool = PoolOptions::new(1, options(base.path(), false));
    pool.max_calls = Some(1);
    let pool = wrappers().pool(pool).expect("a pool");
    fs::rename(base.path().join("x/sub"), base.path().join("x/gone")).expect("a folder");
    symlink("../outside", base.path().join("x/sub")).expect("a link");
    for _ in 0..2 {
        let instance = pool.take(&PLAIN).expect("an instance");
        instance.write_memory(65536, b"name").expect("memory");
        let args = [SUB, FOLLOW, 65536, 4, 0, RIGHT_READ, 0, 0, OUT].map(undergo::Value::Int);
        assert_eq!(instance.call("path_open", &args, &PLAIN).expect("a call"), undergo::Value::Int(0));
        let list = [4096_u32.to_le_bytes(), 100_u32.to_le_bytes()].concat();
        instance.write_memory(65600, &list).expect("memory");
        let fd = u32::from_le_bytes(instance.read_memory(OUT as u32, 4).expect("memory").try_into().expect("4 bytes"));
        instance.call("fd_read", &[fd.into(), 65600, 1, OUT].map(undergo::Value::Int), &PLAIN).expect("a call");
        assert_eq!(instance.read_memory(4096, 5).expect("memory"), b"x/sub");
    }
}

#[test]
fn standard_input_stays_the_file_that_was_given() {
    for on_fiber in [false, true] {
        let base = folders();
        let guest = on(on_fiber, options(base.path(), false), base);
        assert_eq!(guest.bytes(0, 3), Ok(b"inp".to_vec()));
        replace(&guest, "input", "../outside/name");
        for _ in 0..2 {
            guest.reset();
            // From its beginning, each time.
            assert_eq!(guest.bytes(0, 100), Ok(b"input".to_vec()));
        }
    }
}

#[test]
fn what_goes_wrong_is_told_without_a_second_try() {
    for on_fiber in [false, true] {
        let base = folders();
        let victim = base.path().join("outside/victim");
        fs::write(&victim, "precious").expect("a file");
        // To open a socket fails with a number that preview 1 has, and not every library has one
        // for.
        let _socket = std::os::unix::net::UnixListener::bind(base.path().join("x/sub/victim")).expect("a socket");
        let guest = on(on_fiber, options(base.path(), false), base);
        replace(&guest, "sub", "../outside");
        for how in [0, CREATE, TRUNCATE, CREATE | TRUNCATE] {
            assert!(guest.open(SUB, "victim", how, RIGHT_READ | RIGHT_WRITE, 0).is_err());
        }
        assert_eq!(fs::read_to_string(victim).expect("a file"), "precious");
        assert_eq!(guest.open(SUB, "../outside/new", CREATE, RIGHT_WRITE, 0), Err(63));
        assert!(!guest.folder.path().join("outside/new").exists());
    }
}

#[test]
fn a_relative_path_is_that_of_the_moment_when_it_was_given() {
    // The working directory is the whole process's, so this test makes one of a thread of its own,
    // where the system has that.
    #[cfg(target_os = "linux")]
    std::thread::scope(|scope| {
        let test = || {
            // SAFETY: this thread alone has a working directory of its own from now on.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_FS) }, 0);
            let base = folders();
            std::env::set_current_dir(base.path().join("x")).expect("a folder");
            let mut options = quiet();
            options.sandbox.dirs = vec![("/x".into(), Dir { path: PathBuf::from("."), readonly: false })];
            options.sandbox.stdin = Input::File(PathBuf::from("input"));
            let guest = on(false, options, base);
            std::env::set_current_dir(guest.folder.path().join("outside")).expect("a folder");
            guest.reset();
            assert_eq!((read(&guest, X, "name"), guest.bytes(0, 9)), (Err(44), Ok(b"input".to_vec())));
        };
        scope.spawn(test).join().expect("no panic");
    });
}

#[test]
fn what_can_not_be_opened_is_told_at_once() {
    let base = folders();
    for change in [
        |options: &mut InstanceOptions| options.sandbox.dirs[1].1.path.push("none"),
        |options: &mut InstanceOptions| options.sandbox.dirs[1].1.path.push("name"),
        |options: &mut InstanceOptions| options.sandbox.stdin = Input::File("/none".into()),
        |options: &mut InstanceOptions| options.sandbox.stdin = Input::File("/".into()),
        |options: &mut InstanceOptions| {
            options.sandbox.temp = true;
            options.sandbox.dirs[1].0 = "/tmp/".into();
        },
    ] {
        let mut options = options(base.path(), false);
        change(&mut options);
        let denied = wrappers().pool(PoolOptions::new(1, options.clone())).map(drop).expect_err("a pool");
        expect(&denied, ErrorKind::Denied, &[]);
        assert_eq!(wrappers().instantiate(options).map(drop).expect_err("an instance").message(), denied.message());
    }
}
