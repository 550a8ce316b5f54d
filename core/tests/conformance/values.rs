//! JSON values of the cases, as values of this crate and back.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};
use undergo::interface::{ResourceType, Scalar, Type, TypeKind};
use undergo::{Handle, Time, Value};

/// What makes the values that live longer than a call.
pub(crate) type Living<'l> = dyn Fn(&Mark<'_>) -> Option<Value> + 'l;

/// `{"$name": inner}`, or `{"$name": inner, "then": then}`, where the plugin has a handle of that
/// resource.
pub(crate) struct Mark<'m> {
    pub(crate) name: &'m str,
    pub(crate) inner: &'m Json,
    pub(crate) then: Option<&'m str>,
    pub(crate) resource: Option<&'m ResourceType>,
}

/// A handle of the guest's that a result keeps under a name. No value of a plugin is like that.
const KEEP: &str = "$keep";

/// A value of the type, where it is known: for the values that are written alike for several types.
/// `living` is that of arguments; a result, which has none, is compared: see [`compare`].
pub(crate) fn from_json(json: &Json, ty: Option<&Type>, living: Option<&Living<'_>>) -> Result<Value, String> {
    let kind = ty.map(|ty| &ty.kind);
    if let Some(TypeKind::Option(inner)) = kind
        && !json.is_null()
    {
        return from_json(json, Some(inner), living);
    }
    Ok(match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::String(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            // An integer in JSON stands for a float where one is wanted.
            (Some(n), ..) if is_float(kind) => Value::Float(n as f64),
            (Some(n), ..) => Value::Int(n),
            (_, Some(n), _) => Value::Uint(n),
            (_, _, Some(n)) => Value::Float(n),
            _ => return Err(format!("{number} is no number")),
        },
        Json::Array(items) => {
            let item = |(i, item): (usize, &Json)| from_json(item, item_type(kind, i), living);
            Value::List(items.iter().enumerate().map(item).collect::<Result<_, _>>()?)
        }
        Json::Object(object) => match marked(object) {
            Some((mark, inner)) => special(mark, inner, object.get("then").and_then(Json::as_str), kind, living)?,
            None => {
                let field = |(name, value): (&String, &Json)| Ok((name.clone(), from_json(value, field_type(kind, name), living)?));
                Value::Record(object.iter().map(field).collect::<Result<_, String>>()?)
            }
        },
    })
}

fn is_float(kind: Option<&TypeKind>) -> bool {
    matches!(kind, Some(TypeKind::Scalar(Scalar::F32 | Scalar::F64)))
}

fn item_type(kind: Option<&TypeKind>, i: usize) -> Option<&Type> {
    match kind? {
        TypeKind::List(item) => Some(item),
        TypeKind::Tuple(tuple) => tuple.items.get(i),
        _ => None,
    }
}

fn field_type<'t>(kind: Option<&'t TypeKind>, name: &str) -> Option<&'t Type> {
    let Some(TypeKind::Record(record)) = kind else { return None };
    Some(&record.fields.iter().find(|field| field.name == name)?.ty)
}

fn case_type<'t>(kind: Option<&'t TypeKind>, name: &str) -> Option<&'t Type> {
    let Some(TypeKind::Variant(variant)) = kind else { return None };
    variant.cases.iter().find(|case| case.name == name)?.ty.as_ref()
}

/// The key and the value of `{"$key": value}`, which may also have a `then`.
pub(crate) fn marked(object: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (key, value) = object.iter().find(|(key, _)| key.starts_with('$'))?;
    (object.len() == 1 + usize::from(object.contains_key("then"))).then_some((key.as_str(), value))
}

