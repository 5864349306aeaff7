//! Accounts over a real database: logins, sessions, tokens, roles.

use std::time::Duration;

use super::*;
use crate::journal::{self, Actor, Via};
use crate::model::Timestamp;
use crate::store::Store;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
const PASSWORD: &str = "correct horse battery";

struct House {
    _dir: tempfile::TempDir,
    accounts: std::sync::Arc<Accounts>,
}

fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("netroom.db")).unwrap();
    House { accounts: std::sync::Arc::new(Accounts::open(store, Rules::default()).unwrap()), _dir: dir }
}

fn root() -> Actor {
    Actor::nobody(Via::Cli)
}

/// The hash of [`PASSWORD`], made once.
fn hashed() -> String {
    static HASHED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASHED.get_or_init(|| password::hash(PASSWORD).unwrap()).clone()
}

impl House {
    fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<Result<T, AccountError>> + Send + 'static,
    ) -> Result<T, AccountError> {
        std::thread::scope(|scope| scope.spawn(|| self.accounts.store().write_blocking(work)).join().unwrap()).unwrap()
    }

    fn add(&self, login: &str, person: &str, roles: &[Role]) -> Result<i64, AccountError> {
        let new = NewAccount {
            login: login.to_owned(),
            person: person.to_owned(),
            roles: roles.to_vec(),
            password: hashed(),
            must_change: false,
        };
        self.change(move |file| add(file, NOW, &root(), &new))
    }

    fn grant(&self, login: &'static str, role: Role) -> Result<(), AccountError> {
        self.change(move |file| grant(file, NOW, &root(), login, role))
    }

    async fn try_login(&self, login: &str, password: &str, code: &str, source: &str, at: Timestamp) -> Result<LoggedIn, LoginRefusal> {
        let attempt = LoginAttempt {
            login: login.to_owned(),
            password: password.to_owned(),
            code: code.to_owned(),
            source: source.parse().unwrap(),
            agent: "test".to_owned(),
            device: None,
            before: None,
        };
        self.accounts.login(attempt, at).await
    }

    async fn who(&self, session: &Token, at: Timestamp) -> Option<Identity> {
        self.accounts.session(session, at).await.unwrap()
    }

    fn journal(&self) -> Vec<String> {
        let file = self.accounts.store().reader().unwrap();
        assert_eq!(journal::verify(&file, &[]).unwrap().first_bad, None);
        let mut query =
            file.prepare("SELECT action || ' ' || subject || ' ' || coalesce(actor, '-') FROM journal_event ORDER BY seq").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

#[tokio::test]
async fn a_session_lives_until_it_is_idle_old_or_ended() {
    let house = house();
    house.add("li", "李四", &[Role::Duty]).unwrap();
    let session = house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await.unwrap().session;
    let who = house.who(&session, NOW).await.unwrap();
    assert_eq!((&*who.login, &*who.person), ("li", "李四"));
    assert!(who.permissions.has(Permission::Acknowledge) && !who.permissions.has(Permission::ManageAccounts));
    assert!(house.who(&session, NOW + IDLE).await.is_none(), "idle");
    let mut at = NOW;
    while house.who(&session, at).await.is_some() {
        at = at + IDLE / 2;
    }
    assert_eq!(at, NOW + ABSOLUTE, "used all the time, it ends all the same");
    let session = house.try_login("li", PASSWORD, "", "10.0.0.9", at).await.unwrap().session;
    let who = house.who(&session, at).await.unwrap();
    let Held::Session(id) = who.held else { panic!("{who:?}") };
    assert_eq!(house.accounts.sessions(who.account, at).await.unwrap().len(), 1);
    house.accounts.end_session(&who, id, at).await.unwrap();
    assert!(house.who(&session, at).await.is_none());
    assert!(matches!(house.accounts.end_session(&who, id, at).await, Err(AccountError::Gone)));
    assert_eq!(
        house.journal(),
        ["account.added account:li -", "login.ok account:li 李四", "login.ok account:li 李四", "logout account:li 李四"]
    );
}

#[tokio::test]
async fn a_login_replaces_the_session_that_the_browser_had_and_only_hashes_are_kept() {
    let house = house();
    house.add("li", "李四", &[]).unwrap();
    let first = house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await.unwrap();
    let again = LoginAttempt {
        login: " LI ".to_owned(),
        password: PASSWORD.to_owned(),
        code: String::new(),
        source: "10.0.0.9".parse().unwrap(),
        agent: String::new(),
        device: Some(first.device.clone()),
        before: Some(first.session.clone()),
    };
    let second = house.accounts.login(again, NOW).await.unwrap();
    assert_ne!(first.session, second.session);
    assert_eq!(first.device, second.device);
    assert!(house.who(&first.session, NOW).await.is_none() && house.who(&second.session, NOW).await.is_some());
    let file = std::fs::read_dir(house._dir.path())
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect::<Vec<_>>()
        .concat();
    for secret in [second.session.reveal(), second.device.reveal(), PASSWORD] {
        assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()), "a secret stands in the file");
    }
}

