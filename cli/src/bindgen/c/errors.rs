//! Errors with fields, typed.

use undergo::interface::{RecordType, Type, TypeKind};

use super::text::{comment, literal};
use super::types::Types;

/// The two functions of an error: one that reads its fields, and one that makes it.
pub(super) struct Error {
    /// The struct with its fields.
    pub(super) ty: String,
    pub(super) wit: String,
    pub(super) digest: String,
    pub(super) read: String,
    pub(super) about_read: String,
    pub(super) make: String,
    pub(super) about_make: String,
}

pub(super) fn all(types: &mut Types, of: &[Type]) -> Vec<Error> {
    let of_error = |ty: &Type| match &ty.kind {
        TypeKind::Record(record) if record.is_error => Some(error(types, record, ty.digest())),
        _ => None,
    };
    of.iter().filter_map(of_error).collect()
}

fn error(types: &mut Types, record: &RecordType, digest: u64) -> Error {
    let name = &record.name;
    let ty = types.record(record);
    let [read, make] = ["error-as", "error"].map(|prefix| types.name(&format!("{prefix}-{name}")));
    let about_read = format!(
        "The fields of the outermost {name} that the error is or wraps, as errors.As finds it in Go; NULL if there is none. They live as long as the error."
    );
    let about_make = format!(
        "A {name} for a host function to return, alone or in undergo_error_wrap. The message and the struct are copied; what the struct points to may lie in the arena of the function, or anywhere else where it lives until the function has returned."
    );
    Error {
        ty,
        wit: literal(name),
        digest: format!("{digest:#018x}"),
        read,
        about_read: comment(0, &about_read),
        make,
        about_make: comment(0, &about_make),
    }
}
