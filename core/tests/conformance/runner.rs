//! Cases, steps, and which instance they run in.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::PoisonError;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;
use undergo::host::ToValue;
use undergo::interface::{Side, Type, TypeKind};
use undergo::{ChainedError, Error, Handle, Instance, Limits, Plugin, Value};

use crate::common::host::Hosted;
use crate::common::{self, PLAIN};
use crate::flows::{self, Items, Written};
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
    handles: Option<u32>,
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

/// What is done, and what it should come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) call: Option<String>,
    /// The name of the kept object that the call is a method of.
    on: Option<String>,
    new: Option<String>,
    close: Option<String>,
    /// The name of the kept iterator of which the next item is taken.
    next: Option<String>,
    #[serde(default)]
    end: bool,
    /// The name of the kept stream from which up to `most` bytes are read, or to which `data` is
    /// written.
    read: Option<String>,
    #[serde(default)]
    most: usize,
    write: Option<String>,
    data: Option<Json>,
    /// The name of the stream of the runner's of which it is asked what was written to it.
    written: Option<String>,
    #[serde(default)]
    reset: bool,
    #[serde(default)]
    args: Vec<Json>,
    #[serde(default)]
    r#in: Place,
    /// `None` when the key is absent; a `null` is a value.
    #[serde(default, deserialize_with = "present")]
    result: Option<Json>,
    pub(crate) error: Option<ExpectedError>,
    alive: Option<bool>,
    #[serde(default)]
    needs: Vec<String>,
}

/// Which of the instances of a case a step is about.
#[derive(Clone, Copy, Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Place {
    #[default]
    Own,
    Other,
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
    /// All of them need what their file needs.
    pub(crate) fn parse(json: Json, needs: &[String]) -> Result<Case, String> {
        let shown = json.get("name").map(ToString::to_string).unwrap_or_default();
        let told = |error: serde_json::Error| format!("case {shown}: {error}");
        let Json::Object(mut object) = json else { return Err("a case is not an object".into()) };
        if !object.contains_key("steps") {
            let keys = ["call", "new", "args", "result", "error", "alive", "needs"];
            let step = keys.iter().filter_map(|key| Some(((*key).to_owned(), object.remove(*key)?))).collect();
            object.insert("steps".into(), Json::Array(vec![Json::Object(step)]));
        }
        let mut case: WithSteps = serde_json::from_value(Json::Object(object)).map_err(told)?;
        for step in &mut case.steps {
            step.needs.extend(case.needs.iter().chain(needs).cloned());
            if step.result.is_some() && step.error.is_some() {
                return Err(format!("case {shown}: a step has either a result or an error"));
            }
            let does = [&step.call, &step.new, &step.close, &step.next, &step.read, &step.write, &step.written];
            if does.into_iter().flatten().count() + usize::from(step.reset) != 1 {
                return Err(format!("case {shown}: a step does one thing"));
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
            let outcome = shared.as_ref().map(|hosted| {
                Run {
                    plugin,
                    case,
                    hosted,
                    other: OnceCell::new(),
                    kept: BTreeMap::new(),
                    items: RefCell::default(),
                    written: RefCell::default(),
                }
                .all()
            });
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
        handles: setup.limits.handles,
        timeout: setup.limits.timeout_ms.map(Duration::from_millis),
        ..Limits::default()
    };
    options.sandbox.env = setup.env.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    options.sandbox.args.clone_from(&setup.args);
    Hosted::new(plugin, options)
}

/// A case that runs.
struct Run<'r> {
    plugin: &'r Plugin,
    case: &'r Case,
    hosted: &'r Hosted,
    other: OnceCell<Hosted>,
    /// By its name, with the instance that it is of.
    kept: BTreeMap<String, (Handle, Place)>,
    /// What was read ahead of iterators, by the name under which they are kept.
    items: RefCell<BTreeMap<String, Items>>,
    /// What was written to streams of the runner's, by their name.
    written: RefCell<BTreeMap<String, Written>>,
}

