//! Cases through faults of every kind, over a switch of a few ports that can lie, fall silent, restart, and take the program
//! down with it at any step.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use super::*;
use crate::block::gate::{Permit, Place, Rail};
use crate::block::shield::Suspect;
use crate::block::work::{Deed, Told, Work};
use crate::block::{Observation, Order, Spot, Wish};
use crate::config::block::{BlockSettings, Mode};
use crate::model::{Finding, IfIndex, Severity, Verdict};

const START: Timestamp = Timestamp::from_secs(1_795_363_200);

#[derive(Default)]
struct State {
    now: Timestamp,
    /// ifAdminStatus by port.
    ports: BTreeMap<u32, u8>,
    /// Which machine sits where.
    seats: BTreeMap<MacAddr, u32>,
    uptime: u32,
    lies: bool,
    silent: bool,
    protected: Vec<Rail>,
    moved: bool,
    sets: Vec<(u32, u8)>,
    raised: Vec<Arc<str>>,
    /// The effect before which the program dies, counted down.
    fuse: Option<u32>,
}

struct Switch {
    state: Mutex<State>,
    settings: Mutex<Arc<BlockSettings>>,
    died: Notify,
}

impl Switch {
    fn new(mode: Mode) -> Arc<Self> {
        let settings = BlockSettings { mode, share_percent: 100.0, ..BlockSettings::default() };
        let state = State { now: START, ports: (1..=30).map(|port| (port, 1)).collect(), uptime: 1000, ..State::default() };
        Arc::new(Self { state: Mutex::new(state), settings: Mutex::new(Arc::new(settings)), died: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn sits(&self, last: u8, port: u32) -> MacAddr {
        self.state().seats.insert(mac(last), port);
        mac(last)
    }

    /// One effect; the program may die before it.
    async fn effect(&self) {
        let dies = {
            let mut state = self.state();
            match &mut state.fuse {
                Some(0) => true,
                Some(left) => {
                    *left -= 1;
                    false
                }
                None => false,
            }
        };
        if dies {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn read(&self, port: u32) -> Result<Observation, String> {
        let state = self.state();
        if state.silent {
            return Err("no answer".into());
        }
        Ok(Observation {
            at: state.now,
            if_name: Some(format!("Gi0/{port}")),
            admin: state.ports.get(&port).copied(),
            uptime_ticks: Some(state.uptime),
            ..Observation::default()
        })
    }
}

fn mac(last: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, last])
}

fn port_of(order: &Order) -> u32 {
    order.spot().unwrap().if_index.0
}

impl World for Switch {
    fn settings(&self) -> Arc<BlockSettings> {
        Arc::clone(&self.settings.lock().unwrap())
    }

    async fn locate(&self, case: &Case) -> Located {
        self.effect().await;
        let state = self.state();
        let round = Duration::from_secs(300);
        let Some(port) = case.mac.and_then(|mac| state.seats.get(&mac).copied()) else { return Located { round, ..Located::default() } };
        let macs = state.seats.iter().filter(|(_, at)| **at == port).map(|(mac, _)| *mac).collect();
        let name: Arc<str> = format!("Gi0/{port}").into();
        Located {
            suspect: Suspect { mac: case.mac, ..Suspect::default() },
            spot: Some(Spot { device: "sw".into(), if_name: Arc::clone(&name), if_index: IfIndex(port) }),
            place: Some(Place {
                seen: state.now,
                asked: (!state.silent).then_some((state.now, true)),
                told_name: Some(name.to_string()),
                macs,
                ..Place::default()
            }),
            ports: 48,
            round,
            ..Located::default()
        }
    }

    async fn port(&self, _: &str, port: &str) -> Located {
        let state = self.state();
        let Some(number) = port.strip_prefix("Gi0/").and_then(|port| port.parse().ok()) else { return Located::default() };
        let (now, told_name) = (state.now, Some(port.to_owned()));
        let asked = (!state.silent).then_some((now, false));
        Located {
            spot: Some(Spot { device: "sw".into(), if_name: port.into(), if_index: IfIndex(number) }),
            place: Some(Place { seen: now, asked, told_name, ..Place::default() }),
            ..Located::default()
        }
    }

    fn has_moved(&self, case: &Case) -> bool {
        let state = self.state();
        let at = case.mac.and_then(|mac| state.seats.get(&mac).copied());
        state.moved && at.is_some() && at != case.order.as_ref().map(port_of)
    }

    fn protected(&self, _: &Suspect, _: Timestamp) -> Vec<Rail> {
        self.state().protected.clone()
    }

    fn frozen(&self, _: &Located, _: Timestamp) -> Option<Rail> {
        None
    }

    async fn observe(&self, order: &Order) -> Result<Observation, String> {
        self.effect().await;
        self.read(port_of(order))
    }

    async fn apply(&self, permit: Permit) -> Result<Done, String> {
        self.effect().await;
        assert!(permit.is_valid(self.now()));
        let Order::PortAdmin { spot, up } = permit.order() else { panic!("not of this switch") };
        let port = spot.if_index.0;
        let before = self.read(port)?;
        {
            let mut state = self.state();
            let to = if *up { 1 } else { 2 };
            state.sets.push((port, to));
            if !state.lies {
                state.ports.insert(port, to);
            }
        }
        self.effect().await;
        Ok(Done { before, after: self.read(port)? })
    }

    fn varbinds(&self, order: &Order, _: Option<&Observation>) -> Vec<String> {
        vec![format!("ifAdminStatus.{}", port_of(order))]
    }

    async fn tell(&self, finding: Finding) {
        self.effect().await;
        if matches!(finding.verdict, Verdict::Raised(severity) if severity >= Severity::Info) {
            self.state().raised.push(finding.rule);
        }
    }

    fn now(&self) -> Timestamp {
        self.state().now
    }
}

/// A desk over a switch.
struct Lab {
    _dir: tempfile::TempDir,
    store: Store,
    switch: Arc<Switch>,
    desk: Desk<Switch>,
}

impl Lab {
    async fn new(mode: Mode) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("netroom.db")).unwrap();
        let switch = Switch::new(mode);
        let desk = Desk::open(store.clone(), Arc::clone(&switch), Arc::default()).await.unwrap();
        Self { _dir: dir, store, switch, desk }
    }

    async fn accuse(&mut self, mac: MacAddr) {
        let accusation = accusation(mac, self.switch.now());
        self.desk.accused(accusation).await.unwrap();
        self.desk.look().await.unwrap();
    }

    async fn pass(&mut self, span: Duration) {
        let now = self.switch.now() + span;
        self.switch.state().now = now;
        self.desk.look().await.unwrap();
    }

    async fn wish(&mut self, person: &str, wish: Wish) -> String {
        let (now, path) = (self.switch.now(), Path::Page(person.into()));
        let id = self.store.write(move |file| store::wish(file, now, &path, &wish)).await.unwrap();
        self.desk.look().await.unwrap();
        let answer = store::read(&self.store, move |file| store::answer(file, id)).await.unwrap().unwrap();
        Told::of(&answer).map_or(answer, |told| told.to_string())
    }

    async fn case(&self, id: i64) -> Case {
        store::read(&self.store, move |file| store::case(file, CaseId(id))).await.unwrap().unwrap()
    }

    async fn phase(&self, id: i64) -> Phase {
        self.case(id).await.phase
    }

    fn port(&self, port: u32) -> u8 {
        self.switch.state().ports[&port]
    }

    /// What the journal says of a case.
    async fn story(&self, id: i64) -> Vec<String> {
        let subject = format!("block:B{id}");
        let read = move |file: &rusqlite::Connection| {
            let mut query = file.prepare("SELECT action FROM journal_event WHERE subject = ?1 ORDER BY seq")?;
            query.query_map([subject], |row| row.get(0))?.collect()
        };
        store::read(&self.store, read).await.unwrap()
    }
}

fn accusation(mac: MacAddr, first: Timestamp) -> Accusation {
    Accusation {
        mac: Some(mac),
        ip: None,
        rule: "tcp-scan".into(),
        evidence: Evidence::new(),
        first,
        last: first + Duration::from_millis(1),
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn from_the_accusation_to_the_release() {
    let mut lab = Lab::new(Mode::Auto).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    let case = lab.case(1).await;
    assert_eq!((case.phase, lab.port(3), case.until), (Phase::Blocked, 2, Some(START + HOUR)));
    assert_eq!(case.before.unwrap().admin, Some(1));
    lab.accuse(machine).await;
    assert_eq!(lab.switch.state().sets.len(), 1, "one case a machine");
    lab.pass(HOUR).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Released, 1));
    lab.accuse(machine).await;
    assert_eq!((lab.phase(2).await, lab.case(2).await.rails), (Phase::Waiting, vec![Rail::Grace]), "left alone after a release");
    assert_eq!(lab.wish("li", Wish::Approve { case: CaseId(2) }).await, "case B2 is blocked");
    assert_eq!(lab.case(2).await.until, Some(START + HOUR * 3), "twice as long");
    assert_eq!(lab.story(1).await, ["block.opened", "block.wanted", "block.blocked", "block.releasing", "block.released"]);
}

#[tokio::test]
async fn nothing_is_set_until_a_mode_is_turned_on() {
    let mut lab = Lab::new(Mode::Observe).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    let case = lab.case(1).await;
    assert_eq!((case.phase, case.varbinds, case.rails), (Phase::Observed, vec!["ifAdminStatus.3".to_owned()], vec![]));
    lab.accuse(mac(7)).await;
    assert_eq!((lab.phase(2).await, lab.case(2).await.rails), (Phase::Observed, vec![Rail::Nowhere]), "what stands in the way is told");
    lab.wish("li", Wish::Approve { case: CaseId(1) }).await;
    lab.wish("li", Wish::Request { mac: Some(mac(9)), ip: None, reason: "virus".into() }).await;
    for _ in 0..90 {
        lab.pass(MINUTE).await;
    }
    assert!(lab.switch.state().sets.is_empty());
    assert_eq!(lab.phase(1).await, Phase::Closed);
}

#[tokio::test]
async fn two_persons_where_two_are_needed() {
    let mut lab = Lab::new(Mode::Approve).await;
    let two = BlockSettings { persons: 2, ..BlockSettings::clone(&lab.switch.settings()) };
    *lab.switch.settings.lock().unwrap() = Arc::new(two);
    let machine = lab.switch.sits(9, 3);
    lab.wish("zhao", Wish::Request { mac: Some(machine), ip: None, reason: "it mails viruses".into() }).await;
    let approve = || Wish::Approve { case: CaseId(1) };
    assert!(lab.wish("zhao", approve()).await.contains("proposed by zhao"), "who asks is none of the two");
    assert_eq!(lab.wish("li", approve()).await, "case B1 is waiting");
    assert_eq!(lab.wish("li", approve()).await, "case B1 is waiting");
    assert_eq!(lab.port(3), 1);
    assert_eq!(lab.wish("wang", approve()).await, "case B1 is blocked");
    assert_eq!(lab.wish("li", Wish::Release { case: CaseId(1), reason: "clean".into() }).await, "case B1 is released");
    assert_eq!(lab.port(3), 1);
    let told =
        "SELECT json FROM journal_payload p JOIN journal_event e ON e.seq = p.seq WHERE e.action = 'block.wanted_back' AND e.actor = 'li'";
    let why: String = store::read(&lab.store, move |file| file.query_row(told, [], |row| row.get(0))).await.unwrap();
    assert!(why.contains("clean"), "{why}");
}

#[tokio::test]
async fn a_rail_that_refuses_is_not_bridged_by_a_person() {
    let mut lab = Lab::new(Mode::Auto).await;
    let line = Rail::Protected { line: "netroom.toml:7".into(), reason: "printer".into(), owner: "li".into() };
    lab.switch.state().protected = vec![line.clone()];
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    assert_eq!((lab.phase(1).await, lab.case(1).await.rails), (Phase::Refused, vec![line]));
    lab.wish("li", Wish::Approve { case: CaseId(1) }).await;
    lab.pass(MINUTE).await;
    assert!(lab.switch.state().sets.is_empty());
}

#[tokio::test]
async fn a_yes_outlives_a_moment_of_not_knowing_but_is_for_one_place() {
    let mut lab = Lab::new(Mode::Approve).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    lab.switch.state().seats.clear();
    assert_eq!(lab.wish("li", Wish::Approve { case: CaseId(1) }).await, "case B1 is refused");
    lab.switch.sits(9, 3);
    lab.pass(SOON).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Blocked, 2));

    let other = lab.switch.sits(8, 4);
    lab.accuse(other).await;
    lab.switch.state().seats.remove(&other);
    lab.wish("li", Wish::Approve { case: CaseId(2) }).await;
    lab.switch.sits(8, 5);
    lab.pass(SOON).await;
    assert_eq!((lab.phase(2).await, lab.port(4), lab.port(5)), (Phase::Waiting, 1, 1), "the yes was for port 4");
}

