//! Functions of words of 32 bits, as pointers and lengths are, that are called on a fiber.

use wasmtime::{AsContext, Func, StoreContextMut, TypedFunc};

use crate::guest::state::State;

/// Makes a type of the functions whose parameters are so many words, up to the most that there may be ([`MOST_WORDS`](crate::interface::MOST_WORDS)).
macro_rules! functions {
    ($($gives:ident $quiet:ident $count:literal ($($word:ident)*);)*) => {
        /// A function whose parameters are words, and its result, if it has any, is one. What it takes is known: to find that out for each call would be a tenth
        /// of a small one.
        pub(crate) enum Words {
            $(
                $gives(TypedFunc<($(word!($word),)*), i32>),
                $quiet(TypedFunc<($(word!($word),)*), ()>),
            )*
        }

        impl Words {
            /// # Errors
            ///
            /// When the function has other parameters, or another result.
            pub(crate) fn of(store: impl AsContext, func: Func, count: usize, has_result: bool) -> wasmtime::Result<Words> {
                match (count, has_result) {
                    $(
                        ($count, true) => func.typed(store).map(Words::$gives),
                        ($count, false) => func.typed(store).map(Words::$quiet),
                    )*
                    _ => Err(wasmtime::format_err!("undergo itself failed: {count} words are too many")),
                }
            }

            /// Calls it with as many words as it takes. Gives its result, 0 where it has none.
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
