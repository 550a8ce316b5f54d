//! `undergo inspect`: what a plugin says of itself.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use undergo::host::escape;
use undergo::interface::{Function, Interface, Resource, Side};
use undergo::{Error, ModuleInfo, ModuleKind};

use crate::check::Check;
use crate::json;
use crate::options::Bounds;
use crate::plugin::{self, bare_exports};

/// Show what a plugin gives, what it wants, and what it is made of
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The plugin, or any WebAssembly module
    file: PathBuf,
    /// Write JSON
    #[arg(long, conflicts_with = "check")]
    json: bool,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    check: Check,
}

const HELP: &str = "\
With --json, an object of these members, to which later versions only add:
  file      the path, as given
  kind      \"reactor\" (a plugin) or \"command\" (a program, whose functions can't be called)
  go        the version of Go that compiled it, or null
  size      bytes
  world     the interface's name, or null for a bare module
  wit       the interface as WIT text, or null
  exports   [{name, signature, docs, typed}]; typed is false for a function with a core signature only
  imports   [{module, name, signature, docs, typed}], what the host must give
  resources [{name, side, docs, constructor, methods}], what lives longer than a call; side is \"guest\" or
            \"host\", constructor {signature, docs} or null, methods [{name, signature, docs}]
  wasi      the names of the WASI functions that it uses
  sections  [{name, size}], in order

Examples:
  undergo inspect greeter.wasm
  undergo inspect greeter.wasm --json | jq -r '.exports[].name'
  undergo inspect greeter.wasm --check --allow-import directory.lookup --min-go 1.25";

/// A function, as both forms of the output show it.
struct Shown {
    module: Option<String>,
    name: String,
    signature: String,
    docs: String,
    typed: bool,
}

impl Shown {
    fn typed(module: Option<&str>, function: &Function) -> Shown {
        Shown {
            module: module.map(str::to_owned),
            name: function.name.clone(),
            signature: function.to_string(),
            docs: function.docs.clone(),
            typed: true,
        }
    }

    fn bare(module: Option<&str>, name: &str, ty: &impl ToString) -> Shown {
        let signature = format!("{name}{}", ty.to_string());
        Shown { module: module.map(str::to_owned), name: name.to_owned(), signature, docs: String::new(), typed: false }
    }

