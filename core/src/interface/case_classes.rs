//! What the classes are called that stand for the cases of variants.

use std::collections::{BTreeMap, BTreeSet};

use super::{Type, TypeKind, names};

/// The class that stands for a case of a variant, in a language that has classes for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassOfCase {
    /// That of the record of this name, which is the case's value and has the case's name.
    Record(String),
    /// A class of this name, which belongs to this variant first.
    New(String),
    /// A class of this name, which an earlier variant has as well.
    Shared(String),
}

/// The classes for the cases of each variant, in order, by the variants' names.
///
/// A class that is no record's is called after the case, and variants share it where their cases
/// are the same. Where they differ, or a type has that name, the variant's name is in front of the
/// case's. `declare` makes a name of the language, one that is not taken, of one in kebab-case.
#[must_use]
pub fn classes_of_cases(types: &[Type], mut declare: impl FnMut(&str) -> String) -> BTreeMap<String, Vec<ClassOfCase>> {
    let variants = || types.iter().filter_map(|ty| if let TypeKind::Variant(variant) = &ty.kind { Some(variant) } else { None });
    // A case may have the name of a type in another spelling, which classes do not tell apart.
    let of_types: BTreeSet<String> = types.iter().filter_map(Type::name).map(names::pascal).collect();
    let mut values: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
    for case in variants().flat_map(|variant| &variant.cases) {
        values.entry(&case.name).or_default().insert(case.ty.as_ref().map(ToString::to_string));
    }
    let mut shared: BTreeMap<&str, String> = BTreeMap::new();
    let mut classes = BTreeMap::new();
    for variant in variants() {
        let mut own = Vec::with_capacity(variant.cases.len());
        for case in &variant.cases {
            let is_shared = values[&*case.name].len() == 1 && !of_types.contains(&names::pascal(&case.name));
            own.push(if case.own_record().is_some() {
                ClassOfCase::Record(case.name.clone())
            } else if !is_shared {
                ClassOfCase::New(declare(&format!("{}-{}", variant.name, case.name)))
            } else if let Some(known) = shared.get(&*case.name) {
                ClassOfCase::Shared(known.clone())
            } else {
                let class = declare(&case.name);
                shared.insert(&case.name, class.clone());
                ClassOfCase::New(class)
            });
        }
        classes.insert(variant.name.clone(), own);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::Interface;

    #[test]
    fn cases_that_are_the_same_share_a_class() {
        let wit = "package a:b; world w {
  record circle { radius: f64 }
  variant one { circle(circle), label(string), empty, two(string), some }
  variant two { circle(circle), label(string), empty(string), circle-two }
  export f: func(one: one, two: two);
}";
        let interface = Interface::parse(wit).expect("valid");
        let mut taken = vec!["Some".to_owned()];
        let classes = classes_of_cases(&interface.types, |kebab| {
            let mut name = names::pascal(kebab);
            while taken.contains(&name) {
                name.push('_');
            }
            taken.push(name.clone());
            name
        });
        let circle = ClassOfCase::Record("circle".to_owned());
        let new = |name: &str| ClassOfCase::New(name.to_owned());
        // `two` is also the name of a type, `empty` differs, and `Some` is the language's.
        let one = [circle.clone(), new("Label"), new("OneEmpty"), new("OneTwo"), new("Some_")];
        let two = [circle, ClassOfCase::Shared("Label".to_owned()), new("TwoEmpty"), new("CircleTwo")];
        assert_eq!(classes, BTreeMap::from([("one".to_owned(), one.to_vec()), ("two".to_owned(), two.to_vec())]));
    }

    #[test]
    fn a_case_may_be_spelt_as_no_type_is() {
        let wit = "package a:b; world w { record a1 { x: s8 } variant v { a-1, b(a1) } export f: func(v: v); }";
        let interface = Interface::parse(wit).expect("valid");
        let classes = classes_of_cases(&interface.types, names::pascal);
        assert_eq!(classes["v"], ["VA1", "B"].map(|name| ClassOfCase::New(name.to_owned())));
    }
}
