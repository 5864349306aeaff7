//! The command line: one file a subcommand. Each has its `Args` and a `run(&Globals, Args) -> Outcome`; it is registered by
//! one variant of [`Command`] and one arm of [`run`].
//!
//! Exit codes: 0 yes or done, 1 the answer is no, 2 it could not be asked, 64 the command line was not understood.

mod analyze;
mod block;
mod calendar;
mod capture;
mod check;
mod completions;
mod demo;
mod detect;
mod device;
mod discover;
mod journal;
mod locate;
pub mod logging;
mod mail;
mod man;
pub mod out;
mod ping;
mod port;
mod rule;
mod series;
mod serve;
mod snmp_args;
mod token;
mod user;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::settings::LogFormat;
use crate::config::{Origin, Overrides, Settings};

/// What a subcommand found out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Done, or the answer is yes: exit code 0.
    Yes,
    /// The question was asked and the answer is no: exit code 1.
    No,
}

/// An answer, or why the question could not be asked: one sentence that says what to do (exit code 2).
pub type Outcome = anyhow::Result<Answer>;

/// The network room in one program: switch ports polled and graphed for years.
#[derive(Debug, Parser)]
#[command(name = "netroom", version, propagate_version = true, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Where a configuration is looked for when none is named.
const PLACES: [&str; 2] = ["config/netroom.toml", "/etc/netroom/netroom.toml"];

const EXIT_CODES: &str = "Exit codes: 0 yes or done, 1 the answer is no, 2 it could not be asked, 64 wrong usage.";

/// What every subcommand takes. Flags win over the environment, the environment over the files.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The configuration; `conf.d/*.toml` beside it is read too
    #[arg(long, global = true, env = "NETROOM_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The data directory
    #[arg(long, global = true, env = "NETROOM_DATA", value_name = "DIR", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// Where the pages are served, for example 127.0.0.1:8080
    #[arg(long, global = true, env = "NETROOM_LISTEN", value_name = "ADDRESS:PORT", hide_env_values = true)]
    pub listen: Option<SocketAddr>,
    /// What is logged: error, warn, info, debug, trace, or like warn,netroom::snmp=debug
    #[arg(long, global = true, env = "NETROOM_LOG", value_name = "FILTER", hide_env_values = true)]
    pub log: Option<String>,
    /// The form of log lines: auto, text or json
    #[arg(long, global = true, value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Check(check::Args),
    Series(series::Args),
    Rule(rule::Args),
    Completions(completions::Args),
    Journal(journal::Args),
    User(user::Args),
    Token(token::Args),
    Device(Box<device::Args>),
    Discover(Box<discover::Args>),
    Mail(mail::Args),
    Ping(ping::Args),
    Analyze(analyze::Args),
    Capture(capture::Args),
    Block(block::Args),
    Port(port::Args),
    Locate(locate::Args),
    Detect(detect::Args),
    Calendar(calendar::Args),
    #[command(hide = true)]
    Man(man::Args),
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors for clap, and belong to stdout; a closed pipe is no reason to complain.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match run(&cli.globals, cli.command) {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            out::complain(&error);
            ExitCode::from(2)
        }
    }
}

impl Globals {
    /// Where the configuration comes from: the file that was named, else `config/netroom.toml` here, else the one in `/etc`.
    ///
    /// # Errors
    /// When none was named and none is there.
    pub fn origin(&self) -> anyhow::Result<Origin> {
        let found = || PLACES.iter().map(PathBuf::from).find(|place| place.exists());
        let main = self
            .config
            .clone()
            .or_else(found)
            .ok_or_else(|| anyhow::anyhow!("there is no configuration at {}; name one with --config FILE", PLACES.join(" or ")))?;
        Ok(Origin { main, overrides: self.overrides(), credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from) })
    }

    /// The settings in force, for subcommands that need more of them than where the data is.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    fn settings(&self) -> anyhow::Result<Settings> {
        match self.origin()?.load() {
            Ok(loaded) => Ok(loaded.settings),
            Err(problems) => anyhow::bail!("{problems}\nthe configuration cannot be used; `netroom check` shows all of it"),
        }
    }

    /// The data directory: named by a flag, else by the configuration.
    ///
    /// # Errors
    /// When neither names one.
    fn data_dir(&self) -> anyhow::Result<PathBuf> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => match self.origin()?.load() {
                Ok(loaded) => Ok(loaded.settings.data),
                Err(problems) => anyhow::bail!("{problems}\nname the data directory with --data DIR"),
            },
        }
    }

    /// What flags and environment say, for subcommands that can do without files.
    pub fn overrides(&self) -> Overrides {
        Overrides { data: self.data.clone(), listen: self.listen, log: self.log.clone(), log_format: self.log_format }
    }
}

fn run(globals: &Globals, command: Command) -> Outcome {
    match command {
        Command::Serve(args) => serve::run(globals, &args),
        Command::Demo(args) => demo::run(globals, &args),
        Command::Check(args) => check::run(globals, &args),
        Command::Series(args) => series::run(globals, &args),
        Command::Rule(args) => rule::run(globals, &args),
        Command::Completions(args) => completions::run(&args),
        Command::Journal(args) => journal::run(globals, &args),
        Command::User(args) => user::run(globals, args),
        Command::Token(args) => token::run(globals, args),
        Command::Device(args) => device::run(globals, &args),
        Command::Discover(args) => discover::run(&args),
        Command::Mail(args) => mail::run(globals, &args),
        Command::Ping(args) => ping::run(globals, &args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Capture(args) => capture::run(globals, args),
        Command::Block(args) => block::run(globals, args),
        Command::Port(args) => port::run(globals, args),
        Command::Locate(args) => locate::run(globals, &args),
        Command::Detect(args) => detect::run(globals, args),
        Command::Calendar(args) => calendar::run(globals, &args),
        Command::Man(args) => man::run(&args),
    }
}

/// The whole command line as clap knows it: for completions, the manual and the tests of both.
fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests;
