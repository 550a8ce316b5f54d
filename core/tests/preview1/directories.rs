//! How directories are read, piece by piece.

use std::fs;

use crate::args;
use crate::effects::{DIRECTORY, REGULAR, SYMLINK, each_way, ok};
use crate::guest::{self, BUFFER, DATA, Guest, OUT, READ_ONLY, RIGHT_READ, SUB};

/// All entries of a directory, by reads of so many bytes.
fn entries(guest: &Guest, directory: i64, room: i64) -> Vec<(String, i64)> {
    let (mut found, mut cookie) = (Vec::new(), 0);
    loop {
        ok(guest, "fd_readdir", &args![directory, BUFFER, room, cookie, OUT]);
        let used = guest.word(OUT);
        let mut at = 0;
        while at + 24 <= used {
            let len = guest.word(BUFFER + at + 16);
            if at + 24 + len > used {
                break;
            }
            cookie = guest.long(BUFFER + at);
            let name = guest.read(BUFFER + at + 24, len as usize);
            found.push((String::from_utf8(name).expect("text"), i64::from(guest.read(BUFFER + at + 20, 1)[0])));
            at += 24 + len;
        }
        // A buffer that is not full has the last of them.
        if used < room {
            found.sort();
            return found;
        }
        assert!(at > 0, "there is no room for a single entry");
    }
}

#[test]
fn directories_are_read_in_pieces_of_any_size() {
    each_way(|guest| {
        let expected: Vec<(String, i64)> = [
            (".", DIRECTORY),
            ("..", DIRECTORY),
            ("absolute", SYMLINK),
            ("dangling", SYMLINK),
            ("empty", DIRECTORY),
            ("file.txt", REGULAR),
            ("link", SYMLINK),
            ("loop-a", SYMLINK),
            ("loop-b", SYMLINK),
            ("out", SYMLINK),
            ("sub", DIRECTORY),
            ("to-sub", SYMLINK),
            ("up", SYMLINK),
        ]
        .map(|(name, kind)| (name.to_owned(), kind))
        .into();
        for directory in [DATA, READ_ONLY] {
            for room in [8192, 100, 33] {
                assert_eq!(entries(guest, directory, room), expected, "{room}");
            }
        }
        assert_eq!(entries(guest, SUB, 64).len(), 3);
    });
}

#[test]
fn a_directory_is_read_as_it_was_when_that_began() {
    const FILES: usize = 2000;
    each_way(|guest| {
        let many = guest.folder.path().join("data/empty");
        for number in 0..FILES {
            fs::write(many.join(format!("{number:04}")), "").expect("a file");
        }
        let directory = guest.open(DATA, "empty", guest::DIRECTORY, RIGHT_READ, 0).expect("a directory");
        let other = guest.open(DATA, "sub", guest::DIRECTORY, RIGHT_READ, 0).expect("a directory");
        let next = |directory: i64, cookie: i64| {
            ok(guest, "fd_readdir", &args![directory, BUFFER, 64, cookie, OUT]);
            (guest.word(OUT), guest.long(BUFFER))
        };
        // By small pieces, with another directory in between, and while what was found is removed.
        let (mut cookie, mut found) = (0, 0);
        loop {
            let (used, following) = next(directory, cookie);
            if used == 0 {
                break;
            }
            let len = guest.word(BUFFER + 16) as usize;
            let name = String::from_utf8(guest.read(BUFFER + 24, len)).expect("text");
            if !name.starts_with('.') {
                ok(guest, "path_unlink_file", &args![DATA, format!("empty/{name}").as_str()]);
                found += 1;
            }
            cookie = following;
            assert!(next(other, 0).0 > 0 && next(other, 1).0 > 0);
        }
        assert_eq!((found, fs::read_dir(&many).expect("a folder").count()), (FILES, 0));
        // From its beginning it is read anew, and so is another that takes its number.
        assert_eq!(entries(guest, directory, 64).len(), 2);
        assert_eq!(next(directory, 0).0, 51);
        ok(guest, "fd_renumber", &args![other, directory]);
        assert_eq!(next(directory, 2).0, 24 + "inner.txt".len() as i64);
        // Behind the end there is nothing, whatever the number.
        assert_eq!([3, i64::MAX, -1].map(|cookie| next(directory, cookie).0), [0, 0, 0]);
    });
}
