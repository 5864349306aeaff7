//! The UDP transport against agents on loopback sockets: what a caller gets for each kind of peer.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use netroom::model::clock;
use netroom::snmp::ask::{self, QuestionError, Reply};
use netroom::snmp::ber::Writer;
use netroom::snmp::job::{Ask, AskError, Credentials, Patience, Request, Secret, SubmitError, Target};
use netroom::snmp::message::{Message, PduKind, PduParts, Version, encode_names, encode_varbinds};
use netroom::snmp::oid::Oid;
use netroom::snmp::udp::{Engine, Options, UdpTransport};
use netroom::snmp::value::Value;

const UPTIME: &str = "1.3.6.1.2.1.1.3.0";

fn target(address: SocketAddr) -> Arc<Target> {
    let credentials = Credentials::Community { version: Version::V2c, community: Secret::new(&b"public"[..]) };
    let patience = Patience { min_timeout: Duration::from_millis(50), max_timeout: Duration::from_millis(100), tries: 2 };
    Arc::new(Target { name: "switch".into(), address, credentials, patience })
}

async fn uptime(transport: &UdpTransport, address: SocketAddr) -> Result<Reply, QuestionError> {
    let name: Oid = UPTIME.parse().unwrap();
    let request = Request { ask: Ask::Get, varbinds: encode_names([name].iter()).into() };
    ask::question(transport, &target(address), request, clock::monotonic() + Duration::from_secs(20)).await
}

/// Answers `count` requests, each with what `reply` makes of it.
fn agent(socket: UdpSocket, count: usize, reply: impl Fn(&Message<'_>) -> Vec<Vec<u8>> + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut room = [0; 2_048];
        for _ in 0..count {
            let (length, from) = socket.recv_from(&mut room).unwrap();
            let message = Message::decode(&room[..length]).unwrap();
            for octets in reply(&message) {
                socket.send_to(&octets, from).unwrap();
            }
        }
    })
}

fn ticks(request: &Message<'_>, value: u32) -> Vec<u8> {
    let name: Oid = UPTIME.parse().unwrap();
    let list = encode_varbinds([(name.as_ref(), Value::TimeTicks(value))].into_iter());
    let request_id = request.pdu.request_id;
    let parts = PduParts { kind: PduKind::Response, request_id, error_status: 0, error_index: 0, varbinds: &list };
    let mut writer = Writer::default();
    Message::encode(request.version, request.community, &parts, &mut writer);
    writer.as_slice().to_vec()
}

#[tokio::test]
async fn answers_come_over_both_address_families_with_the_kernels_stamp() {
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    for local in [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))] {
        let socket = match UdpSocket::bind(local) {
            Ok(socket) => socket,
            Err(error) => {
                eprintln!("SKIPPED for {local}: this machine cannot bind it ({error})");
                continue;
            }
        };
        let address = socket.local_addr().unwrap();
        // Each request is answered twice: the second answer must not disturb the next question.
        let agent = agent(socket, 3, |request| vec![ticks(request, 7), ticks(request, 8)]);
        let before = clock::wall();
        for _ in 0..3 {
            let reply = uptime(&transport, address).await.unwrap();
            let (_, value) = reply.varbinds().next().unwrap().unwrap();
            assert_eq!(value, Value::TimeTicks(7));
            assert!(reply.received >= before && reply.received <= clock::wall(), "{reply:?}");
        }
        agent.join().unwrap();
    }
    transport.stop();
    thread.join().unwrap();
    assert_eq!(uptime(&transport, SocketAddr::from((Ipv4Addr::LOCALHOST, 9))).await, Err(SubmitError::Stopped.into()));
    let stats = transport.stats();
    assert_eq!((stats.running, stats.foreign, stats.malformed), (0, 0, 0));
}

#[tokio::test]
async fn each_kind_of_silence_has_its_own_words() {
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silence = uptime(&transport, silent.local_addr().unwrap()).await.unwrap_err();
    assert!(matches!(silence, QuestionError::Unanswered(AskError::Timeout { tries: 2, .. })), "{silence}");

    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let refused = uptime(&transport, closed).await.unwrap_err().to_string();
    assert!(refused.contains("cannot be reached: the port is closed"), "{refused}");

    let shouting = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = shouting.local_addr().unwrap();
    let agent = agent(shouting, 2, |_| vec![b"220 ready".to_vec()]);
    let garbage = uptime(&transport, address).await.unwrap_err().to_string();
    assert!(garbage.contains("does not begin as an SNMP message does"), "{garbage}");
    agent.join().unwrap();
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn stopping_cancels_what_is_running() {
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let question = uptime(&transport, silent.local_addr().unwrap());
    let (answer, ()) = tokio::join!(question, async { transport.stop() });
    assert_eq!(answer, Err(SubmitError::Stopped.into()));
    thread.join().unwrap();
}
