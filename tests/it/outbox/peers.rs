//! Programs of others: aiosmtpd as the mail server with TLS and passwords, Alertmanager, and our own program as a whole.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use netroom::config::Secret;
use netroom::config::notify::{HookKind, MailSettings, Tls, WebhookSettings};
use netroom::i18n::Lang;
use netroom::model::clock;
use netroom::notify::http::{Told, tell};
use netroom::notify::letter::{Reader, sample_notice};
use netroom::notify::route::Target;
use netroom::notify::store::{Kind, Parcel};
use netroom::notify::{hook, letter::Letter, trial};

use super::server::{Server, header};
use super::{mail_settings, on, person, setup};
use crate::process::Daemon;

const AIOSMTPD: &str = r#"
import os, ssl, sys
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
mode, port, cert, key, out = sys.argv[1:6]
class Handler:
    async def handle_DATA(self, server, session, envelope):
        open(os.path.join(out, "%04d.eml" % len(os.listdir(out))), "wb").write(envelope.content)
        return "250 OK kept"
def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"netroom" and data.password == b"right-password"
    return AuthResult(success=good, handled=good)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(cert, key)
more = {
    "starttls": dict(tls_context=tls, require_starttls=True, authenticator=check, auth_required=True),
    "implicit": dict(ssl_context=tls, authenticator=check, auth_required=True, auth_require_tls=False),
    "plain": dict(),
}[mode]
controller = Controller(Handler(), hostname="127.0.0.1", port=int(port), **more)
controller.start()
print("ready", flush=True)
sys.stdin.read()
"#;

