//! The accounts at work: logins, sessions and tokens over the database, argon2id on blocking threads, a few at a time.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rusqlite::Connection;
use serde_json::json;
use tokio::sync::Semaphore;

use super::error::AccountError;
use super::identity::{Held, Identity};
use super::limit::{Attempt, Kept, Leave, Limits};
use super::password;
use super::sessions::{self, NewSession, SessionRow};
use super::store::{self, AccountRow};
use super::token::{Token, TokenHash};
use super::totp::{self, TotpSecret};
use crate::journal::{self, Actor, Entry, Via};
use crate::model::{Role, Timestamp};
use crate::store::{Store, StoreError};

/// Passwords that are hashed at once: each takes a core and 19 MiB.
const HASHING: usize = 2;
/// Whoever waits longer for his turn is told to come back.
const PATIENCE: Duration = Duration::from_secs(8);

/// What the configuration says about accounts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    /// Accounts with one of these roles need a second factor.
    pub factor_for: Vec<Role>,
    /// A file of passwords that are not taken.
    pub known_passwords: Option<PathBuf>,
}

/// What has happened since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins that did not.
    pub failed_logins: u64,
    /// Attempts that were not tried, because their source was locked.
    pub locked_logins: u64,
    /// Sessions that are open now.
    pub sessions: u64,
    /// Pairs of roles that exclude each other and are held by one person all the same.
    pub separation_violations: u64,
    /// Events in the journal.
    pub journal_events: u64,
}

/// A login as it comes in.
#[derive(Clone, Debug)]
pub struct LoginAttempt {
    /// The account's name.
    pub login: String,
    /// The password.
    pub password: String,
    /// A one-time code or one on paper; empty for none.
    pub code: String,
    /// Where it comes from.
    pub source: IpAddr,
    /// What the browser says it is.
    pub agent: String,
    /// The mark of a browser that has logged in before.
    pub device: Option<Token>,
    /// The session that the browser had.
    pub before: Option<Token>,
}

/// A login that succeeded.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// For the session's cookie.
    pub session: Token,
    /// For the cookie that marks the browser.
    pub device: Token,
}

/// Why a login did not succeed. The texts tell a stranger nothing.
#[derive(Debug, thiserror::Error)]
pub enum LoginRefusal {
    /// Name, password or code is wrong, or the account is disabled.
    #[error("name, password or code is wrong")]
    Wrong,
    /// Too many wrong attempts from here.
    #[error("too many wrong attempts from here; try again in {0} minutes")]
    Locked(u64),
    /// Too many at once.
    #[error("too many people log in at this moment; try again in a few seconds")]
    Busy,
    /// The database does not answer.
    #[error(transparent)]
    Failed(#[from] AccountError),
}

impl From<StoreError> for LoginRefusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

#[derive(Debug, Default)]
struct Tally {
    logins: AtomicU64,
    failed: AtomicU64,
    locked: AtomicU64,
}

/// Accounts, sessions and tokens. Shared by all requests.
pub struct Accounts {
    store: Store,
    reader: Mutex<Connection>,
    limits: Mutex<Limits>,
    hashing: Arc<Semaphore>,
    rules: ArcSwap<Rules>,
    tally: Tally,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("rules", &self.rules.load()).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Over a database.
    ///
    /// # Errors
    /// When the database cannot be opened for reading.
    pub fn open(store: Store, rules: Rules) -> Result<Self, StoreError> {
        let file = store.reader()?;
        let kept = store::tries(&file).map_err(|error| StoreError::sqlite(store.path(), error))?;
        let (reader, limits) = (Mutex::new(file), Limits::of(&kept));
        Ok(Self {
            store,
            reader,
            limits: Mutex::new(limits),
            hashing: Arc::new(Semaphore::new(HASHING)),
            rules: ArcSwap::from_pointee(rules),
            tally: Tally::default(),
        })
    }

