//! "Ping now": some echo requests to one host at a person's wish, by surge-ping. It is not used for the series: its stamps
//! are taken in user space. An error that the host itself sends is no answer (the type of each reply is looked at).

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};

/// The types of echo replies.
const REPLIES: (u8, u8) = (0, 129);

/// What became of one request.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Shot {
    /// It was answered.
    Answered {
        /// Which request, from 0.
        seq: u16,
        /// After how many milliseconds.
        rtt_ms: f64,
        /// The hops that the reply could still have gone, when the kernel tells.
        ttl: Option<u8>,
    },
    /// Nothing came in time.
    Lost {
        /// See above.
        seq: u16,
    },
    /// The host answered that it does not take it.
    Refused {
        /// See above.
        seq: u16,
        /// The ICMP type.
        icmp_type: u8,
        /// Its code.
        icmp_code: u8,
    },
}

/// Why nobody was asked.
#[derive(Debug, thiserror::Error)]
pub enum NowError {
    /// No socket.
    #[error("no ICMP socket can be opened: {0}; give the program CAP_NET_RAW, or its group a place in net.ipv4.ping_group_range")]
    Socket(#[source] io::Error),
    /// The request could not be sent.
    #[error("{address} cannot be asked: {reason}")]
    Send {
        /// Whom.
        address: IpAddr,
        /// Why.
        reason: String,
    },
}

/// How to ask.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// Whom.
    pub address: IpAddr,
    /// How often.
    pub count: u16,
    /// The time between two requests.
    pub pause: Duration,
    /// A request is given up after this time.
    pub timeout: Duration,
    /// Octets of payload.
    pub size: usize,
}

/// Sends the requests one after the other, and tells each result as soon as it is known; ends early when `each` says false.
///
/// # Errors
/// There is no socket, or nothing can be sent.
pub async fn ask(asking: &Asking, mut each: impl FnMut(Shot) -> bool) -> Result<(), NowError> {
    let kind = if asking.address.is_ipv4() { ICMP::V4 } else { ICMP::V6 };
    let client = Client::new(&Config::builder().kind(kind).build()).map_err(NowError::Socket)?;
    let mut ident = [0; 2];
    // Without chance two at the same time might share their replies, no more.
    let _ = getrandom::fill(&mut ident);
    let mut pinger = client.pinger(asking.address, PingIdentifier(u16::from_ne_bytes(ident))).await;
    pinger.timeout(asking.timeout);
    let payload = vec![0x5a; asking.size];
    for seq in 0..asking.count {
        if seq > 0 {
            tokio::time::sleep(asking.pause).await;
        }
        let shot = match pinger.ping(PingSequence(seq), &payload).await {
            Ok((packet, rtt)) => shot(seq, &packet, rtt),
            Err(SurgeError::Timeout { .. }) => Shot::Lost { seq },
            Err(error) => return Err(NowError::Send { address: asking.address, reason: error.to_string() }),
        };
        if !each(shot) {
            return Ok(());
        }
    }
    Ok(())
}

fn shot(seq: u16, packet: &IcmpPacket, rtt: Duration) -> Shot {
    let (reply, kind, code, ttl) = match packet {
        IcmpPacket::V4(packet) => (REPLIES.0, packet.get_icmp_type().0, packet.get_icmp_code().0, packet.get_ttl()),
        IcmpPacket::V6(packet) => (REPLIES.1, packet.get_icmpv6_type().0, packet.get_icmpv6_code().0, None),
    };
    if kind == reply {
        Shot::Answered { seq, rtt_ms: rtt.as_secs_f64() * 1000.0, ttl }
    } else {
        Shot::Refused { seq, icmp_type: kind, icmp_code: code }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn the_own_machine_answers_at_a_persons_wish() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let asking = Asking { address, count: 3, pause: Duration::from_millis(1), timeout: Duration::from_secs(5), size: 56 };
        let mut shots = Vec::new();
        let asked = ask(&asking, |shot| {
            shots.push(shot);
            shots.len() < 2
        });
        match asked.await {
            Err(NowError::Socket(error)) => eprintln!("SKIPPED: no ICMP socket may be opened here: {error}"),
            other => {
                other.unwrap();
                assert_eq!(shots.len(), 2, "it ends when nobody listens any more");
                assert!(shots.iter().all(|shot| matches!(shot, Shot::Answered { rtt_ms, .. } if *rtt_ms >= 0.0)), "{shots:?}");
            }
        }
    }
}
