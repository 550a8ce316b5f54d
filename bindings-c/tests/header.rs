//! The header is the one that the sources make.
//! `UNDERGO_UPDATE_HEADER=1 cargo test -p undergo-c --test header` writes it.

use std::fs;
use std::path::Path;

#[test]
fn the_header_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is read");
    let mut made = Vec::new();
    cbindgen::generate_with_config(root, config).expect("the sources are read").write(&mut made);
    let made = String::from_utf8(made).expect("a header is text");
    // cbindgen puts the type's name before each number's, which is too much of it.
    let made = made
        .replace(" UNDERGO_KIND_T_", " UNDERGO_")
        .replace(" UNDERGO_SHAPE_T_", " UNDERGO_SHAPE_")
        .replace(" UNDERGO_VALUE_KIND_T_", " UNDERGO_VALUE_");
    let file = root.join("include/undergo.h");
    if std::env::var_os("UNDERGO_UPDATE_HEADER").is_some() {
        fs::write(&file, made).expect("the header is written");
        return;
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(made == committed, "include/undergo.h is not up to date: run 'make gen', and commit what it changes");
}
