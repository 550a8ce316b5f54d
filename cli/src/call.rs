//! `undergo call`: one function, from the command line.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use undergo::host::{HostCall, HostFunction};
use undergo::interface::{Function, Type, TypeKind, names};
use undergo::{CallOptions, Error, ErrorKind, Imports, Instance, InstanceOptions, Plugin};

use crate::failure::{self, Failure};
use crate::forward;
use crate::json::{self, Json, RULES, ToJson};
use crate::options::{self, Loading, Options};
use crate::plugin;
use crate::progress::Progress;
use crate::value::Value;

/// Call a function of a plugin
#[derive(clap::Args)]
#[command(after_help = help())]
pub(crate) struct Args {
    /// The plugin
    file: PathBuf,
    /// The function: greet-all, greet_all, greetAll or GreetAll
    function: String,
    /// Its arguments, each as JSON. Strings need no quotes. Trailing optional arguments may be
    /// omitted
    #[arg(value_name = "ARGS", allow_negative_numbers = true)]
    args: Vec<String>,
    /// Define an imported function that always returns that value
    #[arg(long = "import", value_name = "INTERFACE.NAME=JSON")]
    imports: Vec<String>,
    /// Write text or bytes, and the plugin's output, without escaping
    #[arg(short, long)]
    raw: bool,
    /// Limit what is written: excess output of the plugin is dropped, and a larger result is an
    /// error [default: 1MiB of output, 64MiB for the result]
    #[arg(long, value_name = "SIZE", value_parser = options::size)]
    max_output: Option<u64>,
    #[command(flatten)]
    loading: Loading,
    #[command(flatten)]
    options: Options,
}

impl Args {
    /// Bytes of the result that are written at most.
    fn most(&self) -> usize {
        self.at_most(64 << 20)
    }

    /// Writes the plugin's output.
    fn printer(&self) -> forward::Printer {
        forward::Printer::new(self.at_most(1 << 20), self.raw)
    }

    fn at_most(&self, usual: usize) -> usize {
        self.max_output.map_or(usual, |most| usize::try_from(most).unwrap_or(usize::MAX))
    }
}

fn help() -> String {
    format!(
        "{RULES}\n\n\
         An argument for a string, an enum, bytes, a duration or a time that is not a JSON string is taken as it is: \
         Ada is \"Ada\", and 12 is \"12\". The null of an option is null.\n\n\
         The result is written to standard output; what the plugin prints goes to standard error. What could change how a terminal shows text is \
         escaped in both, as in \\u{{1b}}, unless --raw is given.\n\n\
         Examples:\n  \
         undergo call greeter.wasm greet '{{\"name\":\"Ada\",\"tags\":[]}}' true\n  \
         undergo call greeter.wasm find Ada --import 'directory.lookup=[\"admin\"]'\n  \
         undergo call tool.wasm convert --dir ./data::/data:ro --timeout 2s --memory 64MiB -- -1\n\n\
         Exit code: 0; 1 when the function returned an error, whose text goes to standard error; 2 for everything else."
    )
}

pub(crate) fn run(args: &Args) -> Result<()> {
    Ok(call(args).map_err(Failure::Call)?)
}

fn call(args: &Args) -> undergo::Result<()> {
    let progress = Progress::start(format!("loading {}", args.file.display()));
    let plugin = Plugin::from_file_with(&args.file, &args.loading.plugin())?;
    // What the user wrote is checked before the plugin runs.
    let export = plugin.export(&args.function)?;
    let function = plugin.exports().nth(export).cloned();
    let function = function.ok_or_else(|| Error::new(ErrorKind::UnknownExport, format!("no export '{}'", args.function)))?;
    let values = arguments(&function, &args.args)?;
    let imports = imports(&plugin, &args.imports)?;
    let options = InstanceOptions { imports, sandbox: args.options.sandbox()?, limits: args.options.limits() };
    progress.pause(|| failure::warn(&plugin.diagnose(&options)));
    let instance = plugin.instantiate(options).inspect_err(|error| {
        progress.pause(|| forward::after(error, args.printer()));
    })?;
    drop(progress);
    let result = forward::during(&instance, args.printer(), || invoke(&instance, export, &values))?;
    let Some(ty) = &function.result else { return Ok(()) };
    let bytes = shown(ty, &result, args)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Error::new(ErrorKind::HostError, format!("the result can't be written: {error}")))
}

