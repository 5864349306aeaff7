//! What webhooks are told, each in its own language: JSON of ours with an HMAC-SHA256 (RFC 2104) over time and body, the
//! robots of DingTalk, WeCom and Feishu as their makers describe them, and Alertmanager's API v2. Pure.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp as Instant;
use serde_json::{Value, json};
use sha2::Sha256;

use super::delivery::Refusal;
use super::letter::{Letter, Reader, sentence};
use super::store::{Kind, Parcel};
use crate::config::notify::{HookKind, WebhookSettings};
use crate::model::notice::Change;
use crate::model::{Notice, Severity, Timestamp};

/// What a robot takes, in octets of UTF-8.
const WECOM_MOST: usize = 4_000;
const ROBOT_MOST: usize = 18_000;
/// Alertmanager forgets alerts that are not sent again; those of an incident stay until it is over, or for so long.
const ALERT_KEPT_MS: i64 = 30 * 86_400_000;

/// A call that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Where; may hold the robot's key.
    pub url: String,
    /// The headers beside Content-Type.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// The call that tells a parcel to a webhook.
pub fn call(hook: &WebhookSettings, parcel: &Parcel, letter: &Letter, reader: &Reader, now: Timestamp) -> Call {
    let url = hook.url.expose();
    let secret = hook.secret.as_ref().map(|secret| secret.expose());
    match hook.kind {
        HookKind::Generic => generic(url, secret, &ours(parcel, letter, reader, now), parcel, now),
        HookKind::Dingtalk => {
            let url = secret.map_or_else(|| url.to_owned(), |secret| dingtalk_url(url, secret, now));
            let text = cut(&format!("### {}\n\n{}", letter.subject, letter.text), ROBOT_MOST);
            plain(url, &json!({ "msgtype": "markdown", "markdown": { "title": letter.subject, "text": text } }))
        }
        HookKind::Wecom => {
            let text = cut(&format!("### {}\n{}", letter.subject, letter.text), WECOM_MOST);
            plain(url.to_owned(), &json!({ "msgtype": "markdown", "markdown": { "content": text } }))
        }
        HookKind::Feishu => plain(url.to_owned(), &feishu(letter, secret, now)),
        HookKind::Alertmanager => {
            let mut call = plain(format!("{}/api/v2/alerts", url.trim_end_matches('/')), &alerts(parcel, reader));
            call.headers.extend(secret.map(|token| ("authorization", format!("Bearer {token}"))));
            call
        }
    }
}

fn plain(url: String, body: &Value) -> Call {
    Call { url, headers: Vec::new(), body: body.to_string() }
}

/// Our own form. Its keys are an interface.
fn ours(parcel: &Parcel, letter: &Letter, reader: &Reader, now: Timestamp) -> Value {
    let late: Option<Value> = (parcel.kind == Kind::Second).then(|| serde_json::from_str(parcel.body.as_deref()?).ok()).flatten();
    let link = |notice: &Notice| reader.url.as_ref().map(|url| format!("{url}/incident/{}", notice.incident.0));
    let links: Vec<Option<String>> = parcel.notices.iter().map(link).collect();
    json!({
        "version": 1,
        "id": parcel.message_id,
        "kind": parcel.kind.word(),
        "sent": now,
        "repeat": parcel.is_repeat,
        "subject": letter.subject,
        "text": letter.text,
        "rules": parcel.why.split(", ").collect::<Vec<_>>(),
        "total": parcel.total,
        "notices": parcel.notices,
        "links": links,
        "late": late,
    })
}

fn generic(url: &str, secret: Option<&str>, body: &Value, parcel: &Parcel, now: Timestamp) -> Call {
    let mut call = plain(url.to_owned(), body);
    call.headers.push(("x-netroom-delivery", parcel.message_id.clone()));
    call.headers.push(("x-netroom-timestamp", now.secs().to_string()));
    if let Some(secret) = secret {
        let signature = hex(&sign(secret.as_bytes(), format!("{}.{}", now.secs(), call.body).as_bytes()));
        call.headers.push(("x-netroom-signature", format!("sha256={signature}")));
    }
    call
}

/// The key is the secret, the text is time and secret; both go into the address.
fn dingtalk_url(url: &str, secret: &str, now: Timestamp) -> String {
    let stamp = now.millis();
    let signature = STANDARD.encode(sign(secret.as_bytes(), format!("{stamp}\n{secret}").as_bytes()));
    let mut escaped = String::new();
    for c in signature.chars() {
        match c {
            '+' => escaped.push_str("%2B"),
            '/' => escaped.push_str("%2F"),
            '=' => escaped.push_str("%3D"),
            c => escaped.push(c),
        }
    }
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}timestamp={stamp}&sign={escaped}")
}

