//! Chains of errors with fields, in results of type `result<T, list<E>>`: see docs/abi.md, section
//! 3, "Errors".

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;

use super::block::Block;
use super::lift::{Lift, Lifting, lift_bytes, lift_case, lift_list};
use super::lower::{Lower, lower_bytes};
use super::memory::GuestMemory;
use super::quota::{DEFAULT_MAX_VALUE, Quota};
use super::typed::{ErrorType, FromGuest, Reader, ToGuest, Writer, checked};
use super::value::{ToValue, Value};
use crate::error::{ChainedError, Error, ErrorKind, Result};
use crate::interface::{Choice, RecordType, TupleType, Type, TypeKind, VariantType};

/// The most errors of a chain that are carried; what is wrapped still deeper is left out.
const LONGEST: usize = 64;

/// The fields of an error, as a record of the interface. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ErrorFields(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    record: Type,
    value: Value,
}

impl ErrorFields {
    /// The fields that a host's error has: `value` is lowered as that record.
    ///
    /// # Errors
    ///
    /// `type-mismatch` if a field does not fit.
    pub fn lower<'a, V: Lower<'a>>(record: &Arc<RecordType>, value: &V) -> Result<ErrorFields> {
        let record = Type::new(TypeKind::Record(record.clone()));
        let fields = lower_bytes(&record, value, 0).and_then(|lowered| ErrorFields::of_lowered(&record, &lowered));
        fields.map_err(|error| error.at(format!(" -> {record}")))
    }

    /// The fields that an error of Rust has, whose type stands for that record.
    pub(crate) fn of<T: ToGuest>(record: &Type, value: &T) -> Result<ErrorFields> {
        let mut block = Block::begin(T::SIZE);
        let lowered = value.lower(&mut Writer::new(&mut block), 0).and_then(|()| block.apart(T::SIZE, 0));
        let fields = lowered.and_then(|lowered| ErrorFields::of_lowered(record, &lowered));
        fields.map_err(|error| error.at(format!(" -> {record}")))
    }

    fn of_lowered(record: &Type, (bytes, memory): &(Vec<u8>, Vec<u8>)) -> Result<ErrorFields> {
        let value = lift_bytes(record, GuestMemory::new(memory), bytes, &ToValue)?;
        let record = record.clone();
        Ok(ErrorFields(Arc::new(Inner { record, value })))
    }

    /// The fields as a type of Rust, if it stands for that record.
    pub(crate) fn get<T: FromGuest>(&self) -> Option<T> {
        checked::<T>(&self.0.record).ok()?;
        let (bytes, memory) = lower_bytes(&self.0.record, &&self.0.value, 0).ok()?;
        T::lift(Reader::new(GuestMemory::new(&memory), &bytes, &Quota::new(DEFAULT_MAX_VALUE)), 0).ok()
    }

    /// The record of the interface.
    #[must_use]
    pub fn record(&self) -> &Arc<RecordType> {
        match &self.0.record.kind {
            TypeKind::Record(record) => record,
            other => unreachable!("the fields of an error are made for a record, not for {other:?}"),
        }
    }

    /// The fields as a value of the host's own.
    ///
    /// # Errors
    ///
    /// What the host's conversion returns.
    pub fn lift<L: Lift>(&self, lift: &L) -> Result<L::Value> {
        let (bytes, memory) = lower_bytes(&self.0.record, &&self.0.value, 0)?;
        lift_bytes(&self.0.record, GuestMemory::new(&memory), &bytes, lift)
    }

    /// The fields as the dynamic value of a record.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0.value
    }
}

impl ChainedError {
    /// An error of that text, with fields if it has any.
    #[must_use]
    pub fn new(text: impl Into<String>, fields: Option<ErrorFields>) -> ChainedError {
        ChainedError { text: text.into(), fields: fields.map(|fields| Arc::new(fields) as _) }
    }

    /// The fields, if the error is of a type that the interface declares.
    #[must_use]
    pub fn fields(&self) -> Option<&ErrorFields> {
        self.fields.as_deref()?.downcast_ref()
    }
}

/// The error that a guest has returned: a list of errors, each of which wraps the next.
#[cold]
pub(crate) fn lift_chain(errors: &VariantType, memory: GuestMemory<'_>, bytes: &[u8], at: u32, quota: &Quota<'_>) -> Result<Error> {
    let (items, len) = lift_list(memory, errors.size, errors.align, bytes, at)?;
    quota.note_read(items.len());
    let mut chain = Vec::new();
    for i in 0..len.min(LONGEST) {
        let link = lift_link(errors, memory, items, i as u32 * errors.size, quota);
        chain.push(link.map_err(|error| error.at(format!("[error {i}]")))?);
    }
    match chain.first() {
        Some(first) => Ok(Error::new(ErrorKind::GuestError, first.text()).with_chain(chain)),
        None => Err(Error::new(ErrorKind::Trap, "the guest gave an error that consists of none")),
    }
}

