//! Parses WIT text into the type model.

mod both_ways;
mod component;
mod errors;
mod resource;
mod same_names;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use wit_parser::{FunctionKind, Resolve, TypeDefKind, TypeId, TypeOwner, World, WorldItem, WorldKey};

use self::both_ways::BothWays;
use self::component::{nested_option, nested_result};
use self::resource::{check_handles, check_shape, interface_name, method_name, resource_of};
use super::resource::{Resource, ResourceType, Shape, Side};
use super::{
    Case, EnumType, Extension, Failure, Field, Function, ImportedInterface, Interface, MapType, RecordType, Scalar, TupleType, Type,
    TypeKind, VariantType, failing_layout, names,
};
use crate::error::escape;
use crate::error::{Error, ErrorKind, Result};

/// The interfaces that every host provides; see docs/abi.md, sections 7 and 9.
pub(crate) const CONTEXT_INTERFACE: &str = "undergo:go/context";
pub(crate) const REFUSAL_INTERFACE: &str = "undergo:go/refusal";
/// The interface of what a component imports by itself, and not from one.
pub(crate) const WORLD: &str = "world";
const GO_TYPES: &str = "undergo:go/types";

/// A text may come from a hostile module. These bounds keep the recursion of the parser and of this
/// crate, and every layout, small.
const MAX_TEXT: usize = 1 << 20;
const MAX_DEPTH: usize = 64;
const MAX_TYPE_SIZE: u32 = 1 << 20;
const MAX_PARTS: usize = 4096;

/// What has the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A module, whose values are those of Go.
    Module,
    /// A component, by anyone.
    Component,
}

pub(super) fn parse(sort: Sort, wit: &str) -> Result<Interface> {
    check_text(wit)?;
    // The parser expects texts that people write. If it panics on another, the text is invalid.
    let resolved = catch_unwind(AssertUnwindSafe(|| {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("interface.wit", wit).map_err(|error| format!("{error:#}"))?;
        let both_ways = if sort == Sort::Component { both_ways::split(&mut resolve, package)? } else { BothWays::default() };
        Ok::<_, String>((resolve, package, both_ways))
    }));
    let (resolve, package, both_ways) = match resolved {
        Ok(Ok(resolved)) => resolved,
        Ok(Err(error)) => return Err(invalid(format!("its interface is not valid WIT: {error}"))),
        Err(_) => return Err(invalid("its interface is not valid WIT")),
    };
    let reader = Reader {
        resolve: &resolve,
        sort,
        known: HashMap::new(),
        named: Vec::new(),
        errors: HashMap::new(),
        of_errors: errors::records(&resolve, sort),
        resources: HashMap::new(),
        renamed: HashMap::new(),
        both_ways,
        shared: HashSet::new(),
        made: HashMap::new(),
    };
    reader.read(package, wit)
}

fn check_text(wit: &str) -> Result<()> {
    if wit.len() > MAX_TEXT {
        return Err(invalid(format!("its interface has {} bytes; at most {MAX_TEXT} are accepted", wit.len())));
    }
    let mut depth = 0_usize;
    for byte in wit.bytes() {
        match byte {
            b'<' | b'(' | b'{' => depth += 1,
            // `->` closes nothing, so this may count too little by as much; that only loosens the
            // bound.
            b'>' | b')' | b'}' => depth = depth.saturating_sub(1),
            b'\n' => {}
            _ => continue,
        }
        if depth > MAX_DEPTH * 4 {
            return Err(invalid("its interface is nested too deeply"));
        }
    }
    Ok(())
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidPlugin, message)
}

/// A type, and its size where it is not named. In a text of few lines, each type may use the
/// previous one twice, so that a full description has more parts than there are atoms; or thousands
/// of types may be nested, for which a recursive walk has no stack.
#[derive(Clone)]
struct Measured {
    ty: Type,
    depth: usize,
    parts: usize,
}

impl Measured {
    fn leaf(kind: TypeKind) -> Measured {
        Measured { ty: Type::new(kind), depth: 1, parts: 1 }
    }
}

struct Reader<'a> {
    resolve: &'a Resolve,
    sort: Sort,
    /// Each named type once, so that a record is the same object wherever it occurs.
    known: HashMap<TypeId, Measured>,
    named: Vec<Type>,
    /// The variants of errors, and the records in them.
    errors: HashMap<TypeId, Arc<VariantType>>,
    of_errors: HashSet<TypeId>,
    resources: HashMap<TypeId, Arc<ResourceType>>,
    /// The names of types of which other packages have some of the same name.
    renamed: HashMap<TypeId, String>,
    both_ways: BothWays,
    /// The names of functions that a component exports more than once, as hosts compare them.
    shared: HashSet<String>,
    /// The types of components that have no name in the text, by the name that they get here.
    made: HashMap<String, Type>,
}

