//! The sources of a crate lie in levels, and a file imports from its own level and from lower ones
//! only. This reads the imports, and fails on each that points upwards. There are no exceptions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A crate, and its levels.
struct Crate {
    /// Its folder in the repository.
    folder: &'static str,
    /// The lowest first. Each is a folder or a file of `src`, or several that may import each
    /// other.
    levels: &'static [&'static [&'static str]],
}

const CRATES: [Crate; 1] = [Crate {
    folder: "core",
    levels: &[
        &["error"],
        &["platform"],
        &["config"],
        &["interface"],
        &["abi"],
        &["compile"],
        &["sched"],
        &["wasi"],
        &["guest"],
        &["call"],
        &["services"],
        &["plugin"],
        &["instance"],
        &["pool"],
        &["command.rs"],
        &["serve"],
        &["lib.rs"],
    ],
}];

/// Crates in which each file or folder of `src` is a level of its own, so that there are no circles
/// among them. The order is that of the picture in the documentation of the crate, which is in this
/// file of `src`.
const ORDERED: [(&str, &str); 6] = [
    ("bindings-c", "lib.rs"),
    ("bindings-node", "lib.rs"),
    ("bindings-python", "lib.rs"),
    ("bindings-ruby", "lib.rs"),
    ("bindings-uniffi", "lib.rs"),
    ("cli", "main.rs"),
];

#[test]
fn imports_point_downwards() {
    let mut wrong = String::new();
    let mut look = |folder: &str, levels: &[&[&str]]| {
        for complaint in check(&read(&repository().join(folder).join("src")), levels) {
            let _ = writeln!(wrong, "{folder}/src/{complaint}");
        }
    };
    for each in &CRATES {
        look(each.folder, each.levels);
    }
    for (folder, root) in ORDERED {
        let path = repository().join(folder).join("src").join(root);
        let text = fs::read_to_string(path).expect("the root of a crate");
        let names = documented_levels(&text).unwrap_or_else(|| panic!("{folder}/src/{root} has no picture of the levels"));
        let levels: Vec<[&str; 1]> = names.iter().rev().map(|name| [name.trim_end_matches('/')]).collect();
        look(folder, &levels.iter().map(<[_; 1]>::as_slice).collect::<Vec<_>>());
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_documentation_has_the_levels_in_their_order() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).expect("a document");
    let text = read("docs/architecture.md");
    for each in &CRATES {
        // The highest first.
        let mut levels: Vec<String> = each.levels.iter().copied().flatten().map(|name| shown(name)).collect();
        levels.reverse();
        let behind = format!("<!-- levels: {} -->", each.folder);
        match text.split_once(&behind) {
            Some((_, picture)) => assert_eq!(names_in(picture), levels, "docs/architecture.md, {}", each.folder),
            None => assert_ne!(each.folder, "core", "docs/architecture.md has no {behind}"),
        }
        if let Some(documented) = documented_levels(&read(&format!("{}/src/lib.rs", each.folder))) {
            assert_eq!(documented, levels, "{}/src/lib.rs", each.folder);
        }
    }
}

/// The names in the picture below the heading `# Levels` of a crate's documentation, the highest
/// first.
fn documented_levels(root: &str) -> Option<Vec<String>> {
    let lines = root.lines().map_while(|line| line.strip_prefix("//!"));
    let docs = lines.fold(String::new(), |docs, line| docs + line.strip_prefix(' ').unwrap_or(line) + "\n");
    docs.split_once("# Levels").map(|(_, picture)| names_in(picture))
}

/// A folder has a slash behind its name.
fn shown(name: &str) -> String {
    if name.ends_with(".rs") { name.to_owned() } else { format!("{name}/") }
}

/// The first words of the lines of the first picture in a text.
fn names_in(text: &str) -> Vec<String> {
    let picture = text.split("```").nth(1).unwrap_or_default();
    let lines = picture.lines().skip(1).filter(|line| line.starts_with(char::is_alphanumeric));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_files_that_the_documentation_names_are_there() {
    const FOLDERS: [&str; 6] = ["bindings-", "cli/", "conformance/", "core/", "go-guest-sdk/", "gowasm/"];
    let text = fs::read_to_string(repository().join("docs/architecture.md")).expect("docs/architecture.md");
    let is_path = |name: &&str| FOLDERS.iter().any(|folder| name.starts_with(folder)) && !name.contains(['*', ' ', '\n']);
    let gone: Vec<&str> = text.split('`').filter(is_path).filter(|path| !repository().join(path).exists()).collect();
    assert!(gone.is_empty(), "docs/architecture.md names {gone:?}");
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Source files by their path within `src`, with `/` between its parts.
type Files = BTreeMap<String, String>;

fn read(root: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                // Programs in `bin` are crates of their own.
                if path != root.join("bin") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("within").to_str().expect("a name").replace('\\', "/");
                files.insert(name, fs::read_to_string(&path).expect("a source file"));
            }
        }
    }
    files
}

