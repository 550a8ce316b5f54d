//! The extension's functions for a linker, in the versions that a module wants.

use wasmtime::{Caller, Linker, Module};

use crate::guest::state::State;
use crate::wasi::descriptor::Waiting;
use crate::wasi::preview1::{MODULE, at_once};
use crate::wasi::sockets::call::Call;
use crate::wasi::sockets::{functions, said, transfer};

/// Which functions a module wants as version 1 of the extension has them. Signatures tell them apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Versions {
    accept: bool,
    recv_from: bool,
    local_address: bool,
    peer_address: bool,
}

impl Versions {
    pub(crate) fn of(module: &Module) -> Versions {
        let is_old = |name: &str, params: usize| {
            let mut imports = module.imports().filter(|import| import.module() == MODULE && import.name() == name);
            imports.any(|import| import.ty().func().is_some_and(|func| func.params().len() == params))
        };
        Versions {
            accept: is_old("sock_accept", 2),
            recv_from: is_old("sock_recv_from", 7),
            local_address: is_old("sock_getlocaladdr", 4),
            peer_address: is_old("sock_getpeeraddr", 4),
        }
    }
}

/// Each function: its name, what it is, its parameters.
macro_rules! extension {
    ($one:ident, $versions:ident) => {
        if $versions.accept {
            $one!("sock_accept", functions::accept_1, fd, number);
        } else {
            $one!("sock_accept", functions::accept, fd, flags, number);
        }
        $one!("sock_bind", functions::bind, fd, address, port);
        $one!("sock_connect", functions::connect, fd, address, port);
        $one!("sock_getaddrinfo", functions::address_info, node, node_len, service, service_len, hints, results, most, count);
        if $versions.local_address {
            $one!("sock_getlocaladdr", functions::local_address_1, fd, address, kind, port);
        } else {
            $one!("sock_getlocaladdr", functions::local_address, fd, address, port);
        }
        if $versions.peer_address {
            $one!("sock_getpeeraddr", functions::peer_address_1, fd, address, kind, port);
        } else {
            $one!("sock_getpeeraddr", functions::peer_address, fd, address, port);
        }
        $one!("sock_getsockopt", functions::get_option, fd, level, name, value, len);
        $one!("sock_listen", functions::listen, fd, backlog);
        $one!("sock_open", functions::open, family, kind, number);
        $one!("sock_recv", transfer::recv, fd, buffers, count, flags, done, said_flags);
        if $versions.recv_from {
            $one!("sock_recv_from", transfer::recv_from_1, fd, buffers, count, address, flags, done, said_flags);
        } else {
            $one!("sock_recv_from", transfer::recv_from, fd, buffers, count, address, flags, port, done, said_flags);
        }
        $one!("sock_send", transfer::send, fd, buffers, count, flags, done);
        $one!("sock_send_to", transfer::send_to, fd, buffers, count, address, port, flags, done);
        $one!("sock_setsockopt", functions::set_option, fd, level, name, value, len);
        $one!("sock_shutdown", functions::shutdown, fd, how);
    };
}

/// For guests on their caller's stack. The linker lets what it has be replaced.
pub(crate) fn link(linker: &mut Linker<State>, versions: Versions) -> wasmtime::Result<()> {
    macro_rules! one {
        ($name:literal, $function:path, $($arg:ident),*) => {
            linker.func_wrap(MODULE, $name, |mut caller: Caller<'_, State>, $($arg: i32),*| {
                at_once(async { said($function(Call::new(Waiting::Thread, &mut caller)?, $($arg),*).await) })
            })?;
        };
    }
    extension!(one, versions);
    Ok(())
}

/// For guests on fibers.
pub(crate) fn link_async(linker: &mut Linker<State>, versions: Versions) -> wasmtime::Result<()> {
    macro_rules! number {
        ($arg:ident) => {
            i32
        };
    }
    macro_rules! one {
        ($name:literal, $function:path, $($arg:ident),*) => {
            linker.func_wrap_async(MODULE, $name, |mut caller: Caller<'_, State>, ($($arg,)*): ($(number!($arg),)*)| {
                Box::new(async move { said($function(Call::new(Waiting::Task, &mut caller)?, $($arg),*).await) })
            })?;
        };
    }
    extension!(one, versions);
    Ok(())
}
