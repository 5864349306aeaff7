//! `netroom completions SHELL`: the script that lets a shell complete our command line.

use clap_complete::Shell;

use super::{Answer, Outcome, out};

/// Print the completion script of a shell
///
/// For bash: netroom completions bash > /etc/bash_completion.d/netroom
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "netroom", &mut script);
    out::say_raw(&script)?;
    Ok(Answer::Yes)
}