impl Run<'_> {
    fn all(mut self) -> Result<(), String> {
        // What another handle has taken the name of is closed at the end as well.
        let mut nameless = Vec::new();
        for (i, step) in self.case.steps.iter().enumerate() {
            let kept = self.step(step).map_err(|text| format!("step {} ({}): {text}", i + 1, step.shown()))?;
            let place = self.place(step)?;
            kept.iter().for_each(|(name, _)| drop(self.items.borrow_mut().remove(name)));
            nameless.extend(kept.into_iter().filter_map(|(name, handle)| self.kept.insert(name, (handle, place))));
        }
        self.kept.into_values().chain(nameless).for_each(|(handle, _)| handle.close());
        Ok(())
    }

    fn instance_at(&self, place: Place) -> Result<&Hosted, String> {
        if place == Place::Own {
            return Ok(self.hosted);
        }
        if self.other.get().is_none() {
            let made = instance(self.plugin, &self.case.setup).map_err(|error| format!("no other instance: {error:?}"))?;
            // It was empty.
            let _ = self.other.set(made);
        }
        self.other.get().ok_or_else(|| "no other instance".into())
    }

    fn kept(&self, name: &str) -> Result<&(Handle, Place), String> {
        self.kept.get(name).ok_or_else(|| format!("nothing is kept as {name}"))
    }

    /// Which instance the step is about: an object's own, whatever the step says.
    fn place(&self, step: &Step) -> Result<Place, String> {
        let about = [&step.on, &step.close, &step.next, &step.read, &step.write];
        match about.into_iter().flatten().next() {
            Some(name) => Ok(self.kept(name)?.1),
            None => Ok(step.r#in),
        }
    }

    /// Gives what the step keeps.
    fn step(&self, step: &Step) -> Result<Vec<(String, Handle)>, String> {
        let hosted = self.instance_at(self.place(step)?)?;
        let instance = &hosted.instance;
        if let Some(name) = &step.close {
            let came = instance.close_handle(&self.kept(name)?.0).map(|()| Value::None);
            return check(step, &came, None, instance);
        }
        if let Some(kept) = self.flow(step, instance) {
            return kept;
        }
        let interface = instance.plugin().interface().ok_or("the guest has no interface")?;
        let resource = |name: &str| interface.resources.iter().find(|resource| resource.ty.side == Side::Guest && resource.ty.name == name);
        let (object, member) = match (&step.call, &step.new, &step.on) {
            (Some(method), _, Some(name)) => {
                let handle = &self.kept(name)?.0;
                (Some(handle), Some(interface.resource(handle.ty()).method(method).ok_or("there is no such method")?))
            }
            (_, Some(name), _) => (None, Some(resource(name).and_then(|r| r.constructor.as_ref()).ok_or("there is no such constructor")?)),
            _ => (None, None),
        };
        let export = step.call.as_ref().filter(|_| member.is_none());
        let function = member.or_else(|| interface.export(export?));
        let living = |mark: &values::Mark<'_>| {
            let wanted = mark.resource.map(|ty| interface.resource(ty));
            match (mark.name, mark.inner.as_str()) {
                ("$handle", Some(name)) => self.kept.get(name).and_then(|(handle, place)| match wanted {
                    Some(wanted) if wanted.ty.side == Side::Host => {
                        let giver = &self.instance_at(*place).ok()?.instance;
                        Some(flows::passed_on(giver, handle, wanted))
                    }
                    _ => Some(Value::Handle(handle.clone())),
                }),
                ("$callback", Some(name)) => hosted.callback(name),
                ("$object", Some("store")) => Some(hosted.store()),
                _ => flows::given(mark, wanted?, |name| self.written.borrow_mut().entry(name.to_owned()).or_default().clone()),
            }
        };
        let param = |i: usize| function.and_then(|function| function.params.get(i + usize::from(object.is_some()))).map(|param| &param.ty);
        let arg = |(i, arg)| values::from_json(arg, param(i), Some(&living));
        let args = step.args.iter().enumerate().map(arg).collect::<Result<Vec<Value>, _>>()?;
        let came = match (export, member) {
            (Some(export), _) => instance.call(export, &args, &PLAIN),
            (None, Some(member)) => {
                let all: Vec<Value> = object.map(|handle| Value::Handle(handle.clone())).into_iter().chain(args).collect();
                let number = instance.plugin().member(member).ok_or("it is of another plugin")?;
                instance.call_with(number, &PLAIN, |arguments| arguments.lower_all(all.iter()), |outcome| outcome.lift(&ToValue))
            }
            (None, None) => return Err("a step does one thing".into()),
        };
        let mark = step.result.as_ref().and_then(Json::as_object).and_then(values::marked).map(|(mark, _)| mark);
        let (ty, bytes) = (function.and_then(|function| function.result.as_ref()), flows::bytes_type());
        let ty = match (mark, ty.map(|ty| &ty.kind)) {
            (Some("$items"), Some(TypeKind::Own(resource))) => flows::items_type(interface.resource(resource)),
            (Some("$reader"), _) => Some(&bytes),
            _ => ty,
        };
        check(step, &drained(mark, came, instance), ty, instance)
    }

    /// Does what is no call of the guest's functions by their names, if the step is about that.
    fn flow(&self, step: &Step, instance: &Instance) -> Option<Result<Vec<(String, Handle)>, String>> {
        let bytes = flows::bytes_type();
        let handle = |name: &str| self.kept(name).map(|(handle, _)| handle);
        let done = || -> Result<Option<Vec<(String, Handle)>>, String> {
            let (came, ty) = if let Some(name) = &step.next {
                let handle = handle(name)?;
                let resource = instance.plugin().interface().map(|all| all.resource(handle.ty())).ok_or("no interface")?;
                let mut all = self.items.borrow_mut();
                let items = match all.entry(name.clone()) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(free) => free.insert(Items::of(resource).ok_or("it is no iterator")?),
                };
                let came = match items.next(instance, handle) {
                    Ok(None) if step.end => Ok(Value::None),
                    Ok(Some(item)) if step.end => return Err(format!("wanted the end, got {item:?}")),
                    Ok(None) => return Err("there are no more items".into()),
                    Ok(Some(item)) => Ok(item),
                    Err(error) => Err(error),
                };
                let item = match flows::items_type(resource).map(|ty| &ty.kind) {
                    Some(TypeKind::List(item)) => Some(&**item),
                    _ => None,
                };
                (came, item)
            } else if let Some(name) = &step.read {
                (flows::read(instance, handle(name)?, step.most).map(Value::Bytes), Some(&bytes))
            } else if let Some(name) = &step.write {
                let data = step.data.as_ref().ok_or("a step that writes has data")?;
                let data = values::from_json(data, Some(&bytes), None)?;
                (flows::method(instance, handle(name)?, "write", &[data]).map(|_| Value::None), None)
            } else if let Some(name) = &step.written {
                let written = self.written.borrow().get(name).cloned().ok_or("there is no such stream")?;
                let written = written.lock().unwrap_or_else(PoisonError::into_inner).clone();
                (Ok(Value::Bytes(written)), Some(&bytes))
            } else if step.reset {
                (instance.reset(&PLAIN).map(|()| Value::None), None)
            } else {
                return Ok(None);
            };
            check(step, &came, ty, instance).map(Some)
        };
        done().transpose()
    }
}

