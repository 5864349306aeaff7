//! Tests in the lab: the daemon polls two switches made of Linux bridges and net-snmp in network namespaces, real traffic
//! flows, and what netroom says is held against the kernel's own counters. Needs root, iproute2 and snmpd; without them
//! each test says loudly that it did not run.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests stop at the first thing that is not as it must be")]
#![expect(clippy::print_stderr, reason = "a test that cannot run says so")]
#![expect(clippy::disallowed_methods, reason = "tests start other programs and wait for them")]

mod alarm;
mod blocks;
mod capture;
mod daemon;
mod garbage;
mod network;
mod ping;
mod polling;
mod rates;
mod refusals;
mod scans;
mod seats;
