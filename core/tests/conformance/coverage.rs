//! That the cases cover the guest, and the kinds of errors.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use undergo::ErrorKind;

use crate::common;
use crate::runner::Case;

/// Kinds that no case can have, and why.
const BEYOND: [(ErrorKind, &str); 7] = [
    (ErrorKind::InvalidPlugin, "the guest is a valid plugin"),
    (ErrorKind::MissingImport, "a runner gives all functions"),
    (ErrorKind::SignatureMismatch, "a host with typed functions finds it before a call"),
    (ErrorKind::Cancelled, "no step can cancel another"),
    (ErrorKind::OutOfFuel, "no case has fuel"),
    (ErrorKind::Denied, "it is about an instance that can't be made"),
    (ErrorKind::Busy, "it takes a host function that no runner has"),
];

/// The trials of this module.
pub(crate) fn trials<'c>(cases: impl Iterator<Item = &'c Case>) -> Vec<Trial> {
    let mut called = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for step in cases.flat_map(|case| &case.steps) {
        called.extend(step.call.clone());
        kinds.extend(step.error.as_ref().map(|error| error.kind.clone()));
    }
    let exports = move || {
        let exports = common::conformance().interface().map(|interface| &interface.exports[..]).unwrap_or_default();
        let missing: Vec<_> = exports.iter().map(|export| export.name.as_str()).filter(|name| !called.contains(*name)).collect();
        if exports.is_empty() || !missing.is_empty() {
            return Err(format!("of {} exports, these have no case: {missing:?}", exports.len()).into());
        }
        Ok(())
    };
    let errors = move || {
        let covered = |kind: &ErrorKind| kinds.contains(kind.as_str());
        let beyond = |kind: &ErrorKind| BEYOND.iter().any(|(known, _)| known == kind);
        let missing: Vec<_> = ErrorKind::ALL.iter().filter(|kind| !covered(kind) && !beyond(kind)).collect();
        let stale: Vec<_> = ErrorKind::ALL.iter().filter(|kind| covered(kind) && beyond(kind)).collect();
        let unknown: Vec<_> = kinds.iter().filter(|kind| ErrorKind::ALL.iter().all(|known| known.as_str() != **kind)).collect();
        if !missing.is_empty() || !stale.is_empty() || !unknown.is_empty() {
            return Err(format!("without a case: {missing:?}; said to have none: {stale:?}; no kinds at all: {unknown:?}").into());
        }
        Ok(())
    };
    vec![Trial::test("every export has a case", exports), Trial::test("every kind of error has a case", errors)]
}
