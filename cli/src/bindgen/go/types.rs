//! Types in Go: as programs have them, as C has them, and what makes one of the other.

use std::collections::{BTreeMap, BTreeSet};

use undergo::interface::{Case, Function, Resource, ResourceType, Scalar, Shape, Side, Type, TypeKind, VariantType};

use super::text::{Scope, exported, literal};

/// What the types of a plugin are called.
pub(super) struct Names {
    types: BTreeMap<String, String>,
    /// Those of the cases of variants, by the names of the variant and the case.
    cases: BTreeMap<(String, String), String>,
    /// Those of resources that have types of their own, by their numbers.
    resources: BTreeMap<usize, String>,
    /// What the iterators among them give, and the digests of what gives it.
    items: BTreeMap<usize, Items>,
    pub(super) scope: Scope,
}

/// What an iterator gives.
struct Items {
    digest: String,
    /// One, or the two of a pair.
    types: Vec<Type>,
}

impl Names {
    pub(super) fn new(types: &[Type], resources: &[Resource]) -> Names {
        let mut scope = Scope::new([]);
        let named = types.iter().map(|ty| ty.to_string()).map(|name| (name.clone(), scope.exported(&name))).collect();
        let mut names = Names { types: named, cases: BTreeMap::new(), resources: BTreeMap::new(), items: BTreeMap::new(), scope };
        for resource in resources {
            match resource.ty.shape {
                Shape::Object | Shape::Callback => {
                    names.resources.insert(resource.ty.number, names.scope.exported(&resource.ty.name));
                }
                Shape::Iterator => names.items.extend(resource.methods.first().map(|next| (resource.ty.number, Items::of(next)))),
                Shape::Reader | Shape::Writer => {}
            }
        }
        names.declare_cases(types);
        names
    }

    /// Whether a resource's type is called like a case.
    fn is_of_resource(&self, case: &str) -> bool {
        self.resources.values().any(|name| *name == exported(case))
    }

    /// The name of a resource's type: one of objects, or of functions.
    pub(super) fn of_resource(&self, resource: &ResourceType) -> String {
        self.resources.get(&resource.number).cloned().unwrap_or_else(|| exported(&resource.name))
    }

    /// What stands for a handle.
    fn show_handle(&self, resource: &ResourceType) -> String {
        match (resource.shape, resource.side) {
            (Shape::Object, Side::Guest) => format!("*{}", self.of_resource(resource)),
            (Shape::Object | Shape::Callback, _) => self.of_resource(resource),
            (Shape::Iterator, side) => {
                let types: Vec<String> = self.items[&resource.number].types.iter().map(|ty| self.show(ty)).collect();
                match (side, types.as_slice()) {
                    (Side::Guest, [item]) => format!("*undergo.Items[{item}]"),
                    (Side::Guest, pair) => format!("*undergo.Items[undergo.Pair[{}]]", pair.join(", ")),
                    (Side::Host, [item]) => format!("iter.Seq[{item}]"),
                    (Side::Host, pair) => format!("iter.Seq2[{}]", pair.join(", ")),
                }
            }
            (Shape::Reader, Side::Guest) => "*undergo.Reader".to_owned(),
            (Shape::Reader, Side::Host) => "io.Reader".to_owned(),
            (Shape::Writer, Side::Guest) => "*undergo.Writer".to_owned(),
            (Shape::Writer, Side::Host) => "io.Writer".to_owned(),
        }
    }

    /// An expression that writes what stands for a handle, which may be nil.
    fn lower_handle(&self, resource: &ResourceType, value: &str, writer: &str) -> String {
        let wit = literal(&resource.name);
        match resource.shape {
            Shape::Object | Shape::Callback => format!("lower{}({writer}, {value})", self.of_resource(resource)),
            Shape::Reader => format!("undergo.LowerReader({writer}, {wit}, {value})"),
            Shape::Writer => format!("undergo.LowerWriter({writer}, {wit}, {value})"),
            Shape::Iterator => {
                let Items { digest, types } = &self.items[&resource.number];
                match types.as_slice() {
                    [item] => {
                        let body = self.lower_items(item, "items");
                        let list = format!("func(w *undergo.RawWriter, items []{}) undergo.RawList {{ return {body} }}", self.show(item));
                        format!("undergo.LowerSeq({writer}, {wit}, {digest}, {value}, {list})")
                    }
                    pair => {
                        let pair_type = self.show_pair(pair);
                        let parts: Vec<String> =
                            pair.iter().zip(["v.Key", "v.Value"]).map(|(ty, part)| self.lower(ty, part, "w")).collect();
                        let raw = self.raw_fields(pair.iter());
                        let item = format!("func(w *undergo.RawWriter, v {pair_type}) {raw} {{ return {raw}{{{}}} }}", parts.join(", "));
                        let list = format!(
                            "func(w *undergo.RawWriter, items []{pair_type}) undergo.RawList {{ return undergo.LowerList(w, items, {item}) }}"
                        );
                        format!("undergo.LowerSeq2({writer}, {wit}, {digest}, {value}, {list})")
                    }
                }
            }
        }
    }

