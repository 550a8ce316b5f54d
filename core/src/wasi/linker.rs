//! The one table of the functions of WASI, for both kinds of guests: on the stack of their caller,
//! and on a fiber.
//!
//! Files, streams, sockets and waiting are served here, where the budget of the call is at hand;
//! arguments, the environment and clocks by wasmtime-wasi.

use wasmtime::{AsContextMut as _, Caller, Linker};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::{add_to_linker_async, add_to_linker_sync};

use crate::sched::driver::{Driver, at_once};
use crate::sched::task;
use crate::wasi::call::{Call, Failed, said};
use crate::wasi::context::Host;
use crate::wasi::fd;
use crate::wasi::files::{content, listing, names, open};
use crate::wasi::owned_fd;
use crate::wasi::poll;
use crate::wasi::random;
use crate::wasi::sockets::versions::Versions;
use crate::wasi::sockets::{functions, transfer};

/// The module whose functions these are.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// The functions of preview 1, and of the extension for sockets. Any other import of their module
/// is the host's to give.
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

/// Gives the linker all of preview 1 and of its extension for sockets, for guests that wait in that
/// way.
///
/// Each function is one line: its name, its parameters, and what it does with a [`Call`], or with
/// the guest's `Wasi` alone. One that is marked with `file` is for files only, and refuses sockets
/// and pipes.
pub(crate) fn link<T: Host>(linker: &mut Linker<T>, driver: Driver, versions: Versions) -> wasmtime::Result<()> {
    match driver {
        Driver::Direct => add_to_linker_sync(linker, |host: &mut T| &mut host.wasi().p1)?,
        Driver::Fiber => add_to_linker_async(linker, |host: &mut T| &mut host.wasi().p1)?,
    }
    // What waits for nothing, and needs no memory.
    macro_rules! plain {
        ($name:ident($($arg:ident: $ty:ty),*) |$wasi:ident| $work:expr) => {
            linker.func_wrap(MODULE, stringify!($name), |mut caller: Caller<'_, T>, $($arg: $ty),*| {
                let $wasi = caller.data_mut().wasi();
                said($work)
            })?
        };
    }
    // What waits for nothing.
    macro_rules! now {
        (file $name:ident($fd:ident: i32 $(, $arg:ident: $ty:ty)*) |$call:ident| $work:expr) => {
            now!($name($fd: i32 $(, $arg: $ty)*) |$call| of_files!($name, $call, $fd, $work))
        };
        ($name:ident($($arg:ident: $ty:ty),*) |$call:ident| $work:expr) => {
            linker.func_wrap(MODULE, stringify!($name), |mut caller: Caller<'_, T>, $($arg: $ty),*| {
                let $call = Call::new(Driver::Direct, &mut caller)?;
                said($work)
            })?
        };
    }
    // What may wait.
    macro_rules! waits {
        (file $name:ident($fd:ident: i32 $(, $arg:ident: $ty:ty)*) |$call:ident| $work:expr) => {
            waits!($name($fd: i32 $(, $arg: $ty)*) |$call| of_files!($name, $call, $fd, $work))
        };
        ($name:ident($($arg:ident: $ty:ty),*) |$call:ident| $work:expr) => {
            match driver {
                Driver::Direct => linker.func_wrap(MODULE, stringify!($name), |mut caller: Caller<'_, T>, $($arg: $ty),*| {
                    at_once(async {
                        let $call = Call::new(Driver::Direct, &mut caller)?;
                        said($work)
                    })
                })?,
                Driver::Fiber => linker.func_wrap_async(MODULE, stringify!($name), |mut caller: Caller<'_, T>, ($($arg,)*): ($($ty,)*)| {
                    Box::new(async move {
                        let work = async {
                            let $call = Call::new(Driver::Fiber, &mut caller)?;
                            said($work)
                        };
                        let (done, has_waited) = task::noticing(work).await;
                        if has_waited {
                            // The clock ticked meanwhile, but not for this guest.
                            caller.data_mut().resume();
                            caller.as_context_mut().set_epoch_deadline(1);
                        }
                        done
                    })
                })?,
            }
        };
    }
    macro_rules! of_files {
        ($name:ident, $call:ident, $fd:ident, $work:expr) => {
            match owned_fd::refused($call.wasi, $fd, stringify!($name)) {
                Some(number) => Err(Failed::Number(number)),
                None => $work,
            }
        };
    }
    linker.allow_shadowing(true);

    // Any descriptor.
    plain!(fd_close(fd: i32) |wasi| fd::fd_close(wasi, fd));
    now!(fd_fdstat_get(fd: i32, stat: i32) |call| fd::fd_fdstat_get(call, fd, stat));
    plain!(fd_fdstat_set_flags(fd: i32, flags: i32) |wasi| fd::fd_fdstat_set_flags(wasi, fd, flags));
    waits!(fd_filestat_get(fd: i32, stat: i32) |call| fd::fd_filestat_get(call, fd, stat).await);
    waits!(fd_read(fd: i32, buffers: i32, count: i32, done: i32) |call| fd::fd_read(call, fd, buffers, count, done).await);
    plain!(fd_renumber(from: i32, to: i32) |wasi| fd::fd_renumber(wasi, from, to));
    waits!(fd_write(fd: i32, buffers: i32, count: i32, done: i32) |call| fd::fd_write(call, fd, buffers, count, done).await);
    waits!(poll_oneoff(subscriptions: i32, events: i32, count: i32, ready: i32)
        |call| poll::poll_oneoff(call, subscriptions, events, count, ready).await);

    // Files.
    now!(file fd_advise(fd: i32, from: i64, count: i64, advice: i32) |call| content::fd_advise(&call, fd, from, count, advice));
    now!(file fd_allocate(fd: i32, _from: i64, _count: i64) |call| content::fd_allocate(&call, fd));
    waits!(file fd_datasync(fd: i32) |call| content::fd_sync(call, fd, false).await);
    now!(file fd_fdstat_set_rights(fd: i32, _own: i64, _inherited: i64) |call| content::fd_fdstat_set_rights(&call, fd));
    waits!(file fd_filestat_set_size(fd: i32, size: i64) |call| content::fd_filestat_set_size(call, fd, size).await);
    waits!(file fd_filestat_set_times(fd: i32, access: i64, change: i64, flags: i32)
        |call| content::fd_filestat_set_times(call, fd, access, change, flags).await);
    waits!(file fd_pread(fd: i32, buffers: i32, count: i32, from: i64, done: i32)
        |call| content::read(call, (fd, buffers, count, done), Some(from as u64)).await);
    waits!(file fd_pwrite(fd: i32, buffers: i32, count: i32, from: i64, done: i32)
        |call| content::write(call, (fd, buffers, count, done), Some(from as u64)).await);
    waits!(file fd_readdir(fd: i32, buffer: i32, len: i32, cookie: i64, done: i32)
        |call| listing::fd_readdir(call, (fd, buffer, len, cookie, done)).await);
    waits!(file fd_seek(fd: i32, offset: i64, whence: i32, place: i32) |call| content::fd_seek(call, (fd, offset, whence, place)).await);
    waits!(file fd_sync(fd: i32) |call| content::fd_sync(call, fd, true).await);
    now!(file fd_tell(fd: i32, place: i32) |call| content::fd_tell(call, fd, place));

    // Directories, and the names in them.
    now!(fd_prestat_dir_name(fd: i32, path: i32, len: i32) |call| names::fd_prestat_dir_name(call, fd, path, len));
    now!(fd_prestat_get(fd: i32, stat: i32) |call| names::fd_prestat_get(call, fd, stat));
    waits!(file path_create_directory(dir: i32, path: i32, len: i32) |call| names::path_create_directory(call, (dir, path, len)).await);
    waits!(file path_filestat_get(dir: i32, look_up: i32, path: i32, len: i32, stat: i32)
        |call| names::path_filestat_get(call, (dir, look_up, path, len, stat)).await);
    waits!(file path_filestat_set_times(dir: i32, look_up: i32, path: i32, len: i32, access: i64, change: i64, flags: i32)
        |call| names::path_filestat_set_times(call, (dir, look_up, path, len, access, change, flags)).await);
    waits!(file path_link(dir: i32, look_up: i32, path: i32, len: i32, new_dir: i32, new_path: i32, new_len: i32)
        |call| names::path_link(call, (dir, look_up, path, len, new_dir, new_path, new_len)).await);
    waits!(file path_open(dir: i32, look_up: i32, path: i32, len: i32, how: i32, rights: i64, inherited: i64, flags: i32, number: i32)
        |call| open::path_open(call, (dir, look_up, path, len, how, rights, inherited, flags, number)).await);
    waits!(file path_readlink(dir: i32, path: i32, len: i32, buffer: i32, room: i32, done: i32)
        |call| names::path_readlink(call, (dir, path, len, buffer, room, done)).await);
    waits!(file path_remove_directory(dir: i32, path: i32, len: i32) |call| names::path_remove_directory(call, (dir, path, len)).await);
    waits!(file path_rename(dir: i32, path: i32, len: i32, new_dir: i32, new_path: i32, new_len: i32)
        |call| names::path_rename(call, (dir, path, len, new_dir, new_path, new_len)).await);
    waits!(path_symlink(target: i32, target_len: i32, dir: i32, path: i32, len: i32)
        |call| names::path_symlink(call, (target, target_len, dir, path, len)).await);
    waits!(file path_unlink_file(dir: i32, path: i32, len: i32) |call| names::path_unlink_file(call, (dir, path, len)).await);

    // The extension for sockets.
    if versions.accept {
        waits!(sock_accept(fd: i32, number: i32) |call| functions::accept(call, fd, 0, number).await);
    } else {
        waits!(sock_accept(fd: i32, flags: i32, number: i32) |call| functions::accept(call, fd, flags, number).await);
    }
    waits!(sock_bind(fd: i32, address: i32, port: i32) |call| functions::bind(call, fd, address, port).await);
    waits!(sock_connect(fd: i32, address: i32, port: i32) |call| functions::connect(call, fd, address, port).await);
    waits!(sock_getaddrinfo(node: i32, node_len: i32, service: i32, service_len: i32, hints: i32, results: i32, most: i32, count: i32)
        |call| functions::address_info(call, (node, node_len), (service, service_len), hints, results, most, count).await);
    if versions.local_address {
        now!(sock_getlocaladdr(fd: i32, address: i32, kind: i32, port: i32)
            |call| functions::local_address(call, fd, address, Some(kind), port));
    } else {
        now!(sock_getlocaladdr(fd: i32, address: i32, port: i32) |call| functions::local_address(call, fd, address, None, port));
    }
    if versions.peer_address {
        now!(sock_getpeeraddr(fd: i32, address: i32, kind: i32, port: i32)
            |call| functions::peer_address(call, fd, address, Some(kind), port));
    } else {
        now!(sock_getpeeraddr(fd: i32, address: i32, port: i32) |call| functions::peer_address(call, fd, address, None, port));
    }
    now!(sock_getsockopt(fd: i32, level: i32, name: i32, value: i32, len: i32) |call| functions::get_option(call, fd, level, name, value, len));
    now!(sock_listen(fd: i32, backlog: i32) |call| functions::listen(call, fd, backlog));
    now!(sock_open(family: i32, kind: i32, number: i32) |call| functions::open(call, family, kind, number));
    waits!(sock_recv(fd: i32, buffers: i32, count: i32, flags: i32, done: i32, said_flags: i32)
        |call| transfer::recv(call, (fd, buffers, count), flags, done, said_flags).await);
    if versions.recv_from {
        waits!(sock_recv_from(fd: i32, buffers: i32, count: i32, address: i32, flags: i32, done: i32, said_flags: i32)
            |call| transfer::recv_from(call, (fd, buffers, count), address, flags, 0, done, said_flags).await);
    } else {
        waits!(sock_recv_from(fd: i32, buffers: i32, count: i32, address: i32, flags: i32, port: i32, done: i32, said_flags: i32)
            |call| transfer::recv_from(call, (fd, buffers, count), address, flags, port, done, said_flags).await);
    }
    waits!(sock_send(fd: i32, buffers: i32, count: i32, flags: i32, done: i32)
        |call| transfer::send(call, (fd, buffers, count), flags, done).await);
    waits!(sock_send_to(fd: i32, buffers: i32, count: i32, address: i32, port: i32, flags: i32, done: i32)
        |call| transfer::send_to(call, (fd, buffers, count), address, port, flags, done).await);
    now!(sock_setsockopt(fd: i32, level: i32, name: i32, value: i32, len: i32) |call| functions::set_option(call, fd, level, name, value, len));
    now!(sock_shutdown(fd: i32, how: i32) |call| functions::shutdown(call, fd, how));

    // The guest as a whole.
    now!(random_get(at: i32, len: i32) |call| random::random_get(call, at, len));
    linker.func_wrap(MODULE, "proc_exit", proc_exit)?;

    linker.allow_shadowing(false);
    Ok(())
}

