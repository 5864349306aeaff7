//! SNMPv3 with the User-based Security Model (RFC 3412, RFC 3414, RFC 3826, RFC 7860), behind the same transport.
//!
//! The crate snmp2 derives keys, signs, checks, encrypts and decrypts; its sessions are not used, because one lost or
//! repeated datagram puts a session out of step for good, and because it neither tells reports apart nor moves the
//! engine's time on. Here [`envelope`] reads and writes what is in the clear, [`report`] says what a refusal means,
//! [`keys`] makes the slow keys once per device and engine, and [`usm`] is the state of one device: which engine, which
//! boots and time, which keys. The transport's core carries it like any other question. [`receive`] is the other side: traps and
//! informs that devices send by themselves, where an inform makes us the engine; [`sign`] and [`crypt`] are what that needs beyond snmp2.

pub(crate) mod crypt;
pub mod envelope;
pub(crate) mod keys;
pub(crate) mod receive;
pub mod report;
pub(crate) mod sign;
#[cfg(test)]
mod tests;
pub(crate) mod usm;