/// A program of others; killed when dropped.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "programs of others are what netroom talks to")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// aiosmtpd, when this machine has it.
fn aiosmtpd(mode: &str, certificate: &(PathBuf, PathBuf), out: &Path) -> Option<(Peer, u16)> {
    let port = free_port();
    let arguments = [mode, &port.to_string(), certificate.0.to_str()?, certificate.1.to_str()?, out.to_str()?].map(str::to_owned);
    for python in ["/usr/bin/python3", "python3"] {
        let mut peer = command(python);
        peer.arg("-c").arg(AIOSMTPD).args(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = peer.spawn() else { continue };
        let mut line = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
        let peer = Peer(child);
        if line.trim() == "ready" {
            return Some((peer, port));
        }
    }
    assert!(std::env::var_os("NETROOM_REQUIRE_ALL").is_none(), "aiosmtpd cannot be run");
    eprintln!("SKIPPED: no mail was sent to aiosmtpd, for it cannot be run; install python3-aiosmtpd");
    None
}

/// An authority, and a certificate of localhost signed by it; `days` until it expires.
fn certificates(dir: &Path, days: &str) -> (PathBuf, (PathBuf, PathBuf)) {
    let path = |name: &str| dir.join(name);
    let run = |arguments: &[&str]| {
        let output = command("openssl").args(arguments).current_dir(dir).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=office"]);
    run(&["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost"]);
    std::fs::File::create(path("ext")).unwrap().write_all(b"subjectAltName=DNS:localhost\n").unwrap();
    run(&[
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        "leaf.pem",
        "-days",
        days,
        "-extfile",
        "ext",
    ]);
    (path("ca.pem"), (path("leaf.pem"), path("leaf.key")))
}

async fn try_mail(settings: &MailSettings) -> Result<String, String> {
    let setup = setup(settings.clone(), 1);
    trial::send(&setup, settings, &person("p0", Lang::En), clock::wall()).await.map_err(|error| error.to_string())
}

fn with_login(host: &str, port: u16, tls: Tls, ca: &Path, password: &str) -> MailSettings {
    MailSettings {
        login: Some(("netroom".into(), Secret::new(password))),
        ca: Some(ca.to_owned()),
        timeout: Duration::from_secs(20),
        ..mail_settings(host, port, tls)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_takes_mail_by_starttls_and_by_tls_and_its_refusals_have_names() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, leaf) = certificates(dir.path(), "30");
    for (mode, tls) in [("starttls", Tls::Starttls), ("implicit", Tls::Implicit)] {
        let out = dir.path().join(mode);
        std::fs::create_dir(&out).unwrap();
        let Some((_peer, port)) = aiosmtpd(mode, &leaf, &out) else { return };
        let good = with_login("localhost", port, tls, &ca, "right-password");
        assert_eq!(try_mail(&good).await.as_deref(), Ok("OK kept"), "{mode}");
        let mail = std::fs::read_to_string(out.join("0000.eml")).unwrap().replace("\r\n", "\n");
        assert_eq!(header(&mail, "Subject").as_deref(), Some("Test mail"));
        let wrong = with_login("localhost", port, tls, &ca, "wrong-password");
        let said = try_mail(&wrong).await.unwrap_err();
        assert!(said.contains("refuses the account") && !said.contains("wrong-password"), "{said}");
        let unknown = MailSettings { ca: None, ..good.clone() };
        let said = try_mail(&unknown).await.unwrap_err();
        assert!(said.contains("authority that this machine does not know"), "{said}");
        let other_name = MailSettings { server: "127.0.0.1".into(), ..good.clone() };
        let said = try_mail(&other_name).await.unwrap_err();
        assert!(said.contains("bears another name"), "{said}");
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1, "nothing of the others went out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_a_missing_starttls_and_a_dead_server_have_names() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, leaf) = certificates(dir.path(), "-1");
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    if let Some((_peer, port)) = aiosmtpd("implicit", &leaf, &out) {
        let said = try_mail(&with_login("localhost", port, Tls::Implicit, &ca, "right-password")).await.unwrap_err();
        assert!(said.contains("has expired"), "{said}");
    }
    let server = Server::start(on());
    let plain = mail_settings("127.0.0.1", server.address.port(), Tls::Starttls);
    let said = try_mail(&plain).await.unwrap_err();
    assert!(said.contains("offers no STARTTLS; nothing was sent in clear"), "{said}");
    assert_eq!(try_mail(&MailSettings { tls: Tls::None, ..plain.clone() }).await.as_deref(), Ok("taken"));
    let said = try_mail(&MailSettings { port: free_port(), ..plain.clone() }).await.unwrap_err();
    assert!(said.contains("cannot be reached"), "{said}");
    let said = try_mail(&MailSettings { ca: Some(dir.path().join("nowhere.pem")), ..plain }).await.unwrap_err();
    assert!(said.contains("nowhere.pem cannot be used"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alertmanager_takes_an_alert_and_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("alertmanager.yml");
    std::fs::write(&file, "route:\n  receiver: none\nreceivers:\n- name: none\n").unwrap();
    let port = free_port();
    let started = command("prometheus-alertmanager")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", dir.path().display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = started else {
        assert!(std::env::var_os("NETROOM_REQUIRE_ALL").is_none(), "Alertmanager cannot be run");
        eprintln!("SKIPPED: no alert was sent to Alertmanager, for it cannot be run; install prometheus-alertmanager");
        return;
    };
    let _peer = Peer(child);
    let base = format!("http://127.0.0.1:{port}");
    let settings = WebhookSettings {
        name: "am".into(),
        kind: HookKind::Alertmanager,
        url: Secret::new(base.clone()),
        secret: None,
        ca: None,
        timeout: Duration::from_secs(10),
    };
    let mut notice = sample_notice();
    (notice.opened, notice.at) = (clock::wall(), clock::wall());
    for (change, open) in [(netroom::model::notice::Change::Opened, 1), (netroom::model::notice::Change::Cleared, 0)] {
        notice.change = change;
        let parcel = Parcel {
            id: 1,
            kind: Kind::Alarm,
            person: None,
            target: Target::Hook("am".into()),
            why: "core".into(),
            message_id: "m1@x".into(),
            thread: None,
            is_repeat: false,
            created: clock::wall(),
            notices: vec![notice.clone()],
            total: 1,
            body: None,
        };
        let letter = Letter { subject: String::new(), text: String::new(), html: None };
        let call = hook::call(&settings, &parcel, &letter, &Reader::sample(Lang::En), clock::wall());
        // It needs a moment to start: until it listens, nobody is there.
        let deadline = clock::monotonic() + crate::process::PATIENCE;
        loop {
            match tell(&settings, &call).await {
                Told::Accepted(_) => break,
                other => assert!(clock::monotonic() < deadline, "{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let alerts: serde_json::Value = reqwest::get(format!("{base}/api/v2/alerts")).await.unwrap().json().await.unwrap();
        assert_eq!(alerts.as_array().unwrap().len(), open, "{alerts}");
    }
}

/// The drill walks the whole path: finding, incident, notice, delivery, mail server, mailbox.
#[test]
fn the_drill_comes_through_the_whole_program() {
    let (dir, server) = (tempfile::tempdir().unwrap(), Server::start(on()));
    let minute_ago = netroom::config::week::civil(clock::wall() - Duration::from_secs(60), &jiff::tz::TimeZone::UTC);
    let config = dir.path().join("netroom.toml");
    let text = format!(
        "time_zone = \"UTC\"\n[[person]]\nname = \"anna\"\nemail = \"anna@example.org\"\nlanguage = \"en\"\n\
         [[duty]]\nrotation = [\"anna\"]\nfrom = \"2020-01-06\"\n[[host]]\nname = \"gate\"\naddress = \"127.0.0.1\"\n\
         [notify]\nurl = \"https://netroom.example.org\"\n[notify.drill]\nat = \"{0}\"\n[notify.daily]\nat = \"{0}\"\n\
         [notify.mail]\nserver = \"127.0.0.1\"\nport = {1}\ntls = \"none\"\nfrom = \"netroom@example.org\"\n",
        minute_ago.strftime("%H:%M"),
        server.address.port()
    );
    std::fs::write(&config, text).unwrap();
    let _daemon = Daemon::start(&config, &dir.path().join("data"));
    let mails = server.wait(2);
    let subjects: Vec<String> = mails.iter().filter_map(|mail| header(mail, "Subject")).collect();
    assert!(subjects.iter().any(|subject| subject.contains("Alarm drill")), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.starts_with("[alive]")), "{subjects:?}");
    let daily = mails.iter().find(|mail| header(mail, "Subject").unwrap().starts_with("[alive]")).unwrap();
    assert!(daily.contains("Hosts watched: 1"), "{daily}");
    assert!(mails.iter().all(|mail| header(mail, "To").unwrap().contains("anna@example.org")));
}

/// `netroom check` tries the templates too: a slip is told with file and line before the daemon meets it.
#[test]
fn check_tells_a_broken_template_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("templates")).unwrap();
    std::fs::write(dir.path().join("templates/alarm.txt"), "fine\n{% for change in %}\n").unwrap();
    let config = dir.path().join("netroom.toml");
    std::fs::write(&config, "[notify]\ntemplates = \"templates\"\n").unwrap();
    let output = crate::process::program().arg("--config").arg(&config).arg("check").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("templates/alarm.txt:2: syntax error"), "{said}");
}
