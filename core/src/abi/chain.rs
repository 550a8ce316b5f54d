//! Chains of errors with fields, in results of type `result<T, list<E>>`: see docs/abi.md, section
//! 3, "Errors".

use std::borrow::Cow;
use std::sync::Arc;

use super::block::Block;
use super::lift::{Lift, Lifting, lift_bytes, lift_case, lift_list};
use super::lower::{Lower, lower_bytes};
use super::memory::GuestMemory;
use super::quota::Quota;
use super::value::{ToValue, Value};
use crate::error::{ChainedError, Error, ErrorKind, Result};
use crate::interface::{RecordType, Type, TypeKind, VariantType};

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
        let lowered =
            lower_bytes(&record, value, 0).and_then(|(bytes, memory)| lift_bytes(&record, GuestMemory::new(&memory), &bytes, &ToValue));
        let value = lowered.map_err(|error| error.at(format!(" -> {record}")))?;
        Ok(ErrorFields(Arc::new(Inner { record, value })))
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
        let at = i as u32 * errors.size;
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
        chain.push(ChainedError::new(text, fields));
    }
    let text = chain.first().map_or_else(String::new, |first| first.text().to_owned());
    Ok(Error::new(ErrorKind::GuestError, text).with_chain(chain))
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

/// The chain of a host function's error: the error alone, if it has none.
pub(crate) fn chain_of(error: &Error) -> Cow<'_, [ChainedError]> {
    match error.chain() {
        [] => Cow::Owned(vec![ChainedError::new(error.message(), None)]),
        chain => Cow::Borrowed(&chain[..chain.len().min(LONGEST)]),
    }
}

/// Lowers a chain of errors to its place.
#[cold]
pub(crate) fn lower_chain<'a>(errors: &VariantType, chain: &'a [ChainedError], block: &mut Block<'a>, at: u32) -> Result<()> {
    let target = block.reserve(chain.len(), errors.size, errors.align)?;
    for (i, link) in chain.iter().enumerate() {
        // There are few, for which room was reserved.
        let at = target + i as u32 * errors.size;
        let value_at = at + errors.payload;
        let declared = link.fields().and_then(|fields| {
            let number = errors.case(&fields.record().name)?;
            match &errors.cases[number as usize].ty.as_ref()?.kind {
                // An error of another plugin's may have the same name.
                TypeKind::Tuple(both) if both.items[1].is_record(fields.record()) => Some((number, both.clone(), fields)),
                _ => None,
            }
        });
        block.put_case(at, errors.tag, declared.as_ref().map_or(0, |(number, ..)| *number));
        block.put_str(value_at, link.text())?;
        if let Some((_, both, fields)) = declared {
            block.lower(&both.items[1], &fields.value(), value_at + both.offsets[1])?;
        }
    }
    block.put_list(at, target, chain.len());
    Ok(())
}
