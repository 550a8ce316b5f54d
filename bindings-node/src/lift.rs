//! Lifts values from guest memory to JavaScript.

use std::sync::Arc;

use napi::sys::TypedarrayType;
use undergo::host::{Lift, Piece, not_given};
use undergo::interface::{EnumType, MapType, RecordType, ResourceType, Scalar, TypeKind, VariantType};
use undergo::{Error, ErrorKind, Handle, HostObject, Result, Time};

use crate::errors;
use crate::home::EventLoop;
use crate::js::{Env, Failed, Js};
use crate::kept::Kept;
use crate::object::{Held, Own};
use crate::realm;
use crate::types::{RecordKeys, VariantKeys};

/// The largest integer up to which a number holds all of them.
pub(crate) const MAX_SAFE: i64 = (1 << 53) - 1;

/// Milliseconds from 1970 that a Date can be away.
const MAX_DATE: f64 = 8.64e15;

/// Makes values.
pub(crate) struct ToJs<'h> {
    pub(crate) env: Env,
    pub(crate) home: &'h Arc<EventLoop>,
    /// Whether integers of 64 bits become bigints.
    pub(crate) bigint: bool,
    /// What makes the objects that stand for those of a guest, where there may be some.
    pub(crate) objects: Option<&'h Kept>,
    /// Whether the value is items of an iterator, which only the package sees: integers of 64 bits
    /// are then packed as floats.
    pub(crate) is_batch: bool,
}

impl ToJs<'_> {
    fn made<T>(&self, made: std::result::Result<T, Failed>) -> Result<T> {
        made.map_err(errors::unmade(self.home, self.env))
    }

    fn list(&self, len: usize, mut item: impl FnMut(usize) -> Result<Js>) -> Result<Js> {
        /// Handles that may pile up.
        const BATCH: usize = 512;
        let array = realm::array(self.home, self.env, len)?;
        for from in (0..len).step_by(BATCH) {
            self.env.scope(|| {
                (from..len.min(from + BATCH)).try_for_each(|i| {
                    let value = item(i)?;
                    self.made(array.set_element(i as u32, value))
                })
            })?;
        }
        Ok(array)
    }
}

impl ToJs<'_> {
    /// A map: an object, or a Map.
    fn entries(&self, is_object: bool, len: usize, mut entry: impl FnMut(usize) -> Result<(Js, Js)>) -> Result<Js> {
        /// Entries that are added at once. The deadline is looked at between them, since a guest
        /// may choose keys that V8 puts into one place.
        const PART: usize = 256;
        let undefined = self.made(self.env.undefined())?;
        let is_object = self.made(self.env.bool(is_object))?;
        let mut map = undefined;
        for begin in (0..len.max(1)).step_by(PART) {
            let part = PART.min(len - begin);
            let flat = self.made(self.env.array(2 * part))?;
            for i in 0..part {
                self.env.scope(|| {
                    let (key, value) = entry(begin + i)?;
                    let at = 2 * i as u32;
                    self.made(flat.set_element(at, key).and_then(|()| flat.set_element(at + 1, value)))
                })?;
            }
            let add = self.home.helper(|helpers| &helpers.map)?;
            map = self.made(self.env.call(add, undefined, &[flat, is_object, map]))?;
        }
        Ok(map)
    }
}

/// The error for an integer that a number would not hold exactly.
fn inexact(value: impl std::fmt::Display) -> Error {
    let text = format!("{value} is beyond what a number holds exactly (±2^53); ask for bigints: make the instance with bigint: true");
    Error::new(ErrorKind::TypeMismatch, text)
}

impl ToJs<'_> {
    /// Integers of 64 bits as floats, which hold them.
    fn floats(&self, scalar: Scalar, bytes: &[u8]) -> Result<Js> {
        let (words, _) = bytes.as_chunks::<8>();
        let mut floats = Vec::with_capacity(bytes.len());
        for word in words {
            let signed = i64::from_le_bytes(*word);
            if !(-MAX_SAFE..=MAX_SAFE).contains(&signed) {
                return Err(if scalar == Scalar::U64 { inexact(u64::from_le_bytes(*word)) } else { inexact(signed) });
            }
            floats.extend((signed as f64).to_le_bytes());
        }
        realm::typed_array(self.home, self.env, TypedarrayType::float64_array, &floats, 8)
    }
}