#[tokio::test]
async fn what_was_seen_before_the_end_of_a_case_opens_no_other() {
    let mut lab = Lab::new(Mode::Auto).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    let old = accusation(machine, lab.switch.now());
    lab.pass(MINUTE).await;
    lab.wish("li", Wish::Release { case: CaseId(1), reason: "clean".into() }).await;
    lab.desk.accused(old).await.unwrap();
    assert_eq!(lab.desk.cases.len(), 1, "the evidence is that of the case before");

    let spared = lab.switch.sits(8, 4);
    *lab.switch.settings.lock().unwrap() = Arc::new(BlockSettings { mode: Mode::Approve, ..BlockSettings::clone(&lab.switch.settings()) });
    lab.accuse(spared).await;
    lab.wish("li", Wish::Decline { case: CaseId(2), reason: "a scanner of ours".into() }).await;
    lab.pass(MINUTE).await;
    lab.accuse(spared).await;
    assert_eq!(store::read(&lab.store, store::next_id).await.unwrap(), CaseId(3), "a person has just said no");
    lab.pass(HOUR).await;
    lab.accuse(spared).await;
    assert_eq!(lab.phase(3).await, Phase::Waiting);
}

fn work(port: u32, deed: Deed, reason: &str) -> Wish {
    Wish::Work(Work { device: "sw".into(), port: format!("Gi0/{port}").into(), deed, reason: reason.into() })
}

