//! Hours of the week as the office lives them: a statutory holiday is a Sunday, a Sunday that is worked is a workday.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::Timestamp;

/// Hours of a week.
pub const SLOTS: usize = 168;
/// The day whose hours a rest day has: Sunday.
const REST: usize = 6;
/// The day whose hours a worked rest day has: Friday.
const WORK: usize = 4;

/// The office's days.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    holidays: BTreeSet<Date>,
    workdays: BTreeSet<Date>,
}

impl Calendar {
    /// The weeks of a zone, with holidays and the rest days that are worked for them.
    pub fn new(zone: TimeZone, holidays: impl IntoIterator<Item = Date>, workdays: impl IntoIterator<Item = Date>) -> Self {
        Self { zone, holidays: holidays.into_iter().collect(), workdays: workdays.into_iter().collect() }
    }

    /// Which hour of which day of the week a moment is, 0 (Monday, midnight) to 167.
    pub fn slot(&self, at: Timestamp) -> usize {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.millis()) else { return 0 };
        let local = moment.to_zoned_datetime(self.zone.clone());
        let date = local.date();
        let of_week = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        let day = if self.holidays.contains(&date) {
            REST
        } else if self.workdays.contains(&date) {
            WORK
        } else {
            of_week
        };
        day * 24 + usize::try_from(local.hour()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_and_worked_sundays_count_as_what_they_are() {
        let day = |month, day| Date::new(2026, month, day).unwrap();
        let calendar = Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), [day(10, 1)], [day(10, 10)]);
        // 2026-10-01 is a Thursday, 2026-10-10 a Saturday, both at 09:30 in Shanghai; 2026-09-30 an ordinary Wednesday.
        for (time, slot) in
            [("2026-10-01T01:30:00Z", 6 * 24 + 9), ("2026-10-10T01:30:00Z", 4 * 24 + 9), ("2026-09-30T01:30:00Z", 2 * 24 + 9)]
        {
            let at = Timestamp::from_millis(time.parse::<jiff::Timestamp>().unwrap().as_millisecond());
            assert_eq!(calendar.slot(at), slot, "{time}");
        }
    }
}
