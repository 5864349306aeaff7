//! The two text forms of Prometheus: the classic one (0.0.4) and OpenMetrics 1.0.0.

/// Which text form the reader asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// `text/plain; version=0.0.4`.
    #[default]
    Classic,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

/// The type of a family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Counter,
    Gauge,
    /// Always 1; the labels are what it says. Its name ends in `_info`.
    Info,
}

impl Form {
    /// The form for an Accept header: OpenMetrics only when it is named.
    pub fn accept(header: &str) -> Self {
        let named = header
            .split(',')
            .any(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/openmetrics-text"));
        if named { Self::OpenMetrics } else { Self::Classic }
    }

    /// The Content-Type of the answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What ends the whole text.
    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::Classic => b"",
            Self::OpenMetrics => b"# EOF\n",
        }
    }
}

/// Appends the two lines before a family's samples. `name` is the name of its samples.
pub(super) fn head(out: &mut Vec<u8>, form: Form, name: &str, kind: Type, help: &str) {
    let (family, word) = match (form, kind) {
        (Form::Classic, Type::Counter) => (name, "counter"),
        (Form::Classic, Type::Gauge | Type::Info) | (Form::OpenMetrics, Type::Gauge) => (name, "gauge"),
        (Form::OpenMetrics, Type::Counter) => (name.strip_suffix("_total").unwrap_or(name), "counter"),
        (Form::OpenMetrics, Type::Info) => (name.strip_suffix("_info").unwrap_or(name), "info"),
    };
    for part in ["# HELP ", family, " ", help, "\n# TYPE ", family, " ", word, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends the value of a label: backslash, quote and line feed escaped.
pub(super) fn label_value(out: &mut Vec<u8>, value: &str) {
    let mut rest = value;
    while let Some((plain, special)) = rest.find(['\\', '"', '\n']).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(plain.as_bytes());
        let (first, behind) = special.split_at(1);
        out.extend_from_slice(match first {
            "\n" => b"\\n",
            "\"" => b"\\\"",
            _ => b"\\\\",
        });
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
}

/// The hundred pairs of digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

/// Appends a whole number, two digits at a time: numbers are a third of what a line costs.
pub(super) fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    let mut pair = |value: usize| {
        start -= 2;
        if let (Some(place), Some(pair)) = (digits.get_mut(start..start + 2), PAIRS.get(value)) {
            place.copy_from_slice(pair);
        }
    };
    while value >= 10_000 {
        let low = (value % 10_000) as usize;
        value /= 10_000;
        pair(low % 100);
        pair(low / 100);
    }
    let mut value = value as usize;
    if value >= 100 {
        pair(value % 100);
        value /= 100;
    }
    pair(value);
    // The first pair may begin with a zero.
    start += usize::from(value < 10);
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_whole() {
        for value in [0, 7, 10, 4_294_967_296, 9_007_199_254_740_993, u64::MAX] {
            let mut out = Vec::new();
            number(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut out = Vec::new();
        label_value(&mut out, "a\"b\\c\nd网é");
        assert_eq!(String::from_utf8(out).unwrap(), "a\\\"b\\\\c\\nd网é");
    }

    #[test]
    fn openmetrics_is_given_only_when_asked_for() {
        for (header, form) in [
            ("", Form::Classic),
            ("*/*", Form::Classic),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5",
                Form::OpenMetrics,
            ),
            ("text/plain;version=0.0.4", Form::Classic),
        ] {
            assert_eq!(Form::accept(header), form, "{header}");
        }
    }
}
