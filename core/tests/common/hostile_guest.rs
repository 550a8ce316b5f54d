//! The guest of conformance/hostile, with its host functions.
#![allow(dead_code, reason = "each test crate uses its own part of this")]

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use undergo::{CallOptions, Error, ErrorKind, Instance, InstanceOptions, Plugin, Value};

/// The deadline of what never ends.
pub(crate) const LIMIT: Duration = Duration::from_millis(300);

/// That of all else: far more than any of it takes.
pub(crate) const ENOUGH: Duration = Duration::from_secs(60);

/// The guest's memory.
pub(crate) const MEMORY: u64 = 64 << 20;

/// The guest, compiled once in each test program.
pub(crate) fn plugin() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| load("UNDERGO_HOSTILE_WASM", "hostile.wasm"))
}

/// The same guest as a component.
pub(crate) fn component() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| load("UNDERGO_HOSTILE_COMPONENT_WASM", "hostile-component.wasm"))
}

fn load(variable: &str, file: &str) -> Plugin {
    let path = crate::common::guest_path(variable, file).unwrap_or_else(|text| panic!("{text}"));
    Plugin::from_file(path).expect("the hostile guest is a plugin")
}

/// Options with a limit of memory. `misdeed` is what init does.
pub(crate) fn options(misdeed: Option<(&str, i64)>) -> InstanceOptions {
    let mut options = crate::common::quiet();
    options.limits.memory = Some(MEMORY);
    if let Some((what, n)) = misdeed {
        options.sandbox.env = vec![("MISDEED".into(), what.into()), ("MISDEED_N".into(), n.to_string())];
    }
    host(&mut options, |_, _| Ok("nothing done".into()));
    options
}

/// Gives the host functions, of which `again` is what `do` does.
pub(crate) fn host(options: &mut InstanceOptions, again: impl Fn(&str, i64) -> undergo::Result<Value> + Send + Sync + 'static) {
    options.imports.func("host", "do", move |args| match args {
        [Value::String(what), Value::Int(n)] => again(what, *n),
        other => Err(Error::new(ErrorKind::HostError, format!("do of {other:?}"))),
    });
    options.imports.func("host", "echo", |args| Ok(args[0].clone()));
    options.imports.func("host", "fail", |_| Err(Error::new(ErrorKind::HostError, "refused by the host")));
}

/// An instance whose host function calls it back: `through(what, n)` does the misdeed within the
/// call.
pub(crate) fn reentrant(timeout: Option<Duration>, swallow: bool) -> Arc<Instance> {
    let slot = Arc::new(OnceLock::<Weak<Instance>>::new());
    let inner = slot.clone();
    let mut options = options(None);
    options.limits.timeout = timeout;
    host(&mut options, move |what, n| {
        let instance = inner.get().and_then(Weak::upgrade).ok_or_else(|| Error::new(ErrorKind::HostError, "no instance"))?;
        let done = instance.call("do", &[what.into(), Value::Int(n)], &CallOptions::default());
        if swallow { Ok(done.unwrap_or_else(|_| "as if nothing had happened".into())) } else { done }
    });
    let instance = Arc::new(plugin().instantiate(options).expect("an instance"));
    assert!(slot.set(Arc::downgrade(&instance)).is_ok());
    instance
}

/// One that is alive all along, next to all others.
pub(crate) fn bystander() -> &'static Instance {
    static INSTANCE: OnceLock<Instance> = OnceLock::new();
    INSTANCE.get_or_init(|| plugin().instantiate(options(None)).expect("an instance"))
}
