//! What a daemon must live through: each trial is done to a whole one, as it would happen in an office.

mod clock_step;
mod endless;
mod full_disk;
mod killed;
mod service;

/// Says why a trial cannot be done here; fails where everything is required.
pub(crate) fn not_run(trial: &str, why: &str) {
    let required = std::env::var_os("NETROOM_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!required, "{trial} cannot be tried: {why}");
    eprintln!("SKIPPED: {trial} was not tried: {why}");
}
