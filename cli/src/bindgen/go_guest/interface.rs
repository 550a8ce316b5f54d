//! The package of one interface. `templates/go-guest/interface.go` is the file that this makes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use askama::Template;
use wit_parser::{Docs, Function, FunctionKind, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId};

use super::declared::{self, Declared, Value};
use super::folders::Folders;
use super::names::{in_scope, interface, param, spelled};
use super::types::{Names, expression, has_handle, home, is_declared, unaliased};
use crate::bindgen::filters;
use crate::bindgen::go::text::{Scope, docs, exported};

/// The text of the only file of an interface's package. `errors` are the [types](errors) with which
/// functions fail.
pub(super) fn text(resolve: &Resolve, id: InterfaceId, folders: &Folders, errors: &BTreeSet<TypeId>) -> Result<String> {
    let name = interface(resolve, id)?;
    let file = Writer::new(resolve, id, folders, errors).and_then(|writer| writer.file(&name));
    file.and_then(|file| Ok(file.render()? + "\n")).with_context(|| format!("{name} can't be imported into Go"))
}

#[derive(Template)]
#[template(path = "go-guest/interface.go", escape = "none")]
struct File {
    id: String,
    docs: String,
    package: String,
    imports: Vec<Import>,
    types: Vec<Declared>,
    functions: Vec<Signature>,
}

struct Import {
    /// The name, if it is not that of the package.
    alias: Option<String>,
    path: String,
}

/// A variable for a function, or a method.
pub(super) struct Signature {
    pub(super) name: String,
    /// Its name in WIT.
    pub(super) wit: String,
    pub(super) docs: String,
    /// The parameters that the host keeps.
    pub(super) kept: Vec<String>,
    /// The type of its error, if that has one of its own.
    pub(super) fails: Option<String>,
    /// What follows `func`.
    pub(super) types: String,
}

pub(super) struct Writer<'a> {
    pub(super) resolve: &'a Resolve,
    id: InterfaceId,
    folders: &'a Folders,
    scope: Scope,
    /// What it declares, and what those declare that it uses.
    names: BTreeMap<InterfaceId, BTreeMap<TypeId, String>>,
    /// The packages that it imports, with their local names.
    imports: BTreeMap<InterfaceId, String>,
    packages: Scope,
    /// The tuples without names, by what they consist of.
    tuples: BTreeMap<Vec<String>, String>,
    added: Vec<Declared>,
    errors: &'a BTreeSet<TypeId>,
}

impl<'a> Writer<'a> {
    fn new(resolve: &'a Resolve, id: InterfaceId, folders: &'a Folders, errors: &'a BTreeSet<TypeId>) -> Result<Writer<'a>> {
        let mut scope = Scope::new([]);
        let names = BTreeMap::from([(id, declared_by(resolve, id, &mut scope)?)]);
        let packages = Scope::new([folders.package(id)]);
        let (imports, tuples, added) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Ok(Writer { resolve, id, folders, scope, names, imports, packages, tuples, added, errors })
    }

    fn file(mut self, name: &str) -> Result<File> {
        let interface = &self.resolve.interfaces[self.id];
        let mut types = Vec::new();
        for ty in interface.types.values().filter(|ty| is_declared(self.resolve, **ty)) {
            types.push(self.declare(*ty)?);
        }
        let mut functions = Vec::new();
        for function in interface.functions.values() {
            // A function that stands in a resource has the names of both.
            let name = match function.kind {
                FunctionKind::Freestanding => function.name.clone(),
                FunctionKind::Method(_) => continue,
                FunctionKind::Static(of) => format!("{}-{}", self.name_of(of), function.item_name()),
                FunctionKind::Constructor(of) => format!("new-{}", self.name_of(of)),
                _ => bail!("{} is asynchronous, which Go can't wait for yet", function.name),
            };
            let go = self.scope.take(spelled(&name).unwrap_or_else(|| exported(&name)));
            functions.push(self.signature(go, function, &function.name, &function.params)?);
        }
        types.append(&mut self.added);
        let package = self.folders.package(self.id).to_owned();
        let import = |(id, name): (&InterfaceId, &String)| {
            let alias = (name != self.folders.package(*id)).then(|| name.clone());
            Ok(Import { alias, path: self.folders.import(*id).context("a package that it uses has no import path")? })
        };
        let imports = self.imports.iter().map(import).collect::<Result<_>>()?;
        let docs = self.docs(&interface.docs, &format!("Package {package} imports {name}."));
        Ok(File { id: name.to_owned(), docs, package, imports, types, functions })
    }

    pub(super) fn docs(&self, text: &Docs, otherwise: &str) -> String {
        let text = docs(text.contents.as_deref().unwrap_or_default());
        if text.is_empty() { format!("// {otherwise}") } else { text }
    }

    pub(super) fn expression(&mut self, ty: &Type) -> Result<String> {
        expression(self.resolve, ty, self)
    }

    /// The name of a type in WIT.
    fn name_of(&self, id: TypeId) -> &'a str {
        self.resolve.types[id].name.as_deref().unwrap_or_default()
    }

