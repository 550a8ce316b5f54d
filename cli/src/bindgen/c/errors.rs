//! Errors with fields, typed.

use std::fmt::Write as _;

use undergo::interface::{RecordType, Type, TypeKind};

use super::text::{comment, literal};
use super::types::Types;

/// Writes the two functions of each error: one that reads its fields, and one that makes it.
pub(super) fn functions(types: &mut Types, of: &[Type], out: &mut String) {
    for ty in of {
        if let TypeKind::Record(record) = &ty.kind
            && record.is_error
        {
            error(types, record, ty.digest(), out);
        }
    }
}

fn error(types: &mut Types, record: &RecordType, digest: u64, out: &mut String) {
    let shown = types.record(record);
    let [read, make] = ["error-as", "error"].map(|prefix| types.name(&format!("{prefix}-{}", record.name)));
    let name = &record.name;
    comment(
        out,
        0,
        &format!(
            "The fields of the outermost {name} that the error is or wraps, as errors.As finds it in Go; NULL if there is none. They live as long as the error."
        ),
    );
    let _ = writeln!(
        out,
        "static inline const {shown} *{read}(const undergo_error_t *error) {{
  return (const {shown} *)undergo_error_find(error, UINT64_C({digest:#018x}));
}}
"
    );
    comment(
        out,
        0,
        &format!(
            "A {name} for a host function to return, alone or in undergo_error_wrap. The message and the struct are copied; what the struct points to may lie in the arena of the function, or anywhere else where it lives until the function has returned."
        ),
    );
    let _ = writeln!(
        out,
        "static inline undergo_error_t *{make}(const char *message, const {shown} *fields) {{
  undergo_chained_t own;
  own.text.ptr = NULL;  // the message
  own.text.len = 0;
  own.name = {};
  own.digest = UINT64_C({digest:#018x});
  own.fields = fields;
  own.size = sizeof(*fields);
  own.value = NULL;
  return undergo_error_with_chain(undergo_error_new(message), &own, 1);
}}
",
        literal(name)
    );
}
