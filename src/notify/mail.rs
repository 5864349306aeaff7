//! A letter as a mail (RFC 5322, RFC 2045): plain text and HTML, the picture beside them, one conversation for an incident.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use thiserror::Error;

use super::letter::Letter;
use crate::config::notify::MailSettings;
use crate::config::people::PersonSettings;
use crate::model::Timestamp;

/// Why a mail cannot be written.
#[derive(Debug, Error)]
pub enum MailError {
    /// Not one that RFC 5321 knows.
    #[error("\"{0}\" is no mail address; correct it in the configuration")]
    Address(String),
    /// The parts do not make a mail.
    #[error("the mail cannot be put together: {0}")]
    Parts(#[from] lettre::error::Error),
}

/// What stands in the head of a mail.
#[derive(Clone, Debug)]
pub struct Head {
    /// Without brackets.
    pub message_id: String,
    /// The Message-ID that the conversation began with, without brackets.
    pub thread: Option<String>,
    /// When it is written.
    pub date: Timestamp,
    /// Whether it may have arrived before.
    pub is_repeat: bool,
}

/// A mail that is ready to go.
#[derive(Clone, Debug)]
pub struct Ready {
    /// From whom and to whom, for the server.
    pub envelope: Envelope,
    /// The mail.
    pub octets: Vec<u8>,
}

/// The Content-ID of the picture.
pub const PICTURE: &str = "graph@netroom";

/// Puts a mail together.
///
/// # Errors
/// When an address is none.
pub fn write(
    letter: &Letter,
    head: &Head,
    picture: Option<Vec<u8>>,
    settings: &MailSettings,
    to: &PersonSettings,
) -> Result<Ready, MailError> {
    let from = address(&settings.from)?;
    let to_address = address(to.email.as_deref().unwrap_or_default())?;
    let millis = u64::try_from(head.date.millis()).unwrap_or(0);
    let mut message = Message::builder()
        .from(Mailbox::new(Some("netroom".to_owned()), from.clone()))
        .to(Mailbox::new(Some(to.name.to_string()), to_address.clone()))
        .subject(letter.subject.clone())
        .date(UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(format!("<{}>", head.message_id)))
        // Out-of-office answers must not come back (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated"));
    if let Some(thread) = &head.thread {
        message = message.in_reply_to(format!("<{thread}>")).references(format!("<{thread}>"));
    }
    if head.is_repeat {
        message = message.raw_header(header("X-Netroom-Repeat", "possible"));
    }
    let envelope = Envelope::new(Some(from), vec![to_address])?;
    let Some(html) = &letter.html else {
        let octets = message.singlepart(SinglePart::plain(letter.text.clone()))?.formatted();
        return Ok(Ready { envelope, octets });
    };
    let both = MultiPart::alternative_plain_html(letter.text.clone(), html.clone());
    let body = match picture {
        Some(png) => {
            let inline = Attachment::new_inline_with_name(PICTURE.to_owned(), "traffic.png".to_owned());
            // "image/png" is a content type; a library that thinks otherwise gets the general one.
            let kind = ContentType::parse("image/png").unwrap_or(ContentType::TEXT_PLAIN);
            MultiPart::related().multipart(both).singlepart(inline.body(png, kind))
        }
        None => both,
    };
    Ok(Ready { envelope, octets: message.multipart(body)?.formatted() })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn address(text: &str) -> Result<Address, MailError> {
    text.parse().map_err(|_| MailError::Address(text.to_owned()))
}

/// The part of a mail address behind the `@`, that Message-IDs end with.
pub fn domain(settings: &MailSettings) -> &str {
    settings.from.rsplit('@').next().unwrap_or("netroom.invalid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::notify::Tls;
    use crate::notify::roster::tests::person;

    fn settings() -> MailSettings {
        MailSettings {
            server: "localhost".into(),
            port: 25,
            tls: Tls::None,
            login: None,
            from: "netroom@example.org".into(),
            hello: None,
            ca: None,
            timeout: Duration::from_secs(10),
        }
    }

    #[test]
    fn a_mail_is_one_conversation_in_two_forms_with_its_picture() {
        let letter = Letter { subject: "[严重] 发生".into(), text: "文本".into(), html: Some("<p>文本</p>".into()) };
        let head = Head { message_id: "m2@x".into(), thread: Some("m1@x".into()), date: Timestamp::from_secs(0), is_repeat: true };
        let mail = write(&letter, &head, Some(vec![0x89, b'P', b'N', b'G']), &settings(), &person("wang", &[])).unwrap();
        let text = String::from_utf8(mail.octets).unwrap();
        for part in [
            "Message-ID: <m2@x>",
            "In-Reply-To: <m1@x>",
            "References: <m1@x>",
            "X-Netroom-Repeat: possible",
            "Auto-Submitted: auto-generated",
            "multipart/related",
            "multipart/alternative",
            "text/plain; charset=utf-8",
            "text/html; charset=utf-8",
            "Content-ID: <graph@netroom>",
            "Content-Type: image/png",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(text.is_ascii(), "servers without 8BITMIME take it too");
        assert_eq!(mail.envelope.to()[0].to_string(), "wang@example.org");
    }

    #[test]
    fn a_person_without_an_address_is_told_apart() {
        let letter = Letter { subject: String::new(), text: String::new(), html: None };
        let head = Head { message_id: "m".into(), thread: None, date: Timestamp::from_secs(0), is_repeat: false };
        let nobody = PersonSettings { email: None, ..person("wang", &[]) };
        assert!(matches!(write(&letter, &head, None, &settings(), &nobody), Err(MailError::Address(_))));
    }
}
