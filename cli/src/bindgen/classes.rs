//! The names of what a file declares: one for each named type of the plugin and, where a language
//! has classes for them, for the cases of variants; and those of the languages' own constructs
//! around them.

use std::collections::{BTreeMap, BTreeSet};

use undergo::host::{ClassOfCase, classes_of_cases};
use undergo::interface::{Case, Type, VariantType, names};

/// Names in PascalCase, each taken once.
#[derive(Clone)]
pub(super) struct Classes {
    types: BTreeMap<String, String>,
    /// Those of a variant's cases, in order.
    cases: BTreeMap<String, Vec<ClassOfCase>>,
    taken: BTreeSet<String>,
    /// Whether names of capitals are macros perhaps.
    has_macros: bool,
}

/// A case of a variant with the class that stands for it.
pub(super) struct CaseClass<'v> {
    pub(super) case: &'v Case,
    pub(super) class: String,
    /// Whether it is the class of a record: the record is the case's value, and has its name.
    pub(super) is_record: bool,
    /// Whether it belongs to this variant first, and is no record's: the file declares it once.
    pub(super) is_new: bool,
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
        let mut classes = Classes { types: BTreeMap::new(), cases: BTreeMap::new(), taken, has_macros };
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

    /// The same with a class for each case of a variant.
    pub(super) fn with_cases(mut self, types: &[Type]) -> Classes {
        self.cases = classes_of_cases(types, |kebab| self.declare(kebab));
        self
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

    /// The name of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.types.get(kebab).cloned().unwrap_or_else(|| names::pascal(kebab))
    }

    /// The cases of a variant with their classes.
    pub(super) fn cases<'v>(&self, variant: &'v VariantType) -> Vec<CaseClass<'v>> {
        let classes = self.cases.get(&variant.name).into_iter().flatten();
        let named = |(case, class): (&'v Case, &ClassOfCase)| CaseClass {
            case,
            class: self.of_case(class),
            is_record: matches!(class, ClassOfCase::Record(_)),
            is_new: matches!(class, ClassOfCase::New(_)),
        };
        variant.cases.iter().zip(classes).map(named).collect()
    }

    /// The classes of the variants that have a case of that class.
    pub(super) fn variants_of(&self, class: &str) -> Vec<String> {
        let has_it = |(_, cases): &(&String, &Vec<ClassOfCase>)| cases.iter().any(|case| self.of_case(case) == class);
        self.cases.iter().filter(has_it).map(|(variant, _)| self.of(variant)).collect()
    }

    fn of_case(&self, class: &ClassOfCase) -> String {
        match class {
            ClassOfCase::Record(record) => self.of(record),
            ClassOfCase::New(name) | ClassOfCase::Shared(name) => name.clone(),
        }
    }

    /// Whether the file has that name for itself, or may not have it.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use undergo::interface::{Interface, TypeKind};

    use super::*;

    #[test]
    fn each_case_has_the_class_of_what_stands_for_it() {
        let wit = "package a:b; world w {
  record circle { radius: f64 }
  variant one { circle(circle), label(string), some }
  variant two { circle(circle), label(string) }
  export f: func(one: one, two: two);
}";
        let types = Interface::parse(wit).expect("valid").types;
        let classes = Classes::new(&types, ["Some"]).with_cases(&types);
        let shown = |ty: &Type| {
            let TypeKind::Variant(variant) = &ty.kind else { panic!("no variant") };
            let cases = classes.cases(variant);
            cases.into_iter().map(|case| format!("{} {} {}", case.class, case.is_record, case.is_new)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&types[1]), ["Circle true false", "Label false true", "Some_ false true"]);
        assert_eq!(shown(&types[2]), ["Circle true false", "Label false false"]);
        assert_eq!(
            (classes.variants_of("Circle"), classes.variants_of("Some_")),
            (vec!["One".to_owned(), "Two".to_owned()], vec!["One".to_owned()])
        );
    }
}
