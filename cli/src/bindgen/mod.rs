//! `undergo bindgen`: typed modules, and headers, for a plugin's hosts.

pub(crate) mod c;
mod classes;
pub(crate) mod cpp;
mod filters;
mod go;
mod go_guest;
mod java;
mod kotlin;
mod layout;
mod python;
mod ruby;
mod rust;
mod scope;
mod surface;
mod swift;
mod text;
mod ts;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use undergo::Plugin;

use crate::options::Bounds;
use crate::progress::Progress;

/// Write a typed module for calling a plugin, or Go packages by which one imports interfaces
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The plugin; for go-guest a .wit file, a folder of such files, a plugin or a component
    file: PathBuf,
    /// The language of the module
    #[arg(long, value_enum)]
    lang: Language,
    /// The file to write; standard output without it. For Go it may be a folder, for go-guest it is
    /// one
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// For go-guest, the world whose imports are wanted; not needed if there is one only
    #[arg(long, value_name = "NAME", conflicts_with = "interface")]
    world: Option<String>,
    /// For go-guest, the interface that is wanted
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// The package of the file, for Java, none without it; for go-guest, the import path of the
    /// folder, if no go.mod says it
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    #[command(flatten)]
    bounds: Bounds,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    C,
    Cpp,
    Go,
    GoGuest,
    Java,
    Kotlin,
    Python,
    Ruby,
    Rust,
    Swift,
    Ts,
}

const HELP: &str = "\
The Python module has a dataclass for each record and each case of a variant, a union for each variant, an exception for each error with fields, \
an Enum for each enum, a Protocol for each interface that the plugin \
imports, and classes for an instance and for a pool, with a typed method for each export. It needs Python 3.10 and the package undergo, and satisfies \
mypy --strict.

The TypeScript module has an interface for each record and each interface that the plugin imports, a union of strings for each enum, and functions \
that load an instance or a pool with a typed method for each export; it satisfies tsc --strict.

The C header has a struct for each record, and static inline functions: one for each export of an instance, one for a pool, and one for each interface that \
the plugin imports. It needs undergo.h and C99.

The C++ header has a struct for each record, an abstract class for each interface that the plugin imports, and classes for an instance and for a pool, with a typed \
method for each export that throws, and one that gives a result. It needs undergo.hpp and C++17.

The Go package has a struct for each record, constants for each enum, an interface for each variant and for each interface that the plugin imports, a type for each resource, and a client with a typed method for \
each export, for an instance or a pool, which uses no reflection. It needs Go 1.24 and the module github.com/undergo-dev/undergo/bindings-go.

For go-guest it is the other way round: there is a Go package for each interface, in a folder of its own, by which a plugin imports that from its host: plain \
declarations for undergo build, with a type for each type, an interface for each resource, and a variable for each function. The errors of functions have the types that \
the interface gives them.

The Java file has a class with a typed method for each export, for an instance or a pool, without reflection, and in it a record for each record, an enum for each \
enum, a sealed interface for each variant, an exception for each error with fields, and an interface for each interface that the plugin imports. The class is \
called after the file. It needs Java 17 and the package dev.undergo:undergo-java.

The Kotlin file has a data class for each record, an enum class for each enum, a sealed interface for each variant, an exception for each error with fields, an interface for each interface that the plugin imports, and classes for an \
instance and for a pool, with a typed method for each export; all but the data classes once more with functions that suspend.

The Ruby module has a Struct for each record, constants for the cases of each enum, a class for each case of a variant and for each error with fields, a class for each resource, a module for each interface that the plugin imports, and classes for an \
instance and for a pool, with a method for each export, whose types are in comments of RBS.

The Rust module has a struct for each record, an enum for each enum, traits for each interface that the plugin imports, and a struct with a typed method for each \
export, for an instance or a pool, and once more with methods that are awaited. It needs the crate undergo.

