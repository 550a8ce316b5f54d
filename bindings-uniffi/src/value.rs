//! A value as the other languages pass and receive it.

use std::sync::Arc;

use crate::handle::GuestHandle;
use crate::passed::Passed;

/// A value that crosses. The type of the parameter decides what it is read as: a record may be
/// given as `Fields` or as `Entries` with text for keys, an enum's case as `Text`, and where JSON
/// is wanted any of them that JSON has.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Value {
    /// An option without a value, no result, or JSON's null.
    None,
    /// A bool.
    Bool {
        /// What it is.
        value: bool,
    },
    /// Any integer that fits.
    Int {
        /// The number.
        value: i64,
    },
    /// An integer above the range of `Int`.
    Uint {
        /// The number.
        value: u64,
    },
    /// A float of 32 or 64 bits.
    Float {
        /// The number.
        value: f64,
    },
    /// A string; also the case of an enum, by its WIT name.
    Text {
        /// The text.
        value: String,
    },
    /// A list<u8>.
    Bytes {
        /// The bytes.
        value: Vec<u8>,
    },
    /// Any other list, and several results.
    Items {
        /// In order.
        items: Vec<Value>,
    },
    /// A map, in any order; also an object of JSON.
    Entries {
        /// The pairs.
        entries: Vec<Entry>,
    },
    /// A record. A plugin's own has its fields in order, by their WIT names. Given to a plugin,
    /// optional fields may be left out, and names may be written as in Swift: `minorUnits` is
    /// `minor-units`.
    Fields {
        /// The fields.
        fields: Vec<NamedValue>,
    },
    /// A case of a variant.
    Case {
        /// Its name in WIT.
        name: String,
        /// Its value; none for a case without one.
        value: Option<Box<Value>>,
    },
    /// Text that holds one JSON value. A plugin's own JSON comes as the other cases, but for
    /// numbers that are neither integers of 64 bits nor floats.
    Json {
        /// The text.
        text: String,
    },
    /// A duration.
    Duration {
        /// How long, in nanoseconds.
        nanoseconds: i64,
    },
    /// An instant.
    Time {
        /// Seconds since 1970 in UTC.
        seconds: i64,
        /// Nanoseconds behind it.
        nanoseconds: u32,
        /// The offset from UTC in which it was written, in seconds.
        offset: i32,
    },
    /// An object of the plugin, an iterator or a stream of it.
    Handle {
        /// Its handle.
        handle: Arc<GuestHandle>,
    },
    /// An object of the program, a function, an iterable or a stream, which the plugin calls.
    Passed {
        /// It.
        object: Arc<Passed>,
    },
    /// An object of the other language that can't cross. It fits no type, and the error has its
    /// path.
    Unfit {
        /// Why it can't.
        reason: String,
    },
}

/// A pair of a map.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Entry {
    /// The key.
    pub key: Value,
    /// What it stands for.
    pub value: Value,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct NamedValue {
    /// The field's name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// What a value is called in errors.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::None => "none",
        Value::Bool { .. } => "bool",
        Value::Int { .. } | Value::Uint { .. } => "integer",
        Value::Float { .. } => "float",
        Value::Text { .. } => "string",
        Value::Bytes { .. } => "bytes",
        Value::Items { .. } => "list",
        Value::Entries { .. } => "map",
        Value::Fields { .. } => "record",
        Value::Case { .. } => "variant",
        Value::Json { .. } => "json",
        Value::Duration { .. } => "duration",
        Value::Time { .. } => "time",
        Value::Handle { .. } => "an object of the plugin",
        Value::Passed { .. } => "an object of the program",
        Value::Unfit { .. } => "an object that can't cross",
    }
}
