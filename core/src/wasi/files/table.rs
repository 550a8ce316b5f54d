//! A guest's open files and directories, by number. Sockets and pipes have numbers of their own.

use std::fs::File;
use std::sync::Arc;

use crate::config::Limits;
use crate::wasi::errno;
use crate::wasi::files::given::{Given, GivenDir, components};
use crate::wasi::files::root::{Root, is_null};
use crate::wasi::files::temporary::Temporary;
use crate::wasi::sockets::network::Network;

/// Descriptors that a guest may hold at once, unless the limits say otherwise.
pub(crate) const DESCRIPTORS: u32 = 128;

/// The given directories follow the standard streams.
pub(crate) const FIRST_DIR: usize = 3;

pub(crate) struct Files {
    open: Vec<Option<Entry>>,
    root: Arc<Root>,
    /// Whether the guest looks for directories beyond listeners, as Go does; other libraries stop
    /// at the first number that is no directory.
    looks_on: bool,
    /// How many descriptors of the host the guest may hold: a process has few of them, and all
    /// guests share them.
    most: usize,
}

/// What is at a number.
pub(crate) enum Entry {
    /// Reserved for a standard stream, or for a listener that was handed in.
    Kept,
    Dir(Dir),
    File(OpenFile),
    Null(Null),
}

/// An open directory.
#[derive(Clone)]
pub(crate) struct Dir {
    pub(crate) place: Place,
    pub(crate) readonly: bool,
    /// The name of a directory that the sandbox gives.
    pub(crate) name: Option<Arc<str>>,
}

#[derive(Clone)]
pub(crate) enum Place {
    Host(Arc<File>),
    /// A directory in the root, by the names in its path.
    Root(Vec<String>),
}

/// An open file.
pub(crate) struct OpenFile {
    pub(crate) file: Arc<File>,
    /// Whether it lies in a read-only directory.
    pub(crate) readonly: bool,
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// The offset of the next read or write.
    pub(crate) at: u64,
    pub(crate) appends: bool,
    /// The flag that the guest set; files never wait.
    pub(crate) nonblocking: bool,
}

/// `/dev/null`.
pub(crate) struct Null {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

/// The target of a path.
pub(crate) enum Found {
    /// A path in a directory of the host.
    Host {
        dir: Arc<File>,
        readonly: bool,
        path: String,
    },
    /// A directory in the root.
    Root(Vec<String>),
    Null,
    /// Not in the root; `parent` says whether its directory is.
    Missing {
        parent: bool,
    },
}

impl Files {
    /// The directories, numbers for the listeners, and then the root of a Go program, unless one is
    /// given. The libraries of C and Rust do without a root, and expect the first file they open to
    /// have the number after the directories.
    pub(crate) fn new(given: &Given, temporary: Option<&Temporary>, network: &Network, limits: &Limits, is_go: bool) -> Files {
        let dirs: Vec<GivenDir> = given.dirs.iter().cloned().chain(temporary.and_then(Temporary::dir)).collect();
        let listeners = network.listeners().len();
        let mut open: Vec<_> = (0..FIRST_DIR).map(|_| Some(Entry::Kept)).collect();
        open.extend(dirs.iter().map(|dir| {
            Some(Entry::Dir(Dir { place: Place::Host(dir.file.clone()), readonly: dir.readonly, name: Some(dir.name.clone()) }))
        }));
        open.extend((0..listeners).map(|_| Some(Entry::Kept)));
        let is_given = dirs.iter().any(|dir| dir.name.starts_with('/') && components(&dir.name).next().is_none());
        if is_go && !is_given {
            open.push(Some(Entry::Dir(Dir { place: Place::Root(Vec::new()), readonly: true, name: Some("/".into()) })));
        }
        Files { open, root: Arc::new(Root::new(&dirs)), looks_on: is_go, most: limits.descriptors.unwrap_or(DESCRIPTORS) as usize }
    }

    pub(crate) fn find(&self, number: i32) -> Option<&Entry> {
        self.open.get(usize::try_from(number).ok()?)?.as_ref()
    }

    pub(crate) fn find_mut(&mut self, number: i32) -> Option<&mut Entry> {
        self.open.get_mut(usize::try_from(number).ok()?)?.as_mut()
    }

    /// The file at a number.
    pub(crate) fn file(&self, number: i32) -> Result<&OpenFile, i32> {
        match self.find(number) {
            Some(Entry::File(file)) => Ok(file),
            _ => Err(errno::BADF),
        }
    }

    pub(crate) fn dir(&self, number: i32) -> Result<&Dir, i32> {
        match self.find(number) {
            Some(Entry::Dir(dir)) => Ok(dir),
            _ => Err(errno::BADF),
        }
    }

    /// Resolves a path from the directory at a number. The host's file system is not asked here.
    pub(crate) fn look_up(&self, number: i32, path: &str) -> Result<Found, i32> {
        let dir = self.dir(number)?;
        match &dir.place {
            Place::Host(_) if dir.name.as_deref() == Some("/") && is_null(path) => Ok(Found::Null),
            Place::Host(file) => Ok(Found::Host { dir: file.clone(), readonly: dir.readonly, path: path.to_owned() }),
            Place::Root(names) => self.root.find(names, path),
        }
    }

    /// The names in a directory of the root, and whether each is a directory.
    pub(crate) fn list_root(&self, names: &[String]) -> Vec<(String, bool)> {
        self.root.list(names)
    }

    /// Whether the guest may have `others` descriptors beside its open files. What the host has
    /// given does not count: directories, standard streams, and listeners that are handed in. The
    /// error is the guest's number for it.
    pub(crate) fn has_room(&self, others: usize) -> Result<(), i32> {
        let counts = |entry: &&Entry| !matches!(entry, Entry::Kept | Entry::Dir(Dir { name: Some(_), .. }));
        let open = self.open.iter().flatten().filter(counts).count();
        if open + others <= self.most { Ok(()) } else { Err(errno::MFILE) }
    }

    /// Adds an entry at the lowest free number.
    pub(crate) fn add(&mut self, entry: Entry) -> i32 {
        let place = self.open.iter().position(Option::is_none).unwrap_or_else(|| {
            self.open.push(None);
            self.open.len() - 1
        });
        self.open[place] = Some(entry);
        // No process has so many descriptors.
        place as i32
    }

    pub(crate) fn close(&mut self, number: i32) -> Result<(), i32> {
        let entry = usize::try_from(number).ok().and_then(|place| self.open.get_mut(place)).ok_or(errno::BADF)?;
        entry.take().map(drop).ok_or(errno::BADF)
    }

    /// Moves an entry to the number of another one, which is closed.
    pub(crate) fn renumber(&mut self, from: i32, to: i32) -> Result<(), i32> {
        if self.find(from).is_none() || self.find(to).is_none() {
            return Err(errno::BADF);
        }
        if from != to {
            self.open.swap(from as usize, to as usize);
            self.close(from)?;
        }
        Ok(())
    }

    /// The name of a directory that the sandbox gives. The error tells a library whether to look
    /// on.
    pub(crate) fn given(&self, number: i32) -> Result<&Arc<str>, i32> {
        match self.find(number) {
            Some(Entry::Dir(Dir { name: Some(name), .. })) => Ok(name),
            Some(Entry::Kept) if self.looks_on && number as usize >= FIRST_DIR => Err(errno::NOTDIR),
            _ => Err(errno::BADF),
        }
    }
}
