//! What a guest reaches that tries to get beyond its sandbox.

use std::fs;
use std::path::Path;

use crate::common::hostile_guest::{self, options, plugin};
use crate::common::{self, PLAIN, expect};
use undergo::{Dir, ErrorKind, Instance, Value};

/// A folder with a secret beside the folder that is given.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("given")).expect("a folder");
    fs::write(folder.path().join("secret.txt"), "secret").expect("a file");
    fs::write(folder.path().join("given/a.txt"), "a").expect("a file");
    folder
}

fn start(folder: &Path, readonly: bool) -> Instance {
    let mut options = options(None);
    options.sandbox.dirs = vec![("/data".into(), Dir { path: folder.join("given"), readonly })];
    plugin().instantiate(options).expect("an instance")
}

fn files(instance: &Instance, what: &str, path: &str, other: &str) -> undergo::Result<Value> {
    instance.call("files", &[what.into(), path.into(), other.into()], &PLAIN)
}

#[test]
fn nothing_is_given_by_default() {
    let instance = plugin().instantiate(common::quiet()).map(drop).expect_err("its host functions are missing");
    expect(&instance, ErrorKind::MissingImport, &["host.do"]);
    let mut options = common::quiet();
    hostile_guest::host(&mut options, |_, _| Ok("".into()));
    let instance = plugin().instantiate(options).expect("an instance");
    let empty = Value::List(vec![Value::List(vec![]), Value::List(vec![])]);
    assert_eq!(instance.call("environment", &[], &PLAIN).expect("a call"), empty);
    for path in ["/", ".", "/etc/passwd", "/proc/self/environ", "/dev/null", "../../../etc/passwd"] {
        for what in ["read", "write", "list", "mkdir", "remove"] {
            let done = files(&instance, what, path, "x");
            match (what, path) {
                // An empty root that can only be read, and what is nothing.
                ("list", "/" | ".") => assert_eq!(done.expect(path), "[]".into()),
                ("read" | "write", "/dev/null") => assert_eq!(done.expect(path), "".into()),
                _ => expect(&done.expect_err(what), ErrorKind::GuestError, &[]),
            }
        }
    }
    assert!(instance.dead().is_none());
}

#[test]
fn a_directory_is_not_left_by_dots_or_links() {
    let folder = folder();
    let secret = folder.path().join("secret.txt");
    let instance = start(folder.path(), false);
    assert_eq!(files(&instance, "read", "/data/a.txt", "").expect("a file"), "a".into());
    files(&instance, "write", "/data/b.txt", "b").expect("a file");
    assert_eq!(fs::read_to_string(folder.path().join("given/b.txt")).expect("a file"), "b");
    #[cfg(unix)]
    {
        // One that the host has there, to a file and to a folder, absolute and relative.
        std::os::unix::fs::symlink(&secret, folder.path().join("given/absolute")).expect("a link");
        std::os::unix::fs::symlink("../secret.txt", folder.path().join("given/relative")).expect("a link");
        std::os::unix::fs::symlink("..", folder.path().join("given/up")).expect("a link");
    }
    // And those that the guest makes itself.
    for (target, link) in [("../secret.txt", "/data/mine"), ("/secret.txt", "/data/root"), ("..", "/data/parent")] {
        let _made_or_refused = files(&instance, "symlink", target, link);
    }
    let beyond = [
        "/data/../secret.txt",
        "/secret.txt",
        "/data/absolute",
        "/data/relative",
        "/data/up/secret.txt",
        "/data/mine",
        "/data/root",
        "/data/parent/secret.txt",
        "/data/./../given/../secret.txt",
        secret.to_str().expect("a path"),
    ];
    for path in beyond {
        for what in ["read", "append", "truncate"] {
            expect(&files(&instance, what, path, "x").expect_err(path), ErrorKind::GuestError, &[]);
        }
        let _refused = files(&instance, "rename", path, "/data/stolen");
        let _refused = files(&instance, "link", path, "/data/linked");
        for stolen in ["/data/stolen", "/data/linked"] {
            assert_ne!(files(&instance, "read", stolen, "").ok(), Some("secret".into()), "{path}");
        }
    }
    files(&instance, "rename", "/data/a.txt", "/data/../moved.txt").expect_err("a place beyond");
    assert!(!folder.path().join("moved.txt").exists());
    assert_eq!(fs::read_to_string(&secret).expect("it is there"), "secret");
}

