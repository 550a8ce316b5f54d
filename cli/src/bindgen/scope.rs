//! The names of one scope, each taken once.

use std::collections::{BTreeMap, BTreeSet};

/// The names that are taken in one place: the parameters of a function, say, or the members of a
/// class.
#[derive(Clone, Default)]
pub(super) struct Scope {
    taken: BTreeSet<String>,
    /// The next number for a name that was wanted many times.
    next: BTreeMap<String, u64>,
}

/// How many underscores a name gets to stand apart. After that it is numbered, so that a plugin
/// with thousands of such names is written in time.
const UNDERSCORES: usize = 3;

impl Scope {
    pub(super) fn new<'t>(taken: impl IntoIterator<Item = &'t str>) -> Scope {
        Scope { taken: taken.into_iter().map(str::to_owned).collect(), next: BTreeMap::new() }
    }

    /// The name, or one like it that is not taken; now it is.
    pub(super) fn take(&mut self, name: String) -> String {
        self.take_as(name, str::to_owned)
    }

    /// The same where the name may stand between backquotes.
    pub(super) fn take_quoted(&mut self, name: String) -> String {
        match name.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            Some(inner) => self.take_as(inner.to_owned(), |inner| format!("`{inner}`")),
            None => self.take(name),
        }
    }

    /// Takes what is written of the name.
    fn take_as(&mut self, mut name: String, written: impl Fn(&str) -> String) -> String {
        let wanted = name.clone();
        for _ in 0..=UNDERSCORES {
            if self.taken.insert(written(&name)) {
                return written(&name);
            }
            name.push('_');
        }
        let next = self.next.entry(wanted.clone()).or_insert(2);
        loop {
            let numbered = written(&format!("{wanted}_{next}"));
            *next += 1;
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once() {
        let mut scope = Scope::new(["a", "`in`"]);
        assert_eq!(["a", "a", "b"].map(|name| scope.take(name.to_owned())), ["a_", "a__", "b"]);
        let many: BTreeSet<String> = (0..2000).map(|_| scope.take("many".to_owned())).collect();
        assert!(many.len() == 2000 && many.iter().all(|name| name.len() < 12));
        assert_eq!(["`in`", "c", "c"].map(|name| scope.take_quoted(name.to_owned())), ["`in_`", "c", "c_"]);
    }
}
