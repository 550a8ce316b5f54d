//! Unix sockets that rules name, where the guest may change what is around them: it reaches none
//! but those in the directories that were there at the start.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use undergo::Dir;

use crate::guest::{DATAGRAM, Guest, OK, STREAM, UNIX, options, second};

const LOOP: i64 = 32;
const NOENT: i64 = 44;
const ACCES: i64 = 2;

/// Says who it is to everybody who connects.
fn serve(path: &Path, text: &'static str) {
    let listener = UnixListener::bind(path).expect("a socket");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = (&stream).write_all(text.as_bytes());
        }
    });
}

fn folders() -> tempfile::TempDir {
    let base = tempfile::tempdir().expect("a folder");
    for folder in ["x/run", "etc"] {
        fs::create_dir_all(base.path().join(folder)).expect("a folder");
    }
    serve(&base.path().join("other.sock"), "other");
    serve(&base.path().join("etc/app.sock"), "other");
    serve(&base.path().join("x/run/app.sock"), "app");
    base
}

fn guest(base: &Path, rules: &[&str]) -> Guest {
    let rules: Vec<String> = rules.iter().map(|rule| rule.replace("BASE", base.to_str().expect("text"))).collect();
    let mut options = options(&rules.iter().map(String::as_str).collect::<Vec<_>>());
    options.sandbox.dirs = vec![("/x".to_owned(), Dir { path: base.join("x"), readonly: false })];
    Guest::with(second(), options)
}

fn connect(guest: &Guest, path: &Path) -> Result<Vec<u8>, i64> {
    let fd = guest.open(UNIX, STREAM);
    let [at, port] = guest.unix(path.to_str().expect("text"));
    match guest.call("sock_connect", &[fd, at, port]) {
        OK => Ok(guest.reads(fd)),
        said => Err(said),
    }
}

#[test]
fn a_link_in_the_place_of_a_socket_is_not_followed() {
    let base = folders();
    let guest = guest(base.path(), &["connect=unix:BASE/x/run/app.sock"]);
    let app = base.path().join("x/run/app.sock");
    assert_eq!(connect(&guest, &app), Ok(b"app".to_vec()));
    assert_eq!(connect(&guest, &base.path().join("other.sock")), Err(ACCES));
    fs::rename(&app, base.path().join("x/run/gone")).expect("a socket");
    for target in ["../../other.sock", "/proc/self/fd/0", "gone"] {
        symlink(target, &app).expect("a link");
        assert_eq!(connect(&guest, &app), Err(LOOP), "{target}");
        fs::remove_file(&app).expect("a link");
    }
    assert_eq!(connect(&guest, &app), Err(NOENT));
    fs::write(&app, "").expect("a file");
    assert_eq!(connect(&guest, &app), Err(14), "no socket at all");
    fs::remove_file(&app).expect("a file");
    // A server that begins anew is reached.
    serve(&app, "again");
    assert_eq!(connect(&guest, &app), Ok(b"again".to_vec()));
}

#[test]
fn the_directory_of_a_socket_stays_the_one_that_it_was() {
    let base = folders();
    let guest = guest(base.path(), &["connect=unix:BASE/x/run/app.sock", "listen=unix:BASE/x/run/own.sock"]);
    fs::rename(base.path().join("x/run"), base.path().join("x/gone")).expect("a folder");
    symlink("../etc", base.path().join("x/run")).expect("a link");
    for _ in 0..2 {
        if cfg!(target_os = "linux") {
            assert_eq!(connect(&guest, &base.path().join("x/run/app.sock")), Ok(b"app".to_vec()));
        } else {
            assert_eq!(connect(&guest, &base.path().join("x/run/app.sock")), Err(ACCES));
        }
        let _ended = fs::remove_file(base.path().join("x/gone/own.sock"));
        for kind in [STREAM, DATAGRAM] {
            let fd = guest.open(UNIX, kind);
            let [at, port] = guest.unix(base.path().join("x/run/own.sock").to_str().expect("text"));
            let said = guest.call("sock_bind", &[fd, at, port]);
            // Datagrams are answered by the path, so that has to lead there.
            assert_eq!(said, if kind == STREAM && cfg!(target_os = "linux") { OK } else { ACCES });
        }
        assert!(!base.path().join("etc/own.sock").exists());
        guest.instance.reset(&crate::common::PLAIN).expect("a reset");
    }
}

