//! What a function takes and gives, in C.

use undergo::host::HostCall;
use undergo::interface::Function;
use undergo::{Error, ErrorKind, Result};

use crate::layout::{Fields, Layout};
use crate::plain;

/// The layouts of a function. Kept beside the function, for all calls.
pub(crate) struct Shape {
    pub(crate) digest: u64,
    pub(crate) params: Fields,
    pub(crate) result: Option<Layout>,
    /// The parameters of a function whose arguments can go straight to the guest.
    pub(crate) plain: Option<Vec<plain::Param>>,
    /// How a result is written that is a number.
    pub(crate) number: Option<plain::Number>,
    /// Whether the result points to anything.
    pub(crate) has_nested: bool,
}

impl Shape {
    /// The shape of a function. `None` when another host has put something of its own beside it.
    #[inline]
    pub(crate) fn of(function: &Function) -> Option<&Shape> {
        function.extension.get_or_init(|| {
            let result = function.result.as_ref().map(Layout::of);
            let params = Fields::of(function.params.iter().map(|param| &param.ty));
            Shape {
                digest: function.digest(),
                plain: plain::params(function, &params.items),
                number: result.as_ref().and_then(plain::Number::of),
                params,
                has_nested: result.as_ref().is_some_and(Layout::has_nested),
                result,
            }
        })
    }

    /// That of the import that is called, by a host function for the one of that digest.
    pub(crate) fn called<'c>(call: &HostCall<'c>, digest: u64) -> Result<&'c Shape> {
        Shape::of(call.function())
            .filter(|shape| shape.digest == digest)
            .ok_or_else(|| Error::new(ErrorKind::SignatureMismatch, "the host function was made for another signature"))
    }
}

#[cfg(test)]
mod tests {
    use undergo::interface::Interface;

    use super::*;
    use crate::layout::Kind;

    #[test]
    fn structs_lie_as_c_has_them() {
        let wit = "package go:t;\n\nworld t {\n  record r { a: u8, b: f64, c: bool, d: option<string>, e: s16 }\n  \
                   enum color { red, green }\n  export f: func(a: bool, b: r, c: list<r>, d: color, e: tuple<u8, u16>) -> tuple<s8, s32>;\n}\n";
        let interface = Interface::parse(wit).expect("it is WIT");
        let shape = Shape::of(&interface.exports[0]).expect("nobody else has its own");
        let offsets: Vec<usize> = shape.params.items.iter().map(|(at, _)| *at).collect();
        assert_eq!(offsets, [0, 8, 48, 64, 68]);
        assert_eq!((shape.params.size, shape.params.align), (72, 8));
        let Kind::Struct(record) = &shape.params.items[1].1.kind else { panic!("a record is a struct") };
        assert_eq!(record.items.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 8, 16, 24, 32]);
        assert_eq!(shape.result.as_ref().map(|result| (result.size, result.align)), Some((8, 4)));
        assert!(!shape.has_nested && shape.params.items[1].1.has_nested());
    }
}
