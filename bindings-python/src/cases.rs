//! The names of the classes that stand for the cases of variants.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use undergo::interface::{Case, Type, TypeKind, VariantType};

use crate::names::class_name;

/// The names for all variants of an interface: that of the case, which variants share where their
/// cases are the same; where they differ, or a type has that name, the variant's is in front of it.
pub(crate) struct CaseNames(HashMap<(String, String), String>);

impl CaseNames {
    pub(crate) fn new(types: &[Type]) -> CaseNames {
        let variants = || types.iter().filter_map(|ty| if let TypeKind::Variant(variant) = &ty.kind { Some(variant) } else { None });
        let named = types.iter().filter_map(|ty| match &ty.kind {
            TypeKind::Record(record) => Some(&record.name),
            TypeKind::Enum(cases) => Some(&cases.name),
            TypeKind::Variant(variant) => Some(&variant.name),
            _ => None,
        });
        let mut taken: BTreeSet<String> = named.map(|name| class_name(name)).collect();
        let of_types = taken.clone();
        let shown = |case: &Case| case.ty.as_ref().map(ToString::to_string);
        let mut kinds: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
        for case in variants().flat_map(|variant| &variant.cases) {
            kinds.entry(&case.name).or_default().insert(shown(case));
        }
        let mut shared: BTreeMap<&str, String> = BTreeMap::new();
        let mut names = HashMap::new();
        for variant in variants() {
            for case in variant.cases.iter().filter(|case| case.own_record().is_none()) {
                let is_shared = kinds[&*case.name].len() == 1 && !of_types.contains(&class_name(&case.name));
                let name = match shared.get(&*case.name) {
                    Some(known) if is_shared => known.clone(),
                    _ => {
                        let kebab = if is_shared { case.name.clone() } else { format!("{}-{}", variant.name, case.name) };
                        let mut name = class_name(&kebab);
                        while !taken.insert(name.clone()) {
                            name.push('_');
                        }
                        name
                    }
                };
                if is_shared {
                    shared.insert(&case.name, name.clone());
                }
                names.insert((variant.name.clone(), case.name.clone()), name);
            }
        }
        CaseNames(names)
    }

    /// The name for a case which no record's class stands for.
    pub(crate) fn of(&self, variant: &VariantType, case: &Case) -> String {
        self.0.get(&(variant.name.clone(), case.name.clone())).cloned().unwrap_or_else(|| class_name(&case.name))
    }
}