#[tokio::test]
async fn work_on_a_port_goes_through_the_gate_and_into_the_journal() {
    let mut lab = Lab::new(Mode::Approve).await;
    assert_eq!(lab.wish("li", work(3, Deed::Down, "unused")).await, "sw Gi0/3 down is done");
    assert_eq!(lab.wish("li", work(3, Deed::Bounce, "hangs")).await, "sw Gi0/3 bounce is done");
    let sets = lab.switch.state().sets.clone();
    assert_eq!((sets.first(), sets.last(), lab.port(3)), (Some(&(3, 2)), Some(&(3, 1)), 1));
    let told = "SELECT json FROM journal_payload p JOIN journal_event e ON e.seq = p.seq WHERE e.action = 'port.done' AND e.actor = 'li'";
    let first: String = store::read(&lab.store, move |file| file.query_row(told, [], |row| row.get(0))).await.unwrap();
    assert!(first.contains("unused") && first.contains("\"admin\":1") && first.contains("\"admin\":2"), "{first}");

    for (wish, why) in [
        (work(3, Deed::Down, " "), "a reason has to be given"),
        (work(3, Deed::Alias { alias: "x".repeat(65) }, "long"), "64 octets"),
        (Wish::Work(Work { device: "sw".into(), port: "Eth9".into(), deed: Deed::Up, reason: "x".into() }), "no such port"),
    ] {
        let said = lab.wish("li", wish).await;
        assert!(said.contains("is not done") && said.contains(why), "{said}");
    }
    let line = Rail::Protected { line: "netroom.toml:7".into(), reason: "uplink".into(), owner: "li".into() };
    lab.switch.state().protected = vec![line];
    assert!(lab.wish("li", work(4, Deed::Down, "x")).await.contains("protected by netroom.toml:7"));
    lab.switch.state().protected.clear();
    lab.switch.state().lies = true;
    assert!(lab.wish("li", work(4, Deed::Down, "x")).await.contains("did not make it"));
    assert_eq!(lab.port(4), 1);
}

