//! A guest that does nothing but what the test tells it: each function of the extension, and those
//! of descriptors, is an export that passes its parameters on.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::LazyLock;

use undergo::{CallOptions, Instance, InstanceOptions, Network, Plugin, Result, Value};

use crate::common::{PLAIN, plugin, quiet};

/// The functions, with the types of their parameters: `i` for 32 bits, `l` for 64.
pub(crate) const FUNCTIONS: [(&str, &str); 29] = [
    ("sock_accept", "iii"),
    ("sock_bind", "iii"),
    ("sock_connect", "iii"),
    ("sock_getaddrinfo", "iiiiiiii"),
    ("sock_getlocaladdr", "iii"),
    ("sock_getpeeraddr", "iii"),
    ("sock_getsockopt", "iiiii"),
    ("sock_listen", "ii"),
    ("sock_open", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_recv_from", "iiiiiiii"),
    ("sock_send", "iiiii"),
    ("sock_send_to", "iiiiiii"),
    ("sock_setsockopt", "iiiii"),
    ("sock_shutdown", "ii"),
    ("fd_close", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_filestat_get", "ii"),
    ("fd_prestat_get", "ii"),
    ("fd_read", "iiii"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_write", "iiii"),
    ("path_open", "iiiiillii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
];

/// The functions that version 1 of the extension has with other parameters.
pub(crate) const FIRST: [(&str, &str); 4] =
    [("sock_accept", "ii"), ("sock_getlocaladdr", "iiii"), ("sock_getpeeraddr", "iiii"), ("sock_recv_from", "iiiiiii")];

/// Families and kinds.
pub(crate) const V4: i64 = 1;
pub(crate) const V6: i64 = 2;
pub(crate) const UNIX: i64 = 3;
pub(crate) const DATAGRAM: i64 = 1;
pub(crate) const STREAM: i64 = 2;
pub(crate) const NONBLOCK: i64 = 4;

/// Numbers for what went wrong.
pub(crate) const OK: i64 = 0;
pub(crate) const ACCES: i64 = 2;
pub(crate) const AFNOSUPPORT: i64 = 5;
pub(crate) const AGAIN: i64 = 6;
pub(crate) const ALREADY: i64 = 7;
pub(crate) const BADF: i64 = 8;
pub(crate) const CONNABORTED: i64 = 13;
pub(crate) const CONNREFUSED: i64 = 14;
pub(crate) const FAULT: i64 = 21;
pub(crate) const INPROGRESS: i64 = 26;
pub(crate) const INVAL: i64 = 28;
pub(crate) const MFILE: i64 = 33;
pub(crate) const NOENT: i64 = 44;
pub(crate) const NOPROTOOPT: i64 = 50;
pub(crate) const NOTCONN: i64 = 53;
pub(crate) const NOTSOCK: i64 = 57;
pub(crate) const NOTSUP: i64 = 58;
pub(crate) const PERM: i64 = 63;
pub(crate) const PIPE: i64 = 64;
pub(crate) const SPIPE: i64 = 70;

/// Where the guest's memory has what: a pointer and a length of an address, the address, a list of
/// buffers, results, bytes.
pub(crate) const SPAN: u32 = 64;
pub(crate) const ADDRESS: u32 = 128;
pub(crate) const LIST: u32 = 512;
pub(crate) const RESULT: u32 = 1024;
pub(crate) const RESULT_2: u32 = 1032;
pub(crate) const RESULT_3: u32 = 1040;
pub(crate) const BYTES: u32 = 4096;
pub(crate) const EVENTS: u32 = 32768;

fn module(functions: &[(&str, &str)]) -> Plugin {
    let types = |params: &str| -> Vec<&str> { params.bytes().map(|b| if b == b'l' { "i64" } else { "i32" }).collect() };
    let import = |(name, params): &(&str, &str)| {
        format!(r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {}) (result i32)))"#, types(params).join(" "))
    };
    let export = |(name, params): &(&str, &str)| {
        let gets: String = (0..types(params).len()).map(|i| format!("(local.get {i})")).collect();
        format!(r#"(func (export "{name}") (param {}) (result i32) (call ${name} {gets}))"#, types(params).join(" "))
    };
    let text: String = functions.iter().map(import).chain(functions.iter().map(export)).collect();
    plugin(&format!(r#"(module {text} (memory (export "memory") 1) (func (export "_initialize")))"#)).expect("a plugin")
}

pub(crate) fn second() -> &'static Plugin {
    static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| module(&FUNCTIONS));
    &PLUGIN
}

pub(crate) fn first() -> &'static Plugin {
    static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| {
        let old: HashMap<_, _> = FIRST.into_iter().collect();
        module(&FUNCTIONS.map(|(name, params)| (name, old.get(name).copied().unwrap_or(params))))
    });
    &PLUGIN
}

pub(crate) fn options(rules: &[&str]) -> InstanceOptions {
    let mut options = quiet();
    options.sandbox.network = Network::new(rules).expect("rules");
    options
}

/// An instance of it.
pub(crate) struct Guest {
    pub(crate) instance: Instance,
    pub(crate) call: CallOptions,
}

impl Guest {
    pub(crate) fn new(rules: &[&str]) -> Guest {
        Guest::with(second(), options(rules))
    }

    pub(crate) fn with(plugin: &Plugin, options: InstanceOptions) -> Guest {
        Guest { instance: plugin.instantiate(options).expect("an instance"), call: PLAIN }
    }

    pub(crate) fn try_call(&self, name: &str, args: &[i64]) -> Result<i64> {
        let args: Vec<Value> = args.iter().map(|arg| Value::Int(*arg)).collect();
        match self.instance.call(name, &args, &self.call)? {
            Value::Int(number) => Ok(number),
            other => panic!("{name} gave {other:?}"),
        }
    }

    /// Calls a function, for its number.
    #[track_caller]
    pub(crate) fn call(&self, name: &str, args: &[i64]) -> i64 {
        self.try_call(name, args).unwrap_or_else(|error| panic!("{name}: {error:?}"))
    }

    /// Calls a function that must work.
    #[track_caller]
    pub(crate) fn ok(&self, name: &str, args: &[i64]) {
        assert_eq!(self.call(name, args), OK, "{name} {args:?}; denied: {:?}", self.instance.denied());
    }

    pub(crate) fn put(&self, at: u32, bytes: &[u8]) {
        self.instance.write_memory(at, bytes).expect("memory");
    }

    pub(crate) fn bytes(&self, at: u32, len: u32) -> Vec<u8> {
        self.instance.read_memory(at, len).expect("memory")
    }

    pub(crate) fn word(&self, at: u32) -> u32 {
        u32::from_le_bytes(self.bytes(at, 4).try_into().expect("4 bytes"))
    }

    #[track_caller]
    pub(crate) fn open(&self, family: i64, kind: i64) -> i64 {
        self.ok("sock_open", &[family, kind, RESULT.into()]);
        self.word(RESULT).into()
    }

    /// Writes an address, as stealthrocket/net does for IP; gives the parameters for it.
    pub(crate) fn address(&self, address: SocketAddr) -> [i64; 2] {
        let octets = match address.ip() {
            std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
            std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        self.span(&octets);
        [SPAN.into(), address.port().into()]
    }

    pub(crate) fn unix(&self, path: &str) -> [i64; 2] {
        let mut whole = vec![0; 128];
        whole[0] = UNIX as u8;
        whole[2..2 + path.len()].copy_from_slice(path.as_bytes());
        self.span(&whole);
        [SPAN.into(), 0]
    }

    fn span(&self, bytes: &[u8]) {
        self.put(SPAN, &[ADDRESS.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat());
        self.put(ADDRESS, bytes);
    }

    /// The address that a function wrote into 128 bytes, with the port at a place.
    pub(crate) fn found(&self, port: u32) -> SocketAddr {
        let whole = self.bytes(ADDRESS, 128);
        let port = u16::try_from(self.word(port)).expect("a port");
        match i64::from(whole[0]) {
            V4 => SocketAddr::new(<[u8; 4]>::try_from(&whole[2..6]).expect("4 bytes").into(), port),
            V6 => SocketAddr::new(<[u8; 16]>::try_from(&whole[2..18]).expect("16 bytes").into(), port),
            other => panic!("family {other}"),
        }
    }

    /// Room for an address of any family.
    pub(crate) fn room(&self) -> i64 {
        self.span(&[0xFF; 128]);
        SPAN.into()
    }

    pub(crate) fn local(&self, fd: i64) -> SocketAddr {
        self.ok("sock_getlocaladdr", &[fd, self.room(), RESULT.into()]);
        self.found(RESULT)
    }

    /// A list of buffers with these lengths, one behind the other, at `BYTES`.
    pub(crate) fn list(&self, lens: &[u32]) -> [i64; 2] {
        let (mut at, mut list) = (BYTES, Vec::new());
        for len in lens {
            list.extend([at.to_le_bytes(), len.to_le_bytes()].concat());
            at += len;
        }
        self.put(LIST, &list);
        [LIST.into(), lens.len() as i64]
    }

    /// Binds to 127.0.0.1 and listens; gives the address.
    #[track_caller]
    pub(crate) fn listen(&self, fd: i64) -> SocketAddr {
        let [at, port] = self.address(([127, 0, 0, 1], 0).into());
        self.ok("sock_bind", &[fd, at, port]);
        self.ok("sock_listen", &[fd, 16]);
        self.local(fd)
    }

    #[track_caller]
    pub(crate) fn connect(&self, fd: i64, to: SocketAddr) -> i64 {
        let [at, port] = self.address(to);
        self.call("sock_connect", &[fd, at, port])
    }

    pub(crate) fn accept(&self, fd: i64) -> Result<(i64, i64)> {
        let said = self.try_call("sock_accept", &[fd, 0, RESULT.into()])?;
        Ok((said, self.word(RESULT).into()))
    }

    #[track_caller]
    pub(crate) fn write(&self, fd: i64, bytes: &[u8]) -> i64 {
        self.put(BYTES, bytes);
        let [list, count] = self.list(&[bytes.len() as u32]);
        let said = self.call("fd_write", &[fd, list, count, RESULT.into()]);
        if said == OK {
            assert_eq!(self.word(RESULT) as usize, bytes.len());
        }
        said
    }

    /// Reads at most 1000 bytes.
    pub(crate) fn read(&self, fd: i64) -> Result<Result<Vec<u8>, i64>> {
        let [list, count] = self.list(&[1000]);
        Ok(match self.try_call("fd_read", &[fd, list, count, RESULT.into()])? {
            OK => Ok(self.bytes(BYTES, self.word(RESULT))),
            said => Err(said),
        })
    }

    #[track_caller]
    pub(crate) fn reads(&self, fd: i64) -> Vec<u8> {
        self.read(fd).expect("a call").unwrap_or_else(|said| panic!("errno {said}"))
    }

    #[track_caller]
    pub(crate) fn set_nonblocking(&self, fd: i64) {
        self.ok("fd_fdstat_set_flags", &[fd, NONBLOCK]);
    }
}
