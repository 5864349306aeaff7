//! The conversation with the mail server (RFC 5321), step by step: so that it is known for each failure whether the mail may
//! have arrived, and so that the disk knows before the last step that it comes.

use std::error::Error as _;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use thiserror::Error as ThisError;
use tokio::time::timeout;

use super::delivery::Refusal;
use super::mail::Ready;
use crate::config::notify::{MailSettings, Tls};

/// Why a mail server did not take a mail, or cannot be talked to.
#[derive(Debug, ThisError)]
pub enum SmtpError {
    /// No connection.
    #[error("the mail server {0} cannot be reached: {1}; check `server` and `port` in [notify.mail], the server and the firewall between")]
    Connect(String, String),
    /// It took longer than `timeout`.
    #[error("the mail server {0} did not answer within {1:?} ({2}); is it a mail server, and is `tls` right for its port?")]
    Timeout(String, Duration, &'static str),
    /// The certificate, or TLS at all.
    #[error("no encrypted connection to the mail server {0}: {1}; {2}")]
    Tls(String, String, &'static str),
    /// The file of the authority.
    #[error("the certificate {0} cannot be used: {1}; write a PEM file of the authority into `ca` of [notify.mail]")]
    Authority(String, String),
    /// The server does not offer STARTTLS.
    #[error(
        "the mail server {0} offers no STARTTLS; nothing was sent in clear: write tls = \"implicit\" (port 465), or tls = \"none\" for a relay in this room"
    )]
    NoStarttls(String),
    /// The password.
    #[error("the mail server {0} refuses the account: {1}; check `user` and its password in [notify.mail]")]
    Login(String, String),
    /// The server wants something else than a password.
    #[error("the mail server {0} offers no login by password on this connection: {1}; check `tls`, or remove `user` for a relay")]
    NoLogin(String, String),
    /// The sender's address.
    #[error("the mail server {0} does not take mail from `from`: {1}")]
    Sender(String, String),
    /// The recipient's address.
    #[error("the mail server {0} does not take mail for this recipient: {1}")]
    Recipient(String, String),
    /// The mail itself.
    #[error("the mail server {0} did not take the mail: {1}")]
    Content(String, String),
}

impl SmtpError {
    /// Whether trying again may help.
    const fn refusal(&self, is_permanent: bool) -> Refusal {
        match (self, is_permanent) {
            (Self::Recipient(..) | Self::Content(..), true) => Refusal::Permanent,
            (Self::Recipient(..) | Self::Content(..) | Self::Sender(..), _) => Refusal::Temporary,
            _ => Refusal::Unreachable,
        }
    }
}

/// How a try ended.
#[derive(Debug)]
pub enum Handed {
    /// The server has taken it, in its words.
    Accepted(String),
    /// It has not.
    Refused(Refusal, SmtpError),
    /// The mail went out to its end, and no answer came.
    Unanswered(String),
    /// The disk did not take the mark, so that nothing was handed over.
    Unmarked,
}

/// A connection that is open to take mails.
pub struct Session {
    connection: AsyncSmtpConnection,
    server: String,
    timeout: Duration,
}

impl Session {
    /// Connects, encrypts and logs in.
    ///
    /// # Errors
    /// What the server or the way to it refuses.
    pub async fn open(settings: &MailSettings) -> Result<Self, SmtpError> {
        let server = format!("{}:{}", settings.server, settings.port);
        let hello = settings.hello.as_deref().map_or_else(ClientId::default, |name| ClientId::Domain(name.to_owned()));
        let parameters = parameters(settings)?;
        let implicit = (settings.tls == Tls::Implicit).then(|| parameters.clone()).flatten();
        let at = (settings.server.to_string(), settings.port);
        // The library bounds each way that a name resolves to; all of them together are bounded here.
        let connecting = AsyncSmtpConnection::connect_tokio1(at, Some(settings.timeout), &hello, implicit, None);
        let connection = timeout(settings.timeout, connecting).await;
        let connection = connection.map_err(|_| SmtpError::Timeout(server.clone(), settings.timeout, "connecting"))?;
        let connection = connection.map_err(|error| broken(&server, &error))?;
        let mut session = Self { connection, server, timeout: settings.timeout };
        if let (Tls::Starttls, Some(parameters)) = (settings.tls, parameters) {
            session.encrypt(parameters, &hello).await?;
        }
        if let Some((user, password)) = &settings.login {
            session.login(user, password.expose()).await?;
        }
        Ok(session)
    }

    async fn encrypt(&mut self, parameters: TlsParameters, hello: &ClientId) -> Result<(), SmtpError> {
        if !self.connection.can_starttls() {
            return Err(SmtpError::NoStarttls(self.server.clone()));
        }
        let upgraded = timeout(self.timeout, self.connection.starttls(parameters, hello)).await;
        let upgraded = upgraded.map_err(|_| SmtpError::Timeout(self.server.clone(), self.timeout, "STARTTLS"))?;
        upgraded.map_err(|error| broken(&self.server, &error))
    }

