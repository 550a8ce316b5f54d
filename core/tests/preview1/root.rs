//! What a guest sees where it is given no directory, and its folder for temporary files.

use std::fs;
use std::path::PathBuf;

use undergo::{Dir, InstanceOptions};

use crate::args;
use crate::common::quiet;
use crate::guest::{Arg, BUFFER, CREATE, DIRECTORY, EXCLUSIVE, FOLLOW, Guest, OUT, RIGHT_READ, RIGHT_WRITE, TRUNCATE, go, made, on};

const ROOT: i64 = 3;
const READ_WRITE: i64 = RIGHT_READ | RIGHT_WRITE;
const BADF: i64 = 8;
const EXIST: i64 = 20;
const INVAL: i64 = 28;
const NOENT: i64 = 44;
const NOTDIR: i64 = 54;
const PERM: i64 = 63;

/// As a program of Go, which looks for the root behind all else.
fn each_go_way(change: impl Fn(&mut InstanceOptions), test: impl Fn(&Guest)) {
    for on_fiber in [false, true] {
        let mut options = quiet();
        change(&mut options);
        test(&made(go(), on_fiber, options, tempfile::tempdir().expect("a folder")));
    }
}

fn each_way(change: impl Fn(&mut InstanceOptions), test: impl Fn(&Guest)) {
    for on_fiber in [false, true] {
        let mut options = quiet();
        change(&mut options);
        test(&on(on_fiber, options, tempfile::tempdir().expect("a folder")));
    }
}

fn name(guest: &Guest, dir: i64) -> Option<String> {
    (guest.call("fd_prestat_get", &args![dir, OUT]) == 0).then(|| {
        let len = guest.word(OUT + 4);
        assert_eq!(guest.call("fd_prestat_dir_name", &args![dir, BUFFER, len]), 0);
        String::from_utf8(guest.read(BUFFER, len as usize)).expect("text")
    })
}

fn kind(guest: &Guest, dir: i64, path: &str) -> Result<u8, i64> {
    match guest.call("path_filestat_get", &args![dir, FOLLOW, path, OUT]) {
        0 => Ok(guest.read(OUT + 16, 1)[0]),
        said => Err(said),
    }
}

/// The names in a directory, but those of itself and of the one above.
fn list(guest: &Guest, dir: i64) -> Vec<String> {
    assert_eq!(guest.call("fd_readdir", &args![dir, BUFFER, 8192, 0, OUT]), 0);
    let (used, mut at, mut names) = (guest.word(OUT), 0, Vec::new());
    while at + 24 <= used {
        let len = guest.word(BUFFER + at + 16);
        names.push(String::from_utf8(guest.read(BUFFER + at + 24, len as usize)).expect("text"));
        at += 24 + len;
    }
    assert_eq!(names[..2], [".", ".."]);
    names.split_off(2)
}

#[test]
fn without_a_directory_there_is_an_empty_root() {
    each_go_way(
        |_| {},
        |guest| {
            assert_eq!((name(guest, ROOT).as_deref(), name(guest, ROOT + 1)), (Some("/"), None));
            assert_eq!(list(guest, ROOT), [""; 0]);
            for missing in ["config.yaml", "etc/app/config.yaml", "dev/none", "tmp/x", "data"] {
                assert_eq!(guest.open(ROOT, missing, 0, RIGHT_READ, 0), Err(NOENT), "{missing}");
                assert_eq!(kind(guest, ROOT, missing), Err(NOENT));
                for function in ["path_unlink_file", "path_remove_directory"] {
                    assert_eq!(guest.call(function, &args![ROOT, missing]), NOENT, "{function}");
                }
                assert_eq!(guest.call("path_readlink", &args![ROOT, missing, BUFFER, 9, OUT]), NOENT);
                assert_eq!(guest.call("path_rename", &args![ROOT, missing, ROOT, "x"]), NOENT);
                assert_eq!(guest.call("path_link", &args![ROOT, 0, missing, ROOT, "x"]), NOENT);
                assert_eq!(guest.call("path_filestat_set_times", &args![ROOT, 0, missing, 0, 0, 5]), NOENT);
            }
            // What would be made in it is refused; further down there is nothing to make it in.
            for (path, said) in [("new", PERM), ("dev/new", PERM), ("etc/new", NOENT), ("../new", PERM), ("/new", PERM), ("", NOENT)] {
                assert_eq!(guest.open(ROOT, path, CREATE, READ_WRITE, 0), Err(said), "{path}");
                assert_eq!(guest.call("path_create_directory", &args![ROOT, path]), said, "{path}");
                assert_eq!(guest.call("path_symlink", &args!["x", ROOT, path]), said, "{path}");
            }
            for (path, inner) in [(".", "."), ("./", "dev/.."), ("dev", "null/.."), ("dev/../dev/.", ".")] {
                let dir = guest.open(ROOT, path, DIRECTORY, RIGHT_READ, 0).expect("a directory");
                assert_eq!((kind(guest, dir, inner), kind(guest, dir, "..")), (Ok(3), Err(PERM)));
                assert_eq!(guest.call("path_create_directory", &args![ROOT, path]), EXIST);
                assert_eq!(guest.call("path_remove_directory", &args![ROOT, path]), PERM);
                assert_eq!(guest.call("fd_close", &args![dir]), 0);
            }
            assert_eq!(guest.open(ROOT, ".", 0, READ_WRITE, 0), Err(31));
        },
    );
}