#[tokio::test]
async fn strangers_learn_nothing_and_are_locked_for_themselves_only() {
    let house = house();
    house.add("li", "李四", &[]).unwrap();
    let known = house.try_login("li", PASSWORD, "", "10.0.0.1", NOW).await.unwrap().device;
    for _ in 0..5 {
        let refused = house.try_login("li", "wrong wrong wrong", "", "10.0.0.9", NOW).await.unwrap_err().to_string();
        let unknown = house.try_login("nobody", "wrong wrong wrong", "", "10.0.0.8", NOW).await.unwrap_err().to_string();
        assert_eq!(refused, unknown);
    }
    assert!(matches!(house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await, Err(LoginRefusal::Locked(15))));
    house.try_login("li", PASSWORD, "", "10.0.0.7", NOW).await.unwrap();
    let attempt = LoginAttempt {
        login: "li".to_owned(),
        password: PASSWORD.to_owned(),
        code: String::new(),
        source: "10.0.0.9".parse().unwrap(),
        agent: String::new(),
        device: Some(known),
        before: None,
    };
    house.accounts.login(attempt, NOW).await.unwrap();
    house.try_login("li", PASSWORD, "", "10.0.0.9", NOW + Duration::from_secs(901)).await.unwrap();
    let counts = house.accounts.counts(NOW);
    assert_eq!((counts.logins, counts.failed_logins, counts.locked_logins), (4, 10, 1));
    let journal = house.journal();
    assert_eq!(journal.iter().filter(|line| *line == "login.failed account:li -").count(), 5);
    assert_eq!(journal.iter().filter(|line| *line == "login.failed account:? -").count(), 5, "what was typed is not written down");
    assert_eq!(journal.iter().filter(|line| *line == "login.locked account:li -").count(), 1);
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let house = house();
    house.add("li", "李四", &[]).unwrap();
    let session = house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await.unwrap().session;
    house.change(|file| set_disabled(file, NOW, &root(), "li", true)).unwrap();
    assert!(house.who(&session, NOW).await.is_none());
    assert!(matches!(house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await, Err(LoginRefusal::Wrong)));
    house.change(|file| set_disabled(file, NOW, &root(), "li", false)).unwrap();
    assert!(house.who(&session, NOW).await.is_none(), "old sessions do not come back");
    house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await.unwrap();
}

/// Every pair that excludes itself, by each way: at the making, by a grant, in a second account, in an account that is
/// disabled for the moment. The refusal names both roles and the person.
#[test]
fn roles_that_exclude_each_other_are_refused_by_every_way() {
    let mut tried = 0;
    for (one, other) in SEPARATE.into_iter().flat_map(|(one, other)| [(one, other), (other, one)]) {
        let house = house();
        let refused = |result: Result<(), AccountError>, way: &str| match result {
            Err(AccountError::Separate { person, held, wanted }) => {
                assert_eq!((person.as_str(), held, wanted), ("李四", one, other), "{way}");
            }
            other => panic!("{way}: {other:?}"),
        };
        refused(house.add("both", "李四", &[one, other]).map(drop), "at the making");
        house.add("first", "李四", &[one]).unwrap();
        refused(house.grant("first", other), "by a grant");
        refused(house.add("second", " 李四 ", &[other]).map(drop), "in a second account");
        house.add("second", "李四", &[]).unwrap();
        refused(house.grant("second", other), "by a grant to a second account");
        house.change(|file| set_disabled(file, NOW, &root(), "first", true)).unwrap();
        refused(house.grant("second", other), "while the first is disabled");
        house.add("else", "张三", &[other]).unwrap();
        house.change(move |file| revoke(file, NOW, &root(), "first", one)).unwrap();
        house.grant("second", other).unwrap();
        tried += 5;
    }
    assert_eq!(tried, 60);
}