#[tokio::test]
async fn nobody_works_on_a_port_that_is_blocked_nor_while_modes_are_off() {
    let mut lab = Lab::new(Mode::Auto).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    let said = lab.wish("li", work(3, Deed::Up, "he wants to work")).await;
    assert!(said.contains("release it instead") && lab.port(3) == 2, "{said}");
    let mut observing = Lab::new(Mode::Observe).await;
    let said = observing.wish("li", work(5, Deed::Down, "unused")).await;
    assert!(said.contains("the mode is observe; it would set ifAdminStatus.5"), "{said}");
    assert!(observing.switch.state().sets.is_empty());
}

#[tokio::test]
async fn a_lying_switch_is_told_at_once_and_nothing_is_held() {
    let mut lab = Lab::new(Mode::Auto).await;
    lab.switch.state().lies = true;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    assert_eq!((lab.phase(1).await, lab.desk.holds.all().count()), (Phase::Failed, 0));
    assert!(lab.switch.state().raised.contains(&"block-failed".into()));
    lab.pass(MINUTE * 5).await;
    assert_eq!(lab.switch.state().sets.len(), 1, "it is not tried again without a person");
}

#[tokio::test]
async fn twenty_in_a_minute_open_the_breaker() {
    let mut lab = Lab::new(Mode::Auto).await;
    for last in 1..=20 {
        let machine = lab.switch.sits(last, last.into());
        lab.accuse(machine).await;
        lab.pass(Duration::from_secs(3)).await;
    }
    assert_eq!(lab.switch.state().sets.len(), 3);
    assert_eq!(lab.switch.state().raised.iter().filter(|rule| ***rule == *"block-breaker").count(), 1);
    assert_eq!(lab.phase(20).await, Phase::Waiting);
    lab.wish("li", Wish::Reset { reason: "seen".into() }).await;
    lab.pass(HOUR).await;
}

