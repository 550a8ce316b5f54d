//! A Rust module for a plugin: structs, enums, errors, traits for imports, and a struct with the
//! exports as methods. `templates/rust/module.rs` is the file that this makes.

mod resources;
mod text;
mod types;

use std::sync::Arc;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{Function, RecordType, Type, TypeKind, names};

use super::filters;
use super::scope::Scope;
use super::surface::{Imported, Surface};
use resources::{Object, Resource};
use text::{docs, identifier, literal, plain, written};
use types::Names;

/// The most arguments of an `undergo::Function`, and of a closure that is a host function.
const MOST_PARAMS: usize = 16;
const MOST_ARGUMENTS: usize = 12;

/// The file's text.
pub(super) fn module(plugin: &Plugin) -> Result<String, askama::Error> {
    Module::new(plugin).render()
}

#[derive(Template)]
#[template(path = "rust/module.rs", escape = "none")]
struct Module {
    /// Its file, as a comment has it.
    file: String,
    /// The struct with the exports.
    class: String,
    types: Vec<Declared>,
    resources: Vec<Resource>,
    objects: Vec<Object>,
    exports: Vec<Export>,
    imports: Vec<Import>,
    /// The names of the structs that are errors.
    errors: Vec<String>,
    /// Functions that have too many parameters.
    left_out: Vec<String>,
}

/// A record, or an enum or variant.
enum Declared {
    Struct {
        name: String,
        docs: String,
        fields: Vec<Field>,
        /// What the derive is told of an error.
        error: Option<String>,
    },
    Enum {
        name: String,
        docs: String,
        cases: Vec<Field>,
        /// Whether a case has a value.
        has_values: bool,
    },
}

/// A field, or a case.
struct Field {
    name: String,
    /// The name in the interface, as a literal, unless it is the same.
    renamed: Option<String>,
    docs: String,
    /// Its type; of a case without a value, none.
    ty: String,
}

struct Export {
    name: String,
    /// The name of its method that is awaited.
    awaited: String,
    docs: String,
    /// What finds it: `new`, or `constructor` of a resource.
    found: &'static str,
    /// The name in the interface, as a literal.
    wit: String,
    /// What `undergo::resource` is told of a method whose name does not say it.
    said: Option<String>,
    /// `p: &Person, shout: bool`
    params: String,
    /// `(p, shout)`
    args: String,
    /// `(&'static Person, bool)`
    types: String,
    result: String,
}

/// An interface whose functions the host gives.
struct Import {
    /// What its trait is called, and the trait whose functions are awaited.
    class: String,
    awaited: String,
    docs: String,
    /// The parameter for what has the functions.
    param: String,
    wit: String,
    functions: Vec<HostFunction>,
}

struct HostFunction {
    name: String,
    docs: String,
    wit: String,
    /// What `undergo::object` is told of a method whose name does not say it.
    said: Option<String>,
    /// `name: String`
    params: String,
    /// `name`
    args: String,
    result: String,
}

impl Module {
    fn new(plugin: &Plugin) -> Module {
        let Surface { file, world, types, exports, imports, .. } = Surface::new(plugin);
        let interface = plugin.interface();
        let mut names = Names::new(interface);
        let class = names.declare(&world);
        let mut left_out = Vec::new();
        let mut left = |what: &str, function: &Function, most: usize| {
            let given = function.own_params().len();
            let is_left = given > most;
            if is_left {
                let text = format!("The {what} {} is left out: it has {given} parameters.", function.name);
                left_out.push(docs("//", &text));
            }
            !is_left
        };
        let mut methods = Scope::new(["clone", "load", "new", "on", "options", "with"]);
        let exports = exports.into_iter().filter(|function| left("export", function, MOST_PARAMS));
        let mut exports: Vec<Export> = exports.map(|function| export(&names, &mut methods, function, "new")).collect();
        let all = || interface.iter().flat_map(|interface| &interface.resources);
        let constructors = all().filter_map(|resource| resource.constructor.as_ref()).filter(|new| left("constructor", new, MOST_PARAMS));
        exports.extend(constructors.map(|function| export(&names, &mut methods, function, "constructor")));
        let resources = resources::resources(&names, all(), &mut left);
        let objects = resources::objects(&mut names, all(), &mut left);
        // The imports are named before their functions, whose types may be called like them.
        let mut params = Scope::new(["imports"]);
        let named: Vec<_> = imports
            .into_iter()
            .map(|import| {
                let kebab = names::kebab(import.name);
                let (class, awaited) = (names.declare(&kebab), names.declare(&format!("async-{kebab}")));
                (import, class, awaited)
            })
            .collect();
        let mut import = |(import, class, awaited): (Imported<'_>, String, String)| {
            let mut methods = Scope::default();
            let kept = import.functions.into_iter().filter(|function| left("import", function, MOST_ARGUMENTS));
            let functions = kept.map(|function| host_function(&names, &mut methods, function)).collect();
            let docs = docs("///", &format!("What the plugin wants of {}.", import.name));
            Import { class, awaited, docs, param: raw(&mut params, import.name), wit: literal(import.name), functions }
        };
        let imports = named.into_iter().map(&mut import).collect();
        let types: Vec<Declared> = types.iter().filter_map(|ty| declared(&names, ty)).collect();
        let errors = types.iter().filter_map(|ty| match ty {
            Declared::Struct { name, error: Some(_), .. } => Some(name.clone()),
            _ => None,
        });
        let errors = errors.collect();
        let file = docs("//!", &format!("Typed access to the plugin {file}."));
        Module { file, class, types, resources, objects, exports, imports, errors, left_out }
    }
}

