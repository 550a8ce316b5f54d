//! Converts JSON to values and back, without a tree other than the JSON itself.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use undergo::host::{Blob, FromJson as _, Lift, Lower, Piece, Reject, escape, unreadable_json};
use undergo::interface::{Choice, EnumType, RecordType, ResourceType, Scalar, Type, TypeKind, VariantType, names};
use undergo::{Error, ErrorKind, Handle, HostObject, Result, Time};

use crate::value::Value;
use crate::{duration, rfc3339};

/// How values are written in JSON; a part of the help of each command that takes or gives values.
pub(crate) const RULES: &str = "\
Values are JSON:
  record       an object; keys as in WIT, snake_case or camelCase; optional fields may be left out
  option       null, or the value
  enum         a string: the case's name
  list, tuple  an array
  list<u8>     \"base64:…\", any other string for its UTF-8 bytes, or an array of numbers
  map          an object; or an array of [key, value] pairs
  duration     \"1.5s\" as in Go, or a number of nanoseconds
  time         \"2026-02-03T04:05:06Z\" (RFC 3339)
  json         any value
  f32, f64     a number, or \"NaN\", \"Infinity\", \"-Infinity\"";

const BYTES: &str = "base64:";

/// A JSON value on its way to a plugin. The key of an object can stand for any value that has a
/// text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Json<'a> {
    Value(&'a Value),
    Key(&'a str),
}

impl<'a> Json<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Json::Key(text) => Some(text),
            Json::Value(value) => value.as_str(),
        }
    }

    /// A key is read as JSON where the type is not one of text.
    fn read<T>(self, take: impl Fn(&Value) -> Option<T>) -> Option<T> {
        match self {
            Json::Value(value) => take(value),
            Json::Key(text) => Value::parse(text).ok().as_ref().and_then(take),
        }
    }

    /// Why it is not an integer: a float may look like one, and an integer may have more than 64
    /// bits.
    fn no_integer(self, wanted: &str) -> Reject {
        let Json::Value(Value::Number(digits)) = self else { return Reject::Type };
        if digits.contains(['.', 'e', 'E']) {
            return Reject::Value(format!("{digits} is not an integer"));
        }
        Reject::Value(format!("{digits} is out of range for {wanted}"))
    }
}