impl Reader<'_> {
    fn read(mut self, package: wit_parser::PackageId, wit: &str) -> Result<Interface> {
        let worlds = &self.resolve.packages[package].worlds;
        let [world] = worlds.values().copied().collect::<Vec<_>>()[..] else {
            return Err(invalid(format!("its interface has {} worlds; there must be one", worlds.len())));
        };
        self.renamed = same_names::of_types(self.resolve, package, &self.resolve.worlds[world], self.sort, &self.both_ways);
        self.resources = resource::resources(self.resolve, world, &self.renamed)?;
        if self.sort == Sort::Component {
            self.shared = component::shared(self.resolve, world);
        }
        let world = &self.resolve.worlds[world];
        check_names("the world", [world.name.as_str()].into_iter())?;
        let (mut imports, mut own, mut resources) = (Vec::new(), Vec::new(), Vec::new());
        for (key, item) in &world.imports {
            match item {
                WorldItem::Interface { .. } if is_wasi(self.resolve, key) => {}
                WorldItem::Interface { id, .. } => {
                    let functions = self.interface(world, key, *id, Side::Host, &mut resources)?;
                    check_names("an import", functions.iter().map(|function| function.name.as_str()))?;
                    imports.push(ImportedInterface { name: interface_name(self.resolve, key), functions });
                }
                WorldItem::Function(function) if self.sort == Sort::Component => {
                    own.push(Arc::new(self.function(function, function.name.clone(), Side::Host)?));
                }
                WorldItem::Function(function) => {
                    return Err(invalid(format!("the import {} belongs to no interface", function.name)));
                }
                WorldItem::Type { .. } => {}
            }
        }
        check_names("an import", own.iter().map(|function| function.name.as_str()))?;
        imports.push(ImportedInterface { name: WORLD.to_owned(), functions: own });
        imports.retain(|import| !import.functions.is_empty());
        check_names("an imported interface", imports.iter().map(|import| import.name.as_str()))?;
        let mut exports = Vec::new();
        for (key, item) in &world.exports {
            match item {
                WorldItem::Interface { .. } if is_wasi(self.resolve, key) => {}
                WorldItem::Function(function) => exports.push(Arc::new(self.function(function, function.name.clone(), Side::Guest)?)),
                WorldItem::Interface { id, .. } => exports.extend(self.interface(world, key, *id, Side::Guest, &mut resources)?),
                WorldItem::Type { .. } => {}
            }
        }
        check_names("an export", exports.iter().map(|function| function.name.as_str()))?;
        check_names("a type", self.named.iter().filter_map(Type::name))?;
        resources.sort_by_key(|resource| resource.ty.number);
        // No host names the streams, which are of another package, after it.
        let named = resources.iter().filter(|resource| !matches!(resource.ty.shape, Shape::Reader | Shape::Writer));
        check_names("a resource", named.map(|resource| resource.ty.name.as_str()).chain(self.named.iter().filter_map(Type::name)))?;
        Ok(Interface { name: world.name.clone(), wit: wit.to_owned(), exports, resources, imports, types: self.named })
    }

    /// The functions of an interface, without those of its resources, which are added to these.
    fn interface(
        &mut self,
        world: &World,
        key: &WorldKey,
        id: wit_parser::InterfaceId,
        side: Side,
        resources: &mut Vec<Resource>,
    ) -> Result<Vec<Arc<Function>>> {
        let resolve = self.resolve;
        let interface = &resolve.interfaces[id];
        let mut own: HashMap<TypeId, Resource> = HashMap::new();
        for ty in interface.types.values() {
            if let Some(found) = self.resources.get(ty) {
                own.insert(*ty, Resource { ty: found.clone(), constructor: None, methods: Vec::new() });
            }
        }
        // The names of an interface that is exported stand before those of its functions.
        let prefix = match side {
            Side::Guest => format!("{}#", interface_name(resolve, key)),
            Side::Host => String::new(),
        };
        let mut functions = Vec::new();
        for function in interface.functions.values() {
            let of = |kind: &str| invalid(format!("function {}: {kind} can't be called", function.name));
            let kind = self.kind(function);
            let (resource, name) = match kind {
                FunctionKind::Freestanding if side == Side::Guest && self.shared.contains(&names::folded(&function.name)) => {
                    (None, format!("{}-{}", same_names::of_interface(resolve, world, key), function.name))
                }
                FunctionKind::Freestanding => (None, function.name.clone()),
                // A function of its own, named after both: there is no object yet that has it.
                FunctionKind::Static(resource) if self.sort == Sort::Component || side == Side::Host => {
                    let resource = own.get(&resource).ok_or_else(|| of("a function of a resource that is elsewhere"))?;
                    (None, format!("{}-{}", resource.ty.name, method_name(&function.name)))
                }
                FunctionKind::Constructor(resource) if side == Side::Host && self.sort == Sort::Component => {
                    let resource = own.get(&resource).ok_or_else(|| of("a function of a resource that is elsewhere"))?;
                    (None, resource.ty.name.clone())
                }
                FunctionKind::Method(resource) | FunctionKind::Constructor(resource) => {
                    let resource = own.get_mut(&resource).ok_or_else(|| of("a function of a resource that is elsewhere"))?;
                    let name = match kind {
                        FunctionKind::Method(_) => format!("{}.{}", resource.ty.name, method_name(&function.name)),
                        _ => resource.ty.name.clone(),
                    };
                    (Some(resource), name)
                }
                _ => return Err(of("a static or asynchronous function")),
            };
            let mut read = self.function(function, name, side)?;
            read.core_name = format!("{prefix}{}", function.name);
            match (kind, resource) {
                (FunctionKind::Method(_), Some(resource)) => {
                    resource.methods.push(Arc::new(read));
                }
                (_, Some(resource)) => resource.constructor = Some(Arc::new(read)),
                (_, None) => functions.push(Arc::new(read)),
            }
        }
        for resource in own.into_values() {
            check_shape(&resource.ty, &resource.methods)?;
            resource.ty.functions.get_or_init(|| resource.methods.iter().map(Arc::downgrade).collect());
            resources.push(resource);
        }
        Ok(functions)
    }

    fn function(&mut self, function: &wit_parser::Function, name: String, side: Side) -> Result<Function> {
        let at = |error: Error| invalid(format!("function {}: {}", function.name, error.message()));
        check_names("a parameter", function.params.iter().map(|param| param.name.as_str())).map_err(at)?;
        let mut params = Vec::with_capacity(function.params.len());
        for param in &function.params {
            let ty = self.ty(&param.ty, 0).map_err(at)?;
            params.push(Field { name: param.name.clone(), docs: String::new(), ty });
        }
        let (result, fails) = match &function.result {
            None => (None, None),
            Some(ty) => self.result(ty, side).map_err(at)?,
        };
        let is_method = matches!(self.kind(function), FunctionKind::Method(_));
        let mut function = Function::new(name, docs(&function.docs), params, result, fails.is_some());
        function.is_method = is_method;
        if let Some(fails) = fails {
            (function.failure, function.errors) = (fails.failure, fails.errors);
            if let (Sort::Module, Failure::Value(ty)) = (self.sort, &function.failure) {
                function.abi.result = failing_layout(function.result.as_ref(), ty);
            }
        }
        check_handles(&function, side, self.sort)?;
        if function.abi.params.size > MAX_TYPE_SIZE || function.abi.result.size > MAX_TYPE_SIZE {
            return Err(invalid(format!("function {}: its values are too large", function.name)));
        }
        Ok(function)
    }

    /// Callers are not told that a component's function may suspend: the engine lets them wait.
    fn kind(&self, function: &wit_parser::Function) -> FunctionKind {
        if self.sort == Sort::Component { waited_for(&function.kind) } else { function.kind.clone() }
    }

    fn ty(&mut self, ty: &wit_parser::Type, depth: usize) -> Result<Type> {
        Ok(self.measured(ty, depth)?.ty)
    }

    fn measured(&mut self, ty: &wit_parser::Type, depth: usize) -> Result<Measured> {
        use wit_parser::Type as Wit;
        if depth > MAX_DEPTH {
            return Err(invalid("a type is nested too deeply"));
        }
        let scalar = |scalar| Ok(Measured::leaf(TypeKind::Scalar(scalar)));
        match ty {
            Wit::Bool => Ok(Measured::leaf(TypeKind::Bool)),
            Wit::S8 => scalar(Scalar::S8),
            Wit::U8 => scalar(Scalar::U8),
            Wit::S16 => scalar(Scalar::S16),
            Wit::U16 => scalar(Scalar::U16),
            Wit::S32 => scalar(Scalar::S32),
            Wit::U32 => scalar(Scalar::U32),
            Wit::S64 => scalar(Scalar::S64),
            Wit::U64 => scalar(Scalar::U64),
            Wit::F32 => scalar(Scalar::F32),
            Wit::F64 => scalar(Scalar::F64),
            Wit::String => Ok(Measured::leaf(TypeKind::String)),
            Wit::Id(id) => self.defined(*id, depth),
            Wit::Char if self.sort == Sort::Component => Ok(Measured { ty: Type::char(), depth: 1, parts: 1 }),
            Wit::Char | Wit::ErrorContext => Err(invalid("it uses a type that has no counterpart in Go (char or error-context)")),
        }
    }

    fn defined(&mut self, id: TypeId, depth: usize) -> Result<Measured> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        if let Some(same) = self.both_ways.same.get(&id) {
            return self.defined(*same, depth);
        }
        let def = &self.resolve.types[id];
        if let Some(kind) = self.go_type(def) {
            return Ok(Measured::leaf(kind));
        }
        let name = self.renamed.get(&id).or(def.name.as_ref()).cloned().unwrap_or_default();
        let (mut inner_depth, mut parts) = (0, 1_usize);
        let is_component = self.sort == Sort::Component;
        let mut inner = |ty: &wit_parser::Type| -> Result<Type> {
            let inner = self.measured(ty, depth + 1)?;
            inner_depth = inner_depth.max(inner.depth);
            parts = parts.saturating_add(inner.parts);
            Ok(inner.ty)
        };
        let kind = match &def.kind {
            TypeDefKind::Type(alias) => return self.measured(alias, depth + 1),
            TypeDefKind::List(item) => TypeKind::List(Arc::new(inner(item)?)),
            TypeDefKind::Option(value) => {
                let value = inner(value)?;
                if is_component && matches!(value.kind, TypeKind::Option(_)) {
                    nested_option(value)
                } else {
                    TypeKind::Option(Arc::new(value))
                }
            }
            TypeDefKind::Map(key, value) => TypeKind::Map(Arc::new(MapType::new(inner(key)?, inner(value)?))),
            TypeDefKind::Tuple(tuple) => {
                let items = tuple.types.iter().map(inner).collect::<Result<_>>()?;
                TypeKind::Tuple(Arc::new(TupleType::new(items)))
            }
            TypeDefKind::Record(record) => {
                check_names("a field", record.fields.iter().map(|field| field.name.as_str()))?;
                let mut fields = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    fields.push(Field { name: field.name.clone(), docs: docs(&field.docs), ty: inner(&field.ty)? });
                }
                let mut record = RecordType::new(name, docs(&def.docs), fields);
                record.is_error = self.of_errors.contains(&id);
                TypeKind::Record(Arc::new(record))
            }
            TypeDefKind::Enum(cases) => {
                check_names("a case", cases.cases.iter().map(|case| case.name.as_str()))?;
                TypeKind::Enum(Arc::new(EnumType {
                    name,
                    docs: docs(&def.docs),
                    cases: cases.cases.iter().map(|case| (case.name.clone(), docs(&case.docs))).collect(),
                    extension: Extension::default(),
                }))
            }
            TypeDefKind::Variant(variant) => {
                check_names("a case", variant.cases.iter().map(|case| case.name.as_str()))?;
                let mut cases = Vec::with_capacity(variant.cases.len());
                for case in &variant.cases {
                    let ty = case.ty.as_ref().map(&mut inner).transpose()?;
                    cases.push(Case { name: case.name.clone(), docs: docs(&case.docs), ty });
                }
                TypeKind::Variant(Arc::new(VariantType::new(name, docs(&def.docs), cases)))
            }
            TypeDefKind::Flags(flags) if is_component => {
                check_names("a flag", flags.flags.iter().map(|flag| flag.name.as_str()))?;
                let bool = || Type::new(TypeKind::Bool);
                let fields = flags.flags.iter().map(|flag| Field { name: flag.name.clone(), docs: docs(&flag.docs), ty: bool() });
                let mut record = RecordType::new(name, docs(&def.docs), fields.collect());
                record.is_flags = true;
                TypeKind::Record(Arc::new(record))
            }
            TypeDefKind::Result(result) if is_component => {
                let mut value = |ty: &Option<wit_parser::Type>| ty.as_ref().map(&mut inner).transpose();
                let (ok, err) = (value(&result.ok)?, value(&result.err)?);
                nested_result(&name, docs(&def.docs), ok, err)
            }
            TypeDefKind::Handle(handle) => {
                let found = resource_of(self.resolve, *handle).and_then(|(id, is_own)| Some((self.resources.get(&id)?.clone(), is_own)));
                match found {
                    Some((resource, true)) => TypeKind::Own(resource),
                    Some((resource, false)) => TypeKind::Borrow(resource),
                    None => return Err(invalid("it uses a resource of an interface that it neither imports nor exports")),
                }
            }
            TypeDefKind::Stream(_) | TypeDefKind::Future(_) if is_component => {
                return Err(invalid("it has a stream or a future of WASI 0.3, which a host can't have yet: see docs/wasi-0.3.md"));
            }
            other => return Err(invalid(format!("it uses a type that this version does not know ({})", other.as_str()))),
        };
        let mut ty = Type::new(kind);
        if let TypeKind::List(_) = ty.kind {
            ty.length = def.name.as_deref().and_then(fixed_length);
        }
        if ty.size == 0 || ty.size > MAX_TYPE_SIZE {
            return Err(invalid(format!("a type has {} bytes; 1 to {MAX_TYPE_SIZE} are possible", ty.size)));
        }
        if let TypeKind::Record(_) | TypeKind::Enum(_) | TypeKind::Variant(_) = ty.kind {
            // Where it is used, it is represented by its name.
            parts = 1;
            if def.name.is_some() {
                self.named.push(ty.clone());
            } else {
                ty = self.made(ty);
            }
        }
        if inner_depth >= MAX_DEPTH || parts > MAX_PARTS {
            return Err(invalid("a type is nested too deeply"));
        }
        let measured = Measured { ty, depth: inner_depth + 1, parts };
        self.known.insert(id, measured.clone());
        Ok(measured)
    }

    /// The types that WIT lacks are recognised by their origin, not by their shape.
    fn go_type(&self, def: &wit_parser::TypeDef) -> Option<TypeKind> {
        match go_name(self.resolve, def)? {
            "duration" => Some(TypeKind::Duration),
            "time" => Some(TypeKind::Time),
            "json" => Some(TypeKind::Json),
            _ => None,
        }
    }
}

