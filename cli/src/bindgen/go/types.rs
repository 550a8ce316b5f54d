//! Types in Go: as programs have them, as C has them, and what makes one of the other.

use std::collections::{BTreeMap, BTreeSet};

use undergo::interface::{Case, Scalar, Type, TypeKind, VariantType};

use super::text::{Scope, exported};

/// What the types of a plugin are called.
pub(super) struct Names {
    types: BTreeMap<String, String>,
    /// Those of the cases of variants, by the names of the variant and the case.
    cases: BTreeMap<(String, String), String>,
    pub(super) scope: Scope,
}

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        let mut scope = Scope::new([]);
        let named = types.iter().map(|ty| ty.to_string()).map(|name| (name.clone(), scope.exported(&name))).collect();
        let mut names = Names { types: named, cases: BTreeMap::new(), scope };
        names.declare_cases(types);
        names
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
            } else if self.types.contains_key(&case.name) || kinds[case.name.as_str()].len() > 1 {
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
            TypeKind::Option(inner) if variant(inner).is_some() => self.show(inner),
            TypeKind::Option(inner) => format!("*{}", self.show(inner)),
            TypeKind::List(item) => format!("[]{}", self.show(item)),
            TypeKind::Map(map) => format!("map[{}]{}", self.show(&map.key), self.show(&map.value)),
            TypeKind::Tuple(tuple) => of_fields(tuple.items.iter().map(|item| self.show(item))),
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("what has handles is left out"),
        }
    }

    /// A type as C has it.
    pub(super) fn raw(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::String | TypeKind::Json => "undergo.RawText".to_owned(),
            TypeKind::Time => "undergo.RawTime".to_owned(),
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
            TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("what has handles is left out"),
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

    /// An expression that reads a value of C.
    pub(super) fn lift(&self, ty: &Type, value: &str) -> String {
        match &ty.kind {
            TypeKind::Bool | TypeKind::Scalar(_) | TypeKind::Duration | TypeKind::Enum(_) => value.to_owned(),
            TypeKind::String => format!("undergo.LiftText({value})"),
            TypeKind::Json => format!("json.RawMessage(undergo.LiftJSON({value}))"),
            TypeKind::Time => format!("undergo.LiftTime({value})"),
            TypeKind::Option(inner) if variant(inner).is_some() => format!("undergo.LiftNil({value}, {})", self.lifting(inner)),
            TypeKind::Option(inner) => format!("undergo.LiftOption({value}, {})", self.lifting(inner)),
            TypeKind::List(item) if is_same(item) => format!("undergo.LiftPlain[{}]({value})", self.show(item)),
            TypeKind::List(item) => format!("undergo.LiftList({value}, {})", self.lifting(item)),
            TypeKind::Map(map) => format!("undergo.LiftMap({value}, {}, {})", self.lifting(&map.key), self.lifting(&map.value)),
            TypeKind::Tuple(tuple) => {
                let items = tuple.items.iter().enumerate().map(|(i, item)| self.lift(item, &format!("{value}.V{i}")));
                format!("{}{{{}}}", self.show(ty), items.collect::<Vec<_>>().join(", "))
            }
            TypeKind::Record(record) => format!("lift{}({value})", self.of(&record.name)),
            TypeKind::Variant(variant) => format!("lift{}({value})", self.of(&variant.name)),
            TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("what has handles is left out"),
        }
    }

    /// A function that reads a value of C.
    fn lifting(&self, ty: &Type) -> String {
        match &ty.kind {
            _ if is_same(ty) => format!("undergo.LiftSame[{}]", self.show(ty)),
            TypeKind::String => "undergo.LiftText".to_owned(),
            TypeKind::Time => "undergo.LiftTime".to_owned(),
            TypeKind::Record(record) => format!("lift{}", self.of(&record.name)),
            TypeKind::Variant(variant) => format!("lift{}", self.of(&variant.name)),
            _ => format!("func(v {}) {} {{ return {} }}", self.raw(ty), self.show(ty), self.lift(ty, "v")),
        }
    }
}

/// The variant that it is, if it is one.
fn variant(ty: &Type) -> Option<&VariantType> {
    if let TypeKind::Variant(variant) = &ty.kind { Some(variant) } else { None }
}

/// Whether a case's value is a field of its type: no type with methods is made of a pointer or an
/// interface.
pub(super) fn is_wrapped(ty: &Type) -> bool {
    matches!(ty.kind, TypeKind::Option(_) | TypeKind::Variant(_))
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
