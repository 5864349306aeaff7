//! One service: its last checks, its certificate.

use super::super::schedule::HostId;
use super::judge::Effect;
use super::tell::{self, CERTIFICATE, SERVICE_DOWN, SERVICE_SLOW};
use crate::model::{Evidence, Fact, Severity, Subject};

/// A service's number, given once for good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServiceId(pub u32);

/// When a service counts as what.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ServiceThresholds {
    /// Down after so many failures in a row.
    pub down: u8,
    /// Up again after so many successes in a row.
    pub up: u8,
    /// Slow from this time in three checks in a row, nanoseconds; no longer below four fifths of it.
    pub slow_ns: f64,
    /// From so many days on before its end the certificate is told.
    pub certificate_days: i64,
}

impl Default for ServiceThresholds {
    fn default() -> Self {
        Self { down: 3, up: 2, slow_ns: 3e9, certificate_days: 21 }
    }
}

/// A service to be judged.
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceWatch {
    /// Who.
    pub id: ServiceId,
    /// Its key.
    pub subject: Subject,
    /// The host that it runs on, when that is pinged.
    pub host: Option<HostId>,
    /// Whether it is reached without any network.
    pub is_local: bool,
    /// When it counts as what.
    pub thresholds: ServiceThresholds,
}

/// What a certificate says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Days until it ends, rounded down; negative when it has ended.
    pub days: i64,
    /// To whom it was given.
    pub subject: String,
    /// By whom.
    pub issuer: String,
}

/// Why a check failed, as far as a word can say it in every language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The connection is refused: nothing listens there, or a filter says no.
    Refused,
    /// There is no way to the host.
    Unreachable,
    /// Nothing came back in time.
    Timeout,
    /// The connection broke.
    Broken,
    /// No TLS.
    Tls,
    /// No HTTP.
    Http,
    /// An HTTP status that is not a good one.
    Status,
    /// The text is missing in the answer.
    Text,
    /// No answer of DNS, or not the one that is wanted.
    Dns,
}

impl Fault {
    /// The word, as in JSON and in the keys of texts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Status => "status",
            Self::Text => "text",
            Self::Dns => "dns",
        }
    }
}

/// What a check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// When it began (steady nanoseconds).
    pub at_ns: i64,
    /// How long it took, nanoseconds; `None` when it failed.
    pub took_ns: Option<f64>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// The details, or what was answered.
    pub said: String,
    /// The certificate, when there was one.
    pub certificate: Option<Certificate>,
}

/// What stands in the way of judging a failure as the service's own.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Excuse {
    /// Nothing.
    None,
    /// It is not yet decided whether its host is down.
    Undecided,
    /// Its host is out of reach, because of this one.
    Cause(Subject),
}

const SLOW_CHECKS: i8 = 3;

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) watch: ServiceWatch,
    /// `None` until the first verdict.
    pub(super) is_down: Option<bool>,
    failures: u8,
    successes: u8,
    is_slow: bool,
    slow_checks: i8,
    certificate: Option<Severity>,
}

impl Service {
    pub(super) const fn new(watch: ServiceWatch) -> Self {
        Self { watch, is_down: None, failures: 0, successes: 0, is_slow: false, slow_checks: 0, certificate: None }
    }

    pub(super) fn checked(&mut self, checked: &Checked, excuse: Excuse, out: &mut Vec<Effect>) {
        let (at_ns, thresholds) = (checked.at_ns, self.watch.thresholds);
        match checked.took_ns {
            Some(took_ns) => {
                (self.failures, self.successes) = (0, self.successes.saturating_add(1));
                let enough = self.is_down.is_none() || self.successes >= thresholds.up;
                if self.is_down != Some(false) && enough {
                    self.is_down = Some(false);
                    out.push(Effect::Tell(tell::cleared(SERVICE_DOWN, &self.watch.subject, at_ns)));
                }
                self.slow(took_ns, at_ns, out);
            }
            None => {
                (self.failures, self.successes) = (self.failures.saturating_add(1), 0);
                let due = self.is_down != Some(true) && self.failures >= thresholds.down;
                match excuse {
                    Excuse::Undecided => {}
                    Excuse::None if due => self.down(checked, None, out),
                    Excuse::Cause(cause) if due => self.down(checked, Some(cause), out),
                    _ => {}
                }
            }
        }
        let undecided = self.failures > 0 && self.is_down != Some(true) || self.successes > 0 && self.is_down == Some(true);
        if undecided {
            out.push(Effect::CheckAgain(self.watch.id));
        }
        if let Some(certificate) = &checked.certificate {
            self.certificate(certificate, at_ns, out);
        }
    }

    fn down(&mut self, checked: &Checked, cause: Option<Subject>, out: &mut Vec<Effect>) {
        self.is_down = Some(true);
        let fault = checked.fault.map_or("", Fault::word);
        let evidence = Evidence::from([
            ("failed".into(), Fact::Count(self.failures.into())),
            ("fault".into(), Fact::Text(fault.into())),
            ("said".into(), Fact::Text(checked.said.clone())),
        ]);
        let mut finding = tell::raised(SERVICE_DOWN, &self.watch.subject, Severity::Major, checked.at_ns, evidence);
        finding.cause = cause;
        out.push(Effect::Tell(finding));
    }

    fn slow(&mut self, took_ns: f64, at_ns: i64, out: &mut Vec<Effect>) {
        let limit_ns = self.watch.thresholds.slow_ns;
        self.slow_checks = match took_ns {
            took if took > limit_ns => self.slow_checks.max(0) + 1,
            took if took < limit_ns * 0.8 => self.slow_checks.min(0) - 1,
            _ => 0,
        }
        .clamp(-SLOW_CHECKS, SLOW_CHECKS);
        let now = if self.is_slow { self.slow_checks > -SLOW_CHECKS } else { self.slow_checks >= SLOW_CHECKS };
        if std::mem::replace(&mut self.is_slow, now) == now {
            return;
        }
        let subject = &self.watch.subject;
        let evidence = Evidence::from([("took".into(), Fact::Millis(took_ns / 1e6)), ("limit".into(), Fact::Millis(limit_ns / 1e6))]);
        out.push(Effect::Tell(if now {
            tell::raised(SERVICE_SLOW, subject, Severity::Minor, at_ns, evidence)
        } else {
            tell::cleared(SERVICE_SLOW, subject, at_ns)
        }));
    }

    /// Told when it begins and each time it matters more.
    fn certificate(&mut self, certificate: &Certificate, at_ns: i64, out: &mut Vec<Effect>) {
        let now = match certificate.days {
            days if days < 0 => Some(Severity::Critical),
            days if days <= 7 => Some(Severity::Major),
            days if days <= self.watch.thresholds.certificate_days => Some(Severity::Minor),
            _ => None,
        };
        if std::mem::replace(&mut self.certificate, now) == now {
            return;
        }
        let subject = &self.watch.subject;
        out.push(Effect::Tell(match now {
            Some(severity) => {
                let evidence = Evidence::from([
                    ("days".into(), Fact::Count(certificate.days.max(0).unsigned_abs())),
                    ("certificate".into(), Fact::Text(certificate.subject.clone())),
                    ("issuer".into(), Fact::Text(certificate.issuer.clone())),
                ]);
                tell::raised(CERTIFICATE, subject, severity, at_ns, evidence)
            }
            None => tell::cleared(CERTIFICATE, subject, at_ns),
        }));
    }
}