impl<'a> Lower<'a> for Json<'a> {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Json::Key(_) => "a key",
            Json::Value(Value::Null) => "null",
            Json::Value(Value::Bool(_)) => "a bool",
            Json::Value(Value::Number(_)) => "a number",
            Json::Value(Value::String(_)) => "a string",
            Json::Value(Value::Array(_)) => "an array",
            Json::Value(Value::Object(_)) => "an object",
        })
    }

    fn as_bool(&self) -> Result<bool, Reject> {
        self.read(Value::as_bool).ok_or(Reject::Type)
    }

    fn as_s64(&self) -> Result<i64, Reject> {
        self.read(Value::as_i64).ok_or_else(|| self.no_integer("s64"))
    }

    fn as_u64(&self) -> Result<u64, Reject> {
        self.read(Value::as_u64).ok_or_else(|| self.no_integer("u64"))
    }

    fn as_f64(&self) -> Result<f64, Reject> {
        if let Some(number) = self.read(Value::as_f64) {
            return Ok(number);
        }
        match self.text() {
            Some("NaN") => Ok(f64::NAN),
            Some("Infinity") => Ok(f64::INFINITY),
            Some("-Infinity") => Ok(f64::NEG_INFINITY),
            _ => Err(match self {
                Json::Value(Value::Number(digits)) => Reject::Value(format!("{digits} is out of range for f64")),
                _ => Reject::Type,
            }),
        }
    }

    fn as_str(&self) -> Result<Cow<'a, str>, Reject> {
        self.text().map(Cow::Borrowed).ok_or(Reject::Type)
    }

    fn as_scalars(&self, scalar: Scalar) -> Result<Option<Blob<'a>>, Reject> {
        let Some(text) = self.text().filter(|_| scalar == Scalar::U8) else { return Ok(None) };
        let Some(encoded) = text.strip_prefix(BYTES) else { return Ok(Some(Blob::Borrowed(text.as_bytes()))) };
        let bytes = BASE64.decode(encoded).map_err(|error| Reject::Value(format!("the bytes are not base64: {error}")))?;
        Ok(Some(Blob::Guarded(Box::new(bytes))))
    }

    fn as_list(&self) -> Result<impl ExactSizeIterator<Item = Result<Self, Reject>>, Reject> {
        match self {
            Json::Value(Value::Array(items)) => Ok(items.iter().map(|item| Ok(Json::Value(item)))),
            _ => Err(Reject::Type),
        }
    }

    fn as_map(&self) -> Result<impl ExactSizeIterator<Item = Result<(Self, Self), Reject>>, Reject> {
        let entries: Vec<_> = match self {
            Json::Value(Value::Object(entries)) => entries.iter().map(|(key, value)| Ok((Json::Key(key), Json::Value(value)))).collect(),
            Json::Value(Value::Array(entries)) => entries.iter().map(pair).collect(),
            _ => return Err(Reject::Type),
        };
        Ok(entries.into_iter())
    }

    fn as_record(&self, record: &RecordType) -> Result<Vec<Option<Self>>, Reject> {
        let Json::Value(Value::Object(given)) = self else { return Err(Reject::Type) };
        let mut values = vec![None; record.fields.len()];
        for (key, value) in given {
            let named = |name: &str| record.fields.iter().position(|field| field.name == name);
            let found = named(key).or_else(|| named(&names::kebab(key)));
            let Some(i) = found else { return Err(Reject::Value(record.unknown_field(key, str::to_owned))) };
            if values[i].replace(Json::Value(value)).is_some() {
                return Err(Reject::Value(format!("the field '{}' of {} is given twice", record.fields[i].name, record.name)));
            }
        }
        Ok(values)
    }

    fn is_none(&self) -> bool {
        matches!(self, Json::Value(Value::Null))
    }

    fn as_enum(&self, cases: &EnumType) -> Result<u32, Reject> {
        let name = self.text().ok_or(Reject::Type)?;
        let found = cases.case(name).or_else(|| cases.case(&names::kebab(name)));
        found.ok_or_else(|| Reject::Value(cases.unknown_case(name)))
    }

    /// `{"tag": …, "val": …}`, or only the name of a case without a value.
    fn as_variant(&self, variant: &VariantType) -> Result<(u32, Option<Self>), Reject> {
        let (name, value) = match self {
            Json::Value(Value::Object(members)) => {
                let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, value)| Json::Value(value));
                if let Some((other, _)) = members.iter().find(|(name, _)| name != "tag" && name != "val") {
                    return Err(Reject::Value(format!("a case of {} is {{\"tag\": …, \"val\": …}}, without {other:?}", variant.name)));
                }
                (member("tag").and_then(|tag| tag.text()).ok_or(Reject::Type)?, member("val"))
            }
            _ => (self.text().ok_or(Reject::Type)?, None),
        };
        let found = variant.case(name).or_else(|| variant.case(&names::kebab(name)));
        let case = found.ok_or_else(|| Reject::Value(variant.unknown_case(name)))?;
        Ok((case, value))
    }

    fn as_json(&self) -> Result<Cow<'a, str>, Reject> {
        let text = match self {
            Json::Value(value) => value.line(),
            Json::Key(text) => Value::from(*text).line(),
        };
        Ok(Cow::Owned(text))
    }

    fn as_duration(&self) -> Result<i64, Reject> {
        if let Some(nanoseconds) = self.read(Value::as_i64) {
            return Ok(nanoseconds);
        }
        let text = self.text().ok_or(Reject::Type)?;
        duration::parse(text).ok_or_else(|| Reject::Value(format!("{text:?} is not a duration like \"1.5s\" or \"2h45m\"")))
    }

    fn as_time(&self) -> Result<Time, Reject> {
        let text = self.text().ok_or(Reject::Type)?;
        rfc3339::parse(text).ok_or_else(|| Reject::Value(format!("{text:?} is not a time like \"2026-02-03T04:05:06Z\" (RFC 3339)")))
    }

    fn as_handle(&self, resource: &ResourceType) -> Result<Handle, Reject> {
        Err(no_json(resource))
    }

    fn as_object(&self, resource: &Arc<ResourceType>) -> Result<HostObject, Reject> {
        Err(no_json(resource))
    }
}

