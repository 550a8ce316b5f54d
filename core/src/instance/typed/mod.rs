//! Rust's own types, by serde: written straight into the block of a call, and read straight from
//! guest memory.
//!
//! Structs are records, by field names (`user_id` is `user-id`); unit variants are enum cases
//! (`DarkBlue` is `dark-blue`); `Option`, `Vec`, maps, tuples and numbers are the types of the same
//! name. A duration is an integer of nanoseconds, a time a struct of `seconds`, `nanoseconds` and
//! `offset`, and a value of the type `json` is its text.

mod de;
mod ser;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::CallOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Instance;
use crate::instance::arguments::Arguments;
use crate::interface::{Field, RecordType, Scalar, Type, TypeKind};
use crate::platform::fork::Lasting;

impl Instance {
    /// Calls an export with Rust values: a tuple of the arguments in order (`(a,)` for one, `()`
    /// for none).
    ///
    /// # Errors
    ///
    /// `unknown-export`; `type-mismatch` if an argument does not fit its parameter, or the result
    /// does not fit `R`; and whatever the call ends with.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use undergo::{CallOptions, Instance};
    /// #[derive(serde::Serialize)]
    /// struct Person<'a> {
    ///     name: &'a str,
    ///     tags: Vec<&'a str>,
    /// }
    ///
    /// # fn example(greeter: &Instance) -> undergo::Result<()> {
    /// let ada = Person { name: "Ada", tags: vec![] };
    /// let text: String = greeter.call_typed("greet", &(ada, true), &CallOptions::default())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_typed<R: DeserializeOwned>(&self, name: &str, args: &impl Serialize, options: &CallOptions) -> Result<R> {
        let mut arguments = self.arguments(self.plugin().export(name)?)?;
        arguments.lower_typed(args)?;
        arguments.call(self, options, |outcome| outcome.lift_with(de::read))
    }
}

impl Arguments<'_, '_> {
    /// Lowers all arguments: a tuple of them, in order.
    fn lower_typed(&mut self, args: &impl Serialize) -> Result<()> {
        let (function, block) = self.parts();
        let place = ser::Place { block, ty: &function.abi.params_type, at: 0 };
        args.serialize(place).map_err(|failed| failed.0.in_function(&function.name))
    }
}

/// The shape of a time, as a record.
fn time_record() -> &'static RecordType {
    static RECORD: Lasting<RecordType> = Lasting::new();
    RECORD.get_or_make(|| {
        let field = |name: &str, scalar| Field { name: name.to_owned(), docs: String::new(), ty: Type::new(TypeKind::Scalar(scalar)) };
        let fields = vec![field("seconds", Scalar::S64), field("nanoseconds", Scalar::U32), field("offset", Scalar::S32)];
        RecordType::new("time".to_owned(), String::new(), fields)
    })
}

/// Serde's errors, as errors of this crate.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) Error);

impl Failed {
    pub(crate) fn new(text: impl Into<String>) -> Failed {
        Failed(Error::new(ErrorKind::TypeMismatch, text))
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

impl serde::ser::Error for Failed {
    fn custom<T: std::fmt::Display>(message: T) -> Failed {
        Failed::new(message.to_string())
    }
}

impl serde::de::Error for Failed {
    fn custom<T: std::fmt::Display>(message: T) -> Failed {
        Failed::new(message.to_string())
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed(error)
    }
}

/// Whether a Rust name stands for that WIT name.
pub(crate) fn is_same(rust: &str, kebab: &str) -> bool {
    rust.len() == kebab.len() && rust.bytes().zip(kebab.bytes()).all(|(r, k)| r == k || (r == b'_' && k == b'-'))
}
