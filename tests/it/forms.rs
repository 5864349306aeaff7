//! The forms as people post them: from the pages of a whole daemon, with the mark that the page gave, and without it.

use std::process::Stdio;

use std::io::Write as _;

use crate::process::{Daemon, program, write};

const PASSWORD: &str = "correct horse battery";

/// Somebody at a browser.
struct Browser<'a> {
    daemon: &'a Daemon,
    client: reqwest::Client,
    cookie: String,
}

/// A form of a page: where it goes, and what it carries unseen.
#[derive(Clone, Debug)]
struct PageForm {
    action: String,
    hidden: Vec<(String, String)>,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    Some(tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.to_owned())
}

/// The forms of a page that go to an address with these beginnings and endings.
fn forms(page: &str, begins: &str, ends: &str) -> Vec<PageForm> {
    let forms = page.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap());
    let read = |form: &str| {
        let hidden = form.split("<input").skip(1).map(|input| format!("<input{}", input.split('>').next().unwrap()));
        let hidden = hidden.filter(|input| input.contains("type=\"hidden\""));
        let pair = |input: String| Some((attribute(&input, "name")?, attribute(&input, "value")?));
        Some(PageForm { action: attribute(form.split('>').next().unwrap(), "action")?, hidden: hidden.filter_map(pair).collect() })
    };
    forms.filter_map(read).filter(|form| form.action.starts_with(begins) && form.action.ends_with(ends)).collect()
}

/// As browsers write it.
const FORM: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

