//! The types of an interface in Swift, and how values of them are made and read: `PluginValue` of
//! the package does nearly all of that.

use undergo::interface::{Function, Resource, ResourceType, Scalar, Shape, Side, Type, TypeKind};

use crate::bindgen::classes::Classes;
use crate::bindgen::surface::item;

/// Types that the file may not declare, as it names them: those of the package, and of Swift.
#[rustfmt::skip]
const TAKEN: [&str; 74] = [
    "Any", "Array", "AsyncCalls", "AsyncExports", "AsyncHostClosure", "AsyncHostFunctions", "AsyncInstance", "AsyncPool", "Bool", "ByteReader", "ByteWriter", "Cache", "CallError", "Calls", "CancelToken", "CaseIterable", "Compile",
    "Completed", "Data", "Date", "Dictionary", "Dir", "Double", "Duration", "Entry", "Error", "ErrorDetails", "ErrorKind", "ErrorLink", "Exports", "Float", "Foundation",
    "Frame", "GuestObject", "GuestReader", "GuestWriter", "Hashable", "HostClosure", "HostFunctions", "Imports", "Input", "Instance", "Int", "Int16", "Int32", "Int64", "Int8", "Items", "Limits", "NamedValue",
    "Optional", "Output", "Plugin", "PluginError", "PluginValue", "Pool", "Protocol", "Sandbox", "Self", "Sendable", "Sequence", "String", "Swift", "Type", "UInt", "UInt16", "UInt32",
    "UInt64", "UInt8", "Undergo", "TypeKind", "UnexpectedValue", "Value", "WrappedError",
];

/// The types of the file.
pub(super) struct Names {
    classes: Classes,
    /// By the numbers of the resources.
    living: Vec<Living>,
}

/// What stands for a resource.
struct Living {
    class: String,
    /// Of an iterator.
    item: Option<Type>,
    /// Of a function: its type.
    closure: String,
}

impl Names {
    pub(super) fn new(types: &[Type], resources: &[Resource]) -> Names {
        let mut classes = Classes::new(types, TAKEN);
        let living = |resource: &Resource| Living {
            class: classes.declare(&resource.ty.name),
            item: item(resource).cloned(),
            closure: String::new(),
        };
        let living = resources.iter().map(living).collect();
        let mut names = Names { classes, living };
        // Their types may have objects among them.
        for resource in resources.iter().filter(|resource| resource.ty.shape == Shape::Callback) {
            if let Some(call) = resource.methods.first() {
                names.living[resource.ty.number].closure = names.closure_type(call);
            }
        }
        names
    }

    /// A new name for a type.
    pub(super) fn declare(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The type of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// The class of the plugin's objects, or the protocol of the host's.
    pub(super) fn object(&self, resource: &ResourceType) -> String {
        self.living[resource.number].class.clone()
    }

    /// The function that makes a value of a closure.
    pub(super) fn closure(&self, resource: &ResourceType) -> String {
        format!("of{}", self.living[resource.number].class)
    }

    /// `@Sendable (Int64) throws -> String`
    pub(super) fn closure_type(&self, call: &Function) -> String {
        let params: Vec<String> = call.own_params().iter().map(|param| self.show(&param.ty)).collect();
        let result = call.result.as_ref().map_or_else(|| "Void".to_owned(), |ty| self.show_result(ty));
        format!("@Sendable ({}) throws -> {result}", params.join(", "))
    }

    /// What stands for a resource where its value is the whole of a parameter or a result.
    fn living(&self, resource: &ResourceType) -> String {
        let found = &self.living[resource.number];
        let item = || found.item.as_ref().map_or_else(|| "Value".to_owned(), |item| self.show_result(item));
        match (resource.shape, resource.side) {
            (Shape::Object, Side::Guest) => found.class.clone(),
            (Shape::Object, Side::Host) => format!("any {}", found.class),
            (Shape::Iterator, Side::Guest) => format!("Items<{}>", item()),
            (Shape::Reader, Side::Guest) => "GuestReader".to_owned(),
            (Shape::Writer, Side::Guest) => "GuestWriter".to_owned(),
            (Shape::Callback, _) => found.closure.clone(),
            (Shape::Iterator, Side::Host) => format!("some Sequence<{}>", item()),
            (Shape::Reader, Side::Host) => "some ByteReader".to_owned(),
            (Shape::Writer, Side::Host) => "some ByteWriter".to_owned(),
        }
    }

    /// Whether the type conforms to `PluginValue`.
    fn conforms(&self, ty: &Type) -> bool {
        match &ty.kind {
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => {
                resource.side == Side::Guest && matches!(resource.shape, Shape::Object | Shape::Reader | Shape::Writer)
            }
            TypeKind::List(inner) | TypeKind::Option(inner) => self.conforms(inner),
            _ => true,
        }
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
            TypeKind::Map(map) if !(self.conforms(&map.value)) => "Value".to_owned(),
            TypeKind::Map(map) => format!("[{}: {}]", self.show(&map.key), self.show(&map.value)),
            // JSON's null is no value, too.
            TypeKind::Option(inner) if matches!(inner.kind, TypeKind::Json) => "Value".to_owned(),
            TypeKind::Option(inner) if self.conforms(inner) => format!("{}?", self.show(inner)),
            TypeKind::Option(inner) => format!("({})?", self.show(inner)),
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(cases) => self.of(&cases.name),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.living(resource),
        }
    }

