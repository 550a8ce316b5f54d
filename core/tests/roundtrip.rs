//! Arbitrary values of arbitrary types survive: lowered and lifted by the host alone, and through
//! the conformance guest.

use std::sync::Arc;

use crate::common::{self, PLAIN, conformance, quiet};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use undergo::host::{GuestMemory, ToValue, lift_bytes, lower_bytes};
use undergo::interface::{Case, EnumType, Extension, Field, Function, MapType, RecordType, Scalar, TupleType, Type, TypeKind, VariantType};
use undergo::{Time, Value};

/// The same cases in each run; fewer under Miri, which takes a hundred times as long for each.
fn runner(cases: u32) -> TestRunner {
    let cases = if cfg!(miri) { cases.div_ceil(100) } else { cases };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

fn an_enum(cases: usize) -> TypeKind {
    let cases = (0..cases).map(|i| (format!("case-{i}"), String::new())).collect();
    TypeKind::Enum(Arc::new(EnumType { name: "choice".into(), docs: String::new(), cases, extension: Extension::default() }))
}

fn a_record(types: Vec<Type>) -> TypeKind {
    let field = |(i, ty)| Field { name: format!("field-{i}"), docs: String::new(), ty };
    TypeKind::Record(Arc::new(RecordType::new("thing".into(), String::new(), types.into_iter().enumerate().map(field).collect())))
}

/// A variant of these cases, behind so many others that the discriminant may have two bytes.
fn a_variant(types: Vec<Option<Type>>, others: usize) -> TypeKind {
    let case = |(i, ty)| Case { name: format!("case-{i}"), docs: String::new(), ty };
    let cases = std::iter::repeat_with(|| None).take(others).chain(types).enumerate().map(case).collect();
    TypeKind::Variant(Arc::new(VariantType::new("either".into(), String::new(), cases)))
}

fn a_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(TypeKind::Bool),
        prop::sample::select(Scalar::ALL).prop_map(TypeKind::Scalar),
        Just(TypeKind::String),
        Just(TypeKind::Json),
        Just(TypeKind::Duration),
        Just(TypeKind::Time),
        // Discriminants of one byte, and of two.
        prop::sample::select(&[1_usize, 2, 256, 257, 1000][..]).prop_map(an_enum),
    ];
    leaf.prop_map(Type::new).prop_recursive(4, 24, 4, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            inner.clone().prop_map(|item| TypeKind::List(Arc::new(item))),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| TypeKind::Map(Arc::new(MapType::new(key, value)))),
            // An option of an option has no value of its own for "there is one, and it is none".
            inner
                .clone()
                .prop_filter("no option of an option", |ty| !matches!(ty.kind, TypeKind::Option(_)))
                .prop_map(|ty| TypeKind::Option(Arc::new(ty))),
            several.clone().prop_map(|items| TypeKind::Tuple(Arc::new(TupleType::new(items)))),
            several.prop_map(a_record),
            (prop::collection::vec(prop::option::of(inner), 1..5), prop::sample::select(&[0_usize, 300][..]))
                .prop_map(|(types, others)| a_variant(types, others)),
        ]
        .prop_map(Type::new)
    })
}

/// As values are lifted: unsigned where they need to be.
fn unsigned(n: u64) -> Value {
    i64::try_from(n).map_or(Value::Uint(n), Value::Int)
}

fn a_scalar(scalar: Scalar) -> BoxedStrategy<Value> {
    macro_rules! int {
        ($ty:ty) => {
            any::<$ty>().prop_map(|n| Value::Int(n.into())).boxed()
        };
    }
    match scalar {
        Scalar::S8 => int!(i8),
        Scalar::U8 => int!(u8),
        Scalar::S16 => int!(i16),
        Scalar::U16 => int!(u16),
        Scalar::S32 | Scalar::WasmI32 => int!(i32),
        Scalar::U32 => int!(u32),
        Scalar::S64 | Scalar::WasmI64 => int!(i64),
        Scalar::U64 => any::<u64>().prop_map(unsigned).boxed(),
        Scalar::F32 => prop_oneof![prop::num::f32::ANY, Just(-0.0)].prop_map(|n| Value::Float(n.into())).boxed(),
        Scalar::F64 => prop_oneof![prop::num::f64::ANY, Just(-0.0)].prop_map(Value::Float).boxed(),
    }
}