/// The length of a list that is declared under that name, if it is an array; see docs/abi.md,
/// section 3.
fn fixed_length(name: &str) -> Option<u32> {
    let (digits, _) = name.strip_prefix("array")?.split_once('-')?;
    let length = digits.parse().ok()?;
    (length > 0 && !digits.starts_with(['0', '+'])).then_some(length)
}

/// The name of a definition that is one of `undergo:go/types`.
fn go_name<'r>(resolve: &Resolve, def: &'r wit_parser::TypeDef) -> Option<&'r str> {
    let TypeOwner::Interface(owner) = def.owner else { return None };
    if resolve.id_of(owner)? == GO_TYPES { def.name.as_deref() } else { None }
}

/// Whether a type is that one of `undergo:go/types`, through any alias.
pub(super) fn is_go_type(resolve: &Resolve, mut ty: wit_parser::Type, name: &str) -> bool {
    while let wit_parser::Type::Id(id) = ty {
        let def = &resolve.types[id];
        if go_name(resolve, def) == Some(name) {
            return true;
        }
        let TypeDefKind::Type(alias) = def.kind else { return false };
        ty = alias;
    }
    false
}

/// The kind of a function, of which its caller waits for the result.
pub(super) fn waited_for(kind: &FunctionKind) -> FunctionKind {
    match kind {
        FunctionKind::AsyncFreestanding => FunctionKind::Freestanding,
        FunctionKind::AsyncMethod(resource) => FunctionKind::Method(*resource),
        FunctionKind::AsyncStatic(resource) => FunctionKind::Static(*resource),
        kind => kind.clone(),
    }
}

