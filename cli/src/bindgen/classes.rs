//! The names of what a file declares: one for each record and enum of the plugin, and those of the
//! languages' own constructs around them.

use std::collections::{BTreeMap, BTreeSet};

use undergo::interface::{Type, names};

/// Names in PascalCase, each taken once.
#[derive(Clone)]
pub(super) struct Classes {
    types: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    /// Whether names of capitals are macros perhaps.
    has_macros: bool,
}

impl Classes {
    /// Names for these types, none of which is one of `reserved`.
    pub(super) fn new(types: &[Type], reserved: impl IntoIterator<Item = &'static str>) -> Classes {
        Classes::of_language(types, reserved, false)
    }

    /// The same within a class of the file's own, whose name none of them has.
    pub(super) fn within(outer: &str, types: &[Type], reserved: impl IntoIterator<Item = &'static str>) -> Classes {
        let mut classes = Classes::new(&[], reserved);
        classes.taken.insert(outer.to_owned());
        classes.declare_types(types);
        classes
    }

    /// The same for a language in which EOF and NULL are macros.
    pub(super) fn beside_macros(types: &[Type]) -> Classes {
        Classes::of_language(types, [], true)
    }

    fn of_language(types: &[Type], reserved: impl IntoIterator<Item = &'static str>, has_macros: bool) -> Classes {
        let taken = reserved.into_iter().map(str::to_owned).collect();
        let mut classes = Classes { types: BTreeMap::new(), taken, has_macros };
        classes.declare_types(types);
        classes
    }

    fn declare_types(&mut self, types: &[Type]) {
        for ty in types {
            let name = ty.to_string();
            let class = self.declare(&name);
            self.types.insert(name, class);
        }
    }

    /// A new name, after one of WIT.
    pub(super) fn declare(&mut self, kebab: &str) -> String {
        let mut name: String = names::pascal(kebab).chars().filter(char::is_ascii_alphanumeric).collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name.insert_str(0, "Plugin");
        }
        // A name of a bare module may begin with what is left out.
        name[..1].make_ascii_uppercase();
        if self.has_macros && kebab.contains(|c: char| c.is_ascii_uppercase()) && !name.contains(|c: char| c.is_ascii_lowercase()) {
            name.push('_');
        }
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// The name of a record or an enum.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.types.get(kebab).cloned().unwrap_or_else(|| names::pascal(kebab))
    }

    /// Whether the file has that name for itself, or may not have it.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }
}
