//! Lifts values from guest memory to Ruby's.

use std::cell::Cell;
use std::sync::Arc;

use magnus::prelude::*;
use magnus::rb_sys::{FromRawValue, protect};
use magnus::time::{Offset, Timespec};
use magnus::{IntoValue, RArray, Ruby, Value};
use undergo::host::{Lift, Piece, not_given, unreadable_json};
use undergo::interface::{EnumType, RecordType, ResourceType, Scalar, TypeKind, VariantType};
use undergo::{Error, ErrorKind, HostObject, Result, Time};

use crate::handle::ResourceClass;
use crate::keep::Reading;
use crate::types::{self, RecordClass, VariantClasses};
use crate::{gem, json, lock};

/// From this number of bytes on, memory for an object may well be lacking, and Ruby raises.
const LARGE: usize = 4 << 10;

/// Makes values of Ruby.
pub(crate) struct ToRuby<'r> {
    ruby: &'r Ruby,
    /// Whether a [`Reading`] keeps the values, each of which the core keeps to itself until it has
    /// all.
    is_holding: bool,
    /// What calls the methods of objects.
    owner: Option<Value>,
    /// In how many values that are being made this one is.
    depth: Cell<u32>,
}

type Made = Result<Value>;

/// An exception or an error, until it is clear which way it goes.
enum Failed {
    Raised(magnus::Error),
    Core(Error),
}

impl From<magnus::Error> for Failed {
    fn from(raised: magnus::Error) -> Failed {
        Failed::Raised(raised)
    }
}

impl<'r> ToRuby<'r> {
    /// For one value, which is on the caller's stack from when it is made.
    pub(crate) fn new(ruby: &'r Ruby) -> ToRuby<'r> {
        ToRuby { ruby, is_holding: false, owner: None, depth: Cell::new(0) }
    }

    /// The same, for the result of a call: its objects are that instance's.
    pub(crate) fn of(self, owner: Value) -> ToRuby<'r> {
        ToRuby { owner: Some(owner), ..self }
    }