    /// An expression that makes what stands for a handle; nil for none.
    fn lift_handle(&self, resource: &ResourceType, value: &str) -> String {
        if resource.side == Side::Host {
            // A plugin passes no others back.
            let is_object = resource.shape == Shape::Object;
            return if is_object { format!("undergo.LiftOwn[{}]({value})", self.of_resource(resource)) } else { "nil".to_owned() };
        }
        let wit = literal(&resource.name);
        match resource.shape {
            Shape::Object | Shape::Callback => format!("lift{}(l, {value})", self.of_resource(resource)),
            Shape::Reader => format!("undergo.LiftReader(l, {value}, {wit})"),
            Shape::Writer => format!("undergo.LiftWriter(l, {value}, {wit})"),
            Shape::Iterator => {
                let Items { digest, types } = &self.items[&resource.number];
                let (item_type, list) = match types.as_slice() {
                    [item] => (self.show(item), self.lift_items(item, "list")),
                    pair => {
                        let pair_type = self.show_pair(pair);
                        let part = |(i, (ty, name)): (usize, (&Type, &str))| format!("{name}: {}", self.lift(ty, &format!("v.V{i}")));
                        let parts: Vec<String> = pair.iter().zip(["Key", "Value"]).enumerate().map(part).collect();
                        let raw = self.raw_fields(pair.iter());
                        let item = format!("func(v {raw}) {pair_type} {{ return {pair_type}{{{}}} }}", parts.join(", "));
                        (pair_type, format!("undergo.LiftList(list, {item})"))
                    }
                };
                let of = format!("func(l undergo.RawLifter, list undergo.RawList) []{item_type} {{ return {list} }}");
                format!("undergo.LiftItems(l, {value}, {wit}, {digest}, {of})")
            }
        }
    }

    fn show_pair(&self, pair: &[Type]) -> String {
        format!("undergo.Pair[{}]", pair.iter().map(|ty| self.show(ty)).collect::<Vec<_>>().join(", "))
    }

    fn lower_items(&self, item: &Type, value: &str) -> String {
        if is_same(item) {
            format!("undergo.LowerPlain(w, {value})")
        } else {
            format!("undergo.LowerList(w, {value}, {})", self.lowering(item))
        }
    }

    fn lift_items(&self, item: &Type, value: &str) -> String {
        if is_same(item) {
            format!("undergo.LiftPlain[{}]({value})", self.show(item))
        } else {
            format!("undergo.LiftList({value}, {})", self.lifting(item))
        }
    }

    /// A type for each case that is none of the plugin's types, called after the case; after its
    /// variant, too, where something else has that name. Variants share those that are alike.
    fn declare_cases(&mut self, types: &[Type]) {
        let own = || types.iter().filter_map(variant).flat_map(|variant| variant.cases.iter().map(move |case| (variant, case)));
        let mut kinds = BTreeMap::<&str, BTreeSet<String>>::new();
        for (_, case) in own() {
            kinds.entry(&case.name).or_default().insert(content(case));
        }
        let mut shared = BTreeMap::new();
        for (variant, case) in own() {
            let class = if case.own_record().is_some() {
                self.of(&case.name)
            } else if self.types.contains_key(&case.name) || self.is_of_resource(&case.name) || kinds[case.name.as_str()].len() > 1 {
                self.scope.exported(&format!("{}-{}", variant.name, case.name))
            } else {
                shared.entry(&case.name).or_insert_with(|| self.scope.exported(&case.name)).clone()
            };
            self.cases.insert((variant.name.clone(), case.name.clone()), class);
        }
    }

    /// The name of the type for a case.
    pub(super) fn of_case(&self, variant: &VariantType, case: &Case) -> String {
        self.cases[&(variant.name.clone(), case.name.clone())].clone()
    }

