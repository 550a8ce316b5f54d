//! Lowers Ruby's values to guest memory.
//!
//! Values of Ruby's own classes are read as they lie in memory. None of their methods is called,
//! also where a program has replaced one, so that no code of the program runs meanwhile.

use std::borrow::Cow;
use std::sync::Arc;

use magnus::prelude::*;
use magnus::{Float, Integer, RArray, RHash, RRational, RString, RStruct, Ruby, Symbol, Time as RubyTime, TryConvert, Value};
use undergo::host::{Blob, Lower, Reject};
use undergo::interface::{Choice, EnumType, RecordType, ResourceType, Scalar, VariantType, names};
use undergo::{HostObject, Time};

use crate::handle::Handle;
use crate::keep::{Kept, Reading};
use crate::types::{RecordClass, Stands, VariantClasses};
use crate::values::{boolean, class_name, is_binary, is_struct, pairs_of_hash, pairs_of_struct, text_of_value};
use crate::{json, lock, types};

/// A value of Ruby to be lowered, while a [`Reading`] keeps what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Given<'r> {
    ruby: &'r Ruby,
    value: Value,
    keeper: Option<&'r dyn Keeper>,
}

/// Has what a guest gets of the host's objects.
pub(crate) trait Keeper {
    /// The functions of an object.
    fn object(&self, ruby: &Ruby, value: Value, resource: &ResourceType) -> Lowered<HostObject>;
}

pub(crate) type Lowered<T> = Result<T, Reject>;

const SECOND: i128 = 1_000_000_000;

/// From this number of bytes on, a string is lent: to copy fewer costs less.
const LENT: usize = 1024;

impl<'r> Given<'r> {
    /// A value without objects of the host.
    pub(crate) fn new(ruby: &'r Ruby, value: Value) -> Given<'r> {
        Given { ruby, value, keeper: None }
    }

    pub(crate) fn with(ruby: &'r Ruby, value: Value, keeper: &'r dyn Keeper) -> Given<'r> {
        Given { ruby, value, keeper: Some(keeper) }
    }

    fn of(self, value: Value) -> Given<'r> {
        Given { value, ..self }
    }

    fn raised(&self, error: magnus::Error) -> Reject {
        Reject::Error(lock::raised(self.ruby, error))
    }

    fn integer(&self) -> Lowered<Integer> {
        Integer::from_value(self.value).ok_or(Reject::Type)
    }

    fn named_fields(&self, record: &RecordType, pairs: RArray) -> Lowered<Vec<Option<Self>>> {
        let mut fields = vec![None; record.fields.len()];
        for pair in Pairs::new(*self, pairs) {
            let (key, value) = pair?;
            let name = key.as_str().map_err(|_| Reject::Value(format!("the keys of {} must be symbols or strings", record.name)))?;
            let number = record.fields.iter().position(|field| is_named(&field.name, &name));
            let number = number.ok_or_else(|| Reject::Value(record.unknown_field(&name, names::snake)))?;
            Reading::hold(value.value);
            fields[number] = Some(value);
        }
        Ok(fields)
    }

    /// The case and the value of a hash of `tag` and `val`.
    fn tagged(&self, variant: &VariantType, classes: &VariantClasses, hash: RHash) -> Lowered<(u32, Option<Self>)> {
        let wrong = || Reject::Value(format!("a Hash for {} has the keys tag and, if the case has a value, val", variant.name));
        let (mut tag, mut val) = (None, None);
        for pair in Pairs::new(*self, pairs_of_hash(self.ruby, hash).map_err(|error| self.raised(error))?) {
            let (key, value) = pair?;
            let place = match key.as_str().as_deref() {
                Ok("tag") => &mut tag,
                Ok("val") => &mut val,
                _ => return Err(wrong()),
            };
            Reading::hold(value.value);
            *place = Some(value);
        }
        let tag = tag.ok_or_else(wrong)?;
        let case = match classes.case(self.ruby, tag.value) {
            Some(case) => case,
            None => {
                let name = tag.as_str().map_err(|_| Reject::Value(format!("the tag of {} must be a symbol or a string", variant.name)))?;
                variant.find_case(|case| is_named(case, &name)).ok_or_else(|| Reject::Value(variant.unknown_case(&name)))?
            }
        };
        // A value that is nil is none, where there can't be one.
        let val = val.filter(|val| !val.is_none() || classes.stands(case) != Some(Stands::Nothing));
        Ok((case, val))
    }

    /// The fields of a hash whose keys are all symbols of the record; `None` for another hash.
    fn fields_by_symbol(&self, class: &RecordClass, hash: RHash) -> Option<Vec<Option<Self>>> {
        let mut found = 0;
        let fields = class.names.iter().map(|name| {
            let value = hash.get(self.ruby.get_inner(*name))?;
            found += 1;
            Reading::hold(value);
            Some(self.of(value))
        });
        let fields = fields.collect();
        (found == hash.len()).then_some(fields)
    }
}

