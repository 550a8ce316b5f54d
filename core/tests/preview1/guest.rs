//! A guest that calls each function of preview 1 by its name, and the folders that it is given.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use undergo::{AsyncInstance, Dir, Error, Instance, InstanceOptions, Plugin, Value};

use crate::common::{PLAIN, plugin};

/// The functions, with a letter for each parameter: `i` has 32 bits, `l` has 64.
pub const SIGNATURES: [(&str, &str); 46] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "ili"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_exit", "i"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

pub fn wrappers() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| wrapped(""))
}

/// The same, built by Go as far as the module says.
pub fn go() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| wrapped(r#"(@producers (language "Go" "go1.26.8"))"#))
}

fn wrapped(producers: &str) -> Plugin {
    let mut imports = String::new();
    let mut exports = String::new();
    for (name, letters) in SIGNATURES {
        let params: String = letters.chars().map(|letter| if letter == 'l' { " i64" } else { " i32" }).collect();
        let result = if name == "proc_exit" { "" } else { "(result i32)" };
        let args: String = (0..letters.len()).map(|i| format!("(local.get {i})")).collect();
        imports += &format!(r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param{params}) {result}))"#);
        exports += &format!(r#"(func (export "{name}") (param{params}) {result} (call ${name} {args}))"#);
    }
    let text = format!(r#"(module {producers} {imports} (memory (export "memory") {PAGES}) {exports} (func (export "_initialize")))"#);
    plugin(&text).expect("a plugin")
}

const PAGES: usize = 4;

/// Where nothing lies any more.
pub const BEYOND: i64 = (PAGES << 16) as i64;

/// Where results are written.
pub const OUT: i64 = 1024;
/// Where bytes are read to.
pub const BUFFER: i64 = 4096;
/// Where arguments begin to be written.
const ARGUMENTS: u32 = 65536;

/// Descriptors that every guest has: two directories that are given, and what [`Guest::new`] opens
/// in the first.
pub const DATA: i64 = 3;
pub const READ_ONLY: i64 = 4;
pub const FILE: i64 = 5;
pub const READ_FILE: i64 = 6;
pub const APPEND_FILE: i64 = 7;
pub const SUB: i64 = 8;
pub const WRITE_FILE: i64 = 9;
/// One that nobody has.
pub const NONE: i64 = 99;

pub const RIGHT_READ: i64 = 1 << 1;
pub const RIGHT_WRITE: i64 = 1 << 6;
pub const CREATE: i64 = 1;
pub const DIRECTORY: i64 = 2;
pub const EXCLUSIVE: i64 = 4;
pub const TRUNCATE: i64 = 8;
pub const APPEND: i64 = 1;
pub const NONBLOCK: i64 = 4;
pub const FOLLOW: i64 = 1;

/// An argument.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    Int(i64),
    /// A text or bytes: its address and its length.
    Text(&'a [u8]),
    /// A list of one buffer with these bytes: its address, and how many buffers it has.
    Write(&'a [u8]),
    /// The same with room for so many bytes, at [`BUFFER`].
    Read(u32),
}

impl From<i64> for Arg<'_> {
    fn from(int: i64) -> Self {
        Arg::Int(int)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Arg::Text(text.as_bytes())
    }
}

/// Makes arguments of numbers and texts.
#[macro_export]
macro_rules! args {
    ($($arg:expr),* $(,)?) => { [$($crate::guest::Arg::from($arg)),*] };
}

enum Way {
    Here(Instance),
    Awaited(AsyncInstance, Runtime),
}

/// A guest with folders of its own.
pub struct Guest {
    way: Way,
    pub folder: TempDir,
    next: Cell<u32>,
}

/// The same files in each of two folders, with links among them, some of which lead out.
fn fill(folder: &Path) {
    let make = |name: &str, content: &str| fs::write(folder.join(name), content).expect("a file");
    let link = |target: &str, name: &str| symlink(target, folder.join(name)).expect("a link");
    for directory in ["sub", "empty"] {
        fs::create_dir(folder.join(directory)).expect("a folder");
    }
    make("file.txt", "0123456789");
    make("sub/inner.txt", "inner");
    link("file.txt", "link");
    link("sub", "to-sub");
    link("nowhere", "dangling");
    link("loop-b", "loop-a");
    link("loop-a", "loop-b");
    link("../secret.txt", "out");
    link("/etc/passwd", "absolute");
    link("..", "up");
}

/// A guest with these options and nothing open, and a folder that lives as long.
pub fn on(on_fiber: bool, options: InstanceOptions, folder: TempDir) -> Guest {
    made(wrappers(), on_fiber, options, folder)
}

/// The same of another plugin.
pub fn made(plugin: &Plugin, on_fiber: bool, options: InstanceOptions, folder: TempDir) -> Guest {
    let way = if on_fiber {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let instance = runtime.block_on(plugin.instantiate_async(options, &PLAIN)).expect("an instance");
        Way::Awaited(instance, runtime)
    } else {
        Way::Here(plugin.instantiate(options).expect("an instance"))
    };
    Guest { way, folder, next: Cell::new(ARGUMENTS) }
}