#[test]
fn a_socket_is_known_by_the_path_of_its_rule() {
    let base = folders();
    // As long as a path may be, of which the name is most.
    let name = "n".repeat(107 - base.path().to_str().expect("text").len() - "/x//".len() - 1);
    for name in ["own.sock", &name] {
        let path = base.path().join("x").join(name);
        let rules = ["listen", "connect"].map(|action| format!("{action}=unix:{}", path.display()));
        let guest = guest(base.path(), &[&rules[0], &rules[1]]);
        let listener = guest.open(UNIX, STREAM);
        let [at, port] = guest.unix(path.to_str().expect("text"));
        assert_eq!(guest.call("sock_bind", &[listener, at, port]), OK, "{name}");
        guest.ok("sock_listen", &[listener, 5]);
        let mut client = UnixStream::connect(&path).expect("the host");
        let (said, accepted) = guest.accept(listener).expect("a call");
        assert_eq!((said, guest.write(accepted, b"hello")), (OK, OK));
        let mut text = [0; 5];
        client.read_exact(&mut text).expect("bytes");
        assert_eq!(&text, b"hello");
        for fd in [listener, accepted] {
            guest.ok("sock_getlocaladdr", &[fd, guest.room(), crate::guest::RESULT.into()]);
            let whole = guest.bytes(crate::guest::ADDRESS, 128);
            assert_eq!(&whole[2..2 + path.as_os_str().len()], path.to_str().expect("text").as_bytes());
        }
    }
}

/// A guest with a writable directory changes where a path leads all the time, while another one
/// binds there.
#[test]
fn a_guest_that_moves_directories_moves_no_socket() {
    const ROUNDS: usize = 300;
    let base = folders();
    let victim = guest(base.path(), &["listen=unix:BASE/x/run/own.sock"]);
    let mover = guest(base.path(), &[]);
    let path = base.path().join("x/run/own.sock");
    thread::scope(|scope| {
        let moves = scope.spawn(|| {
            let names = crate::guest::BYTES;
            mover.put(names, b"rungone../etc");
            let [run, gone, etc] = [(0, 3), (3, 4), (7, 6)].map(|(at, len)| [i64::from(names) + at, len]);
            let rename =
                |[from, from_len]: [i64; 2], [to, to_len]: [i64; 2]| mover.call("path_rename", &[3, from, from_len, 3, to, to_len]);
            for _ in 0..ROUNDS {
                assert_eq!(rename(run, gone), OK);
                assert_eq!(mover.call("path_symlink", &[etc[0], etc[1], 3, run[0], run[1]]), OK);
                // Over the link.
                assert_eq!(mover.call("path_unlink_file", &[3, run[0], run[1]]), OK);
                assert_eq!(rename(gone, run), OK);
            }
        });
        let mut bound = 0;
        while !moves.is_finished() {
            let fd = victim.open(UNIX, DATAGRAM);
            let [at, port] = victim.unix(path.to_str().expect("text"));
            match victim.call("sock_bind", &[fd, at, port]) {
                OK => bound += 1,
                ACCES | NOENT => {}
                other => panic!("errno {other}"),
            }
            victim.ok("fd_close", &[fd]);
            assert!(!base.path().join("etc/own.sock").exists(), "after {bound} that were bound where they should be");
            for folder in ["run", "gone"] {
                let _not_there = fs::remove_file(base.path().join("x").join(folder).join("own.sock"));
            }
        }
        moves.join().expect("no panic");
    });
}
