//! The numbers of a picture for the script in the page: equal steps need no time stamps, and a rate needs no more than
//! five significant digits.
//!
//! `{"t0":1763856000,"step":300,"unit":"bit/s","s":[[in],[out],[in max],[out max]],"gaps":[[from,to,"timeout"]],
//! "usual":[[in low],[in high],[out low],[out high]]}`: times in seconds since the epoch, unknown values `null`, maxima empty
//! where the picture has none, `usual` only where it is known.

use std::fmt::Write as _;

use crate::series::history::History;

use super::chart::Trace;
use super::kind::Kind;
use super::usual::{Range, Usual};

/// The JSON text of an answer of the store, in the unit of the picture; `usual` in bits per second.
pub fn json(kind: Kind, history: &History, speed_bps: Option<u64>, usual: Option<Usual>) -> String {
    let factor = kind.factor(speed_bps);
    let inbound = Trace::of(history, kind.inbound(), factor);
    let outbound = Trace::of(history, kind.outbound(), factor);
    let mut out = String::with_capacity(64 + 16 * inbound.average.len() + 48 * history.gaps.len());
    let _ = write!(out, "{{\"t0\":{},\"step\":{},\"unit\":\"{}\",\"s\":[", history.t0.secs(), history.step_s, kind.unit().symbol());
    for (index, values) in [&inbound.average, &outbound.average, &inbound.maximum, &outbound.maximum].into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        array(&mut out, values);
    }
    out.push_str("],\"gaps\":[");
    for (index, gap) in history.gaps.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let _ = write!(out, "[{},{},\"{}\"]", gap.from.secs(), gap.to.secs(), gap.reason.word());
    }
    out.push(']');
    if let Some(usual) = usual.and_then(|usual| usual.of(kind, speed_bps)) {
        ranges(&mut out, &usual);
    }
    out.push('}');
    out
}

fn ranges(out: &mut String, usual: &Usual) {
    let low = |ranges: &[Range]| ranges.iter().map(|range| range.map(|(low, _)| low)).collect::<Vec<_>>();
    let high = |ranges: &[Range]| ranges.iter().map(|range| range.map(|(_, high)| high)).collect::<Vec<_>>();
    let edges = [low(&usual.inbound), high(&usual.inbound), low(&usual.outbound), high(&usual.outbound)];
    out.push_str(",\"usual\":[");
    for (index, values) in edges.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        array(out, values);
    }
    out.push(']');
}

fn array(out: &mut String, values: &[Option<f64>]) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match value {
            Some(value) => number(out, *value),
            None => out.push_str("null"),
        }
    }
    out.push(']');
}

/// Five significant digits at most, no trailing zeros.
fn number(out: &mut String, value: f64) {
    let mut unit = 1.0;
    while value / unit >= 99_999.5 {
        unit *= 10.0;
    }
    if unit > 1.0 || value >= 9_999.95 {
        let _ = write!(out, "{}", (value / unit).round() as u128 * unit as u128);
        return;
    }
    let (decimals, scale) = match value {
        v if v >= 999.995 => (1, 10),
        v if v >= 99.9995 => (2, 100),
        v if v >= 9.999_95 => (3, 1000),
        v if v >= 0.999_995 => (4, 10_000),
        _ => (5, 100_000),
    };
    let scaled = (value * f64::from(scale)).round() as u32;
    let _ = write!(out, "{}", scaled / scale);
    let mut fraction = scaled % scale;
    let mut digits = decimals;
    if fraction > 0 {
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        let _ = write!(out, ".{fraction:0digits$}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_five_digits_and_no_more() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (7.0, "7"),
            (0.123_456, "0.12346"),
            (1234.56, "1234.6"),
            (9999.96, "10000"),
            (938_123_456.0, "938120000"),
            (400e9, "400000000000"),
            (100_000.0, "100000"),
            (99_999.4, "99999"),
            (99_999.7, "100000"),
            (0.05, "0.05"),
            (999.999, "1000"),
            (0.000_004, "0"),
            (1e21, "1000000000000000000000"),
        ] {
            let mut out = String::new();
            number(&mut out, value);
            assert_eq!(out, text);
        }
    }
}
