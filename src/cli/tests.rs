//! The command line as people meet it: its help as snapshots, its exit codes.

use super::*;

#[test]
fn clap_finds_nothing_wrong() {
    command().debug_assert();
}

/// The help of netroom and of every subcommand that is shown: a change here is a change of an interface.
#[test]
fn help_is_as_agreed() {
    let mut root = command();
    root.build();
    insta::assert_snapshot!("help_netroom", root.render_long_help());
    each(&root, &mut |command| {
        let mut command = command.clone();
        let path = command.get_bin_name().unwrap_or_default().replace(' ', "_");
        insta::assert_snapshot!(format!("help_{path}"), command.render_long_help());
    });
}

fn each(command: &clap::Command, visit: &mut dyn FnMut(&clap::Command)) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        visit(sub);
        each(sub, visit);
    }
}

#[test]
fn global_flags_stand_before_or_behind_the_subcommand() {
    for line in [["netroom", "--log", "debug", "completions", "bash"], ["netroom", "completions", "bash", "--log", "debug"]] {
        assert_eq!(Cli::try_parse_from(line).unwrap().globals.log.as_deref(), Some("debug"));
    }
}

#[test]
fn a_bad_address_is_told_with_its_flag() {
    let error = Cli::try_parse_from(["netroom", "--listen", "8080", "completions", "bash"]).unwrap_err().to_string();
    assert!(error.contains("--listen") && error.contains("8080"), "{error}");
}
