//! WASI preview 1. Files, streams, sockets and waiting are served here, where the budget of the call is at hand; arguments, the environment and clocks by
//! wasmtime-wasi.

use wasmtime::{AsContextMut, Caller, Linker};
use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_async, add_to_linker_sync};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

use crate::config::Limits;
use crate::error::Error;
use crate::guest::state::State;
use crate::sched::task;
use crate::wasi::clock::Simulated;
use crate::wasi::descriptor::Waiting;
use crate::wasi::fd::{fd_close, fd_fdstat_get, fd_fdstat_set_flags, fd_filestat_get, fd_read, fd_renumber, fd_write};
use crate::wasi::files::{content, listing, names, open};
use crate::wasi::owned_fd;
use crate::wasi::poll;
use crate::wasi::preview1::{MODULE, answer, at_once, parts};
use crate::wasi::random::random_get;
use crate::wasi::sandbox::Sandbox;
use crate::wasi::sockets;
use crate::wasi::sockets::call::Call;
use crate::wasi::sockets::link::Versions;

/// The functions of preview 1, and of the extension for sockets. Any other import of their module is the host's to give.
#[rustfmt::skip]
pub(crate) const FUNCTIONS: [&str; 57] = [
    "args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get", "environ_sizes_get", "fd_advise", "fd_allocate",
    "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_fdstat_set_rights", "fd_filestat_get", "fd_filestat_set_size",
    "fd_filestat_set_times", "fd_pread", "fd_prestat_dir_name", "fd_prestat_get", "fd_pwrite", "fd_read", "fd_readdir", "fd_renumber",
    "fd_seek", "fd_sync", "fd_tell", "fd_write", "path_create_directory", "path_filestat_get", "path_filestat_set_times", "path_link",
    "path_open", "path_readlink", "path_remove_directory", "path_rename", "path_symlink", "path_unlink_file", "poll_oneoff", "proc_exit",
    "proc_raise", "random_get", "sched_yield", "sock_accept", "sock_bind", "sock_connect", "sock_getaddrinfo", "sock_getlocaladdr",
    "sock_getpeeraddr", "sock_getsockopt", "sock_listen", "sock_open", "sock_recv", "sock_recv_from", "sock_send", "sock_send_to",
    "sock_setsockopt", "sock_shutdown",
];

/// Makes what wasmtime-wasi serves.
pub(crate) fn context(name: &str, sandbox: &Sandbox, limits: &Limits, clock: Option<&Simulated>) -> WasiP1Ctx {
    let mut builder = WasiCtxBuilder::new();
    // argv[0] is never absent: real libraries panic without it.
    builder.arg(name).args(&sandbox.args).envs(&sandbox.env);
    if let Some(memory) = limits.memory
        && !sandbox.env.iter().any(|(key, _)| key == "GOMEMLIMIT")
    {
        builder.env("GOMEMLIMIT", (memory / 10 * 9).to_string());
    }
    if let Some(clock) = clock {
        clock.give_to(&mut builder);
    }
    builder.build_p1()
}

