//! The module `host` that the conformance guest imports; see conformance/README.md.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use undergo::host::{HostCall, HostFunction, ToValue};
use undergo::interface::{RecordType, Side, TypeKind};
use undergo::{ChainedError, Error, ErrorFields, ErrorKind, HostObject, Imports, Instance, InstanceOptions, Plugin, Result, Value};

use super::PLAIN;

/// What the host functions of one instance share.
#[derive(Default)]
struct Shared {
    notes: Mutex<Vec<Value>>,
    store: Arc<Texts>,
    /// Empty once the test has let go of the instance, which would else keep itself alive.
    instance: Mutex<Option<Instance>>,
}

/// What a store has.
type Texts = Mutex<BTreeMap<String, String>>;

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

    /// The function of the host of that name.
    pub fn callback(&self, name: &str) -> Option<Value> {
        let instance = self.instance.clone();
        let double = |args: &[Value]| match args {
            [Value::Int(n)] => Ok(Value::Int(2 * n)),
            other => Err(fail(&format!("double of {other:?}"))),
        };
        Some(Value::Object(match name {
            "double" => HostObject::func(double),
            "fail" => HostObject::func(|_| Err(fail("the callback failed"))),
            "reenter" => HostObject::func(move |args| instance.call("echo-int64", args, &PLAIN)),
            "apply-reenter" => HostObject::func(move |args| {
                let args = [Value::List(args.to_vec()), Value::Object(HostObject::func(double))];
                match instance.call("apply", &args, &PLAIN)? {
                    Value::List(mut results) if results.len() == 1 => Ok(results.remove(0)),
                    other => Err(fail(&format!("apply gave {other:?}"))),
                }
            }),
            "open-store" => {
                let methods = store_methods(self.instance.plugin());
                HostObject::func(move |args| open(&methods, text(&args[0])))
            }
            "note" => {
                let shared = self.shared.clone();
                HostObject::func(move |args| {
                    lock(&shared.notes).push(args[0].clone());
                    Ok(Value::None)
                })
            }
            "wrong-type" => HostObject::func(|_| Ok("not a number".into())),
            _ => return None,
        }))
    }

    /// The store of this instance.
    pub fn store(&self) -> Value {
        store(&store_methods(self.instance.plugin()), &self.shared.store)
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
    imports.func("host", "bundle", |args| Ok(Value::List(args.to_vec())));
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
    let methods = store_methods(plugin);
    imports.func("host", "open-store", move |args| open(&methods, text(&args[0])));
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

/// The methods of the resource `store`, in their order.
fn store_methods(plugin: &Plugin) -> Arc<[String]> {
    let resources = plugin.interface().map(|interface| &interface.resources[..]).unwrap_or_default();
    let found = resources.iter().find(|resource| resource.ty.side == Side::Host && resource.ty.name == "store");
    found.map(|store| store.ty.methods.iter().cloned().collect()).unwrap_or_default()
}

fn store(methods: &Arc<[String]>, texts: &Arc<Texts>) -> Value {
    let method =
        |name: &String| Arc::new(Method { name: name.clone(), methods: methods.clone(), texts: texts.clone() }) as Arc<dyn HostFunction>;
    Value::Object(HostObject::new(methods.iter().map(method)))
}

/// A store that is new and empty but for its name.
fn named(methods: &Arc<[String]>, name: &str) -> Value {
    store(methods, &Arc::new(Mutex::new(BTreeMap::from([("name".to_owned(), name.to_owned())]))))
}

fn open(methods: &Arc<[String]>, name: &str) -> Result<Value> {
    if name.is_empty() { Err(fail("no name")) } else { Ok(named(methods, name)) }
}

/// A method of a store.
struct Method {
    name: String,
    methods: Arc<[String]>,
    texts: Arc<Texts>,
}

impl HostFunction for Method {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = call.args(&ToValue)?;
        let mut texts = lock(&self.texts);
        let result = match (self.name.as_str(), &args[..]) {
            ("get", [key]) => {
                let key = text(key);
                texts.get(key).map(|found| found.as_str().into()).ok_or_else(|| fail(&format!("no such key: {key}")))
            }
            ("put", [key, value]) => {
                texts.insert(text(key).into(), text(value).into());
                Ok(Value::None)
            }
            ("size", []) => Ok(Value::Int(texts.len().try_into().expect("few"))),
            ("child", [name]) => Ok(named(&self.methods, text(name))),
            other => Err(fail(&format!("a store has no {other:?}"))),
        }?;
        drop(texts);
        call.answer(&&result)
    }
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
