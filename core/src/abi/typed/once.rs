//! What a check of a type has found already. A type that has another one twice, which has a third
//! one twice, and so on, is otherwise checked as often as a walk comes to the last of them; and one
//! whose methods give objects of it, without end.

use std::cell::RefCell;
use std::collections::HashMap;

use super::GuestType;
use crate::error::Result;
use crate::interface::Type;

/// A type of Rust and one of the interface, by the addresses of a function and of what describes
/// the type. Functions of one address do the same; that a function may have several costs a check.
type Pair = (usize, usize);

thread_local! {
    /// The pairs that fit, or are being checked, while a check is under way. It keeps the types,
    /// whose addresses others would have otherwise.
    static FIT: RefCell<Option<HashMap<Pair, Type>>> = const { RefCell::new(None) };
}

/// The check that has begun first; all is forgotten when it ends.
struct Outermost;

impl Drop for Outermost {
    fn drop(&mut self) {
        FIT.set(None);
    }
}

/// Checks that `T` stands for a type, which is described at that address, if that is not known.
pub(super) fn once<T: GuestType + ?Sized>(ty: &Type, description: usize, check: impl FnOnce() -> Result<()>) -> Result<()> {
    let of_rust: fn(&Type) -> Result<()> = T::check;
    let pair = (of_rust as usize, description);
    let is_first = FIT.with_borrow(Option::is_none);
    let _outermost = is_first.then(|| Outermost);
    if FIT.with_borrow_mut(|fit| fit.get_or_insert_default().insert(pair, ty.clone())).is_some() {
        return Ok(());
    }
    // Others may have been found to fit because this one does.
    check().inspect_err(|_| FIT.set(Some(HashMap::new())))
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::abi::typed::{Cases, Layout, check_record, check_variant};
    use crate::interface::Interface;

    /// A record with two lists of the same.
    struct Both<T>(PhantomData<T>);

    impl<T: GuestType> GuestType for Both<T> {
        const SIZE: u32 = Layout::of([(8, 4), (8, 4)]).size;
        const ALIGN: u32 = 4;

        fn check(ty: &Type) -> Result<()> {
            check_record::<Self>(ty, &[("a", <[T]>::check), ("b", <[T]>::check)])
        }
    }

    /// A variant whose cases have lists of the same.
    struct Either<T>(PhantomData<T>);

    impl<T: GuestType> GuestType for Either<T> {
        const SIZE: u32 = Cases::of(2, [(8, 4)]).size;
        const ALIGN: u32 = 4;

        fn check(ty: &Type) -> Result<()> {
            check_variant::<Self>(ty, &[("a", Some(<[T]>::check)), ("b", Some(<[T]>::check))])
        }
    }

    type Ten<T> = Both<Either<Both<Either<Both<Either<Both<Either<Both<Either<T>>>>>>>>>>;

    /// Thirty types of the interface, each with the next one twice.
    fn nested(last: &str) -> Type {
        let types: String = (0..30)
            .map(|i| {
                let inner = if i == 0 { last.to_owned() } else { format!("t{}", i - 1) };
                if i % 2 == 0 {
                    format!("variant t{i} {{ a(list<{inner}>), b(list<{inner}>) }} ")
                } else {
                    format!("record t{i} {{ a: list<{inner}>, b: list<{inner}> }} ")
                }
            })
            .collect();
        let interface = Interface::parse(&format!("package a:b; world w {{ {types} export f: func(x: t29); }}")).expect("valid");
        interface.exports[0].params[0].ty.clone()
    }

    #[test]
    fn types_that_have_others_twice_are_checked_once() {
        let started = Instant::now();
        assert!(Ten::<Ten<Ten<u8>>>::check(&nested("u8")).is_ok());
        let error = Ten::<Ten<Ten<u8>>>::check(&nested("u16")).expect_err("another type");
        assert_eq!(error.path(), ".a[]".repeat(30), "{error}");
        assert!(FIT.with_borrow(Option::is_none), "all is forgotten");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }
}
