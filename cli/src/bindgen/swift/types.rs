//! The types of an interface in Swift, and how values of them are made and read: `PluginValue` of
//! the package does nearly all of that.

use undergo::interface::{Scalar, Type, TypeKind};

use crate::bindgen::classes::Classes;

/// Types that the file may not declare, as it names them: those of the package, and of Swift.
#[rustfmt::skip]
const TAKEN: [&str; 67] = [
    "Any", "Array", "AsyncCalls", "AsyncExports", "AsyncHostClosure", "AsyncHostFunctions", "AsyncInstance", "AsyncPool", "Bool", "Cache", "CallError", "Calls", "CancelToken", "CaseIterable", "Compile",
    "Completed", "Data", "Date", "Dictionary", "Dir", "Double", "Duration", "Entry", "Error", "ErrorDetails", "ErrorKind", "ErrorLink", "Exports", "Float", "Foundation",
    "Frame", "Hashable", "HostClosure", "HostFunctions", "Imports", "Input", "Instance", "Int", "Int16", "Int32", "Int64", "Int8", "Limits", "NamedValue",
    "Optional", "Output", "Plugin", "PluginError", "PluginValue", "Pool", "Protocol", "Sandbox", "Self", "Sendable", "String", "Swift", "Type", "UInt", "UInt16", "UInt32",
    "UInt64", "UInt8", "Undergo", "TypeKind", "UnexpectedValue", "Value", "WrappedError",
];

/// The types of the file.
pub(super) struct Names(Classes);

impl Names {
    pub(super) fn new(types: &[Type]) -> Names {
        Names(Classes::new(types, TAKEN))
    }

    /// A new name for a type.
    pub(super) fn declare(&mut self, kebab: &str) -> String {
        self.0.declare(kebab)
    }

    /// The type of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.0.of(kebab)
    }

    /// The type as Swift writes it.
    pub(super) fn show(&self, ty: &Type) -> String {
        match &ty.kind {
            TypeKind::Bool => "Bool".to_owned(),
            TypeKind::Scalar(scalar) => scalar_type(*scalar).to_owned(),
            TypeKind::String => "String".to_owned(),
            // A tuple of Swift has no members, so that one within another type stays as it crosses.
            // Go has none there.
            TypeKind::Json | TypeKind::Tuple(_) => "Value".to_owned(),
            TypeKind::Duration => "Duration".to_owned(),
            TypeKind::Time => "Date".to_owned(),
            TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)) => "Data".to_owned(),
            TypeKind::List(item) => format!("[{}]", self.show(item)),
            TypeKind::Map(map) => format!("[{}: {}]", self.show(&map.key), self.show(&map.value)),
            // JSON's null is no value, too.
            TypeKind::Option(inner) if matches!(inner.kind, TypeKind::Json) => "Value".to_owned(),
            TypeKind::Option(inner) => format!("{}?", self.show(inner)),
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("what has handles is left out"),
        }
    }

    /// The type of a parameter or a field, with what is taken when it is left out.
    pub(super) fn show_with_default(&self, ty: &Type) -> String {
        let default = if matches!(ty.kind, TypeKind::Option(_)) { " = nil" } else { "" };
        self.show(ty) + default
    }

    /// What a function returns: several results are a tuple.
    pub(super) fn show_result(&self, ty: &Type) -> String {
        let TypeKind::Tuple(tuple) = &ty.kind else { return self.show(ty) };
        let items: Vec<String> = tuple.items.iter().map(|item| self.show(item)).collect();
        format!("({})", items.join(", "))
    }

    /// The expression of that type for the expression of a value.
    pub(super) fn read(&self, ty: &Type, from: &str) -> String {
        format!("{}(pluginValue: {from})", self.show(ty))
    }
}

fn scalar_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::S8 => "Int8",
        Scalar::S16 => "Int16",
        Scalar::S32 | Scalar::WasmI32 => "Int32",
        Scalar::S64 | Scalar::WasmI64 => "Int64",
        Scalar::U8 => "UInt8",
        Scalar::U16 => "UInt16",
        Scalar::U32 => "UInt32",
        Scalar::U64 => "UInt64",
        Scalar::F32 => "Float",
        Scalar::F64 => "Double",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_stay_apart_from_those_of_the_package_and_of_each_other() {
        let mut names = Names::new(&[]);
        let given = ["value", "person", "person", "string", "self", "42"];
        let wanted = ["Value_", "Person", "Person_", "String_", "Self_", "Plugin42"];
        assert_eq!(given.map(|name| names.declare(name)), wanted);
    }
}
