//! One DNS query (RFC 1035) to one server, over UDP, and over TCP when the answer does not fit or it is asked so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::{CheckError, DnsAsk, tcp};
use crate::config::reach::RecordKind;

const fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Ns => RecordType::NS,
        RecordKind::Ptr => RecordType::PTR,
        RecordKind::Soa => RecordType::SOA,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::Txt => RecordType::TXT,
    }
}

/// Asks, and says what was answered.
pub(super) async fn ask(address: IpAddr, port: u16, ask: &DnsAsk) -> Result<String, CheckError> {
    let server = SocketAddr::new(address, port);
    let (id, query) = query(ask)?;
    let mut answer = if ask.tcp { over_tcp(server, &query).await? } else { over_udp(server, id, &query).await? };
    if answer.metadata.truncation && !ask.tcp {
        answer = over_tcp(server, &query).await?;
    }
    judge(id, &answer, ask)
}

fn query(ask: &DnsAsk) -> Result<(u16, Vec<u8>), CheckError> {
    let told = |error: &dyn std::fmt::Display| CheckError::Dns(error.to_string());
    let mut name = Name::from_str(&ask.name).map_err(|error| told(&error))?;
    name.set_fqdn(true);
    let mut octets = [0; 2];
    getrandom::fill(&mut octets).map_err(|error| told(&error))?;
    let id = u16::from_ne_bytes(octets);
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, record_type(ask.kind)));
    Ok((id, message.to_vec().map_err(|error| told(&error))?))
}

async fn over_udp(server: SocketAddr, id: u16, query: &[u8]) -> Result<Message, CheckError> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await.map_err(CheckError::Connect)?;
    socket.send(query).await?;
    let mut room = vec![0; 65_535];
    loop {
        let length = socket.recv(&mut room).await.map_err(CheckError::Connect)?;
        let octets = room.get(..length).unwrap_or_default();
        // Something with another number is not for this question; the right answer may still come.
        if octets.get(..2) == Some(id.to_be_bytes().as_slice()) {
            return read(octets);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &[u8]) -> Result<Message, CheckError> {
    let mut stream = tcp::connect(server.ip(), server.port()).await?;
    let length = u16::try_from(query.len()).unwrap_or(u16::MAX).to_be_bytes();
    stream.write_all(&[&length, query].concat()).await?;
    let length = stream.read_u16().await?;
    let mut octets = vec![0; usize::from(length)];
    stream.read_exact(&mut octets).await?;
    read(&octets)
}

fn read(octets: &[u8]) -> Result<Message, CheckError> {
    Message::from_vec(octets).map_err(|error| CheckError::Dns(error.to_string()))
}

fn judge(id: u16, answer: &Message, ask: &DnsAsk) -> Result<String, CheckError> {
    let fail = |why: String| Err(CheckError::Dns(why));
    if answer.metadata.id != id || answer.metadata.message_type != MessageType::Response {
        return fail("what came is no answer to the question".into());
    }
    if answer.metadata.response_code != ResponseCode::NoError {
        return fail(answer.metadata.response_code.to_string());
    }
    let wanted = record_type(ask.kind);
    let found: Vec<String> =
        answer.answers.iter().filter(|record| record.record_type() == wanted).map(|record| record.data.to_string()).collect();
    let all = found.join(", ");
    let plain = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
    match &ask.expect {
        _ if found.is_empty() => fail("no such record".into()),
        Some(expect) if !found.iter().any(|found| plain(found) == plain(expect)) => fail(format!("answered {all}, not {expect}")),
        _ => Ok(all),
    }
}