#[tokio::test]
async fn a_database_edited_by_hand_is_noticed_and_gives_nothing() {
    let house = house();
    house.add("li", "李四", &[Role::SystemAdmin]).unwrap();
    let session = house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await.unwrap().session;
    assert!(house.who(&session, NOW).await.unwrap().permissions.has(Permission::ManageAccounts));
    assert_eq!(house.accounts.counts(NOW).separation_violations, 0);
    let edit = "INSERT INTO account_role (account, role, granted_ms) VALUES (1, 'auditor', 0)";
    house.accounts.store().write(move |file| file.execute(edit, [])).await.unwrap();
    assert_eq!(house.accounts.counts(NOW).separation_violations, 1);
    let who = house.who(&session, NOW).await.unwrap();
    assert!(!who.permissions.has(Permission::ManageAccounts) && !who.permissions.has(Permission::ReadJournal));
    assert!(who.permissions.has(Permission::Read), "looking goes on");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_once_it_is_set() {
    let house = house();
    house.accounts.set_rules(Rules { factor_for: vec![Role::NetworkAdmin], known_passwords: None });
    house.add("li", "李四", &[Role::NetworkAdmin]).unwrap();
    let session = house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await.unwrap().session;
    let who = house.who(&session, NOW).await.unwrap();
    assert!(who.needs_factor && who.permissions.iter().eq([Permission::OwnAccount]), "first the factor, then the work");
    let secret = house.accounts.begin_factor(&who).await.unwrap();
    assert!(matches!(house.accounts.confirm_factor(&who, "000000", NOW).await, Err(AccountError::WrongCode)));
    let code = |at: Timestamp| secret.shown(at);
    let papers = house.accounts.confirm_factor(&who, &code(NOW), NOW).await.unwrap();
    assert!(house.who(&session, NOW).await.unwrap().permissions.has(Permission::Acknowledge));
    assert!(matches!(house.accounts.remove_factor(&who, NOW).await, Err(AccountError::FactorRequired)));

    let later = NOW + Duration::from_secs(300);
    let login = async |code: String| house.try_login("li", PASSWORD, &code, "10.0.0.9", later).await;
    assert!(matches!(login(String::new()).await, Err(LoginRefusal::Wrong)));
    login(code(later)).await.unwrap();
    assert!(matches!(login(code(later)).await, Err(LoginRefusal::Wrong)), "a code is taken once");
    login(papers[3].clone()).await.unwrap();
    assert!(matches!(login(papers[3].clone()).await, Err(LoginRefusal::Wrong)), "so is one on paper");
}

#[tokio::test]
async fn tokens_have_scopes_and_an_end() {
    let house = house();
    house.add("li", "李四", &[Role::Duty]).unwrap();
    let token = Token::random().unwrap();
    let day = NOW + Duration::from_secs(86_400);
    let make = |scopes: &[Permission], expires: Timestamp| {
        let new = (scopes.iter().copied().collect::<Permissions>(), expires, token.hash());
        house.change(move |file| add_token(file, NOW, &root(), "li", ("wall", new.0, new.1, new.2)))
    };
    assert!(matches!(make(&[], day), Err(AccountError::BadToken(_))));
    assert!(matches!(make(&[Permission::GrantRoles], day), Err(AccountError::BadToken(_))));
    assert!(matches!(make(&[Permission::Read], NOW), Err(AccountError::BadToken(_))));
    assert!(matches!(make(&[Permission::Read], NOW + Duration::from_secs(400 * 86_400)), Err(AccountError::BadToken(_))));
    let id = make(&[Permission::Read, Permission::Maintain], day).unwrap();
    let who = house.accounts.token(&token, NOW).await.unwrap().unwrap();
    assert!(who.permissions.iter().eq([Permission::Read]), "its account may not maintain");
    assert!(house.accounts.session(&token, NOW).await.unwrap().is_none(), "a token is no session");
    assert!(house.accounts.token(&token, day).await.unwrap().is_none());
    assert!(house.change(move |file| revoke_token(file, NOW, &root(), id, Some(99))).is_err(), "somebody else's");
    house.change(move |file| revoke_token(file, NOW, &root(), id, None)).unwrap();
    assert!(house.accounts.token(&token, NOW).await.unwrap().is_none());
}

#[tokio::test]
async fn own_passwords_are_changed_by_those_who_know_them() {
    let house = house();
    house.add("li", "李四", &[]).unwrap();
    let session = house.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await.unwrap().session;
    let who = house.who(&session, NOW).await.unwrap();
    let change = async |present: &str, wanted: &str| {
        house.accounts.change_own_password(&who, "10.0.0.9".parse().unwrap(), present.to_owned(), wanted.to_owned(), NOW).await
    };
    assert!(matches!(change("wrong wrong wrong", "a new long password").await, Err(AccountError::WrongPassword)));
    assert!(matches!(change(PASSWORD, "short").await, Err(AccountError::Password(_))));
    change(PASSWORD, "a new long password").await.unwrap();
    assert!(house.who(&session, NOW).await.is_none(), "all sessions end");
    house.try_login("li", "a new long password", "", "10.0.0.9", NOW).await.unwrap();
}

#[tokio::test]
async fn the_first_link_makes_one_administrator_once() {
    let house = house();
    let link = Token::random().unwrap();
    let hash = link.hash();
    let make = |login: &'static str, at: Timestamp| {
        let hashed = hashed();
        house.change(move |file| use_first_link(file, at, &hash, login, "王五", &hashed))
    };
    assert!(matches!(make("wang", NOW), Err(AccountError::Gone)));
    house.change(move |file| first_link(file, NOW, Via::Daemon, &hash).map(Ok)).unwrap();
    assert!(matches!(make("wang", NOW + FIRST_LINK), Err(AccountError::Gone)));
    assert!(matches!(make("W", NOW), Err(AccountError::BadLogin(_))));
    assert!(house.accounts.is_first_link(&link, NOW).await.unwrap());
    make("wang", NOW).unwrap();
    assert!(matches!(make("wang2", NOW), Err(AccountError::Gone)));
    let file = house.accounts.store().reader().unwrap();
    assert!(has_administrator(&file).unwrap());
    assert_eq!(find(&file, "wang").unwrap().unwrap().roles, [Role::SystemAdmin]);
}