    pub(super) fn is_error(&self, id: TypeId) -> bool {
        self.errors.contains(&id)
    }

    /// A name of the package's own, for a case of a type.
    pub(super) fn case(&mut self, class: &str, wit: &str) -> Result<String> {
        let case = spelled(wit).map(|case| self.scope.take(format!("{class}{case}")));
        let case = case.filter(|name| name.strip_prefix(class).is_some_and(|rest| super::names::is_same(rest, wit)));
        case.with_context(|| format!("the case {wit}: Go has no name for it that stands for this one: names are of small letters"))
    }

    fn declare(&mut self, id: TypeId) -> Result<Declared> {
        let name = self.names[&self.id][&id].clone();
        declared::declare(self, id, name).with_context(|| format!("type {}", self.name_of(id)))
    }

    /// The methods of a resource.
    pub(super) fn methods(&mut self, id: TypeId) -> Result<Vec<Signature>> {
        let mut scope = Scope::new([]);
        let mut methods = Vec::new();
        for function in self.resolve.interfaces[self.id].functions.values() {
            if function.kind == FunctionKind::Method(id) {
                let wit = function.item_name();
                let go = in_scope(&mut scope, "the method", wit)?;
                methods.push(self.signature(go, function, wit, &function.params[1..])?);
            }
        }
        Ok(methods)
    }

    fn signature(&mut self, name: String, function: &Function, wit: &str, params: &[wit_parser::Param]) -> Result<Signature> {
        let at = |what: &str| format!("{what} of {wit}");
        let mut scope = Scope::of_params();
        let (mut list, mut kept) = (Vec::new(), Vec::new());
        for each in params {
            let go = self.param(&each.ty).with_context(|| at(&format!("the parameter {}", each.name)))?;
            let name = param(&mut scope, wit, &each.name)?;
            list.push(format!("{name} {go}"));
            if self.is_given_away(&each.ty) {
                kept.push(name);
            }
        }
        let (ok, fails) = match function.result {
            None => (None, None),
            Some(ty) => match unaliased(self.resolve, ty).map(|id| &self.resolve.types[id].kind) {
                Some(TypeDefKind::Result(result)) => (result.ok, Some(self.failure(result.err.as_ref()).with_context(|| at("the error"))?)),
                _ => (Some(ty), None),
            },
        };
        let mut results = ok.map_or(Ok(Vec::new()), |ok| self.results(&ok)).with_context(|| at("the result"))?;
        if fails.is_some() {
            results.push("error".to_owned());
        }
        let results = match results.as_slice() {
            [] => String::new(),
            [one] => format!(" {one}"),
            many => format!(" ({})", many.join(", ")),
        };
        let docs = self.docs(&function.docs, &format!("{name} is {wit}."));
        Ok(Signature { name, wit: wit.to_owned(), docs, kept, fails: fails.flatten(), types: format!("({}){results}", list.join(", ")) })
    }

    fn param(&mut self, ty: &Type) -> Result<String> {
        let is_handle = self.is_given_away(ty) || self.handle(ty).is_some();
        let fits = is_handle || !has_handle(self.resolve, ty, &mut BTreeSet::new());
        ensure!(fits, "an object of the host's within a value, which Go can't pass back");
        self.expression(ty)
    }

    fn handle(&self, ty: &Type) -> Option<Handle> {
        match self.resolve.types[unaliased(self.resolve, *ty)?].kind {
            TypeDefKind::Handle(handle) => Some(handle),
            _ => None,
        }
    }

