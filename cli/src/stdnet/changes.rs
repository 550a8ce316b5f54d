//! The changes that make the standard library's own sockets work on wasip1: which of its files are
//! compiled there, and which are ours.

/// A file below `src` in the toolchain, and what becomes of it.
pub(super) struct Change {
    pub(super) file: &'static str,
    pub(super) what: What,
}

pub(super) enum What {
    /// It is compiled under another build constraint. It has to have the first one.
    Tag { from: &'static str, to: &'static str },
    /// This line of it is another one. It has to be there once.
    Line { from: &'static str, to: &'static str },
    /// It is not compiled; it has to be there.
    Leave,
    /// It is this one instead.
    Ours(&'static str),
    /// It is new: the toolchain must have none of that name.
    New(&'static str),
}

/// The changes for a release, `None` for one that this version of the command does not know.
pub(super) fn of(minor: u32) -> Option<Vec<Change>> {
    let cname = match minor {
        24 | 25 => include_str!("../../overlay/net/cname_go124.go"),
        26 | 27 => include_str!("../../overlay/net/cname_go126.go"),
        _ => return None,
    };
    let line = |file, from, to| Change { file, what: What::Line { from, to } };
    let tag = |file, from, to| Change { file, what: What::Tag { from, to } };
    let mut changes = vec![
        // The system calls, and what has their numbers.
        tag("syscall/net_fake.go", "js || wasip1", "js"),
        Change { file: "syscall/net_wasip1.go", what: What::Ours(include_str!("../../overlay/syscall/net_wasip1.go")) },
        Change { file: "syscall/sock_wasip1.go", what: What::New(include_str!("../../overlay/syscall/sock_wasip1.go")) },
        tag("internal/syscall/unix/net.go", "unix", "unix || wasip1"),
        Change { file: "internal/syscall/unix/net_wasip1.go", what: What::Leave },
        tag("internal/poll/sockopt.go", "unix || windows", "unix || windows || wasip1"),
        // Descriptors that several own. The poller has to tell those that watch the same one from
        // each other.
        Change { file: "syscall/share_wasip1.go", what: What::New(include_str!("../../overlay/syscall/share_wasip1.go")) },
        line("syscall/fs_wasip1.go", "func Close(fd int) error {", "func closeDescriptor(fd int) error {"),
        Change { file: "internal/syscall/unix/fcntl_wasip1.go", what: What::Ours(include_str!("../../overlay/unix/fcntl_wasip1.go")) },
        line("runtime/netpoll_wasip1.go", "\t\tif pds[i].fd == fd {", "\t\tif pds[i].fd == fd && pds[i].closing {"),
        // The network that is only in the program's memory.
        tag("net/net_fake.go", "js || wasip1", "js"),
        tag("net/fd_fake.go", "js || wasip1", "js"),
        tag("net/sockopt_fake.go", "js || wasip1", "js"),
        tag("net/tcpsockopt_stub.go", "js || wasip1", "js"),
        Change { file: "net/fd_wasip1.go", what: What::Leave },
        // That of Unix systems.
        tag("net/fd_unix.go", "unix", "unix || wasip1"),
        tag("net/fd_posix.go", "unix || windows", "unix || windows || wasip1"),
        tag("net/sock_posix.go", "unix || windows", "unix || windows || wasip1"),
        tag("net/sockopt_posix.go", "unix || windows", "unix || windows || wasip1"),
        tag("net/tcpsockopt_posix.go", "unix || windows", "unix || windows || wasip1"),
        tag(
            "net/tcpsockopt_unix.go",
            "aix || dragonfly || freebsd || illumos || linux || netbsd",
            "aix || dragonfly || freebsd || illumos || linux || netbsd || wasip1",
        ),
        Change { file: "net/sock_wasip1.go", what: What::New(include_str!("../../overlay/net/sock_wasip1.go")) },
        tag("net/file_unix.go", "unix", "unix || wasip1"),
        Change { file: "net/file_wasip1.go", what: What::Leave },
        // Names are looked up by the host, in place of the C library.
        tag(
            "net/cgo_stub.go",
            "(netgo && unix) || (unix && !cgo && !darwin) || js || wasip1",
            "(netgo && unix) || (unix && !cgo && !darwin) || js",
        ),
        tag("net/netcgo_off.go", "!netcgo", "!netcgo && !wasip1"),
        tag("net/netcgo_on.go", "netcgo", "netcgo || wasip1"),
        Change { file: "net/resolve_wasip1.go", what: What::New(include_str!("../../overlay/net/resolve_wasip1.go")) },
        Change { file: "net/cname_wasip1.go", what: What::New(cname) },
        // Its probe takes the network for the fake one, and would bind sockets otherwise; ours does
        // neither.
        line("net/ipsock_posix.go", "func (p *ipStackCapabilities) probe() {", "func (p *ipStackCapabilities) probeByBinding() {"),
    ];
    if minor > 24 {
        changes.push(tag("net/file_posix.go", "unix || windows", "unix || windows || wasip1"));
    }
    Some(changes)
}