/// A name of WIT, taken in its scope.
fn raw(scope: &mut Scope, kebab: &str) -> String {
    written(scope.take(plain(&identifier(kebab)).to_owned()))
}

fn declared(names: &Names<'_>, ty: &Type) -> Option<Declared> {
    match &ty.kind {
        TypeKind::Record(record) => Some(structure(names, record)),
        TypeKind::Enum(cases) => {
            let listed = cases.cases.iter().map(|(name, docs)| (&**name, &**docs, None));
            Some(enumeration(names, &cases.name, &cases.docs, listed))
        }
        TypeKind::Variant(variant) => {
            let listed = variant.cases.iter().map(|case| (&*case.name, &*case.docs, case.ty.as_ref()));
            Some(enumeration(names, &variant.name, &variant.docs, listed))
        }
        _ => None,
    }
}

fn structure(names: &Names<'_>, record: &RecordType) -> Declared {
    let mut scope = Scope::default();
    let field = |field: &undergo::interface::Field| {
        let name = raw(&mut scope, &field.name);
        Field { renamed: renamed(&name, &field.name), name, docs: docs("///", &field.docs), ty: names.owned(&field.ty) }
    };
    let fields = record.fields.iter().map(field).collect();
    let name = names.of(&record.name);
    let error = record.is_error.then(|| match renamed(&name, &record.name) {
        Some(wit) => format!("error, name = {wit}"),
        None => "error".to_owned(),
    });
    Declared::Struct { name, docs: docs("///", or(&record.docs, &format!("A {}.", record.name))), fields, error }
}

/// An enum or a variant, with the name, the comment and the value's type of each case.
fn enumeration<'t>(
    names: &Names<'_>,
    kebab: &str,
    docs: &str,
    cases: impl Iterator<Item = (&'t str, &'t str, Option<&'t Type>)>,
) -> Declared {
    let mut scope = Scope::new(["Self"]);
    let case = |(kebab, docs, ty): (&str, &str, Option<&Type>)| {
        let word: String = names::pascal(kebab).chars().filter(char::is_ascii_alphanumeric).collect();
        let name = scope.take(if word.starts_with(|c: char| c.is_ascii_alphabetic()) { word } else { format!("N{word}") });
        let ty = ty.map_or_else(String::new, |ty| names.owned(ty));
        Field { renamed: renamed(&name, kebab), name, docs: text::docs("///", docs), ty }
    };
    let cases: Vec<Field> = cases.map(case).collect();
    let has_values = cases.iter().any(|case| !case.ty.is_empty());
    Declared::Enum { name: names.of(kebab), docs: text::docs("///", or(docs, &format!("A {kebab}."))), cases, has_values }
}

/// The name in the interface, where the one in Rust does not say it.
fn renamed(name: &str, kebab: &str) -> Option<String> {
    (!names::means(plain(name), kebab)).then(|| literal(kebab))
}

fn export(names: &Names<'_>, methods: &mut Scope, function: &Arc<Function>, found: &'static str) -> Export {
    let kebab = own_name(function);
    let name = raw(methods, kebab);
    let awaited = methods.take(format!("{}_async", plain(&name)));
    let params = parameters(function);
    let taken = params.iter().zip(function.own_params()).map(|(name, param)| (name, names.taken(&param.ty, name)));
    let (params, args): (Vec<String>, Vec<String>) = taken.map(|(name, (ty, arg))| (format!(", {name}: {ty}"), arg)).unzip();
    let types: Vec<String> = function.own_params().iter().map(|param| names.lent(&param.ty, "&'static ")).collect();
    Export {
        docs: docs("///", or(&function.docs, &format!("Calls {}.", function.name))),
        wit: literal(kebab),
        said: said(&name, kebab, &awaited),
        found,
        params: params.concat(),
        args: tuple(&args),
        types: tuple(&types),
        result: names.result(function.result.as_ref()),
        name,
        awaited,
    }
}

