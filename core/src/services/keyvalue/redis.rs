//! Stores in Redis: a key of a store is that key behind the store's prefix.

use std::io::{self, BufReader, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::resp::{self, Reply};
use super::store::{Page, Result, Store, StoreError, Stores};

/// Connections that are kept for later.
const KEPT: usize = 8;
/// How long an operation may take where the call has no deadline.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Redis {
    names: Vec<String>,
    server: Arc<Server>,
}

struct Server {
    host: String,
    port: u16,
    /// What a new connection begins with.
    greeting: Vec<Vec<Vec<u8>>>,
    /// How long an answer may be.
    bytes: usize,
    idle: Mutex<Vec<Connection>>,
}

struct Connection {
    stream: BufReader<TcpStream>,
    /// The process that opened it: a forked child must not use it.
    process: u32,
}

struct Prefixed {
    prefix: String,
    server: Arc<Server>,
}

impl Redis {
    /// At `redis://[user:password@]host[:port][/database]`. An answer has that many bytes at most.
    pub(crate) fn new(url: &str, names: impl IntoIterator<Item = String>, bytes: usize) -> std::result::Result<Redis, String> {
        let wrong = || "the address of Redis is redis://[user:password@]host[:port][/database], without TLS".to_owned();
        let rest = url.strip_prefix("redis://").ok_or_else(wrong)?;
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, address) = place.rsplit_once('@').map_or((None, place), |(login, address)| (Some(login), address));
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| wrong())?),
            _ => (address, 6379),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong());
        }
        let mut greeting = Vec::new();
        let words = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
        if let Some(login) = login {
            let (user, password) = login.split_once(':').unwrap_or(("", login));
            greeting.push(if user.is_empty() { words(&["AUTH", password]) } else { words(&["AUTH", user, password]) });
        }
        if !database.is_empty() {
            database.parse::<u32>().map_err(|_| wrong())?;
            greeting.push(words(&["SELECT", database]));
        }
        let server = Server { host, port, greeting, bytes, idle: Mutex::default() };
        Ok(Redis { names: names.into_iter().collect(), server: Arc::new(server) })
    }
}

impl Stores for Redis {
    fn open(&self, name: &str) -> Result<Arc<dyn Store>> {
        if !self.names.iter().any(|own| own == name) {
            return Err(StoreError::NoSuchStore);
        }
        Ok(Arc::new(Prefixed { prefix: format!("{name}:"), server: self.server.clone() }))
    }
}

impl Server {
    /// Runs commands on one connection, which is kept if nothing has gone wrong.
    fn with<T>(&self, until: Option<Instant>, work: impl FnOnce(&mut Session<'_>) -> io::Result<T>) -> Result<T> {
        let until = until.unwrap_or_else(|| Instant::now() + PATIENCE);
        let done = self.connection(until).and_then(|mut connection| {
            let done = work(&mut Session { connection: &mut connection, until, bytes: self.bytes })?;
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT {
                idle.push(connection);
            }
            Ok(done)
        });
        done.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => StoreError::other("Redis does not answer in time"),
            _ => StoreError::other(format!("Redis: {error}")),
        })
    }

    fn connection(&self, until: Instant) -> io::Result<Connection> {
        let process = std::process::id();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| connection.process == process && is_quiet(connection));
        if let Some(connection) = idle.pop() {
            return Ok(connection);
        }
        drop(idle);
        let mut last = io::Error::new(ErrorKind::NotFound, "its host has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, left(until)?) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let mut connection = Connection { stream: BufReader::new(stream), process };
                    let mut session = Session { connection: &mut connection, until, bytes: self.bytes };
                    for words in &self.greeting {
                        session.call(&words.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
                    }
                    return Ok(connection);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Whether nothing has come on a connection that is not in use, and it is still open.
fn is_quiet(connection: &Connection) -> bool {
    let stream = connection.stream.get_ref();
    let looked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    let is_quiet = matches!(looked, Err(error) if error.kind() == ErrorKind::WouldBlock);
    is_quiet && stream.set_nonblocking(false).is_ok()
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A connection in use.
struct Session<'c> {
    connection: &'c mut Connection,
    until: Instant,
    bytes: usize,
}

impl Session<'_> {
    fn call(&mut self, words: &[&[u8]]) -> io::Result<Reply> {
        let Session { connection, until, bytes } = self;
        connection.stream.get_ref().set_write_timeout(Some(left(*until)?))?;
        resp::write(connection.stream.get_mut(), words)?;
        let mut answer = Bounded { stream: &mut connection.stream, until: *until };
        match resp::read(&mut answer, &mut bytes.clone())? {
            Reply::Error(text) => Err(io::Error::other(text)),
            reply => Ok(reply),
        }
    }
}

/// Each read of it may take as long as is left, so that bytes which drip do not add up.
struct Bounded<'c> {
    stream: &'c mut BufReader<TcpStream>,
    until: Instant,
}

impl io::Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.get_ref().set_read_timeout(Some(left(self.until)?))?;
        self.stream.read(buffer)
    }
}

