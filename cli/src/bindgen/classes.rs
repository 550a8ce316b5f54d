//! The names of what a file declares: one for each named type of the plugin and, where a language
//! has classes for them, for the cases of variants; and those of the languages' own constructs
//! around them.

use std::collections::{BTreeMap, BTreeSet};

use undergo::interface::{Case, Type, TypeKind, VariantType, names};

/// Names in PascalCase, each taken once.
#[derive(Clone)]
pub(super) struct Classes {
    types: BTreeMap<String, String>,
    /// Those of a variant's cases, in order.
    cases: BTreeMap<String, Vec<CaseName>>,
    taken: BTreeSet<String>,
    /// Whether names of capitals are macros perhaps.
    has_macros: bool,
}

/// The class that stands for a case of a variant.
#[derive(Clone)]
struct CaseName {
    class: String,
    is_record: bool,
    is_new: bool,
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

    /// The same with a class for each case of a variant: that of the record of the case's name, if
    /// that is its value, and otherwise one that is called after the case. Variants share it where
    /// their cases are the same; where they differ, or a type has the name, the variant's name is
    /// in front of the case's.
    pub(super) fn with_cases(mut self, types: &[Type]) -> Classes {
        let variants = || types.iter().filter_map(variant);
        let shown = |case: &Case| case.ty.as_ref().map(ToString::to_string);
        let mut kinds: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
        for case in variants().flat_map(|variant| &variant.cases) {
            kinds.entry(&case.name).or_default().insert(shown(case));
        }
        let mut shared: BTreeMap<&str, String> = BTreeMap::new();
        for variant in variants() {
            let mut cases = Vec::with_capacity(variant.cases.len());
            for case in &variant.cases {
                let is_record = case.own_record().is_some();
                let is_shared = !self.types.contains_key(&case.name) && kinds[&*case.name].len() == 1;
                let known = if is_record { Some(self.of(&case.name)) } else { shared.get(&*case.name).cloned() };
                let is_new = known.is_none();
                let class = known.unwrap_or_else(|| {
                    self.declare(&if is_shared { case.name.clone() } else { format!("{}-{}", variant.name, case.name) })
                });
                if is_new && is_shared {
                    shared.insert(&case.name, class.clone());
                }
                cases.push(CaseName { class, is_record, is_new });
            }
            self.cases.insert(variant.name.clone(), cases);
        }
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
        let names = self.cases.get(&variant.name).into_iter().flatten();
        let named = |(case, CaseName { class, is_record, is_new }): (&'v Case, &CaseName)| CaseClass {
            case,
            class: class.clone(),
            is_record: *is_record,
            is_new: *is_new,
        };
        variant.cases.iter().zip(names).map(named).collect()
    }

    /// The classes of the variants that have a case of that class.
    pub(super) fn variants_of(&self, class: &str) -> Vec<String> {
        let has_it = |(_, cases): &(&String, &Vec<CaseName>)| cases.iter().any(|case| case.class == class);
        self.cases.iter().filter(has_it).map(|(variant, _)| self.of(variant)).collect()
    }

    /// Whether the file has that name for itself, or may not have it.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }
}

fn variant(ty: &Type) -> Option<&VariantType> {
    if let TypeKind::Variant(variant) = &ty.kind { Some(variant) } else { None }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use undergo::interface::RecordType;

    use super::*;

    fn record(name: &str) -> Type {
        Type::new(TypeKind::Record(Arc::new(RecordType::new(name.to_owned(), String::new(), Vec::new()))))
    }

    fn of_cases(name: &str, cases: &[(&str, Option<Type>)]) -> Type {
        let case = |(name, ty): &(&str, Option<Type>)| Case { name: (*name).to_owned(), docs: String::new(), ty: ty.clone() };
        Type::new(TypeKind::Variant(Arc::new(VariantType::new(name.to_owned(), String::new(), cases.iter().map(case).collect()))))
    }

    #[test]
    fn cases_that_are_the_same_share_a_class() {
        let string = || Some(Type::new(TypeKind::String));
        let circle = record("circle");
        let one =
            of_cases("one", &[("circle", Some(circle.clone())), ("label", string()), ("empty", None), ("two", string()), ("some", None)]);
        let two = of_cases("two", &[("circle", Some(circle.clone())), ("label", string()), ("empty", string()), ("circle-two", None)]);
        let types = [circle, one, two];
        let classes = Classes::new(&types, ["Some"]).with_cases(&types);
        let shown = |ty: &Type| {
            let cases = classes.cases(variant(ty).expect("a variant"));
            cases.into_iter().map(|case| format!("{} {} {}", case.class, case.is_record, case.is_new)).collect::<Vec<_>>()
        };
        // `two` is also the name of a type, `empty` differs, and `Some` is the language's.
        assert_eq!(
            shown(&types[1]),
            ["Circle true false", "Label false true", "OneEmpty false true", "OneTwo false true", "Some_ false true"]
        );
        assert_eq!(shown(&types[2]), ["Circle true false", "Label false false", "TwoEmpty false true", "CircleTwo false true"]);
        assert_eq!(
            (classes.variants_of("Circle"), classes.variants_of("OneEmpty")),
            (vec!["One".to_owned(), "Two".to_owned()], vec!["One".to_owned()])
        );
    }
}
