//! The doors of the whole daemon: accounts made beside it, the journal of what was done, TLS with clients of others.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::process::{Daemon, PATIENCE, program, write};

/// Runs a subcommand of the program over a data directory.
fn run(dir: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = program()
        .args(arguments)
        .arg("--config")
        .arg(dir.join("netroom.toml"))
        .arg("--data")
        .arg(dir.join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The same, expecting an exit code; gives what was printed.
fn told(dir: &Path, arguments: &[&str], stdin: &str, code: i32) -> String {
    let Output { status, stdout, stderr } = run(dir, arguments, stdin);
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(code), "{arguments:?}: {said}");
    String::from_utf8(stdout).unwrap() + if code == 0 { "" } else { &said }
}

/// Accounts are made, shut and given roles while the daemon runs, and count at once; each of it stands in the journal.
#[tokio::test]
async fn accounts_are_looked_after_beside_a_running_daemon() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "[access]\nanonymous = \"none\"\n");
    let daemon = Daemon::start(&dir.path().join("netroom.toml"), &dir.path().join("data"));
    let ask = async |token: &str| {
        let request = reqwest::Client::new().get(format!("{}/api/v1/devices", daemon.url));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        request.send().await.unwrap().status()
    };
    assert_eq!(ask("").await, StatusCode::UNAUTHORIZED);
    told(dir.path(), &["user", "add", "li", "--person", "李四", "--role", "auditor", "--password-stdin"], "correct horse battery\n", 0);
    assert!(told(dir.path(), &["user", "grant", "li", "system_admin"], "", 1).contains("exclude each other"));
    assert!(told(dir.path(), &["user", "add", "li", "--person", "李四"], "", 1).contains("exists already"));
    let token = told(dir.path(), &["token", "add", "li", "--name", "test", "--scope", "read", "--for", "1d"], "", 0);
    let token = token.trim();
    assert_eq!(ask(token).await, StatusCode::OK);
    told(dir.path(), &["user", "disable", "li"], "", 0);
    assert_eq!(ask(token).await, StatusCode::UNAUTHORIZED);
    told(dir.path(), &["user", "enable", "li"], "", 0);
    assert_eq!(ask(token).await, StatusCode::OK);
    told(dir.path(), &["token", "revoke", "1"], "", 0);
    assert_eq!(ask(token).await, StatusCode::UNAUTHORIZED);
    let listed: Value = serde_json::from_str(&told(dir.path(), &["user", "list", "--json"], "", 0)).unwrap();
    assert_eq!((&listed[0]["login"], &listed[0]["roles"]), (&"li".into(), &serde_json::json!(["auditor"])));

    let head = told(dir.path(), &["journal", "head"], "", 0);
    std::fs::write(dir.path().join("anchors"), &head).unwrap();
    let log = daemon.stop().await;
    assert!(!log.contains(token), "a token stands in the log");
    let anchor = dir.path().join("anchors");
    let report: Value =
        serde_json::from_str(&told(dir.path(), &["journal", "verify", "--json", "--anchor", anchor.to_str().unwrap()], "", 0)).unwrap();
    assert_eq!((&report["ok"], &report["anchors"]), (&true.into(), &1.into()));
    let lines = told(dir.path(), &["journal", "export"], "", 0);
    let actions: Vec<String> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["header"]["action"].as_str().unwrap().to_owned()).collect();
    for action in
        ["first_link.made", "config.loaded", "account.added", "token.added", "account.disabled", "account.enabled", "token.revoked"]
    {
        assert!(actions.iter().any(|each| each == action), "{action} is not in {actions:?}");
    }
    let loaded = lines.lines().find(|line| line.contains("config.loaded")).unwrap();
    assert!(loaded.contains("netroom.toml"), "the files that were read at the start are not in {loaded}");
    std::fs::write(&anchor, format!("1 {}\n", "0".repeat(64))).unwrap();
    assert!(told(dir.path(), &["journal", "verify", "--anchor", anchor.to_str().unwrap()], "", 1).contains("BAD from event 1"));
    assert_eq!(run(dir.path(), &["journal", "verify", "--anchor", "/nowhere"], "").status.code(), Some(2));
}

