//! Calls the greeter: values and errors there and back.
//!
//! Usage: main greeter.wasm

mod greeter_plugin;

use std::error::Error;
use std::time::Duration;

use greeter_plugin::{Directory, Greeter, Person, imports};
use undergo::{CallOptions, Instance, InstanceOptions, Limits, Plugin, Value};

/// What the plugin asks for.
struct Known;

impl Directory for Known {
    fn lookup(&self, name: String) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
        match name.as_str() {
            "Ada" => Ok(vec!["mathematics".into(), "engines".into()]),
            "Grace" => Ok(vec![]),
            _ => Err(format!("{name} is not in the directory").into()),
        }
    }
}

fn person(name: &str) -> Person {
    Person { name: name.into(), email: None, tags: vec![] }
}

fn show(error: &undergo::Error) {
    println!("{}: {}", error.kind(), error.message());
}

fn life(greeter: &Greeter) -> &'static str {
    if greeter.on().dead().is_none() { "alive" } else { "ended" }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: main greeter.wasm")?;
    let plugin = Plugin::from_file(path)?;
    let limits = Limits::default().memory(64 << 20).timeout(Duration::from_secs(5));
    let instance = plugin.instantiate(InstanceOptions::default().imports(imports(Known)).limits(limits))?;
    let greeter = Greeter::new(instance)?;

    // What the plugin has, with the comments of its Go source.
    let names: Vec<&str> = plugin.exports().map(|function| function.name.as_str()).collect();
    println!("exports: {}", names.join(", "));
    println!("{}\n", plugin.exports().next().ok_or("no export")?.docs);

    // Structs and methods that `undergo bindgen` has written.
    println!("{}", greeter.greet(&person("Ada"), false)?);
    let grace = Person { email: Some("grace@example.com".into()), tags: vec!["compilers".into()], ..person("Grace") };
    println!("{}\n", greeter.greet(&grace, true)?);

    // An error that the Go function returns.
    show(&greeter.greet(&person(""), false).unwrap_err());

    // An error of the host's function reaches Go as an error, where the Go function has one among
    // its results.
    show(&greeter.greet(&person("Nobody"), false).unwrap_err());

    // Without types, a value may not fit: the path says which.
    let tags = Value::List(vec!["a".into(), "b".into(), Value::Int(3)]);
    let ada = Value::Record(vec![("name".into(), "Ada".into()), ("tags".into(), tags)]);
    let error = greeter.on().call("greet", &[ada, Value::Bool(false)], &CallOptions::default()).unwrap_err();
    println!("{}: at {}", error.kind(), error.path());

    // A name that is misspelt.
    show(&greeter.on().function::<(&Person, bool), String>("great").unwrap_err());

    // The instance has lived through all of these. A panic ends it.
    println!("{}", life(&greeter));
    let error = greeter.initial(&person("")).unwrap_err();
    show(&error);
    println!("in {}", error.frames()[0].function);
    println!("{}", life(&greeter));

    // The plugin itself is as good as ever, and a new instance is quickly made.
    let instance: Instance = plugin.instantiate(InstanceOptions::default().imports(imports(Known)))?;
    println!("{}", Greeter::new(instance)?.initial(&grace)?);
    Ok(())
}