fn arguments(function: &Function, given: &[String]) -> undergo::Result<Vec<Value>> {
    let wanted = &function.params;
    let needed = wanted.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_))).map_or(0, |last| last + 1);
    if given.len() < needed || given.len() > wanted.len() {
        let names: Vec<String> = wanted.iter().map(|param| param.name.to_uppercase()).collect();
        let text = format!(
            "{} takes {}, got {}: {function}\nusage: undergo call FILE {} {}",
            function.name,
            plugin::count(wanted.len(), "argument"),
            given.len(),
            function.name,
            names.join(" ")
        );
        return Err(Error::new(ErrorKind::TypeMismatch, text.trim_end()));
    }
    let read = |(param, text): (&undergo::interface::Field, &String)| {
        json::read(&param.ty, text)
            .map_err(|error| Error::new(ErrorKind::TypeMismatch, format!("{}({}): {error}", function.name, param.name)))
    };
    wanted.iter().zip(given).map(read).collect()
}

fn invoke(instance: &Instance, export: usize, values: &[Value]) -> undergo::Result<Value> {
    let mut arguments = instance.arguments(export)?;
    for (i, value) in values.iter().enumerate() {
        arguments.lower(i, &Json::Value(value))?;
    }
    arguments.call(instance, &CallOptions::default(), |outcome| outcome.lift(&ToJson))
}

/// A host function that always returns the same value.
struct Constant(Value);

impl HostFunction for Constant {
    fn call(&self, call: &mut HostCall<'_>) -> undergo::Result<()> {
        call.answer(&Json::Value(&self.0))
    }
}

fn imports(plugin: &Plugin, given: &[String]) -> undergo::Result<Imports> {
    let mut imports = Imports::default();
    for text in given {
        let wrong = |why: String| Error::new(ErrorKind::TypeMismatch, format!("--import {text}: {why}"));
        let (name, value) = text.split_once('=').ok_or_else(|| wrong("write it as INTERFACE.NAME=JSON".to_owned()))?;
        let full = |(module, function): &(&str, &Arc<Function>)| format!("{module}.{}", function.name);
        let written = name.rsplit_once('.').map_or(name.to_owned(), |(module, name)| format!("{module}.{}", names::kebab(name)));
        let found = plugin.imports().find(|import| full(import) == name || full(import) == written);
        let (module, function) = found.ok_or_else(|| {
            let known: Vec<String> = plugin.imports().map(|import| full(&import)).collect();
            let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            wrong(format!("{} does not import that; it imports {known}", plugin.name()))
        })?;
        let value = match &function.result {
            Some(ty) => json::read(ty, value).map_err(wrong)?,
            None => Value::Null,
        };
        imports.set(module, &function.name, Arc::new(Constant(value)));
    }
    Ok(imports)
}

/// What is written of a result.
fn shown(ty: &Type, value: &Value, args: &Args) -> undergo::Result<Vec<u8>> {
    let fail = |text| Error::new(ErrorKind::HostError, text);
    let bytes = if args.raw {
        let bytes = json::raw(ty, value).ok_or_else(|| fail(format!("--raw is for text and bytes, and the result is {ty}")))?;
        Some(bytes).filter(|bytes| bytes.len() <= args.most())
    } else {
        json::page(value, args.most()).map(|page| (page + "\n").into_bytes())
    };
    bytes.ok_or_else(|| {
        let most = plugin::bytes(args.most());
        fail(format!("the result has more than {most}, and is not written: give a larger --max-output, such as 1GiB"))
    })
}