/// One error of a chain.
fn lift_link(errors: &VariantType, memory: GuestMemory<'_>, items: &[u8], at: u32, quota: &Quota<'_>) -> Result<ChainedError> {
    let case = &errors.cases[lift_case(errors.tag, errors.cases.len(), items, at)? as usize];
    let at = at + errors.payload;
    let text = lift_text(memory, items, at, quota)?;
    let fields = match case.ty.as_ref().map(|ty| &ty.kind) {
        Some(TypeKind::Tuple(both)) => {
            let record = both.items[1].clone();
            let value = Lifting::new(memory, &ToValue, quota).value(&record, items, at + both.offsets[1])?;
            Some(ErrorFields(Arc::new(Inner { record, value })))
        }
        _ => None,
    };
    Ok(ChainedError::new(text, fields))
}

/// The text of an error. U+FFFD replaces what is not UTF-8, so that it does not hide the error.
#[cold]
pub(crate) fn lift_text(memory: GuestMemory<'_>, bytes: &[u8], at: u32, quota: &Quota<'_>) -> Result<String> {
    let (text, len) = lift_list(memory, 1, 1, bytes, at)?;
    quota.note_read(len);
    // The text of an error is kept twice: here and by the host.
    quota.charge(2 * len as u64)?;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// The chain of a host function's error, for an interface with these errors: the one that it has,
/// or that of the sources of the host's own object, if that is an error of Rust; otherwise the
/// error alone. `types` are those that a program has named.
pub(crate) fn chain_of<'e>(error: &'e Error, errors: &VariantType, types: &[ErrorType]) -> Result<Cow<'e, [ChainedError]>> {
    if own_type(error).is_none() && !error.chain().is_empty() {
        return Ok(Cow::Borrowed(&error.chain()[..error.chain().len().min(LONGEST)]));
    }
    let mut chain = Vec::new();
    let mut next = Some(Next::Own(error));
    let mut types = Cow::Borrowed(types);
    while let Some(found) = next.take()
        && chain.len() < LONGEST
    {
        match found {
            Next::Own(error) => {
                let own = own_type(error);
                types.to_mut().extend(own);
                if own.is_none() && !error.chain().is_empty() {
                    chain.extend_from_slice(error.chain());
                } else if let Some(root) = host_error(error, &types) {
                    next = Some(Next::Other(root));
                } else {
                    chain.push(ChainedError::new(error.message(), None));
                }
            }
            Next::Other(other) => match other.downcast_ref() {
                Some(own) => next = Some(Next::Own(own)),
                None => {
                    let fields = types.iter().find_map(|ty| ty.fields(other, errors)).transpose()?;
                    chain.push(ChainedError::new(other.to_string(), fields));
                    next = other.source().map(Next::Other);
                }
            },
        }
    }
    chain.truncate(LONGEST);
    if let Some(first) = chain.first_mut() {
        // Whoever made the error of another may have said it in other words.
        error.message().clone_into(&mut first.text);
    }
    Ok(Cow::Owned(chain))
}

/// What is next in a chain of Rust's errors: one of this crate, which may carry others, or another.
enum Next<'e> {
    Own(&'e Error),
    Other(&'e (dyn StdError + 'static)),
}

/// The type of the host's own object, if that is known: see [`ErrorType`].
fn own_type(error: &Error) -> Option<ErrorType> {
    error.chain().first()?.fields.as_deref()?.downcast_ref().copied()
}

/// The host's own object as an error of Rust.
fn host_error<'e>(error: &'e Error, types: &[ErrorType]) -> Option<&'e (dyn StdError + 'static)> {
    let host = error.host()?;
    if let Some(boxed) = host.downcast_ref::<Box<dyn StdError + Send + Sync>>() {
        return Some(&**boxed);
    }
    match host.downcast_ref::<Error>() {
        Some(own) => Some(own),
        None => types.iter().find_map(|ty| (ty.of_host)(host)),
    }
}

/// A chain of errors of one plugin's, for another that declares these: fields go over where both
/// declare the same ones under the same name.
#[cold]
pub(crate) fn adopted(chain: &[ChainedError], errors: Option<&VariantType>) -> Vec<ChainedError> {
    let adopt = |link: &ChainedError| {
        let fields = link.fields().and_then(|fields| {
            let case = &errors?.cases[errors?.case(&fields.record().name)? as usize];
            match &case.ty.as_ref()?.kind {
                TypeKind::Tuple(both) if both.items[1].digest() == fields.0.record.digest() => {
                    Some(ErrorFields(Arc::new(Inner { record: both.items[1].clone(), value: fields.value().clone() })))
                }
                _ => None,
            }
        });
        ChainedError::new(link.text(), fields)
    };
    chain.iter().map(adopt).collect()
}

