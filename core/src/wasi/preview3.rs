//! WASI 0.3, for components: what wasmtime-wasi serves, with the sandbox's rules. Those that it
//! asks for by the context, which 0.2 has as well, hold for both; here is what it does not ask for.

use std::fs::File;
use std::net::SocketAddr;

use cap_primitives::fs::{FileType, read_base_dir};
use wasmtime::component::{Accessor, FutureReader, Linker, Resource, StreamReader};
use wasmtime::{AsContextMut as _, StoreContextMut};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p3::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode as FileCode};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::ErrorCode;
use wasmtime_wasi::p3::bindings::sockets::types::{
    ErrorCode as SocketCode, HostUdpSocket as _, HostUdpSocketWithStore, IpAddress, IpSocketAddress,
};
use wasmtime_wasi::p3::sockets::SocketResult;
use wasmtime_wasi::sockets::{UdpSocket, WasiSockets, WasiSocketsView as _};

use crate::config::budget::Budget;
use crate::sched::driver::Driver;
use crate::sched::task;
use crate::wasi::context::Host;
use crate::wasi::sockets::component::{Unwanted, Wanted, is_unknown, may_listen, wanted};

/// As wasmtime-wasi names them.
const NAMES: &str = "wasi:sockets/ip-name-lookup@0.3.0";
const SOCKETS: &str = "wasi:sockets/types@0.3.0";
const FILES: &str = "wasi:filesystem/types@0.3.0";

/// Entries of a directory: all are read when the guest asks for its stream, which then holds no
/// descriptor, and no thread.
const MOST_ENTRIES: usize = 1 << 16;

/// Gives the linker all of WASI 0.3 but `wasi:http`.
pub(crate) fn link<T: Host + WasiView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi::p3::add_to_linker(linker)?;
    linker.allow_shadowing(true);
    define(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn define<T: Host + WasiView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.instance(NAMES)?.func_wrap_concurrent("resolve-addresses", |accessor: &Accessor<T>, (name,): (String,)| {
        Box::pin(async move { Ok((look_up(accessor, &name).await,)) })
    })?;
    linker
        .instance(FILES)?
        .func_wrap("[method]descriptor.read-directory", |store: StoreContextMut<'_, T>, (fd,): (Resource<Descriptor>,)| {
            read_directory(store, &fd)
        })?;
    linker.instance(SOCKETS)?.func_wrap_concurrent(
        "[method]udp-socket.receive",
        |accessor: &Accessor<T>, (socket,): (Resource<UdpSocket>,)| {
            Box::pin(async move {
                Ok((match receive(accessor, &socket).await {
                    Ok(datagram) => Ok::<_, SocketCode>(datagram),
                    Err(error) => Err(error.downcast()?),
                },))
            })
        },
    )
}

/// The stream of a directory's entries, and the future of how it ends.
type Listing = (StreamReader<DirectoryEntry>, FutureReader<Result<(), FileCode>>);

fn read_directory<T: WasiView + 'static>(mut store: StoreContextMut<'_, T>, fd: &Resource<Descriptor>) -> wasmtime::Result<(Listing,)> {
    let mut entries = Vec::new();
    let end = match store.data_mut().ctx().table.get(fd)? {
        Descriptor::Dir(dir) => list(&dir.dir, &mut entries),
        Descriptor::File(_) => Err(FileCode::NotDirectory),
    };
    let stream = StreamReader::new(store.as_context_mut(), entries)?;
    let end = FutureReader::new(store.as_context_mut(), async move { wasmtime::error::Ok(end) })?;
    Ok(((stream, end),))
}

fn list(dir: &File, entries: &mut Vec<DirectoryEntry>) -> Result<(), FileCode> {
    for entry in read_base_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| FileCode::IllegalByteSequence)?;
        if entries.len() == MOST_ENTRIES {
            return Err(FileCode::InsufficientMemory);
        }
        entries.push(DirectoryEntry { type_: type_of(entry.file_type()?), name });
    }
    Ok(())
}

fn type_of(file: FileType) -> DescriptorType {
    #[cfg(unix)]
    {
        use cap_primitives::fs::FileTypeExt as _;
        let special = [
            (file.is_block_device(), DescriptorType::BlockDevice),
            (file.is_char_device(), DescriptorType::CharacterDevice),
            (file.is_fifo(), DescriptorType::Fifo),
            (file.is_socket(), DescriptorType::Socket),
        ];
        if let Some((_, special)) = special.into_iter().find(|(is_it, _)| *is_it) {
            return special;
        }
    }
    if file.is_dir() {
        DescriptorType::Directory
    } else if file.is_symlink() {
        DescriptorType::SymbolicLink
    } else if file.is_file() {
        DescriptorType::RegularFile
    } else {
        DescriptorType::Other(None)
    }
}

/// Looks up a name, if the rules allow it.
async fn look_up<T: Host>(accessor: &Accessor<T>, name: &str) -> Result<Vec<IpAddress>, ErrorCode> {
    let access = accessor.with(|mut store| store.get().wasi().sockets.access.clone());
    let name = match wanted(&access, name) {
        Ok(Wanted::Address(ip)) => return Ok(vec![ip.into()]),
        Ok(Wanted::Name(name)) => name,
        Err(Unwanted::Invalid) => return Err(ErrorCode::InvalidArgument),
        Err(Unwanted::Denied) => return Err(ErrorCode::AccessDenied),
    };
    // Whatever ends the call drops this future.
    match access.look_up(&name, Driver::Fiber, &Budget::default()).await {
        Ok(found) => Ok(found.into_iter().map(|ip| ip.to_canonical().into()).collect()),
        Err(failed) if is_unknown(&failed) => Err(ErrorCode::NameUnresolvable),
        Err(_) => Err(ErrorCode::TemporaryResolverFailure),
    }
}

/// Receives a datagram of those from whom the guest may have them: see `Sockets::admits`.
async fn receive<T: Host + WasiView + 'static>(
    accessor: &Accessor<T>,
    socket: &Resource<UdpSocket>,
) -> SocketResult<(Vec<u8>, IpSocketAddress)> {
    let again = || Resource::new_borrow(socket.rep());
    let sockets = accessor.with_getter::<WasiSockets>(T::sockets);
    loop {
        let (data, from) = <WasiSockets as HostUdpSocketWithStore<T>>::receive(&sockets, again()).await?;
        let is_admitted = accessor.with(|mut store| -> SocketResult<bool> {
            let state = store.get();
            let local = SocketAddr::from(state.sockets().get_local_address(again())?);
            let access = &state.wasi().sockets.access;
            Ok(may_listen(access, local) || access.admits(from.into()))
        })?;
        if is_admitted {
            return Ok((data, from));
        }
        // Strangers may send for ever.
        task::give_turn().await;
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Engine};

    use super::*;
    use crate::wasi::context::tests::Unused;

    /// wasmtime-wasi may name another version some day.
    #[test]
    fn the_functions_replace_those_of_wasmtime_wasi() {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let mut linker = Linker::<Unused>::new(&Engine::new(&config).expect("an engine"));
        wasmtime_wasi::p3::add_to_linker(&mut linker).expect("it is empty");
        let error = define(&mut linker).expect_err("they are there already");
        assert!(error.to_string().contains("defined twice"), "{error:#}");
        let mut linker = Linker::<Unused>::new(linker.engine());
        link(&mut linker).expect("they are replaced");
    }
}