impl io::BufRead for Bounded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.get_ref().set_read_timeout(Some(left(self.until)?))?;
        self.stream.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.stream.consume(amount);
    }
}

fn unexpected(reply: &Reply) -> io::Error {
    let what = match reply {
        Reply::Text(_) | Reply::Error(_) => "a status",
        Reply::Int(_) => "a number",
        Reply::Bulk(_) | Reply::Nil => "a value",
        Reply::List(_) => "a list",
    };
    io::Error::new(ErrorKind::InvalidData, format!("its answer is {what}, which is none to this command"))
}

impl Prefixed {
    fn key(&self, key: &str) -> Vec<u8> {
        [self.prefix.as_bytes(), key.as_bytes()].concat()
    }

    /// A command about all of these keys.
    fn about(&self, command: &[u8], keys: &[String], until: Option<Instant>) -> Result<Reply> {
        let keys: Vec<_> = keys.iter().map(|key| self.key(key)).collect();
        let words: Vec<&[u8]> = std::iter::once(command).chain(keys.iter().map(Vec::as_slice)).collect();
        self.server.with(until, |session| session.call(&words))
    }
}

fn value(reply: Reply) -> io::Result<Option<Vec<u8>>> {
    match reply {
        Reply::Bulk(bytes) => Ok(Some(bytes)),
        Reply::Nil => Ok(None),
        other => Err(unexpected(&other)),
    }
}

impl Store for Prefixed {
    fn get(&self, keys: &[String], until: Option<Instant>) -> Result<Vec<Option<Vec<u8>>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error: io::Error| StoreError::other(format!("Redis: {error}"));
        match self.about(b"MGET", keys, until)? {
            Reply::List(values) if values.len() == keys.len() => values.into_iter().map(value).collect::<io::Result<_>>().map_err(failed),
            other => Err(failed(unexpected(&other))),
        }
    }

    fn set(&self, entries: Vec<(String, Vec<u8>)>, until: Option<Instant>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries: Vec<_> = entries.iter().map(|(key, value)| (self.key(key), value)).collect();
        let mut words: Vec<&[u8]> = vec![b"MSET"];
        words.extend(entries.iter().flat_map(|(key, value)| [key.as_slice(), value.as_slice()]));
        self.server.with(until, |session| session.call(&words).map(drop))
    }

    fn delete(&self, keys: &[String], until: Option<Instant>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.about(b"DEL", keys, until).map(drop)
    }

    fn exists(&self, key: &str, until: Option<Instant>) -> Result<bool> {
        Ok(self.about(b"EXISTS", &[key.to_owned()], until)? == Reply::Int(1))
    }

    fn page(&self, from: u64, until: Option<Instant>) -> Result<Page> {
        let mut pattern = Vec::new();
        for byte in self.prefix.bytes() {
            if b"*?[]^\\".contains(&byte) {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.push(b'*');
        let mut cursor = from.to_string().into_bytes();
        self.server.with(until, |session| {
            loop {
                // Which may give none of these keys, and not be the last one.
                let reply = session.call(&[b"SCAN", &cursor, b"MATCH", &pattern, b"COUNT", b"1000"])?;
                let Reply::List(both) = reply else { return Err(unexpected(&reply)) };
                let Ok([Reply::Bulk(next), Reply::List(found)]) = <[Reply; 2]>::try_from(both) else {
                    return Err(unexpected(&Reply::List(Vec::new())));
                };
                let number = String::from_utf8_lossy(&next).parse::<u64>();
                let number = number.map_err(|_| io::Error::new(ErrorKind::InvalidData, "its cursor is no number"))?;
                let mut keys = Vec::with_capacity(found.len());
                for key in found {
                    let key = value(key)?.unwrap_or_default();
                    let own = key.strip_prefix(self.prefix.as_bytes()).unwrap_or_default();
                    // A plugin's keys are text; others share the prefix by chance.
                    keys.extend(std::str::from_utf8(own).ok().map(str::to_owned));
                }
                if number == 0 || !keys.is_empty() {
                    return Ok((keys, (number != 0).then_some(number)));
                }
                cursor = next;
            }
        })
    }

    fn increment(&self, key: &str, delta: i64, until: Option<Instant>) -> Result<i64> {
        let (key, delta) = (self.key(key), delta.to_string().into_bytes());
        self.server.with(until, |session| match session.call(&[b"INCRBY", &key, &delta])? {
            Reply::Int(sum) => Ok(sum),
            other => Err(unexpected(&other)),
        })
    }

    fn swap(&self, key: &str, read: Option<&[u8]>, new: Vec<u8>, until: Option<Instant>) -> Result<bool> {
        let key = self.key(key);
        self.server.with(until, |session| {
            session.call(&[b"WATCH", &key])?;
            if value(session.call(&[b"GET", &key])?)?.as_deref() != read {
                session.call(&[b"UNWATCH"])?;
                return Ok(false);
            }
            session.call(&[b"MULTI"])?;
            session.call(&[b"SET", &key, &new])?;
            Ok(session.call(&[b"EXEC"])? != Reply::Nil)
        })
    }
}