/// Any number is a code. wasmtime-wasi takes those from 126 on for a mistake of the guest, and
/// traps; `os.Exit(255)` is none.
fn proc_exit(code: i32) -> wasmtime::Result<()> {
    Err(I32Exit(code).into())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use wasmtime::{Engine, Memory, Module, Store};

    use super::*;
    use crate::compile::engine::{self, Flavor, Settings, Stack};
    use crate::compile::module::ModuleKind;
    use crate::config::budget::{Budget, Deadline};
    use crate::config::{Limits, Tier};
    use crate::error::{Error, ErrorKind};
    use crate::wasi::context::{Parts, Wasi};
    use crate::wasi::files::given::Given;
    use crate::wasi::sandbox::Sandbox;
    use crate::wasi::stdio::input::Input;
    use crate::wasi::stdio::output::Output;
    use crate::wasi::stdio::streams::Streams;

    /// The least that has WASI.
    struct Bare {
        wasi: Wasi,
        resumed: u32,
    }

    impl Host for Bare {
        fn wasi(&mut self) -> &mut Wasi {
            &mut self.wasi
        }

        fn memory(&self) -> Option<Memory> {
            None
        }

        fn resume(&mut self) {
            self.resumed += 1;
        }
    }

    fn engine() -> &'static Engine {
        let flavor = Flavor { tier: Tier::Fast, fuel: false, suspends: false };
        engine::engine(Settings { flavor, stack: Stack::DEFAULT }).expect("an engine")
    }

    fn store(sandbox: &Sandbox) -> Store<Bare> {
        let limits = Limits::default();
        let parts = Parts {
            name: "test",
            is_go: false,
            is_component: false,
            suspends: false,
            sandbox,
            limits: &limits,
            given: &Given::open(sandbox).expect("what there is"),
            streams: &Arc::new(Streams::new(sandbox, &limits, ModuleKind::Reactor, Driver::Direct)),
            denials: &Arc::default(),
            share: &Arc::default(),
        };
        Store::new(engine(), Bare { wasi: Wasi::new(&parts).expect("a guest's"), resumed: 0 })
    }

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
        for driver in [Driver::Direct, Driver::Fiber] {
            let mut linker = Linker::new(engine());
            link::<Bare>(&mut linker, driver, Versions::default()).expect("a linker");
            let mut linked: Vec<String> = linker.iter(store(&Sandbox::default())).map(|(_, name, _)| name.to_owned()).collect();
            linked.sort();
            assert_eq!(linked, FUNCTIONS);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "runs WebAssembly")]
    fn a_guest_on_a_fiber_waits_as_a_task() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fifo");
        let name = std::ffi::CString::new(path.to_str().expect("a name")).expect("no zero");
        // SAFETY: a string that ends with a zero.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let (lines, mut sandbox) = (Arc::new(Mutex::new(Vec::new())), Sandbox::default());
        let kept = lines.clone();
        sandbox.stdin = Input::File(path.clone());
        sandbox.stdout = Output::lines(move |line| {
            kept.lock().expect("no panic").push(line.to_owned());
            Ok(())
        });
        let bytes = wat::parse_str(GUEST).expect("a module");
        let mut store = store(&sandbox);
        let mut linker = Linker::new(engine());
        link(&mut linker, Driver::Fiber, Versions::default()).expect("a linker");
        store.set_epoch_deadline(u64::MAX / 2);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let module = Module::from_binary(engine(), &bytes).expect("a module");
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
            let before = store.data().resumed;
            assert_eq!(sleep.call_async(&mut store, 1_000_000).await.expect("a call"), 0);
            assert_eq!((before > 0, store.data().resumed), (true, before + 1));
            let limit = Duration::from_millis(30);
            for never in [true, false] {
                store.data_mut().wasi.budget = Budget { deadline: Some(Deadline::after(limit)), ..Budget::default() };
                let ended = if never { sleep.call_async(&mut store, i64::MAX).await } else { copy.call_async(&mut store, ()).await };
                let ended = Error::from_wasmtime(&ended.expect_err("no end")).expect("an error of the core");
                assert_eq!(ended.kind(), ErrorKind::Timeout);
            }
            drop(writer);
        });
    }
}
