//! Runs conformance/cases/*.json against this host, as conformance/README.md says. One trial is one
//! case with the guest in one form: as a module, with the code of one compiler, or as a component.
//!
//! All cases of a file share an instance, one after the other, so the first trial of a file runs
//! all of it; each trial then says what became of its own case.

#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod flows;
mod runner;
mod values;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use serde_json::Value as Json;
use undergo::{Compile, Plugin, PluginOptions};

/// What this host has of the capabilities that cases may need. It has no strings with lone
/// surrogates: Rust's are UTF-8.
const CAPABILITIES: [&str; 6] = ["dynamic", "strict-records", "nanoseconds", "integers", "handles", "passing-on"];

/// The guest, as it is loaded.
#[derive(Clone, Copy)]
struct Form {
    /// Behind the names of its trials.
    suffix: &'static str,
    /// What it has beside what the host has.
    capabilities: &'static [&'static str],
    load: fn() -> &'static Plugin,
}

const FORMS: [Form; 3] = [
    Form { suffix: "", capabilities: &["module"], load: || module(Compile::Best) },
    Form { suffix: " (fast)", capabilities: &["module"], load: || module(Compile::Fast) },
    Form { suffix: " (component)", capabilities: &["component"], load: component },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    needs: Vec<String>,
    cases: Vec<Json>,
}

/// What became of a case: `None` for one that was left out.
type Outcome = Option<Result<(), String>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let suites = match read_suites(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/cases")) {
        Ok(suites) => suites,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = coverage::trials(suites.iter().flat_map(|(_, cases)| cases.iter()));
    for (file, cases) in suites {
        let cases = Arc::new(cases);
        for form in FORMS {
            let capabilities = [&CAPABILITIES[..], form.capabilities].concat();
            let outcomes = Arc::new(OnceLock::<Vec<Outcome>>::new());
            for (i, case) in cases.iter().enumerate() {
                let (outcomes, cases) = (outcomes.clone(), cases.clone());
                let skipped = !runner::is_run(case, &capabilities);
                let capabilities = capabilities.clone();
                let run = move || match &outcomes.get_or_init(|| runner::run((form.load)(), &cases, &capabilities))[i] {
                    None | Some(Ok(())) => Ok(()),
                    Some(Err(text)) => Err(Failed::from(text)),
                };
                trials.push(Trial::test(format!("{file}: {}{}", case.name, form.suffix), run).with_ignored_flag(skipped));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The guest as a module, with the code of one compiler.
fn module(compile: Compile) -> &'static Plugin {
    static GUESTS: [OnceLock<Plugin>; 2] = [const { OnceLock::new() }; 2];
    GUESTS[usize::from(compile == Compile::Fast)].get_or_init(|| load(common::conformance_path(), compile))
}

/// The same guest as a component, which the better compiler alone compiles.
fn component() -> &'static Plugin {
    static GUEST: OnceLock<Plugin> = OnceLock::new();
    GUEST.get_or_init(|| load(common::guest_path("UNDERGO_CONFORMANCE_COMPONENT_WASM", "conformance-component.wasm"), Compile::Best))
}

fn load(path: Result<PathBuf, String>, compile: Compile) -> Plugin {
    let path = path.unwrap_or_else(|text| panic!("{text}"));
    Plugin::from_file_with(path, &PluginOptions { compile, ..PluginOptions::default() }).expect("the conformance guest is a plugin")
}

fn read_suites(folder: &Path) -> Result<Vec<(String, Vec<runner::Case>)>, String> {
    let mut suites = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let told = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| told(error.to_string()))?;
        let suite: Suite = serde_json::from_str(&text).map_err(|error| told(error.to_string()))?;
        let cases = suite.cases.into_iter().map(|case| runner::Case::parse(case, &suite.needs)).collect::<Result<_, _>>().map_err(told)?;
        suites.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), cases));
    }
    suites.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(suites)
}