#[tokio::test]
async fn a_hand_is_not_overruled_but_a_restart_is() {
    let mut lab = Lab::new(Mode::Auto).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    lab.switch.state().ports.insert(3, 1);
    lab.pass(MINUTE).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Drifted, 1));
    assert!(lab.switch.state().raised.contains(&"block-drift".into()));
    lab.pass(MINUTE * 5).await;
    assert_eq!(lab.port(3), 1, "what a person has made is left");
    assert_eq!(lab.wish("li", Wish::Approve { case: CaseId(1) }).await, "case B1 is blocked");
    lab.switch.state().uptime = 7;
    lab.switch.state().ports.insert(3, 1);
    lab.pass(MINUTE).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Blocked, 2), "a restart is nobody's will");
    lab.switch.state().ports.insert(3, 1);
    lab.switch.state().uptime = 8;
    lab.pass(HOUR).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Released, 1));
}

#[tokio::test]
async fn two_machines_on_a_port_do_not_free_each_other() {
    let mut lab = Lab::new(Mode::Auto).await;
    let (one, other) = (lab.switch.sits(1, 3), lab.switch.sits(2, 3));
    lab.accuse(one).await;
    lab.accuse(other).await;
    assert_eq!((lab.phase(2).await, lab.switch.state().sets.len()), (Phase::Blocked, 1));
    lab.wish("li", Wish::Release { case: CaseId(1), reason: "clean".into() }).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Released, 2));
    lab.wish("li", Wish::Release { case: CaseId(2), reason: "clean".into() }).await;
    assert_eq!((lab.phase(2).await, lab.port(3)), (Phase::Released, 1));
}

