//! What an enum and a variant have in common: the names of their cases.

use super::names::listed;
use super::{EnumType, VariantType};

/// A type whose values are one of several cases: an enum, or a variant.
pub trait Choice {
    /// The type's name, in kebab-case.
    fn name(&self) -> &str;

    /// The cases' names, in kebab-case.
    fn case_names(&self) -> impl ExactSizeIterator<Item = &str>;

    /// The number of the first case whose name is meant.
    fn find_case(&self, is_meant: impl FnMut(&str) -> bool) -> Option<u32> {
        self.case_names().position(is_meant).and_then(|number| u32::try_from(number).ok())
    }

    /// The number of the case of that name.
    fn case(&self, name: &str) -> Option<u32> {
        self.find_case(|case| case == name)
    }

    /// The end of an error about an unknown case: the known ones.
    fn unknown_case(&self, name: &str) -> String {
        format!("{name:?} is not a case of {}: {}", self.name(), listed(self.case_names()))
    }
}

impl Choice for EnumType {
    fn name(&self) -> &str {
        &self.name
    }

    fn case_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cases.iter().map(|(name, _)| name.as_str())
    }
}

impl Choice for VariantType {
    fn name(&self) -> &str {
        &self.name
    }

    fn case_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cases.iter().map(|case| case.name.as_str())
    }
}
