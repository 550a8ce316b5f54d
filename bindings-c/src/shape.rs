//! What a function takes and gives, in C.

use undergo::host::HostCall;
use undergo::interface::{Field, Function, Side, TypeKind};
use undergo::{Error, ErrorKind, Result};

use crate::layout::{Fields, Kind, Layout};
use crate::plain;

/// The layouts of a function. Kept beside the function, for all calls.
pub(crate) struct Shape {
    pub(crate) digest: u64,
    pub(crate) params: Fields,
    pub(crate) result: Option<Layout>,
    /// The parameters of a function whose arguments can go straight to the guest.
    pub(crate) plain: Option<Vec<plain::Param>>,
    /// Whether those of a host function can be taken so: not where objects are among them.
    pub(crate) takes_plain: bool,
    /// How a result is written that is a number.
    pub(crate) number: Option<plain::Number>,
    /// Whether a result is text, and not JSON.
    pub(crate) is_text: bool,
    /// Whether the result of an export points to anything that lies in an arena: what comes back of
    /// the host's objects does, too.
    pub(crate) has_nested: bool,
}

impl Shape {
    /// The shape of a function. `None` when another host has put something of its own beside it.
    #[inline]
    pub(crate) fn of(function: &Function) -> Option<&Shape> {
        function.extension.get_or_init(|| {
            let result = function.result.as_ref().map(Layout::of);
            let has_objects = function.result.as_ref().is_some_and(|ty| ty.holds_handles_of(Side::Host));
            let params = Fields::of(params(function).iter().map(|param| &param.ty));
            Shape {
                digest: function.digest(),
                plain: plain::params(function, &params.items),
                takes_plain: function.takes_plain(),
                is_text: function.result.as_ref().is_some_and(|ty| matches!(ty.kind, TypeKind::String)),
                number: result.as_ref().and_then(plain::Number::of),
                params,
                has_nested: has_objects || result.as_ref().is_some_and(Layout::has_nested),
                result,
            }
        })
    }

    /// What an iterator's `next` gives in its list: the layout of one.
    pub(crate) fn item(&self) -> Option<&Layout> {
        let Kind::Struct(result) = &self.result.as_ref()?.kind else { return None };
        let [(0, list), (_, Layout { kind: Kind::Bool, .. })] = result.items.as_slice() else { return None };
        if let Kind::List(item) = &list.kind { Some(item) } else { None }
    }

    /// That of the import, or of the method of a host's object, that is called, by a host function
    /// for the one of that digest.
    pub(crate) fn called<'c>(call: &HostCall<'c>, digest: u64) -> Result<&'c Shape> {
        Shape::of(call.function())
            .filter(|shape| shape.digest == digest)
            .ok_or_else(|| Error::new(ErrorKind::SignatureMismatch, "the host function was made for another signature"))
    }
}