#[test]
fn a_readonly_directory_is_not_written() {
    let folder = folder();
    let instance = start(folder.path(), true);
    assert_eq!(files(&instance, "read", "/data/a.txt", "").expect("a file"), "a".into());
    for (what, path, other) in [
        ("write", "/data/a.txt", "x"),
        ("write", "/data/new.txt", "x"),
        ("append", "/data/a.txt", "x"),
        ("truncate", "/data/a.txt", ""),
        ("remove", "/data/a.txt", ""),
        ("rename", "/data/a.txt", "/data/b.txt"),
        ("mkdir", "/data/folder", ""),
        ("link", "/data/a.txt", "/data/b.txt"),
        ("symlink", "a.txt", "/data/b.txt"),
    ] {
        expect(&files(&instance, what, path, other).expect_err(what), ErrorKind::GuestError, &[]);
    }
    let names: Vec<_> =
        fs::read_dir(folder.path().join("given")).expect("the folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["a.txt"]);
    assert_eq!(fs::read_to_string(folder.path().join("given/a.txt")).expect("it is there"), "a");
}

#[test]
fn of_directories_within_each_other_the_innermost_counts() {
    let folder = folder();
    for (name, content) in [("outer", "outer"), ("inner", "inner"), ("root", "root")] {
        fs::create_dir_all(folder.path().join(name).join("sub")).expect("a folder");
        fs::write(folder.path().join(name).join("who.txt"), content).expect("a file");
        fs::write(folder.path().join(name).join("sub/who.txt"), format!("{content}, sub")).expect("a file");
    }
    let dir = |name: &str, readonly| Dir { path: folder.path().join(name), readonly };
    // In any order.
    let mut dirs = vec![("/".into(), dir("root", false)), ("/data/sub".into(), dir("inner", true)), ("/data".into(), dir("outer", false))];
    for _ in 0..3 {
        dirs.rotate_left(1);
        let mut options = options(None);
        options.sandbox.dirs = dirs.clone();
        let instance = plugin().instantiate(options).expect("an instance");
        for (path, expected) in [
            ("/who.txt", "root"),
            ("/sub/who.txt", "root, sub"),
            ("/data/who.txt", "outer"),
            ("/data/sub/who.txt", "inner"),
            ("/data/sub/sub/who.txt", "inner, sub"),
            ("/data/sub/../who.txt", "outer"),
            ("/data/../who.txt", "root"),
        ] {
            assert_eq!(files(&instance, "read", path, "").expect(path), expected.into(), "{path}");
        }
        files(&instance, "write", "/data/new.txt", "x").expect("a file");
        files(&instance, "write", "/data/sub/new.txt", "x").expect_err("it may only be read");
    }
}

#[test]
fn mistakes_with_files_are_those_of_other_systems() {
    let folder = folder();
    let instance = start(folder.path(), false);
    for (what, path, expected) in [
        ("read", "/data/none.txt", "no such file or directory"),
        ("read", "/data", "is a directory"),
        ("list", "/data/a.txt", "not a directory"),
        ("mkdir", "/data/a.txt", "file exists"),
        ("seek", "/data/a.txt", "invalid argument"),
    ] {
        let error = files(&instance, what, path, "").expect_err(what);
        assert!(error.message().to_lowercase().contains(expected), "{what}: {error}");
    }
    assert!(instance.dead().is_none());
}