impl Lift for ToJs<'_> {
    type Value = Js;

    // What V8 allocates for each, as `process.memoryUsage()` shows it: on its heap, and outside for
    // the memory of typed arrays.
    fn cost(&self, piece: Piece<'_>) -> u64 {
        match piece {
            Piece::None | Piece::Some | Piece::Bool => 0,
            Piece::Number | Piece::Duration => 24,
            Piece::Time => 112,
            // Two bytes for each character, where one of them is beyond U+00FF, of which the first
            // byte is 0xC4 at the least.
            Piece::Case(text) | Piece::Text(text) => {
                let wide = u64::from(text.bytes().fold(0, u8::max) >= 0xC4);
                32 + text.len() as u64 * (1 + wide)
            }
            Piece::Scalars(scalar, len) => 400 + len as u64 * u64::from(scalar.size()),
            Piece::List(len) | Piece::Tuple(len) => 64 + len as u64 * 16,
            // With the array of keys and values that it is made of.
            Piece::Map(len) => 400 + len as u64 * 144,
            Piece::Record(record) => 96 + 24 * record.fields.len() as u64,
            Piece::Variant(..) => 64,
            Piece::Handle(_) => 400,
        }
    }
    fn packs(&self, scalar: Scalar) -> bool {
        self.bigint || self.is_batch || !matches!(scalar, Scalar::S64 | Scalar::U64 | Scalar::WasmI64)
    }

    fn bool(&self, value: bool) -> Result<Js> {
        self.made(self.env.bool(value))
    }
    fn s33(&self, value: i64) -> Result<Js> {
        self.made(match i32::try_from(value) {
            Ok(small) => self.env.int32(small),
            Err(_) => self.env.number(value as f64),
        })
    }
    fn s64(&self, value: i64) -> Result<Js> {
        if self.bigint {
            return self.made(self.env.bigint(value));
        }
        if !(-MAX_SAFE..=MAX_SAFE).contains(&value) {
            return Err(inexact(value));
        }
        self.s33(value)
    }
    fn u64(&self, value: u64) -> Result<Js> {
        if self.bigint {
            return self.made(self.env.biguint(value));
        }
        i64::try_from(value).map_err(|_| inexact(value)).and_then(|value| self.s64(value))
    }
    fn f32(&self, value: f32) -> Result<Js> {
        self.made(self.env.number(value.into()))
    }
    fn f64(&self, value: f64) -> Result<Js> {
        self.made(self.env.number(value))
    }
    fn string(&self, value: &str) -> Result<Js> {
        self.made(self.env.string(value))
    }
    fn json(&self, value: &str) -> Result<Js> {
        let parse = self.home.helper(|helpers| &helpers.parse)?;
        let parsed = self.made(self.env.string(value).and_then(|text| Ok((text, self.env.undefined()?))))?;
        self.env.call(parse, parsed.1, &[parsed.0]).map_err(|_| {
            let said = errors::from_conversion(self.home, self.env);
            Error::new(said.kind(), format!("the guest gave text that is not JSON: {}", said.message()))
        })
    }
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Result<Js> {
        let array = match scalar {
            Scalar::U8 => TypedarrayType::uint8_array,
            Scalar::S8 => TypedarrayType::int8_array,
            Scalar::S16 => TypedarrayType::int16_array,
            Scalar::U16 => TypedarrayType::uint16_array,
            Scalar::S32 | Scalar::WasmI32 => TypedarrayType::int32_array,
            Scalar::U32 => TypedarrayType::uint32_array,
            Scalar::F32 => TypedarrayType::float32_array,
            Scalar::F64 => TypedarrayType::float64_array,
            Scalar::S64 | Scalar::U64 | Scalar::WasmI64 if !self.bigint => return self.floats(scalar, bytes),
            Scalar::S64 | Scalar::WasmI64 => TypedarrayType::bigint64_array,
            Scalar::U64 => TypedarrayType::biguint64_array,
        };
        realm::typed_array(self.home, self.env, array, bytes, scalar.size() as usize)
    }
    fn duration(&self, nanoseconds: i64) -> Result<Js> {
        self.f64((nanoseconds / 1_000_000) as f64 + (nanoseconds % 1_000_000) as f64 / 1e6)
    }
    fn time(&self, time: Time) -> Result<Js> {
        // A Date has whole milliseconds: nanoseconds are cut.
        let milliseconds = time.seconds as f64 * 1000.0 + f64::from(time.nanoseconds / 1_000_000);
        if milliseconds.abs() > MAX_DATE {
            let text = format!("the guest gave a time that Date can't hold: {} seconds from 1970", time.seconds);
            return Err(Error::new(ErrorKind::TypeMismatch, text));
        }
        realm::date(self.home, self.env, milliseconds)
    }
    fn none(&self) -> Result<Js> {
        self.made(self.env.undefined())
    }
    fn case(&self, cases: &EnumType, case: u32) -> Result<Js> {
        self.string(&cases.cases[case as usize].0)
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<Js>) -> Result<Js> {
        ToJs::list(self, len, item)
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<Js>) -> Result<Js> {
        ToJs::list(self, len, item)
    }
    fn map(&self, len: usize, entry: impl FnMut(usize) -> Result<(Js, Js)>) -> Result<Js> {
        self.entries(false, len, entry)
    }
    fn map_of(&self, map: &MapType, len: usize, entry: impl FnMut(usize) -> Result<(Js, Js)>) -> Result<Js> {
        self.entries(matches!(map.key.kind, TypeKind::String), len, entry)
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Result<Js>) -> Result<Js> {
        let keys = RecordKeys::of(self.home, record)?;
        let object = realm::object(self.home, self.env)?;
        for i in 0..record.fields.len() {
            let value = field(i)?;
            self.made(keys.key(i).and_then(|key| object.set(key, value)))?;
        }
        Ok(object)
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Js>) -> Result<Js> {
        let keys = VariantKeys::of(self.home, variant)?;
        let object = realm::object(self.home, self.env)?;
        self.made(keys.tag().and_then(|key| object.set(key, keys.case(case)?)))?;
        if let Some(value) = value {
            self.made(keys.val().and_then(|key| object.set(key, value)))?;
        }
        Ok(object)
    }
    fn handle(&self, resource: &Arc<ResourceType>, handle: Handle) -> Result<Js> {
        let Some(calls) = self.objects else {
            return Err(Error::new(ErrorKind::TypeMismatch, format!("a host function can't be given a {} of the plugin", resource.name)));
        };
        let (wrap, calls) = (self.home.helper(|helpers| &helpers.wrap)?, calls.get()?);
        let made = self.env.undefined().and_then(|this| {
            let number = self.env.number(resource.number as f64)?;
            self.env.call(wrap, this, &[calls, number])?.own(Held(handle))
        });
        self.made(made)
    }
    fn object(&self, resource: &Arc<ResourceType>, object: HostObject) -> Result<Js> {
        object.value::<Own>().map_or_else(|| Err(not_given(resource)), Own::get)
    }
}
