//! Flat values of what holds a variant: the cases share them, so that it depends on the
//! discriminant what each of them is, and where it lies in memory (canonical ABI, "Flattening").
//!
//! As 64 bits, a core value is the same whether it has its own type or the wider one that the cases
//! share. So nothing has to be converted, and what is not used is zero.

/// Stores the flat values of parameters to their places in the record of all of them.
#[inline]
pub(crate) fn store_params(function: &Function, bytes: &mut [u8], mut values: impl Iterator<Item = u64>) -> Result<()> {
    let abi = &function.abi;
    if abi.joined {
        for (param, offset) in function.params.iter().zip(&abi.params.offsets) {
            store(&param.ty, bytes, *offset, &mut || values.next().unwrap_or_default()).map_err(|error| error.at(param.name.clone()))?;
        }
        return Ok(());
    }
    for (slot, value) in abi.slots.iter().zip(values) {
        store_slot(bytes, *slot, value).map_err(|error| error.at(function.param_at(slot.offset)))?;
    }
    Ok(())
}

#[cfg(test)]
mod reference;

use super::block::{load as load_slot, store as store_slot};
use super::lift::{lift_case, no_case};
use super::memory;
use crate::error::Result;
use crate::interface::{Function, Slot, SlotKind, Slots, Type, TypeKind, VariantType};

/// Loads the flat values of the value at `at`, whose discriminants are those of cases, and passes
/// them on in order.
pub(crate) fn load(ty: &Type, bytes: &[u8], at: u32, give: &mut dyn FnMut(u64)) {
    match &ty.kind {
        TypeKind::Variant(variant) => {
            let case = lift_case(variant.tag, variant.cases.len(), bytes, at).unwrap_or_default();
            give(case.into());
            let mut left = variant.joined.len();
            if let Some(ty) = &variant.cases[case as usize].ty {
                load(ty, bytes, at + variant.payload, &mut |value| {
                    left = left.saturating_sub(1);
                    give(value);
                });
            }
            (0..left).for_each(|_| give(0));
        }
        TypeKind::Option(inner) if ty.is_joined => {
            give(memory::read_u8(bytes, at).into());
            load(inner, bytes, at + inner.some_offset(), give);
        }
        TypeKind::Tuple(tuple) if ty.is_joined => load_all(&tuple.items, &tuple.offsets, bytes, at, give),
        TypeKind::Record(record) if ty.is_joined => load_all(&record.layout.items, &record.layout.offsets, bytes, at, give),
        _ => slots(ty, at).iter().for_each(|slot| give(load_slot(bytes, *slot))),
    }
}

/// The same for values that lie at these offsets.
pub(crate) fn load_all(types: &[Type], offsets: &[u32], bytes: &[u8], at: u32, give: &mut dyn FnMut(u64)) {
    for (ty, offset) in types.iter().zip(offsets) {
        load(ty, bytes, at + offset, give);
    }
}

/// Stores flat values, of which `take` gives the next, as the value at `at`, where all is zero.
///
/// # Errors
///
/// `trap` for a discriminant that has no case, with the path of its value.
pub(crate) fn store(ty: &Type, bytes: &mut [u8], at: u32, take: &mut dyn FnMut() -> u64) -> Result<()> {
    match &ty.kind {
        TypeKind::Variant(variant) => store_case(variant, bytes, at, take),
        TypeKind::Option(inner) if ty.is_joined => {
            let some = take();
            store_slot(bytes, Slot { offset: at, kind: SlotKind::Case8 }, some)?;
            if some as u32 == 0 {
                skip(slots(inner, 0).len(), take);
                return Ok(());
            }
            // The lifter checks that it is 1.
            store(inner, bytes, at + inner.some_offset(), take)
        }
        TypeKind::Tuple(tuple) if ty.is_joined => {
            for (i, (item, offset)) in tuple.items.iter().zip(&tuple.offsets).enumerate() {
                store(item, bytes, at + offset, take).map_err(|error| error.at(format!("[{i}]")))?;
            }
            Ok(())
        }
        TypeKind::Record(record) if ty.is_joined => {
            for (field, offset) in record.fields.iter().zip(&record.layout.offsets) {
                store(&field.ty, bytes, at + offset, take).map_err(|error| error.at(format!(".{}", field.name)))?;
            }
            Ok(())
        }
        _ => slots(ty, at).iter().try_for_each(|slot| store_slot(bytes, *slot, take())),
    }
}

