//! `undergo serve`: serves HTTP by a component.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use undergo::{ErrorKind, ErrorSink, InstanceOptions, Plugin, PoolOptions, ServeOptions};

use crate::failure;
use crate::options::{Loading, Options, size};
use crate::progress::Progress;
use crate::signals;

/// Serve HTTP by a component that answers requests (wasi:http/incoming-handler)
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The component
    file: PathBuf,
    /// Listen there; port 0 is one that the system chooses
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    addr: String,
    /// Answer that many requests at once, each by an instance of its own; four for each processor
    /// by default
    #[arg(long, value_name = "NUMBER")]
    instances: Option<usize>,
    /// Replace an instance after that many requests: 1 gives each request a fresh one
    #[arg(long, value_name = "NUMBER")]
    max_calls: Option<u64>,
    /// Let that many requests wait for an instance; more are refused (503)
    #[arg(long, value_name = "NUMBER")]
    queue: Option<usize>,
    /// Keep that many connections at once
    #[arg(long, value_name = "NUMBER")]
    connections: Option<usize>,
    /// Limit the body of a request; a longer one is refused (413)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    body: Option<u64>,
    #[command(flatten)]
    loading: Loading,
    #[command(flatten)]
    options: Options,
}

const HELP: &str = "\
--timeout is that of a request, 30s by default: then it is answered with status 504. A guest that traps, or does not answer, is status 500. Its requests of others need rules: --net.

Ctrl-C lets running requests finish, for ten seconds; a second one ends them.

Examples:
  undergo serve app.wasm
  undergo serve app.wasm --addr 0.0.0.0:80 --timeout 5s --memory 64MiB
  undergo serve app.wasm --net connect=example.org:443 --env MODE=prod --dir ./data::/data:ro";

/// How long running requests have to finish.
const GRACE: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let progress = Progress::start(format!("loading {}", args.file.display()));
    let plugin = Plugin::from_file_with(&args.file, &args.loading.plugin())?;
    drop(progress);
    let instance = InstanceOptions { sandbox: args.options.server()?, limits: args.options.limits(), ..InstanceOptions::default() };
    failure::warn(&plugin.diagnose(&instance));
    let usual = ServeOptions::default();
    let pool = PoolOptions { max_calls: args.max_calls, ..PoolOptions::new(args.instances.unwrap_or(usual.pool.size), instance) };
    let options = ServeOptions {
        pool,
        queue: args.queue.unwrap_or(usual.queue),
        connections: args.connections.unwrap_or(usual.connections),
        body: args.body.unwrap_or(usual.body),
        errors: Some(ErrorSink::new(failure::tell_request)),
    };
    let signals = signals::catch()?;
    let server = plugin.serve(&args.addr, options)?;
    eprintln!("undergo: serving http://{}", server.address());
    signals.wait();
    match server.close(Some(GRACE)) {
        Err(error) if error.kind() != ErrorKind::Timeout => Err(error.into()),
        Err(error) => {
            failure::warn(&[error.message().to_owned()]);
            Ok(ExitCode::SUCCESS)
        }
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}