fn host_function(names: &Names<'_>, methods: &mut Scope, function: &Arc<Function>) -> HostFunction {
    let (params, kebab) = (parameters(function), own_name(function));
    let typed: Vec<String> =
        params.iter().zip(function.own_params()).map(|(name, param)| format!("{name}: {}", names.owned(&param.ty))).collect();
    let name = raw(methods, kebab);
    HostFunction {
        said: said(&name, kebab, &format!("{}_async", plain(&name))),
        name,
        docs: docs("///", or(&function.docs, &format!("Answers {}.", function.name))),
        wit: literal(kebab),
        params: typed.join(", "),
        args: params.join(", "),
        result: names.answer(function),
    }
}

/// What the macro for a trait is told of a method, unless it makes the same names itself.
fn said(name: &str, kebab: &str, awaited: &str) -> Option<String> {
    let renamed = (plain(name).trim_matches('_').replace('_', "-") != kebab).then(|| format!("name = {}", literal(kebab)));
    let awaited = (awaited != format!("{}_async", plain(name))).then(|| format!("awaited = {awaited}"));
    let said: Vec<String> = renamed.into_iter().chain(awaited).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The name of a function, or of a method without its resource.
fn own_name(function: &Function) -> &str {
    let name = if function.is_method { function.name.split_once('.') } else { None };
    name.map_or(&function.name, |(_, name)| name)
}

/// The names of a function's parameters.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::new(["call", "this"]);
    function.own_params().iter().map(|param| raw(&mut scope, &param.name)).collect()
}

/// A tuple, of one value too.
fn tuple(items: &[String]) -> String {
    format!("({}{})", items.join(", "), if items.len() == 1 { "," } else { "" })
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}

#[cfg(test)]
mod tests {
    use undergo::interface::Interface;

    use super::*;

    const WIT: &str = "package a:b;
interface types {
  variant odd { none, some(string), self(option<list<u8>>), %type, x-1y, x-1-y(result-of) }
  variant side { left, right }
  record result-of { self: s8 }
  record vec { x: odd }
  variant error { text(string), vec(tuple<string, vec>) }
}
world w {
  use types.{error, odd, side};
  export f: func(o: odd, s: side, m: option<odd>, l: list<side>) -> result<odd, list<error>>;
}
";

    /// Cases stand alone in Rust, so that only `Self` is taken; a type may be called as another.
    #[test]
    fn cases_and_errors_have_names_of_rust() {
        let interface = Interface::parse(WIT).unwrap_or_else(|error| panic!("{error}"));
        let names = Names::new(Some(&interface));
        let declared: Vec<Declared> = interface.types.iter().filter_map(|ty| declared(&names, ty)).collect();
        let of = |wanted: &str| {
            declared.iter().find(|ty| matches!(ty, Declared::Struct { name, .. } | Declared::Enum { name, .. } if name == wanted))
        };
        let Some(Declared::Enum { cases, has_values: true, .. }) = of("Odd") else { panic!("no variant") };
        let cases: Vec<_> = cases.iter().map(|case| (&*case.name, &*case.ty, case.renamed.as_deref())).collect();
        let wanted = [
            ("None", "", None),
            ("Some", "String", None),
            ("Self_", "Option<Vec<u8>>", None),
            ("Type", "", None),
            ("X1y", "", Some("\"x-1y\"")),
            ("X1Y", "ResultOf", Some("\"x-1-y\"")),
        ];
        assert_eq!(cases, wanted);
        assert!(matches!(of("Side"), Some(Declared::Enum { has_values: false, .. })));
        assert!(matches!(of("Vec_"), Some(Declared::Struct { error: Some(said), .. }) if said == "error"));
        assert!(matches!(of("ResultOf"), Some(Declared::Struct { error: None, .. })));
        let lent: Vec<_> = interface.exports[0].params.iter().map(|param| names.lent(&param.ty, "&")).collect();
        assert_eq!(lent, ["&Odd", "Side", "Option<&Odd>", "&[Side]"]);
    }
}
