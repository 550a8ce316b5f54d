//! What several commands say of a plugin.

use std::path::Path;

use anyhow::{Context as _, Result};
use undergo::host::read_regular;
use undergo::interface::Interface;
use undergo::{CoreFunction, CoreImport, Error, ModuleInfo};

/// The module whose functions the host's WASI gives.
pub(crate) const WASI: &str = "wasi_snapshot_preview1";

/// The package of the interfaces that every host gives by itself.
pub(crate) const PROVIDED: &str = "undergo:go/";

/// Reads a module's file.
pub(crate) fn module(file: &Path) -> Result<Vec<u8>> {
    read_regular(file, u64::MAX).with_context(|| format!("{} can't be read", file.display()))
}

/// The error, with the file that it is about.
pub(crate) fn named(file: &Path, what: &str, error: &Error) -> Error {
    Error::new(error.kind(), format!("{} {what}: {}", file.display(), error.message()))
}

/// The exports that the interface does not speak of, and that are there to be called.
pub(crate) fn bare_exports<'a>(info: &'a ModuleInfo, interface: Option<&'a Interface>) -> impl Iterator<Item = &'a CoreFunction> {
    info.exports.iter().filter(move |export| {
        let name = export.name.as_str();
        let runtime = matches!(name, "_initialize" | "_start" | "cabi_realloc" | "undergo_arena" | "undergo_poll");
        !runtime && !name.starts_with("cabi_post_") && !interface.is_some_and(|interface| interface.has_core_export(name))
    })
}

/// The functions that the user of the plugin has to give.
pub(crate) fn host_imports<'a>(info: &'a ModuleInfo, interface: Option<&'a Interface>) -> impl Iterator<Item = &'a CoreImport> {
    info.imports.iter().filter(move |import| {
        let provided = import.module == WASI || import.module.starts_with(PROVIDED);
        !provided && !interface.is_some_and(|interface| interface.has_resource_import(&import.module, &import.name))
    })
}

/// `2.1 MB`.
pub(crate) fn bytes(n: usize) -> String {
    const UNITS: [&str; 3] = ["kB", "MB", "GB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut size = n as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// `1 export`, `2 exports`.
pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_000), "1.0 kB");
        assert_eq!(bytes(2_097_939), "2.1 MB");
        assert_eq!(bytes(999_999), "1.0 MB");
    }
}