    /// Whether a parameter is an object that the host gets for good. A type of its own name is one.
    fn is_given_away(&self, ty: &Type) -> bool {
        let is_resource = || unaliased(self.resolve, *ty).is_some_and(|id| matches!(self.resolve.types[id].kind, TypeDefKind::Resource));
        matches!(self.handle(ty), Some(Handle::Own(_))) || is_resource()
    }

    /// The results that a value is: a tuple is several.
    fn results(&mut self, ty: &Type) -> Result<Vec<String>> {
        let tuple = unaliased(self.resolve, *ty).map(|id| &self.resolve.types[id]);
        match tuple.map(|def| (&def.kind, &def.name)) {
            Some((TypeDefKind::Tuple(tuple), None)) if tuple.types.len() > 1 => tuple.types.iter().map(|ty| self.expression(ty)).collect(),
            _ => Ok(vec![self.expression(ty)?]),
        }
    }

    /// The type of an error; `None` if it is a text.
    fn failure(&mut self, error: Option<&Type>) -> Result<Option<String>> {
        let Some(error) = error else { bail!("it has no value: an error in Go says something") };
        let Some(id) = unaliased(self.resolve, *error) else {
            let is_text = expression(self.resolve, error, self)? == "string";
            ensure!(is_text, "an error in Go is a text, a variant, an enum or a record");
            return Ok(None);
        };
        let fits = matches!(self.resolve.types[id].kind, TypeDefKind::Variant(_) | TypeDefKind::Enum(_) | TypeDefKind::Record(_));
        ensure!(fits, "an error in Go is a text, a variant, an enum or a record");
        self.declared(id).map(Some)
    }

    fn add_tuple(&mut self, items: &[Type]) -> Result<String> {
        let parts = items.iter().map(|ty| self.expression(ty)).collect::<Result<Vec<_>>>()?;
        if let Some(known) = self.tuples.get(&parts) {
            return Ok(known.clone());
        }
        let mangled: String = parts.iter().map(|part| exported(&part.replace("[]", "list-").replace('*', "some-"))).collect();
        let name = if mangled.len() > 60 { "Tuple".to_owned() } else { format!("Tuple{mangled}") };
        let name = self.scope.take(name);
        self.tuples.insert(parts.clone(), name.clone());
        let docs = format!("// {name} is a tuple of {} values.", parts.len());
        self.added.push(declared::tuple(name.clone(), docs, parts));
        Ok(name)
    }
}

impl Names for Writer<'_> {
    fn declared(&mut self, id: TypeId) -> Result<String> {
        if let Some(name) = self.names[&self.id].get(&id) {
            return Ok(name.clone());
        }
        let Some(from) = home(self.resolve, id).filter(|from| self.folders.import(*from).is_some()) else {
            bail!("it uses a type of an interface that Go's own packages have")
        };
        if !self.names.contains_key(&from) {
            self.names.insert(from, declared_by(self.resolve, from, &mut Scope::new([]))?);
        }
        let name = self.names[&from].get(&id).context("it uses a type that is not declared where it comes from")?;
        let package = match self.imports.get(&from) {
            Some(package) => package.clone(),
            None => {
                let package = self.packages.take(self.folders.package(from).to_owned());
                self.imports.insert(from, package.clone());
                package
            }
        };
        Ok(format!("{package}.{name}"))
    }

    fn tuple(&mut self, items: &[Type], _parts: &[String]) -> Result<String> {
        self.add_tuple(items)
    }
}

/// The names of the types that an interface declares.
fn declared_by(resolve: &Resolve, id: InterfaceId, scope: &mut Scope) -> Result<BTreeMap<TypeId, String>> {
    let types = resolve.interfaces[id].types.iter().filter(|(_, ty)| is_declared(resolve, **ty));
    types.map(|(name, ty)| Ok((*ty, in_scope(scope, "the type", name)?))).collect()
}

/// The types with which functions fail, in all interfaces: one is as it is wherever it is used.
pub(super) fn errors(resolve: &Resolve) -> BTreeSet<TypeId> {
    let functions = resolve.interfaces.iter().flat_map(|(_, interface)| interface.functions.values());
    let failure = |function: &Function| match &resolve.types[unaliased(resolve, function.result?)?].kind {
        TypeDefKind::Result(result) => unaliased(resolve, result.err?),
        _ => None,
    };
    functions.filter_map(failure).collect()
}
