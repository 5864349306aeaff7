//! Netroom from outside: rooms together, real sockets, real peers.

#[cfg(test)]
mod access;
#[cfg(test)]
mod agent;
#[cfg(test)]
mod analyze;
#[cfg(test)]
mod bench_farm;
#[cfg(test)]
mod block_ports;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod campus;
#[cfg(test)]
mod capture;
#[cfg(test)]
mod captures;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod detect_campus;
#[cfg(test)]
mod detect_corpus;
#[cfg(test)]
mod device_command;
#[cfg(test)]
mod device_tables;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod grafana;
#[cfg(test)]
mod incidents;
#[cfg(test)]
mod locate;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod poll;
#[cfg(test)]
mod process;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod series;
#[cfg(test)]
mod site;
#[cfg(test)]
mod snmp_set;
#[cfg(test)]
mod snmp_udp;
#[cfg(test)]
mod snmp_v3;
#[cfg(test)]
mod snmpd;
#[cfg(test)]
mod table;
#[cfg(test)]
mod traps;
#[cfg(test)]
mod trials;
#[cfg(test)]
mod web;
