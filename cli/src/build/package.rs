//! What the go command says of the plugin's package, and of what it is built from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Deserializer, Value};
use undergo::host::read_regular;

use super::workspace::{GLUE, LARGEST, Workspace};
use crate::component::Declared;
use crate::go::Go;
use crate::progress::Progress;
use crate::sdk::{HTTP, MODULE};

/// The plugin's package.
pub(super) struct Package {
    /// The last part of its import path.
    pub(super) name: String,
    pub(super) module: Module,
    pub(super) sdk: TreeSdk,
    /// Whether it uses what only components have.
    pub(super) needs_component: bool,
    /// Its own, and those of other packages in the user's modules: what someone who reads a note
    /// can change.
    own: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Those of all packages that are not Go's own.
    all: Vec<PathBuf>,
    /// Whether Go's database of time zones is a part of it.
    has_zones: bool,
}

/// The module that the package belongs to.
pub(super) struct Module {
    pub(super) path: String,
    pub(super) root: PathBuf,
    /// The version in its line `go`; empty without one.
    pub(super) go: String,
}

/// What the tree says of the SDK's package.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TreeSdk {
    /// No package of the tree imports it.
    Unused,
    /// It is imported, and no module provides it.
    Missing,
    /// It is imported, and a module provides it.
    Provided,
}

const FIELDS: &str = "-json=Dir,ImportPath,Name,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Module,Standard,DepOnly,Error";

impl Package {
    pub(super) fn load(go: &Go, workspace: &Workspace, progress: &Progress) -> Result<Package> {
        let mut command = go.wasm(workspace.dir());
        workspace.apply(&mut command)?;
        let output = Go::run(command.args(["list", "-e", "-deps", FIELDS, "."]), progress)?;
        let listed = Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        let listed = listed.collect::<Result<Vec<_>, _>>().context("'go list' gave no JSON")?;
        let shown = workspace.dir().display();
        let Some(said) = listed.iter().find(|said| !is(said, "/DepOnly")) else {
            bail!("{shown} can't be built: 'go list' gave no package")
        };
        let files = paths(said, &["GoFiles"]);
        if files.is_empty() {
            let reason = said.pointer("/Error/Err").and_then(Value::as_str).unwrap_or("it has no Go files");
            bail!("{shown} can't be built: {reason}");
        }
        if word(said, "/Name") != "main" {
            bail!(
                "{shown} is the package {}, and what is built is a package main: write 'package main' at the top of its files, and add 'func main() {{}}'",
                word(said, "/Name")
            );
        }
        let foreign = || listed.iter().filter(|said| !is(said, "/Standard") && !is_sdk(word(said, "/ImportPath")));
        let sdk = listed.iter().filter(|said| is_sdk(word(said, "/ImportPath"))).fold(TreeSdk::Unused, |known, said| {
            if known == TreeSdk::Missing || said.get("Error").is_some() { TreeSdk::Missing } else { TreeSdk::Provided }
        });
        Ok(Package {
            name: last_part(word(said, "/ImportPath")).to_owned(),
            module: Module {
                path: word(said, "/Module/Path").to_owned(),
                root: PathBuf::from(word(said, "/Module/Dir")),
                go: word(said, "/Module/GoVersion").to_owned(),
            },
            sdk,
            needs_component: listed.iter().any(|said| word(said, "/ImportPath") == HTTP),
            own: foreign().filter(|said| is(said, "/Module/Main")).flat_map(|said| paths(said, &["GoFiles"])).collect(),
            files,
            all: foreign().flat_map(|said| paths(said, &["GoFiles", "IgnoredGoFiles", "TestGoFiles", "XTestGoFiles"])).collect(),
            has_zones: listed.iter().any(|said| word(said, "/ImportPath") == "time/tzdata"),
        })
    }

    /// Whether the package asks for glue.
    pub(super) fn has_directives(&self) -> Result<bool> {
        any_line(&self.files, |line| line.trim_ascii_start().starts_with(b"//undergo:"))
    }

    /// Whether it does without the generator: it has bare `//go:wasmexport` directives, and no file
    /// on which the generator could have anything to say.
    pub(super) fn is_bare(&self) -> Result<bool> {
        let speaks_of_us = |line: &[u8]| line.to_ascii_lowercase().windows(7).any(|word| word == b"undergo");
        Ok(any_line(&self.files, |line| line.starts_with(b"//go:wasmexport"))? && !any_line(&self.all, speaks_of_us)?)
    }

    /// Notes where functions are imported and exported without the generator.
    pub(super) fn add_raw(&self, dir: &Path, declared: &mut Declared) -> Result<()> {
        for file in &self.all {
            let text = read_regular(file, LARGEST).with_context(|| format!("{} can't be read", file.display()))?;
            for (number, line) in (1..).zip(String::from_utf8_lossy(&text).lines()) {
                if let Some(names) = line.strip_prefix("//go:wasmimport ").or_else(|| line.strip_prefix("//go:wasmexport ")) {
                    let name = names.split_whitespace().collect::<Vec<_>>().join(" ");
                    declared.add(&name, &format!("{}:{number}", file.strip_prefix(dir).unwrap_or(file).display()));
                }
            }
        }
        Ok(())
    }

    /// Where it asks for a time zone by name, if it has none: `main.go:7`.
    pub(super) fn zone_without_data(&self, dir: &Path) -> Option<String> {
        if self.has_zones {
            return None;
        }
        self.own.iter().find_map(|file| {
            let text = String::from_utf8(read_regular(file, LARGEST).ok()?).ok()?;
            let asks = |line: &str| line.split("//").next().is_some_and(|code| code.contains("time.LoadLocation("));
            let line = text.lines().position(asks)? + 1;
            Some(format!("{}:{line}", file.strip_prefix(dir).unwrap_or(file).display()))
        })
    }
}

fn is_sdk(import_path: &str) -> bool {
    import_path.strip_prefix(MODULE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn any_line(files: &[PathBuf], found: impl Fn(&[u8]) -> bool) -> Result<bool> {
    for file in files.iter().filter(|file| file.file_name().is_none_or(|name| name != GLUE)) {
        let text = read_regular(file, LARGEST).with_context(|| format!("{} can't be read", file.display()))?;
        if text.split(|byte| *byte == b'\n').any(&found) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is(said: &Value, pointer: &str) -> bool {
    said.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

fn word<'a>(said: &'a Value, pointer: &str) -> &'a str {
    said.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The files of a package that stand in these lists.
fn paths(said: &Value, lists: &[&str]) -> Vec<PathBuf> {
    let dir = Path::new(word(said, "/Dir"));
    let names = lists.iter().flat_map(|list| said.get(list).and_then(Value::as_array).into_iter().flatten());
    names.filter_map(|name| Some(dir.join(name.as_str()?))).collect()
}

/// `greeter` of `example.com/greeter/v2`.
fn last_part(import_path: &str) -> &str {
    let mut parts = import_path.rsplit('/');
    let last = parts.next().unwrap_or_default();
    let is_version = last.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    if is_version { parts.next().unwrap_or(last) } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_after_its_import_path() {
        assert_eq!(last_part("example.com/greeter"), "greeter");
        assert_eq!(last_part("example.com/greeter/v2"), "greeter");
        assert_eq!(last_part("example.com/vault"), "vault");
        assert_eq!(last_part("greeter"), "greeter");
    }
}
