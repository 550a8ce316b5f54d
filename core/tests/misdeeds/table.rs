//! The list of misdeeds, and what each must end with.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use undergo::{Error, Value};

use crate::common::hostile_guest;

/// A row of the list. Its `kind` is an error's, or `done` where the misdeed returns.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) misdeed: String,
    #[serde(default)]
    pub(crate) n: i64,
    kind: String,
    #[serde(default)]
    contains: Vec<String>,
    exit_code: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "about")]
    _about: String,
    cases: Vec<Case>,
}

impl Case {
    /// The same of a component, whose exits have no number beyond whether they are a failure.
    pub(crate) fn of_component(&self) -> Case {
        Case { exit_code: self.exit_code.map(|code| code.min(1)), ..self.clone() }
    }

    pub(crate) fn is_timeout(&self) -> bool {
        self.kind == "timeout"
    }

    pub(crate) fn returns(&self) -> Result<(), String> {
        if self.kind == "done" { Ok(()) } else { Err(format!("it returned, and should have ended with {}", self.kind)) }
    }

    pub(crate) fn ends_with(&self, error: &Error) -> Result<(), String> {
        if error.kind().as_str() != self.kind {
            return Err(format!("the kind should be {}: {error:?}", self.kind));
        }
        if error.exit_code() != self.exit_code {
            return Err(format!("the exit code should be {:?}: {error:?}", self.exit_code));
        }
        match self.contains.iter().find(|part| !error.message().contains(*part)) {
            Some(part) => Err(format!("{part:?} is not in {:?}", error.message())),
            None => Ok(()),
        }
    }
}

pub(crate) fn read() -> Result<Vec<Case>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/hostile/misdeeds.json");
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| told(&error))?;
    serde_json::from_str::<Table>(&text).map(|table| table.cases).map_err(|error| told(&error))
}

/// Every misdeed that the guest can do is in the list, and no other.
pub(crate) fn covers(cases: &[Case]) -> Result<(), String> {
    let listed: BTreeSet<&str> = cases.iter().map(|case| case.misdeed.as_str()).collect();
    let names = hostile_guest::bystander().call("names", &[], &crate::common::PLAIN).map_err(|error| format!("{error:?}"))?;
    let Value::List(names) = names else { return Err(format!("no list of names: {names:?}")) };
    let known: BTreeSet<&str> =
        names.iter().filter_map(|name| if let Value::String(name) = name { Some(name.as_str()) } else { None }).collect();
    let differing: Vec<_> = listed.symmetric_difference(&known).collect();
    if differing.is_empty() { Ok(()) } else { Err(format!("in the guest or in misdeeds.json, and not in both: {differing:?}")) }
}
