//! Sockets for Go's own package net: an overlay, in the sense of `go build -overlay`, over the
//! standard library's files.
//!
//! On wasip1 package net has a network that is only in the program's memory. The overlay puts the
//! code for Unix systems in its place, which the toolchain has beside it: those files are read from
//! there, and get another build constraint. What is ours is below them: the system calls, by the
//! socket extension of WASI. Other platforms compile what they did.

mod changes;

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::cache;
use crate::go::Go;
use changes::{Change, What};

/// The file that the go command takes, beside those that it names.
const JSON: &str = "overlay.json";

/// The overlay for a toolchain, in the user's cache.
pub(crate) struct StdNet {
    dir: PathBuf,
    replace: Map<String, Value>,
}

impl StdNet {
    /// Writes the overlay for a toolchain to the cache, unless it is there.
    ///
    /// # Errors
    ///
    /// Of a toolchain that is not known, or whose files are not those of its version, with what to
    /// do about it.
    pub(crate) fn of(go: &Go) -> Result<StdNet> {
        let changes = go.minor().and_then(changes::of);
        let Some(changes) = changes else {
            bail!(
                "sockets for package net are there for Go 1.24 to 1.27, and this is {}: UNDERGO_GO names another go command, \
                 and a newer undergo may know this one; a program that uses github.com/stealthrocket/net needs nothing of it",
                go.version
            );
        };
        let src = go.root.join("src");
        let mut files = Vec::new();
        for change in &changes {
            files.push((change.file, apply(&src, change).with_context(|| strange(go, change.file))?));
        }
        let dir = cache::folder("net")?.join(format!("{}-{:016x}", go.version, digest(&src, &files)));
        let mut replace = Map::new();
        for (name, text) in &files {
            // No file in its place is how an overlay leaves one out.
            let place = text.as_ref().map(|_| utf8(&dir.join(name))).transpose()?.unwrap_or_default();
            replace.insert(utf8(&src.join(name))?, Value::String(place));
        }
        let overlay = format!("{:#}\n", json!({ "Replace": replace }));
        let texts = files.iter().filter_map(|(name, text)| Some((*name, text.as_deref()?)));
        cache::lay(&dir, &texts.chain([(JSON, overlay.as_str())]).collect::<Vec<_>>())?;
        Ok(StdNet { dir, replace })
    }

    /// The file for `go build -overlay`.
    pub(crate) fn json(&self) -> PathBuf {
        self.dir.join(JSON)
    }

    /// What it replaces, for another overlay that is to have it in it.
    pub(crate) fn into_replace(self) -> Map<String, Value> {
        self.replace
    }
}

/// The new text of a file; `None` for one that is left out.
fn apply(src: &Path, change: &Change) -> Result<Option<String>> {
    let path = src.join(change.file);
    if let What::New(text) = change.what {
        if path.exists() {
            bail!("it is there already");
        }
        return Ok(Some(text.to_owned()));
    }
    let text = fs::read_to_string(&path)?;
    match change.what {
        What::New(text) | What::Ours(text) => Ok(Some(text.to_owned())),
        What::Leave => Ok(None),
        What::Tag { from, to } => replace_line(&text, &format!("//go:build {from}"), &format!("//go:build {to}")).map(Some),
        What::Line { from, to } => replace_line(&text, from, to).map(Some),
    }
}

fn replace_line(text: &str, from: &str, to: &str) -> Result<String> {
    let found = text.lines().filter(|line| *line == from).count();
    if found != 1 {
        bail!("it has the line '{from}' {found} times, and not once");
    }
    let lines = text.split_inclusive('\n').map(|line| match line.strip_prefix(from) {
        Some(rest) if rest.trim_end().is_empty() => format!("{to}{rest}"),
        _ => line.to_owned(),
    });
    Ok(lines.collect())
}

fn strange(go: &Go, file: &str) -> String {
    format!(
        "the standard library in {} is not that of {}, as {file} shows: sockets for package net need the toolchain as it is published, \
         from https://go.dev/dl",
        go.root.display(),
        go.version
    )
}

/// The same for the same overlay: another one has another folder.
fn digest(src: &Path, files: &[(&str, Option<String>)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (src, files).hash(&mut hasher);
    hasher.finish()
}

fn utf8(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).with_context(|| format!("{} is no UTF-8, which an overlay has to be", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_replaced() {
        let text = "// Doc.\n\n//go:build unix\n\npackage net\n";
        assert_eq!(
            replace_line(text, "//go:build unix", "//go:build unix || wasip1").expect("replaced"),
            "// Doc.\n\n//go:build unix || wasip1\n\npackage net\n"
        );
        assert_eq!(replace_line("a\r\nb\r\n", "b", "c").expect("replaced"), "a\r\nc\r\n");
        let twice = replace_line("a\na\n", "a", "b").expect_err("it is there twice").to_string();
        assert!(twice.contains("2 times"), "{twice}");
        assert!(replace_line("//go:build unix || js\n", "//go:build unix", "").is_err());
    }

    #[test]
    fn each_release_has_its_changes() {
        assert!(changes::of(23).is_none() && changes::of(28).is_none());
        for minor in 24..=27 {
            let changes = changes::of(minor).expect("known");
            let mut names: Vec<&str> = changes.iter().map(|change| change.file).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), changes.len(), "a file is named twice");
        }
    }
}
