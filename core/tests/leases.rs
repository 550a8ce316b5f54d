//! A result that a host function keeps beyond its end.

mod common;

use std::cell::RefCell;
use std::sync::OnceLock;

use common::{PLAIN, conformance, expect, quiet};
use undergo::{ErrorKind, Instance, Returned, ToValue, Value};

static INSTANCE: OnceLock<Instance> = OnceLock::new();

thread_local!(static KEPT: RefCell<Option<Returned<'static>>> = const { RefCell::new(None) });

#[test]
fn a_result_that_outlives_its_host_function_is_cut_off() {
    let plugin = conformance();
    let mut options = quiet();
    for (module, function) in plugin.imports() {
        options.imports.func(module, function.name.clone(), |_| {
            let instance = INSTANCE.get().ok_or_else(|| common::host::fail("too early"))?;
            let value = Value::from("kept");
            let mut arguments = instance.arguments(instance.plugin().export("echo-string")?)?;
            arguments.lower(0, &&value)?;
            let returned = arguments.call(instance, &PLAIN)?;
            // While the result is out, the instance can't be called again.
            expect(&instance.call("counter", &[], &PLAIN).expect_err("it is out"), ErrorKind::Busy, &["in the middle of a call"]);
            KEPT.set(Some(returned));
            Ok(Value::Int(1))
        });
    }
    let instance = INSTANCE.get_or_init(|| plugin.instantiate(options).expect("an instance"));
    assert_eq!(instance.call("reenter", &[Value::Int(2)], &PLAIN).expect("the outer call"), Value::Int(1));
    let kept = KEPT.take().expect("a result");
    expect(&kept.lift(&ToValue).expect_err("its time is over"), ErrorKind::Busy, &["until that function returns"]);
    assert_eq!(instance.call("counter", &[], &PLAIN).expect("the instance lives"), Value::Int(1));
}
