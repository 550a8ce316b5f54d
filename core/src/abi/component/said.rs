//! The errors of components as words.

use wasmtime::component::Val;

/// An error's value in words: the names of its cases and fields, up to some length.
pub(super) fn said(value: &Val) -> String {
    const MOST: usize = 200;
    let mut text = String::new();
    say(value, &mut text, MOST);
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}

fn say(value: &Val, text: &mut String, most: usize) {
    if text.len() > most {
        return;
    }
    let within = |value: &Option<Box<Val>>, text: &mut String| {
        if let Some(value) = value {
            text.push_str(": ");
            say(value, text, most);
        }
    };
    match value {
        Val::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Val::S8(n) => text.push_str(&n.to_string()),
        Val::U8(n) => text.push_str(&n.to_string()),
        Val::S16(n) => text.push_str(&n.to_string()),
        Val::U16(n) => text.push_str(&n.to_string()),
        Val::S32(n) => text.push_str(&n.to_string()),
        Val::U32(n) => text.push_str(&n.to_string()),
        Val::S64(n) => text.push_str(&n.to_string()),
        Val::U64(n) => text.push_str(&n.to_string()),
        Val::Float32(n) => text.push_str(&n.to_string()),
        Val::Float64(n) => text.push_str(&n.to_string()),
        Val::Char(char) => text.push(*char),
        // Its end is cut off by the caller.
        Val::String(string) => text.push_str(&string[..string.floor_char_boundary(most)]),
        Val::Enum(name) => text.push_str(name),
        Val::Variant(name, value) => {
            text.push_str(name);
            within(value, text);
        }
        Val::Result(Ok(value)) => {
            text.push_str("ok");
            within(value, text);
        }
        Val::Result(Err(value)) => {
            text.push_str("err");
            within(value, text);
        }
        Val::Option(value) => match value {
            Some(value) => say(value, text, most),
            None => text.push_str("none"),
        },
        Val::Record(fields) => {
            for (i, (name, value)) in fields.iter().enumerate() {
                text.push_str(if i == 0 { "" } else { ", " });
                text.push_str(name);
                text.push_str(": ");
                say(value, text, most);
            }
        }
        Val::Flags(set) => text.push_str(&set.join(", ")),
        Val::List(items) | Val::Tuple(items) | Val::FixedLengthList(items) => {
            for (i, value) in items.iter().enumerate() {
                text.push_str(if i == 0 { "" } else { ", " });
                say(value, text, most);
            }
        }
        // Nothing that has words.
        Val::Map(_) | Val::Resource(_) | Val::Future(_) | Val::Stream(_) | Val::ErrorContext(_) => text.push('…'),
    }
}
