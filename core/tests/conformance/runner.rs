//! Cases, steps, and which instance they run in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;
use undergo::interface::{Type, TypeKind};
use undergo::{ChainedError, Error, Limits, Plugin, Value};

use crate::common::host::Hosted;
use crate::common::{self, PLAIN};
use crate::{Outcome, values};

/// A case with its steps.
pub(crate) struct Case {
    pub(crate) name: String,
    fresh: bool,
    setup: Setup,
    pub(crate) steps: Vec<Step>,
}

/// What an instance of its own is made with.
#[derive(Default, PartialEq)]
struct Setup {
    limits: CaseLimits,
    env: BTreeMap<String, String>,
    args: Vec<String>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(deny_unknown_fields)]
struct CaseLimits {
    memory_mib: Option<u64>,
    timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithSteps {
    name: String,
    #[serde(default)]
    fresh: bool,
    #[serde(default)]
    limits: CaseLimits,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    args: Vec<String>,
    steps: Vec<Step>,
    #[serde(default)]
    needs: Vec<String>,
}

/// One call and what it should come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) call: String,
    args: Vec<Json>,
    /// `None` when the key is absent; a `null` is a value.
    #[serde(default, deserialize_with = "present")]
    result: Option<Json>,
    pub(crate) error: Option<ExpectedError>,
    alive: Option<bool>,
    #[serde(default)]
    needs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    pub(crate) kind: String,
    path: Option<String>,
    contains: Option<String>,
    chain: Option<Vec<ExpectedLink>>,
}

/// An error of a chain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedLink {
    text: String,
    name: Option<String>,
    fields: Option<Json>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl Case {
    /// Takes a case apart: without `steps`, the keys of its only step stand beside its own.
    pub(crate) fn parse(json: Json) -> Result<Case, String> {
        let shown = json.get("name").map(ToString::to_string).unwrap_or_default();
        let told = |error: serde_json::Error| format!("case {shown}: {error}");
        let Json::Object(mut object) = json else { return Err("a case is not an object".into()) };
        if !object.contains_key("steps") {
            let keys = ["call", "args", "result", "error", "alive", "needs"];
            let step = keys.iter().filter_map(|key| Some(((*key).to_owned(), object.remove(*key)?))).collect();
            object.insert("steps".into(), Json::Array(vec![Json::Object(step)]));
        }
        let mut case: WithSteps = serde_json::from_value(Json::Object(object)).map_err(told)?;
        for step in &mut case.steps {
            step.needs.extend(case.needs.iter().cloned());
            if step.result.is_some() == step.error.is_some() {
                return Err(format!("case {shown}: a step has either a result or an error"));
            }
        }
        let setup = Setup { limits: case.limits, env: case.env, args: case.args };
        Ok(Case { name: case.name, fresh: case.fresh, setup, steps: case.steps })
    }
}

/// Whether this host has what all steps of the case need.
pub(crate) fn is_run(case: &Case, capabilities: &[&str]) -> bool {
    case.steps.iter().flat_map(|step| &step.needs).all(|need| capabilities.contains(&need.as_str()))
}

/// Runs all cases of a file.
pub(crate) fn run(plugin: &Plugin, cases: &[Case], capabilities: &[&str]) -> Vec<Outcome> {
    let mut shared: Option<Hosted> = None;
    cases
        .iter()
        .map(|case| {
            if !is_run(case, capabilities) {
                return None;
            }
            let own = case.setup != Setup::default();
            if case.fresh || own || shared.as_ref().is_some_and(|hosted| hosted.instance.dead().is_some()) {
                shared = None;
            }
            if shared.is_none() {
                match instance(plugin, &case.setup) {
                    Ok(hosted) => shared = Some(hosted),
                    Err(error) => return Some(Err(format!("no instance: {error:?}"))),
                }
            }
            let outcome = shared.as_ref().map(|hosted| steps(case, hosted));
            if own {
                shared = None;
            }
            outcome
        })
        .collect()
}

fn instance(plugin: &Plugin, setup: &Setup) -> undergo::Result<Hosted> {
    let mut options = common::quiet();
    options.limits = Limits {
        memory: setup.limits.memory_mib.map(|mib| mib << 20),
        timeout: setup.limits.timeout_ms.map(Duration::from_millis),
        ..Limits::default()
    };
    options.sandbox.env = setup.env.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    options.sandbox.args.clone_from(&setup.args);
    Hosted::new(plugin, options)
}

fn steps(case: &Case, hosted: &Hosted) -> Result<(), String> {
    for (i, step) in case.steps.iter().enumerate() {
        let at = |text: String| format!("step {} ({}): {text}", i + 1, step.call);
        let function = hosted.instance.plugin().interface().and_then(|interface| interface.export(&step.call));
        let param = |i: usize| function.and_then(|function| function.params.get(i)).map(|param| &param.ty);
        let arg = |(i, arg)| values::from_json(arg, param(i));
        let args = step.args.iter().enumerate().map(arg).collect::<Result<Vec<Value>, _>>().map_err(at)?;
        let came = hosted.instance.call(&step.call, &args, &PLAIN);
        check(step, &came, function.and_then(|function| function.result.as_ref())).map_err(at)?;
        let dead = hosted.instance.dead();
        if step.alive.is_some_and(|alive| alive == dead.is_some()) {
            return Err(at(format!("the instance should {}; it has {dead:?}", if dead.is_some() { "live" } else { "be dead" })));
        }
    }
    Ok(())
}

fn check(step: &Step, came: &Result<Value, Error>, ty: Option<&Type>) -> Result<(), String> {
    let got = came.as_ref().map(|value| format!("{value:?}").chars().take(300).collect::<String>());
    match (&step.result, &step.error, came) {
        (Some(wanted), _, Ok(value)) => values::compare(wanted, value, ty),
        (_, Some(wanted), Err(error)) => {
            let text = error.to_string();
            let at = wanted.path.as_ref().is_none_or(|part| text.contains(part) || error.path().contains(part));
            let message = wanted.contains.as_ref().is_none_or(|part| error.message().contains(part));
            if error.kind().as_str() == wanted.kind && at && message {
                return wanted.chain.as_ref().map_or(Ok(()), |chain| check_chain(chain, error.chain()));
            }
            Err(format!("wanted {} with {:?} and {:?}, got {error:?}", wanted.kind, wanted.path, wanted.contains))
        }
        (_, Some(wanted), Ok(_)) => Err(format!("wanted {}, got {got:?}", wanted.kind)),
        (_, None, _) => Err(format!("wanted a result, got {got:?}")),
    }
}

fn check_chain(wanted: &[ExpectedLink], got: &[ChainedError]) -> Result<(), String> {
    let told = |text: &str| format!("{text}: {:?}", got.iter().map(ChainedError::text).collect::<Vec<_>>());
    if wanted.len() != got.len() {
        return Err(told(&format!("the chain has not {} errors", wanted.len())));
    }
    for (i, (wanted, got)) in wanted.iter().zip(got).enumerate() {
        let fields = got.fields();
        let name = fields.map(|fields| fields.record().name.as_str());
        if wanted.text != got.text() || wanted.name.as_deref() != name {
            return Err(told(&format!("error {i} of the chain is not {:?} {:?}, but {name:?}", wanted.text, wanted.name)));
        }
        if let (Some(wanted), Some(fields)) = (&wanted.fields, fields) {
            let ty = Type::new(TypeKind::Record(fields.record().clone()));
            values::compare(wanted, fields.value(), Some(&ty)).map_err(|text| format!("error {i} of the chain: {text}"))?;
        }
    }
    Ok(())
}
