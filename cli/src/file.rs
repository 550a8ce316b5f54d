//! Files that are written at once.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file at once or not at all: another program may be loading the old one.
pub(crate) fn write(output: &Path, bytes: &[u8]) -> Result<()> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("{} can't be written", output.display());
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What a plain new file would have; the umask is taken off by the system.
        file.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = file.prefix(".undergo-").tempfile_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.persist(output).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}
