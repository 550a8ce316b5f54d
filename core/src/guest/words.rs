//! A cache of `TypedFunc`s for exports with 32-bit parameters, such as pointers and lengths, that
//! are called on a fiber.

use wasmtime::{AsContext, Func, StoreContextMut, TypedFunc};

use crate::guest::state::State;

/// Defines a type for functions with each number of parameters, up to the maximum
/// ([`MOST_WORDS`](crate::interface::MOST_WORDS)).
macro_rules! functions {
    ($($gives:ident $quiet:ident $count:literal ($($word:ident)*);)*) => {
        /// A function whose parameters, and result if any, have 32 bits. Its type was checked once:
        /// checking it for each call would take a tenth of a small call.
        pub(crate) enum Words {
            $(
                $gives(TypedFunc<($(word!($word),)*), i32>),
                $quiet(TypedFunc<($(word!($word),)*), ()>),
            )*
        }

        impl Words {
            /// # Errors
            ///
            /// If the function has other parameters or another result.
            pub(crate) fn of(store: impl AsContext, func: Func, count: usize, has_result: bool) -> wasmtime::Result<Words> {
                match (count, has_result) {
                    $(
                        ($count, true) => func.typed(store).map(Words::$gives),
                        ($count, false) => func.typed(store).map(Words::$quiet),
                    )*
                    _ => Err(wasmtime::format_err!("undergo itself failed: {count} words are too many")),
                }
            }

            /// Calls it with its parameters. Returns its result, or 0 if it has none.
            pub(crate) async fn call(&self, store: &mut StoreContextMut<'_, State>, words: &[i32]) -> wasmtime::Result<i32> {
                match (self, words) {
                    $(
                        (Words::$gives(func), &[$($word),*]) => func.call_async(store, ($($word,)*)).await,
                        (Words::$quiet(func), &[$($word),*]) => func.call_async(store, ($($word,)*)).await.map(|()| 0),
                    )*
                    _ => Err(wasmtime::format_err!("undergo itself failed: the function does not take {} words", words.len())),
                }
            }
        }
    };
}

macro_rules! word {
    ($word:ident) => {
        i32
    };
}

functions! {
    Gives0 Quiet0 0 ();
    Gives1 Quiet1 1 (a);
    Gives2 Quiet2 2 (a b);
    Gives3 Quiet3 3 (a b c);
    Gives4 Quiet4 4 (a b c d);
}