    /// The name of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.types.get(kebab).cloned().unwrap_or_else(|| exported(kebab))
    }

    /// A type as programs have it.
    pub(super) fn show(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Scalar(scalar) => number(*scalar).to_owned(),
            TypeKind::String => "string".to_owned(),
            TypeKind::Json => "json.RawMessage".to_owned(),
            TypeKind::Duration => "time.Duration".to_owned(),
            TypeKind::Time => "time.Time".to_owned(),
            // An interface may be nil itself.
            TypeKind::Option(inner) if may_be_nil(inner) => self.show(inner),
            TypeKind::Option(inner) => format!("*{}", self.show(inner)),
            TypeKind::List(item) => format!("[]{}", self.show(item)),
            TypeKind::Map(map) => format!("map[{}]{}", self.show(&map.key), self.show(&map.value)),
            TypeKind::Tuple(tuple) => of_fields(tuple.items.iter().map(|item| self.show(item))),
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.show_handle(resource),
        }
    }

    /// A type as C has it.
    pub(super) fn raw(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::String | TypeKind::Json => "undergo.RawText".to_owned(),
            TypeKind::Time => "undergo.RawTime".to_owned(),
            TypeKind::Own(_) | TypeKind::Borrow(_) => "undergo.RawHandle".to_owned(),
            TypeKind::Option(inner) if is_handle(inner) => "undergo.RawHandle".to_owned(),
            TypeKind::Option(_) => "undergo.RawOption".to_owned(),
            TypeKind::List(_) | TypeKind::Map(_) => "undergo.RawList".to_owned(),
            TypeKind::Tuple(tuple) => self.raw_fields(tuple.items.iter()),
            TypeKind::Record(record) => format!("raw{}", self.of(&record.name)),
            TypeKind::Variant(variant) => format!("raw{}", self.of(&variant.name)),
            _ => self.show(ty),
        }
    }

    /// A struct of C without names for its fields: of a function's parameters, or of several
    /// results.
    pub(super) fn raw_fields<'t>(&self, types: impl Iterator<Item = &'t Type>) -> String {
        of_fields(types.map(|ty| self.raw(ty)))
    }

    /// An expression that writes a value for C. `writer` is that for a writer.
    pub(super) fn lower(&self, ty: &Type, value: &str, writer: &str) -> String {
        match &ty.kind {
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Enum(_) => value.to_owned(),
            TypeKind::String => format!("undergo.LowerText({writer}, {value})"),
            TypeKind::Json => format!("undergo.LowerJSON({writer}, {value})"),
            TypeKind::Time => format!("undergo.LowerTime({value})"),
            TypeKind::Option(inner) if is_handle(inner) => self.lower(inner, value, writer),
            TypeKind::Option(inner) if variant(inner).is_some() => format!("undergo.LowerNil({writer}, {value}, {})", self.lowering(inner)),
            TypeKind::Option(inner) => format!("undergo.LowerOption({writer}, {value}, {})", self.lowering(inner)),
            TypeKind::List(item) if is_same(item) => format!("undergo.LowerPlain({writer}, {value})"),
            TypeKind::List(item) => format!("undergo.LowerList({writer}, {value}, {})", self.lowering(item)),
            TypeKind::Map(map) => {
                format!("undergo.LowerMap({writer}, {value}, {}, {})", self.lowering(&map.key), self.lowering(&map.value))
            }
            TypeKind::Tuple(tuple) => {
                let items = tuple.items.iter().enumerate().map(|(i, item)| self.lower(item, &format!("{value}.V{i}"), writer));
                format!("{}{{{}}}", self.raw(ty), items.collect::<Vec<_>>().join(", "))
            }
            TypeKind::Record(record) => format!("lower{}({writer}, {value})", self.of(&record.name)),
            TypeKind::Variant(variant) => format!("lower{}({writer}, {value})", self.of(&variant.name)),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.lower_handle(resource, value, writer),
        }
    }

    /// A function that writes a value for C.
    fn lowering(&self, ty: &Type) -> String {
        match &ty.kind {
            _ if is_same(ty) => format!("undergo.LowerSame[{}]", self.show(ty)),
            TypeKind::String => "undergo.LowerText[string]".to_owned(),
            TypeKind::Json => "undergo.LowerJSON[json.RawMessage]".to_owned(),
            TypeKind::Record(record) => format!("lower{}", self.of(&record.name)),
            TypeKind::Variant(variant) => format!("lower{}", self.of(&variant.name)),
            _ => format!("func(w *undergo.RawWriter, v {}) {} {{ return {} }}", self.show(ty), self.raw(ty), self.lower(ty, "v", "w")),
        }
    }

    /// An expression that reads a value of C. Where it has handles, `l` says what they belong to.
    pub(super) fn lift(&self, ty: &Type, value: &str) -> String {
        match &ty.kind {
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Enum(_) => value.to_owned(),
            TypeKind::String => format!("undergo.LiftText({value})"),
            TypeKind::Json => format!("json.RawMessage(undergo.LiftJSON({value}))"),
            TypeKind::Time => format!("undergo.LiftTime({value})"),
            TypeKind::Option(inner) if is_handle(inner) => self.lift(inner, value),
            TypeKind::Option(inner) if variant(inner).is_some() => format!("undergo.LiftNil({value}, {})", self.lifting(inner)),
            TypeKind::Option(inner) => format!("undergo.LiftOption({value}, {})", self.lifting(inner)),
            TypeKind::List(item) if is_same(item) => format!("undergo.LiftPlain[{}]({value})", self.show(item)),
            TypeKind::List(item) => format!("undergo.LiftList({value}, {})", self.lifting(item)),
            TypeKind::Map(map) => format!("undergo.LiftMap({value}, {}, {})", self.lifting(&map.key), self.lifting(&map.value)),
            TypeKind::Tuple(tuple) => {
                let items = tuple.items.iter().enumerate().map(|(i, item)| self.lift(item, &format!("{value}.V{i}")));
                format!("{}{{{}}}", self.show(ty), items.collect::<Vec<_>>().join(", "))
            }
            TypeKind::Record(record) => format!("lift{}({}{value})", self.of(&record.name), lifter(ty)),
            TypeKind::Variant(variant) => format!("lift{}({}{value})", self.of(&variant.name), lifter(ty)),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.lift_handle(resource, value),
        }
    }

    /// A function that reads a value of C.
    fn lifting(&self, ty: &Type) -> String {
        match &ty.kind {
            _ if is_same(ty) => format!("undergo.LiftSame[{}]", self.show(ty)),
            TypeKind::String => "undergo.LiftText".to_owned(),
            TypeKind::Time => "undergo.LiftTime".to_owned(),
            _ if ty.holds_handles() => {
                format!("func(v {}) {} {{ return {} }}", self.raw(ty), self.show(ty), self.lift(ty, "v"))
            }
            TypeKind::Record(record) => format!("lift{}", self.of(&record.name)),
            TypeKind::Variant(variant) => format!("lift{}", self.of(&variant.name)),
            _ => format!("func(v {}) {} {{ return {} }}", self.raw(ty), self.show(ty), self.lift(ty, "v")),
        }
    }
}

