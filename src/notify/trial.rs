//! `netroom mail test`: one mail to one person at once, past the outbox, to see whether the settings are good.

use thiserror::Error;

use super::driver::Setup;
use super::letter::{Letter, time};
use super::mail::{self, Head, MailError};
use super::smtp::{Handed, Session, SmtpError};
use crate::config::notify::MailSettings;
use crate::config::people::PersonSettings;
use crate::i18n;
use crate::model::Timestamp;

/// Why the test mail did not go.
#[derive(Debug, Error)]
pub enum TrialError {
    /// It cannot be written.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The server, or the way to it.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The server did not answer after the end of the mail.
    #[error("the mail server did not answer after the end of the mail ({0}); it may have arrived: look into the mailbox")]
    Unanswered(String),
}

/// Sends the mail; gives back what the server said when it took it.
///
/// # Errors
/// What kept it from being taken, and what to do.
pub async fn send(setup: &Setup, settings: &MailSettings, person: &PersonSettings, now: Timestamp) -> Result<String, TrialError> {
    let lang = person.language;
    let text = format!("{}\n\n{}\n{}\n", i18n::text(lang, "notify-test"), person.name, time(now, &setup.zone));
    let letter = Letter { subject: i18n::text(lang, "notify-test-subject"), text, html: None };
    let head = Head { message_id: format!("test.{}@{}", now.millis(), mail::domain(settings)), thread: None, date: now, is_repeat: false };
    let ready = mail::write(&letter, &head, None, settings, person)?;
    let mut session = Session::open(settings).await?;
    let handed = session.deliver(&ready, || async { true }).await;
    session.close().await;
    match handed {
        Handed::Accepted(said) => Ok(said),
        Handed::Refused(_, error) => Err(error.into()),
        Handed::Unanswered(why) => Err(TrialError::Unanswered(why)),
        Handed::Unmarked => Err(TrialError::Unanswered("it was held back".to_owned())),
    }
}
