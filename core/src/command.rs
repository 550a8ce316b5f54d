//! Running a command: a program that runs to completion and returns an exit code.

use crate::compile::module::ModuleKind;
use crate::config::CallOptions;
use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::guest::lifecycle::Usage;
use crate::guest::options::InstanceOptions;
use crate::instance::running::hold;
use crate::instance::seed::{Kind, Seed};
use crate::plugin::Plugin;

/// The result of a command.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic, whose text is on
    /// its standard error. That of a component is 0 or 1, because WASI 0.2 has no others.
    pub code: i32,
    /// What it wrote to its standard output, if that is captured, which is the sandbox's default.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error, if that is captured.
    pub stderr: Vec<u8>,
    /// Whether it wrote more than is captured, or than the limits allow.
    pub truncated: bool,
    /// What the sandbox denied it of the network: each denial once, with the rule that would allow
    /// it.
    pub denied: Vec<String>,
    /// What it used.
    pub usage: Usage,
}

impl Plugin {
    /// Runs a command to completion, on this thread. The sandbox has its arguments, environment and
    /// streams, which are captured by default; the limits, and `call`, apply to the whole run.
    ///
    /// # Errors
    ///
    /// `invalid-plugin` for a reactor, whose exports are to be called, and for a component that
    /// does not export `wasi:cli/run`; `missing-import`; `denied`
    /// for a directory that can't be opened; `trap`, `timeout`, `cancelled` or `out-of-fuel` if
    /// anything but an exit ends it. No exit code is an error.
    pub fn run(&self, options: InstanceOptions, call: &CallOptions) -> Result<Completed> {
        let kind = Kind::holding(self);
        hold(kind.driver, self.run_by(kind, options, call))
    }

    /// The same as a future, which holds no thread while the command waits. Dropping it ends the
    /// command.
    ///
    /// # Errors
    ///
    /// As [`run`](Plugin::run).
    pub async fn run_async(&self, options: InstanceOptions, call: &CallOptions) -> Result<Completed> {
        self.run_by(Kind::SUSPENDING, options, call).await
    }

    /// The same on this thread, for a host with an event loop that waits meanwhile: see
    /// [`AsyncInstance::call_here`](crate::AsyncInstance::call_here).
    ///
    /// # Errors
    ///
    /// As [`run`](Plugin::run).
    pub fn run_here(&self, options: InstanceOptions, call: &CallOptions) -> Result<Completed> {
        hold(Kind::SUSPENDING.driver, self.run_async(options, call))
    }

    async fn run_by(&self, kind: Kind, options: InstanceOptions, call: &CallOptions) -> Result<Completed> {
        let options = self.options_of_command(options)?;
        let budget = Budget::of(call, &options.limits);
        let seed = Seed::new(self, options, Kind { role: ModuleKind::Command, ..kind })?;
        let ended = seed.begin(budget).await?.1;
        Completed::of(&seed, ended)
    }

    fn options_of_command(&self, mut options: InstanceOptions) -> Result<InstanceOptions> {
        if self.info().is_program() {
            let sandbox = &mut options.sandbox;
            (sandbox.stdout, sandbox.stderr) = (sandbox.stdout.of_command(), sandbox.stderr.of_command());
            return Ok(options);
        }
        let name = self.name();
        let text = match self.info().kind {
            ModuleKind::Component => format!("{name} is no program: it is a component that does not export wasi:cli/run"),
            _ => format!(
                "{name} is a plugin, not a command: instantiate it, and call its exports; a command is built without -buildmode=c-shared"
            ),
        };
        Err(Error::new(ErrorKind::InvalidPlugin, text))
    }
}

impl Completed {
    fn of(seed: &Seed, ended: Result<()>) -> Result<Completed> {
        let code = match ended {
            Ok(()) => 0,
            Err(error) => error.exit_code().filter(|_| error.kind() == ErrorKind::Exit).ok_or(error)?,
        };
        let (stdout, stderr) = (&seed.streams.stdout, &seed.streams.stderr);
        let truncated = stdout.is_cut() || stderr.is_cut();
        Ok(Completed {
            code,
            stdout: stdout.take(),
            stderr: stderr.take(),
            truncated,
            denied: seed.denials.all(),
            usage: seed.life.usage(),
        })
    }
}