impl House {
    fn act<T: Send + 'static>(&self, person: &'static str, what: fn(&rusqlite::Connection, &Actor) -> Done<T>) -> Result<T, AccountError> {
        let actor = if person.is_empty() { root() } else { Actor::person(person, Via::Web) };
        self.change(move |file| what(file, &actor))
    }

    fn holds(&self, login: &str, role: Role) -> bool {
        find(&self.accounts.store().reader().unwrap(), login).unwrap().unwrap().roles.contains(&role)
    }
}

type Done<T> = rusqlite::Result<Result<T, AccountError>>;

/// None of the three is made by one person alone, once there is somebody to sign.
#[test]
fn a_role_of_the_three_takes_two_signatures_of_two_persons() {
    let house = house();
    house.add("li", "李四", &[Role::SystemAdmin]).unwrap();
    assert!(house.change(|file| give(file, NOW, &root(), "li", Role::Viewer)).unwrap());
    house.add("wang", "王五", &[]).unwrap();
    assert!(house.act("", |file, actor| give(file, NOW, actor, "wang", Role::SecurityAdmin)).unwrap(), "nobody to sign yet");
    house.add("zhao", "赵六", &[]).unwrap();
    assert!(!house.act("李四", |file, actor| give(file, NOW, actor, "zhao", Role::KeyAdmin)).unwrap());
    assert!(!house.holds("zhao", Role::KeyAdmin));
    let open = || proposals(&house.accounts.store().reader().unwrap(), NOW).unwrap();
    assert_eq!(open().iter().map(|one| (&*one.login, one.role, &*one.proposed_by)).collect::<Vec<_>>(), [("zhao", Role::KeyAdmin, "李四")]);
    for person in ["李四", "赵六", ""] {
        assert!(matches!(house.act(person, |file, actor| sign(file, NOW, actor, 1)), Err(AccountError::SamePerson)), "{person}");
    }
    assert!(matches!(house.act("王五", |file, actor| sign(file, NOW + VOID_AFTER, actor, 1)), Err(AccountError::Gone)), "too late");
    house.act("王五", |file, actor| sign(file, NOW, actor, 1)).unwrap();
    assert!(house.holds("zhao", Role::KeyAdmin) && open().is_empty());
    assert!(matches!(house.act("王五", |file, actor| sign(file, NOW, actor, 1)), Err(AccountError::Gone)), "once");
    house.add("qian", "钱七", &[]).unwrap();
    house.act("李四", |file, actor| give(file, NOW, actor, "qian", Role::SystemAdmin)).unwrap();
    house.act("王五", |file, actor| decline(file, NOW, actor, open_id(file))).unwrap();
    assert!(!house.holds("qian", Role::SystemAdmin) && open().is_empty());
    let journal = house.journal();
    for line in [
        "role.proposed account:zhao 李四",
        "role.granted account:zhao 王五",
        "role.signed account:zhao 王五",
        "role.declined account:qian 王五",
    ] {
        assert!(journal.iter().any(|each| each == line), "{line} is not in {journal:?}");
    }
}