/// The result of a call, with all that an iterator or a stream has in its place, if that is wanted.
fn drained(mark: Option<&str>, came: undergo::Result<Value>, instance: &Instance) -> undergo::Result<Value> {
    match (mark, came?) {
        (Some("$items"), Value::Handle(iterator)) => {
            let resource = instance.plugin().interface().map(|all| all.resource(iterator.ty()));
            let mut all = Vec::new();
            if let Some(mut items) = resource.and_then(Items::of) {
                while let Some(item) = items.next(instance, &iterator)? {
                    all.push(item);
                }
            }
            Ok(Value::List(all))
        }
        (Some("$reader"), Value::Handle(stream)) => flows::read(instance, &stream, usize::MAX).map(Value::Bytes),
        (_, other) => Ok(other),
    }
}

impl Step {
    fn shown(&self) -> String {
        let of = |what: &Option<String>, word: &str| what.as_ref().map(|name| format!("{word}{name}"));
        let all = [(&self.call, ""), (&self.new, "new "), (&self.close, "close "), (&self.next, "next "), (&self.read, "read ")];
        let more = [(&self.write, "write "), (&self.written, "written ")];
        all.into_iter().chain(more).find_map(|(what, word)| of(what, word)).unwrap_or_else(|| "reset".into())
    }
}

/// Gives what the result keeps.
fn check(step: &Step, came: &Result<Value, Error>, ty: Option<&Type>, instance: &Instance) -> Result<Vec<(String, Handle)>, String> {
    let kept = compare(step, came, ty)?;
    let dead = instance.dead();
    if step.alive.is_some_and(|alive| alive == dead.is_some()) {
        return Err(format!("the instance should {}; it has {dead:?}", if dead.is_some() { "live" } else { "be dead" }));
    }
    Ok(kept)
}

fn compare(step: &Step, came: &Result<Value, Error>, ty: Option<&Type>) -> Result<Vec<(String, Handle)>, String> {
    let got = came.as_ref().map(|value| format!("{value:?}").chars().take(300).collect::<String>());
    match (&step.result, &step.error, came) {
        (Some(wanted), _, Ok(value)) => match wanted.as_object().and_then(values::marked) {
            Some(("$items" | "$reader", all)) => values::compare(all, value, ty),
            _ => values::compare(wanted, value, ty),
        },
        (_, Some(wanted), Err(error)) => {
            let text = error.to_string();
            let at = wanted.path.as_ref().is_none_or(|part| text.contains(part) || error.path().contains(part));
            let message = wanted.contains.as_ref().is_none_or(|part| error.message().contains(part));
            if error.kind().as_str() == wanted.kind && at && message {
                return wanted.chain.as_ref().map_or(Ok(()), |chain| check_chain(chain, error.chain())).map(|()| Vec::new());
            }
            Err(format!("wanted {} with {:?} and {:?}, got {error:?}", wanted.kind, wanted.path, wanted.contains))
        }
        (_, Some(wanted), Ok(_)) => Err(format!("wanted {}, got {got:?}", wanted.kind)),
        (None, None, Ok(_)) => Ok(Vec::new()),
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
            values::compare(wanted, fields.value(), Some(&ty)).map(drop).map_err(|text| format!("error {i} of the chain: {text}"))?;
        }
    }
    Ok(())
}
