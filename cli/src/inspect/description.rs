//! Both forms of the output, for modules and components.

use std::fmt::Write as _;

use serde_json::{Value, json};
use undergo::Section;

use crate::parts::{Nested, Producer};
use crate::plugin;

/// What a module or a component says of itself.
pub(super) struct Description {
    pub(super) kind: &'static str,
    /// The kind, for people.
    pub(super) title: &'static str,
    /// Whether its functions can be called.
    pub(super) callable: bool,
    pub(super) opens_sockets: bool,
    pub(super) go: Option<String>,
    pub(super) size: usize,
    pub(super) world: Option<String>,
    pub(super) wit: Option<String>,
    pub(super) exports: Vec<Shown>,
    pub(super) imports: Vec<Shown>,
    pub(super) resources: Vec<Kept>,
    pub(super) wasi: Vec<String>,
    pub(super) sections: Vec<Section>,
    pub(super) nested: Vec<Nested>,
    pub(super) producers: Vec<Producer>,
}

/// A function.
pub(super) struct Shown {
    pub(super) module: Option<String>,
    pub(super) name: String,
    pub(super) signature: String,
    pub(super) docs: String,
    pub(super) typed: bool,
}

/// A resource: what lives longer than a call.
pub(super) struct Kept {
    /// The interface, in a component.
    pub(super) module: Option<String>,
    pub(super) name: String,
    pub(super) of_guest: bool,
    pub(super) docs: String,
    pub(super) constructor: Option<Member>,
    pub(super) methods: Vec<Member>,
}

/// A function of a resource.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) signature: String,
    pub(super) docs: String,
}

impl Shown {
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

impl Kept {
    fn json(&self) -> Value {
        let method = |method: &Member| json!({"signature": method.signature, "docs": method.docs, "name": method.name});
        let mut value = json!({
            "name": self.name,
            "side": if self.of_guest { "guest" } else { "host" },
            "docs": self.docs,
            "constructor": self.constructor.as_ref().map(|member| json!({"signature": member.signature, "docs": member.docs})),
            "methods": self.methods.iter().map(method).collect::<Vec<_>>(),
        });
        if let Some(module) = &self.module {
            value["module"] = Value::from(module.as_str());
        }
        value
    }
}

impl Description {
    pub(super) fn json(&self, file: &str) -> Value {
        let nested = |nested: &Nested| json!({"path": nested.path, "kind": nested.kind, "name": nested.name, "size": nested.size});
        let producer = |producer: &Producer| json!({"field": producer.field, "name": producer.name, "version": producer.version});
        json!({
            "file": file,
            "kind": self.kind,
            "callable": self.callable,
            "go": self.go,
            "size": self.size,
            "world": self.world,
            "wit": self.wit,
            "exports": self.exports.iter().map(Shown::json).collect::<Vec<_>>(),
            "imports": self.imports.iter().map(Shown::json).collect::<Vec<_>>(),
            "resources": self.resources.iter().map(Kept::json).collect::<Vec<_>>(),
            "wasi": self.wasi,
            "sections": self.sections.iter().map(|section| json!({"name": section.name, "size": section.size})).collect::<Vec<_>>(),
            "nested": self.nested.iter().map(nested).collect::<Vec<_>>(),
            "producers": self.producers.iter().map(producer).collect::<Vec<_>>(),
        })
    }

    /// The output for people.
    pub(super) fn page(&self, file: &str) -> String {
        let mut page = format!("{file}\n");
        facts(&mut page, &[("kind", self.title), ("go", self.go.as_deref().unwrap_or("unknown")), ("size", &plugin::bytes(self.size))]);
        if self.opens_sockets {
            facts(&mut page, &[("net", "it opens sockets: it needs a network from its host, as --net gives one")]);
        }
        functions(&mut page, "Exports", &self.exports);
        functions(&mut page, "Imports, which the host must give", &self.imports);
        let of = if self.kind == "component" { "component" } else { "plugin" };
        of_resources(&mut page, &format!("Resources of the {of}"), &self.resources, true);
        of_resources(&mut page, "Resources of the host", &self.resources, false);
        if !self.wasi.is_empty() {
            page.push_str(if self.kind == "component" { "\nWASI interfaces\n" } else { "\nWASI functions\n" });
            wrap(&mut page, &self.wasi);
        }
        self.parts(&mut page);
        if let Some(wit) = &self.wit {
            page.push_str("\nInterface\n");
            for text in wit.lines() {
                line(&mut page, format!("  {text}").trim_end());
            }
        }
        page
    }

    /// What it is made of.
    fn parts(&self, page: &mut String) {
        if !self.producers.is_empty() {
            page.push_str("\nProducers\n");
            for Producer { field, name, version } in &self.producers {
                line(page, format!("  {field:13} {name} {version}").trim_end());
            }
        }
        if !self.nested.is_empty() {
            page.push_str("\nModules and components in it\n");
            let width = self.nested.iter().map(|nested| nested.path.len()).max().unwrap_or(0);
            for Nested { path, kind, name, size } in &self.nested {
                let name = name.as_deref().unwrap_or_default();
                line(page, format!("  {path:width$}  {kind:9}  {:>9}  {name}", plugin::bytes(*size)).trim_end());
            }
        }
        page.push_str("\nSections\n");
        let width = self.sections.iter().map(|section| section.name.chars().count()).max().unwrap_or(0);
        for section in &self.sections {
            line(page, &format!("  {:width$}  {:>9}", section.name, plugin::bytes(section.size)));
        }
    }
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

fn of_resources(page: &mut String, title: &str, resources: &[Kept], of_guest: bool) {
    let found: Vec<&Kept> = resources.iter().filter(|resource| resource.of_guest == of_guest).collect();
    if found.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n{title}");
    for resource in found {
        let module = resource.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
        let _ = writeln!(page, "  {module}{}", resource.name);
        if let Some(first) = resource.docs.lines().next() {
            let _ = writeln!(page, "      {first}");
        }
        for member in resource.constructor.iter().chain(&resource.methods) {
            let _ = writeln!(page, "    {}", member.signature);
            if let Some(first) = member.docs.lines().next() {
                let _ = writeln!(page, "        {first}");
            }
        }
    }
}

/// Words in lines of at most 100 columns.
fn wrap(page: &mut String, words: &[String]) {
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
