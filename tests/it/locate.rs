//! Where machines sit, asked of a switch in memory: real messages, no sockets; and what people and programs are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use netroom::accounts::Role;
use netroom::demo::agent::{Manners, Recording, respond};
use netroom::locate::fresh::{self, FreshError};
use netroom::locate::{DeviceTables, Interface};
use netroom::model::{MacAddr, Timestamp, Zone, clock};
use netroom::snmp::ber::Writer;
use netroom::snmp::job::{Answer, Ask, AskError, Credentials, End, Job, Patience, Secret, Step, SubmitError, Target, Transport};
use netroom::snmp::message::{Message, PduKind, PduParts, Version};

use crate::access::Office;
use crate::blocks::Person;

/// A switch with two ports: 1 is Gi0/1 with a computer and a telephone, 2 leads to the core. Bridge port n is ifIndex 100 + n.
const SWITCH: &str = "\
1.3.6.1.2.1.2.2.1.2.101|4|GigabitEthernet0/1
1.3.6.1.2.1.17.1.4.1.2.1|2|101
1.3.6.1.2.1.17.1.4.1.2.2|2|102
1.3.6.1.2.1.17.7.1.2.2.1.2.10.2.0.0.0.0.1|2|1
1.3.6.1.2.1.17.7.1.2.2.1.2.10.2.0.0.0.0.3|2|2
1.3.6.1.2.1.17.7.1.2.2.1.2.10.2.0.0.0.0.9|2|1
1.3.6.1.2.1.17.7.1.2.2.1.2.20.2.0.0.0.0.1|2|2
1.3.6.1.2.1.17.7.1.2.2.1.2.20.2.0.0.0.0.2|2|1
1.3.6.1.2.1.17.7.1.2.2.1.3.10.2.0.0.0.0.1|2|3
1.3.6.1.2.1.17.7.1.2.2.1.3.10.2.0.0.0.0.3|2|3
1.3.6.1.2.1.17.7.1.2.2.1.3.10.2.0.0.0.0.9|2|4
1.3.6.1.2.1.17.7.1.2.2.1.3.20.2.0.0.0.0.1|2|3
1.3.6.1.2.1.17.7.1.2.2.1.3.20.2.0.0.0.0.2|2|3
1.3.6.1.2.1.31.1.1.1.1.101|4|Gi0/1
1.3.6.1.2.1.31.1.1.1.18.101|4|A-301
";

/// Carries each job to its end where it is handed over; the first few are told that the device is being polled.
struct InMemory {
    mib: Recording,
    busy: AtomicUsize,
    /// Answers after which the device falls silent.
    falls_silent_after: usize,
    answered: AtomicUsize,
}

impl InMemory {
    fn new(busy: usize, falls_silent_after: usize) -> Self {
        let mib = Recording::parse(SWITCH.as_bytes());
        Self { mib, busy: AtomicUsize::new(busy), falls_silent_after, answered: AtomicUsize::new(0) }
    }

    fn exchange(&self, job: &mut dyn Job, request: &netroom::snmp::job::Request) {
        let (kind, error_status, error_index) = match request.ask {
            Ask::Get => (PduKind::Get, 0, 0),
            Ask::GetNext => (PduKind::GetNext, 0, 0),
            Ask::GetBulk { non_repeaters, max_repetitions } => (PduKind::GetBulk, i64::from(non_repeaters), i64::from(max_repetitions)),
            Ask::Set(_) => panic!("nothing here is ever set"),
        };
        let peer = ([192, 0, 2, 1], 161).into();
        if self.answered.fetch_add(1, Ordering::SeqCst) >= self.falls_silent_after {
            return job.failed(&AskError::Timeout { peer, tries: 3, waited: Duration::from_secs(3) });
        }
        let mut writer = Writer::with_capacity(1500);
        Message::encode(
            Version::V2c,
            b"public",
            &PduParts { kind, request_id: 1, error_status, error_index, varbinds: &request.varbinds },
            &mut writer,
        );
        let now = Timestamp::from_secs(1_800_000_000);
        let octets = respond(writer.as_slice(), &self.mib, &Manners::default(), now).unwrap();
        let pdu = Message::decode(&octets).unwrap().pdu;
        let (error_status, error_index) = (pdu.error_status, pdu.error_index);
        job.answered(&Answer { error_status, error_index, varbinds: pdu.varbinds, received: now, rtt: Duration::ZERO });
    }
}