fn open_id(file: &rusqlite::Connection) -> i64 {
    proposals(file, NOW).unwrap()[0].id
}

/// Every pair of the three by every way: given, proposed, signed, as a second account, by another account's proposal.
#[test]
fn what_excludes_what_is_refused_by_every_way() {
    for held in THREE {
        for wanted in THREE.into_iter().filter(|wanted| *wanted != held) {
            let house = house();
            house.add("sign", "签字人", &[Role::SecurityAdmin]).unwrap();
            house.add("li", "李四", &[held]).unwrap();
            house.add("li2", "李四", &[]).unwrap();
            let refused = |done: Result<(), AccountError>| matches!(done, Err(AccountError::Separate { .. }));
            assert!(refused(house.change(move |file| grant(file, NOW, &root(), "li", wanted))), "{held} {wanted}: given");
            assert!(refused(house.change(move |file| grant(file, NOW, &root(), "li2", wanted))), "{held} {wanted}: other account");
            assert!(refused(house.change(move |file| propose(file, NOW, &root(), "li2", wanted))), "{held} {wanted}: proposed");
            assert!(refused(house.add("li3", "李四", &[wanted]).map(drop)), "{held} {wanted}: made with it");
            // Proposed while it was allowed, and signed after the other one was given.
            house.add("zhao", "赵六", &[]).unwrap();
            house.change(move |file| propose(file, NOW, &root(), "zhao", wanted)).unwrap();
            house.change(move |file| grant(file, NOW, &root(), "zhao", held)).unwrap();
            assert!(refused(house.act("签字人", |file, actor| sign(file, NOW, actor, open_id(file)))), "{held} {wanted}: signed");
        }
    }
}

/// Guesses count on after a restart, and so does what forgave them.
#[tokio::test]
async fn a_restart_forgives_no_guesses() {
    let house = house();
    house.add("li", "李四", &[]).unwrap();
    house.add("wang", "王五", &[]).unwrap();
    let again = || House {
        _dir: tempfile::tempdir().unwrap(),
        accounts: std::sync::Arc::new(Accounts::open(house.accounts.store().clone(), Rules::default()).unwrap()),
    };
    for _ in 0..4 {
        assert!(matches!(house.try_login("li", "wrong", "", "10.0.0.9", NOW).await, Err(LoginRefusal::Wrong)));
        assert!(matches!(house.try_login("wang", "wrong", "", "10.0.0.9", NOW).await, Err(LoginRefusal::Wrong)));
    }
    house.try_login("wang", PASSWORD, "", "10.0.0.9", NOW).await.unwrap();
    let restarted = again();
    for login in ["li", "wang"] {
        assert!(matches!(restarted.try_login(login, "wrong", "", "10.0.0.9", NOW).await, Err(LoginRefusal::Wrong)), "{login}");
    }
    let restarted = again();
    assert!(matches!(restarted.try_login("li", PASSWORD, "", "10.0.0.9", NOW).await, Err(LoginRefusal::Locked(_))), "five in all");
    assert!(restarted.try_login("wang", PASSWORD, "", "10.0.0.9", NOW).await.is_ok(), "forgiven before the restart");
    let later = NOW + Duration::from_secs(15 * 60);
    assert!(restarted.try_login("li", PASSWORD, "", "10.0.0.9", later).await.is_ok(), "not for ever");
}