/// What preview 1 does with files: each function, what it is, and its parameters. The core's own descriptors have a refusal for those that begin with one.
macro_rules! of_files {
    ($one:ident) => {
        $one!([of_fd] fd_advise(fd: i32, from: i64, count: i64, advice: i32) as |call| content::fd_advise(&call, fd, from, count, advice));
        $one!([of_fd] fd_allocate(fd: i32, _from: i64, _count: i64) as |call| content::fd_allocate(&call, fd));
        $one!([of_fd] fd_datasync(fd: i32) as |call| content::fd_sync(call, fd, false).await);
        $one!([of_fd] fd_fdstat_set_rights(fd: i32, _own: i64, _inherited: i64) as |call| content::fd_fdstat_set_rights(&call, fd));
        $one!([of_fd] fd_filestat_set_size(fd: i32, size: i64) as |call| content::fd_filestat_set_size(call, fd, size).await);
        $one!([of_fd] fd_filestat_set_times(fd: i32, access: i64, change: i64, flags: i32)
            as |call| content::fd_filestat_set_times(call, fd, access, change, flags).await);
        $one!([of_fd] fd_pread(fd: i32, buffers: i32, count: i32, from: i64, done: i32)
            as |call| content::read(call, (fd, buffers, count, done), Some(from as u64)).await);
        $one!([of_fd] fd_pwrite(fd: i32, buffers: i32, count: i32, from: i64, done: i32)
            as |call| content::write(call, (fd, buffers, count, done), Some(from as u64)).await);
        $one!([of_fd] fd_readdir(fd: i32, buffer: i32, len: i32, cookie: i64, done: i32)
            as |call| listing::fd_readdir(call, (fd, buffer, len, cookie, done)).await);
        $one!([of_fd] fd_seek(fd: i32, offset: i64, whence: i32, place: i32) as |call| content::fd_seek(call, (fd, offset, whence, place)).await);
        $one!([of_fd] fd_sync(fd: i32) as |call| content::fd_sync(call, fd, true).await);
        $one!([of_fd] fd_tell(fd: i32, place: i32) as |call| content::fd_tell(call, fd, place));
        $one!([] fd_prestat_dir_name(fd: i32, path: i32, len: i32) as |call| names::fd_prestat_dir_name(call, fd, path, len));
        $one!([] fd_prestat_get(fd: i32, stat: i32) as |call| names::fd_prestat_get(call, fd, stat));
        $one!([of_dir] path_create_directory(dir: i32, path: i32, len: i32) as |call| names::path_create_directory(call, (dir, path, len)).await);
        $one!([of_dir] path_filestat_get(dir: i32, look_up: i32, path: i32, len: i32, stat: i32)
            as |call| names::path_filestat_get(call, (dir, look_up, path, len, stat)).await);
        $one!([of_dir] path_filestat_set_times(dir: i32, look_up: i32, path: i32, len: i32, access: i64, change: i64, flags: i32)
            as |call| names::path_filestat_set_times(call, (dir, look_up, path, len, access, change, flags)).await);
        $one!([of_dir] path_link(dir: i32, look_up: i32, path: i32, len: i32, new_dir: i32, new_path: i32, new_len: i32)
            as |call| names::path_link(call, (dir, look_up, path, len, new_dir, new_path, new_len)).await);
        $one!([of_dir] path_open(dir: i32, look_up: i32, path: i32, len: i32, how: i32, rights: i64, inherited: i64, flags: i32, number: i32)
            as |call| open::path_open(call, (dir, look_up, path, len, how, rights, inherited, flags, number)).await);
        $one!([of_dir] path_readlink(dir: i32, path: i32, len: i32, buffer: i32, room: i32, done: i32)
            as |call| names::path_readlink(call, (dir, path, len, buffer, room, done)).await);
        $one!([of_dir] path_remove_directory(dir: i32, path: i32, len: i32) as |call| names::path_remove_directory(call, (dir, path, len)).await);
        $one!([of_dir] path_rename(dir: i32, path: i32, len: i32, new_dir: i32, new_path: i32, new_len: i32)
            as |call| names::path_rename(call, (dir, path, len, new_dir, new_path, new_len)).await);
        $one!([] path_symlink(target: i32, target_len: i32, dir: i32, path: i32, len: i32)
            as |call| names::path_symlink(call, (target, target_len, dir, path, len)).await);
        $one!([of_dir] path_unlink_file(dir: i32, path: i32, len: i32) as |call| names::path_unlink_file(call, (dir, path, len)).await);
    };
}

/// What one of the core's own descriptors says to a function of files, if it is one.
macro_rules! refused {
    (of_fd, $call:ident, $name:ident, $fd:ident) => {
        owned_fd::is_own($call.state, $fd).then(|| owned_fd::refusal(stringify!($name)))
    };
    (of_dir, $call:ident, $name:ident, $fd:ident) => {
        owned_fd::is_own($call.state, $fd).then_some(crate::wasi::errno::NOTDIR)
    };
    (, $call:ident, $name:ident, $fd:ident) => {
        None
    };
}

