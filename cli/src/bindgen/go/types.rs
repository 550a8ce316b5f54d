//! Types in Go: as programs have them, as C has them, and what makes one of the other.

use std::collections::BTreeMap;

use undergo::interface::{Scalar, Type, TypeKind};

use super::text::{Scope, exported};

/// What the types of a plugin are called.
pub(super) struct Names {
    types: BTreeMap<String, String>,
    pub(super) scope: Scope,
}

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        let mut scope = Scope::new([]);
        let types = types.iter().map(|ty| ty.to_string()).map(|name| (name.clone(), scope.exported(&name))).collect();
        Names { types, scope }
    }

    /// The name of a record or an enum.
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
            TypeKind::Option(inner) => format!("*{}", self.show(inner)),
            TypeKind::List(item) => format!("[]{}", self.show(item)),
            TypeKind::Map(map) => format!("map[{}]{}", self.show(&map.key), self.show(&map.value)),
            TypeKind::Tuple(tuple) => of_fields(tuple.items.iter().map(|item| self.show(item))),
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            &undergo::interface::TypeKind::Variant(_) => todo!("variants"),
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
            &undergo::interface::TypeKind::Variant(_) => todo!("variants"),
        }
    }

    /// A function that writes a value for C.
    fn lowering(&self, ty: &Type) -> String {
        match &ty.kind {
            _ if is_same(ty) => format!("undergo.LowerSame[{}]", self.show(ty)),
            TypeKind::String => "undergo.LowerText[string]".to_owned(),
            TypeKind::Json => "undergo.LowerJSON[json.RawMessage]".to_owned(),
            TypeKind::Record(record) => format!("lower{}", self.of(&record.name)),
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
            TypeKind::Option(inner) => format!("undergo.LiftOption({value}, {})", self.lifting(inner)),
            TypeKind::List(item) if is_same(item) => format!("undergo.LiftPlain[{}]({value})", self.show(item)),
            TypeKind::List(item) => format!("undergo.LiftList({value}, {})", self.lifting(item)),
            TypeKind::Map(map) => format!("undergo.LiftMap({value}, {}, {})", self.lifting(&map.key), self.lifting(&map.value)),
            TypeKind::Tuple(tuple) => {
                let items = tuple.items.iter().enumerate().map(|(i, item)| self.lift(item, &format!("{value}.V{i}")));
                format!("{}{{{}}}", self.show(ty), items.collect::<Vec<_>>().join(", "))
            }
            TypeKind::Record(record) => format!("lift{}({value})", self.of(&record.name)),
            &undergo::interface::TypeKind::Variant(_) => todo!("variants"),
        }
    }

    /// A function that reads a value of C.
    fn lifting(&self, ty: &Type) -> String {
        match &ty.kind {
            _ if is_same(ty) => format!("undergo.LiftSame[{}]", self.show(ty)),
            TypeKind::String => "undergo.LiftText".to_owned(),
            TypeKind::Time => "undergo.LiftTime".to_owned(),
            TypeKind::Record(record) => format!("lift{}", self.of(&record.name)),
            _ => format!("func(v {}) {} {{ return {} }}", self.raw(ty), self.show(ty), self.lift(ty, "v")),
        }
    }
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
