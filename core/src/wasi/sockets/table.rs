//! A guest's sockets, by the guest's numbers.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::wasi::files::given::Given;
use crate::wasi::sandbox::Sandbox;
use crate::wasi::sockets::access::Access;
use crate::wasi::sockets::socket::Socket;

/// The first number of the guest's own sockets: far above those of files.
const FIRST: i32 = 1 << 30;

/// What a guest has of the network.
pub(crate) struct Sockets {
    pub(crate) access: Access,
    /// The directories of the Unix sockets that its rules name.
    #[cfg_attr(not(unix), allow(dead_code, reason = "Unix sockets alone lie in directories"))]
    pub(crate) given: Arc<Given>,
    /// From [`FIRST`] on.
    own: Vec<Option<Socket>>,
    /// Listeners that the host has handed in, with their numbers, which lie among those of files.
    listeners: Vec<(i32, Socket)>,
}

impl Sockets {
    /// # Errors
    ///
    /// `denied` when a listener can't be used.
    pub(crate) fn new(sandbox: &Sandbox, access: Access, given: Arc<Given>) -> Result<Sockets> {
        let mut listeners = Vec::new();
        for (number, listener) in (first_given(sandbox)..).zip(access.network.listeners()) {
            let socket = Socket::listener(listener);
            let socket =
                socket.map_err(|error| Error::new(ErrorKind::Denied, format!("a listener can't be given to the guest: {error}")))?;
            listeners.push((number, socket));
        }
        Ok(Sockets { access, given, own: Vec::new(), listeners })
    }

    /// The socket at that number, if there is one.
    pub(crate) fn find(&self, number: i32) -> Option<&Socket> {
        match own(number) {
            Some(place) => self.own.get(place)?.as_ref(),
            None => self.listeners.iter().find(|(given, _)| *given == number).map(|(_, socket)| socket),
        }
    }

    pub(crate) fn find_mut(&mut self, number: i32) -> Option<&mut Socket> {
        match own(number) {
            Some(place) => self.own.get_mut(place)?.as_mut(),
            None => self.listeners.iter_mut().find(|(given, _)| *given == number).map(|(_, socket)| socket),
        }
    }

    /// Whether the number is one for sockets, open or not.
    pub(crate) fn is_own(number: i32) -> bool {
        own(number).is_some()
    }

    /// How many are open, without those that were handed in, whatever number each of them has.
    pub(crate) fn count(&self) -> usize {
        self.own.iter().flatten().chain(self.listeners.iter().map(|(_, socket)| socket)).filter(|socket| !socket.is_shared()).count()
    }

    /// Adds a socket at the lowest free number.
    pub(crate) fn add(&mut self, socket: Socket) -> i32 {
        let place = self.own.iter().position(Option::is_none).unwrap_or_else(|| {
            self.own.push(None);
            self.own.len() - 1
        });
        self.own[place] = Some(socket);
        // The process has fewer descriptors than there are such numbers.
        FIRST + place as i32
    }

    /// Removes the socket at that number.
    pub(crate) fn remove(&mut self, number: i32) -> Option<Socket> {
        match own(number) {
            Some(place) => self.own.get_mut(place)?.take(),
            None => {
                let place = self.listeners.iter().position(|(given, _)| *given == number)?;
                Some(self.listeners.swap_remove(place).1)
            }
        }
    }

    /// Closes all of them: the guest has ended, and its peers should be told.
    pub(crate) fn close(&mut self) {
        self.own.clear();
        self.listeners.clear();
    }

    /// Puts a socket at the number of another one, which is closed.
    pub(crate) fn replace(&mut self, number: i32, socket: Socket) {
        if let Some(other) = self.find_mut(number) {
            *other = socket;
        }
    }
}

/// The number of the first listener: it follows the directories.
pub(crate) fn first_given(sandbox: &Sandbox) -> i32 {
    3_i32.saturating_add_unsigned(sandbox.dirs.len() as u32 + u32::from(sandbox.temp))
}

fn own(number: i32) -> Option<usize> {
    number.checked_sub(FIRST).and_then(|place| usize::try_from(place).ok())
}
