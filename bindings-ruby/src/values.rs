//! What is in Ruby's values, as it lies in memory: no method of them is called.

use std::borrow::Cow;

use magnus::encoding::{EncodingCapable, RbEncoding};
use magnus::prelude::*;
use magnus::r_hash::ForEach;
use magnus::rb_sys::AsRawValue;
use magnus::{RArray, RHash, RString, RStruct, Ruby, Value};

/// `true` or `false`; `None` for any other value.
pub(crate) fn boolean(ruby: &Ruby, value: Value) -> Option<bool> {
    if value.as_raw() == ruby.qtrue().as_raw() {
        Some(true)
    } else if value.as_raw() == ruby.qfalse().as_raw() {
        Some(false)
    } else {
        None
    }
}

pub(crate) fn class_name(value: Value) -> String {
    // SAFETY: the name is copied before any other code runs.
    unsafe { value.classname() }.into_owned()
}

pub(crate) fn is_binary(text: RString) -> bool {
    RbEncoding::from(text.enc_get()).name() == "ASCII-8BIT"
}

/// The text of a string; `None` if it is none.
pub(crate) fn text_of(text: &RString) -> Option<Cow<'_, str>> {
    text_of_value(text, *text)
}

/// The same, lent by whoever has the string.
pub(crate) fn text_of_value<V>(_owner: &V, text: RString) -> Option<Cow<'_, str>> {
    if text.is_utf8_compatible_encoding() || is_binary(text) {
        // SAFETY: whoever asks copies the text before any other code runs.
        return str::from_utf8(unsafe { std::slice::from_raw_parts(text.as_slice().as_ptr(), text.len()) }).ok().map(Cow::Borrowed);
    }
    let converted = text.conv_enc(Ruby::get_with(text).utf8_encoding()).ok()?;
    // SAFETY: as above.
    let bytes = unsafe { converted.as_slice() };
    // What can't be converted is given back as it is.
    if converted.is_utf8_compatible_encoding() { str::from_utf8(bytes).ok().map(|text| Cow::Owned(text.to_owned())) } else { None }
}

/// Whether that is a Struct, or Data: a range is laid out like one.
pub(crate) fn is_struct(ruby: &Ruby, value: Value) -> bool {
    !value.is_kind_of(ruby.class_range())
}

/// The keys and values of a hash, in turn.
pub(crate) fn pairs_of_hash(ruby: &Ruby, hash: RHash) -> Result<RArray, magnus::Error> {
    let pairs = ruby.ary_new_capa(2 * hash.len());
    hash.foreach(|key: Value, value: Value| {
        pairs.cat(&[key, value])?;
        Ok(ForEach::Continue)
    })?;
    Ok(pairs)
}

/// The members of a Struct, as symbols, and their values, in turn.
pub(crate) fn pairs_of_struct(ruby: &Ruby, fields: RStruct) -> Result<RArray, magnus::Error> {
    let names = fields.members()?;
    let pairs = ruby.ary_new_capa(2 * names.len());
    for (number, name) in names.iter().enumerate() {
        pairs.push(ruby.to_symbol(name))?;
        pairs.push(fields.aref::<_, Value>(number)?)?;
    }
    Ok(pairs)
}
