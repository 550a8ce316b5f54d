//! Flat values by the book: `flatten_type`, `join`, `lower_flat` and `lift_flat` of the component
//! model's CanonicalABI.md, with which the walks have to agree. They know nothing of places in
//! memory, except that texts lie there.

use crate::abi::value::Value;
use crate::interface::{Scalar, Time, Type, TypeKind, VariantType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Core {
    I32,
    I64,
    F32,
    F64,
}

/// A value and its type. Numbers of 32 bits have zeros above.
pub(super) type Flat = (Core, u64);

pub(super) fn flatten(ty: &Type) -> Vec<Core> {
    match &ty.kind {
        TypeKind::Bool | TypeKind::Enum(_) | TypeKind::Own(_) | TypeKind::Borrow(_) => vec![Core::I32],
        TypeKind::Scalar(Scalar::S64 | Scalar::U64 | Scalar::WasmI64) | TypeKind::Duration => vec![Core::I64],
        TypeKind::Scalar(Scalar::F32) => vec![Core::F32],
        TypeKind::Scalar(Scalar::F64) => vec![Core::F64],
        TypeKind::Scalar(_) => vec![Core::I32],
        TypeKind::String | TypeKind::Json | TypeKind::List(_) | TypeKind::Map(_) => vec![Core::I32, Core::I32],
        TypeKind::Time => vec![Core::I64, Core::I32, Core::I32],
        TypeKind::Tuple(tuple) => tuple.items.iter().flat_map(flatten).collect(),
        TypeKind::Record(record) => record.fields.iter().flat_map(|field| flatten(&field.ty)).collect(),
        TypeKind::Option(inner) => flatten_variant(&[None, Some(inner)]),
        TypeKind::Variant(variant) => flatten_variant(&types(variant)),
    }
}

fn types(variant: &VariantType) -> Vec<Option<&Type>> {
    variant.cases.iter().map(|case| case.ty.as_ref()).collect()
}

fn flatten_variant(cases: &[Option<&Type>]) -> Vec<Core> {
    let mut flat: Vec<Core> = Vec::new();
    for case in cases.iter().flatten() {
        for (i, core) in flatten(case).into_iter().enumerate() {
            if i < flat.len() {
                flat[i] = join(flat[i], core);
            } else {
                flat.push(core);
            }
        }
    }
    flat.insert(0, Core::I32);
    flat
}

fn join(a: Core, b: Core) -> Core {
    match (a, b) {
        (a, b) if a == b => a,
        (Core::I32, Core::F32) | (Core::F32, Core::I32) => Core::I32,
        _ => Core::I64,
    }
}

/// Lowers a value; `texts` is the memory that its texts are put into.
pub(super) fn lower(ty: &Type, value: &Value, texts: &mut Vec<u8>) -> Vec<Flat> {
    match (&ty.kind, value) {
        (TypeKind::Bool, Value::Bool(value)) => vec![(Core::I32, u64::from(*value))],
        (TypeKind::Scalar(Scalar::S64 | Scalar::U64 | Scalar::WasmI64), Value::Int(n)) => vec![(Core::I64, *n as u64)],
        (TypeKind::Scalar(Scalar::U64), Value::Uint(n)) => vec![(Core::I64, *n)],
        (TypeKind::Scalar(_), Value::Int(n)) => vec![(Core::I32, u64::from(*n as u32))],
        (TypeKind::Scalar(Scalar::F32), Value::Float(n)) => vec![(Core::F32, u64::from((*n as f32).to_bits()))],
        (TypeKind::Scalar(_), Value::Float(n)) => vec![(Core::F64, n.to_bits())],
        (TypeKind::Duration, Value::Duration(n)) => vec![(Core::I64, *n as u64)],
        (TypeKind::Time, Value::Time(time)) => {
            vec![(Core::I64, time.seconds as u64), (Core::I32, u64::from(time.nanoseconds)), (Core::I32, u64::from(time.offset as u32))]
        }
        (TypeKind::String, Value::String(text)) => {
            let at = texts.len() as u64;
            texts.extend(text.bytes());
            vec![(Core::I32, at), (Core::I32, text.len() as u64)]
        }
        (TypeKind::Enum(cases), Value::String(name)) => {
            let number = cases.cases.iter().position(|(case, _)| case == name).expect("a case");
            vec![(Core::I32, number as u64)]
        }
        (TypeKind::Tuple(tuple), Value::List(items)) => {
            tuple.items.iter().zip(items).flat_map(|(ty, item)| lower(ty, item, texts)).collect()
        }
        (TypeKind::Record(record), Value::Record(fields)) => {
            record.fields.iter().zip(fields).flat_map(|(field, (_, value))| lower(&field.ty, value, texts)).collect()
        }
        (TypeKind::Option(inner), value) => match value {
            Value::None => lower_variant(&[None, Some(inner)], 0, None, texts),
            value => lower_variant(&[None, Some(inner)], 1, Some(value), texts),
        },
        (TypeKind::Variant(variant), Value::Variant(name, value)) => {
            let number = variant.cases.iter().position(|case| case.name == *name).expect("a case");
            lower_variant(&types(variant), number, value.as_deref(), texts)
        }
        other => panic!("{other:?}"),
    }
}

fn lower_variant(cases: &[Option<&Type>], number: usize, value: Option<&Value>, texts: &mut Vec<u8>) -> Vec<Flat> {
    let mut wanted = flatten_variant(cases).into_iter().skip(1);
    let mut flat = vec![(Core::I32, number as u64)];
    if let (Some(ty), Some(value)) = (cases[number], value) {
        for (have, bits) in lower(ty, value, texts) {
            let want = wanted.next().expect("as many as the longest case has");
            match (have, want) {
                (have, want) if have == want => {}
                // reinterpret or extend, none of which changes a bit
                (Core::F32, Core::I32) | (Core::I32 | Core::F32 | Core::F64, Core::I64) => {}
                other => panic!("{other:?} have no join"),
            }
            flat.push((want, bits));
        }
    }
    flat.extend(wanted.map(|core| (core, 0)));
    flat
}

/// Lifts a value, whose texts are in `memory`.
pub(super) fn lift(ty: &Type, flat: &mut dyn Iterator<Item = Flat>, memory: &[u8]) -> Value {
    let mut next = |wanted: Core| {
        let (core, bits) = flat.next().expect("all of them");
        assert_eq!(core, wanted, "{ty}");
        bits
    };
    match &ty.kind {
        TypeKind::Bool => Value::Bool(next(Core::I32) != 0),
        TypeKind::Scalar(scalar) => match scalar {
            Scalar::S8 => Value::Int((next(Core::I32) as i8).into()),
            Scalar::S16 => Value::Int((next(Core::I32) as i16).into()),
            Scalar::S32 | Scalar::WasmI32 => Value::Int((next(Core::I32) as i32).into()),
            Scalar::U8 | Scalar::U16 | Scalar::U32 => Value::Int(next(Core::I32) as i64),
            Scalar::S64 | Scalar::WasmI64 => Value::Int(next(Core::I64) as i64),
            Scalar::U64 => {
                let n = next(Core::I64);
                i64::try_from(n).map_or(Value::Uint(n), Value::Int)
            }
            Scalar::F32 => Value::Float(f32::from_bits(next(Core::F32) as u32).into()),
            Scalar::F64 => Value::Float(f64::from_bits(next(Core::F64))),
        },
        TypeKind::Duration => Value::Duration(next(Core::I64) as i64),
        TypeKind::Time => {
            Value::Time(Time { seconds: next(Core::I64) as i64, nanoseconds: next(Core::I32) as u32, offset: next(Core::I32) as i32 })
        }
        TypeKind::String => {
            let (at, len) = (next(Core::I32) as usize, next(Core::I32) as usize);
            Value::String(String::from_utf8(memory[at..at + len].to_vec()).expect("text"))
        }
        TypeKind::Enum(cases) => Value::String(cases.cases[next(Core::I32) as usize].0.clone()),
        TypeKind::Tuple(tuple) => Value::List(tuple.items.iter().map(|item| lift(item, flat, memory)).collect()),
        TypeKind::Record(record) => {
            Value::Record(record.fields.iter().map(|field| (field.name.clone(), lift(&field.ty, flat, memory))).collect())
        }
        TypeKind::Option(inner) => lift_variant(&[None, Some(inner)], flat, memory).1.unwrap_or(Value::None),
        TypeKind::Variant(variant) => {
            let (number, value) = lift_variant(&types(variant), flat, memory);
            Value::Variant(variant.cases[number].name.clone(), value.map(Box::new))
        }
        other => panic!("{other:?}"),
    }
}

fn lift_variant(cases: &[Option<&Type>], flat: &mut dyn Iterator<Item = Flat>, memory: &[u8]) -> (usize, Option<Value>) {
    let taken: Vec<Flat> = flat.take(flatten_variant(cases).len()).collect();
    let number = taken[0].1 as usize;
    let value = cases[number].map(|ty| {
        let wanted = flatten(ty);
        let mut own = taken[1..].iter().zip(wanted).map(|((_, bits), core)| match core {
            Core::I32 | Core::F32 => (core, bits & u64::from(u32::MAX)),
            Core::I64 | Core::F64 => (core, *bits),
        });
        lift(ty, &mut own, memory)
    });
    (number, value)
}