    /// The type of a parameter or a field, with what is taken when it is left out.
    pub(super) fn show_with_default(&self, ty: &Type) -> String {
        let default = if matches!(ty.kind, TypeKind::Option(_)) { " = nil" } else { "" };
        let escapes = matches!(&ty.kind, TypeKind::Own(resource) | TypeKind::Borrow(resource) if resource.shape == Shape::Callback);
        format!("{}{}{default}", if escapes { "@escaping " } else { "" }, self.show(ty))
    }

    /// What a function returns: several results are a tuple.
    pub(super) fn show_result(&self, ty: &Type) -> String {
        let TypeKind::Tuple(tuple) = &ty.kind else { return self.show(ty) };
        let items: Vec<String> = tuple.items.iter().map(|item| self.show(item)).collect();
        format!("({})", items.join(", "))
    }

    /// The expression of that type for the expression of a value.
    pub(super) fn read(&self, ty: &Type, from: &str) -> String {
        match &ty.kind {
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => match (resource.shape, resource.side) {
                (Shape::Iterator, Side::Guest) => {
                    let item = self.living[resource.number].item.as_ref();
                    format!("Items({from}, read: {})", item.map_or_else(|| "{ $0 }".to_owned(), |item| self.reading(item)))
                }
                (_, Side::Host) => format!("({from}).readPassed(({}).self)", self.show(ty)),
                _ => format!("{}(pluginValue: {from})", self.show(ty)),
            },
            TypeKind::List(inner) if !self.conforms(inner) => format!("({from}).readList({})", self.reading(inner)),
            TypeKind::Option(inner) if !self.conforms(inner) => format!("({from}).readOption({})", self.reading(inner)),
            _ => format!("{}(pluginValue: {from})", self.show(ty)),
        }
    }

    /// A closure that reads a value of that type. Pairs are tuples.
    fn reading(&self, ty: &Type) -> String {
        let TypeKind::Tuple(tuple) = &ty.kind else { return format!("{{ try {} }}", self.read(ty, "$0")) };
        let parts: Vec<String> = tuple.items.iter().enumerate().map(|(i, item)| self.read(item, &format!("parts[{i}]"))).collect();
        format!("{{ let parts = try $0.readItems({}); return try ({}) }}", parts.len(), parts.join(", "))
    }

    /// The expression of the value for an expression of that type.
    pub(super) fn write(&self, ty: &Type, from: &str) -> String {
        match &ty.kind {
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => match (resource.shape, resource.side) {
                (Shape::Callback, _) => format!("{}({from})", self.closure(resource)),
                (Shape::Iterator, Side::Host) => {
                    let item = self.living[resource.number].item.as_ref();
                    match item.map(|item| (&item.kind, item)) {
                        Some((TypeKind::Tuple(tuple), _)) => {
                            let parts: Vec<String> =
                                tuple.items.iter().enumerate().map(|(i, item)| self.write(item, &format!("$0.{i}"))).collect();
                            format!("Value.sequence({from}) {{ Value.items(items: [{}]) }}", parts.join(", "))
                        }
                        Some((_, item)) if !self.conforms(item) => format!("Value.sequence({from}) {{ {} }}", self.write(item, "$0")),
                        _ => format!("Value.sequence({from})"),
                    }
                }
                (Shape::Reader, Side::Host) => format!("Value.reader({from})"),
                (Shape::Writer, Side::Host) => format!("Value.writer({from})"),
                _ => format!("{from}.pluginValue"),
            },
            TypeKind::List(inner) if !self.conforms(inner) => {
                format!("Value.items(items: {from}.map {{ {} }})", self.write(inner, "$0"))
            }
            TypeKind::Option(inner) if !self.conforms(inner) => format!("({from}.map {{ {} }} ?? Value.none)", self.write(inner, "$0")),
            _ => format!("{from}.pluginValue"),
        }
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
        let mut names = Names::new(&[], &[]);
        let given = ["value", "person", "person", "string", "self", "42"];
        let wanted = ["Value_", "Person", "Person_", "String_", "Self_", "Plugin42"];
        assert_eq!(given.map(|name| names.declare(name)), wanted);
    }
}
