//! Names of one place, each taken once.

use std::collections::BTreeSet;

/// The names that are taken in one place: the parameters of a function, say, or the members of a class.
#[derive(Clone, Default)]
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    pub(super) fn new<'t>(taken: impl IntoIterator<Item = &'t str>) -> Scope {
        Scope(taken.into_iter().map(str::to_owned).collect())
    }

    /// The name, or one like it that is not taken; now it is.
    pub(super) fn take(&mut self, mut name: String) -> String {
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// The same where the name may stand between backquotes.
    pub(super) fn take_quoted(&mut self, mut name: String) -> String {
        while !self.0.insert(name.clone()) {
            match name.strip_suffix('`') {
                Some(inner) => name = format!("{inner}_`"),
                None => name.push('_'),
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once() {
        let mut scope = Scope::new(["a", "`in`"]);
        assert_eq!(["a", "a", "b"].map(|name| scope.take(name.to_owned())), ["a_", "a__", "b"]);
        assert_eq!(["`in`", "c", "c"].map(|name| scope.take_quoted(name.to_owned())), ["`in_`", "c", "c_"]);
    }
}
