//! The JavaScript spelling of a plugin's names.

use std::sync::Arc;

use undergo::Result;
use undergo::interface::{Function, RecordType, Scalar, Type, TypeKind, names};

use crate::errors;
use crate::home::EventLoop;
use crate::js::{Js, Made};
use crate::kept::Kept;

/// The keys of a record's fields.
struct Keys(Kept);

/// The same, in a native function: an array of strings as V8 keeps them, for which a look-up is
/// quickest.
pub(crate) struct RecordKeys(Js);

impl RecordKeys {
    pub(crate) fn of(home: &Arc<EventLoop>, record: &RecordType) -> Result<RecordKeys> {
        if let Some(keys) = record.extension.get::<Keys>() {
            return keys.0.get().map(RecordKeys);
        }
        let env = home.env()?;
        let make = || {
            // Names that are an object's keys are kept once for the whole environment.
            let object = env.object()?;
            for field in &record.fields {
                object.set(env.string(&names::camel(&field.name))?, env.bool(true)?)?;
            }
            let keys = object.keys()?;
            Ok((Kept::new(home, keys)?, keys))
        };
        let (kept, keys) = Made::map_err(make(), errors::unmade(home, env))?;
        record.extension.get_or_init(|| Keys(kept));
        Ok(RecordKeys(keys))
    }

    pub(crate) fn key(&self, field: usize) -> Made {
        self.0.element(field as u32)
    }
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

/// `greet(p: Person, shout: boolean): string`
pub(crate) fn signature(function: &Function) -> String {
    let required = function.required();
    let params = function.params.iter().enumerate().map(|(i, param)| {
        let (mark, ty) = match &param.ty.kind {
            TypeKind::Option(inner) if i >= required => ("?", shown(inner)),
            _ => ("", shown(&param.ty)),
        };
        format!("{}{mark}: {ty}", names::camel(&param.name))
    });
    let params: Vec<String> = params.collect();
    let result = function.result.as_ref().map_or_else(|| "void".to_owned(), shown);
    format!("{}({}): {result}", names::camel(&function.name), params.join(", "))
}