/// Gives the linker all of preview 1, for guests on their caller's stack.
pub(crate) fn link(linker: &mut Linker<State>, versions: Versions) -> wasmtime::Result<()> {
    add_to_linker_sync(linker, |state: &mut State| &mut state.wasi)?;
    macro_rules! own {
        ($($name:ident($($arg:ident),*);)*) => {
            $(linker.func_wrap(MODULE, stringify!($name), |caller: Caller<'_, State>, $($arg: i32),*| {
                at_once($name(Waiting::Thread, caller, ($($arg,)*)))
            })?;)*
        };
    }
    macro_rules! one {
        ([$($of:ident)?] $name:ident($first:ident: i32 $(, $arg:ident: $ty:ty)*) as |$call:ident| $work:expr) => {
            linker.func_wrap(MODULE, stringify!($name), |mut caller: Caller<'_, State>, $first: i32 $(, $arg: $ty)*| {
                at_once(async {
                    let $call = Call::new(Waiting::Thread, &mut caller)?;
                    match refused!($($of)?, $call, $name, $first) {
                        Some(said) => Ok(said),
                        None => sockets::said($work),
                    }
                })
            })?
        };
    }
    linker.allow_shadowing(true);
    own! {
        fd_read(fd, buffers, count, done);
        fd_write(fd, buffers, count, done);
        fd_fdstat_get(fd, stat);
        fd_filestat_get(fd, stat);
        poll_oneoff(subscriptions, events, count, ready);
    }
    of_files!(one);
    link_others(linker)?;
    sockets::link::link(linker, versions)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Gives the linker all of preview 1, for guests on fibers, whose waits hold no thread.
pub(crate) fn link_async(linker: &mut Linker<State>, versions: Versions) -> wasmtime::Result<()> {
    add_to_linker_async(linker, |state: &mut State| &mut state.wasi)?;
    macro_rules! own {
        ($($name:ident;)*) => {
            $(linker.func_wrap_async(MODULE, stringify!($name), |caller, args| Box::new($name(Waiting::Task, caller, args)))?;)*
        };
    }
    macro_rules! one {
        ([$($of:ident)?] $name:ident($first:ident: i32 $(, $arg:ident: $ty:ty)*) as |$call:ident| $work:expr) => {
            linker.func_wrap_async(MODULE, stringify!($name), |mut caller: Caller<'_, State>, ($first, $($arg,)*): (i32, $($ty,)*)| {
                Box::new(async move {
                    let $call = Call::new(Waiting::Task, &mut caller)?;
                    match refused!($($of)?, $call, $name, $first) {
                        Some(said) => Ok(said),
                        None => sockets::said($work),
                    }
                })
            })?
        };
    }
    linker.allow_shadowing(true);
    own! {
        fd_read;
        fd_write;
        fd_fdstat_get;
        fd_filestat_get;
        poll_oneoff;
    }
    of_files!(one);
    link_others(linker)?;
    sockets::link::link_async(linker, versions)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What waits for nothing.
fn link_others(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "fd_close", fd_close)?;
    linker.func_wrap(MODULE, "fd_renumber", fd_renumber)?;
    linker.func_wrap(MODULE, "fd_fdstat_set_flags", fd_fdstat_set_flags)?;
    linker.func_wrap(MODULE, "proc_exit", proc_exit)?;
    linker.func_wrap(MODULE, "random_get", random_get)?;
    Ok(())
}

/// Any number is a code. wasmtime-wasi takes those from 126 on for a mistake of the guest, and traps; `os.Exit(255)` is none.
fn proc_exit(code: i32) -> wasmtime::Result<()> {
    Err(I32Exit(code).into())
}

