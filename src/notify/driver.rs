//! The loops that plan and send. Two lanes, so that a webhook that hangs never holds up a mail; a channel that cannot be
//! reached rests for a while, so that a thousand mails do not each wait for the same dead server.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::delivery::{Event, Refusal, State};
use super::http::{Told, tell};
use super::letter::{Letter, Reader};
use super::mail::{self, Head, PICTURE};
use super::outbox::Outbox;
use super::roster::People;
use super::route::{Office, Target};
use super::smtp::{Handed, Session};
use super::store::{self, Kind, Parcel};
use super::templates::Templates;
use super::{hook, watch};
use crate::config::notify::{HookKind, MAIL, MailSettings, NotifySettings, WebhookSettings};
use crate::i18n::Lang;
use crate::model::{Finding, Subject, Timestamp, clock};
use crate::store::{Store, StoreError};

/// How often lanes look for what is due.
const TICK: Duration = Duration::from_millis(500);
/// Mails handed over on one connection at most.
const BATCH: usize = 50;
/// A channel that cannot be reached rests from the first to the last of these.
const RESTS: [Duration; 4] = [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30), Duration::from_secs(60)];

/// The graph beside an alarm. The daemon draws it from the series.
pub trait Pictures: Send + Sync {
    /// The traffic of a port on the day up to `at`, as PNG; `None` for what has none. May block on the disk.
    fn draw(&self, subject: &Subject, lang: Lang, at: Timestamp) -> Option<Vec<u8>>;
}

/// What the daily mail tells. The daemon counts it.
pub trait Proof: Send + Sync {
    /// `{"devices": 12, "ports": 500, "hosts": 30, "incidents": 1}`, each where it is known.
    fn counts(&self) -> serde_json::Value;
    /// The journal's head in words: its number and hash.
    fn head(&self, file: &Connection) -> rusqlite::Result<String>;
}

/// What the sender runs by; a reload puts another in its place.
pub struct Setup {
    /// The rules.
    pub settings: Arc<NotifySettings>,
    /// The people.
    pub people: Arc<dyn People>,
    /// The office's zone.
    pub zone: TimeZone,
    /// The language of webhooks.
    pub lang: Lang,
    /// The templates.
    pub templates: Templates,
}

impl Setup {
    fn office(&self) -> Office<'_> {
        Office { settings: &self.settings, people: &*self.people, zone: &self.zone }
    }
}

/// What was sent since the start, by channel and how it ended.
pub type Sent = BTreeMap<(String, &'static str), u64>;

/// What waits in the outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// Messages that are not sent yet, those that are not due too.
    pub queued: u64,
    /// When the oldest of those that are due should have been sent.
    pub oldest: Option<Timestamp>,
}

/// What is to be recorded once the disk takes it: delivery, event, what the other side said.
type Unrecorded = Vec<(i64, Event, String)>;

/// Plans and sends.
pub struct Sender {
    pub(super) store: Store,
    pub(super) outbox: Outbox,
    pub(super) setup: ArcSwap<Setup>,
    pub(super) findings: mpsc::Sender<Finding>,
    pub(super) proof: Arc<dyn Proof>,
    pictures: Arc<dyn Pictures>,
    sent: Mutex<Sent>,
    pub(super) waiting: Mutex<Waiting>,
    unrecorded: Mutex<Unrecorded>,
    rests: Mutex<HashMap<String, (usize, Timestamp)>>,
}

/// What the sender is wired to.
pub struct Wiring {
    /// The database.
    pub store: Store,
    /// What wakes the sender.
    pub outbox: Outbox,
    /// Where findings of its own go: nobody on duty, mail not delivered, the drill.
    pub findings: mpsc::Sender<Finding>,
    /// The graphs.
    pub pictures: Arc<dyn Pictures>,
    /// The daily mail.
    pub proof: Arc<dyn Proof>,
}

