//! `device test` for people: the device in a few lines, its ports as a table, and how much else it knows.

use std::fmt::Write as _;

use super::ask::Sight;
use super::report::status;
use crate::model::observe::{CounterRow, InterfaceRow};
use crate::model::units::BitsPerSecond;
use crate::model::{DeviceText, PortMetric};

/// Columns wider than this are cut.
const WIDEST: usize = 32;

/// The whole report.
pub(super) fn words(sight: &Sight) -> String {
    let mut text = device(sight);
    text.push('\n');
    text.push_str(&table(&ports(sight)));
    text.push('\n');
    text.push_str(&rest(sight));
    text
}

fn device(sight: &Sight) -> String {
    let inventory = sight.inventory();
    let system = &inventory.system;
    let mut lines = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{name:<12} {value}");
        }
    };
    line("sysName", system.name.as_str());
    line("sysDescr", system.descr.as_str());
    line("sysObjectID", &system.object_id);
    line("sysLocation", system.location.as_str());
    line("sysContact", system.contact.as_str());
    line("sysUpTime", &sight.round.uptime_ticks.map(uptime).unwrap_or_default());
    line("round trip", &sight.round.rtt_us.map(|us| format!("{}.{:03} ms", us / 1000, us % 1000)).unwrap_or_default());
    lines
}

/// Days, hours and minutes of a sysUpTime in hundredths of a second.
fn uptime(ticks: u32) -> String {
    let minutes = ticks / 6000;
    format!("{} d {:02} h {:02} min", minutes / 1440, minutes / 60 % 24, minutes % 60)
}

fn ports(sight: &Sight) -> Vec<Vec<String>> {
    let heading = ["ifIndex", "name", "alias", "admin", "oper", "speed", "in octets", "out octets", "in errors", "out errors"];
    let inventory = sight.inventory();
    let counters = |row: &InterfaceRow| sight.round.rows.iter().find(|counters| counters.if_index.0 == row.if_index);
    let rows = inventory.interfaces.iter().map(|row| port(row, counters(row)));
    std::iter::once(heading.map(str::to_owned).to_vec()).chain(rows).collect()
}

fn port(row: &InterfaceRow, counters: Option<&CounterRow>) -> Vec<String> {
    let text = |text: &Option<DeviceText>| text.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default();
    let name = Some(text(&row.if_name)).filter(|name| !name.is_empty()).unwrap_or_else(|| text(&row.if_descr));
    let state = |state: Option<u8>| match state.map(status) {
        Some(serde_json::Value::String(word)) => word,
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    let high = row.if_high_speed.filter(|&speed| speed > 0).map(|speed| speed.saturating_mul(1_000_000));
    let speed = high.or(row.if_speed).filter(|&speed| speed > 0);
    let counter = |metric: PortMetric| {
        let value = counters.and_then(|counters| counters.values.get(metric.index()).copied().flatten());
        value.map_or_else(|| "-".to_owned(), |value| value.to_string())
    };
    vec![
        row.if_index.to_string(),
        name,
        text(&row.if_alias),
        state(row.admin),
        state(row.oper),
        speed.map_or_else(|| "-".to_owned(), |speed| BitsPerSecond(speed as f64).to_string()),
        counter(PortMetric::InOctets),
        counter(PortMetric::OutOctets),
        counter(PortMetric::InErrors),
        counter(PortMetric::OutErrors),
    ]
}

fn rest(sight: &Sight) -> String {
    let mut text = format!(
        "{} learnt addresses, {} addresses in the neighbour cache, {} LLDP neighbours, {} VLANs\n",
        sight.tables.fdb.len(),
        sight.tables.media.len().max(sight.tables.physical.len()),
        sight.tables.neighbours.len(),
        sight.tables.vlans.len()
    );
    for (neighbour, if_index) in &sight.tables.neighbours {
        let at = if_index.map_or_else(|| format!("local port {}", neighbour.local_port), |if_index| format!("ifIndex {if_index}"));
        let name = neighbour.name.as_ref().map(|name| name.as_str()).filter(|name| !name.is_empty());
        let who = name.or(neighbour.chassis.as_deref()).unwrap_or("?");
        let port = neighbour.port.as_deref().unwrap_or("?");
        let _ = writeln!(text, "neighbour at {at}: {who}, port {port}");
    }
    for vlan in &sight.tables.vlans {
        let name = vlan.name.as_ref().map_or("", |name| name.as_str());
        let _ = writeln!(text, "VLAN {} {name}: {} ports, {} of them untagged", vlan.number, vlan.egress.len(), vlan.untagged.len());
    }
    text.truncate(text.trim_end().len());
    text
}

/// Columns side by side: numbers to the right, words to the left. East Asian characters count for two.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cut: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| shorten(cell)).collect()).collect();
    let widths: Vec<usize> =
        (0..columns).map(|column| cut.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)).collect();
    let is_number = |column: usize| column == 0 || column >= 5;
    let mut text = String::new();
    for row in &cut {
        let mut line = String::new();
        for (column, (cell, &wide)) in row.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(wide.saturating_sub(width(cell)));
            let gap = if column == 0 { "" } else { "  " };
            let (before, after) = if is_number(column) { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
            line.push_str(&[gap, before, cell, after].concat());
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn shorten(cell: &str) -> String {
    if width(cell) <= WIDEST {
        return cell.to_owned();
    }
    let mut taken = 0;
    let kept: String = cell
        .chars()
        .take_while(|&c| {
            taken += char_width(c);
            taken < WIDEST
        })
        .collect();
    kept + "…"
}

fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

const fn char_width(c: char) -> usize {
    if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
    {
        2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_long_names_keep_the_columns_straight() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let text = table(&[row(["1", "Gi0/1", "上联核心"]), row(["10101", "a name that is longer than any column may be", "x"])]);
        assert_eq!(text, "    1  Gi0/1                             上联核心\n10101  a name that is longer than any …  x\n");
    }

    #[test]
    fn uptimes_are_told_in_days() {
        assert_eq!(uptime(8_640_000 + 366_000), "1 d 01 h 01 min");
    }
}