    fn json(&self) -> Value {
        let mut value = json!({});
        if let Some(module) = &self.module {
            value["module"] = Value::from(module.as_str());
        }
        value["name"] = Value::from(self.name.as_str());
        value["signature"] = Value::from(self.signature.as_str());
        value["docs"] = Value::from(self.docs.as_str());
        value["typed"] = Value::from(self.typed);
        value
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let bytes = plugin::module(&args.file)?;
    let named = |error: Error| Error::new(error.kind(), format!("{} is no plugin: {}", args.file.display(), error.message()));
    if args.check.wanted() {
        return args.check.run(&args.file, &bytes, args.bounds);
    }
    let info = ModuleInfo::parse(&bytes).map_err(named)?;
    let interface = info.wit.as_deref().map(Interface::parse).transpose().map_err(named)?;
    let exports = exports(&info, interface.as_ref());
    let imports = imports(&info, interface.as_ref());
    let resources = interface.as_ref().map_or(&[][..], |interface| &interface.resources);
    let wasi: Vec<&str> = info.imports.iter().filter(|import| import.module == plugin::WASI).map(|import| import.name.as_str()).collect();
    let file = args.file.display().to_string();
    let text = if args.json {
        let value = json!({
            "file": file,
            "kind": info.kind.as_str(),
            "go": info.go_version,
            "size": info.size,
            "world": interface.as_ref().map(|interface| interface.name.as_str()),
            "wit": info.wit,
            "exports": exports.iter().map(Shown::json).collect::<Vec<_>>(),
            "imports": imports.iter().map(Shown::json).collect::<Vec<_>>(),
            "resources": resources.iter().map(resource_json).collect::<Vec<_>>(),
            "wasi": wasi,
            "sections": info.sections.iter().map(|section| json!({"name": section.name, "size": section.size})).collect::<Vec<_>>(),
        });
        json::plain(&format!("{value:#}\n"))
    } else {
        escape::text(&page(&file, &info, &exports, &imports, resources, &wasi)).into_owned()
    };
    std::io::stdout().write_all(text.as_bytes()).context("the result can't be written")
}

fn exports(info: &ModuleInfo, interface: Option<&Interface>) -> Vec<Shown> {
    let typed = interface.into_iter().flat_map(|interface| &interface.exports).map(|function| Shown::typed(None, function));
    typed.chain(bare_exports(info, interface).map(|export| Shown::bare(None, &export.name, &export.ty))).collect()
}

fn imports(info: &ModuleInfo, interface: Option<&Interface>) -> Vec<Shown> {
    let one = |import: &undergo::CoreImport| match interface.and_then(|interface| interface.import(&import.module, &import.name)) {
        Some(function) => Shown::typed(Some(&import.module), function),
        None => Shown::bare(Some(&import.module), &import.name, &import.ty),
    };
    plugin::host_imports(info, interface).map(one).collect()
}

fn resource_json(resource: &Resource) -> Value {
    let member = |name: &str, function: &Function| json!({"signature": member_signature(name, function), "docs": function.docs});
    let methods = resource.ty.methods.iter().zip(&resource.methods).map(|(name, method)| {
        let mut value = member(name, method);
        value["name"] = Value::from(name.as_str());
        value
    });
    json!({
        "name": resource.ty.name,
        "side": if resource.ty.side == Side::Guest { "guest" } else { "host" },
        "docs": resource.ty.docs,
        "constructor": resource.constructor.as_deref().map(|constructor| member("constructor", constructor)),
        "methods": methods.collect::<Vec<_>>(),
    })
}

/// A function of a resource, as WIT has it there: without the object.
fn member_signature(name: &str, function: &Function) -> String {
    let params: Vec<String> = function.own_params().iter().map(|param| format!("{}: {}", param.name, param.ty)).collect();
    let whole = function.to_string();
    let result = whole.split_once(')').map_or("", |(_, result)| result);
    format!("{name}({}){result}", params.join(", "))
}

/// The output for people.
fn page(file: &str, info: &ModuleInfo, exports: &[Shown], imports: &[Shown], resources: &[Resource], wasi: &[&str]) -> String {
    let mut page = format!("{file}\n");
    let kind = match (info.kind, &info.wit) {
        (ModuleKind::Reactor, Some(_)) => "plugin (reactor)",
        (ModuleKind::Reactor, None) => "bare plugin (reactor without an interface)",
        (ModuleKind::Component, _) => "component",
        (ModuleKind::Command, _) => "command: built without -buildmode=c-shared, so no function of it can be called",
    };
    facts(&mut page, &[("kind", kind), ("go", info.go_version.as_deref().unwrap_or("unknown")), ("size", &plugin::bytes(info.size))]);
    // Without an overlay or a package for it, Go programs import no function that opens a socket.
    if wasi.contains(&"sock_open") {
        facts(&mut page, &[("net", "it opens sockets: it needs a network from its host, as --net gives one")]);
    }
    functions(&mut page, "Exports", exports);
    functions(&mut page, "Imports, which the host must give", imports);
    of_resources(&mut page, "Resources of the plugin", resources, Side::Guest);
    of_resources(&mut page, "Resources of the host", resources, Side::Host);
    if !wasi.is_empty() {
        page.push_str("\nWASI functions\n");
        wrap(&mut page, wasi);
    }
    page.push_str("\nSections\n");
    let width = info.sections.iter().map(|section| section.name.chars().count()).max().unwrap_or(0);
    for section in &info.sections {
        line(&mut page, &format!("  {:width$}  {:>9}", section.name, plugin::bytes(section.size)));
    }
    if let Some(wit) = &info.wit {
        page.push_str("\nInterface\n");
        for text in wit.lines() {
            line(&mut page, format!("  {text}").trim_end());
        }
    }
    page
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn facts(page: &mut String, facts: &[(&str, &str)]) {
    for (name, value) in facts {
        // Writing to a String can't fail.
        let _ = writeln!(page, "  {name:5} {value}");
    }
}

fn functions(page: &mut String, title: &str, functions: &[Shown]) {
    if functions.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n{title}");
    for function in functions {
        let module = function.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
        let _ = writeln!(page, "  {module}{}", function.signature);
        if let Some(first) = function.docs.lines().next() {
            let _ = writeln!(page, "      {first}");
        }
    }
}

fn of_resources(page: &mut String, title: &str, resources: &[Resource], side: Side) {
    let found: Vec<&Resource> = resources.iter().filter(|resource| resource.ty.side == side).collect();
    if found.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n{title}");
    for resource in found {
        let _ = writeln!(page, "  {}", resource.ty.name);
        if let Some(first) = resource.ty.docs.lines().next() {
            let _ = writeln!(page, "      {first}");
        }
        let constructor = resource.constructor.iter().map(|constructor| ("constructor", constructor));
        for (name, function) in constructor.chain(resource.ty.methods.iter().map(String::as_str).zip(&resource.methods)) {
            let _ = writeln!(page, "    {}", member_signature(name, function));
            if let Some(first) = function.docs.lines().next() {
                let _ = writeln!(page, "        {first}");
            }
        }
    }
}

/// Words in lines of at most 100 columns.
fn wrap(page: &mut String, words: &[&str]) {
    let mut row = String::from(" ");
    for word in words {
        if row.len() + word.len() > 98 {
            line(page, &row);
            row = String::from(" ");
        }
        row.push(' ');
        row.push_str(word);
    }
    line(page, &row);
}
