//! What preview 1 does with the names in a guest's directories: wasmtime-wasi does it. It has no word for some of what the system says, such as that a file is not moved to another device, which
//! programs copy it for then; all of that is `EIO` to it. So what failed with that is tried once more, here, to be told what is wrong.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_primitives::fs::{DirOptions, OpenOptions, create_dir, hard_link, open, remove_dir, remove_file, rename};
use wasmtime::Caller;

use crate::abi::memory::GuestMemory as Checked;
use crate::descriptor::Waiting;
use crate::errno;
use crate::fd::pass_on;
use crate::pipes::{CREATE, EXCLUSIVE, Pipes, TRUNCATE, WRITE};
use crate::preview1::parts;
use crate::state::State;

/// A name as a guest gives it: the directory, and where its bytes are, and how many.
type Name = (i32, i32, i32);

/// Names with which something failed: in each of the sandbox's directories it can be tried again. What the guest has opened within them is known to wasmtime-wasi alone.
struct Names<'n> {
    memory: &'n [u8],
    dirs: &'n Pipes,
}

impl Names<'_> {
    /// The directory, and the name in it.
    fn find(&self, (dir, at, len): Name) -> Option<(File, &Path)> {
        Some((File::open(self.dirs.dir(dir)?).ok()?, self.path(at, len)?))
    }

    fn path(&self, at: i32, len: i32) -> Option<&Path> {
        let bytes = Checked::new(self.memory).slice(at as u32, len as u32, 1, 1).ok()?;
        std::str::from_utf8(bytes).ok().map(Path::new)
    }
}

/// The number for what goes wrong when it is tried again, if it was `EIO`. If nothing does any more, it is done.
fn told(said: i32, caller: &mut Caller<'_, State>, again: impl FnOnce(&Names<'_>) -> Option<io::Result<()>>) -> wasmtime::Result<i32> {
    if said != errno::IO {
        return Ok(said);
    }
    let (memory, state) = parts(caller)?;
    Ok(match again(&Names { memory, dirs: &state.pipes }) {
        Some(Ok(())) => errno::SUCCESS,
        Some(Err(error)) => errno::from_system(&error),
        None => said,
    })
}

/// The same for what a file could not be opened with: how, and the rights. It is not opened here.
pub(crate) fn told_of_open(said: i32, caller: &mut Caller<'_, State>, name: Name, (how, rights): (i32, i64)) -> wasmtime::Result<i32> {
    told(said, caller, |names| {
        let (dir, path) = names.find(name)?;
        let has = |flag: i32| how & flag != 0;
        let mut options = OpenOptions::new();
        options.read(rights & WRITE == 0).write(rights & WRITE != 0 || has(CREATE | TRUNCATE)).truncate(has(TRUNCATE));
        options.create(has(CREATE)).create_new(has(CREATE) && has(EXCLUSIVE));
        open(&dir, path, &options).err().map(Err)
    })
}

pub(crate) async fn path_rename(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (dir, path, len, new_dir, new_path, new_len): (i32, i32, i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    let said = pass_on!(waiting, caller, async path_rename(dir, path, len, new_dir, new_path, new_len))?;
    told(said, &mut caller, |names| {
        let ((dir, path), (new_dir, new_path)) = (names.find((dir, path, len))?, names.find((new_dir, new_path, new_len))?);
        Some(rename(&dir, path, &new_dir, new_path))
    })
}

pub(crate) async fn path_link(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (dir, look_up, path, len, new_dir, new_path, new_len): (i32, i32, i32, i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    let said = pass_on!(waiting, caller, async path_link(dir, look_up, path, len, new_dir, new_path, new_len))?;
    told(said, &mut caller, |names| {
        let ((dir, path), (new_dir, new_path)) = (names.find((dir, path, len))?, names.find((new_dir, new_path, new_len))?);
        Some(hard_link(&dir, path, &new_dir, new_path))
    })
}

pub(crate) async fn path_symlink(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (target, target_len, dir, path, len): (i32, i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    let said = pass_on!(waiting, caller, async path_symlink(target, target_len, dir, path, len))?;
    told(said, &mut caller, |names| {
        let (dir, path) = names.find((dir, path, len))?;
        let target = names.path(target, target_len).filter(|target| target.is_relative())?;
        point_to(target, &dir, path)
    })
}

fn point_to(target: &Path, dir: &File, path: &Path) -> Option<io::Result<()>> {
    #[cfg(not(windows))]
    return Some(cap_primitives::fs::symlink_contents(target, dir, path));
    // There, links to files and to directories are made apart.
    #[cfg(windows)]
    return {
        let _ = (target, dir, path);
        None
    };
}

/// The functions that take a name, and nothing else.
macro_rules! of_a_name {
    ($($function:ident as $again:expr;)*) => {
        $(pub(crate) async fn $function(
            waiting: Waiting,
            mut caller: Caller<'_, State>,
            (dir, path, len): Name,
        ) -> wasmtime::Result<i32> {
            let said = pass_on!(waiting, caller, async $function(dir, path, len))?;
            told(said, &mut caller, |names| {
                let (dir, path) = names.find((dir, path, len))?;
                Some($again(&dir, path))
            })
        })*
    };
}

of_a_name! {
    path_create_directory as |dir: &File, path: &Path| create_dir(dir, path, &DirOptions::new());
    path_remove_directory as remove_dir;
    path_unlink_file as remove_file;
}
