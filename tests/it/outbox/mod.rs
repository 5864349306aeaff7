//! The outbox from outside: real conversations with mail servers, and a sender that is killed at its worst moments.

mod peers;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netroom::config::Settings;
use netroom::config::notify::{MailSettings, NotifySettings, Recipient, RouteSettings, Tls};
use netroom::config::people::PersonSettings;
use netroom::i18n::Lang;
use netroom::model::finding::Finding;
use netroom::model::notice::Change;
use netroom::model::{IncidentId, Notice, Severity, Subject, Timestamp, clock};
use netroom::notify::delivery::{Event, State};
use netroom::notify::{Outbox, Pictures, Proof, Roster, Sender, Setup, Templates, Wiring, store};
use netroom::store::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use server::{Act, Hook, Server, Step, header};

const PEOPLE: usize = 10;
const GIVE_UP: Duration = Duration::from_secs(86_400);

struct Nothing;

impl Pictures for Nothing {
    fn draw(&self, _: &Subject, _: Lang, _: Timestamp) -> Option<Vec<u8>> {
        Some(vec![0x89, b'P', b'N', b'G'])
    }
}

impl Proof for Nothing {
    fn counts(&self) -> serde_json::Value {
        serde_json::json!({ "devices": 3 })
    }

    fn head(&self, _: &rusqlite::Connection) -> rusqlite::Result<String> {
        Ok("0 00".to_owned())
    }
}

pub(crate) fn mail_settings(host: &str, port: u16, tls: Tls) -> MailSettings {
    MailSettings {
        server: host.into(),
        port,
        tls,
        login: None,
        from: "netroom@example.org".into(),
        hello: Some("netroom.example.org".into()),
        ca: None,
        timeout: Duration::from_secs(10),
    }
}

pub(crate) fn person(name: &str, lang: Lang) -> PersonSettings {
    PersonSettings {
        name: name.into(),
        email: Some(format!("{name}@example.org").into()),
        mobile: None,
        language: lang,
        roles: Vec::new(),
        chat: None,
    }
}

fn everybody(count: usize) -> RouteSettings {
    RouteSettings {
        name: "all".into(),
        severity: Severity::Info,
        sites: Vec::new(),
        zones: Vec::new(),
        tags: Vec::new(),
        rules: Vec::new(),
        when: None,
        to: (0..count).map(|n| Recipient::Person(format!("p{n}").into())).collect(),
        webhooks: Vec::new(),
        quiet: None,
        window: Duration::ZERO,
        digest: None,
        stop: false,
    }
}

pub(crate) fn setup(mail: MailSettings, count: usize) -> Setup {
    let mut settings = Settings::new("");
    settings.people = (0..count).map(|n| person(&format!("p{n}"), if n % 2 == 0 { Lang::ZhCn } else { Lang::En })).collect();
    settings.time_zone = jiff::tz::TimeZone::UTC;
    let notify = NotifySettings { mail: Some(mail), rules: vec![everybody(count)], settle: Duration::ZERO, ..NotifySettings::default() };
    Setup {
        settings: Arc::new(notify),
        people: Arc::new(Roster::new(&settings)),
        zone: jiff::tz::TimeZone::UTC,
        lang: Lang::En,
        templates: Templates::built_in().unwrap(),
    }
}

async fn sender(store: &Store, setup: Setup) -> (Sender, mpsc::Receiver<Finding>) {
    let (findings, judged) = mpsc::channel(64);
    let wiring =
        Wiring { store: store.clone(), outbox: Outbox::default(), findings, pictures: Arc::new(Nothing), proof: Arc::new(Nothing) };
    (Sender::new(wiring, setup).await.unwrap(), judged)
}

fn notice(incident: i64, event: i64, change: Change) -> Notice {
    Notice {
        incident: IncidentId(incident),
        event,
        change,
        rule: "port-down".into(),
        subject: Subject::Port("sw-a3".into(), "Gi0/17".into()),
        severity: Severity::Major,
        opened: clock::wall(),
        at: clock::wall(),
        site: "A座".into(),
        zone: None,
        tags: Vec::new(),
        children: Vec::new(),
        evidence: Default::default(),
        person: None,
        comment: None,
        is_muted: false,
    }
}

fn enqueue(store: &Store, notice: Notice) {
    store.write_blocking(move |tx| Outbox::default().enqueue(tx, &notice)).unwrap();
}

fn open(dir: &Path) -> Store {
    Store::open(&dir.join("netroom.db")).unwrap()
}