impl Sender {
    /// Takes the outbox over: what was on its way when the program ended is marked as uncertain.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn new(wiring: Wiring, setup: Setup) -> Result<Self, StoreError> {
        let (now, give_up) = (clock::wall(), setup.settings.give_up);
        let uncertain = wiring.store.write(move |tx| store::restart(tx, now, give_up)).await?;
        if uncertain > 0 {
            tracing::warn!(uncertain, "{uncertain} messages were on their way when the program ended; they are sent again with a mark");
        }
        Ok(Self {
            store: wiring.store,
            outbox: wiring.outbox,
            setup: ArcSwap::from_pointee(setup),
            findings: wiring.findings,
            pictures: wiring.pictures,
            proof: wiring.proof,
            sent: Mutex::default(),
            waiting: Mutex::default(),
            unrecorded: Mutex::default(),
            rests: Mutex::default(),
        })
    }

    /// Another setup from now on.
    pub fn reload(&self, setup: Setup) {
        self.setup.store(Arc::new(setup));
        self.wake_channels();
        self.outbox.wake();
    }

    /// Channels that rest are tried again at once.
    pub(super) fn wake_channels(&self) {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What was sent since the start.
    pub fn sent(&self) -> Sent {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What waits, as of the last look, seconds ago.
    pub fn waiting(&self) -> Waiting {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans notices as they come and rungs as they are due, until cancelled.
    pub async fn plan(&self, token: CancellationToken) {
        while !token.is_cancelled() {
            if let Err(error) = self.plan_once(clock::wall()).await {
                tracing::error!(%error, "notices cannot be planned, which is tried again: {error}");
            }
            tokio::select! {
                () = token.cancelled() => {}
                () = self.outbox.woken() => {}
                () = tokio::time::sleep(TICK * 2) => {}
            }
        }
    }

    /// Plans everything that waits.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn plan_once(&self, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let setup = self.setup.load_full();
            if !self.store.write(move |tx| store::plan(tx, setup.office(), now)).await? {
                return Ok(());
            }
        }
    }

    /// Looks after what is due by the clock: the daily mail, the drill, late mail, duty. Until cancelled.
    pub async fn watch(&self, token: CancellationToken) {
        watch::run(self, token).await;
    }

    /// Sends mails as they are due, until cancelled.
    pub async fn mail(&self, token: CancellationToken) {
        self.lane(true, token).await;
    }

    /// Calls webhooks as they are due, until cancelled.
    pub async fn hooks(&self, token: CancellationToken) {
        self.lane(false, token).await;
    }

    async fn lane(&self, is_mail: bool, token: CancellationToken) {
        while !token.is_cancelled() {
            if let Err(error) = self.send_due(is_mail, &token).await {
                tracing::error!(%error, "the outbox cannot be written, which is tried again: {error}");
            }
            // Ended early by the stop, else the next look is due: nothing to do in both cases.
            let _ = tokio::time::timeout(TICK, token.cancelled()).await;
        }
    }

    /// Sends what is due now in one lane.
    ///
    /// # Errors
    /// When the database cannot be written; what was handed over by then is recorded later, and is not sent again.
    pub async fn send_due(&self, is_mail: bool, token: &CancellationToken) -> Result<(), StoreError> {
        self.record_late().await?;
        let now = clock::wall();
        let due = self.store.write(move |tx| store::due(tx, is_mail, now, BATCH)).await?;
        let due: Vec<(i64, String)> = due.into_iter().filter(|(_, channel)| !self.rests(channel, now)).collect();
        if is_mail {
            return self.send_mails(due.into_iter().map(|(id, _)| id).collect(), token).await;
        }
        // Each webhook by itself: one that hangs does not hold up the others.
        let mut channels: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (id, channel) in due {
            channels.entry(channel).or_default().push(id);
        }
        let calls = channels.into_iter().map(|(channel, ids)| self.send_calls(channel, ids, token));
        futures_util::future::join_all(calls).await.into_iter().collect()
    }

    async fn take(&self, id: i64, setup: &Arc<Setup>) -> Result<Option<Parcel>, StoreError> {
        let domain = setup.settings.mail.as_ref().map_or("netroom.invalid", mail::domain);
        let now = clock::wall();
        let new_id = format!("{id}.{}.{}@{domain}", now.millis(), nonce());
        let people = Arc::clone(&setup.people);
        self.store.write(move |tx| store::take(tx, id, &*people, &new_id, now)).await
    }

    async fn send_mails(&self, due: Vec<i64>, token: &CancellationToken) -> Result<(), StoreError> {
        let setup = self.setup.load_full();
        let Some(settings) = setup.settings.mail.clone() else { return Ok(()) };
        let mut session: Option<Session> = None;
        for id in due {
            if token.is_cancelled() {
                break;
            }
            let Some(parcel) = self.take(id, &setup).await? else { continue };
            let ready = match self.write_mail(&setup, &settings, &parcel).await {
                Ok(ready) => ready,
                Err((refusal, why)) => {
                    self.happened(MAIL, id, Event::Refused(refusal), &why).await?;
                    continue;
                }
            };
            let mut open = match session.take() {
                Some(open) => open,
                None => match Session::open(&settings).await {
                    Ok(open) => open,
                    Err(error) => {
                        tracing::warn!(delivery = id, "{error}");
                        return self.happened(MAIL, id, Event::Refused(Refusal::Unreachable), &error.to_string()).await;
                    }
                },
            };
            let handed = open.deliver(&ready, || self.mark(id)).await;
            let (event, said, is_sound) = match handed {
                Handed::Accepted(said) => (Event::Accepted, said, true),
                Handed::Refused(refusal, error) => (Event::Refused(refusal), error.to_string(), false),
                Handed::Unanswered(said) => (Event::Unanswered, said, false),
                Handed::Unmarked => continue,
            };
            if is_sound {
                session = Some(open);
            } else {
                open.close().await;
            }
            self.happened(MAIL, id, event, &said).await?;
            if event == Event::Refused(Refusal::Unreachable) {
                break;
            }
        }
        if let Some(open) = session {
            open.close().await;
        }
        Ok(())
    }

    /// The mail of a parcel, or why there is none.
    async fn write_mail(&self, setup: &Arc<Setup>, settings: &MailSettings, parcel: &Parcel) -> Result<mail::Ready, (Refusal, String)> {
        let Some(person) = &parcel.person else {
            return Err(match &parcel.target {
                Target::Person(name) => (Refusal::Permanent, format!("there is no person \"{name}\" in the configuration any more")),
                _ => (Refusal::Temporary, "nobody is on duty, and nobody stands in: see [[duty]] and the roles of [[person]]".to_owned()),
            });
        };
        if person.email.is_none() {
            return Err((Refusal::Permanent, format!("\"{}\" has no `email` in the configuration", person.name)));
        }
        let picture = self.picture(parcel, person.language).await;
        let reader = Reader {
            lang: person.language,
            name: person.name.to_string(),
            zone: setup.zone.clone(),
            url: setup.settings.url.as_deref().map(str::to_owned),
            why: parcel.why.clone(),
            is_repeat: parcel.is_repeat,
            picture: picture.as_ref().map(|_| PICTURE.to_owned()),
        };
        let letter = Letter::mail(parcel, &reader, &setup.templates).map_err(|error| (Refusal::Temporary, error.to_string()))?;
        let head =
            Head { message_id: parcel.message_id.clone(), thread: parcel.thread.clone(), date: clock::wall(), is_repeat: parcel.is_repeat };
        mail::write(&letter, &head, picture, settings, person).map_err(|error| (Refusal::Permanent, error.to_string()))
    }

    /// The graph of the worst of what a parcel tells of and that has one, drawn on a blocking thread.
    async fn picture(&self, parcel: &Parcel, lang: Lang) -> Option<Vec<u8>> {
        let has_graph =
            |subject: &Subject| matches!(subject, Subject::Port(..) | Subject::Host(_) | Subject::Device(_) | Subject::Service(..));
        let worst = parcel.notices.iter().filter(|notice| has_graph(&notice.subject)).max_by_key(|notice| notice.severity)?;
        let (subject, at, pictures) = (worst.subject.clone(), worst.at, Arc::clone(&self.pictures));
        tokio::task::spawn_blocking(move || pictures.draw(&subject, lang, at)).await.ok().flatten()
    }

    async fn send_calls(&self, channel: String, ids: Vec<i64>, token: &CancellationToken) -> Result<(), StoreError> {
        let setup = self.setup.load_full();
        let found = setup.settings.webhooks.iter().find(|hook| *hook.name == *channel);
        for id in ids {
            let Some(hook) = found else {
                let why = format!("there is no webhook \"{channel}\" in the configuration any more");
                self.happened(&channel, id, Event::Refused(Refusal::Permanent), &why).await?;
                continue;
            };
            if token.is_cancelled() {
                break;
            }
            let Some(parcel) = self.take(id, &setup).await? else { continue };
            let call = match write_call(&setup, hook, &parcel) {
                Ok(call) => call,
                Err(why) => {
                    self.happened(&channel, id, Event::Refused(Refusal::Temporary), &why).await?;
                    continue;
                }
            };
            if !self.mark(id).await {
                return Ok(());
            }
            let (event, said) = match tell(hook, &call).await {
                Told::Accepted(said) => (Event::Accepted, said),
                Told::Refused(refusal, error) => (Event::Refused(refusal), error.to_string()),
                Told::Unanswered(said) => (Event::Unanswered, said),
            };
            self.happened(&channel, id, event, &said).await?;
            if event != Event::Accepted {
                break;
            }
        }
        Ok(())
    }

    /// Marks a delivery as on its way. False when the disk does not take the mark: then it must not go.
    async fn mark(&self, id: i64) -> bool {
        let (now, give_up) = (clock::wall(), self.setup.load().settings.give_up);
        let marked = self.store.write(move |tx| store::step(tx, id, Event::Passing, "", now, give_up)).await;
        match marked {
            Ok(state) => state == Some(State::Sending),
            Err(error) => {
                tracing::error!(delivery = id, %error, "a message is held back, for the disk does not take its mark: {error}");
                false
            }
        }
    }

    /// Records what became of a delivery, counts it, and lets the channel rest when nobody is there.
    async fn happened(&self, channel: &str, id: i64, event: Event, said: &str) -> Result<(), StoreError> {
        let result = match event {
            Event::Accepted => "sent",
            Event::Unanswered => "uncertain",
            Event::Refused(Refusal::Permanent) => "failed",
            _ => "deferred",
        };
        self.count(channel, result);
        match event {
            Event::Accepted => tracing::info!(delivery = id, channel, "message {id} was taken by {channel}: {said}"),
            _ => tracing::warn!(delivery = id, channel, result, "message {id} was not taken by {channel} ({result}): {said}"),
        }
        self.rest(channel, event);
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner).push((id, event, said.to_owned()));
        self.record_late().await
    }

    fn count(&self, channel: &str, result: &'static str) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        *sent.entry((channel.to_owned(), result)).or_default() += 1;
    }

    /// Writes what the disk has not taken yet. What was handed over stays on its way there until then, and is not sent again.
    async fn record_late(&self) -> Result<(), StoreError> {
        let waiting = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if waiting.is_empty() {
            return Ok(());
        }
        let (now, give_up, written) = (clock::wall(), self.setup.load().settings.give_up, waiting.clone());
        let write = move |tx: &Connection| {
            written.iter().try_for_each(|(id, event, said)| store::step(tx, *id, *event, said, now, give_up).map(drop))
        };
        self.store.write(write).await?;
        let mut unrecorded = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
        unrecorded.retain(|one| !waiting.contains(one));
        Ok(())
    }

    fn rests(&self, channel: &str, now: Timestamp) -> bool {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner).get(channel).is_some_and(|(_, until)| *until > now)
    }

    fn rest(&self, channel: &str, event: Event) {
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        if event == Event::Refused(Refusal::Unreachable) {
            let (times, until) = rests.entry(channel.to_owned()).or_insert((0, Timestamp::default()));
            *until = clock::wall() + RESTS.get(*times).or(RESTS.last()).copied().unwrap_or(TICK);
            *times += 1;
        } else {
            rests.remove(channel);
        }
    }
}

fn write_call(setup: &Setup, hook: &WebhookSettings, parcel: &Parcel) -> Result<hook::Call, String> {
    let reader = Reader {
        lang: setup.lang,
        name: hook.name.to_string(),
        zone: setup.zone.clone(),
        url: setup.settings.url.as_deref().map(str::to_owned),
        why: parcel.why.clone(),
        is_repeat: parcel.is_repeat,
        picture: None,
    };
    // Programs get the plain text in their JSON; people in a group get Markdown.
    let letter = match hook.kind {
        HookKind::Generic | HookKind::Alertmanager if parcel.kind == Kind::Alarm => Letter::mail(parcel, &reader, &setup.templates),
        _ => Letter::chat(parcel, &reader, &setup.templates),
    };
    let letter = letter.map_err(|error| error.to_string())?;
    Ok(hook::call(hook, parcel, &letter, &reader, clock::wall()))
}

/// Makes a Message-ID one of its kind in the world.
fn nonce() -> String {
    let mut octets = [0_u8; 6];
    // Without randomness the number and the time tell the mails of one installation apart.
    let _ = getrandom::fill(&mut octets);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
