//! Connections: they are accepted, and their requests answered one after another.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, sleep, timeout};

use crate::serve::State;
use crate::serve::exchange::{Ended, exchange, refused};
use crate::serve::output::refusal;
use crate::serve::registry::{Entry, Registry};
use crate::wasi::http::head;
use crate::wasi::http::reader::{Reader, Unread};

/// How often connections that are unused for long are looked for.
const TIDY: Duration = Duration::from_millis(500);
/// How long, and how many bytes, a client is heard out whose connection is being closed: if
/// something is left unread, the system tells it that the connection has failed, and it may miss
/// the answer.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 256 << 10;

/// Accepts connections until the server stops.
pub(super) async fn accept(state: Arc<State>, listener: TcpListener) {
    let mut tidy = interval(TIDY);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => begin(&state, socket),
                // The process has too many descriptors: some may be closed soon.
                Err(error) if is_lasting(&error) => sleep(Duration::from_millis(50)).await,
                Err(_) => {}
            },
            _ = tidy.tick() => state.registry.tidy(),
            () = state.stopping.cancelled() => break,
        }
    }
    drop(listener);
    state.registry.stopped();
    // Those that were accepted last may not have seen that it stops.
    while state.registry.len() > 0 {
        state.registry.end_idle();
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether it is not about one connection alone.
fn is_lasting(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted)
}

fn begin(state: &Arc<State>, socket: TcpStream) {
    let Some((number, entry)) = state.registry.enter() else {
        State::count(&state.refused);
        // What the client's system takes at once has to do.
        let _ = socket.try_write(&refusal(StatusCode::SERVICE_UNAVAILABLE, false));
        return;
    };
    let leaving = Leaving { state: state.clone(), number };
    let own = entry.clone();
    let task = tokio::spawn(async move {
        let leaving = leaving;
        serve(&leaving.state, socket, &own).await;
    });
    Registry::began(&entry, task.abort_handle());
}

/// Leaves the registry when the connection ends, however it does.
struct Leaving {
    state: Arc<State>,
    number: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.state.registry.leave(self.number);
    }
}

/// Answers the requests of a connection.
async fn serve(state: &Arc<State>, mut socket: TcpStream, entry: &Entry) {
    let _ = socket.set_nodelay(true);
    let (read, mut write) = socket.split();
    let mut reader = Reader::new(read);
    loop {
        if !reader.has_more() && !reader.fill().await.unwrap_or(false) {
            return;
        }
        entry.reads_head();
        let head = reader.head().await;
        if !entry.begin() {
            return;
        }
        let request = match head {
            Ok(bytes) => head::request(&bytes),
            Err(Unread::Gone) => return,
            Err(Unread::TooLarge) => Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Err(Unread::Malformed) => Err(StatusCode::BAD_REQUEST),
        };
        let ended = match request {
            Ok(request) => exchange(state, &mut reader, &mut write, request).await,
            Err(status) => refused(&mut write, status, false).await,
        };
        match ended {
            Ended::Kept if !state.stopping.is_cancelled() => entry.rest(),
            Ended::Kept | Ended::Last => {
                let _ = write.shutdown().await;
                let _ = timeout(LINGER, hear_out(&mut reader)).await;
                return;
            }
            Ended::Gone => return,
        }
    }
}

async fn hear_out(reader: &mut Reader<tokio::net::tcp::ReadHalf<'_>>) {
    let mut heard = 0;
    while heard < LINGER_BYTES {
        match reader.skip().await {
            Ok(count) if count > 0 => heard += count,
            _ => return,
        }
    }
}