impl Guest {
    pub fn new(on_fiber: bool) -> Guest {
        Guest::with(on_fiber, |_| {})
    }

    pub fn with(on_fiber: bool, change: impl FnOnce(&mut InstanceOptions)) -> Guest {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("secret.txt"), "secret").expect("a file");
        let mut options = crate::common::quiet();
        for (name, readonly) in [("data", false), ("ro", true)] {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("a folder");
            fill(&path);
            options.sandbox.dirs.push((format!("/{name}"), Dir { path, readonly }));
        }
        change(&mut options);
        let guest = on(on_fiber, options, folder);
        for (descriptor, path, oflags, rights, flags) in [
            (FILE, "file.txt", 0, RIGHT_READ | RIGHT_WRITE, 0),
            (READ_FILE, "file.txt", 0, RIGHT_READ, 0),
            (APPEND_FILE, "file.txt", 0, RIGHT_READ | RIGHT_WRITE, APPEND),
            (SUB, "sub", DIRECTORY, RIGHT_READ, 0),
            (WRITE_FILE, "file.txt", 0, RIGHT_WRITE, 0),
        ] {
            assert_eq!(guest.open(DATA, path, oflags, rights, flags), Ok(descriptor), "{path}");
        }
        guest
    }

    /// Each function's number for success or for what went wrong.
    pub fn call(&self, name: &str, args: &[Arg<'_>]) -> i64 {
        match self.try_call(name, args) {
            Ok(Value::Int(errno)) => errno,
            other => panic!("{name}({args:?}) gave {other:?}"),
        }
    }

    pub fn try_call(&self, name: &str, args: &[Arg<'_>]) -> Result<Value, Error> {
        self.next.set(ARGUMENTS);
        let mut values = Vec::new();
        for arg in args {
            match *arg {
                Arg::Int(int) => values.push(int),
                Arg::Text(text) => values.extend([self.put(text), text.len() as i64]),
                Arg::Write(bytes) => {
                    let at = self.put(bytes);
                    values.extend([self.list(at, bytes.len() as u32), 1]);
                }
                Arg::Read(len) => values.extend([self.list(BUFFER, len), 1]),
            }
        }
        let values: Vec<Value> = values.into_iter().map(Value::Int).collect();
        match &self.way {
            Way::Here(instance) => instance.call(name, &values, &PLAIN),
            Way::Awaited(instance, runtime) => runtime.block_on(instance.call(name, &values, &PLAIN)),
        }
    }

    /// Begins anew.
    pub fn reset(&self) {
        match &self.way {
            Way::Here(instance) => instance.reset(&PLAIN),
            Way::Awaited(instance, runtime) => runtime.block_on(instance.reset(&PLAIN)),
        }
        .expect("a reset");
    }

    /// Puts bytes where no other argument lies.
    pub fn put(&self, bytes: &[u8]) -> i64 {
        let at = self.next.get();
        self.next.set((at + bytes.len() as u32).next_multiple_of(8));
        self.write(at.into(), bytes);
        at.into()
    }

    /// A list of one buffer.
    fn list(&self, at: i64, len: u32) -> i64 {
        self.put(&[(at as u32).to_le_bytes(), len.to_le_bytes()].concat())
    }

    pub fn write(&self, at: i64, bytes: &[u8]) {
        match &self.way {
            Way::Here(instance) => instance.write_memory(at as u32, bytes),
            Way::Awaited(instance, _) => instance.write_memory(at as u32, bytes),
        }
        .expect("memory");
    }

    pub fn read(&self, at: i64, len: usize) -> Vec<u8> {
        match &self.way {
            Way::Here(instance) => instance.read_memory(at as u32, len as u32),
            Way::Awaited(instance, _) => instance.read_memory(at as u32, len as u32),
        }
        .expect("memory")
    }

    /// The number of 32 bits at an address.
    pub fn word(&self, at: i64) -> i64 {
        self.read(at, 4).try_into().map(u32::from_le_bytes).expect("four bytes").into()
    }

    /// The number of 64 bits at an address.
    pub fn long(&self, at: i64) -> i64 {
        self.read(at, 8).try_into().map(i64::from_le_bytes).expect("eight bytes")
    }

    /// Opens a file, with links followed; the new descriptor, or the number for what went wrong.
    pub fn open(&self, directory: i64, path: &str, oflags: i64, rights: i64, flags: i64) -> Result<i64, i64> {
        match self.call("path_open", &args![directory, FOLLOW, path, oflags, rights, rights, flags, OUT]) {
            0 => Ok(self.word(OUT)),
            errno => Err(errno),
        }
    }

    /// Reads at most so many bytes.
    pub fn bytes(&self, descriptor: i64, len: u32) -> Result<Vec<u8>, i64> {
        match self.call("fd_read", &[descriptor.into(), Arg::Read(len), OUT.into()]) {
            0 => Ok(self.read(BUFFER, self.word(OUT) as usize)),
            errno => Err(errno),
        }
    }

    /// A file of the folder that may be written to, as the host sees it.
    pub fn host(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("data").join(name)).expect("a file")
    }
}
