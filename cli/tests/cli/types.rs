//! Whether docs/types.md says what `bindgen` writes: each row of its first table, in each language.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{folder, undergo};

/// The columns behind those of Go and WIT, and how the function `v` of a number begins in them.
const LANGUAGES: [(&str, &str); 8] = [
    ("python", "def v#("),
    ("ts", "\n  v#("),
    ("c", "rows_v#("),
    ("rust", "pub fn v#("),
    ("java", " v#("),
    ("kotlin", "fun v#("),
    ("ruby", "def v#("),
    ("go", ") V#("),
];

/// What has a name of its own wherever it has a type.
const DECLARED: [(&str, &str); 7] = [
    ("Person", "Person"),
    ("Employee", "Employee"),
    ("Pair[string, int]", "PairStringInt"),
    ("Color", "Color"),
    ("Shape", "Shape"),
    ("*Shape", "Shape"),
    ("Tree", "Tree"),
];

/// Words of the table, and how a signature writes them.
const WORDS: [(&str, &str); 3] = [("true", "bool"), ("Array", "[Float, Float]"), ("[]byte", "[]uint8")];

/// What stands between backquotes.
fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// A row of the table: its cells. A bar within one is escaped.
fn cells(row: &str) -> Vec<String> {
    row.replace("\\|", "\u{1}").trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// The declaration of the function of that number.
fn signature<'t>(text: &'t str, language: &str, begin: &str, number: usize) -> &'t str {
    let begin = begin.replace('#', &number.to_string());
    let at = text.find(&begin).unwrap_or_else(|| panic!("{begin} is not in what was written for {language}"));
    // In Ruby the types stand in the line above.
    let from = if language == "ruby" { text[..at].rfind("#: ").unwrap_or(at) } else { at };
    let end = if language == "c" { ") {" } else { "\n" };
    let len = text[at + 1..].find(end).map_or(text.len() - from, |len| at + 1 + len - from);
    &text[from..from + len]
}

#[test]
fn the_table_of_types_is_what_bindgen_writes() {
    let doc = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/types.md")).expect("the document");
    let (values, _) = doc.split_once("\n## Functions\n").expect("a section of functions");
    let (_, code) = values.split_once("```go\n").expect("declarations");
    let (declared, table) = code.split_once("```").expect("their end");
    // Nothing here fails.
    let (declared, _) = declared.split_once("//undergo:error").expect("an error");
    let rows: Vec<Vec<String>> = table.lines().filter(|line| line.starts_with("| `")).map(cells).collect();
    let mut source =
        "package main\n\nimport (\n\t\"encoding/json\"\n\t\"math/big\"\n\t\"net/netip\"\n\t\"net/url\"\n\t\"time\"\n)\n\n".to_owned();
    source.push_str(declared);
    source.push_str("\nfunc main() {}\n");
    for (number, row) in rows.iter().enumerate() {
        let go = codes(&row[0])[0];
        let _ = writeln!(source, "\n//undergo:export\nfunc V{number}(x {go}) {go} {{ return x }}");
    }
    let dir = folder(&[("main.go", &source), ("go.mod", "module example.com/rows\n\ngo 1.24\n")]);
    undergo(dir.path(), &["build", ".", "-o", "rows.wasm"]).ok();
    let mut checked = 0;
    for (column, (language, begin)) in LANGUAGES.into_iter().enumerate() {
        let text = undergo(dir.path(), &["bindgen", "rows.wasm", "--lang", language]).ok();
        for (number, row) in rows.iter().enumerate() {
            let (go, cell) = (codes(&row[0])[0], &row[column + 2]);
            let signature = signature(&text, language, begin, number);
            let found = codes(cell);
            // What is said in words alone, or by another row, is not compared.
            if found.is_empty() || cell.starts_with("as ") {
                continue;
            }
            checked += 1;
            let words = WORDS.iter().filter(|(word, _)| found.contains(word)).map(|(_, written)| *written);
            let own = DECLARED.iter().filter(|(of, _)| *of == go).map(|(_, name)| *name);
            let mut all = found.iter().copied().chain(words).chain(own);
            assert!(all.any(|code| signature.contains(code)), "{language}, {go}: {cell:?} is not in {signature:?}");
        }
    }
    assert!(rows.len() > 40 && checked > 250, "{checked} cells of {} rows were compared", rows.len());
}
