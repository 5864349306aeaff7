//! `netroom man`: the manual page, for packagers.

use super::{Answer, Outcome, out};

/// Print the manual page (roff)
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The page of one subcommand, as `device test`; without it the page of netroom itself
    subcommand: Vec<String>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let mut command = super::command();
    command.build();
    let mut page = &command;
    for name in &args.subcommand {
        page = page.find_subcommand(name).ok_or_else(|| anyhow::anyhow!("there is no subcommand `{name}`; `netroom help` lists them"))?;
    }
    let mut roff = Vec::new();
    clap_mangen::Man::new(page.clone()).render(&mut roff)?;
    out::say_raw(&roff)?;
    Ok(Answer::Yes)
}
