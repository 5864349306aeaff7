//! Netroom from outside: rooms together, real sockets, real peers.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod snmp_udp;