fn special(mark: &str, inner: &Json, then: Option<&str>, kind: Option<&TypeKind>, living: Option<&Living<'_>>) -> Result<Value, String> {
    let wrong = || format!("{{\"{mark}\": {inner}}} is not a value");
    let text = || inner.as_str().ok_or_else(wrong);
    Ok(match mark {
        "$int" => {
            let text = text()?;
            // What no integer of this crate can be, a float still can: it fits no integer type
            // either.
            let wide = || text.parse().map(Value::Float).map_err(|_| wrong());
            text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::Uint)).or_else(|_| wide())?
        }
        "$float" => Value::Float(text()?.parse().map_err(|_| wrong())?),
        "$bytes" => Value::Bytes(hex(text()?).ok_or_else(wrong)?),
        "$map" => {
            // A component's maps are lists of pairs.
            let pair = item_type(kind, 0).map(|ty| &ty.kind);
            let (key_type, value_type) = match kind {
                Some(TypeKind::Map(map)) => (Some(&map.key), Some(&map.value)),
                _ => (item_type(pair, 0), item_type(pair, 1)),
            };
            let entry = |entry: &Json| match entry.as_array().map(Vec::as_slice) {
                Some([key, value]) => Ok((from_json(key, key_type, living)?, from_json(value, value_type, living)?)),
                _ => Err(wrong()),
            };
            let entries: Vec<(Value, Value)> = inner.as_array().ok_or_else(wrong)?.iter().map(entry).collect::<Result<_, _>>()?;
            match kind {
                Some(TypeKind::List(_)) if living.is_some() => {
                    Value::List(entries.into_iter().map(|(key, value)| Value::List(vec![key, value])).collect())
                }
                _ => Value::Map(entries),
            }
        }
        "$case" => {
            let (name, value) = match inner.as_array().map(Vec::as_slice) {
                Some([Json::String(name)]) => (name, None),
                Some([Json::String(name), value]) => (name, Some(value)),
                _ => return Err(wrong()),
            };
            let value = value.map(|value| from_json(value, case_type(kind, name), living)).transpose()?;
            Value::Variant(name.clone(), value.map(Box::new))
        }
        "$duration" => Value::Duration(text()?.parse().map_err(|_| wrong())?),
        "$time" => {
            let part = |name: &str| inner.get(name).and_then(Json::as_i64).ok_or_else(wrong);
            let small = |name: &str| part(name).and_then(|n| i32::try_from(n).map_err(|_| wrong()));
            Value::Time(Time { seconds: part("seconds")?, nanoseconds: small("nanoseconds")?.unsigned_abs(), offset: small("offset")? })
        }
        "$json" => Value::Json(inner.to_string()),
        "$repeat" => {
            let count = inner.get("count").and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok()).ok_or_else(wrong)?;
            let item = inner.get("value").ok_or_else(wrong)?;
            match (kind, from_json(item, item_type(kind, 0), living)?) {
                (Some(TypeKind::String), Value::String(text)) => Value::String(text.repeat(count)),
                (Some(TypeKind::List(item)), Value::Bytes(bytes)) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)) => {
                    Value::Bytes(bytes.repeat(count))
                }
                (_, value) => Value::List(vec![value; count]),
            }
        }
        KEEP => Value::Variant(KEEP.into(), Some(Box::new(text()?.into()))),
        _ => {
            let resource = match kind {
                Some(TypeKind::Own(resource) | TypeKind::Borrow(resource)) => Some(&**resource),
                _ => None,
            };
            living.and_then(|living| living(&Mark { name: mark, inner, then, resource })).ok_or_else(wrong)?
        }
    })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(pair).collect())?
}

/// Compares a result with what it should be, exactly; maps in any order. Gives the handles that it
/// keeps, with their names.
pub(crate) fn compare(wanted: &Json, got: &Value, ty: Option<&Type>) -> Result<Vec<(String, Handle)>, String> {
    if let Some(("$between", bounds)) = wanted.as_object().and_then(marked) {
        let bound = |i: usize| bounds.get(i).and_then(Json::as_i64);
        return match (bound(0), got, bound(1)) {
            (Some(low), Value::Int(n), Some(high)) if low <= *n && *n <= high => Ok(Vec::new()),
            _ => Err(format!("result: wanted {wanted}, got {got:?}")),
        };
    }
    let wanted = from_json(wanted, ty, None)?;
    if !same_value(&wanted, got) {
        narrow(&wanted, got, &mut String::new())?;
    }
    let mut kept = Vec::new();
    keep(&wanted, got, &mut kept);
    Ok(kept)
}