    /// From now on by these rules.
    pub fn set_rules(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// The database, for changes that journal themselves.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Reads on a blocking thread.
    ///
    /// # Errors
    /// When SQLite fails.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let accounts = Arc::clone(self);
        tokio::task::spawn_blocking(move || accounts.read_now(question)).await.unwrap_or_else(|_| Err(self.fault()))
    }

    fn read_now<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        question(&reader).map_err(|error| StoreError::sqlite(self.store.path(), error))
    }

    fn fault(&self) -> StoreError {
        StoreError::Fault { path: self.store.path().to_path_buf() }
    }

    /// What has happened, and what is the case now.
    pub fn counts(&self, now: Timestamp) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let all = |file: &Connection| Ok((sessions::count(file, now)?, store::violations(file)?.len(), journal::head(file)?.seq));
        let (sessions, violations, events) = self.read_now(all).unwrap_or_default();
        Counts {
            logins: read(&self.tally.logins),
            failed_logins: read(&self.tally.failed),
            locked_logins: read(&self.tally.locked),
            sessions,
            separation_violations: violations as u64,
            journal_events: u64::try_from(events).unwrap_or(0),
        }
    }

    /// Logs in. Whatever comes out of it stands in the journal.
    ///
    /// # Errors
    /// Why not; a stranger learns nothing from it.
    pub async fn login(self: &Arc<Self>, attempt: LoginAttempt, now: Timestamp) -> Result<LoggedIn, LoginRefusal> {
        let login = attempt.login.trim().to_lowercase();
        let device = attempt.device.as_ref().map(Token::hash);
        let name = login.clone();
        let (account, known) = self
            .read(move |file| {
                let account = store::find(file, &name)?;
                let known = match (&account, &device) {
                    (Some(account), Some(device)) => sessions::is_known_device(file, account.id, device)?,
                    _ => false,
                };
                Ok((account, known))
            })
            .await?;
        let counted = Attempt { login: &login, source: attempt.source, device: device.filter(|_| known) };
        self.admit(&counted, now).await?;
        match self.judge(account, &attempt, now).await? {
            Ok(account) => {
                self.limits.lock().unwrap_or_else(PoisonError::into_inner).succeeded(&counted);
                self.tally.logins.fetch_add(1, Ordering::Relaxed);
                self.open_session(&account, &attempt, counted.device, now).await
            }
            Err((account, reason)) => {
                self.tally.failed.fetch_add(1, Ordering::Relaxed);
                let locks = self.limits.lock().unwrap_or_else(PoisonError::into_inner).failed(&counted, now);
                self.journal_failure(account.as_ref(), reason, (attempt.source, counted.device), locks, now).await?;
                Err(LoginRefusal::Wrong)
            }
        }
    }

    async fn admit(&self, attempt: &Attempt<'_>, now: Timestamp) -> Result<(), LoginRefusal> {
        let leave = self.limits.lock().unwrap_or_else(PoisonError::into_inner).leave(attempt, now);
        match leave {
            Leave::Locked(wait) => {
                self.tally.locked.fetch_add(1, Ordering::Relaxed);
                Err(LoginRefusal::Locked(minutes(wait)))
            }
            Leave::After(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
        }
    }

    /// The account when everything fits, else what did not.
    async fn judge(
        &self,
        account: Option<AccountRow>,
        attempt: &LoginAttempt,
        now: Timestamp,
    ) -> Result<Result<AccountRow, (Option<AccountRow>, &'static str)>, LoginRefusal> {
        let hashed = account.as_ref().map_or_else(|| password::NOBODY.to_owned(), |account| account.password.clone());
        let shown = attempt.password.clone();
        let fits = self.on_a_blocking_thread(move || password::fits(&shown, &hashed)).await.ok_or(LoginRefusal::Busy)?;
        let Some(account) = account else { return Ok(Err((None, "unknown"))) };
        if !fits {
            return Ok(Err((Some(account), "password")));
        }
        if account.disabled {
            return Ok(Err((Some(account), "disabled")));
        }
        if !self.code_fits(&account, &attempt.code, now).await? {
            return Ok(Err((Some(account), "code")));
        }
        Ok(Ok(account))
    }

    /// Whether the second factor is right; a code that was taken is used up.
    async fn code_fits(&self, account: &AccountRow, code: &str, now: Timestamp) -> Result<bool, StoreError> {
        let Some(secret) = &account.totp else { return Ok(true) };
        let (id, step) = (account.id, secret.accept(code, now, account.totp_used));
        let paper = totp::recovery_hash(code);
        let (login, actor) = (Arc::clone(&account.login), Actor::person(Arc::clone(&account.person), Via::Web));
        self.store
            .write(move |change| match step {
                // Two logins with one code at the same moment: the second finds the step used.
                Some(step) => change
                    .execute("UPDATE account SET totp_used = ?2 WHERE id = ?1 AND totp_used < ?2", [id, step])
                    .map(|changed| changed > 0),
                None => {
                    let used =
                        change.execute("DELETE FROM recovery_code WHERE account = ?1 AND hash = ?2", rusqlite::params![id, paper])?;
                    if used > 0 {
                        store::write(change, now, &actor, "recovery_code.used", &login, json!({}))?;
                    }
                    Ok(used > 0)
                }
            })
            .await
    }

    async fn open_session(
        &self,
        account: &AccountRow,
        attempt: &LoginAttempt,
        known: Option<TokenHash>,
        now: Timestamp,
    ) -> Result<LoggedIn, LoginRefusal> {
        let kept = Kept { at: now, login: account.login.to_string(), source: attempt.source, device: known, has_failed: false };
        let session = Token::random().map_err(AccountError::from)?;
        let device = match &attempt.device {
            Some(device) => device.clone(),
            None => Token::random().map_err(AccountError::from)?,
        };
        let (hash, mark, before) = (session.hash(), device.hash(), attempt.before.as_ref().map(Token::hash));
        let (id, login) = (account.id, Arc::clone(&account.login));
        let actor = Actor::person(Arc::clone(&account.person), Via::Web);
        let (source, agent) = (attempt.source.to_string(), attempt.agent.chars().take(200).collect::<String>());
        self.store
            .write(move |change| {
                let new = NewSession { account: id, hash, device: mark, source: &source, agent: &agent, replaces: before };
                sessions::open(change, now, &new)?;
                store::keep_try(change, &kept)?;
                store::write(change, now, &actor, "login.ok", &login, json!({ "source": source }))
            })
            .await?;
        Ok(LoggedIn { session, device })
    }

    /// The name that was typed is written down only when there is such an account: people type passwords into the wrong field.
    async fn journal_failure(
        &self,
        account: Option<&AccountRow>,
        reason: &'static str,
        (source, device): (IpAddr, Option<TokenHash>),
        locks: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let login = account.map_or_else(String::new, |account| account.login.to_string());
        let kept = Kept { at: now, login, source, device, has_failed: true };
        let subject = account.map_or_else(|| "account:?".to_owned(), |account| format!("account:{}", account.login));
        let payload = json!({ "reason": reason, "source": source.to_string() });
        self.store
            .write(move |change| {
                let entry = |action| Entry::new(now, Actor::nobody(Via::Web), action, subject.clone(), payload.clone());
                journal::append(change, &entry("login.failed"))?;
                store::keep_try(change, &kept)?;
                if locks {
                    journal::append(change, &entry("login.locked"))?;
                }
                Ok(())
            })
            .await
    }

    /// Runs a costly computation when its turn comes; `None` when it does not come soon.
    async fn on_a_blocking_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.hashing).acquire_owned()).await.ok()?.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.ok()
    }

    /// Who holds this session token; `None` when it does not count any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session(self: &Arc<Self>, token: &Token, now: Timestamp) -> Result<Option<Identity>, StoreError> {
        self.known(token.hash(), now, sessions::session).await
    }

    /// Who holds this API token; `None` when it does not count any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn token(self: &Arc<Self>, token: &Token, now: Timestamp) -> Result<Option<Identity>, StoreError> {
        self.known(token.hash(), now, sessions::token).await
    }

    async fn known(self: &Arc<Self>, hash: TokenHash, now: Timestamp, ask: Ask) -> Result<Option<Identity>, StoreError> {
        let rules = self.rules.load_full();
        let found = self.read(move |file| ask(file, &hash, now, &rules.factor_for)).await?;
        let Some((identity, is_due)) = found else { return Ok(None) };
        if is_due {
            let held = identity.held.clone();
            // A full disk must not keep people from looking: the time of the last use is not worth that.
            if let Err(error) = self.store.write(move |change| sessions::touch(change, &held, now)).await {
                tracing::warn!(%error, "when a session was used last could not be written down: {error}");
            }
        }
        Ok(Some(identity))
    }

    /// The sessions of an account.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sessions(self: &Arc<Self>, account: i64, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
        self.read(move |file| sessions::list(file, account, now)).await
    }

    /// Ends a session of the asker: the one it came with, or another by its number.
    ///
    /// # Errors
    /// When it has no such session, or the database does not answer.
    pub async fn end_session(&self, identity: &Identity, id: i64, now: Timestamp) -> Result<(), AccountError> {
        let (account, login, actor) = (identity.account, Arc::clone(&identity.login), identity.actor());
        let own = identity.held == Held::Session(id);
        let ended = self
            .store
            .write(move |change| {
                let ended = sessions::end(change, account, id)?;
                if ended {
                    let action = if own { "logout" } else { "session.revoked" };
                    store::write(change, now, &actor, action, &login, json!({ "session": id }))?;
                }
                Ok(ended)
            })
            .await?;
        if ended { Ok(()) } else { Err(AccountError::Gone) }
    }

    /// Judges and hashes a new password, for [`store::change_password`], [`store::add`] and [`sessions::use_first_link`].
    ///
    /// # Errors
    /// Which rule it breaks.
    pub async fn prepare_password(&self, password: String, login: &str) -> Result<String, AccountError> {
        let (rules, login) = (self.rules.load_full(), login.to_owned());
        let made = self.on_a_blocking_thread(move || {
            password::judge(&password, &login, rules.known_passwords.as_deref())?;
            password::hash(&password)
        });
        Ok(made.await.ok_or_else(|| self.fault())??)
    }

    /// Changes the asker's own password, who must know the present one. All its sessions end; whoever guesses here is
    /// counted as at the login.
    ///
    /// # Errors
    /// Why not.
    pub async fn change_own_password(
        self: &Arc<Self>,
        identity: &Identity,
        source: IpAddr,
        present: String,
        wanted: String,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        self.confirm_password(identity, source, present, now).await?;
        let hashed = self.prepare_password(wanted, &identity.login).await?;
        let (login, actor) = (Arc::clone(&identity.login), identity.actor());
        self.store.write(move |change| store::change_password(change, now, &actor, &login, &hashed, false)).await?
    }

    /// Asks for the password again before something weighty.
    ///
    /// # Errors
    /// When it is wrong, or was wrong too often.
    pub async fn confirm_password(
        self: &Arc<Self>,
        identity: &Identity,
        source: IpAddr,
        present: String,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let counted = Attempt { login: &identity.login, source, device: None };
        if let Leave::Locked(wait) = self.limits.lock().unwrap_or_else(PoisonError::into_inner).leave(&counted, now) {
            return Err(AccountError::Locked(minutes(wait)));
        }
        let id = identity.account;
        let account = self.read(move |file| store::by_id(file, id)).await?.ok_or(AccountError::Gone)?;
        let hashed = account.password.clone();
        if self.on_a_blocking_thread(move || password::fits(&present, &hashed)).await.ok_or_else(|| self.fault())? {
            return Ok(());
        }
        let locks = self.limits.lock().unwrap_or_else(PoisonError::into_inner).failed(&counted, now);
        self.journal_failure(Some(&account), "confirmation", (source, None), locks, now).await?;
        Err(AccountError::WrongPassword)
    }

    /// Begins to set up a second factor: a new secret that counts once a code of it was shown.
    ///
    /// # Errors
    /// When there are no random numbers or the database does not answer.
    pub async fn begin_factor(&self, identity: &Identity) -> Result<TotpSecret, AccountError> {
        let secret = TotpSecret::random()?;
        let (id, bytes) = (identity.account, *secret.bytes());
        self.store
            .write(move |change| change.execute("UPDATE account SET totp_pending = ?2 WHERE id = ?1", rusqlite::params![id, bytes]))
            .await?;
        Ok(secret)
    }

    /// The second factor that is shown but not confirmed yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending_factor(self: &Arc<Self>, identity: &Identity) -> Result<Option<TotpSecret>, StoreError> {
        let id = identity.account;
        let pending = self.read(move |file| {
            file.query_row("SELECT totp_pending FROM account WHERE id = ?1", [id], |row| row.get::<_, Option<Vec<u8>>>(0))
        });
        Ok(pending.await?.and_then(|bytes| TotpSecret::from_bytes(&bytes)))
    }

    /// Puts the second factor in force and gives the codes on paper, which are shown once.
    ///
    /// # Errors
    /// When the code does not fit.
    pub async fn confirm_factor(self: &Arc<Self>, identity: &Identity, code: &str, now: Timestamp) -> Result<Vec<String>, AccountError> {
        let secret = self.pending_factor(identity).await?.ok_or(AccountError::Gone)?;
        let step = secret.accept(code, now, 0).ok_or(AccountError::WrongCode)?;
        let codes = totp::recovery_codes()?;
        let hashes: Vec<TokenHash> = codes.iter().map(|code| totp::recovery_hash(code)).collect();
        let (id, login, actor, bytes) = (identity.account, Arc::clone(&identity.login), identity.actor(), *secret.bytes());
        self.store
            .write(move |change| {
                store::clear_factor(change, id)?;
                change.execute("UPDATE account SET totp = ?2, totp_used = ?3 WHERE id = ?1", rusqlite::params![id, bytes, step])?;
                for hash in hashes {
                    change.execute("INSERT INTO recovery_code (account, hash) VALUES (?1, ?2)", rusqlite::params![id, hash])?;
                }
                store::write(change, now, &actor, "factor.set", &login, json!({}))
            })
            .await?;
        Ok(codes)
    }

    /// Takes the second factor off, unless a role requires it.
    ///
    /// # Errors
    /// When a role requires it.
    pub async fn remove_factor(&self, identity: &Identity, now: Timestamp) -> Result<(), AccountError> {
        if identity.roles.iter().any(|role| self.rules.load().factor_for.contains(role)) {
            return Err(AccountError::FactorRequired);
        }
        let (id, login, actor) = (identity.account, Arc::clone(&identity.login), identity.actor());
        let write = self.store.write(move |change| {
            store::clear_factor(change, id)?;
            store::write(change, now, &actor, "factor.removed", &login, json!({}))
        });
        Ok(write.await?)
    }

    /// Whether the link for the first administrator can be used.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_first_link(self: &Arc<Self>, token: &Token, now: Timestamp) -> Result<bool, StoreError> {
        let hash = token.hash();
        self.read(move |file| sessions::is_first_link(file, now, &hash)).await
    }
}

/// How a token of some kind is looked up.
type Ask = fn(&Connection, &TokenHash, Timestamp, &[Role]) -> rusqlite::Result<Option<(Identity, bool)>>;

fn minutes(wait: Duration) -> u64 {
    wait.as_secs().div_ceil(60).max(1)
}