fn store_case(variant: &VariantType, bytes: &mut [u8], at: u32, take: &mut dyn FnMut() -> u64) -> Result<()> {
    let number = take() as u32;
    let Some(case) = variant.cases.get(number as usize) else { return Err(no_case(number).of_no_value()) };
    store_slot(bytes, Slot { offset: at, kind: SlotKind::of_tag(variant.tag) }, number.into())?;
    let mut left = variant.joined.len();
    if let Some(ty) = &case.ty {
        let mut take = || {
            left = left.saturating_sub(1);
            take()
        };
        store(ty, bytes, at + variant.payload, &mut take).map_err(|error| error.at(format!(".{}", case.name)))?;
    }
    skip(left, take);
    Ok(())
}

/// Takes values that mean nothing.
fn skip(count: usize, take: &mut dyn FnMut() -> u64) {
    for _ in 0..count {
        take();
    }
}

/// The flat values of a type that has none which cases share, or only their number.
fn slots(ty: &Type, at: u32) -> Slots {
    let mut slots = Slots::new();
    // The parameters are flat as a whole, so that there are few.
    ty.slots(at, usize::MAX, &mut slots);
    slots
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

    use super::reference::{self, Core};
    use super::*;
    use crate::abi::lift::lift_bytes;
    use crate::abi::lower::lower_bytes;
    use crate::abi::memory::GuestMemory;
    use crate::abi::value::{ToValue, Value};
    use crate::error::ErrorKind;
    use crate::interface::{Case, EnumType, Extension, Field, RecordType, Scalar, Time, TupleType};

    fn a_variant(types: Vec<Option<Type>>, others: usize) -> TypeKind {
        let case = |(i, ty)| Case { name: format!("case-{i}"), docs: String::new(), ty };
        let others = std::iter::repeat_with(|| None).take(others);
        TypeKind::Variant(Arc::new(VariantType::new("either".into(), String::new(), others.chain(types).enumerate().map(case).collect())))
    }

    fn an_enum(count: usize) -> TypeKind {
        let cases = (0..count).map(|i| (format!("case-{i}"), String::new())).collect();
        TypeKind::Enum(Arc::new(EnumType { name: "choice".into(), docs: String::new(), cases, extension: Extension::default() }))
    }

    fn a_record(types: Vec<Type>) -> TypeKind {
        let field = |(i, ty)| Field { name: format!("field-{i}"), docs: String::new(), ty };
        TypeKind::Record(Arc::new(RecordType::new("thing".into(), String::new(), types.into_iter().enumerate().map(field).collect())))
    }

    fn a_type() -> impl Strategy<Value = Type> {
        let leaf = prop_oneof![
            Just(TypeKind::Bool),
            prop::sample::select(&Scalar::ALL[..10]).prop_map(TypeKind::Scalar),
            Just(TypeKind::String),
            Just(TypeKind::Duration),
            Just(TypeKind::Time),
            prop::sample::select(&[2_usize, 256, 257][..]).prop_map(an_enum),
        ];
        let recursive = leaf.prop_map(Type::new).prop_recursive(4, 12, 3, |inner| {
            let several = prop::collection::vec(inner.clone(), 1..4);
            prop_oneof![
                1 => inner
                    .clone()
                    .prop_filter("no option of an option", |ty| !matches!(ty.kind, TypeKind::Option(_)))
                    .prop_map(|ty| TypeKind::Option(Arc::new(ty))),
                1 => several.clone().prop_map(|items| TypeKind::Tuple(Arc::new(TupleType::new(items)))),
                1 => several.prop_map(a_record),
                4 => (prop::collection::vec(prop::option::weighted(0.8, inner), 1..5), prop::sample::select(&[0_usize, 1, 300][..]))
                    .prop_map(|(types, others)| a_variant(types, others)),
            ]
            .prop_map(Type::new)
        });
        recursive.prop_filter("flat", |ty| reference::flatten(ty).len() <= 16)
    }

    fn a_value(ty: &Type) -> BoxedStrategy<Value> {
        let int = |range: std::ops::RangeInclusive<i64>| prop_oneof![Just(*range.start()), Just(*range.end()), range].prop_map(Value::Int);
        match &ty.kind {
            TypeKind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            TypeKind::Scalar(scalar) => match scalar {
                Scalar::S8 => int(i8::MIN.into()..=i8::MAX.into()).boxed(),
                Scalar::U8 => int(0..=u8::MAX.into()).boxed(),
                Scalar::S16 => int(i16::MIN.into()..=i16::MAX.into()).boxed(),
                Scalar::U16 => int(0..=u16::MAX.into()).boxed(),
                Scalar::S32 => int(i32::MIN.into()..=i32::MAX.into()).boxed(),
                Scalar::U32 => int(0..=u32::MAX.into()).boxed(),
                Scalar::U64 => any::<u64>().prop_map(|n| i64::try_from(n).map_or(Value::Uint(n), Value::Int)).boxed(),
                Scalar::F32 => any::<f32>().prop_map(|n| Value::Float(n.into())).boxed(),
                Scalar::F64 => any::<f64>().prop_map(Value::Float).boxed(),
                _ => int(i64::MIN..=i64::MAX).boxed(),
            },
            TypeKind::String => "[a-zü]{0,6}".prop_map(Value::String).boxed(),
            TypeKind::Duration => any::<i64>().prop_map(Value::Duration).boxed(),
            TypeKind::Time => (any::<i64>(), 0_u32..1_000_000_000, any::<i32>())
                .prop_map(|(seconds, nanoseconds, offset)| Value::Time(Time { seconds, nanoseconds, offset }))
                .boxed(),
            TypeKind::Enum(cases) => (0..cases.cases.len()).prop_map(|i| Value::String(format!("case-{i}"))).boxed(),
            TypeKind::Option(inner) => prop_oneof![1 => Just(Value::None), 3 => a_value(inner)].boxed(),
            TypeKind::Tuple(tuple) => tuple.items.iter().map(a_value).collect::<Vec<_>>().prop_map(Value::List).boxed(),
            TypeKind::Record(record) => {
                let values: Vec<_> = record.fields.iter().map(|field| a_value(&field.ty)).collect();
                let name = |(i, value)| (format!("field-{i}"), value);
                values.prop_map(move |values| Value::Record(values.into_iter().enumerate().map(name).collect())).boxed()
            }
            TypeKind::Variant(variant) => {
                let value = |case: &Case| case.ty.as_ref().map_or_else(|| Just(None).boxed(), |ty| a_value(ty).prop_map(Some).boxed());
                // Those with values, which come last, and some of the others.
                let cases: Vec<_> = variant.cases.iter().rev().take(6).map(|case| (case.name.clone(), value(case))).collect();
                prop::sample::select(cases)
                    .prop_flat_map(|(name, value)| (Just(name), value))
                    .prop_map(|(name, value)| Value::Variant(name, value.map(Box::new)))
                    .boxed()
            }
            other => panic!("{other:?}"),
        }
    }

    fn core(kind: SlotKind) -> Core {
        match kind {
            SlotKind::I64 => Core::I64,
            SlotKind::F32 => Core::F32,
            SlotKind::F64 => Core::F64,
            _ => Core::I32,
        }
    }

    fn runner(cases: u32) -> TestRunner {
        let cases = if cfg!(miri) { cases.div_ceil(2000) } else { cases };
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]))
    }

    fn loaded(ty: &Type, bytes: &[u8]) -> Vec<u64> {
        let mut flat = Vec::new();
        load(ty, bytes, 0, &mut |value| flat.push(value));
        flat
    }

    /// A NaN is another, perhaps.
    fn same(a: &Value, b: &Value) -> bool {
        format!("{a:?}") == format!("{b:?}")
    }

    #[test]
    fn flat_values_are_those_of_the_canonical_abi() {
        let typed = a_type().prop_flat_map(|ty| (a_value(&ty), Just(ty)));
        let outcome = runner(4000).run(&typed, |(value, ty)| {
            let wanted = reference::flatten(&ty);
            prop_assert_eq!(slots(&ty, 0).iter().map(|slot| core(slot.kind)).collect::<Vec<_>>(), wanted.clone(), "{:?}", ty);

            // To the guest: what is loaded is what the book lowers, but for where texts lie, which
            // are there.
            let (bytes, memory) = lower_bytes(&ty, &&value, 8).expect("it fits");
            let flat = loaded(&ty, &bytes);
            prop_assert_eq!(flat.len(), wanted.len(), "{:?}", ty);
            for (core, bits) in wanted.iter().zip(&flat) {
                prop_assert!(matches!(core, Core::I64 | Core::F64) || *bits <= u64::from(u32::MAX), "{:?}: {:x}", ty, bits);
            }
            let lifted = reference::lift(&ty, &mut wanted.iter().copied().zip(flat), &memory);
            prop_assert!(same(&lifted, &value), "{:?}: {:?} became {:?}", ty, value, lifted);

            // From the guest: what the book lowers is stored, whatever lies above narrow values.
            let mut texts = Vec::new();
            let flat = reference::lower(&ty, &value, &mut texts);
            prop_assert_eq!(flat.iter().map(|(core, _)| *core).collect::<Vec<_>>(), wanted);
            for above in [0, 0xdead_beef << 32] {
                let mut given = flat.iter().map(|(core, bits)| if matches!(core, Core::I64 | Core::F64) { *bits } else { bits | above });
                let mut bytes = vec![0; ty.size as usize];
                store(&ty, &mut bytes, 0, &mut || given.next().expect("no more than there are")).expect("it fits");
                prop_assert_eq!(given.count(), 0, "all are taken");
                let lifted = lift_bytes(&ty, GuestMemory::new(&texts), &bytes, &ToValue).expect("it fits");
                prop_assert!(same(&lifted, &value), "{:?}: {:?} became {:?}", ty, value, lifted);
            }
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }

    /// A guest may pass anything: it is stored or refused, and all of it is taken, so that what
    /// follows stays where it is.
    #[test]
    fn arbitrary_flat_values_are_stored_or_refused() {
        let given = a_type().prop_flat_map(|ty| (prop::collection::vec(prop_oneof![0_u64..4, any::<u64>()], 16), Just(ty)));
        let outcome = runner(4000).run(&given, |(given, ty)| {
            let mut taken = 0;
            let mut bytes = vec![0; ty.size as usize];
            let stored = store(&ty, &mut bytes, 0, &mut || {
                taken += 1;
                given[taken - 1]
            });
            match stored {
                Ok(()) => {
                    prop_assert_eq!(taken, reference::flatten(&ty).len());
                    // It may still be refused as a value; but it can be flattened again.
                    prop_assert_eq!(loaded(&ty, &bytes).len(), taken);
                    drop(lift_bytes(&ty, GuestMemory::new(&[0; 64]), &bytes, &ToValue));
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Trap, "{:?}", error),
            }
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The book's own example of a join, and one where no case has a value in the last places.
    #[test]
    fn cases_share_what_is_wide_enough() {
        let scalar = |scalar| Some(Type::new(TypeKind::Scalar(scalar)));
        let kinds = |types| {
            let ty = Type::new(a_variant(types, 0));
            let TypeKind::Variant(variant) = &ty.kind else { panic!("{ty}") };
            variant.joined.to_vec()
        };
        assert_eq!(kinds(vec![scalar(Scalar::F32), scalar(Scalar::S8)]), [SlotKind::I32]);
        assert_eq!(kinds(vec![scalar(Scalar::F32), scalar(Scalar::F32)]), [SlotKind::F32]);
        assert_eq!(kinds(vec![scalar(Scalar::F32), scalar(Scalar::F64)]), [SlotKind::I64]);
        assert_eq!(kinds(vec![scalar(Scalar::F64), scalar(Scalar::U64)]), [SlotKind::I64]);
        assert_eq!(kinds(vec![scalar(Scalar::F64), None, scalar(Scalar::F64)]), [SlotKind::F64]);
        let text = Some(Type::new(TypeKind::String));
        assert_eq!(kinds(vec![scalar(Scalar::F64), text]), [SlotKind::I64, SlotKind::I32]);
        assert_eq!(kinds(vec![None, None]), []);
        // Discriminants within are flat numbers as others.
        let inner = Some(Type::new(a_variant(vec![scalar(Scalar::F32)], 300)));
        assert_eq!(kinds(vec![inner, scalar(Scalar::U16)]), [SlotKind::I32, SlotKind::F32]);
    }

    #[test]
    fn a_discriminant_without_a_case_is_named() {
        let scalar = |scalar| Type::new(TypeKind::Scalar(scalar));
        let inner = Type::new(a_variant(vec![Some(scalar(Scalar::U8)), None], 0));
        let option = Type::new(TypeKind::Option(Arc::new(inner)));
        let tuple = Type::new(TypeKind::Tuple(Arc::new(TupleType::new(vec![scalar(Scalar::S64), option]))));
        let record = Type::new(a_record(vec![tuple]));
        let ty = Type::new(a_variant(vec![None, Some(record)], 0));
        let stored = |given: [u64; 5]| {
            let mut given = given.into_iter();
            let mut bytes = vec![0xaa; ty.size as usize];
            bytes.fill(0);
            store(&ty, &mut bytes, 0, &mut || given.next().unwrap_or_default())
        };
        assert!(stored([1, 5, 1, 0, 255]).is_ok() && stored([0, 9, 9, 9, 9]).is_ok() && stored([1, 5, 0, 9, 9]).is_ok());
        for (given, path) in [
            ([2, 0, 0, 0, 0], ""),
            ([1 | 1 << 20, 0, 0, 0, 0], ""),
            ([1, 0, 1, 2, 0], ".case-1.field-0[1]"),
            ([1, 0, 256, 0, 0], ".case-1.field-0[1]"),
        ] {
            let error = stored(given).expect_err("no such case");
            assert_eq!((error.kind(), error.path().as_str()), (ErrorKind::Trap, path), "{error}");
        }
    }
}