/// Keeps the handles of a result that is as it should be.
fn keep(wanted: &Value, got: &Value, kept: &mut Vec<(String, Handle)>) {
    match (wanted, got) {
        (Value::Variant(_, Some(name)), Value::Handle(handle)) => {
            if let Value::String(name) = &**name {
                kept.push((name.clone(), handle.clone()));
            }
        }
        (Value::List(a), Value::List(b)) => a.iter().zip(b).for_each(|(a, b)| keep(a, b, kept)),
        (Value::Record(a), Value::Record(_)) => {
            a.iter().filter_map(|(name, a)| Some((a, field(got, name)?))).for_each(|(a, b)| keep(a, b, kept));
        }
        (Value::Map(a), Value::Map(b)) => {
            for (key, a) in a {
                if let Some((_, b)) = b.iter().find(|(other, _)| same_value(key, other)) {
                    keep(a, b, kept);
                }
            }
        }
        (Value::Map(_), Value::List(pairs)) => {
            if let Some(map) = as_map(pairs) {
                keep(wanted, &map, kept);
            }
        }
        (Value::Variant(_, Some(a)), Value::Variant(_, Some(b))) => keep(a, b, kept),
        _ => {}
    }
}

/// Says where two values differ, rather than both in full.
fn narrow(wanted: &Value, got: &Value, path: &mut String) -> Result<(), String> {
    match (wanted, got) {
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            if let Some(i) = (0..a.len()).find(|i| !same_value(&a[*i], &b[*i])) {
                // Writing to a String can't fail.
                let _ = write!(path, "[{i}]");
                return narrow(&a[i], &b[i], path);
            }
        }
        (Value::Record(a), Value::Record(_)) => {
            let differs = |(name, value): &&(String, Value)| field(got, name).is_none_or(|other| !same_value(value, other));
            if let Some((name, value)) = a.iter().find(differs) {
                let _ = write!(path, ".{name}");
                return narrow(value, field(got, name).unwrap_or(&Value::None), path);
            }
        }
        (Value::Variant(a, Some(wanted)), Value::Variant(b, Some(got))) if a == b => {
            let _ = write!(path, ".{a}");
            return narrow(wanted, got, path);
        }
        _ => {}
    }
    let shown = |value: &Value| format!("{value:?}").chars().take(300).collect::<String>();
    Err(format!("result{path}: wanted {}, got {}", shown(wanted), shown(got)))
}

fn field<'v>(record: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Record(fields) = record else { return None };
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        // All NaN are equal here, and 0.0 is not -0.0.
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Value::Record(a), Value::Record(fields)) => {
            a.len() == fields.len() && a.iter().all(|(name, value)| field(b, name).is_some_and(|other| same_value(value, other)))
        }
        // In any order as well.
        (Value::Map(_), Value::List(pairs)) => as_map(pairs).is_some_and(|map| same_value(a, &map)),
        (Value::Map(a), Value::Map(b)) => {
            let mut left: Vec<&(Value, Value)> = b.iter().collect();
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    let found = left.iter().position(|(k, v)| same_value(key, k) && same_value(value, v));
                    found.map(|i| left.swap_remove(i)).is_some()
                })
        }
        (Value::Variant(mark, _), Value::Handle(_)) => mark == KEEP,
        (Value::Variant(a, wanted), Value::Variant(b, got)) => {
            a == b
                && match (wanted, got) {
                    (Some(wanted), Some(got)) => same_value(wanted, got),
                    (wanted, got) => wanted.is_none() && got.is_none(),
                }
        }
        (Value::Json(a), Value::Json(b)) => match (serde_json::from_str(a), serde_json::from_str(b)) {
            (Ok(a), Ok(b)) => same_json(&a, &b),
            _ => false,
        },
        (a, b) => a == b,
    }
}

/// The map of which a component gives the pairs.
fn as_map(pairs: &[Value]) -> Option<Value> {
    let entry = |pair: &Value| match pair {
        Value::List(pair) => <[Value; 2]>::try_from(pair.clone()).ok().map(|[key, value]| (key, value)),
        _ => None,
    };
    pairs.iter().map(entry).collect::<Option<_>>().map(Value::Map)
}

/// Numbers are compared as numbers.
fn same_json(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b)),
        (Json::Object(a), Json::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_json(a, b))),
        (a, b) => a == b,
    }
}