#[tokio::test]
async fn the_old_place_is_freed_only_when_the_new_one_is_cut() {
    let mut lab = Lab::new(Mode::Auto).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    lab.switch.sits(9, 5);
    {
        let mut state = lab.switch.state();
        (state.moved, state.lies) = (true, true);
    }
    lab.pass(MINUTE).await;
    lab.pass(Duration::from_secs(1)).await;
    assert_eq!((lab.phase(2).await, lab.phase(1).await, lab.port(3), lab.port(5)), (Phase::Failed, Phase::Blocked, 2, 1));
    lab.switch.state().lies = false;
    lab.wish("li", Wish::Approve { case: CaseId(2) }).await;
    assert_eq!((lab.phase(2).await, lab.phase(1).await, lab.port(3), lab.port(5)), (Phase::Blocked, Phase::Released, 1, 2));
}

#[tokio::test]
async fn a_switch_that_falls_silent_frees_nobody_silently() {
    let mut lab = Lab::new(Mode::Auto).await;
    let machine = lab.switch.sits(9, 3);
    lab.accuse(machine).await;
    lab.switch.state().silent = true;
    lab.pass(HOUR).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Releasing, 2));
    assert!(lab.switch.state().raised.contains(&"block-release-failed".into()));
    lab.switch.state().silent = false;
    lab.pass(MINUTE).await;
    assert_eq!((lab.phase(1).await, lab.port(3)), (Phase::Released, 1));
}

/// The program is killed before each effect in turn, during the block and during the release, and started again.
#[tokio::test]
async fn killed_at_any_step_the_end_is_the_same() {
    let mut deaths = 0;
    for fuse in 0..80 {
        let mut lab = Lab::new(Mode::Auto).await;
        let machine = lab.switch.sits(9, 3);
        lab.desk.accused(accusation(machine, START)).await.unwrap();
        lab.switch.state().fuse = Some(fuse);
        let mut has_died = false;
        for (span, phase, admin) in [(Duration::ZERO, Phase::Blocked, 2), (HOUR, Phase::Released, 1)] {
            let now = lab.switch.now() + span;
            lab.switch.state().now = now;
            let died = tokio::select! {
                biased;
                looked = lab.desk.look() => { looked.unwrap(); false }
                () = lab.switch.died.notified() => true,
            };
            if died {
                (has_died, deaths) = (true, deaths + 1);
                lab.switch.state().fuse = None;
                lab.desk = Desk::open(lab.store.clone(), Arc::clone(&lab.switch), Arc::default()).await.unwrap();
                lab.desk.look().await.unwrap();
                lab.pass(Duration::from_secs(1)).await;
            }
            assert_eq!((lab.phase(1).await, lab.port(3)), (phase, admin), "killed before effect {fuse}");
            assert_eq!(lab.desk.holds.all().count(), usize::from(admin == 2), "killed before effect {fuse}");
        }
        let story = lab.story(1).await;
        let told = ["block.opened", "block.wanted", "block.blocked", "block.released"];
        assert!(told.iter().all(|action| story.iter().any(|told| told == action)), "killed before effect {fuse}: {story:?}");
        if !has_died {
            break;
        }
    }
    assert!(deaths > 15, "{deaths} deaths");
}