/// How many deliveries are in each state.
fn states(store: &Store) -> BTreeMap<String, i64> {
    let reader = store.reader().unwrap();
    let mut query = reader.prepare("SELECT state, COUNT(*) FROM delivery GROUP BY state").unwrap();
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// What waits for its time is due now.
fn hurry(store: &Store) {
    store
        .write_blocking(|tx| {
            let mut query = tx.prepare("SELECT id FROM delivery WHERE state IN ('deferred', 'uncertain')")?;
            let ids: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            ids.into_iter().try_for_each(|id| store::step(tx, id, Event::Retry, "", clock::wall(), GIVE_UP).map(drop))
        })
        .unwrap();
}

async fn send_all(sender: &Sender) {
    sender.plan_once(clock::wall()).await.unwrap();
    sender.send_due(true, &CancellationToken::new()).await.unwrap();
}

fn on() -> Hook {
    Box::new(|_, _| Act::On)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_one_conversation_in_the_readers_language_with_its_graph() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start(on()));
    let store = open(dir.path());
    let (sender, _judged) = sender(&store, setup(mail_settings("127.0.0.1", server.address.port(), Tls::None), 2)).await;
    let tell = |notice: Notice| {
        let store = store.clone();
        tokio::task::spawn_blocking(move || enqueue(&store, notice))
    };
    tell(notice(1, 1, Change::Opened)).await.unwrap();
    send_all(&sender).await;
    tell(notice(1, 2, Change::Cleared)).await.unwrap();
    send_all(&sender).await;
    let mails = server.mails();
    assert_eq!(mails.len(), 4, "two persons, beginning and end");
    for name in ["p0@example.org", "p1@example.org"] {
        let own: Vec<&String> = mails.iter().filter(|mail| header(mail, "To").unwrap().contains(name)).collect();
        assert_eq!(own.len(), 2);
        assert_eq!(header(own[0], "In-Reply-To"), None);
        assert_eq!(header(own[1], "In-Reply-To"), header(own[0], "Message-ID"));
        assert_eq!(header(own[1], "References"), header(own[0], "Message-ID"));
        assert!(own[0].contains("Content-Type: image/png") && own[0].contains("multipart/alternative"));
    }
    let subjects: Vec<String> = mails.iter().take(2).map(|mail| header(mail, "Subject").unwrap()).collect();
    assert!(subjects.iter().any(|subject| subject.starts_with("[Major] New: sw-a3 Gi0/17")), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.contains("=?utf-8?")), "{subjects:?}");
    assert_eq!(states(&store), BTreeMap::from([("sent".to_owned(), 4)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_after_the_end_of_the_mail_is_uncertain_and_the_repeat_says_so() {
    let hang_up: Hook = Box::new(|step, count| if (step, count) == (Step::Received, 1) { Act::HangUp } else { Act::On });
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start(hang_up));
    let store = open(dir.path());
    let (sender, _judged) = sender(&store, setup(mail_settings("127.0.0.1", server.address.port(), Tls::None), 1)).await;
    tokio::task::block_in_place(|| enqueue(&store, notice(1, 1, Change::Opened)));
    send_all(&sender).await;
    assert_eq!(states(&store), BTreeMap::from([("uncertain".to_owned(), 1)]));
    tokio::task::block_in_place(|| hurry(&store));
    send_all(&sender).await;
    let mails = server.mails();
    assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
    assert_eq!((header(&mails[0], "X-Netroom-Repeat"), header(&mails[1], "X-Netroom-Repeat").as_deref()), (None, Some("possible")));
    assert_eq!(states(&store), BTreeMap::from([("sent".to_owned(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_apart() {
    for (step, said, state) in [
        (Step::Recipient, "450 later", "deferred"),
        (Step::Recipient, "550 no such user", "failed"),
        (Step::Recipient, "554 relay access denied", "deferred"),
        (Step::Received, "451 disk full", "deferred"),
        (Step::Received, "554 this is spam", "failed"),
    ] {
        let refuse: Hook = Box::new(move |at, _| if at == step { Act::Say(said) } else { Act::On });
        let (dir, server) = (tempfile::tempdir().unwrap(), Server::start(refuse));
        let store = open(dir.path());
        let (sender, _judged) = sender(&store, setup(mail_settings("127.0.0.1", server.address.port(), Tls::None), 1)).await;
        tokio::task::block_in_place(|| enqueue(&store, notice(1, 1, Change::Opened)));
        send_all(&sender).await;
        assert_eq!(states(&store), BTreeMap::from([(state.to_owned(), 1)]), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_down_gets_all_of_it_in_one_mail_when_it_is_back() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start(on()));
    let store = open(dir.path());
    // Nobody listens on a port that was just given back.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (sender, _judged) = sender(&store, setup(mail_settings("127.0.0.1", dead, Tls::None), 1)).await;
    for event in 1..=20 {
        tokio::task::block_in_place(|| enqueue(&store, notice(event, event, Change::Opened)));
        send_all(&sender).await;
    }
    assert_eq!(states(&store), BTreeMap::from([("deferred".to_owned(), 1)]));
    sender.reload(setup(mail_settings("127.0.0.1", server.address.port(), Tls::None), 1));
    tokio::task::block_in_place(|| hurry(&store));
    send_all(&sender).await;
    let mails = server.mails();
    assert_eq!((mails.len(), states(&store)), (1, BTreeMap::from([("sent".to_owned(), 1)])));
    assert!(header(&mails[0], "X-Netroom-Repeat").is_none(), "what never went past the point of no return needs no mark");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_keeps_the_notice_out_with_its_change_and_the_mail_in() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start(on()));
    let store = open(dir.path());
    let (sender, _judged) = sender(&store, setup(mail_settings("127.0.0.1", server.address.port(), Tls::None), 1)).await;
    let limit = |pages: i64| {
        let store = store.clone();
        let set = move |tx: &rusqlite::Connection| tx.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0));
        tokio::task::block_in_place(|| store.write_blocking(set).unwrap())
    };
    let pages = limit(1);
    let mut large = notice(1, 1, Change::Opened);
    large.comment = Some("x".repeat(100_000));
    let tried = large.clone();
    let refused = store.write(move |tx| Outbox::default().enqueue(tx, &tried)).await.unwrap_err();
    assert!(refused.is_full(), "{refused}");
    send_all(&sender).await;
    assert!(server.mails().is_empty());
    limit(pages + 1_000);
    tokio::task::block_in_place(|| enqueue(&store, large));
    send_all(&sender).await;
    assert_eq!(server.mails().len(), 1);
}

/// The process that is killed: runs only when the test below starts it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_process() {
    let Ok(given) = std::env::var("NETROOM_TEST_OUTBOX") else { return };
    let (port, dir) = given.split_once(' ').unwrap();
    let store = open(Path::new(dir));
    let (sender, _judged) = sender(&store, setup(mail_settings("127.0.0.1", port.parse().unwrap(), Tls::None), PEOPLE)).await;
    let token = CancellationToken::new();
    tokio::join!(sender.plan(token.clone()), sender.mail(token));
}

#[expect(clippy::disallowed_methods, reason = "a process that can be killed must be one of its own")]
fn spawn(port: u16, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outbox::killed_process", "--nocapture"])
        .env("NETROOM_TEST_OUTBOX", format!("{port} {}", dir.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// kill -9 at each kind of moment: nothing is lost, and whatever comes twice bears its mark.
#[test]
fn a_sender_that_is_killed_loses_nothing_and_repeats_nothing_unmarked() {
    let dir = tempfile::tempdir().unwrap();
    let child: Arc<Mutex<Option<Child>>> = Arc::default();
    let victim = Arc::clone(&child);
    // Each moment once, at different mails.
    let mut moments = vec![(Step::Received, 2), (Step::Recipient, 4), (Step::Answered, 5), (Step::Received, 6), (Step::Recipient, 9)];
    let (died, deaths) = std::sync::mpsc::sync_channel(16);
    let hook: Hook = Box::new(move |step, count| {
        let Some(place) = moments.iter().position(|moment| *moment == (step, count)) else { return Act::On };
        moments.remove(place);
        let mut dying = victim.lock().unwrap().take().unwrap();
        dying.kill().unwrap();
        dying.wait().unwrap();
        died.send(()).unwrap();
        Act::HangUp
    });
    let server = Server::start(hook);
    enqueue(&open(dir.path()), notice(1, 1, Change::Opened));
    for _ in 0..5 {
        *child.lock().unwrap() = Some(spawn(server.address.port(), dir.path()));
        deaths.recv_timeout(Duration::from_secs(120)).expect("the sender did not come to the moment at which it is killed");
        let store = open(dir.path());
        store.write_blocking(|tx| store::restart(tx, clock::wall(), GIVE_UP)).unwrap();
        hurry(&store);
    }
    let mut last = spawn(server.address.port(), dir.path());
    let all: std::collections::BTreeSet<String> = (0..PEOPLE).map(|n| format!("p{n}@example.org")).collect();
    let whole = |mails: &[String]| {
        let to = |mail: &String| all.iter().find(|address| header(mail, "To").unwrap().contains(address.as_str())).unwrap().clone();
        mails.iter().map(to).collect::<std::collections::BTreeSet<_>>() == all
    };
    let mut count = PEOPLE;
    while !whole(&server.wait(count)) {
        count += 1;
    }
    // All have it; the last is recorded when the outbox says so.
    let reader = open(dir.path());
    while states(&reader).keys().any(|state| State::from_word(state).unwrap().is_open()) {
        std::thread::yield_now();
    }
    last.kill().unwrap();
    last.wait().unwrap();
    let mails = server.mails();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for mail in &mails {
        let times = seen.entry(header(mail, "Message-ID").unwrap()).or_default();
        *times += 1;
        assert!(*times == 1 || header(mail, "X-Netroom-Repeat").is_some(), "sent again without its mark:\n{mail}");
    }
    let repeated = seen.values().filter(|times| **times > 1).count();
    assert_eq!(seen.len(), PEOPLE, "one Message-ID for each person");
    assert!((2..=3).contains(&repeated), "killed before the answer twice and after it once: {repeated} repeated");
    assert_eq!(states(&reader), BTreeMap::from([("sent".to_owned(), PEOPLE as i64)]));
}