fn a_value(ty: &Type) -> BoxedStrategy<Value> {
    match &ty.kind {
        TypeKind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        TypeKind::Scalar(scalar) => a_scalar(*scalar),
        TypeKind::String => any::<String>().prop_map(Value::String).boxed(),
        TypeKind::Json => prop_oneof![
            Just("null".to_owned()),
            any::<i32>().prop_map(|n| format!("{{\"n\":[{n}]}}")),
            "[a-z ü]{0,9}".prop_map(|text| format!("\"{text}\""))
        ]
        .prop_map(Value::Json)
        .boxed(),
        TypeKind::Duration => any::<i64>().prop_map(Value::Duration).boxed(),
        // Offsets of less than a day, and years that Go can tell.
        TypeKind::Time => (-62_135_596_800_i64..253_402_300_800, 0_u32..1_000_000_000, -86_399_i32..86_400)
            .prop_map(|(seconds, nanoseconds, offset)| Value::Time(Time { seconds, nanoseconds, offset }))
            .boxed(),
        TypeKind::List(item) => match item.kind {
            TypeKind::Scalar(Scalar::U8) if ty.length().is_some() => {
                prop::collection::vec(any::<u8>(), ty.length().unwrap_or(0)).prop_map(Value::Bytes).boxed()
            }
            // Around the size from which bytes are no longer gathered, but copied from where they
            // are.
            TypeKind::Scalar(Scalar::U8) => {
                prop_oneof![4 => prop::collection::vec(any::<u8>(), 0..20), 1 => prop::collection::vec(any::<u8>(), 1000..1100)]
                    .prop_map(Value::Bytes)
                    .boxed()
            }
            _ => match ty.length() {
                Some(length) => prop::collection::vec(a_value(item), length),
                None => prop::collection::vec(a_value(item), 0..5),
            }
            .prop_map(Value::List)
            .boxed(),
        },
        TypeKind::Map(map) => prop::collection::vec((a_value(&map.key), a_value(&map.value)), 0..5).prop_map(Value::Map).boxed(),
        TypeKind::Option(inner) => prop_oneof![1 => Just(Value::None), 3 => a_value(inner)].boxed(),
        TypeKind::Tuple(tuple) => tuple.items.iter().map(a_value).collect::<Vec<_>>().prop_map(Value::List).boxed(),
        TypeKind::Record(record) => {
            let names: Vec<String> = record.fields.iter().map(|field| field.name.clone()).collect();
            let values: Vec<_> = record.fields.iter().map(|field| a_value(&field.ty)).collect();
            values.prop_map(move |values| Value::Record(names.iter().cloned().zip(values).collect())).boxed()
        }
        TypeKind::Enum(cases) => {
            let names: Vec<String> = cases.cases.iter().map(|(name, _)| name.clone()).collect();
            prop::sample::select(names).prop_map(Value::String).boxed()
        }
        TypeKind::Variant(variant) => {
            let value = |case: &Case| case.ty.as_ref().map_or_else(|| Just(None).boxed(), |ty| a_value(ty).prop_map(Some).boxed());
            // Those with values, and one of the others.
            let cases: Vec<_> = variant.cases.iter().rev().take(5).map(|case| (case.name.clone(), value(case))).collect();
            prop::sample::select(cases)
                .prop_flat_map(|(name, value)| (Just(name), value))
                .prop_map(|(name, value)| Value::Variant(name, value.map(Box::new)))
                .boxed()
        }
        TypeKind::Own(_) | TypeKind::Borrow(_) => unreachable!("a handle is no value that comes back"),
    }
}

/// Equal, down to the bits of floats but for those of a NaN; Go's maps have each key once and in
/// any order.
fn same(a: &Value, b: &Value, through_go: bool) -> bool {
    let all = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, through_go));
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        (Value::List(a), Value::List(b)) => all(a, b),
        (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((n, a), (m, b))| n == m && same(a, b, through_go))
        }
        (Value::Variant(m, Some(a)), Value::Variant(n, Some(b))) => m == n && same(a, b, through_go),
        (Value::Map(a), Value::Map(b)) if through_go => {
            let last = |key: &Value| a.iter().rev().find(|(other, _)| same(other, key, true)).map(|(_, value)| value);
            b.iter().all(|(key, value)| last(key).is_some_and(|wanted| same(wanted, value, true)))
                && a.iter().all(|(key, _)| b.iter().filter(|(other, _)| same(other, key, true)).count() == 1)
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, v), (l, w))| same(k, l, through_go) && same(v, w, through_go))
        }
        // Go's `any` writes JSON in its own form.
        (Value::Json(a), Value::Json(b)) => {
            let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            parse(a).is_some() && parse(a) == parse(b)
        }
        (a, b) => a == b,
    }
}

#[test]
fn values_survive_memory() {
    let typed = a_type().prop_flat_map(|ty| (a_value(&ty), Just(ty), prop::sample::select(&[0_u32, 8, 4096][..])));
    let outcome = runner(2000).run(&typed, |(value, ty, address)| {
        let (bytes, memory) = lower_bytes(&ty, &&value, address).map_err(|error| TestCaseError::fail(format!("{ty}: {error:?}")))?;
        let lifted = lift_bytes(&ty, GuestMemory::new(&memory), &bytes, &ToValue);
        let lifted = lifted.map_err(|error| TestCaseError::fail(format!("{ty}: {error:?}")))?;
        prop_assert!(same(&value, &lifted, false), "{}: {:?} became {:?}", ty, value, lifted);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
#[cfg_attr(miri, ignore = "runs WebAssembly")]
fn values_survive_the_guest() {
    let plugin = conformance();
    let hosted = common::host::Hosted::new(plugin, quiet()).expect("an instance");
    let echoes = |name: &str| name.starts_with("echo-") || name.starts_with("maybe-") || name == "list-of-maybe";
    let mut seen = 0;
    let echoing = |function: &&Arc<Function>| echoes(&function.name) && function.params.len() == 1 && !function.holds_handles();
    for function in plugin.exports().filter(echoing) {
        // The guest refuses text that is none of what it stands for, such as a number or the case
        // of an enum; the cases of the conformance suite have those.
        if ["echo-color-counts", "echo-parts"].contains(&function.name.as_str()) {
            continue;
        }
        seen += 1;
        let outcome = runner(40).run(&a_value(&function.params[0].ty), |value| {
            let came = hosted.instance.call(&function.name, std::slice::from_ref(&value), &PLAIN);
            let came = came.map_err(|error| TestCaseError::fail(format!("{}({value:?}): {error:?}", function.name)))?;
            prop_assert!(same(&value, &came, true), "{}: {:?} became {:?}", function.name, value, came);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(seen > 40, "only {seen} exports echo");
}