/// What is wrong, each with the file and the line.
fn check(files: &Files, levels: &[&[&str]]) -> Vec<String> {
    let level = |top: &str| levels.iter().position(|names| names.contains(&top));
    let root = if files.contains_key("main.rs") { "main.rs" } else { "lib.rs" };
    // The folder or file at the top of `src` that a module lies in.
    let top = |first: &str| {
        let folder = format!("{first}/");
        let file = format!("{first}.rs");
        if files.keys().any(|path| path.starts_with(&folder)) {
            first.to_owned()
        } else if files.contains_key(&file) {
            file
        } else {
            // An item of the crate's root.
            root.to_owned()
        }
    };
    let mut wrong = Vec::new();
    for name in levels.iter().copied().flatten() {
        if !files.keys().any(|path| path.split('/').next() == Some(name)) {
            wrong.push(format!("{name}: there is no such file or folder, and it has a level"));
        }
    }
    for (path, text) in files {
        let own = path.split('/').next().unwrap_or(path);
        let Some(own_level) = level(own) else {
            wrong.push(format!("{path}: {own} has no level"));
            continue;
        };
        for (line, module) in imports(text, &module_of(path)) {
            let target = top(module.first().map_or("", String::as_str));
            if level(&target).is_some_and(|target| target > own_level) {
                wrong.push(format!("{path}:{line}: {own} -> {target} points upwards: crate::{}", module.join("::")));
            }
        }
    }
    wrong
}

/// The path of a file's module: `wasi/files/mod.rs` is `wasi::files`.
fn module_of(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] || parts == ["main"] {
        parts.pop();
    }
    parts
}

