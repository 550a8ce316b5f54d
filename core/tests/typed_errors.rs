//! Errors with fields as Rust's own types.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::common::host::Hosted;
use crate::common::{PLAIN, conformance, expect, quiet, typed};
use undergo::{Error, ErrorKind, Function, GuestError, GuestType, HostClosure, Imports, Instance, Plugin, Result, Value};

/// A struct that is an error with these fields, and displays as `NAME KEY`.
macro_rules! errors {
    ($($(#[$attribute:meta])* $name:ident { $key:ident: $ty:ty $(, $field:ident: $other:ty)* })*) => {$(
        #[derive(Clone, Debug, PartialEq, GuestType)]
        $(#[$attribute])*
        struct $name {
            $key: $ty,
            $($field: $other,)*
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {:?}", stringify!($name), self.$key)
            }
        }

        impl StdError for $name {}
    )*};
}

errors! {
    #[guest(error)]
    NotFound { key: String, code: i64 }
    #[guest(error)]
    Forbidden { key: String, code: i64 }
    #[guest(error, name = "late")]
    Overdue { by: Duration }
    #[guest(error)]
    Unheard { key: String }
    #[guest(error, name = "not-found")]
    Missing { key: String, code: u32 }
}

fn not_found(key: &str) -> NotFound {
    NotFound { key: key.to_owned(), code: 404 }
}

/// An error around another.
#[derive(Debug)]
struct Context {
    text: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, self.source)
    }
}

impl StdError for Context {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

fn context(text: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Box<dyn StdError + Send + Sync> {
    Box::new(Context { text, source: source.into() })
}

/// A plugin whose exports pass their text to the imports of the same names. `lookup` can fail, and
/// `crash` can't.
fn forwarding() -> Plugin {
    let items = "interface types {
  use undergo:go/types.{duration};
  record not-found { key: string, code: s64 }
  record forbidden { key: string, code: s64 }
  record late { by: duration }
  variant error {
    text(string), not-found(tuple<string, not-found>), forbidden(tuple<string, forbidden>), late(tuple<string, late>)
  }
}
world w {
  use types.{error};
  import directory: interface {
    use types.{error};
    lookup: func(name: string) -> result<string, list<error>>;
    crash: func(name: string) -> string;
  }
  export lookup: func(name: string) -> result<string, list<error>>;
  export crash: func(name: string) -> string;
}";
    let forward = |name: &str| {
        format!(
            "(func (export \"{name}\") (param i32 i32) (result i32)
               (call ${name} (local.get 0) (local.get 1) (i32.const 1024)) (i32.const 1024))"
        )
    };
    let import = |name: &str| format!("(import \"directory\" \"{name}\" (func ${name} (param i32 i32 i32)))");
    typed(items, &[import("lookup"), import("crash"), forward("lookup"), forward("crash")].concat()).expect("a plugin")
}

/// An instance whose host functions are both that closure.
fn hosted<S: 'static>(closure: impl HostClosure<S> + Clone, name: impl FnOnce(&mut Imports)) -> Instance {
    let mut imports = Imports::default();
    imports.function("directory", "lookup", closure.clone());
    imports.function("directory", "crash", closure);
    name(&mut imports);
    forwarding().instantiate(quiet().imports(imports)).expect("an instance")
}

/// The error of a call.
#[track_caller]
fn failed(instance: &Instance, name: &str) -> Error {
    let function: Function<(&str,), String> = instance.function(name).expect("it is");
    function.call(("x",)).expect_err("it fails")
}

/// What a chain consists of: the texts, and the names of the errors with fields.
fn chain(error: &Error) -> Vec<(&str, Option<&str>)> {
    error.chain().iter().map(|link| (link.text(), link.fields().map(|fields| fields.record().name.as_str()))).collect()
}

#[test]
fn an_error_goes_to_the_guest_and_back() {
    let instance = hosted(|name: String| -> Result<String> { Err(not_found(&name).into()) }, |_| {});
    let error = failed(&instance, "lookup");
    expect(&error, ErrorKind::GuestError, &["NotFound \"x\""]);
    assert_eq!(chain(&error), [("NotFound \"x\"", Some("not-found"))]);
    assert_eq!(error.find::<NotFound>(), Some(not_found("x")));
    assert_eq!(error.chain()[0].get::<NotFound>(), Some(not_found("x")));
    // The fields are alike, and the names are not; and other fields are not that error.
    assert_eq!(error.find::<Forbidden>(), None);
    assert_eq!(error.find::<Missing>(), None);
    assert!(instance.dead().is_none());
    // Where the import returns no error, it is the caller's.
    let error = failed(&instance, "crash");
    expect(&error, ErrorKind::HostError, &["NotFound \"x\""]);
    assert_eq!(error.host().and_then(|own| own.downcast_ref()), Some(&not_found("x")));
}

