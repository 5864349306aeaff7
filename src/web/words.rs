//! The words of a page in the reader's language, with the spacing that Chinese text wants.

use std::time::Duration;

use fluent_bundle::FluentValue;

use crate::accounts::Permission;
use crate::i18n::{self, Lang};
use crate::model::{Gap, Role};
use crate::ports::live::{DeviceState, PortState};

/// Gives out texts in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Words(pub(crate) Lang);

impl Words {
    /// The text of a key.
    pub(crate) fn t(self, key: &str) -> String {
        thin_spaces(i18n::text(self.0, key))
    }

    /// The text of a key with a count `$n`.
    pub(crate) fn n(self, key: &str, n: usize) -> String {
        self.with(key, &[("n", FluentValue::from(n))])
    }

    /// The text of a key with one text `$what`.
    pub(crate) fn what(self, key: &str, what: &str) -> String {
        self.with(key, &[("what", FluentValue::from(what))])
    }

    /// The text of a key with its arguments.
    pub(crate) fn with(self, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
        thin_spaces(i18n::format(self.0, key, values))
    }

    /// The same, with a dash for what is not given.
    pub(crate) fn filled(self, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
        thin_spaces(i18n::filled(self.0, key, values))
    }

    /// A role of the office.
    pub(crate) fn role(self, role: Role) -> String {
        self.t(&format!("access-role-{}", role.word().replace('_', "-")))
    }

    /// What somebody may.
    pub(crate) fn permission(self, permission: Permission) -> String {
        self.t(&format!("access-may-{}", permission.word().replace('_', "-")))
    }

    /// Why a sample or rate is missing.
    pub(crate) fn gap(self, gap: Gap) -> String {
        self.t(&format!("gap-{}", gap.word().replace('_', "-")))
    }

    /// A device's state in a word.
    pub(crate) fn device_state(self, state: DeviceState) -> String {
        self.t(match state {
            DeviceState::Up => "web-device-up",
            DeviceState::Degraded => "web-device-degraded",
            DeviceState::Down => "web-device-down",
            DeviceState::Unknown => "web-device-unknown",
        })
    }

    /// A port's state in a word.
    pub(crate) fn port_state(self, state: PortState) -> String {
        self.t(match state {
            PortState::Up => "web-port-up",
            PortState::Down => "web-port-down",
            PortState::Shut => "web-port-shut",
            PortState::Unknown => "web-port-unknown",
        })
    }

    /// A span in its largest unit: `3 min`, `2 h`, `5 d`.
    pub(crate) fn span(self, span: Duration) -> String {
        let (key, n) = largest_unit(span);
        self.n(key, n)
    }

    /// How long ago: `3 min ago`.
    pub(crate) fn ago(self, span: Duration) -> String {
        if span < Duration::from_secs(2) {
            return self.t("web-just-now");
        }
        self.what("web-ago", &self.span(span))
    }
}

fn largest_unit(span: Duration) -> (&'static str, usize) {
    let secs = usize::try_from(span.as_secs()).unwrap_or(usize::MAX);
    match secs {
        0..60 => ("web-span-seconds", secs),
        60..3_600 => ("web-span-minutes", secs / 60),
        3_600..172_800 => ("web-span-hours", secs / 3_600),
        _ => ("web-span-days", secs / 86_400),
    }
}

/// A blank between Chinese and Latin letters or digits becomes a thin space (U+2009).
fn thin_spaces(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut previous = '\0';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or('\0');
        spaced.push(if c == ' ' && (is_han(previous) || is_han(next)) { '\u{2009}' } else { c });
        previous = c;
    }
    spaced
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_beside_chinese_become_thin() {
        assert_eq!(thin_spaces("3 台设备 up".to_owned()), "3\u{2009}台设备\u{2009}up");
        assert_eq!(thin_spaces("Gi0/1 to café".to_owned()), "Gi0/1 to café");
    }

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        for (secs, unit) in [
            (59, ("web-span-seconds", 59)),
            (60, ("web-span-minutes", 1)),
            (3_600, ("web-span-hours", 1)),
            (172_799, ("web-span-hours", 47)),
            (172_800, ("web-span-days", 2)),
        ] {
            assert_eq!(largest_unit(Duration::from_secs(secs)), unit);
        }
    }
}