fn out_of_range(number: Integer, name: &str, range: &str) -> Reject {
    // A number of thousands of digits is not for a message.
    let shown = number.to_string();
    let shown = if shown.len() > 60 { format!("a number of {} digits", shown.len()) } else { shown };
    Reject::Value(format!("{shown} is out of range for {name}{range}"))
}

impl<'a> Lower<'a> for Given<'_> {
    fn type_name(&self) -> Cow<'static, str> {
        if self.value.is_nil() {
            return Cow::Borrowed("nil");
        }
        match boolean(self.ruby, self.value) {
            Some(true) => Cow::Borrowed("true"),
            Some(false) => Cow::Borrowed("false"),
            None if RString::from_value(self.value).is_some_and(is_binary) => Cow::Borrowed("String of bytes"),
            None => Cow::Owned(class_name(self.value)),
        }
    }

    fn as_bool(&self) -> Lowered<bool> {
        boolean(self.ruby, self.value).ok_or(Reject::Type)
    }

    fn as_s64(&self) -> Lowered<i64> {
        let number = self.integer()?;
        number.to_i64().map_err(|_| out_of_range(number, "s64", ""))
    }

    fn as_u64(&self) -> Lowered<u64> {
        let number = self.integer()?;
        // Of a negative number Ruby would take the bits.
        let is_negative = number.to_i64().is_ok_and(|number| number < 0);
        let unsigned = if is_negative { None } else { number.to_u64().ok() };
        unsigned.ok_or_else(|| out_of_range(number, "u64", &format!(" (0 to {})", u64::MAX)))
    }

    fn as_f64(&self) -> Lowered<f64> {
        if let Some(float) = Float::from_value(self.value) {
            return Ok(float.to_f64());
        }
        if Integer::from_value(self.value).is_none() && RRational::from_value(self.value).is_none() {
            return Err(Reject::Type);
        }
        f64::try_convert(self.value).map_err(|error| self.raised(error))
    }

    fn as_str(&self) -> Lowered<Cow<'_, str>> {
        if let Some(text) = RString::from_value(self.value) {
            return match text_of_value(&self.value, text) {
                Some(text) => Ok(text),
                // Bytes are often text that came over a socket.
                None => Err(Reject::Value("the string is not valid UTF-8".to_owned())),
            };
        }
        let symbol = Symbol::from_value(self.value).ok_or(Reject::Type)?;
        symbol.name().map_err(|_| Reject::Value("the symbol is not valid UTF-8".to_owned()))
    }

    fn as_scalars(&self, scalar: Scalar) -> Lowered<Option<Blob<'a>>> {
        let (Scalar::U8, Some(bytes)) = (scalar, RString::from_value(self.value)) else { return Ok(None) };
        if !is_binary(bytes) {
            return Err(Reject::Value("expected bytes, got text: give text.b for its bytes".to_owned()));
        }
        if bytes.len() >= LENT {
            return Ok(Some(Blob::Guarded(Box::new(Bytes::new(bytes)))));
        }
        // SAFETY: they are copied before any other code runs.
        Ok(Some(Blob::Guarded(Box::new(unsafe { bytes.as_slice() }.to_vec()))))
    }

    fn as_list(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<Self>>> {
        let list = RArray::from_value(self.value).ok_or(Reject::Type)?;
        Ok(Items { given: *self, list, at: 0 })
    }

    fn as_map(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<(Self, Self)>>> {
        let hash = RHash::from_value(self.value).ok_or(Reject::Type)?;
        let pairs = pairs_of_hash(self.ruby, hash).map_err(|error| self.raised(error))?;
        Ok(Pairs::new(*self, pairs))
    }

    fn as_record(&self, record: &RecordType) -> Lowered<Vec<Option<Self>>> {
        let class = record.extension.get::<RecordClass>().ok_or(Reject::Type)?;
        if let Some(hash) = RHash::from_value(self.value) {
            if let Some(fields) = self.fields_by_symbol(class, hash) {
                return Ok(fields);
            }
            let pairs = pairs_of_hash(self.ruby, hash).map_err(|error| self.raised(error))?;
            return self.named_fields(record, pairs);
        }
        if let Some(fields) = class.fields_of_error(self.ruby, self.value) {
            return Items { given: *self, list: fields, at: 0 }.map(|field| field.map(Some)).collect();
        }
        let Some(fields) = RStruct::from_value(self.value).filter(|_| is_struct(self.ruby, self.value)) else {
            // A record without fields is no Struct.
            return if record.fields.is_empty() && class.is_class_of(self.ruby, self.value) { Ok(Vec::new()) } else { Err(Reject::Type) };
        };
        if class.is_class_of(self.ruby, self.value) && fields.size() == record.fields.len() {
            let field = |number: usize| {
                let value: Value = fields.aref(number)?;
                Reading::hold(value);
                Ok(Some(self.of(value)))
            };
            return (0..record.fields.len()).map(field).collect::<Result<_, _>>().map_err(|error| self.raised(error));
        }
        let pairs = pairs_of_struct(self.ruby, fields).map_err(|error| self.raised(error))?;
        self.named_fields(record, pairs)
    }

    fn is_none(&self) -> bool {
        self.value.is_nil()
    }

    fn as_enum(&self, cases: &EnumType) -> Lowered<u32> {
        if let Some(case) = types::symbols(self.ruby, cases).and_then(|symbols| symbols.case(self.ruby, self.value)) {
            return Ok(case);
        }
        let name = self.as_str()?;
        cases.find_case(|case| is_named(case, &name)).ok_or_else(|| Reject::Value(cases.unknown_case(&name)))
    }

    fn as_variant(&self, variant: &VariantType) -> Lowered<(u32, Option<Self>)> {
        let classes = variant.extension.get::<VariantClasses>().ok_or(Reject::Type)?;
        if let Some(hash) = RHash::from_value(self.value) {
            return self.tagged(variant, classes, hash);
        }
        let case = classes.case_of(self.ruby, self.value).ok_or(Reject::Type)?;
        let value = match classes.stands(case) {
            Some(Stands::Record) => Some(*self),
            Some(Stands::Value) => {
                let value: Value = RStruct::from_value(self.value).ok_or(Reject::Type)?.aref(0).map_err(|error| self.raised(error))?;
                Reading::hold(value);
                Some(self.of(value))
            }
            _ => None,
        };
        Ok((case, value))
    }

    fn as_json(&self) -> Lowered<Cow<'_, str>> {
        json::dump(self.ruby, self.value).map(Cow::Owned)
    }

    fn as_duration(&self) -> Lowered<i64> {
        if let Some(seconds) = Integer::from_value(self.value) {
            let nanoseconds = seconds.to_i128().ok().and_then(|seconds| seconds.checked_mul(SECOND));
            return nanoseconds
                .and_then(|nanoseconds| i64::try_from(nanoseconds).ok())
                .ok_or_else(|| Reject::Value(format!("{seconds} seconds are more than a duration can have")));
        }
        if let Some(exact) = RRational::from_value(self.value).and_then(nanoseconds) {
            return Ok(exact);
        }
        let seconds = self.as_f64()?;
        let nanoseconds = (seconds * SECOND as f64).round();
        // The bounds are floats themselves.
        let fits = nanoseconds >= i64::MIN as f64 && nanoseconds < i64::MAX as f64;
        if fits { Ok(nanoseconds as i64) } else { Err(Reject::Value(format!("{seconds} seconds can't be a duration"))) }
    }

    fn as_time(&self) -> Lowered<Time> {
        let time = RubyTime::from_value(self.value).ok_or(Reject::Type)?;
        let instant = time.timespec().map_err(|error| self.raised(error))?;
        let beyond = |_| Reject::Value("the time is out of range".to_owned());
        let nanoseconds = u32::try_from(instant.tv_nsec).map_err(beyond)?;
        Ok(Time { seconds: instant.tv_sec, nanoseconds, offset: i32::try_from(time.utc_offset()).map_err(beyond)? })
    }

    fn as_handle(&self, _resource: &ResourceType) -> Lowered<undergo::Handle> {
        <&Handle>::try_convert(self.value).map(|handle| handle.core.clone()).map_err(|_| Reject::Type)
    }

    fn as_object(&self, resource: &Arc<ResourceType>) -> Lowered<HostObject> {
        self.keeper.ok_or(Reject::Type)?.object(self.ruby, self.value, resource)
    }
}