fn pair(entry: &Value) -> Result<(Json<'_>, Json<'_>), Reject> {
    match entry.as_array() {
        Some([key, value]) => Ok((Json::Value(key), Json::Value(value))),
        _ => Err(Reject::Value(format!("expected a pair [key, value], got {}", entry.line()))),
    }
}

/// What a person wrote for a value of that type: JSON, or plain text for a type whose JSON is a
/// string.
pub(crate) fn read(ty: &Type, text: &str) -> Result<Value, String> {
    let inner = match &ty.kind {
        TypeKind::Option(inner) => inner,
        _ => ty,
    };
    let is_text = match &inner.kind {
        TypeKind::String | TypeKind::Enum(_) | TypeKind::Duration | TypeKind::Time => true,
        TypeKind::List(item) => matches!(item.kind, TypeKind::Scalar(Scalar::U8)),
        _ => false,
    };
    let parsed = Value::parse(text);
    if !is_text {
        return parsed.map_err(|error| format!("expected {ty} as JSON, got {text:?}: {error}"));
    }
    let list = matches!(inner.kind, TypeKind::List(_));
    let optional = matches!(ty.kind, TypeKind::Option(_));
    let duration = matches!(inner.kind, TypeKind::Duration);
    Ok(match parsed {
        Ok(value @ Value::String(_)) => value,
        Ok(Value::Null) if optional => Value::Null,
        Ok(value @ Value::Array(_)) if list => value,
        Ok(value @ Value::Number(_)) if duration => value,
        _ => Value::from(text),
    })
}

/// Lifts to JSON.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ToJson;

impl Lift for ToJson {
    type Value = Value;

    fn cost(&self, piece: Piece<'_>) -> u64 {
        const PLACE: u64 = size_of::<Value>() as u64;
        // A node of a tree has room for 11 names and their values.
        let object = |members: usize| (members as u64 / 6 + 1) * 11 * (PLACE + 24) + members as u64 * 48;
        match piece {
            Piece::None | Piece::Some | Piece::Bool | Piece::Number => 0,
            Piece::Duration | Piece::Time => 64,
            Piece::Case(text) | Piece::Text(text) => 32 + text.len() as u64,
            // As text in base64.
            Piece::Scalars(_, len) => 64 + 3 * len as u64,
            Piece::List(len) | Piece::Tuple(len) => 32 + len as u64 * PLACE,
            Piece::Map(len) => object(len),
            Piece::Record(record) => object(record.fields.len()) + record.fields.iter().map(|field| field.name.len() as u64).sum::<u64>(),
            Piece::Variant(variant, case) => object(2) + 64 + variant.cases[case as usize].name.len() as u64,
            Piece::Handle(_) => 0,
        }
    }
    fn packs(&self, scalar: Scalar) -> bool {
        scalar == Scalar::U8
    }