fn encoded(fields: &[(String, String)]) -> String {
    let encode = |text: &str| percent_encoding::utf8_percent_encode(text, FORM).to_string();
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

impl<'a> Browser<'a> {
    async fn login(daemon: &'a Daemon, login: &str) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut browser = Self { daemon, client, cookie: String::new() };
        let page = browser.get("/login", "en").await;
        let form = forms(&page, "/login", "").remove(0);
        let answer = browser.send(&form, &[("login", login), ("password", PASSWORD)], true).await;
        assert_eq!(answer.status().as_u16(), 303);
        let cookies = answer.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
        browser.cookie = cookies.collect::<Vec<_>>().join("; ");
        browser
    }

    async fn get(&self, path: &str, language: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.daemon.url)).header("cookie", &self.cookie);
        request.header("accept-language", language).send().await.unwrap().text().await.unwrap()
    }

    async fn send(&self, form: &PageForm, more: &[(&str, &str)], with_mark: bool) -> reqwest::Response {
        let hidden = form.hidden.iter().filter(|(name, _)| with_mark || name != "csrf").cloned();
        let fields: Vec<_> = hidden.chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect();
        let request = self.client.post(format!("{}{}", self.daemon.url, form.action)).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded").header("accept-language", "zh-CN");
        request.body(encoded(&fields)).send().await.unwrap()
    }

    /// Posts the only such form of a page twice: without its mark, which is refused, and as the page gave it.
    async fn post(&self, page: &str, (begins, ends): (&str, &str), more: &[(&str, &str)]) -> (u16, String) {
        let page = self.get(page, "en").await;
        let found = forms(&page, begins, ends);
        let form = found.first().unwrap_or_else(|| panic!("no form to {begins}*{ends} in {page}"));
        assert!(form.hidden.iter().any(|(name, value)| name == "csrf" && !value.is_empty()), "{form:?}");
        let refused = self.send(form, more, false).await;
        assert_eq!(refused.status().as_u16(), 403, "{} without its mark", form.action);
        let answer = self.send(form, more, true).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

fn account(dir: &std::path::Path, login: &str, person: &str, roles: &[&str]) {
    let mut command = program();
    command.args(["user", "add", login, "--person", person, "--password-stdin"]).arg("--config").arg(dir.join("netroom.toml"));
    command.arg("--data").arg(dir.join("data")).args(roles.iter().flat_map(|role| ["--role", role]));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn an_incident_is_acknowledged_commented_muted_and_planned_around_by_its_forms() {
    let dir = tempfile::tempdir().unwrap();
    let config = write(dir.path(), "");
    let daemon = Daemon::start(&config, &dir.path().join("data"));
    account(dir.path(), "wang", "王五", &["network_admin"]);
    // A bad configuration is an incident of netroom's own.
    std::fs::write(&config, "[snmp]\ninterval = \"never\"\n").unwrap();
    daemon.signal("-HUP");
    daemon.wait("/api/v1/incidents", "the incident", |open| open["incidents"].as_array().is_some_and(|all| all.len() == 1)).await;
    let browser = Browser::login(&daemon, "wang").await;
    let form = ("/incident/1", "");

    let (status, page) = browser.post("/incident/1", form, &[("what", "acknowledge"), ("comment", " ")]).await;
    assert!(status == 200 && page.contains("请写明处理情况") && !page.contains("incident-refused-"), "in the reader's language: {page}");
    for (what, comment, hours) in [("acknowledge", "更换配置", "2"), ("comment", "已联系供应商", ""), ("mute", "夜间不扰", "8")]
    {
        let (status, page) = browser.post("/incident/1", form, &[("what", what), ("comment", comment), ("hours", hours)]).await;
        assert_eq!(status, 303, "{what}: {page}");
        let page = browser.get("/incident/1", "zh-CN").await;
        assert!(page.contains(comment) && page.contains("王五"), "{what}: {page}");
    }
    let one = daemon.json("/api/v1/incidents/1").await;
    assert_eq!((&one["incident"]["ack"]["by"], one["incident"]["mute"].is_object()), (&"王五".into(), true), "{one}");

    let window = [("comment", "机房停电检修"), ("from", "2030-01-01T22:00"), ("to", "2030-01-02T02:00"), ("devices", "core-*")];
    assert_eq!(browser.post("/maintenance", ("/maintenance", ""), &window).await.0, 303);
    assert!(browser.get("/maintenance", "zh-CN").await.contains("机房停电检修"));
    assert_eq!(browser.post("/maintenance", ("/maintenance/", "/end"), &[]).await.0, 303);
    assert!(!browser.get("/maintenance", "zh-CN").await.contains("机房停电检修"));

    for (language, word) in [("zh-CN", "通知"), ("en", "Notices")] {
        let page = browser.get("/notices", language).await;
        assert!(page.contains(word) && !page.contains("notify-"), "{page}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn roles_are_given_signed_and_sessions_ended_by_their_forms() {
    let dir = tempfile::tempdir().unwrap();
    let config = write(dir.path(), "");
    let daemon = Daemon::start(&config, &dir.path().join("data"));
    account(dir.path(), "li", "李四", &["system_admin"]);
    account(dir.path(), "wang", "王五", &["security_admin"]);
    account(dir.path(), "zhao", "赵六", &[]);
    let (li, wang) = (Browser::login(&daemon, "li").await, Browser::login(&daemon, "wang").await);
    let give = ("/users/zhao/grant", "");
    assert_eq!(li.post("/users", give, &[("role", "duty")]).await.0, 303);
    assert!(daemon_roles(dir.path(), "zhao").contains("duty"));

    // A role of the three: proposed by one, signed by the other.
    assert_eq!(li.post("/users", give, &[("role", "key_admin")]).await.0, 303);
    assert!(!daemon_roles(dir.path(), "zhao").contains("key_admin"), "one signature is none");
    for (language, word) in [("zh-CN", "待第二人签署"), ("en", "Waiting for a second signature")] {
        assert!(wang.get("/users", language).await.contains(word));
    }
    assert!(forms(&li.get("/users", "en").await, "/users/proposals/", "/sign").is_empty(), "who proposes is not asked to sign");
    assert_eq!(wang.post("/users", ("/users/proposals/", "/sign"), &[]).await.0, 303);
    assert!(daemon_roles(dir.path(), "zhao").contains("key_admin"));
    assert_eq!(
        wang.send(&forms(&wang.get("/users", "en").await, "/users/zhao/grant", "")[0], &[("role", "security_admin")], true).await.status(),
        403
    );
    assert_eq!(wang.post("/users", ("/users/zhao/revoke", ""), &[]).await.0, 303);

    let other = Browser::login(&daemon, "li").await;
    let sessions = forms(&li.get("/account", "en").await, "/account/sessions/", "/end");
    assert_eq!(sessions.len(), 2);
    assert!(other.get("/account", "en").await.contains("李四"));
    for session in &sessions {
        assert_eq!(li.send(session, &[], false).await.status().as_u16(), 403, "without its mark");
    }
    // Each of the two ends what it lists; the first to go may be the asker's own.
    for session in &sessions {
        li.send(session, &[], true).await;
    }
    assert!(!other.get("/account", "en").await.contains("李四") || !li.get("/account", "en").await.contains("李四"));
    daemon.stop().await;
}

fn daemon_roles(dir: &std::path::Path, login: &str) -> String {
    let mut command = program();
    let done = command.args(["user", "list", "--json"]).arg("--config").arg(dir.join("netroom.toml")).arg("--data").arg(dir.join("data"));
    let listed: serde_json::Value = serde_json::from_slice(&done.output().unwrap().stdout).unwrap();
    listed.as_array().unwrap().iter().find(|account| account["login"] == login).unwrap()["roles"].to_string()
}
