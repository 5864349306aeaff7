//! Checks against small servers of their own on the loopback interface.

use std::net::Ipv4Addr;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use super::*;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn check(port: u16, ask: Ask) -> Check {
    let (interval, timeout) = (Duration::from_secs(60), Duration::from_secs(20));
    Check { id: ServiceId(1), address: LOCAL, port, ask, interval, timeout }
}

fn http(tls: bool, text: Option<&str>) -> Ask {
    Ask::Http(HttpAsk { tls, host: "www.example".into(), path: "/x?y=1".into(), status: 200..=299, text: text.map(Into::into) })
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Answers one request; what was asked.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, response: &str) -> String {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        let octet = stream.read_u8().await.unwrap();
        asked.push(octet);
    }
    stream.write_all(response.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    String::from_utf8(asked).unwrap()
}

#[tokio::test]
async fn a_port_is_open_or_not() {
    let (listener, port) = listen().await;
    let found = check(port, Ask::Tcp).perform().await;
    assert!(found.took.is_some() && found.said == "connected", "{found:?}");
    drop(listener);
    let found = check(port, Ask::Tcp).perform().await;
    assert!(found.took.is_none() && found.said.contains("no connection"), "{found:?}");
    assert_eq!(found.fault, Some(Fault::Refused));
}

#[tokio::test]
async fn http_is_judged_by_status_and_text() {
    let with_length = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nall is well\n";
    let until_the_end = "HTTP/1.1 200 OK\r\n\r\nall is well\n";
    let broken = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
    for (response, text, said) in [
        (with_length, Some("is well"), Ok("status 200")),
        (until_the_end, Some("is well"), Ok("status 200")),
        (with_length, None, Ok("status 200")),
        (with_length, Some("is broken"), Err("the text is missing in the answer (status 200)")),
        (broken, None, Err("status 503")),
        ("SSH-2.0-x\r\n", None, Err("no HTTP")),
    ] {
        let (listener, port) = listen().await;
        let server = async { answer(listener.accept().await.unwrap().0, response).await };
        let check = check(port, http(false, text));
        let (asked, found) = tokio::join!(server, check.perform());
        assert!(asked.starts_with("GET /x?y=1 HTTP/1.1\r\n") && asked.contains("host: www.example\r\n"), "{asked}");
        assert_eq!(found.took.is_some(), said.is_ok(), "{found:?}");
        assert!(found.said.contains(said.unwrap_or_else(|why| why)), "{found:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_read_all_the_same() {
    let certificate = CertificateDer::from(include_bytes!("../../../tests/fixtures/tls/expired.crt.der").to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(include_bytes!("../../../tests/fixtures/tls/expired.key.der").to_vec()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()));
    let (listener, port) = listen().await;
    let server = async {
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        answer(stream, "HTTP/1.1 204 No Content\r\n\r\n").await
    };
    let check = check(port, http(true, None));
    let (_, found) = tokio::join!(server, check.perform());
    assert!(found.took.is_some(), "{found:?}");
    let certificate = found.certificate.unwrap();
    assert_eq!(certificate.subject, "CN=old.example");
    // It ended on 2021-01-01.
    assert!(certificate.days < -1_700, "{certificate:?}");
}

fn dns(expect: Option<&str>, tcp: bool) -> Ask {
    Ask::Dns(DnsAsk { name: "www.example".into(), kind: RecordKind::A, expect: expect.map(Into::into), tcp })
}

fn reply(query: &[u8], code: ResponseCode, truncated: bool) -> Vec<u8> {
    let query = Message::from_vec(query).unwrap();
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.response_code = code;
    reply.metadata.truncation = truncated;
    let name = query.queries[0].name().clone();
    reply.queries = query.queries;
    if code == ResponseCode::NoError && !truncated {
        reply.answers.push(Record::from_rdata(name, 60, RData::A(A::new(192, 0, 2, 7))));
    }
    reply.to_vec().unwrap()
}

#[tokio::test]
async fn dns_is_judged_by_what_it_answers() {
    for (code, expect, said) in [
        (ResponseCode::NoError, None, Ok("192.0.2.7")),
        (ResponseCode::NoError, Some("192.0.2.7"), Ok("192.0.2.7")),
        (ResponseCode::NoError, Some("192.0.2.8"), Err("answered 192.0.2.7, not 192.0.2.8")),
        (ResponseCode::NXDomain, None, Err("Non-Existent Domain")),
    ] {
        let socket = UdpSocket::bind((LOCAL, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let server = async {
            let mut room = [0; 512];
            let (length, from) = socket.recv_from(&mut room).await.unwrap();
            // Somebody else's answer first.
            socket.send_to(&[0; 12], from).await.unwrap();
            socket.send_to(&reply(&room[..length], code, false), from).await.unwrap();
        };
        let check = check(port, dns(expect, false));
        let ((), found) = tokio::join!(server, check.perform());
        assert_eq!(found.took.is_some(), said.is_ok(), "{found:?}");
        assert!(found.said.contains(said.unwrap_or_else(|why| why)), "{found:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_over_tcp() {
    let (listener, port) = listen().await;
    let socket = UdpSocket::bind((LOCAL, port)).await.unwrap();
    let server = async {
        let mut room = [0; 512];
        let (length, from) = socket.recv_from(&mut room).await.unwrap();
        socket.send_to(&reply(&room[..length], ResponseCode::NoError, true), from).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let length = usize::from(stream.read_u16().await.unwrap());
        stream.read_exact(&mut room[..length]).await.unwrap();
        let reply = reply(&room[..length], ResponseCode::NoError, false);
        stream.write_all(&[&(reply.len() as u16).to_be_bytes()[..], &reply].concat()).await.unwrap();
    };
    let check = check(port, dns(Some("192.0.2.7"), false));
    let ((), found) = tokio::join!(server, check.perform());
    assert_eq!(found.said, "192.0.2.7", "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_costs_its_timeout_and_no_more() {
    let socket = UdpSocket::bind((LOCAL, 0)).await.unwrap();
    let check = Check { timeout: Duration::from_secs(2), ..check(socket.local_addr().unwrap().port(), dns(None, false)) };
    let found = check.perform().await;
    assert_eq!((found.took, found.said.as_str()), (None, "no answer within 2000 ms"));
}
