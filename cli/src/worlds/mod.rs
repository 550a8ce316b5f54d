//! Worlds and interfaces of WIT, wherever they are written: in files, in a plugin, in a component.
//!
//! All of them may be a stranger's: see `bounds.rs`.

mod bounds;
mod files;
mod live;
mod wasi;

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use undergo::host::is_component;
use undergo::{Error, ErrorKind, ModuleInfo};
use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{InterfaceId, PackageId, Resolve, WorldId};

use crate::plugin;

/// Packages of WIT, resolved.
pub(crate) struct Worlds {
    pub(crate) resolve: Resolve,
    /// The one that is meant; the others are there because it uses them.
    package: PackageId,
    /// That of a component or a plugin, which has one.
    own: Option<WorldId>,
}

impl Worlds {
    /// Reads a plugin, a component, a package in the binary form, a file of WIT, or a folder of
    /// such files, with what they use in its folder `deps`.
    pub(crate) fn read(path: &Path) -> Result<Worlds> {
        let read = if path.is_dir() {
            guarded(|| files::folder(path))
        } else {
            let bytes = plugin::module(path)?;
            if bytes.starts_with(b"\0asm") {
                return Worlds::of_binary(&bytes).map_err(|error| plugin::named(path, "has no readable interface", &error).into());
            }
            guarded(|| files::file(path, bytes))
        };
        let worlds = read.unwrap_or_else(|| Err(anyhow!("{} can't be read: it is no WIT that people write", path.display())))?;
        worlds.check().map_err(|error| plugin::named(path, "can't be read", &error).into())
    }

    /// The world of that name in what a path has, or one of WASI's.
    pub(crate) fn find(path: Option<&Path>, name: Option<&str>) -> Result<(Worlds, WorldId)> {
        let worlds = match (path, name) {
            (Some(path), _) => Worlds::read(path)?,
            (None, Some(name)) if name.starts_with("wasi:") => {
                let (resolve, package) = wasi::packages(name)?;
                Worlds { resolve, package, own: None }
            }
            (None, _) => bail!("which file or folder has the world? Name it by --wit PATH; only those of WASI are known without"),
        };
        let world = worlds.select(name);
        let world =
            if path.is_some() { world } else { world.context("of WASI, wasi:cli/command and wasi:http/proxy are known without --wit") }?;
        Ok((worlds, world))
    }

    /// All of WASI, in the versions that a text names.
    pub(crate) fn wasi(text: &str) -> Result<Resolve> {
        Ok(wasi::packages(text)?.0)
    }

    /// The interface that a plugin or a component carries.
    fn of_binary(bytes: &[u8]) -> undergo::Result<Worlds> {
        if is_component(bytes) {
            return Worlds::of_component(bytes);
        }
        match ModuleInfo::parse(bytes)?.wit {
            Some(wit) => Worlds::of_text(&wit),
            None => Err(invalid("it is a module without an interface")),
        }
    }

    /// The interface of a component, or a package in the binary form. Its code is not looked at.
    pub(crate) fn of_component(bytes: &[u8]) -> undergo::Result<Worlds> {
        bounds::check_component(bytes)?;
        let decoded = guarded(|| wit_component::decode(bytes).map_err(|error| format!("the component is not valid: {error:#}")));
        let decoded = decoded.unwrap_or_else(|| Err("the component has an interface that can't be read".to_owned())).map_err(invalid)?;
        let package = decoded.package();
        let worlds = match decoded {
            DecodedWasm::WitPackage(resolve, _) => Worlds { resolve, package, own: None },
            DecodedWasm::Component(resolve, world) => Worlds { resolve, package, own: Some(world) },
        };
        worlds.check()
    }

    /// The interface that a plugin carries as text.
    pub(crate) fn of_text(wit: &str) -> undergo::Result<Worlds> {
        let mut worlds = guarded(|| files::text(wit).map_err(|error| format!("its interface is not valid WIT: {error:#}")))
            .unwrap_or_else(|| Err("its interface is not valid WIT".to_owned()))
            .map_err(invalid)?;
        worlds.own = worlds.select(None).ok();
        worlds.check()
    }

    fn check(self) -> undergo::Result<Worlds> {
        bounds::check_resolved(&self.resolve)?;
        Ok(self)
    }

    /// The world of a component or a plugin. A package has none of its own.
    pub(crate) fn own(&self) -> Option<WorldId> {
        self.own
    }

    /// The world of that name, with or without its package's; without a name the only one.
    pub(crate) fn select(&self, name: Option<&str>) -> Result<WorldId> {
        match (self.own, name) {
            (Some(world), None) => Ok(world),
            _ => self.resolve.select_world(&[self.package], name),
        }
    }

    /// The worlds of the package.
    pub(crate) fn worlds(&self) -> Vec<WorldId> {
        self.resolve.packages[self.package].worlds.values().copied().collect()
    }

    /// The interfaces of the package.
    pub(crate) fn interfaces(&self) -> Vec<InterfaceId> {
        self.resolve.packages[self.package].interfaces.values().copied().collect()
    }

    /// The interface of that name, with or without its package's.
    pub(crate) fn interface(&self, name: &str) -> Result<InterfaceId> {
        let is_named = |id: &InterfaceId| self.resolve.id_of(*id).is_some_and(|id| id == name);
        let own = self.resolve.packages[self.package].interfaces.get(name).copied();
        let found = own.or_else(|| self.resolve.interfaces.iter().map(|(id, _)| id).find(is_named));
        found.with_context(|| format!("there is no interface {name}"))
    }

    /// As WIT that stands by itself: the package, or that world only, and after it whatever it
    /// uses.
    pub(crate) fn text(&self, only: Option<WorldId>) -> Result<String> {
        let printed = guarded(|| {
            let (resolve, package, used) = live::part(&self.resolve, self.package, only);
            let mut printer = WitPrinter::default();
            printer.print(&resolve, package, &used)?;
            Ok(printer.output.to_string())
        });
        let text: String = printed.unwrap_or_else(|| Err(anyhow!("the interface has no form in WIT")))?;
        Ok(text.trim_end().to_owned() + "\n")
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidPlugin, message)
}

/// Runs a parser or a printer on what may be a stranger's, which is written for what people write:
/// on a stack that is large enough within the bounds. `None` if it panics.
pub(crate) fn guarded<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    /// A list in a list takes a few kilobytes, and so does an alias of an alias. What is not used
    /// of it costs nothing.
    const STACK: usize = 256 << 20;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let done = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.ok().and_then(|thread| thread.join().ok())
    });
    std::panic::set_hook(hook);
    done
}