/// `time.Sleep` ends here, and whatever waits for descriptors.
async fn poll_oneoff(
    waiting: Waiting,
    mut caller: Caller<'_, State>,
    (subscriptions, events, count, ready): (i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    let (memory, state) = parts(&mut caller)?;
    let wanted = match poll::read(memory, subscriptions as u32, events as u32, count as u32) {
        Ok(wanted) => wanted,
        Err(number) => return Ok(number),
    };
    let wanted = poll::resolve(&wanted, state, waiting).await?;
    let (happened, has_waited) = task::noticing(poll::wait(&wanted, state, waiting)).await;
    let count = poll::write(memory, events as u32, &happened.map_err(Error::into_wasmtime)?);
    let answer = answer(memory, ready, count);
    if has_waited {
        caller.data_mut().turn.resume();
        caller.as_context_mut().set_epoch_deadline(1);
    }
    Ok(answer)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use wasmtime::Module;

    use super::*;
    use crate::config::budget::{Budget, Deadline};
    use crate::error::ErrorKind;
    use crate::guest::options::InstanceOptions;
    use crate::instance::store::Seed;
    use crate::plugin::Plugin;
    use crate::wasi::stdio::input::Input;
    use crate::wasi::stdio::output::Output;

    /// `copy` writes a byte of its input to its output; `sleep` sleeps that many nanoseconds.
    const GUEST: &str = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\40\00\00\00\01\00\00\00")
        (func (export "copy") (result i32)
          (i32.add (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32))
            (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))
        (func (export "sleep") (param i64) (result i32)
          (i32.store (i32.const 144) (i32.const 1)) (i64.store (i32.const 152) (local.get 0))
          (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 32)))
        (func (export "_initialize")))"#;

    #[test]
    #[cfg_attr(miri, ignore = "runs WebAssembly")]
    fn all_functions_that_are_linked_are_known() {
        let bytes = wat::parse_str(GUEST).expect("a module");
        let seed = Seed::new(&Plugin::from_bytes("test.wasm", &bytes).expect("a plugin"), InstanceOptions::default()).expect("a seed");
        let mut store = seed.store().expect("a store");
        let mut linker = Linker::new(store.engine());
        link(&mut linker, Versions::default()).expect("a linker");
        let mut linked: Vec<String> = linker.iter(&mut store).map(|(_, name, _)| name.to_owned()).collect();
        linked.sort();
        assert_eq!(linked, FUNCTIONS);
        let mut linker = Linker::new(store.engine());
        link_async(&mut linker, Versions::default()).expect("a linker");
        assert_eq!(linker.iter(&mut store).count(), FUNCTIONS.len());
    }

    #[test]
    #[cfg_attr(miri, ignore = "runs WebAssembly")]
    fn a_guest_on_a_fiber_waits_as_a_task() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fifo");
        let name = std::ffi::CString::new(path.to_str().expect("a name")).expect("no zero");
        // SAFETY: a string that ends with a zero.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let (lines, mut options) = (Arc::new(Mutex::new(Vec::new())), InstanceOptions::default());
        let kept = lines.clone();
        options.sandbox.stdin = Input::File(path.clone());
        options.sandbox.stdout = Output::lines(move |line| {
            kept.lock().expect("no panic").push(line.to_owned());
            Ok(())
        });
        let bytes = wat::parse_str(GUEST).expect("a module");
        let seed = Seed::new(&Plugin::from_bytes("test.wasm", &bytes).expect("a plugin"), options).expect("a seed");
        let mut store = seed.store().expect("a store");
        let engine = store.engine().clone();
        let mut linker = Linker::new(&engine);
        link_async(&mut linker, Versions::default()).expect("a linker");
        store.set_epoch_deadline(u64::MAX / 2);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let module = Module::from_binary(&engine, &bytes).expect("a module");
            let instance = linker.instantiate_async(&mut store, &module).await.expect("an instance");
            let copy = instance.get_typed_func::<(), i32>(&mut store, "copy").expect("copy");
            let sleep = instance.get_typed_func::<i64, i32>(&mut store, "sleep").expect("sleep");
            // The one thread is free to write while the guest waits to read.
            let write = async {
                tokio::task::yield_now().await;
                let mut writer = std::fs::OpenOptions::new().write(true).open(&path).expect("a reader");
                writer.write_all(b"a\n").expect("room");
                writer
            };
            let (copied, writer) = tokio::join!(copy.call_async(&mut store, ()), write);
            assert_eq!(copied.expect("a call"), 0);
            assert_eq!(copy.call_async(&mut store, ()).await.expect("a call"), 0);
            assert_eq!(*lines.lock().expect("no panic"), [b"a"]);
            assert_eq!(sleep.call_async(&mut store, 1_000_000).await.expect("a call"), 0);
            let limit = Duration::from_millis(30);
            for never in [true, false] {
                store.data_mut().budget = Budget { deadline: Some(Deadline::after(limit)), ..Budget::default() };
                let ended = if never { sleep.call_async(&mut store, i64::MAX).await } else { copy.call_async(&mut store, ()).await };
                let ended = Error::from_wasmtime(&ended.expect_err("no end")).expect("an error of the core");
                assert_eq!(ended.kind(), ErrorKind::Timeout);
            }
            drop(writer);
        });
    }
}