/// Whether an interface is of WASI 0.2 or 0.3: the host provides those that are imported, and runs
/// those that are exported, such as `wasi:cli/run`.
fn is_wasi(resolve: &Resolve, key: &WorldKey) -> bool {
    let WorldKey::Interface(id) = key else { return false };
    let Some(package) = resolve.interfaces[*id].package.map(|package| &resolve.packages[package].name) else { return false };
    let is_known = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"].contains(&package.name.as_str());
    package.namespace == "wasi"
        && is_known
        && package.version.as_ref().is_some_and(|version| version.major == 0 && matches!(version.minor, 2 | 3))
}

/// Doc comments are lines of plain characters, because hosts display them and write them into
/// files.
pub(super) fn docs(docs: &wit_parser::Docs) -> String {
    escape::docs(docs.contents.as_deref().unwrap_or_default()).trim().to_owned()
}

/// Checks names in one scope, which hosts must tell apart.
pub(super) fn check_names<'n>(of: &str, names: impl Iterator<Item = &'n str>) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        if let Some(error) = names::unfit(of, name) {
            return Err(error);
        }
        if !seen.insert(names::folded(name)) {
            return Err(invalid(format!("the name of {of}, {name}, is the same as another's, or too much like it")));
        }
    }
    Ok(())
}
