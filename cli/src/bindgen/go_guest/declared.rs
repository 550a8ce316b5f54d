//! The types of an interface as Go declares them.

use anyhow::{Result, bail, ensure};
use wit_parser::{Type, TypeDefKind, TypeId};

use super::interface::{Signature, Writer};
use super::names::{in_scope, is_same};
use super::types::unaliased;
use crate::bindgen::go::text::Scope;

pub(super) enum Declared {
    Record {
        name: String,
        docs: String,
        /// The lines of the struct.
        fields: String,
        /// The text of the error, if it is one.
        error: Option<String>,
    },
    Tuple {
        name: String,
        docs: String,
        fields: String,
    },
    Enum {
        name: String,
        docs: String,
        /// The type that holds the numbers of all cases.
        basic: &'static str,
        cases: Vec<Case>,
        is_error: bool,
    },
    Variant {
        name: String,
        docs: String,
        /// The method that the cases have in common.
        mark: String,
        cases: Vec<Case>,
        is_error: bool,
    },
    Resource {
        name: String,
        docs: String,
        methods: Vec<Signature>,
    },
}

struct Field {
    name: String,
    docs: String,
    ty: String,
}

pub(super) struct Case {
    pub(super) name: String,
    pub(super) docs: String,
    /// The name as words.
    pub(super) words: String,
    pub(super) value: Value,
}

/// What a case carries.
pub(super) enum Value {
    Nothing,
    /// The case is a type over that one.
    Plain(String),
    /// The case is a struct with a value of that type, which may be an error itself.
    Within {
        ty: String,
        is_error: bool,
    },
}

pub(super) fn declare(writer: &mut Writer<'_>, id: TypeId, name: String) -> Result<Declared> {
    let resolve = writer.resolve;
    let def = &resolve.types[id];
    let wit = def.name.clone().unwrap_or_default();
    let is_error = writer.is_error(id);
    let docs = writer.docs(&def.docs, &format!("{name} is the {} {wit}.", def.kind.as_str()));
    match &def.kind {
        TypeDefKind::Record(record) => {
            // An error has a method of that name.
            let mut scope = Scope::new(is_error.then_some("Error"));
            let mut fields = Vec::with_capacity(record.fields.len());
            for field in &record.fields {
                let go = in_scope(&mut scope, "the field", &field.name)?;
                let text = if field.docs.contents.is_some() { writer.docs(&field.docs, "") } else { String::new() };
                fields.push(Field { name: go, docs: text, ty: writer.expression(&field.ty)? });
            }
            let error = is_error.then(|| {
                let message = fields.iter().find(|field| field.ty == "string" && is_same(&field.name, "message"));
                message.map_or_else(|| format!("\"{}\"", words(&wit)), |field| format!("\"{}: \" + e.{}", words(&wit), field.name))
            });
            Ok(Declared::Record { name, docs, fields: lines(&fields), error })
        }
        TypeDefKind::Tuple(items) => {
            ensure!(!items.types.is_empty(), "a tuple of nothing has no form in Go");
            let parts = items.types.iter().map(|ty| writer.expression(ty)).collect::<Result<Vec<_>>>()?;
            Ok(tuple(name, docs, parts))
        }
        TypeDefKind::Enum(of) => {
            let mut cases = Vec::with_capacity(of.cases.len());
            for case in &of.cases {
                let docs = if case.docs.contents.is_some() { writer.docs(&case.docs, "") } else { String::new() };
                cases.push(Case { name: writer.case(&name, &case.name)?, docs, words: words(&case.name), value: Value::Nothing });
            }
            let basic = match cases.len() {
                0..=0x100 => "uint8",
                0x101..=0x1_0000 => "uint16",
                _ => "uint32",
            };
            Ok(Declared::Enum { name, docs, basic, cases, is_error })
        }
        TypeDefKind::Variant(of) => {
            let mut cases = Vec::with_capacity(of.cases.len());
            for case in &of.cases {
                let go = writer.case(&name, &case.name)?;
                let docs = writer.docs(&case.docs, &format!("{go} is the case {}.", case.name));
                let value = case.ty.map_or(Ok(Value::Nothing), |ty| value(writer, &ty))?;
                cases.push(Case { name: go, docs, words: words(&case.name), value });
            }
            Ok(Declared::Variant { mark: format!("is{name}"), name, docs, cases, is_error })
        }
        TypeDefKind::Resource => {
            let methods = writer.methods(id)?;
            ensure!(!methods.is_empty(), "the resource has no methods by which Go would know it");
            Ok(Declared::Resource { name, docs, methods })
        }
        other => bail!("Go has no type for a {}", other.as_str()),
    }
}

pub(super) fn tuple(name: String, docs: String, parts: Vec<String>) -> Declared {
    let fields = parts.into_iter().enumerate();
    let field = |(i, ty): (usize, String)| Field { name: format!("F{i}"), docs: String::new(), ty };
    Declared::Tuple { name, docs, fields: lines(&fields.map(field).collect::<Vec<_>>()) }
}

fn value(writer: &mut Writer<'_>, ty: &Type) -> Result<Value> {
    let go = writer.expression(ty)?;
    let defined = unaliased(writer.resolve, *ty);
    let is_plain = match defined.map(|id| &writer.resolve.types[id].kind) {
        None => true,
        Some(TypeDefKind::List(item)) => unaliased(writer.resolve, *item).is_none(),
        _ => false,
    };
    Ok(if is_plain { Value::Plain(go) } else { Value::Within { ty: go, is_error: defined.is_some_and(|id| writer.is_error(id)) } })
}

fn words(wit: &str) -> String {
    wit.replace('-', " ")
}

impl Case {
    /// What the text of an error says besides its name, as an expression.
    fn cause(&self) -> Option<&'static str> {
        match &self.value {
            Value::Plain(ty) if ty == "string" => Some("string(e)"),
            Value::Within { is_error: true, .. } => Some("e.Value.Error()"),
            _ => None,
        }
    }

    /// The receiver of its method `Error`.
    pub(super) fn receiver(&self) -> String {
        if self.cause().is_some() { format!("e {}", self.name) } else { self.name.clone() }
    }

    /// What that returns.
    pub(super) fn text(&self) -> String {
        match self.cause() {
            Some(cause) => format!("\"{}: \" + {cause}", self.words),
            None => format!("\"{}\"", self.words),
        }
    }
}

impl Field {
    /// Its line in a struct in which the names have that width.
    fn line(&self, width: usize) -> String {
        format!("{:width$} {}", self.name, self.ty)
    }
}

/// The lines of a struct, as gofmt has them: names in a column, unless comments stand between them.
fn lines(fields: &[Field]) -> String {
    let has_docs = fields.iter().any(|field| !field.docs.is_empty());
    let width = if has_docs { 0 } else { fields.iter().map(|field| field.name.len()).max().unwrap_or_default() };
    let line = |field: &Field| match field.docs.as_str() {
        "" => field.line(width),
        docs => format!("{docs}\n{}", field.line(width)),
    };
    fields.iter().map(line).collect::<Vec<_>>().join(if has_docs { "\n\n" } else { "\n" })
}