/// The link of the first start makes an administrator in a browser, once.
#[tokio::test]
async fn the_first_start_leads_to_an_administrator() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "");
    let daemon = Daemon::start(&dir.path().join("netroom.toml"), &dir.path().join("data"));
    let link = daemon.text("/healthz").await;
    assert_eq!(link, "ok\n");
    let log = daemon.log();
    let link = log.split("/first/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let url = format!("{}/first/{link}", daemon.url);
    assert!(reqwest::get(&url).await.unwrap().text().await.unwrap().contains("name=\"person\""));
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let make = async || {
        let form = "person=%E7%8E%8B%E4%BA%94&login=wang&password=correct+horse+battery";
        let request = client.post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
        request.send().await.unwrap()
    };
    let made = make().await;
    assert_eq!(made.status(), StatusCode::SEE_OTHER);
    assert!(made.headers().get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().starts_with("netroom_session=")));
    assert_eq!(make().await.status(), StatusCode::NOT_FOUND);
    assert_eq!(daemon.metric("netroom_sessions").await, 1.0);
    assert_eq!(daemon.metric("netroom_logins_total{result=\"ok\"}").await, 1.0);
    daemon.stop().await;
}

#[expect(clippy::disallowed_methods, reason = "the clients of others are what is tested")]
fn tool(name: &str, arguments: &[&str]) -> Output {
    Command::new(name).args(arguments).stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{name} cannot run: {error}"))
}

/// A self-signed certificate for this machine, by openssl.
fn certificate(dir: &Path, name: &str) {
    let (key, crt) = (dir.join("web.key"), dir.join("web.crt"));
    let subject = format!("/CN={name}");
    let arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", &subject];
    let names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key.to_str().unwrap(), "-out", crt.to_str().unwrap()];
    let made = tool("openssl", &[&arguments[..], &names[..]].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// curl over TLS 1.3 and 1.2 with the certificate checked; new files at a reload, bad ones not; HSTS; the cookie's prefix.
#[tokio::test]
async fn tls_from_files_with_the_clients_of_others() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path(), "first");
    write(dir.path(), "[web.tls]\ncertificate = \"web.crt\"\nkey = \"web.key\"\n");
    let daemon = Daemon::start(&dir.path().join("netroom.toml"), &dir.path().join("data"));
    assert!(daemon.url.starts_with("https://"), "{}", daemon.url);
    let (url, crt) = (format!("{}/", daemon.url), dir.path().join("web.crt").display().to_string());
    let curl = |more: &[&str]| {
        let answer = tool("curl", &[&["-sS", "-i", "--max-time", "20", "--cacert", &crt], more].concat());
        (answer.status.success(), String::from_utf8_lossy(&answer.stdout).into_owned() + &String::from_utf8_lossy(&answer.stderr))
    };
    for version in [vec!["--tlsv1.3"], vec!["--tls-max", "1.2"]] {
        let (good, said) = curl(&[&version[..], &[&url]].concat());
        assert!(good && said.contains("200 OK") && said.to_lowercase().contains("strict-transport-security: max-age=31536000"), "{said}");
    }
    assert!(!curl(&["--tls-max", "1.1", &url]).0, "older ones are refused");
    let (_, plain) = curl(&[&url.replace("https", "http")]);
    assert!(!plain.contains("200 OK"), "{plain}");
    told(dir.path(), &["user", "add", "li", "--person", "李四", "--password-stdin"], "correct horse battery\n", 0);
    let (_, said) = curl(&["-d", "login=li&password=correct horse battery", &format!("{url}login")]);
    assert!(said.contains("set-cookie: __Host-netroom=") && said.contains("; Secure; HttpOnly"), "{said}");

    let served = || {
        let address = daemon.url.trim_start_matches("https://");
        String::from_utf8_lossy(&tool("openssl", &["s_client", "-connect", address, "-showcerts"]).stdout).into_owned()
    };
    assert!(served().contains("CN = first"), "{}", served());
    certificate(dir.path(), "second");
    daemon.signal("-HUP");
    let renewed = async {
        while !served().contains("CN = second") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, renewed).await.expect("the new certificate is not served");
    std::fs::write(dir.path().join("web.key"), "no key").unwrap();
    daemon.signal("-HUP");
    let said = async {
        while !daemon.log().contains("certificate and key in force stay") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.expect("the bad key is not told");
    assert!(served().contains("CN = second") && curl(&[&url]).0, "the old one goes on");
    daemon.stop().await;
}

#[test]
fn plain_text_beyond_this_machine_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = write(dir.path(), "");
    let everywhere = format!("{}:0", Ipv4Addr::UNSPECIFIED);
    let Output { status, stderr, .. } = program()
        .args(["serve", "--listen", &everywhere, "--config"])
        .arg(config)
        .arg("--data")
        .arg(dir.path().join("data"))
        .output()
        .unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("without TLS") && said.contains("plaintext = \"accept\""), "{said}");
}
