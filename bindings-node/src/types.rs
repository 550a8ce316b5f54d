//! The JavaScript spelling of a plugin's names.

use std::sync::Arc;

use undergo::Result;
use undergo::interface::{Function, RecordType, Scalar, Shape, Type, TypeKind, VariantType, names};

use crate::errors;
use crate::home::EventLoop;
use crate::js::{Env, Js, Made};
use crate::kept::Kept;

/// What JavaScript has for a record: the keys of its fields and, if those are an error's, its
/// class.
struct Known {
    keys: Kept,
    class: Option<Kept>,
}

impl Known {
    fn new(home: &Arc<EventLoop>, env: Env, record: &RecordType, class: Option<Js>) -> Result<(Known, Js)> {
        let make = || {
            let keys = keys(env, record.fields.iter().map(|field| names::camel(&field.name)))?;
            let class = class.map(|class| Kept::new(home, class)).transpose()?;
            Ok((Known { keys: Kept::new(home, keys)?, class }, keys))
        };
        Made::map_err(make(), errors::unmade(home, env))
    }
}

/// Names as the keys of an object, which are kept once for the whole environment.
fn keys(env: Env, names: impl Iterator<Item = String>) -> Made {
    let object = env.object()?;
    for name in names {
        object.set(env.string(&name)?, env.bool(true)?)?;
    }
    object.keys()
}

/// Has a class be that of the errors whose fields the record has. Once, before the first call.
pub(crate) fn declare(home: &Arc<EventLoop>, env: Env, record: &RecordType, class: Js) -> Result<()> {
    let (known, _) = Known::new(home, env, record, Some(class))?;
    record.extension.get_or_init(|| known);
    Ok(())
}

/// The class of the errors whose fields the record has.
pub(crate) fn class(record: &RecordType) -> Option<Js> {
    record.extension.get::<Known>()?.class.as_ref()?.get().ok()
}

/// The same, in a native function: an array of strings as V8 keeps them, for which a look-up is
/// quickest.
pub(crate) struct RecordKeys(Js);

impl RecordKeys {
    pub(crate) fn of(home: &Arc<EventLoop>, record: &RecordType) -> Result<RecordKeys> {
        if let Some(known) = record.extension.get::<Known>() {
            return known.keys.get().map(RecordKeys);
        }
        let (known, keys) = Known::new(home, home.env()?, record, None)?;
        record.extension.get_or_init(|| known);
        Ok(RecordKeys(keys))
    }

    pub(crate) fn key(&self, field: usize) -> Made {
        self.0.element(field as u32)
    }
}

/// The keys of a variant's values, and the names of its cases, likewise.
pub(crate) struct VariantKeys(Js);

impl VariantKeys {
    pub(crate) fn of(home: &Arc<EventLoop>, variant: &VariantType) -> Result<VariantKeys> {
        if let Some(known) = variant.extension.get::<Kept>() {
            return known.get().map(VariantKeys);
        }
        let env = home.env()?;
        let make = || {
            let all = keys(env, ["tag", "val"].map(str::to_owned).into_iter())?;
            for (i, case) in (2..).zip(&variant.cases) {
                all.set_element(i, env.string(&case.name)?)?;
            }
            Ok((Kept::new(home, all)?, all))
        };
        let (kept, all) = Made::map_err(make(), errors::unmade(home, env))?;
        variant.extension.get_or_init(|| kept);
        Ok(VariantKeys(all))
    }

    pub(crate) fn tag(&self) -> Made {
        self.0.element(0)
    }

    pub(crate) fn val(&self) -> Made {
        self.0.element(1)
    }

    /// The name of a case.
    pub(crate) fn case(&self, number: u32) -> Made {
        self.0.element(2 + number)
    }
}

/// What identifies the errors with the fields of that record, for all copies of the package and all
/// modules that `undergo bindgen` has written (`cli/src/bindgen/ts/types.rs`): errors of another
/// plugin may have the same name.
pub(crate) fn error_type(world: &str, record: &RecordType) -> String {
    let fields: Vec<String> = record.fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
    format!("{world}: {} {{ {} }}", record.name, fields.join(", "))
}

/// A type in TypeScript, as messages have it.
fn shown(ty: &Type) -> String {
    match &ty.kind {
        TypeKind::Bool => "boolean".to_owned(),
        TypeKind::Scalar(_) | TypeKind::Duration => "number".to_owned(),
        TypeKind::String => "string".to_owned(),
        TypeKind::Json => "unknown".to_owned(),
        TypeKind::Time => "Date".to_owned(),
        TypeKind::List(item) => match &item.kind {
            TypeKind::Scalar(scalar) => array_name(*scalar).to_owned(),
            TypeKind::Option(_) => format!("({})[]", shown(item)),
            _ => format!("{}[]", shown(item)),
        },
        TypeKind::Map(map) => match map.key.kind {
            TypeKind::String => format!("Record<string, {}>", shown(&map.value)),
            _ => format!("Map<{}, {}>", shown(&map.key), shown(&map.value)),
        },
        TypeKind::Option(inner) => format!("{} | undefined", shown(inner)),
        TypeKind::Tuple(tuple) => format!("[{}]", tuple.items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        TypeKind::Record(record) => names::pascal(&record.name),
        TypeKind::Enum(cases) => names::pascal(&cases.name),
        TypeKind::Variant(variant) => names::pascal(&variant.name),
        TypeKind::Own(resource) | TypeKind::Borrow(resource) => match resource.shape {
            Shape::Object => names::pascal(&resource.name),
            Shape::Callback => "Function".to_owned(),
            Shape::Iterator => "Iterable".to_owned(),
            Shape::Reader => "Readable".to_owned(),
            Shape::Writer => "Writable".to_owned(),
        },
    }
}

fn array_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::S8 => "Int8Array",
        Scalar::U8 => "Uint8Array",
        Scalar::S16 => "Int16Array",
        Scalar::U16 => "Uint16Array",
        Scalar::S32 | Scalar::WasmI32 => "Int32Array",
        Scalar::U32 => "Uint32Array",
        Scalar::F32 => "Float32Array",
        Scalar::F64 => "Float64Array",
        Scalar::S64 | Scalar::U64 | Scalar::WasmI64 => "number[]",
    }
}

/// The name of a function, without that of its object.
pub(crate) fn function_name(function: &Function) -> String {
    let name = function.name.rsplit('.').next().unwrap_or_default();
    names::camel(name)
}

/// `greet(p: Person, shout: boolean): string`
pub(crate) fn signature(function: &Function) -> String {
    let required = function.required();
    let params = function.params.iter().enumerate().skip(usize::from(function.is_method)).map(|(i, param)| {
        let (mark, ty) = match &param.ty.kind {
            TypeKind::Option(inner) if i >= required => ("?", shown(inner)),
            _ => ("", shown(&param.ty)),
        };
        format!("{}{mark}: {ty}", names::camel(&param.name))
    });
    let params: Vec<String> = params.collect();
    let result = function.result.as_ref().map_or_else(|| "void".to_owned(), shown);
    format!("{}({}): {result}", function_name(function), params.join(", "))
}