impl Items {
    fn of(next: &Function) -> Items {
        let list = match &next.result {
            Some(Type { kind: TypeKind::Tuple(tuple), .. }) => tuple.items.first(),
            _ => None,
        };
        let types = match list.map(|list| &list.kind) {
            // A list of pairs is a map by its form.
            Some(TypeKind::Map(map)) => vec![map.key.clone(), map.value.clone()],
            Some(TypeKind::List(item)) => match &item.kind {
                TypeKind::Tuple(tuple) if tuple.items.len() == 2 => tuple.items.to_vec(),
                _ => vec![(**item).clone()],
            },
            _ => Vec::new(),
        };
        Items { digest: format!("{:#018x}", next.digest()), types }
    }
}

/// The first argument of what lifts it, if it has handles.
fn lifter(ty: &Type) -> &'static str {
    if ty.holds_handles_of(Side::Guest) { "l, " } else { "" }
}

/// The same as a parameter.
pub(super) fn lifter_param(ty: &Type) -> &'static str {
    if ty.holds_handles_of(Side::Guest) { "l undergo.RawLifter, " } else { "" }
}

fn is_handle(ty: &Type) -> bool {
    matches!(ty.kind, TypeKind::Own(_) | TypeKind::Borrow(_))
}

/// Whether nil stands for nothing.
fn may_be_nil(ty: &Type) -> bool {
    is_handle(ty) || variant(ty).is_some()
}

/// The variant that it is, if it is one.
fn variant(ty: &Type) -> Option<&VariantType> {
    if let TypeKind::Variant(variant) = &ty.kind { Some(variant) } else { None }
}

/// Whether a case's value is a field of its type: no type with methods is made of a pointer or an
/// interface.
pub(super) fn is_wrapped(ty: &Type) -> bool {
    is_handle(ty) || matches!(ty.kind, TypeKind::Option(_) | TypeKind::Variant(_))
}

/// What a case has, as text.
fn content(case: &Case) -> String {
    case.ty.as_ref().map_or_else(String::new, ToString::to_string)
}

/// Whether it is the same in Go and in C.
fn is_same(ty: &Type) -> bool {
    matches!(ty.kind, TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Enum(_))
}

fn of_fields(types: impl Iterator<Item = String>) -> String {
    let fields: Vec<String> = types.enumerate().map(|(i, ty)| format!("V{i} {ty}")).collect();
    // C has no struct without a member.
    if fields.is_empty() { "undergo.RawEmpty".to_owned() } else { format!("struct{{ {} }}", fields.join("; ")) }
}

fn number(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::S8 => "int8",
        Scalar::U8 => "uint8",
        Scalar::S16 => "int16",
        Scalar::U16 => "uint16",
        Scalar::S32 | Scalar::WasmI32 => "int32",
        Scalar::U32 => "uint32",
        Scalar::S64 | Scalar::WasmI64 => "int64",
        Scalar::U64 => "uint64",
        Scalar::F32 => "float32",
        Scalar::F64 => "float64",
    }
}