/// A rational number of seconds as nanoseconds, halves away from zero.
fn nanoseconds(seconds: RRational) -> Option<i64> {
    let (num, den) = (seconds.num().to_i128().ok()?.checked_mul(SECOND)?, seconds.den().to_i128().ok()?);
    let (whole, rest) = (num / den, num % den);
    let is_half = rest.unsigned_abs() >= den.unsigned_abs() - rest.unsigned_abs();
    i64::try_from(whole + if is_half { num.signum() } else { 0 }).ok()
}

/// Whether that is the name in WIT, or as Ruby writes it.
fn is_named(wit: &str, name: &str) -> bool {
    wit == name || (wit.len() == name.len() && wit.bytes().zip(name.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_')))
}

/// The items of an array. It may change while it is read: what is gone is missed by the core.
struct Items<'r> {
    given: Given<'r>,
    list: RArray,
    at: usize,
}

impl<'r> Iterator for Items<'r> {
    type Item = Lowered<Given<'r>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.list.len() {
            return None;
        }
        let item = self.list.entry(self.at.cast_signed());
        self.at += 1;
        Some(item.map(|item| self.given.of(item)).map_err(|error| self.given.raised(error)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.list.len().saturating_sub(self.at);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// Keys and values.
struct Pairs<'r>(Items<'r>);

impl<'r> Pairs<'r> {
    fn new(given: Given<'r>, list: RArray) -> Pairs<'r> {
        Pairs(Items { given, list, at: 0 })
    }
}

impl<'r> Iterator for Pairs<'r> {
    type Item = Lowered<(Given<'r>, Given<'r>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next()?;
        let value = self.0.next()?;
        Some(key.and_then(|key| Ok((key, value?))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.len() / 2;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

/// The bytes of a string as they are now: a frozen one shares them, and whoever changes the string
/// meanwhile changes a copy.
struct Bytes {
    data: *const u8,
    len: usize,
    _string: Kept,
}

// SAFETY: the bytes of a frozen string never change, and this one is kept alive, at its place.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Bytes {
    fn new(string: RString) -> Bytes {
        let frozen = RString::new_frozen(string);
        // SAFETY: only the address is taken, and the length.
        let bytes = unsafe { frozen.as_slice() };
        Bytes { data: bytes.as_ptr(), len: bytes.len(), _string: Kept::new(frozen.as_value()) }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the pointer and the length are those of the string that `self` keeps alive.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}
