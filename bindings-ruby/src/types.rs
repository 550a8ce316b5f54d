//! The classes of a plugin's records and variants, and the symbols of its enums.

use magnus::prelude::*;
use magnus::rb_sys::AsRawValue;
use magnus::value::Opaque;
use magnus::{Error, RArray, RClass, RObject, RStruct, Ruby, StaticSymbol, Value};
use undergo::interface::{Case, EnumType, Interface, RecordType, TypeKind, VariantType, names};

use crate::gem;
use crate::keep::Kept;

/// The class that stands for a record.
pub(crate) struct RecordClass {
    class: Kept,
    /// The fields' names in Ruby, in order.
    pub(crate) names: Vec<Opaque<StaticSymbol>>,
    /// Whether its objects are exceptions, and no Structs.
    is_error: bool,
}

/// The variable of an exception that has its fields, in order.
const FIELDS: &str = "@fields";

impl RecordClass {
    /// Whether the object is of the class itself: its members are the fields, in order.
    pub(crate) fn is_class_of(&self, ruby: &Ruby, object: Value) -> bool {
        is_same(object.class().as_value(), self.class.value(ruby))
    }

    /// Whether the object is of the class, or of one that inherits from it.
    pub(crate) fn is_kind_of(&self, ruby: &Ruby, object: Value) -> bool {
        RClass::from_value(self.class.value(ruby)).is_some_and(|class| object.is_kind_of(class))
    }

    /// The fields of an exception of this class.
    pub(crate) fn fields_of_error(&self, ruby: &Ruby, object: Value) -> Option<RArray> {
        let exception = RObject::from_value(object).filter(|_| self.is_error && self.is_kind_of(ruby, object))?;
        let fields = exception.ivar_get::<_, Value>(FIELDS).ok().and_then(RArray::from_value)?;
        (fields.len() == self.names.len()).then_some(fields)
    }

    /// Makes an object; `field` gives the fields' values.
    pub(crate) fn make<E: From<Error>>(&self, ruby: &Ruby, mut field: impl FnMut(usize) -> Result<Value, E>) -> Result<Value, E> {
        let class = RClass::from_value(self.class.value(ruby)).ok_or_else(|| Error::new(ruby.exception_type_error(), "no class"))?;
        if self.is_error {
            let fields = ruby.ary_new_capa(self.names.len());
            (0..self.names.len()).try_for_each(|number| Ok::<_, E>(fields.push(field(number)?)?))?;
            return Ok(gem::call(ruby, "of_fields", (class, fields))?);
        }
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
    record.extension.get_or_init(|| RecordClass { class: Kept::new(class.as_value()), names, is_error: record.is_error });
}

/// What an object of a case's class is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// The value itself: a record that has the case's name.
    Record,
    /// A Struct with the value as its member.
    Value,
    /// There is no value.
    Nothing,
}

impl Stands {
    pub(crate) fn of(case: &Case) -> Stands {
        match case.ty {
            None => Stands::Nothing,
            Some(_) if case.own_record().is_some() => Stands::Record,
            Some(_) => Stands::Value,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Stands::Record => "record",
            Stands::Value => "value",
            Stands::Nothing => "nothing",
        }
    }
}

/// A case of a variant in Ruby.
pub(crate) struct CaseClass {
    tag: Opaque<StaticSymbol>,
    class: Option<Kept>,
    pub(crate) stands: Stands,
}

/// How Ruby has the cases of a variant.
pub(crate) struct VariantClasses {
    cases: Vec<CaseClass>,
    /// Whether they are lifted as objects of their classes, and not as Hashes.
    is_typed: bool,
}

impl VariantClasses {
    /// The case that has this symbol.
    pub(crate) fn case(&self, ruby: &Ruby, tag: Value) -> Option<u32> {
        self.position(|case| is_same(ruby.get_inner(case.tag).as_value(), tag))
    }

    /// The case that an object is.
    pub(crate) fn case_of(&self, ruby: &Ruby, object: Value) -> Option<u32> {
        let is_class = |case: &CaseClass| case.class.as_ref().map(|class| class.value(ruby)).and_then(RClass::from_value);
        let class = object.class().as_value();
        let exact = self.position(|case| is_class(case).is_some_and(|known| is_same(known.as_value(), class)));
        exact.or_else(|| self.position(|case| is_class(case).is_some_and(|known| object.is_kind_of(known))))
    }

    fn position(&self, is_it: impl FnMut(&CaseClass) -> bool) -> Option<u32> {
        self.cases.iter().position(is_it).and_then(|number| u32::try_from(number).ok())
    }

    pub(crate) fn stands(&self, case: u32) -> Option<Stands> {
        self.cases.get(case as usize).map(|case| case.stands)
    }

    /// Makes what stands for a case with its value.
    pub(crate) fn make(&self, ruby: &Ruby, case: u32, value: Option<Value>) -> Result<Value, Error> {
        let CaseClass { tag, class, stands } = &self.cases[case as usize];
        let class = class.as_ref().filter(|_| self.is_typed).and_then(|class| RClass::from_value(class.value(ruby)));
        let Some(class) = class else {
            let tagged = ruby.hash_new();
            tagged.aset(ruby.to_symbol("tag"), ruby.get_inner(*tag))?;
            value.map_or(Ok(()), |value| tagged.aset(ruby.to_symbol("val"), value))?;
            return Ok(tagged.as_value());
        };
        match (stands, value) {
            (Stands::Record, Some(value)) => Ok(value),
            (Stands::Value, Some(value)) => {
                let object = class.obj_alloc()?;
                let made = RStruct::from_value(object).ok_or_else(|| Error::new(ruby.exception_type_error(), "no Struct"))?;
                made.aset(0, value)?;
                Ok(object)
            }
            _ => class.obj_alloc(),
        }
    }
}

/// Gives a variant the classes of its cases; without them its values are Hashes. A record is known
/// as the case of its name either way.
pub(crate) fn give_cases(ruby: &Ruby, variant: &VariantType, classes: Option<RArray>) -> Result<(), Error> {
    let mut cases = Vec::with_capacity(variant.cases.len());
    for (number, case) in variant.cases.iter().enumerate() {
        let class = match classes {
            Some(classes) => Some(classes.entry::<Value>(number.cast_signed())?),
            None => case.own_record().and_then(|record| record.extension.get::<RecordClass>()).map(|class| class.class.value(ruby)),
        };
        cases.push(CaseClass { tag: symbol(ruby, &case.name), class: class.map(Kept::new), stands: Stands::of(case) });
    }
    variant.extension.get_or_init(|| VariantClasses { cases, is_typed: classes.is_some() });
    Ok(())
}

/// The variant of that number among the types of an interface.
pub(crate) fn variant(interface: &Interface, number: usize) -> Option<&VariantType> {
    match &interface.types.get(number)?.kind {
        TypeKind::Variant(variant) => Some(variant),
        _ => None,
    }
}

/// The record of that number among the types of an interface.
pub(crate) fn record(interface: &Interface, number: usize) -> Option<&RecordType> {
    match &interface.types.get(number)?.kind {
        TypeKind::Record(record) => Some(record),
        _ => None,
    }
}