/// The key is time and secret, the text is empty; both go into the body.
fn feishu(letter: &Letter, secret: Option<&str>, now: Timestamp) -> Value {
    let card = json!({
        "header": { "title": { "tag": "plain_text", "content": letter.subject } },
        "elements": [{ "tag": "markdown", "content": cut(&letter.text, ROBOT_MOST) }],
    });
    let mut body = json!({ "msg_type": "interactive", "card": card });
    if let (Some(secret), Some(body)) = (secret, body.as_object_mut()) {
        let stamp = now.secs().to_string();
        body.insert("sign".to_owned(), STANDARD.encode(sign(format!("{stamp}\n{secret}").as_bytes(), b"")).into());
        body.insert("timestamp".to_owned(), stamp.into());
    }
    body
}

/// One alert for each incident, by its last change; labels stay the same for as long as the severity does.
fn alerts(parcel: &Parcel, reader: &Reader) -> Value {
    let mut alerts = Vec::new();
    for notice in &parcel.notices {
        alerts.push(alert(notice, notice.severity, notice.change == Change::Cleared, reader));
        if notice.change == Change::Worsened {
            // Another severity is another alert there: the one before is over.
            let before = Severity::ALL.into_iter().filter(|severity| *severity < notice.severity);
            alerts.extend(before.map(|severity| alert(notice, severity, true, reader)));
        }
    }
    Value::Array(alerts)
}

fn alert(notice: &Notice, severity: Severity, is_over: bool, reader: &Reader) -> Value {
    let ends = if is_over { notice.at } else { Timestamp::from_millis(notice.at.millis() + ALERT_KEPT_MS) };
    let mut labels = json!({
        "alertname": &*notice.rule,
        "incident": notice.incident.0.to_string(),
        "subject": notice.subject.to_string(),
        "severity": severity.word(),
        "source": "netroom",
    });
    if let Some(labels) = labels.as_object_mut().filter(|_| !notice.site.is_empty()) {
        labels.insert("site".to_owned(), (&*notice.site).into());
    }
    let mut alert = json!({
        "labels": labels,
        "annotations": { "summary": sentence(reader.lang, notice, &reader.zone), "subject": notice.subject.name() },
        "startsAt": rfc3339(notice.opened),
        "endsAt": rfc3339(ends),
    });
    if let (Some(url), Some(alert)) = (&reader.url, alert.as_object_mut()) {
        alert.insert("generatorURL".to_owned(), format!("{url}/incident/{}", notice.incident.0).into());
    }
    alert
}

fn rfc3339(at: Timestamp) -> String {
    Instant::from_millisecond(at.millis()).unwrap_or(Instant::UNIX_EPOCH).to_string()
}

/// What an answer means. `Ok` is taken; else whether trying again may help, and why.
///
/// # Errors
/// When the other side did not take it.
pub fn verdict(kind: HookKind, status: u16, body: &str) -> Result<(), (Refusal, String)> {
    let said: String = body.chars().filter(|c| !c.is_control()).take(300).collect();
    match status {
        200..=299 => {}
        300..=399 => {
            return Err((
                Refusal::Temporary,
                format!("it answers {status}, a redirect, which is not followed: write the address that it leads to"),
            ));
        }
        400 | 413 | 422 => return Err((Refusal::Permanent, format!("it answers {status}: {said}"))),
        401 | 403 => return Err((Refusal::Temporary, format!("it answers {status}, not allowed: check `url` and `secret`: {said}"))),
        _ => return Err((Refusal::Temporary, format!("it answers {status}: {said}"))),
    }
    let keys: &[&str] = match kind {
        HookKind::Dingtalk | HookKind::Wecom => &["errcode"],
        HookKind::Feishu => &["code", "StatusCode"],
        HookKind::Generic | HookKind::Alertmanager => return Ok(()),
    };
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    match keys.iter().find_map(|key| answer[*key].as_i64()) {
        Some(0) => Ok(()),
        // Robots answer 200 with a code of their own when they are asked too often or the signature is wrong.
        _ => Err((Refusal::Temporary, format!("the robot does not take it: {said}"))),
    }
}

fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec()).unwrap_or_default()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// At most so many octets, at a whole character.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= most.saturating_sub(3)).last().unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Secret;
    use crate::i18n::Lang;
    use crate::notify::letter::sample_notice;
    use crate::notify::route::Target;

    fn hook(kind: HookKind, secret: Option<&str>) -> WebhookSettings {
        let url = Secret::new("https://robot.example.org/send?access_token=k");
        WebhookSettings { name: "office".into(), kind, url, secret: secret.map(Secret::new), ca: None, timeout: Duration::from_secs(10) }
    }

    fn parcel() -> Parcel {
        Parcel {
            id: 1,
            kind: Kind::Alarm,
            person: None,
            target: Target::Hook("office".into()),
            why: "core".into(),
            message_id: "m1@x".into(),
            thread: None,
            is_repeat: false,
            created: Timestamp::from_secs(0),
            notices: vec![sample_notice()],
            total: 1,
            body: None,
        }
    }

    fn make(kind: HookKind, secret: Option<&str>) -> Call {
        let letter = Letter { subject: "主题".into(), text: "正".repeat(9_000), html: None };
        call(&hook(kind, secret), &parcel(), &letter, &Reader::sample(Lang::En), Timestamp::from_secs(1_700_000_000))
    }

    /// Signatures made with another implementation: Python's hmac, hashlib and base64.
    #[test]
    fn robots_are_signed_as_their_makers_say() {
        let ding = make(HookKind::Dingtalk, Some("SECabc"));
        assert_eq!(
            ding.url,
            "https://robot.example.org/send?access_token=k&timestamp=1700000000000&sign=jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM%3D"
        );
        let feishu: Value = serde_json::from_str(&make(HookKind::Feishu, Some("SECabc")).body).unwrap();
        assert_eq!(
            (feishu["timestamp"].as_str(), feishu["sign"].as_str()),
            (Some("1700000000"), Some("XprR1de+0SSBnwWyU/4k6x2TL+Q2SJlM5NNEdAv7MWg="))
        );
        assert_eq!(
            hex(&sign(b"key", b"The quick brown fox jumps over the lazy dog")),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
        );
    }

    #[test]
    fn ours_is_signed_over_time_and_body() {
        let call = make(HookKind::Generic, Some("s"));
        let header = |name| call.headers.iter().find(|(header, _)| *header == name).unwrap().1.clone();
        let expected = hex(&sign(b"s", format!("1700000000.{}", call.body).as_bytes()));
        assert_eq!((header("x-netroom-timestamp"), header("x-netroom-signature")), ("1700000000".to_owned(), format!("sha256={expected}")));
        let body: Value = serde_json::from_str(&call.body).unwrap();
        assert_eq!(
            (&body["notices"][0]["subject"], &body["links"][0]),
            (&"port:sw-a3/Gi0/17".into(), &"https://netroom.example.org/incident/17".into())
        );
        assert!(make(HookKind::Generic, None).headers.iter().all(|(name, _)| *name != "x-netroom-signature"));
    }

    #[test]
    fn robots_get_no_more_than_they_take() {
        let wecom: Value = serde_json::from_str(&make(HookKind::Wecom, None).body).unwrap();
        assert!(wecom["markdown"]["content"].as_str().unwrap().len() <= 4_096);
    }

    #[test]
    fn alertmanager_is_told_until_when() {
        let call = make(HookKind::Alertmanager, Some("token"));
        assert!(call.url.ends_with("/api/v2/alerts"));
        assert_eq!(call.headers, [("authorization", "Bearer token".to_owned())]);
        let worse = Parcel { notices: vec![Notice { change: Change::Worsened, ..sample_notice() }], ..parcel() };
        let told = alerts(&worse, &Reader::sample(Lang::En));
        let over: Vec<(&str, bool)> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| (alert["labels"]["severity"].as_str().unwrap(), alert["endsAt"].as_str().unwrap() < "2026-12-01"))
            .collect();
        assert_eq!(over, [("major", false), ("info", true), ("minor", true)]);
    }

    #[test]
    fn answers_are_understood() {
        for (kind, status, body, result) in [
            (HookKind::Generic, 204, "", None),
            (HookKind::Generic, 302, "", Some(Refusal::Temporary)),
            (HookKind::Generic, 400, "bad", Some(Refusal::Permanent)),
            (HookKind::Generic, 503, "", Some(Refusal::Temporary)),
            (HookKind::Dingtalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, None),
            (HookKind::Dingtalk, 200, r#"{"errcode":310000,"errmsg":"sign not match"}"#, Some(Refusal::Temporary)),
            (HookKind::Wecom, 200, "<html>", Some(Refusal::Temporary)),
            (HookKind::Feishu, 200, r#"{"StatusCode":0,"StatusMessage":"success"}"#, None),
            (HookKind::Feishu, 200, r#"{"code":19021,"msg":"sign match fail"}"#, Some(Refusal::Temporary)),
            (HookKind::Alertmanager, 200, "", None),
        ] {
            assert_eq!(verdict(kind, status, body).err().map(|(refusal, _)| refusal), result, "{kind:?} {status} {body}");
        }
    }
}
