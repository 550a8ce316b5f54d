//! Runs conformance/hostile/misdeeds.json against this host: each misdeed in a call, in one on a
//! fiber, and in `_initialize`; and in a call and the initialisation of the same guest as a
//! component.

#[path = "../common/mod.rs"]
mod common;
mod home;
mod source;
mod table;

use std::process::ExitCode;
use std::time::Instant;

use crate::common::hostile_guest::{self, ENOUGH, LIMIT, component, options, plugin};
use libtest_mimic::{Arguments, Failed, Trial};
use source::Places;
use table::Case;
use undergo::{CallOptions, Error, ErrorKind, Instance, Plugin, Value};

type Guest = fn() -> &'static Plugin;
type Way = fn(&'static Plugin, &Case, &Places) -> Result<(), String>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (cases, places) = match table::read().and_then(|cases| Ok((cases, source::read()?))) {
        Ok(read) => read,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = vec![
        Trial::test("each misdeed has a case", {
            let cases = cases.clone();
            move || Ok(table::covers(&cases)?)
        }),
        Trial::test("each marked line is asked for", {
            let (cases, places) = (cases.clone(), places.clone());
            move || Ok(places.are_used(&cases)?)
        }),
    ];
    for case in cases {
        let name = format!("{}({})", case.misdeed, case.n);
        let ways: [(&str, Guest, Way); 5] = [
            ("a call", plugin, in_a_call),
            ("on a fiber", plugin, on_a_fiber),
            ("in init", plugin, in_init_function),
            ("a call of the component", component, |plugin, case, places| in_a_call(plugin, &case.of_component(), places)),
            ("in init of the component", component, |plugin, case, places| in_init_function(plugin, &case.of_component(), places)),
        ];
        for (way, guest, run) in ways {
            let (case, places) = (case.clone(), places.clone());
            trials.push(Trial::test(format!("{way}: {name}"), move || run(guest(), &case, &places).map_err(Failed::from)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A misdeed in a call: what it ends with, that its instance is dead of it or lives, and that no
/// other instance notices.
fn in_a_call(plugin: &'static Plugin, case: &Case, places: &Places) -> Result<(), String> {
    let instance = plugin.instantiate(options(None)).map_err(|error| format!("{error:?}"))?;
    let call = CallOptions { timeout: Some(if case.is_timeout() { LIMIT } else { ENOUGH }), ..common::PLAIN };
    let began = Instant::now();
    let result = instance.call("do", &[case.misdeed.as_str().into(), Value::Int(case.n)], &call);
    let took = began.elapsed();
    match result {
        Ok(value) => {
            case.returns()?;
            same("the result", &value, &"done".into())?;
            works(&instance)?;
        }
        Err(error) => {
            case.ends_with(&error)?;
            places.check(&case.misdeed, &error)?;
            dead_of(&instance, &error)?;
        }
    }
    if case.is_timeout() && (took < LIMIT || took > ENOUGH) {
        return Err(format!("it took {took:?}"));
    }
    others_work(plugin)
}

/// The same in a call that suspends: whichever way a call runs, its end is the same.
fn on_a_fiber(plugin: &'static Plugin, case: &Case, places: &Places) -> Result<(), String> {
    let call = CallOptions { timeout: Some(if case.is_timeout() { LIMIT } else { ENOUGH }), ..common::PLAIN };
    let args = [case.misdeed.as_str().into(), Value::Int(case.n)];
    let (result, again) = home::run(async move {
        let instance = plugin.instantiate_async(options(None), &common::PLAIN).await?;
        let result = instance.call("do", &args, &call).await;
        Ok((result, instance.call("work", &[Value::Int(100)], &common::PLAIN).await))
    })
    .map_err(|error: Error| format!("{error:?}"))?;
    match result {
        Ok(value) => {
            case.returns()?;
            same("the result", &value, &"done".into())?;
            same("the sum of squares", &again.map_err(|error| format!("{error:?}"))?, &Value::Int(338_350))?;
        }
        Err(error) => {
            case.ends_with(&error)?;
            places.check(&case.misdeed, &error)?;
            same("the kind of the next", &again.err().map(|dead| dead.kind()), &Some(ErrorKind::DeadInstance))?;
        }
    }
    others_work(plugin)
}

/// The same in `_initialize`: there is no instance then, and the error is that of the call.
fn in_init_function(plugin: &'static Plugin, case: &Case, places: &Places) -> Result<(), String> {
    let mut options = options(Some((&case.misdeed, case.n)));
    options.limits.timeout = Some(if case.is_timeout() { LIMIT } else { ENOUGH });
    let began = Instant::now();
    match plugin.instantiate(options) {
        Ok(instance) => {
            case.returns()?;
            works(&instance)?;
        }
        Err(error) => {
            case.ends_with(&error)?;
            places.check(&case.misdeed, &error)?;
        }
    }
    let took = began.elapsed();
    if case.is_timeout() && (took < LIMIT || took > ENOUGH) {
        return Err(format!("it took {took:?}"));
    }
    others_work(plugin)
}

/// It answers no call, says what its end was, and gives what the first error gave.
fn dead_of(instance: &Instance, cause: &Error) -> Result<(), String> {
    let Err(dead) = instance.call("work", &[Value::Int(3)], &common::PLAIN) else { return Err("the dead instance answered".into()) };
    same("the kind", &dead.kind(), &ErrorKind::DeadInstance)?;
    same("the frames", &dead.frames(), &cause.frames())?;
    same("the exit code", &dead.exit_code(), &cause.exit_code())?;
    let text = format!("{}: {}", cause.kind(), cause.message());
    if !dead.message().contains(&text) {
        return Err(format!("{text:?} is not in {:?}", dead.message()));
    }
    same("dead()", &instance.dead().map(|dead| dead.message().to_owned()).as_deref(), &Some(dead.message()))
}

/// One that has been alive all along, and a new one.
fn others_work(plugin: &Plugin) -> Result<(), String> {
    works(hostile_guest::bystander())?;
    works(&plugin.instantiate(options(None)).map_err(|error| format!("{error:?}"))?)
}

fn works(instance: &Instance) -> Result<(), String> {
    let sum = instance.call("work", &[Value::Int(100)], &common::PLAIN).map_err(|error| format!("a well-behaved call: {error:?}"))?;
    same("the sum of squares", &sum, &Value::Int(338_350))
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got:?}, and should be {wanted:?}")) }
}
