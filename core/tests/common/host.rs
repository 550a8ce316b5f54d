//! The module `host` that the conformance guest imports; see conformance/README.md.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use undergo::interface::{RecordType, TypeKind};
use undergo::{ChainedError, Error, ErrorFields, ErrorKind, Imports, Instance, InstanceOptions, Plugin, Result, Value};

use super::PLAIN;

/// What the host functions of one instance share.
#[derive(Default)]
struct Shared {
    notes: Mutex<Vec<Value>>,
    /// Empty once the test has let go of the instance, which would else keep itself alive.
    instance: Mutex<Option<Instance>>,
}

/// An instance of the conformance guest with its host functions.
pub struct Hosted {
    pub instance: Instance,
    shared: Arc<Shared>,
}

impl Hosted {
    /// Makes an instance with these options, whose imports are set here.
    pub fn new(plugin: &Plugin, mut options: InstanceOptions) -> Result<Hosted> {
        let shared = Arc::new(Shared::default());
        options.imports = imports(plugin, &Arc::downgrade(&shared));
        let instance = plugin.instantiate(options)?;
        *lock(&shared.instance) = Some(instance.clone());
        Ok(Hosted { instance, shared })
    }

    /// Calls an export without options.
    pub fn call(&self, name: &str, args: &[Value]) -> Result<Value> {
        self.instance.call(name, args, &PLAIN)
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        lock(&self.shared.instance).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const ECHOES: [&str; 14] = [
    "echo-string",
    "echo-bytes",
    "echo-int",
    "echo-strings",
    "echo-floats",
    "echo-person",
    "echo-maybe",
    "echo-color",
    "echo-counts",
    "echo-time",
    "echo-duration",
    "echo-json",
    "echo-raw",
    "echo-shape",
];

fn imports(plugin: &Plugin, shared: &Weak<Shared>) -> Imports {
    let mut imports = Imports::default();
    for name in ECHOES {
        imports.func("host", name, |args| Ok(args[0].clone()));
    }
    imports.func("host", "many", |args| Ok(Value::String(many(args))));
    imports.func("host", "divmod", |args| match args {
        [Value::Int(a), Value::Int(b)] => Ok(Value::List(vec![Value::Int(a / b), Value::Int(a % b)])),
        other => Err(fail(&format!("divmod of {other:?}"))),
    });
    let with = |shared: &Weak<Shared>, f: fn(&Shared, &[Value]) -> Result<Value>| {
        let shared = shared.clone();
        move |args: &[Value]| f(&*shared.upgrade().ok_or_else(|| fail("the test has let go of its host"))?, args)
    };
    imports.func(
        "host",
        "note",
        with(shared, |shared, args| {
            lock(&shared.notes).push(args[0].clone());
            Ok(Value::None)
        }),
    );
    imports.func("host", "notes", with(shared, |shared, _| Ok(Value::List(std::mem::take(&mut *lock(&shared.notes))))));
    imports.func("host", "fail", |args| Err(fail(text(&args[0]))));
    imports.func("host", "check", |args| match text(&args[0]) {
        "" => Ok(Value::None),
        text => Err(fail(text)),
    });
    let missing = record(plugin, "not-found");
    imports.func("host", "lookup", move |args| lookup(text(&args[0]), &missing));
    imports.func("host", "crash", |args| Err(fail(text(&args[0]))));
    imports.func("host", "wrong-type", |_| Ok("not a number".into()));
    imports.func("host", "wrong-result", |_| Ok("not a list".into()));
    imports.func(
        "host",
        "reenter",
        with(shared, |shared, args| {
            let Value::Int(depth) = args[0] else { return Err(fail("reenter wants a number")) };
            let instance = lock(&shared.instance).clone().ok_or_else(|| fail("there is no instance yet"))?;
            match instance.call("reenter", &[Value::Int(depth - 1)], &PLAIN)? {
                Value::Int(n) => Ok(Value::Int(n + 1)),
                other => Err(fail(&format!("reenter gave {other:?}"))),
            }
        }),
    );
    imports
}

/// A record of the plugin's.
fn record(plugin: &Plugin, name: &str) -> Arc<RecordType> {
    let types = plugin.interface().map(|interface| &interface.types[..]).unwrap_or_default();
    let found = types.iter().find_map(|ty| match &ty.kind {
        TypeKind::Record(record) if record.name == name => Some(record.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("the guest has no record {name}"))
}

/// Fails with an error that has fields, within one that has none.
fn lookup(key: &str, missing: &Arc<RecordType>) -> Result<Value> {
    if key.is_empty() {
        return Ok("".into());
    }
    let fields = Value::Record(vec![("key".into(), key.into()), ("code".into(), Value::Int(404))]);
    let inner = format!("not found: {key}");
    let outer = format!("looking up: {inner}");
    let chain = vec![ChainedError::new(outer.clone(), None), ChainedError::new(inner, Some(ErrorFields::lower(missing, &&fields)?))];
    Err(fail(&outer).with_chain(chain))
}

/// An error of the host's own.
pub fn fail(text: &str) -> Error {
    Error::new(ErrorKind::HostError, text)
}

fn text(value: &Value) -> &str {
    if let Value::String(text) = value { text } else { "" }
}

fn many(args: &[Value]) -> String {
    let shown: Vec<String> = args
        .iter()
        .map(|arg| match arg {
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::String(value) => value.clone(),
            other => format!("{other:?}"),
        })
        .collect();
    let (first, rest) = shown.split_at(shown.len().min(6));
    // "A B C D E F G|H|I|J|K|L"
    format!("{} {}", first.join(" "), rest.join("|"))
}
