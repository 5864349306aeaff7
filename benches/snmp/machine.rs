//! Pinning and memory of processes.

use std::process::Command;

/// Pins a process and all its threads to a CPU, when the machine has more than one.
pub(crate) fn pin(process: u32, cpu: usize) {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 && cpu > 0 {
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "the kernel's call has no safe form, and its tool is on every Debian")]
    let status = Command::new("taskset").args(["-a", "-p", "-c", &cpu.to_string(), &process.to_string()]).output();
    if !status.is_ok_and(|output| output.status.success()) {
        eprintln!("process {process} could not be pinned to CPU {cpu}");
    }
}

/// Resident memory of this process in megabytes.
pub(crate) fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or(f64::NAN) / 1024.0
}

/// User and system time of a process in seconds, in steps of 10 ms.
pub(crate) fn cpu_seconds_of(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
