//! The root of a guest that is given none: a read-only directory with `/dev/null` and the given
//! directories.

use std::collections::BTreeSet;

use crate::wasi::errno;
use crate::wasi::files::given::{GivenDir, components};
use crate::wasi::files::table::Found;

/// Present in every root, also in one that the host gives: Go programs expect to open it.
const NULL: [&str; 2] = ["dev", "null"];

/// The given directories, by the names in their paths.
pub(crate) struct Root(Vec<(Vec<String>, GivenDir)>);

impl Root {
    pub(crate) fn new(dirs: &[GivenDir]) -> Root {
        let below = dirs.iter().filter(|dir| dir.name.starts_with('/'));
        Root(below.map(|dir| (components(&dir.name).map(str::to_owned).collect(), dir.clone())).collect())
    }

    /// Resolves a path from a directory in the root.
    pub(crate) fn find(&self, from: &[String], path: &str) -> Result<Found, i32> {
        if path.is_empty() {
            return Err(errno::NOENT);
        }
        // As in directories of the host, no path leads out.
        if path.starts_with('/') {
            return Err(errno::PERM);
        }
        let mut at = from.to_vec();
        for name in components(path) {
            if name != ".." {
                at.push(name.to_owned());
            } else if at.len() > from.len() {
                at.pop();
            } else {
                return Err(errno::PERM);
            }
        }
        // Of nested directories, the innermost one is meant.
        let given = self.0.iter().filter(|(names, _)| at.starts_with(names)).max_by_key(|(names, _)| names.len());
        if let Some((names, dir)) = given {
            let rest = at[names.len()..].join("/");
            let end = if path.ends_with('/') && !rest.is_empty() { "/" } else { "" };
            let path = if rest.is_empty() { ".".to_owned() } else { rest + end };
            return Ok(Found::Host { dir: dir.file.clone(), readonly: dir.readonly, path });
        }
        if at.starts_with(&NULL.map(str::to_owned)) {
            return if at.len() > NULL.len() || path.ends_with('/') { Err(errno::NOTDIR) } else { Ok(Found::Null) };
        }
        if self.is_dir(&at) {
            return Ok(Found::Root(at));
        }
        let parent = at.split_last().is_some_and(|(_, parent)| self.is_dir(parent));
        Ok(Found::Missing { parent })
    }

    /// Whether this is a directory of the root itself.
    fn is_dir(&self, names: &[String]) -> bool {
        names.is_empty() || names == [NULL[0]] || self.0.iter().any(|(below, _)| below.len() > names.len() && below.starts_with(names))
    }

    /// The names in one of its directories, and whether each is a directory. `/dev` is there, but
    /// not listed.
    pub(crate) fn list(&self, names: &[String]) -> Vec<(String, bool)> {
        if names == [NULL[0]] && !self.0.iter().any(|(below, _)| below.starts_with(names)) {
            return vec![(NULL[1].to_owned(), false)];
        }
        let below = self.0.iter().filter(|(below, _)| below.starts_with(names)).filter_map(|(below, _)| below.get(names.len()));
        below.collect::<BTreeSet<_>>().into_iter().map(|name| (name.clone(), true)).collect()
    }
}

/// Whether a path in a root that the host gives is that of `/dev/null`.
pub(crate) fn is_null(path: &str) -> bool {
    !path.ends_with('/') && !path.starts_with('/') && components(path).eq(NULL)
}
