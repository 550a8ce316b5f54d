//! Measures calls of a plugin, a module or a component, by dynamic values. Prints nanoseconds a
//! call of `add`, and of a string there and back. Run by ../components.py.

use std::error::Error;
use std::time::Instant;

use undergo::{CallOptions, Compile, Instance, InstanceOptions, Plugin, PluginOptions, Value};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let wasm = std::env::args().nth(1).ok_or("usage: program plugin.wasm")?;
    let plugin = Plugin::from_file_with(&wasm, &PluginOptions::default().compile(Compile::Best))?;
    let mut options = InstanceOptions::default();
    options.imports.function("host", "upper", |text: String| text.to_uppercase());
    options.imports.function("host", "pause", |n: i32| n);
    let instance = plugin.instantiate(options)?;
    let add = timed(&instance, "add", &[Value::Int(2), Value::Int(3)], &Value::Int(5))?;
    let text = Value::String("hello world".into());
    let echo = timed(&instance, "echo-string", std::slice::from_ref(&text), &text)?;
    println!("{add} {echo}");
    Ok(())
}

fn timed(instance: &Instance, name: &str, args: &[Value], wanted: &Value) -> undergo::Result<f64> {
    const CALLS: u32 = 50_000;
    let calls = |count: u32| (0..count).try_for_each(|_| instance.call(name, args, CallOptions::NONE).map(|got| assert_eq!(got, *wanted)));
    calls(CALLS / 4)?;
    let begun = Instant::now();
    calls(CALLS)?;
    Ok(begun.elapsed().as_nanos() as f64 / f64::from(CALLS))
}
