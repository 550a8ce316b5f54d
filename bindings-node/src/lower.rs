//! Lowers JavaScript values to guest memory.

use std::borrow::Cow;
use std::sync::Arc;

use napi::sys::TypedarrayType;
use undergo::host::{Blob, Lend, Lower, Reject};
use undergo::interface::{Choice, EnumType, RecordType, ResourceType, Scalar, TypeKind, VariantType};
use undergo::{Handle, HostObject, Time};

use crate::bytes::{Copied, Loans};
use crate::errors;
use crate::home::EventLoop;
use crate::js::{Failed, Js, Kind, Made};
use crate::lift::MAX_SAFE;
use crate::object::{self, Lent};
use crate::table::Table;
use crate::types::{RecordKeys, VariantKeys};

/// A value that is to be lowered.
#[derive(Clone, Copy)]
pub(crate) struct Given<'h> {
    pub(crate) js: Js,
    pub(crate) home: &'h Arc<EventLoop>,
    /// The buffers that are lent to the call.
    pub(crate) loans: &'h Loans,
    /// The functions of the host that the guest may call, for those that it gets with this.
    pub(crate) table: Option<&'h Arc<Table>>,
}

/// Bytes from which on it costs less to lend them than to copy them twice.
const LEND_FROM: usize = 1024;

type Lowered<T> = Result<T, Reject>;

impl Given<'_> {
    fn with(&self, js: Js) -> Self {
        Given { js, ..*self }
    }

    fn failed(&self) -> impl Fn(Failed) -> Reject + '_ {
        |_| Reject::Error(errors::from_conversion(self.home, self.js.env))
    }

    fn kind(&self) -> Lowered<Kind> {
        self.js.kind().map_err(self.failed())
    }

    /// A number without a fraction, which is exact.
    fn whole(&self, name: &str, range: &str) -> Lowered<i64> {
        let value = self.js.f64().map_err(self.failed())?;
        if value.is_finite() && value.trunc() != value {
            return Err(Reject::Value(format!("{value} is not an integer")));
        }
        if value.abs() <= MAX_SAFE as f64 {
            return Ok(value as i64);
        }
        let text = match value.is_finite() {
            true => format!("{value} is beyond what a number holds exactly (±2^53): give a bigint, for {name} ({range})"),
            false => format!("{value} is not an integer"),
        };
        Err(Reject::Value(text))
    }

    fn helper(&self, which: impl FnOnce(&crate::home::Helpers) -> &crate::reference::Reference) -> Lowered<Js> {
        let env = self.js.env;
        let helper = self.home.helper(which).map_err(Reject::Error)?;
        env.undefined().and_then(|this| env.call(helper, this, &[self.js])).map_err(self.failed())
    }

    /// A buffer whose memory was given away, or one that lies beyond the end of memory which
    /// shrank, says that it is empty; it is not meant to be.
    fn intact(&self, len: usize) -> Lowered<()> {
        if len > 0 || self.helper(|helpers| &helpers.intact)?.bool().map_err(self.failed())? {
            return Ok(());
        }
        let text = "its memory is gone: the buffer was detached (transferred to a worker, say), or made shorter than this view of it";
        Err(Reject::Value(text.to_owned()))
    }

    fn out_of_range(&self, name: &str, range: &str) -> Reject {
        let shown = self.js.shown();
        let shown = if shown.len() > 60 { format!("a number of {} digits", shown.len()) } else { shown };
        Reject::Value(format!("{shown} is out of range for {name} ({range})"))
    }
}

const S64: (&str, &str) = ("s64", "-9223372036854775808 to 9223372036854775807");
const U64: (&str, &str) = ("u64", "0 to 18446744073709551615");