/// Each path in a file that begins with `crate`, `super` or `self`, resolved, with its line.
/// Comments and strings are skipped.
fn imports(text: &str, module: &[String]) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut module = module.to_vec();
    // For each open brace, whether it is that of a module within the file.
    let mut open = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (word, before) = (tokens[at].text, at.checked_sub(1).map_or("", |before| tokens[before].text));
        match word {
            "{" => {
                let name = at.checked_sub(2).filter(|name| tokens[*name].text == "mod").map(|name| tokens[name + 1].text);
                module.extend(name.map(str::to_owned));
                open.push(name.is_some());
            }
            "}" if open.pop() == Some(true) => {
                module.pop();
            }
            "crate" | "super" | "self" if before != "::" && tokens.get(at + 1).is_some_and(|next| next.text == "::") => {
                let mut prefix = if word == "crate" { Vec::new() } else { module.clone() };
                if word == "super" {
                    prefix.pop();
                }
                at = tree(&tokens, at + 2, prefix, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads what follows a `::`: a path, or several in braces. Gives where it ends.
fn tree(tokens: &[Token<'_>], mut at: usize, mut prefix: Vec<String>, found: &mut Vec<(usize, Vec<String>)>) -> usize {
    loop {
        let Some(Token { text, line }) = tokens.get(at).copied() else { return at };
        match text {
            "{" => {
                at += 1;
                while let Some(token) = tokens.get(at).filter(|token| token.text != "}") {
                    at = match token.text {
                        "," => at + 1,
                        // And the new name.
                        "as" => at + 2,
                        _ => tree(tokens, at, prefix.clone(), found).max(at + 1),
                    };
                }
                return at + 1;
            }
            "super" => {
                prefix.pop();
            }
            "self" | "*" => {}
            name if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => prefix.push(name.to_owned()),
            _ => return at,
        }
        at += 1;
        if tokens.get(at).is_none_or(|next| next.text != "::") {
            found.push((line, prefix));
            return at;
        }
        at += 1;
        // The arguments of a generic item end its path.
        if tokens.get(at).is_some_and(|next| next.text == "<") {
            found.push((line, prefix));
            return at;
        }
    }
}

#[derive(Clone, Copy)]
struct Token<'t> {
    text: &'t str,
    line: usize,
}

/// Words, `::`, and single characters; without comments and literals.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let rest = &text[at..];
        let len = match bytes[at] {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => block_comment(rest),
            b'"' => string(rest),
            b'\'' => quote(rest),
            b'r' | b'b' | b'c' if literal_prefix(rest).is_some() => literal_prefix(rest).unwrap_or(1),
            byte if byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii() => {
                let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()).max(1);
                all.push(Token { text: &rest[..len], line });
                len
            }
            byte if byte.is_ascii_whitespace() => 1,
            _ => {
                let len = if rest.starts_with("::") { 2 } else { 1 };
                all.push(Token { text: &rest[..len], line });
                len
            }
        };
        line += rest[..len].matches('\n').count();
        at += len;
    }
    all
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let step = match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a string that begins with its quote.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character, or that of the quote of a lifetime.
fn quote(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((behind, escaped))) => {
            let behind = behind + escaped.len_utf8();
            rest[behind..].find('\'').map_or(1, |end| behind + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

/// The length of a string or of a byte with letters before it; `None` for a word.
fn literal_prefix(rest: &str) -> Option<usize> {
    let letters = rest.find(|c| !matches!(c, 'r' | 'b' | 'c'))?;
    let behind = &rest[letters..];
    if letters > 2 {
        return None;
    }
    let is_raw = rest[..letters].contains('r');
    let hashes = behind.find(|c| c != '#')?;
    match behind.as_bytes()[hashes] {
        b'"' if is_raw => {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = letters + hashes + 1;
            Some(rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len()))
        }
        b'"' if hashes == 0 => Some(letters + string(behind)),
        b'\'' if hashes == 0 && rest.starts_with("b'") => Some(letters + quote(behind)),
        _ => None,
    }
}

mod of_the_check {
    use super::*;

    const LEVELS: &[&[&str]] = &[&["low"], &["middle.rs"], &["high", "higher"], &["lib.rs"]];

    fn complaints(changed: &[(&str, &str)]) -> Vec<String> {
        let mut files: Files = [
            ("low/mod.rs", "pub mod one;"),
            ("low/one.rs", "use super::Other; fn f() { crate::low::g::<u8>(); }"),
            (
                "middle.rs",
                "use crate::{low as l}; use crate::low::{self, one::{A, B as C}}; pub(crate) fn f<'a>(_: &'a str) -> char { '\"' }",
            ),
            ("high/mod.rs", "use crate::middle; use crate::higher::Lower; mod tests { use super::*; use super::super::low; }"),
            ("higher/mod.rs", "use crate::high::Upper;"),
            ("lib.rs", "mod high; mod higher; mod low; mod middle; pub use high::Upper; pub use crate::low::A;"),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect();
        for (path, text) in changed {
            files.insert((*path).to_owned(), (*text).to_owned());
        }
        check(&files, LEVELS)
    }

    #[test]
    fn what_points_downwards_is_right() {
        assert_eq!(complaints(&[]), [""; 0]);
        let in_comments = "/* crate::high::A */ // crate::high::A\n/// [`crate::high::A`]\nconst A: &[&str] = &[\"crate::high::A\", r#\"\" crate::high::A\"#];\n\
                           const B: [u8; 2] = [b'\\'', b'\"']; fn crate_() { let high = '\\u{41}'; }";
        assert_eq!(complaints(&[("low/one.rs", in_comments)]), [""; 0]);
    }

    #[test]
    fn what_points_upwards_is_found_wherever_it_stands() {
        let found = |path: &str, text: &str| complaints(&[(path, text)]);
        let wrong = "low -> high points upwards: crate::high";
        for (text, place, name) in [
            ("use crate::high::Upper;", 1, "::Upper"),
            ("\n\nuse crate::{\n    middle2::{X},\n    low::{one, two::{Three}},\n    high::inner::{Upper},\n};", 6, "::inner::Upper"),
            ("pub(crate) use crate::high::*;", 1, ""),
            ("fn f() -> u8 {\n    crate::high::f::<u8>(1)\n}", 2, "::f"),
            ("use super::super::high::A as B;", 1, "::A"),
            ("mod tests {\n  mod inner { use super::super::super::super::high::A; }\n}", 2, "::A"),
            ("#[cfg(test)]\nmod tests {\n    fn f() { g(\"{\"); }\n    use crate::high::A;\n}", 4, "::A"),
            ("macro_rules! m { () => { $crate::high::A } }", 1, "::A"),
            ("const A: char = '{'; use crate::high::A;", 1, "::A"),
        ] {
            let all = found("low/one.rs", text);
            assert!(all.iter().any(|said| said.starts_with(&format!("low/one.rs:{place}: {wrong}{name}"))), "{text}: {all:?}");
        }
        assert_eq!(found("middle.rs", "use super::high;"), ["middle.rs:1: middle.rs -> high points upwards: crate::high"]);
        // A file of its own level in a crate without folders, and what a program has at its top.
        let pair = |a: &str, b: &str| Files::from([("a.rs".to_owned(), a.to_owned()), ("b.rs".to_owned(), b.to_owned())]);
        let ordered: &[&[&str]] = &[&["a.rs"], &["b.rs"]];
        assert_eq!(check(&pair("", "use crate::a::A;"), ordered), [""; 0]);
        assert_eq!(check(&pair("use crate::b;", "use crate::a;"), ordered), ["a.rs:1: a.rs -> b.rs points upwards: crate::b"]);
        let program: Files =
            [("main.rs", "use crate::run;"), ("run.rs", "use crate::exit;")].map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        assert_eq!(check(&program, &[&["run.rs"], &["main.rs"]]), ["run.rs:1: run.rs -> main.rs points upwards: crate::exit"]);
        // What the crate exports lies at the top.
        assert_eq!(found("high/mod.rs", "use crate::Upper;"), ["high/mod.rs:1: high -> lib.rs points upwards: crate::Upper"]);
    }

    #[test]
    fn every_file_and_every_level_is_known() {
        assert_eq!(complaints(&[("other.rs", "")]), ["other.rs: other.rs has no level"]);
        assert_eq!(complaints(&[("new/mod.rs", "use crate::high;")]), ["new/mod.rs: new has no level"]);
        assert_eq!(check(&Files::new(), &[&["gone"]]), ["gone: there is no such file or folder, and it has a level"]);
    }

    #[test]
    fn files_are_read_from_all_folders() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("low/deep")).expect("a folder");
        fs::write(folder.path().join("low/deep/one.rs"), "use crate::high::A;").expect("a file");
        fs::write(folder.path().join("low/notes.txt"), "").expect("a file");
        fs::create_dir(folder.path().join("bin")).expect("a folder");
        fs::write(folder.path().join("bin/program.rs"), "").expect("a file");
        assert_eq!(read(folder.path()).into_keys().collect::<Vec<_>>(), ["low/deep/one.rs"]);
    }
}