#[test]
fn named_types_are_found_by_themselves_and_among_sources() {
    let named = |imports: &mut Imports| {
        imports.error::<Forbidden>();
        imports.error::<NotFound>();
    };
    let instance = hosted(|name: String| -> Result<String, NotFound> { Err(not_found(&name)) }, named);
    assert_eq!(failed(&instance, "lookup").find(), Some(not_found("x")));

    type Boxed = Box<dyn StdError + Send + Sync>;
    let instance = hosted(|name: String| -> Result<String, Boxed> { Err(not_found(&name).into()) }, named);
    assert_eq!(failed(&instance, "lookup").find(), Some(not_found("x")));

    let forbidden = Forbidden { key: "y".into(), code: 1 };
    let kept = forbidden.clone();
    let deep = move |_: String| -> Result<String, Boxed> {
        Err(context("outer", context("middle", Context { text: "forbidden", source: Box::new(kept.clone()) })))
    };
    let error = failed(&hosted(deep, named), "lookup");
    let texts = [
        ("outer: middle: forbidden: Forbidden \"y\"", None),
        ("middle: forbidden: Forbidden \"y\"", None),
        ("forbidden: Forbidden \"y\"", None),
        ("Forbidden \"y\"", Some("forbidden")),
    ];
    assert_eq!(chain(&error), texts);
    assert_eq!((error.find(), error.find::<NotFound>()), (Some(forbidden), None));

    // This crate's own among the sources carries its type with it.
    let own = |name: String| -> Result<String, Boxed> { Err(context("outer", Error::from(not_found(&name)))) };
    let error = failed(&hosted(own, |_| {}), "lookup");
    assert_eq!(chain(&error), [("outer: NotFound \"x\"", None), ("NotFound \"x\"", Some("not-found"))]);

    // Types that are not named, that the plugin does not declare, or that are none, are texts.
    let instance = hosted(|name: String| -> Result<String, NotFound> { Err(not_found(&name)) }, |_| {});
    assert_eq!(chain(&failed(&instance, "lookup")), [("NotFound \"x\"", None)]);
    let unheard = |key: String| -> Result<String> { Err(Unheard { key }.into()) };
    let instance = hosted(unheard, |imports| imports.error::<Unheard>());
    assert_eq!(chain(&failed(&instance, "lookup")), [("Unheard \"x\"", None)]);
    let instance = hosted(|name: String| -> Result<String, String> { Err(name) }, named);
    assert_eq!(chain(&failed(&instance, "lookup")), [("x", None)]);
}

/// The error of a call back, or of another instance, is passed on with its chain.
#[test]
fn an_error_of_a_guest_is_passed_on() {
    let inner = hosted(|name: String| -> Result<String> { Err(not_found(&name).into()) }, |_| {});
    let through = inner.clone();
    let call = move |name: String| -> Result<String> { through.function::<(&str,), String>("lookup")?.call((&name,)) };
    // Another load of the same plugin has other types.
    let error = failed(&hosted(call, |_| {}), "lookup");
    assert_eq!(chain(&error), [("NotFound \"x\"", None)]);

    let plugin = inner.plugin().clone();
    let mut imports = Imports::default();
    let through = inner.clone();
    let call = move |name: String| -> Result<String, Box<dyn StdError + Send + Sync>> {
        let error = through.function::<(&str,), String>("lookup")?.call((&name,)).expect_err("it fails");
        Err(context("through", error))
    };
    imports.function("directory", "lookup", call.clone());
    imports.function("directory", "crash", call);
    let outer = plugin.instantiate(quiet().imports(imports)).expect("an instance");
    let error = failed(&outer, "lookup");
    assert_eq!(chain(&error), [("through: NotFound \"x\"", None), ("NotFound \"x\"", Some("not-found"))]);
}

#[test]
fn values_have_the_same_errors() {
    let plugin = forwarding();
    let mut imports = Imports::default();
    imports.func("directory", "lookup", |args| {
        let Value::String(key) = &args[0] else { panic!("{args:?}") };
        Err(not_found(key).into())
    });
    imports.func("directory", "crash", |_| Ok(Value::None));
    let instance = plugin.instantiate(quiet().imports(imports)).expect("an instance");
    let error = instance.call("lookup", &["y".into()], &PLAIN).expect_err("it fails");
    let fields = error.chain()[0].fields().expect("fields").value();
    assert_eq!(fields, &Value::Record(vec![("key".into(), "y".into()), ("code".into(), Value::Int(404))]));
}