    /// For several values, while a [`Reading`] is there.
    pub(crate) fn holding(ruby: &'r Ruby) -> ToRuby<'r> {
        ToRuby { is_holding: true, ..ToRuby::new(ruby) }
    }

    fn made(&self, value: impl IntoValue) -> Made {
        let value = value.into_value_with(self.ruby);
        if self.is_holding && self.depth.get() == 0 {
            Reading::hold(value);
        }
        Ok(value)
    }

    fn raised(&self, error: magnus::Error) -> Error {
        lock::raised(self.ruby, error)
    }

    /// Makes a value of many parts.
    fn inside<R>(&self, code: impl FnOnce() -> Result<R>) -> Result<R> {
        self.depth.set(self.depth.get() + 1);
        let result = code();
        self.depth.set(self.depth.get() - 1);
        result
    }

    /// Makes an object for that many bytes.
    fn large<T: magnus::value::ReprValue>(&self, len: usize, make: impl FnOnce() -> T) -> Made {
        if len < LARGE {
            return self.made(make().as_value());
        }
        let made = protect(|| magnus::rb_sys::AsRawValue::as_raw(make().as_value())).map_err(|error| self.raised(error))?;
        // SAFETY: it is what was made, and alive.
        self.made(unsafe { Value::from_raw(made) })
    }

    fn new_list(&self, len: usize) -> Result<RArray> {
        let list = self.large(8 * len, || self.ruby.ary_new_capa(len))?;
        RArray::from_value(list).ok_or_else(|| Error::new(ErrorKind::HostError, "Ruby has made no Array"))
    }

    fn numbers<const N: usize, T: IntoValue>(&self, bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Made {
        let (chunks, _) = bytes.as_chunks::<N>();
        let list = self.new_list(chunks.len())?;
        for chunk in chunks {
            list.push(number(*chunk)).map_err(|error| self.raised(error))?;
        }
        Ok(list.as_value())
    }
}

impl Lift for ToRuby<'_> {
    type Value = Value;

    // An object of Ruby has 40 bytes, and a place of 8 in what holds it.
    fn cost(&self, piece: Piece<'_>) -> u64 {
        match piece {
            // These are there already.
            Piece::None | Piece::Some | Piece::Bool | Piece::Case(_) => 0,
            // Most need no object, and none needs more than one.
            Piece::Number => 16,
            Piece::Duration => 96,
            Piece::Time => 160,
            Piece::Text(text) => 40 + text.len() as u64,
            Piece::Scalars(Scalar::U8, len) => 40 + len as u64,
            // Of 64 bits some need more than their place.
            Piece::Scalars(scalar, len) => 40 + len as u64 * if scalar.size() == 8 { 24 } else { 8 },
            Piece::List(len) | Piece::Tuple(len) => 40 + 8 * len as u64,
            // A key that is text is copied.
            Piece::Map(len) => 192 + 64 * len as u64,
            // An exception has its message, and an array of its fields.
            Piece::Record(record) => (if record.is_error { 240 } else { 40 }) + 8 * record.fields.len() as u64,
            // A Hash of two, which is the most.
            Piece::Variant(..) => 192,
            // With what is around it.
            Piece::Handle(_) => 320,
        }
    }

    fn bool(&self, value: bool) -> Made {
        self.made(value)
    }
    fn s64(&self, value: i64) -> Made {
        self.made(self.ruby.integer_from_i64(value))
    }
    fn u64(&self, value: u64) -> Made {
        self.made(self.ruby.integer_from_u64(value))
    }
    fn f32(&self, value: f32) -> Made {
        self.f64(value.into())
    }
    fn f64(&self, value: f64) -> Made {
        self.made(self.ruby.float_from_f64(value))
    }
    fn string(&self, value: &str) -> Made {
        self.large(value.len(), || self.ruby.str_new(value))
    }
    fn json(&self, value: &str) -> Made {
        json::check(value)?;
        match gem::call::<_, Value>(self.ruby, "json", (value,)) {
            Ok(made) => self.made(made),
            Err(error) if error.is_kind_of(self.ruby.exception_standard_error()) => {
                let text = lock::raised(self.ruby, error);
                Err(unreadable_json(text.message()))
            }
            Err(jump) => Err(self.raised(jump)),
        }
    }
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Made {
        match scalar {
            Scalar::U8 => self.large(bytes.len(), || self.ruby.str_from_slice(bytes)),
            Scalar::S8 => self.numbers(bytes, i8::from_le_bytes),
            Scalar::S16 => self.numbers(bytes, i16::from_le_bytes),
            Scalar::U16 => self.numbers(bytes, u16::from_le_bytes),
            Scalar::S32 | Scalar::WasmI32 => self.numbers(bytes, i32::from_le_bytes),
            Scalar::U32 => self.numbers(bytes, u32::from_le_bytes),
            Scalar::S64 | Scalar::WasmI64 => self.numbers(bytes, i64::from_le_bytes),
            Scalar::U64 => self.numbers(bytes, u64::from_le_bytes),
            Scalar::F32 => self.numbers(bytes, f32::from_le_bytes),
            Scalar::F64 => self.numbers(bytes, f64::from_le_bytes),
        }
    }
    fn duration(&self, nanoseconds: i64) -> Made {
        const SECOND: std::num::NonZero<i64> = std::num::NonZero::new(1_000_000_000).expect("it is not zero");
        self.made(self.ruby.rational_new(nanoseconds, SECOND))
    }
    fn time(&self, time: Time) -> Made {
        let wrong = |text: String| Error::new(ErrorKind::TypeMismatch, format!("the guest gave a time that Time can't hold: {text}"));
        let offset = Offset::from_secs(time.offset).map_err(|error| wrong(error.to_string()))?;
        let instant = Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
        let made = self.ruby.time_timespec_new(instant, offset).map_err(|error| wrong(error.to_string()))?;
        self.made(made)
    }
    fn none(&self) -> Made {
        self.made(self.ruby.qnil())
    }
    fn case(&self, cases: &EnumType, case: u32) -> Made {
        match types::symbols(self.ruby, cases).and_then(|symbols| symbols.symbol(self.ruby, case)) {
            Some(symbol) => Ok(symbol),
            None => self.string(&cases.cases[case as usize].0),
        }
    }
    fn list(&self, len: usize, mut item: impl FnMut(usize) -> Made) -> Made {
        let list = self.new_list(len)?;
        self.inside(|| (0..len).try_for_each(|number| list.push(item(number)?).map_err(|error| self.raised(error))))?;
        Ok(list.as_value())
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Made) -> Made {
        self.list(len, item)
    }
    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<(Value, Value)>) -> Made {
        let hash = self.ruby.hash_new();
        let made = self.made(hash)?;
        self.inside(|| {
            (0..len).try_for_each(|number| {
                let (key, value) = entry(number)?;
                hash.aset(key, value).map_err(|error| self.raised(error))
            })
        })?;
        Ok(made)
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Made) -> Made {
        let Some(class) = record.extension.get::<RecordClass>() else {
            return Err(Error::new(ErrorKind::TypeMismatch, format!("the record {} has no class", record.name)));
        };
        let made = self.inside(|| {
            class.make(self.ruby, |number| field(number).map_err(Failed::Core)).map_err(|failed| match failed {
                Failed::Raised(raised) => self.raised(raised),
                Failed::Core(error) => error,
            })
        })?;
        self.made(made)
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Value>) -> Made {
        let Some(classes) = variant.extension.get::<VariantClasses>() else {
            return Err(Error::new(ErrorKind::TypeMismatch, format!("the variant {} has no classes", variant.name)));
        };
        let made = classes.make(self.ruby, case, value).map_err(|error| self.raised(error))?;
        self.made(made)
    }
    fn handle(&self, resource: &Arc<ResourceType>, handle: undergo::Handle) -> Made {
        let (Some(owner), Some(class)) = (self.owner, resource.extension.get::<ResourceClass>()) else {
            return Err(Error::new(ErrorKind::TypeMismatch, format!("a {} can't be given here", resource.name)));
        };
        let made = class.make(self.ruby, owner, handle).map_err(|error| self.raised(error))?;
        self.made(made)
    }
    fn object(&self, resource: &Arc<ResourceType>, object: HostObject) -> Made {
        let Some(own) = object.value::<Own>() else { return Err(not_given(resource)) };
        self.made((own.0)(self.ruby)?)
    }
}