/// What the struct of the arguments has: a method of a host's object gets no object, which it
/// knows.
pub(crate) fn params(function: &Function) -> &[Field] {
    let is_hosts = |param: &Field| matches!(&param.ty.kind, TypeKind::Borrow(resource) if resource.side == Side::Host);
    if function.is_method && function.params.first().is_some_and(is_hosts) { function.own_params() } else { &function.params }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use undergo::Value;
    use undergo::host::{GuestMemory, ToValue, lift_bytes, lower_bytes};
    use undergo::interface::Interface;

    use super::*;
    use crate::arena::Arena;
    use crate::lift::Filling;
    use crate::lower::Place;
    use crate::types::List;

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

    const VARIANTS: &str = "package go:t;\n\nworld t {\n  record circle { radius: f64 }\n  \
                            variant shape { circle(circle), label(string), tiny(u8), empty }\n  \
                            variant small { a(bool), b(u8) }\n  variant bare { none, some }\n  \
                            export f: func(a: bool, b: shape, c: small, d: bare, e: option<shape>) -> list<shape>;\n}\n";

    #[test]
    fn variants_lie_as_c_has_them() {
        let interface = Interface::parse(VARIANTS).expect("it is WIT");
        let shape = Shape::of(&interface.exports[0]).expect("nobody else has its own");
        let place = |i: usize| {
            let (at, layout) = &shape.params.items[i];
            let union = if let Kind::Variant(cases) = &layout.kind { cases.union } else { 0 };
            (*at, layout.size, layout.align, union)
        };
        assert_eq!(place(1), (8, 24, 8, 8));
        assert_eq!(place(2), (32, 8, 4, 4));
        assert_eq!(place(3), (40, 4, 4, 4));
        assert_eq!(place(4), (48, 8, 8, 0));
        assert!(shape.params.items[1].1.has_nested() && !shape.params.items[2].1.has_nested());
    }

    /// A shape, as C has it.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Given {
        tag: i32,
        circle: f64,
        rest: usize,
    }

    fn lowered(given: &Given) -> Result<Value> {
        let interface = Interface::parse(VARIANTS).expect("it is WIT");
        let ty = &interface.exports[0].params[1].ty;
        let layout = Layout::of(ty);
        // SAFETY: the struct is as the layout, and what a case would point to is not read.
        let (bytes, memory) = lower_bytes(ty, &unsafe { Place::new((&raw const *given).cast(), &layout) }, 0)?;
        lift_bytes(ty, GuestMemory::new(&memory), &bytes, &ToValue)
    }

    #[test]
    fn a_case_that_is_none_is_refused() {
        let empty = Given { tag: 3, circle: 1.5, rest: 7 };
        assert_eq!(lowered(&empty).expect("it fits"), Value::Variant("empty".to_owned(), None));
        for tag in [4, -1, i32::MIN, i32::MAX, 256] {
            let error = lowered(&Given { tag, ..empty }).expect_err("there is no such case");
            assert_eq!(error.kind(), ErrorKind::TypeMismatch);
            assert_eq!(error.message(), format!("{tag} is not a case of shape, whose cases are 0 to 3"));
        }
        // A text of seven bytes at NULL.
        let error = lowered(&Given { tag: 1, circle: 0.0, rest: 7 }).expect_err("there is no text");
        assert_eq!((error.kind(), error.path()), (ErrorKind::TypeMismatch, ".label".to_owned()));
    }

    #[test]
    fn variants_cross_both_ways() {
        let interface = Interface::parse(VARIANTS).expect("it is WIT");
        let ty = interface.exports[0].result.as_ref().expect("there is a result");
        let layout = Layout::of(ty);
        let case = |name: &str, value| Value::Variant(name.to_owned(), Option::map(value, Box::new));
        let circle = Value::Record(vec![("radius".to_owned(), Value::Float(1.5))]);
        let shapes = Value::List(vec![
            case("circle", Some(circle)),
            case("label", Some("x".into())),
            case("tiny", Some(Value::Int(7))),
            case("empty", None),
        ]);
        let (bytes, memory) = lower_bytes(ty, &&shapes, 0).expect("it fits");
        let arena = RefCell::new(Arena::new());
        let mut list = List { ptr: std::ptr::null(), len: 0 };
        // SAFETY: a list lies there.
        let filling = unsafe { Filling::value(&layout, (&raw mut list).cast(), &arena) };
        lift_bytes(ty, GuestMemory::new(&memory), &bytes, &filling).expect("there is memory");
        // SAFETY: the list has been filled with as many, and their memory lives.
        let given = unsafe { std::slice::from_raw_parts(list.ptr.cast::<Given>(), list.len) };
        assert_eq!(given.iter().map(|shape| shape.tag).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!((given[0].circle - 1.5).abs() < f64::EPSILON);
        // SAFETY: as above.
        let (bytes, memory) = lower_bytes(ty, &unsafe { Place::new((&raw const list).cast(), &layout) }, 0).expect("it fits");
        assert_eq!(lift_bytes(ty, GuestMemory::new(&memory), &bytes, &ToValue).expect("it is as it was"), shapes);
    }
}
