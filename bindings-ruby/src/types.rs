//! The classes of a plugin's records, and the symbols of its enums.

use magnus::prelude::*;
use magnus::rb_sys::AsRawValue;
use magnus::value::Opaque;
use magnus::{Error, RClass, RStruct, Ruby, StaticSymbol, Value};
use undergo::interface::{EnumType, Interface, RecordType, TypeKind, names};

use crate::keep::Kept;

/// The class that stands for a record.
pub(crate) struct RecordClass {
    class: Kept,
    /// The fields' names in Ruby, in order.
    pub(crate) names: Vec<Opaque<StaticSymbol>>,
}

impl RecordClass {
    /// Whether the object is of the class itself: its members are the fields, in order.
    pub(crate) fn is_class_of(&self, ruby: &Ruby, object: Value) -> bool {
        is_same(object.class().as_value(), self.class.value(ruby))
    }

    /// Makes an object; `field` gives the fields' values.
    pub(crate) fn make<E: From<Error>>(&self, ruby: &Ruby, mut field: impl FnMut(usize) -> Result<Value, E>) -> Result<Value, E> {
        let class = RClass::from_value(self.class.value(ruby)).ok_or_else(|| Error::new(ruby.exception_type_error(), "no class"))?;
        let object = class.obj_alloc()?;
        // A record without fields is no Struct.
        let Some(made) = RStruct::from_value(object) else { return Ok(object) };
        for number in 0..self.names.len() {
            made.aset(number, field(number)?)?;
        }
        Ok(object)
    }
}

/// The symbols of an enum's cases.
pub(crate) struct EnumSymbols(Vec<Opaque<StaticSymbol>>);

impl EnumSymbols {
    pub(crate) fn case(&self, ruby: &Ruby, name: Value) -> Option<u32> {
        let is_it = |symbol: &Opaque<StaticSymbol>| is_same(ruby.get_inner(*symbol).as_value(), name);
        self.0.iter().position(is_it).and_then(|case| u32::try_from(case).ok())
    }

    pub(crate) fn symbol(&self, ruby: &Ruby, case: u32) -> Option<Value> {
        self.0.get(case as usize).map(|symbol| ruby.get_inner(*symbol).as_value())
    }
}

/// Whether two values are one object.
fn is_same(one: Value, other: Value) -> bool {
    one.as_raw() == other.as_raw()
}

fn symbol(ruby: &Ruby, kebab: &str) -> Opaque<StaticSymbol> {
    ruby.sym_new(names::snake(kebab).as_str()).into()
}

/// The symbols for an enum, made the first time.
pub(crate) fn symbols<'t>(ruby: &Ruby, cases: &'t EnumType) -> Option<&'t EnumSymbols> {
    cases.extension.get_or_init(|| EnumSymbols(cases.cases.iter().map(|(name, _)| symbol(ruby, name)).collect()))
}

/// Gives a record its class.
pub(crate) fn give(ruby: &Ruby, record: &RecordType, class: RClass) {
    let names = record.fields.iter().map(|field| symbol(ruby, &field.name)).collect();
    record.extension.get_or_init(|| RecordClass { class: Kept::new(class.as_value()), names });
}

/// The record of that number among the types of an interface.
pub(crate) fn record(interface: &Interface, number: usize) -> Option<&RecordType> {
    match &interface.types.get(number)?.kind {
        TypeKind::Record(record) => Some(record),
        _ => None,
    }
}
