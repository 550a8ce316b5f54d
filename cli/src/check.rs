//! `undergo inspect --check`: checks a plugin or a component before it is shipped.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use undergo::Plugin;
use undergo::host::{escape, is_component};
use undergo::interface::Interface;
use wit_parser::{WorldId, WorldItem};

use crate::fit;
use crate::options::Bounds;
use crate::parts::Parts;
use crate::plugin::{self, host_imports};
use crate::worlds::Worlds;

#[derive(clap::Args)]
#[command(next_help_heading = "For CI")]
pub(crate) struct Check {
    /// Validate the whole module, and fail if it has problems, each of which is a line on standard
    /// error
    #[arg(long)]
    check: bool,
    /// With --check: allow an import, or all of an interface. Without this option all are allowed
    #[arg(long = "allow-import", value_name = "INTERFACE[.NAME]", requires = "check")]
    allowed: Vec<String>,
    /// With --check: the oldest Go that may have compiled it
    #[arg(long, value_name = "VERSION", requires = "check", value_parser = Version::parse)]
    min_go: Option<Version>,
    /// With --check: allow a program, too
    #[arg(long, requires = "check")]
    allow_command: bool,
    /// With --check: a .wit file or a folder with a world that it has to fit
    #[arg(long, value_name = "PATH", requires = "check")]
    wit: Option<PathBuf>,
    /// With --check: the world that it has to fit, where --wit has several, or one of WASI's:
    /// wasi:http/proxy
    #[arg(long, value_name = "NAME", requires = "check")]
    world: Option<String>,
}

/// A version of Go: 1.25, 1.25.3. Release candidates count as their release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    fn parse(text: &str) -> Result<Version, String> {
        let wrong = || format!("'{text}' is no version of Go; write 1.25 or 1.25.3");
        let bare = text.strip_prefix("go").unwrap_or(text);
        let mut parts = bare.splitn(3, '.').map(|part| {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            part[..digits].parse::<u32>()
        });
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), None) => Ok(Version(major, minor, 0)),
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Ok(Version(major, minor, patch)),
            _ => Err(wrong()),
        }
    }
}

impl Check {
    pub(crate) fn wanted(&self) -> bool {
        self.check
    }

    /// Checks the file; the error lists all problems.
    pub(crate) fn run(&self, file: &Path, bytes: &[u8], bounds: Bounds) -> Result<()> {
        // What is wrong with the world itself is no problem of the file.
        let (wit, world) = (self.wit.as_deref(), self.world.as_deref());
        let wanted = (wit.is_some() || world.is_some()).then(|| Worlds::find(wit, world)).transpose()?;
        let found =
            if is_component(bytes) { self.component(bytes, bounds, wanted.as_ref()) } else { self.module(bytes, bounds, wanted.as_ref()) };
        let problems = found.unwrap_or_else(|error| vec![error.message().to_owned()]);
        if problems.is_empty() {
            println!("{} is fine", escape::line(&file.display().to_string()));
            return Ok(());
        }
        let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", file.display())).collect();
        bail!("{}", lines.join("\n"))
    }

    fn module(&self, bytes: &[u8], bounds: Bounds, wanted: Option<&(Worlds, WorldId)>) -> undergo::Result<Vec<String>> {
        let info = Plugin::validate_with(bytes, bounds.times)?;
        let mut problems = Vec::new();
        if !info.is_callable() && !self.allow_command {
            problems
                .push("it is a command, which has no _initialize: build it with -buildmode=c-shared, or with 'undergo build'".to_owned());
        }
        for import in info.imports.iter().filter(|import| import.module == plugin::WASI) {
            if !undergo::WASI_FUNCTIONS.contains(&import.name.as_str()) {
                problems.push(format!("it imports {}, which is no function of WASI preview 1", import.name));
            }
        }
        let interface = info.wit.as_deref().and_then(|wit| Interface::parse(wit).ok());
        for import in host_imports(&info, interface.as_ref()) {
            self.import(&import.module, &import.name, &mut problems);
        }
        self.go(info.go_version.as_deref(), &mut problems);
        match (wanted, &info.wit) {
            (Some(wanted), Some(wit)) => problems.extend(Check::fit(&Worlds::of_text(wit)?, wanted)),
            (Some(_), None) => problems.push("it has no interface, and --wit wants one".to_owned()),
            (None, _) => {}
        }
        Ok(problems)
    }

    fn component(&self, bytes: &[u8], bounds: Bounds, wanted: Option<&(Worlds, WorldId)>) -> undergo::Result<Vec<String>> {
        let worlds = Worlds::of_component(bytes)?;
        let Some(world) = worlds.own() else { return Ok(vec!["it is a package of interfaces, without code".to_owned()]) };
        let loaded = Plugin::validate_with(bytes, bounds.times);
        let mut problems: Vec<String> = loaded.err().map(|error| error.message().to_owned()).into_iter().collect();
        for (key, item) in &worlds.resolve.worlds[world].imports {
            let name = worlds.resolve.name_world_key(key);
            match item {
                WorldItem::Interface { .. } if name.starts_with("wasi:") => {}
                WorldItem::Interface { id, .. } => {
                    for function in worlds.resolve.interfaces[*id].functions.keys() {
                        self.import(&name, function, &mut problems);
                    }
                }
                WorldItem::Function(function) => self.import("$root", &function.name, &mut problems),
                WorldItem::Type { .. } => {}
            }
        }
        self.go(Parts::read(bytes)?.go().as_deref(), &mut problems);
        problems.extend(wanted.into_iter().flat_map(|wanted| Check::fit(&worlds, wanted)));
        Ok(problems)
    }

    fn fit(own: &Worlds, (wanted, into): &(Worlds, WorldId)) -> Vec<String> {
        match own.select(None) {
            Ok(world) => fit::problems(&own.resolve, world, &wanted.resolve, *into).into_iter().map(|problem| problem.text).collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    fn import(&self, module: &str, name: &str, problems: &mut Vec<String>) {
        if !self.allows(module, name) {
            problems.push(format!("it imports {module}.{name}, which is not allowed: --allow-import {module}.{name}"));
        }
    }

    fn go(&self, version: Option<&str>, problems: &mut Vec<String>) {
        let Some(oldest) = self.min_go else { return };
        match version.map(|text| (text, Version::parse(text))) {
            Some((_, Ok(version))) if version >= oldest => {}
            Some((text, _)) => problems.push(format!("it was compiled by {text}, and --min-go wants {oldest} or newer")),
            None => problems.push(format!("it does not say which Go compiled it, and --min-go wants {oldest} or newer")),
        }
    }

    fn allows(&self, module: &str, name: &str) -> bool {
        let matches =
            |allowed: &String| allowed == module || allowed.strip_prefix(module).and_then(|rest| rest.strip_prefix('.')) == Some(name);
        self.allowed.is_empty() || self.allowed.iter().any(matches)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "go{}.{}", self.0, self.1)?;
        if self.2 > 0 { write!(f, ".{}", self.2) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_versions() {
        let version = |text| Version::parse(text).expect("a version");
        assert!(version("1.9") < version("go1.24") && version("go1.24") < version("1.24.11") && version("1.24.9") < version("go1.24.11"));
        assert_eq!(version("go1.27rc1"), version("1.27"));
        assert_eq!(version("1.24.1").to_string(), "go1.24.1");
        for bad in ["", "1", "go", "one.two", "1."] {
            assert!(Version::parse(bad).is_err(), "{bad}");
        }
    }
}