The Swift file has a struct for each record and each error with fields, an enum for each enum and each variant, a class for each resource of the plugin, a protocol for each of the host's and for each interface that the plugin imports, and types for an instance and for a pool, \
with a typed method for each export, and once more with methods that are awaited. It is for Swift 5.9 and newer.

The same plugin gives the same file: commit it, and let CI write it again and compare.

Examples:
  undergo bindgen greeter.wasm --lang python -o greeter.py
  undergo bindgen greeter.wasm --lang ts -o greeter.ts
  undergo bindgen greeter.wasm --lang c -o greeter.h
  undergo bindgen greeter.wasm --lang cpp -o greeter.hpp
  undergo bindgen greeter.wasm --lang go -o greeter/
  undergo bindgen keyvalue.wit --lang go-guest --interface store -o host/
  undergo bindgen greeter.wasm --lang java --package com.example.app -o src/main/java/com/example/app/GreeterPlugin.java
  undergo bindgen greeter.wasm --lang kotlin -o GreeterPlugin.kt
  undergo bindgen greeter.wasm --lang ruby -o greeter_plugin.rb
  undergo bindgen greeter.wasm --lang rust -o greeter.rs
  undergo bindgen greeter.wasm --lang swift -o greeter_plugin.swift";

pub(crate) fn run(args: &Args) -> Result<()> {
    if matches!(args.lang, Language::GoGuest) {
        return guest_packages(args);
    }
    if args.world.is_some() || args.interface.is_some() {
        bail!("--world and --interface are for --lang go-guest: a plugin has one world");
    }
    let progress = Progress::start(format!("reading {}", args.file.display()));
    let plugin = Plugin::from_file_with(&args.file, &args.bounds.plugin())?;
    drop(progress);
    let output = match (args.lang, &args.output) {
        (Language::Go, Some(folder)) if is_folder(folder) => Some(in_folder(folder, &plugin)?),
        (_, output) => output.clone(),
    };
    let text = match args.lang {
        Language::C => c::header(&plugin).context("the header can't be written")?,
        Language::Cpp => cpp::header(&plugin).context("the header can't be written")?,
        Language::Go => go::module(&plugin, go_package(output.as_deref(), &plugin)).context("the package can't be written")?,
        Language::GoGuest => unreachable!("it has several files"),
        Language::Java => java::module(&plugin, output.as_deref(), args.package.as_deref())?,
        Language::Kotlin => kotlin::module(&plugin).context("the module can't be written")?,
        Language::Python => python::module(&plugin).context("the module can't be written")?,
        Language::Ruby => ruby::module(&plugin).context("the module can't be written")?,
        Language::Rust => rust::module(&plugin).context("the module can't be written")?,
        Language::Swift => swift::module(&plugin).context("the module can't be written")?,
        Language::Ts => ts::module(&plugin).context("the module can't be written")?,
    };
    match &output {
        Some(output) => fs::write(output, text).with_context(|| format!("{} can't be written", output.display())),
        None => std::io::stdout().write_all(text.as_bytes()).context("the module can't be written"),
    }
}

/// Writes packages for the guest.
fn guest_packages(args: &Args) -> Result<()> {
    let folder = args.output.as_deref().context("there is a package for each interface: name the folder for them by -o")?;
    let wanted = match &args.interface {
        Some(name) => go_guest::Wanted::Interface(name),
        None => go_guest::Wanted::World(args.world.as_deref()),
    };
    go_guest::write(&args.file, &wanted, folder, args.package.as_deref())
}

/// Whether a folder is meant.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// The file of a Go package in its folder, which is made where it is missing.
fn in_folder(folder: &Path, plugin: &Plugin) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    Ok(folder.join(format!("{}.go", go_package(Some(&folder.join("x")), plugin))))
}

/// The name of a Go package: that of the folder which its file is in, where it has a name.
fn go_package(file: Option<&Path>, plugin: &Plugin) -> String {
    let folder = file.and_then(Path::parent).and_then(Path::file_name).and_then(|name| name.to_str());
    go::package(plugin, folder)
}