type Find = dyn Fn(&Ruby) -> Made + Send + Sync;

/// What finds an object of the program's that a guest passes back, while its instance lives.
pub(crate) struct Own(pub(crate) Box<Find>);

/// Whether a result of that type comes as a number that is converted later, with Ruby's lock.
pub(crate) fn is_number(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Bool | TypeKind::Duration => true,
        TypeKind::Scalar(scalar) => !matches!(scalar, Scalar::WasmI32 | Scalar::WasmI64),
        _ => false,
    }
}

/// The value for such a number, whose lowest bytes are the result's.
pub(crate) fn number(ruby: &Ruby, kind: &TypeKind, bits: u64) -> Made {
    let lift = ToRuby::new(ruby);
    match kind {
        TypeKind::Bool => lift.bool(bits != 0),
        TypeKind::Duration => lift.duration(bits.cast_signed()),
        TypeKind::Scalar(scalar) => match scalar {
            Scalar::S8 => lift.s64((bits as i8).into()),
            Scalar::S16 => lift.s64((bits as i16).into()),
            Scalar::S32 => lift.s64((bits as i32).into()),
            Scalar::S64 | Scalar::WasmI32 | Scalar::WasmI64 => lift.s64(bits.cast_signed()),
            Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => lift.u64(bits),
            Scalar::F32 => lift.f32(f32::from_bits(bits as u32)),
            Scalar::F64 => lift.f64(f64::from_bits(bits)),
        },
        _ => lift.none(),
    }
}