#[test]
fn the_null_device_is_always_there() {
    let folder = tempfile::tempdir().expect("a folder");
    for given in [None, Some(folder.path())] {
        let give = |options: &mut InstanceOptions| {
            options.sandbox.dirs.extend(given.map(|path| ("/".to_owned(), Dir { path: path.to_owned(), readonly: true })));
        };
        each_go_way(give, |guest| {
            assert_eq!(kind(guest, ROOT, "dev/null"), Ok(2));
            let null = guest.open(ROOT, "dev/null", CREATE | TRUNCATE, READ_WRITE, 1).expect("a device");
            assert_eq!(guest.call("fd_write", &[null.into(), Arg::Write(b"nothing"), OUT.into()]), 0);
            assert_eq!((guest.word(OUT), guest.bytes(null, 9)), (7, Ok(Vec::new())));
            for (function, args) in [
                ("fd_fdstat_get", &args![null, OUT][..]),
                ("fd_filestat_get", &args![null, OUT]),
                ("fd_seek", &args![null, 5, 0, OUT]),
                ("fd_tell", &args![null, OUT]),
                ("fd_fdstat_set_flags", &args![null, 4]),
            ] {
                assert_eq!(guest.call(function, args), 0, "{function}");
            }
            assert_eq!(guest.call("fd_filestat_set_size", &args![null, 5]), INVAL);
            assert_eq!(guest.open(ROOT, "dev/null", CREATE | EXCLUSIVE, READ_WRITE, 0), Err(EXIST));
            assert_eq!(guest.open(ROOT, "dev/null", DIRECTORY, RIGHT_READ, 0), Err(NOTDIR));
            assert_eq!(guest.call("path_unlink_file", &args![ROOT, "dev/null"]), PERM);
            let reader = guest.open(ROOT, "dev/null", 0, RIGHT_READ, 0).expect("a device");
            assert_eq!(guest.call("fd_write", &[reader.into(), Arg::Write(b"x"), OUT.into()]), BADF);
            assert_eq!(guest.call("fd_close", &args![null]), 0);
            assert_eq!(guest.call("fd_close", &args![null]), BADF);
        });
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn given_directories_are_seen_in_the_root() {
    let folder = tempfile::tempdir().expect("a folder");
    for inner in ["one", "two"] {
        fs::create_dir(folder.path().join(inner)).expect("a folder");
        fs::write(folder.path().join(inner).join("name"), inner).expect("a file");
    }
    let give = |options: &mut InstanceOptions| {
        for (name, inner, readonly) in [("/data/one", "one", true), ("/data/one/two", "two", false)] {
            options.sandbox.dirs.push((name.to_owned(), Dir { path: folder.path().join(inner), readonly }));
        }
    };
    each_go_way(give, |guest| {
        // The working directory of Go is the first that is given, so the root comes last.
        let root = 5;
        assert_eq!(name(guest, root).as_deref(), Some("/"));
        assert_eq!(list(guest, root), ["data"]);
        let data = guest.open(root, "data", DIRECTORY, RIGHT_READ, 0).expect("a directory");
        assert_eq!(list(guest, data), ["one"]);
        for (dir, path, expected) in [(root, "data/one/name", "one"), (data, "one/two/name", "two"), (data, "one/../one/./name", "one")] {
            let file = guest.open(dir, path, 0, RIGHT_READ, 0).expect("a file");
            assert_eq!(guest.bytes(file, 9), Ok(expected.into()), "{path}");
        }
        assert_eq!(guest.open(root, "data/one/new", CREATE, READ_WRITE, 0), Err(PERM));
        assert_eq!(kind(guest, root, "data/one/name/"), Err(NOTDIR));
        assert_eq!(guest.open(root, "data/one/two/../../../..", 0, RIGHT_READ, 0), Err(PERM));
        assert_eq!(
            (kind(guest, root, "data/one"), kind(guest, root, "data/none"), kind(guest, data, "..")),
            (Ok(3), Err(NOENT), Err(PERM))
        );
    });
}

#[test]
fn a_root_does_not_stand_in_the_way_of_one_that_is_given() {
    for (given, is_added) in [("/", false), ("//.", false), (".", true), ("", true), ("/data", true), ("data", true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let give = |options: &mut InstanceOptions| {
            options.sandbox.dirs = vec![(given.to_owned(), Dir { path: folder.path().into(), readonly: false })];
        };
        each_way(give, |guest| assert_eq!(name(guest, 4), None));
        each_go_way(give, |guest| {
            assert_eq!((name(guest, 3).as_deref(), name(guest, 4).is_some()), (Some(given), is_added), "{given}");
        });
    }
}

#[test]
fn a_folder_for_temporary_files_is_gone_with_its_guest() {
    each_go_way(
        |options| options.sandbox.temp = true,
        |guest| {
            let made = || {
                fs::read_dir(std::env::temp_dir())
                    .expect("a folder")
                    .filter_map(|entry| {
                        let path = entry.expect("an entry").path();
                        path.file_name()
                            .and_then(|name| name.to_str())
                            .is_some_and(|name| name.starts_with(&format!("undergo-{}-", std::process::id())))
                            .then_some(path)
                    })
                    .filter(|path| path.join("marker").exists())
                    .collect::<Vec<PathBuf>>()
            };
            assert_eq!((name(guest, 3).as_deref(), name(guest, 4).as_deref()), (Some("/tmp"), Some("/")));
            assert_eq!(list(guest, 4), ["tmp"]);
            guest.open(4, "tmp/marker", CREATE, READ_WRITE, 0).expect("a file");
            assert_eq!((list(guest, 3), made().len()), (vec!["marker".to_owned()], 1));
            let path = made().remove(0);
            assert_eq!(guest.call("path_create_directory", &args![3, "deep"]), 0);
            assert_eq!(guest.call("path_symlink", &args!["..", 3, "deep/link"]), 0);
            guest.reset();
            assert_eq!((path.exists(), list(guest, 3)), (false, Vec::new()));
        },
    );
}