// What a blob lends, it looks after by itself: for any lifetime.
impl<'a> Lower<'a> for Given<'_> {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.js.kind() {
            Ok(Kind::Undefined) => "undefined",
            Ok(Kind::Null) => "null",
            Ok(Kind::Boolean) => "boolean",
            Ok(Kind::Number) => "number",
            Ok(Kind::String) => "string",
            Ok(Kind::Symbol) => "symbol",
            Ok(Kind::Function) => "function",
            Ok(Kind::BigInt) => "bigint",
            Ok(Kind::Object) if self.js.is_array() => "array",
            Ok(Kind::Object) if self.js.is_date() => "Date",
            Ok(Kind::Object) if self.js.is_promise() => "a promise (await it first)",
            Ok(Kind::Object) if self.js.bytes().is_some() => "a buffer or typed array of another type",
            _ => "object",
        })
    }

    fn as_bool(&self) -> Lowered<bool> {
        self.js.bool().map_err(|_| Reject::Type)
    }

    fn as_s64(&self) -> Lowered<i64> {
        match self.kind()? {
            Kind::Number => self.whole(S64.0, S64.1),
            Kind::BigInt => self.js.i64().map_err(self.failed())?.ok_or_else(|| self.out_of_range(S64.0, S64.1)),
            _ => Err(Reject::Type),
        }
    }

    fn as_u64(&self) -> Lowered<u64> {
        match self.kind()? {
            Kind::Number => u64::try_from(self.whole(U64.0, U64.1)?).map_err(|_| self.out_of_range(U64.0, U64.1)),
            Kind::BigInt => self.js.u64().map_err(self.failed())?.ok_or_else(|| self.out_of_range(U64.0, U64.1)),
            _ => Err(Reject::Type),
        }
    }

    fn as_f64(&self) -> Lowered<f64> {
        // Fails for all but numbers.
        self.js.f64().map_err(|_| Reject::Type)
    }

    fn as_str(&self) -> Lowered<Cow<'_, str>> {
        // Fails for all but strings.
        let text = self.js.string().map_err(|_| Reject::Type)?;
        // Where a character is replaced, it is by this one; most text has none.
        if !text.is_ascii() && text.contains('\u{fffd}') && self.js.has_lone_surrogate().map_err(self.failed())? {
            return Err(Reject::lone_surrogate());
        }
        Ok(Cow::Owned(text))
    }

    fn as_scalars(&self, scalar: Scalar) -> Lowered<Option<Blob<'a>>> {
        if self.js.is_array() {
            return Ok(None);
        }
        let Some(bytes) = self.js.bytes() else { return Ok(None) };
        self.intact(bytes.len)?;
        let fits = match bytes.array {
            None | Some(TypedarrayType::uint8_array | TypedarrayType::uint8_clamped_array) => scalar == Scalar::U8,
            Some(TypedarrayType::int8_array) => scalar == Scalar::S8,
            Some(TypedarrayType::int16_array) => scalar == Scalar::S16,
            Some(TypedarrayType::uint16_array) => scalar == Scalar::U16,
            Some(TypedarrayType::int32_array) => scalar == Scalar::S32,
            Some(TypedarrayType::uint32_array) => scalar == Scalar::U32,
            Some(TypedarrayType::float32_array) => scalar == Scalar::F32,
            Some(TypedarrayType::float64_array) => scalar == Scalar::F64,
            Some(TypedarrayType::bigint64_array) => scalar == Scalar::S64,
            Some(TypedarrayType::biguint64_array) => scalar == Scalar::U64,
            Some(_) => false,
        };
        if !fits {
            return Ok(None);
        }
        // What is small is copied at once anyway.
        let blob: Box<dyn Lend + Send + Sync> =
            if bytes.len < LEND_FROM { Box::new(Copied::new(&bytes)) } else { Box::new(self.loans.lend(self.home, self.js, bytes.len)) };
        Ok(Some(Blob::Guarded(blob)))
    }

    fn as_list(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<Self>>> {
        let len = if self.js.is_array() {
            self.js.array_len().map_err(self.failed())?
        } else if self.js.is_typed_array() {
            let len = self.js.get_named("length").and_then(Js::f64).map_err(self.failed())?;
            self.intact(len as usize)?;
            // Not even a typed array of bytes can be longer.
            if len > f64::from(u32::MAX) { u32::MAX } else { len as u32 }
        } else {
            return Err(Reject::Type);
        };
        Ok(Items { given: *self, at: 0, len })
    }

    fn as_map(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<(Self, Self)>>> {
        if self.kind()? != Kind::Object {
            return Err(Reject::Type);
        }
        let flat = self.helper(|helpers| &helpers.entries)?;
        if !flat.is_array() {
            return Err(Reject::Type);
        }
        let len = flat.array_len().map_err(self.failed())?;
        let items = Items { given: self.with(flat), at: 0, len };
        Ok(Entries(items))
    }

    fn as_record(&self, record: &RecordType) -> Lowered<Vec<Option<Self>>> {
        // The `code` of an error, say, is none of its fields.
        let is_error = record.is_error && self.js.is_error();
        let object = if is_error { self.js.get_named("fields").map_err(self.failed())? } else { self.js };
        if object.kind().map_err(self.failed())? != Kind::Object || object.is_array() {
            return Err(Reject::Type);
        }
        let keys = RecordKeys::of(self.home, record).map_err(Reject::Error)?;
        let field = |i| {
            let value = keys.key(i).and_then(|key| object.get(key)).map_err(self.failed())?;
            Ok((!value.is(Kind::Undefined)).then(|| self.with(value)))
        };
        (0..record.fields.len()).map(field).collect()
    }

    fn is_none(&self) -> bool {
        self.js.is_nothing()
    }

    fn as_enum(&self, cases: &EnumType) -> Lowered<u32> {
        let name = self.as_str()?;
        cases.case(&name).ok_or_else(|| Reject::Value(cases.unknown_case(&name)))
    }

    fn as_variant(&self, variant: &VariantType) -> Lowered<(u32, Option<Self>)> {
        if self.kind()? != Kind::Object || self.js.is_array() {
            return Err(Reject::Type);
        }
        let keys = VariantKeys::of(self.home, variant).map_err(Reject::Error)?;
        let property = |key: Made| key.and_then(|key| self.js.get(key)).map(|value| self.with(value)).map_err(self.failed());
        let tag = property(keys.tag())?;
        if tag.kind()? != Kind::String {
            let text = format!("expected the name of a case of {}, got {}", variant.name, Lower::type_name(&tag));
            return Err(Reject::Within(".tag".to_owned(), text));
        }
        let name = tag.as_str()?;
        let number = variant.case(&name).ok_or_else(|| Reject::Value(variant.unknown_case(&name)))?;
        let value = property(keys.val())?;
        let may_lack = matches!(variant.cases[number as usize].ty.as_ref().map(|ty| &ty.kind), Some(TypeKind::Option(_)));
        Ok((number, (may_lack || !value.js.is(Kind::Undefined)).then_some(value)))
    }

    fn as_json(&self) -> Lowered<Cow<'_, str>> {
        let made = self.helper(|helpers| &helpers.stringify)?;
        if made.is_array() {
            let part = |i| made.element(i).and_then(Js::string).map_err(self.failed());
            let (path, why) = (part(0)?, part(1)?);
            return Err(if path.is_empty() { Reject::Value(why) } else { Reject::Within(path, why) });
        }
        made.string().map(Cow::Owned).map_err(self.failed())
    }

    fn as_duration(&self) -> Lowered<i64> {
        if self.kind()? != Kind::Number {
            return Err(Reject::Value(format!("expected a number of milliseconds, got {}", Lower::type_name(self))));
        }
        let milliseconds = self.js.f64().map_err(self.failed())?;
        // The whole ones and the rest apart, which are exact.
        let (whole, rest) = (milliseconds.trunc(), milliseconds.fract());
        let nanoseconds = (whole as i128).saturating_mul(1_000_000).saturating_add((rest * 1e6).round() as i128);
        match i64::try_from(nanoseconds) {
            Ok(nanoseconds) if milliseconds.is_finite() => Ok(nanoseconds),
            _ => Err(Reject::Value(format!("{} milliseconds are more than a duration can hold, which is 292 years", self.js.shown()))),
        }
    }

    fn as_time(&self) -> Lowered<Time> {
        if !self.js.is_date() {
            return Err(Reject::Value(format!("expected a Date, got {}", Lower::type_name(self))));
        }
        let milliseconds = self.js.date().map_err(self.failed())?;
        if milliseconds.is_nan() {
            return Err(Reject::Value("it is an invalid Date".into()));
        }
        let milliseconds = milliseconds as i64;
        let nanoseconds = milliseconds.rem_euclid(1000) as u32 * 1_000_000;
        Ok(Time { seconds: milliseconds.div_euclid(1000), nanoseconds, offset: 0 })
    }

    fn as_handle(&self, _resource: &ResourceType) -> Lowered<Handle> {
        object::handle(self.js).ok_or(Reject::Type)
    }

    fn as_object(&self, resource: &Arc<ResourceType>) -> Lowered<HostObject> {
        let Some(table) = self.table else { return Err(Reject::Type) };
        match object::lend(table, resource, self.js).map_err(Reject::Error)? {
            Lent::Object(object) => Ok(object),
            Lent::OtherType => Err(Reject::Value(format!("expected {}, got {}", object::wanted(resource), Lower::type_name(self)))),
            Lent::Unfit(why) => Err(Reject::Value(why)),
        }
    }
}

/// The items of an array or a typed array.
struct Items<'h> {
    given: Given<'h>,
    at: u32,
    len: u32,
}

impl<'h> Iterator for Items<'h> {
    type Item = Lowered<Given<'h>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.len {
            return None;
        }
        let item = self.given.js.element(self.at).map(|item| self.given.with(item)).map_err(self.given.failed());
        self.at += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.len - self.at) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// Keys and values in turn.
struct Entries<'h>(Items<'h>);

impl<'h> Iterator for Entries<'h> {
    type Item = Lowered<(Given<'h>, Given<'h>)>;

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

impl ExactSizeIterator for Entries<'_> {}