/// Lowers an error of the last case as a chain of it alone. Its fields may have objects of the host
/// in them, which those of a [`ChainedError`] can't.
#[cold]
pub(crate) fn lower_failure<'a>(errors: &VariantType, text: &'a str, fields: &'a Value, block: &mut Block<'a>, at: u32) -> Result<()> {
    let last = errors.cases.len().saturating_sub(1);
    let Some(TypeKind::Tuple(both)) = errors.cases.get(last).and_then(|case| case.ty.as_ref()).map(|ty| &ty.kind) else {
        return Err(Error::new(ErrorKind::HostError, text));
    };
    let target = block.reserve(1, errors.size, errors.align)?;
    put_link(errors, text, Some((last as u32, both, fields)), block, target)?;
    block.put_list(at, target, 1);
    Ok(())
}

/// Lowers a chain of errors to its place.
#[cold]
pub(crate) fn lower_chain<'a>(errors: &VariantType, chain: &'a [ChainedError], block: &mut Block<'a>, at: u32) -> Result<()> {
    let target = block.reserve(chain.len(), errors.size, errors.align)?;
    for (i, link) in chain.iter().enumerate() {
        // There are few, for which room was reserved.
        let at = target + i as u32 * errors.size;
        let declared = link.fields().and_then(|fields| {
            let number = errors.case(&fields.record().name)?;
            match &errors.cases[number as usize].ty.as_ref()?.kind {
                // An error of another plugin's may have the same name.
                TypeKind::Tuple(both) if both.items[1].is_record(fields.record()) => Some((number, &**both, fields.value())),
                _ => None,
            }
        });
        put_link(errors, link.text(), declared, block, at)?;
    }
    block.put_list(at, target, chain.len());
    Ok(())
}