    fn bool(&self, value: bool) -> Result<Value> {
        Ok(Value::Bool(value))
    }
    fn s64(&self, value: i64) -> Result<Value> {
        Ok(Value::Number(value.to_string()))
    }
    fn u64(&self, value: u64) -> Result<Value> {
        Ok(Value::Number(value.to_string()))
    }
    fn f32(&self, value: f32) -> Result<Value> {
        // Its own shortest digits, not those of the same number with 64 bits: 0.1, not
        // 0.10000000149011612.
        Ok(Value::float(value.to_string().parse().unwrap_or_else(|_| value.into())))
    }
    fn f64(&self, value: f64) -> Result<Value> {
        Ok(Value::float(value))
    }
    fn string(&self, value: &str) -> Result<Value> {
        Ok(Value::from(value))
    }
    fn json(&self, value: &str) -> Result<Value> {
        Value::parse(value).map_err(unreadable_json)
    }
    fn scalars(&self, _scalar: Scalar, bytes: &[u8]) -> Result<Value> {
        Ok(Value::String(format!("{BYTES}{}", BASE64.encode(bytes))))
    }
    fn duration(&self, nanoseconds: i64) -> Result<Value> {
        Ok(Value::String(duration::format(nanoseconds)))
    }
    fn time(&self, time: Time) -> Result<Value> {
        rfc3339::format(time).map(Value::String).ok_or_else(|| {
            let text = format!("the time {} s after 1970, {} s east of UTC, can't be written as RFC 3339", time.seconds, time.offset);
            Error::new(ErrorKind::TypeMismatch, text)
        })
    }
    fn none(&self) -> Result<Value> {
        Ok(Value::Null)
    }
    fn case(&self, cases: &EnumType, case: u32) -> Result<Value> {
        Ok(cases.cases.get(case as usize).map_or(Value::Null, |(name, _)| Value::from(name.as_str())))
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        Ok(Value::Array((0..len).map(item).collect::<Result<_>>()?))
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        self.list(len, item)
    }
    fn map(&self, len: usize, entry: impl FnMut(usize) -> Result<(Value, Value)>) -> Result<Value> {
        let entries: Vec<(Value, Value)> = (0..len).map(entry).collect::<Result<_>>()?;
        let key = |key: &Value| match key {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(key.line()),
            _ => None,
        };
        if let Some(keys) = entries.iter().map(|(k, _)| key(k)).collect::<Option<Vec<_>>>() {
            return Ok(Value::object(keys.into_iter().zip(entries.into_iter().map(|(_, value)| value)).collect()));
        }
        Ok(Value::Array(entries.into_iter().map(|(key, value)| Value::Array(vec![key, value])).collect()))
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Result<Value>) -> Result<Value> {
        let mut fields = Vec::with_capacity(record.fields.len());
        for (i, known) in record.fields.iter().enumerate() {
            fields.push((known.name.clone(), field(i)?));
        }
        Ok(Value::Object(fields))
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Value>) -> Result<Value> {
        let name = variant.cases.get(case as usize).map_or(Value::Null, |case| Value::from(case.name.as_str()));
        Ok(Value::Object(std::iter::once(("tag".to_owned(), name)).chain(value.map(|value| ("val".to_owned(), value))).collect()))
    }

    fn handle(&self, resource: &Arc<ResourceType>, _handle: Handle) -> Result<Value> {
        let text =
            format!("JSON has nothing for a {}, which lives as long as its instance: call the function from a program", resource.name);
        Err(Error::new(ErrorKind::TypeMismatch, text))
    }
}

/// Why JSON does not do for a handle.
fn no_json(resource: &ResourceType) -> Reject {
    Reject::Value(format!("JSON has nothing for a {}: call the function from a program", resource.name))
}

/// JSON, which stays the same, for a terminal: what is not plain in it, and stands within a string
/// therefore, is escaped.
pub(crate) fn plain(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if escape::is_plain(c) || c == '\n' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// The value on several lines, for a terminal. `None` where that has more bytes.
pub(crate) fn page(value: &Value, most: usize) -> Option<String> {
    let text = plain(&value.lines(most)?);
    (text.len() <= most).then_some(text)
}

/// The bytes that a result of text or bytes stands for.
pub(crate) fn raw(ty: &Type, value: &Value) -> Option<Vec<u8>> {
    let ty = if let TypeKind::Option(inner) = &ty.kind { inner } else { ty };
    let text = value.as_str()?;
    match &ty.kind {
        TypeKind::List(_) => BASE64.decode(text.strip_prefix(BYTES)?).ok(),
        _ => Some(text.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_plain_and_the_same() {
        let value = Value::from("a\u{1b}[31m\u{7f}\u{9b}\u{202e}\u{e0041}ü\n");
        let text = page(&value, 1000).expect("short");
        assert_eq!(text, r#""a\u001b[31m\u007f\u009b\u202e\udb40\udc41ü\n""#);
        assert_eq!(Value::parse(&text), Ok(value));
        assert_eq!(page(&Value::from("x".repeat(99).as_str()), 100), None);
        assert!(page(&Value::from("x".repeat(98).as_str()), 100).is_some());
    }
}