    async fn login(&mut self, user: &str, password: &str) -> Result<(), SmtpError> {
        let credentials = Credentials::new(user.to_owned(), password.to_owned());
        let answer = timeout(self.timeout, self.connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)).await;
        let answer = answer.map_err(|_| SmtpError::Timeout(self.server.clone(), self.timeout, "login"))?;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.is_client() => Err(SmtpError::NoLogin(self.server.clone(), words(&error))),
            Err(error) if error.status().is_some() => Err(SmtpError::Login(self.server.clone(), words(&error))),
            Err(error) => Err(broken(&self.server, &error)),
        }
    }

    /// Hands over one mail. `mark` runs when the server waits for the mail itself, before its end is written: the point
    /// of no return.
    pub async fn deliver<M: Future<Output = bool>>(&mut self, mail: &Ready, mark: impl FnOnce() -> M) -> Handed {
        if let Err((refusal, error)) = self.announce(mail).await {
            return Handed::Refused(refusal, error);
        }
        if !mark().await {
            // The server waits for a mail that does not come: the connection is of no use any more.
            return Handed::Unmarked;
        }
        let answer = timeout(self.timeout * 3, self.connection.message(&mail.octets)).await;
        match answer {
            Ok(Ok(response)) => Handed::Accepted(response.message().collect::<Vec<_>>().join(" ")),
            Ok(Err(error)) if error.status().is_some() => {
                let refused = SmtpError::Content(self.server.clone(), words(&error));
                Handed::Refused(refused.refusal(error.is_permanent()), refused)
            }
            Ok(Err(error)) => Handed::Unanswered(words(&error)),
            Err(_) => Handed::Unanswered(format!("no answer within {:?} after the end of the mail", self.timeout * 3)),
        }
    }

    /// MAIL, RCPT, DATA.
    async fn announce(&mut self, mail: &Ready) -> Result<(), (Refusal, SmtpError)> {
        let from = Mail::new(mail.envelope.from().cloned(), Vec::new());
        self.say("MAIL", self.timeout, from, SmtpError::Sender).await?;
        for to in mail.envelope.to() {
            self.say("RCPT", self.timeout, Rcpt::new(to.clone(), Vec::new()), SmtpError::Recipient).await?;
        }
        self.say("DATA", self.timeout, Data, SmtpError::Content).await
    }

    async fn say(
        &mut self,
        step: &'static str,
        within: Duration,
        command: impl std::fmt::Display,
        refused: fn(String, String) -> SmtpError,
    ) -> Result<(), (Refusal, SmtpError)> {
        match timeout(within, self.connection.command(command)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.status().is_some() => {
                let is_permanent = error.is_permanent() && concerns_mail(&error);
                let error = refused(self.server.clone(), words(&error));
                Err((error.refusal(is_permanent), error))
            }
            Ok(Err(error)) => Err((Refusal::Unreachable, broken(&self.server, &error))),
            Err(_) => Err((Refusal::Unreachable, SmtpError::Timeout(self.server.clone(), within, step))),
        }
    }

    /// Takes leave.
    pub async fn close(mut self) {
        // Whether the server answers the leave-taking is its own affair.
        let _ = timeout(Duration::from_secs(2), self.connection.quit()).await;
    }
}

/// Whether a refusal is about this recipient or mail. 530, 535, 554 at RCPT are about us: login missing, relaying denied.
fn concerns_mail(error: &Error) -> bool {
    error.status().is_some_and(|code| matches!(u16::from(code), 550 | 551 | 552 | 553 | 555 | 556))
}

fn parameters(settings: &MailSettings) -> Result<Option<TlsParameters>, SmtpError> {
    if settings.tls == Tls::None {
        return Ok(None);
    }
    let mut parameters = TlsParameters::builder(settings.server.to_string());
    if let Some(path) = &settings.ca {
        parameters = parameters.add_root_certificate(authority(path)?);
    }
    let built = parameters.build_rustls();
    let unusable = |error: &Error| SmtpError::Tls(settings.server.to_string(), words(error), "check `server` in [notify.mail]");
    built.map(Some).map_err(|error| unusable(&error))
}

fn authority(path: &Path) -> Result<Certificate, SmtpError> {
    let shown = || path.display().to_string();
    let pem = fs::read(path).map_err(|error| SmtpError::Authority(shown(), error.to_string()))?;
    if !pem.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----") {
        return Err(SmtpError::Authority(shown(), "there is no certificate in it".to_owned()));
    }
    Certificate::from_pem(&pem).map_err(|error| SmtpError::Authority(shown(), words(&error)))
}

/// A connection that broke, by what broke it.
fn broken(server: &str, error: &Error) -> SmtpError {
    let said = words(error);
    let remedy = if said.contains("UnknownIssuer") {
        "its certificate is signed by an authority that this machine does not know: write its PEM file into `ca` of [notify.mail]"
    } else if ["Expired", "certificate expired"].iter().any(|word| said.contains(word)) {
        "its certificate has expired: renew it on the server, or set this machine's clock"
    } else if ["NotValidYet", "not valid yet"].iter().any(|word| said.contains(word)) {
        "its certificate is not valid yet: set this machine's clock"
    } else if ["NotValidForName", "not valid for name"].iter().any(|word| said.contains(word)) {
        "its certificate bears another name: write that name into `server` of [notify.mail]"
    } else if error.is_tls() || said.contains("InvalidContentType") || said.contains("corrupt message") {
        "check `tls` and `port` in [notify.mail]: 587 is \"starttls\", 465 is \"implicit\", 25 is \"none\""
    } else {
        return SmtpError::Connect(server.to_owned(), said);
    };
    SmtpError::Tls(server.to_owned(), said, remedy)
}

/// The words of an error and of what caused it, on one line.
fn words(error: &Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_said = cause.to_string();
        if !said.contains(&cause_said) {
            said = format!("{said}: {cause_said}");
        }
        source = cause.source();
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