/// Puts one error of a chain in its place: a text, or the case of that number, with its fields.
fn put_link<'a>(
    errors: &VariantType,
    text: &'a str,
    declared: Option<(u32, &TupleType, &'a Value)>,
    block: &mut Block<'a>,
    at: u32,
) -> Result<()> {
    let value_at = at + errors.payload;
    block.put_case(at, errors.tag, declared.map_or(0, |(number, ..)| number));
    block.put_str(value_at, text)?;
    match declared {
        Some((_, both, fields)) => block.lower(&both.items[1], &fields, value_at + both.offsets[1]),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{Function, Interface};

    const WIT: &str = "package a:b;
interface types {
  record not-found { key: string, code: s64 }
  record busy { since: list<string> }
  variant error { text(string), not-found(tuple<string, not-found>), busy(tuple<string, busy>) }
}
world w {
  use types.{error};
  export f: func() -> result<_, list<error>>;
}
";

    fn function() -> Arc<Function> {
        Interface::parse(WIT).expect("an interface").exports[0].clone()
    }

    fn errors(function: &Function) -> &VariantType {
        function.errors.as_deref().expect("it has errors")
    }

    fn record(function: &Function, number: usize) -> Arc<RecordType> {
        let Some(TypeKind::Tuple(both)) = errors(function).cases[number].ty.as_ref().map(|ty| &ty.kind) else { panic!("a text") };
        let TypeKind::Record(record) = &both.items[1].kind else { panic!("no record") };
        record.clone()
    }

    fn not_found(key: &str) -> Value {
        Value::Record(vec![("key".into(), key.into()), ("code".into(), Value::Int(404))])
    }

    fn link(function: &Function, text: &str, number: usize, value: &Value) -> ChainedError {
        ChainedError::new(text, Some(ErrorFields::lower(&record(function, number), &value).expect("it fits")))
    }

    /// What the other side gets of a chain: from the host's memory at that address.
    fn passed(function: &Function, chain: &[ChainedError], max: u64) -> Result<Error> {
        let mut block = Block::begin(8);
        lower_chain(errors(function), chain, &mut block, 0)?;
        let (bytes, memory) = block.apart(8, 64)?;
        lift_chain(errors(function), GuestMemory::new(&memory), &bytes, 0, &Quota::new(max))
    }

    #[test]
    fn a_chain_arrives_as_it_was() {
        let function = function();
        let busy = Value::Record(vec![("since".into(), Value::List(vec!["a".into(), "ü".into()]))]);
        let chain = [
            ChainedError::new("loading: not found: x", None),
            link(&function, "not found: x", 1, &not_found("x")),
            link(&function, "", 2, &busy),
        ];
        let error = passed(&function, &chain, 1 << 20).expect("a chain");
        assert_eq!((error.kind(), error.message()), (ErrorKind::GuestError, "loading: not found: x"));
        let found: Vec<_> = error
            .chain()
            .iter()
            .map(|link| (link.text(), link.fields().map(|fields| (fields.record().name.as_str(), fields.value()))))
            .collect();
        let wanted = [("loading: not found: x", None), ("not found: x", Some(("not-found", &not_found("x")))), ("", Some(("busy", &busy)))];
        assert_eq!(found, wanted);
        let lifted = error.chain()[1].fields().expect("fields").lift(&ToValue);
        assert_eq!(lifted.expect("a record"), not_found("x"));
        // What was lifted goes on to the guest.
        let again = passed(&function, error.chain(), 1 << 20).expect("a chain");
        assert_eq!(again.chain()[2].fields().expect("fields").value(), &busy);
        assert!(passed(&function, &[], 1 << 20).is_err_and(|error| error.kind() == ErrorKind::Trap));
    }

    #[test]
    fn an_error_of_another_interface_is_a_text() {
        let (own, other) = (function(), function());
        let error = passed(&own, &[link(&other, "not found: x", 1, &not_found("x"))], 1 << 20).expect("a chain");
        assert!(error.chain()[0].fields().is_none() && error.message() == "not found: x");
    }

    #[test]
    fn fields_that_do_not_fit_are_refused_with_their_path() {
        let misfit = Value::Record(vec![("key".into(), "x".into()), ("code".into(), "many".into())]);
        let error = ErrorFields::lower(&record(&function(), 1), &&misfit).expect_err("a text");
        assert_eq!((error.kind(), error.path().as_str()), (ErrorKind::TypeMismatch, " -> not-found.code"), "{error}");
        let missing = Value::Record(vec![("key".into(), "x".into())]);
        assert!(ErrorFields::lower(&record(&function(), 1), &&missing).is_err_and(|error| error.message().contains("'code' of not-found")));
    }

    #[test]
    fn a_chain_has_an_end() {
        let function = function();
        let long: Vec<_> = (0..1000).map(|n| link(&function, &n.to_string(), 1, &not_found("x"))).collect();
        assert_eq!(passed(&function, &long, 1 << 20).expect("a chain").chain().len(), LONGEST);
        let error = Error::new(ErrorKind::HostError, "0").with_chain(long);
        assert_eq!(chain_of(&error, errors(&function), &[]).expect("a chain").len(), LONGEST);
        // What it takes counts as other values do.
        let large = [link(&function, &"x".repeat(10_000), 1, &not_found(&"y".repeat(10_000)))];
        assert!(passed(&function, &large, 40_000).is_ok());
        assert!(passed(&function, &large, 25_000).is_err_and(|error| error.kind() == ErrorKind::OutOfMemory));
    }

    #[test]
    fn hostile_chains_are_refused() {
        let function = function();
        let errors = errors(&function);
        let size = errors.size as usize;
        let lifted = |memory: &[u8], len: u32| {
            let bytes = [8_u32.to_le_bytes(), len.to_le_bytes()].concat();
            lift_chain(errors, GuestMemory::new(memory), &bytes, 0, &Quota::new(1 << 20))
        };
        let mut memory = vec![0; 8 + 2 * size];
        // A text, and an error whose number has no case.
        memory[8 + size] = 3;
        let error = lifted(&memory, 2).expect_err("no such case");
        assert_eq!((error.kind(), error.path().as_str()), (ErrorKind::Trap, "[error 1]"), "{error}");
        // Fields outside of the memory.
        memory[8 + size] = 1;
        let key = 8 + size + errors.payload as usize + 8;
        memory[key..key + 8].copy_from_slice(&[0xff; 8]);
        let error = lifted(&memory, 2).expect_err("outside");
        assert_eq!((error.kind(), error.path().as_str()), (ErrorKind::Trap, "[error 1].key"), "{error}");
        assert!(lifted(&memory, u32::MAX).is_err_and(|error| error.kind() == ErrorKind::Trap));
        // A text that is none does not hide the error; a field that is none is said.
        let mut memory = vec![0; 8 + size];
        let text = 8 + errors.payload as usize;
        memory[text..text + 8].copy_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
        memory[0] = 0xff;
        assert_eq!(lifted(&memory, 1).expect("an error").message(), "\u{fffd}");
        memory[8] = 1;
        memory[text + 8..text + 16].copy_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
        let error = lifted(&memory, 1).expect_err("not UTF-8");
        assert_eq!((error.kind(), error.path().as_str()), (ErrorKind::TypeMismatch, "[error 0].key"), "{error}");
    }
}
