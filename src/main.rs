//! `netroom`: the program. Everything it can do is a subcommand in [`netroom::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    netroom::cli::main()
}