#[test]
fn awaited_closures_have_the_same_errors() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let mut imports = Imports::default();
        imports.error::<NotFound>();
        imports.async_function("directory", "lookup", |name: String| async move {
            tokio::task::yield_now().await;
            Err::<String, _>(context("awaited", not_found(&name)))
        });
        imports.async_function("directory", "crash", |name: String| async move { name });
        let instance = forwarding().instantiate_async(quiet().imports(imports), &PLAIN).await.expect("an instance");
        let lookup = instance.function::<(&str,), String>("lookup").expect("it is");
        let error = lookup.call_async(("x",)).await.expect_err("it fails");
        assert_eq!(chain(&error), [("awaited: NotFound \"x\"", None), ("NotFound \"x\"", Some("not-found"))]);
    });
}

#[test]
fn a_type_with_other_fields_is_found_when_an_instance_is_created() {
    let mut imports = Imports::default();
    imports.function("directory", "lookup", |name: String| name);
    imports.function("directory", "crash", |name: String| name);
    imports.error::<Missing>();
    let error = forwarding().instantiate(quiet().imports(imports)).expect_err("its fields are others");
    expect(&error, ErrorKind::SignatureMismatch, &["the plugin has s64 here, and the program has u32"]);
    assert_eq!(error.path(), "directory.lookup -> not-found.code");

    // One that was not named is found when it comes.
    let instance = hosted(|key: String| -> Result<String> { Err(Missing { key, code: 1 }.into()) }, |_| {});
    expect(&failed(&instance, "lookup"), ErrorKind::SignatureMismatch, &["the plugin has s64 here, and the program has u32"]);
}

#[test]
fn fields_that_do_not_fit_are_the_hosts_mistake() {
    let late = |by: Duration| move |_: String| -> Result<String> { Err(Overdue { by }.into()) };
    let error = failed(&hosted(late(Duration::from_secs(1)), |_| {}), "lookup");
    assert_eq!(error.find(), Some(Overdue { by: Duration::from_secs(1) }));
    let error = failed(&hosted(late(Duration::MAX), |_| {}), "lookup");
    expect(&error, ErrorKind::TypeMismatch, &["out of range for a duration"]);
    assert_eq!(error.path(), "directory.lookup -> late.by");
}

/// An error that says that it is its own source.
#[derive(Debug)]
struct Circular;

impl fmt::Display for Circular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round and round")
    }
}

impl StdError for Circular {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self)
    }
}

#[test]
fn sources_have_an_end() {
    let circular = |_: String| -> Result<String, Box<dyn StdError + Send + Sync>> { Err(Circular.into()) };
    assert_eq!(failed(&hosted(circular, |_| {}), "lookup").chain().len(), 64);
    let deep = |name: String| -> Result<String, Box<dyn StdError + Send + Sync>> {
        Err((0..200).fold(not_found(&name).into(), |inner, _| context("", inner)))
    };
    let error = failed(&hosted(deep, |imports| imports.error::<NotFound>()), "lookup");
    assert_eq!((error.chain().len(), error.find::<NotFound>()), (64, None));
}

#[test]
fn errors_of_go_are_found() {
    let hosted = Hosted::new(conformance(), quiet()).expect("the guest starts");
    let call = |name: &str, text: &str| {
        let function = hosted.instance.function::<(&str,), ()>(name).expect("it is");
        function.call((text,)).expect_err("it fails")
    };
    let error = call("fail-with", "twice");
    let texts = [("starting: loading: not found: x", None), ("loading: not found: x", None), ("not found: x", Some("not-found"))];
    assert_eq!(chain(&error), texts);
    assert_eq!(error.find(), Some(NotFound { key: "x".into(), code: 4 }));
    assert_eq!(call("fail-with", "just text").find::<NotFound>(), None);
    assert!(call("fail-with", "deep").chain().len() == 64);
}

#[test]
fn names_are_those_of_the_interface() {
    assert_eq!((NotFound::NAME, Overdue::NAME), ("NotFound", "late"));
    let plain = Error::new(ErrorKind::GuestError, "no chain");
    assert_eq!(plain.find::<NotFound>(), None);
}
