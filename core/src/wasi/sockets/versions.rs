//! Which versions of the extension for sockets a module wants.

use wasmtime::Module;

use crate::wasi::linker::MODULE;

/// Which functions a module imports in their form of version 1. The signatures tell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Versions {
    pub(crate) accept: bool,
    pub(crate) recv_from: bool,
    pub(crate) local_address: bool,
    pub(crate) peer_address: bool,
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