impl Transport for InMemory {
    fn submit(&self, _: &Arc<Target>, mut job: Box<dyn Job>, _: Instant) -> Result<(), SubmitError> {
        if self.busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(SubmitError::Busy);
        }
        let mut now = clock::monotonic();
        loop {
            match job.next(now) {
                Step::Finished => break job.finish(End::Complete),
                Step::Pause(until) => now = until,
                Step::Send(request) => self.exchange(job.as_mut(), &request),
            }
        }
        Ok(())
    }
}

fn target() -> Arc<Target> {
    let credentials = Credentials::Community { version: Version::V2c, community: Secret::new(*b"public") };
    Arc::new(Target { name: "sw-a".into(), address: ([192, 0, 2, 1], 161).into(), credentials, patience: Patience::default() })
}

fn known() -> DeviceTables {
    let interfaces = [(101, "Gi0/1"), (102, "Gi0/2")].map(|(if_index, name)| Interface { if_index, name: name.into(), mac: None });
    let ports = interfaces.iter().map(|interface| (interface.if_index, Arc::clone(&interface.name))).collect();
    DeviceTables { ports: Arc::new(ports), ..DeviceTables::empty("sw-a".into(), Zone::Outer) }
}

fn mac(last: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, last])
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_asked_again_who_is_behind_a_port_as_soon_as_it_is_free() {
    let deadline = clock::monotonic() + Duration::from_secs(60);
    let fresh = fresh::ask(&InMemory::new(3, usize::MAX), &target(), &known(), 101, mac(1), deadline).await.unwrap();
    assert_eq!((fresh.if_name.as_deref(), &*fresh.if_alias, fresh.bridge_port), (Some("Gi0/1"), "A-301", Some(1)));
    assert_eq!((fresh.here, fresh.elsewhere), (vec![10], vec![(102, 20)]));
    assert_eq!(fresh.macs, [mac(1), mac(2)], "the address of the bridge itself is nobody's");
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_is_none() {
    let deadline = clock::monotonic() + Duration::from_secs(60);
    let broken = fresh::ask(&InMemory::new(0, 1), &target(), &known(), 101, mac(1), deadline).await.unwrap_err();
    assert!(matches!(&broken, FreshError::Broken { .. }), "{broken}");
    let past = clock::monotonic();
    let busy = fresh::ask(&InMemory::new(1, usize::MAX), &target(), &known(), 101, mac(1), past).await.unwrap_err();
    assert_eq!(
        busy.to_string(),
        "sw-a was not asked again before the change: the device is still being asked; look whether it answers, and try again"
    );
}

#[tokio::test]
async fn people_and_programs_are_told_where_a_machine_sits() {
    let office = Office::new(false).await;
    let duty = Person::new(&office, Role::Duty).await;
    for (lang, there, unsure) in [("en", "It sits at sw-a3 Gi0/17.", "another address is on the port"), ("zh-CN", "位于", "端口上另有")]
    {
        for q in ["10.1.0.77", "0025.9000.0009", "00-25-90-00-00-09"] {
            let page = duty.get(&format!("/locate?q={q}"), lang).await;
            assert!(page.contains(there) && page.contains("00:25:90:00:00:09") && page.contains("10.1.0.77"), "{q} {lang}: {page}");
            assert!(!page.contains("locate-reason") && !page.contains("locate-kind") && !page.contains("locate-seen"), "{page}");
        }
        assert!(duty.get("/locate?q=00:25:90:00:00:08", lang).await.contains(unsure));
        assert!(duty.get("/locate?q=printer", lang).await.contains("role=\"alert\""));
    }
    assert!(duty.get("/locate?q=10.1.0.78", "en").await.contains("No router and no switch has seen 10.1.0.78"));
    let found = duty.ask(Method::GET, "/search?q=0025.9000.0008", "en", String::new()).await;
    assert_eq!(found.headers[LOCATION].to_str().unwrap(), "/locate?q=0025.9000.0008", "the one search box leads there");
    let answer = duty.ask(Method::GET, "/api/v1/locate/10.1.0.77", "en", String::new()).await;
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    let (machine, place) = (&json["machines"][0], &json["machines"][0]["candidates"][0]);
    assert_eq!((machine["mac"].as_str(), place["port"].as_str()), (Some("00:25:90:00:00:09"), Some("Gi0/17")));
    assert_eq!((place["score"].as_i64(), place["kind"].as_str()), (Some(100), Some("access")));
    let staff = Person::new(&office, Role::Staff).await;
    for path in ["/locate?q=10.1.0.77", "/api/v1/locate/10.1.0.77"] {
        assert_eq!(
            staff.ask(Method::GET, path, "en", String::new()).await.status,
            StatusCode::FORBIDDEN,
            "who sits where is data about persons"
        );
    }
}
