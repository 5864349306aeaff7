//! Traffic as a pure function of time: the volume that has passed since 2025 at any moment, exactly and quickly.
//!
//! A day's volume is split over its hours by a shape with some chance, an hour's over twelve 5-minute pieces and each of
//! those over five minutes with heavy-tailed chances (a multiplicative cascade: bursts within bursts, as real traffic has),
//! a minute's evenly. All in whole numbers, so the integral needs no summing and never runs backwards.

use crate::demo::chance::hash;
use crate::model::Timestamp;

/// 2025-01-01 in days since 1970: before it nothing has flowed.
pub const EPOCH_DAY: i64 = 20_089;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// Weeks whose sums are kept; later ones are summed when asked for.
const WEEKS_KEPT: i64 = 400;

/// How a day and a week look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// People at desks: mornings and afternoons, a noon rest, little at weekends, something at night.
    Office,
    /// A computer that is switched off at seven in the evening and over the weekend.
    DeskHours,
    /// Wireless: as the office, with noon and evening peaks.
    Wireless,
    /// Servers: always busy, more by day.
    Server,
    /// Backups from one to five in the morning.
    Night,
    /// The same all day: cameras.
    Flat,
}

/// Weights of the hours of a working day.
const OFFICE: [u16; 24] = [3, 2, 2, 2, 2, 3, 5, 12, 60, 100, 110, 95, 40, 45, 95, 105, 100, 80, 35, 20, 15, 10, 6, 4];
const DESK: [u16; 24] = [0, 0, 0, 0, 0, 0, 0, 0, 60, 100, 110, 95, 40, 45, 95, 105, 100, 80, 30, 0, 0, 0, 0, 0];
const WIRELESS: [u16; 24] = [8, 5, 3, 3, 3, 4, 10, 30, 60, 75, 80, 90, 120, 110, 70, 75, 80, 85, 80, 70, 65, 50, 30, 15];
const SERVER: [u16; 24] = [40, 38, 36, 36, 36, 38, 42, 55, 75, 90, 95, 90, 75, 78, 90, 95, 92, 85, 70, 60, 55, 50, 46, 42];
const NIGHT: [u16; 24] = [20, 220, 260, 240, 180, 40, 8, 8, 10, 12, 12, 12, 10, 10, 12, 12, 12, 10, 8, 8, 8, 8, 8, 10];

impl Shape {
    /// The weight of an hour (0 to 23) on a weekday (Monday is 0); 0 means that the thing is switched off.
    pub const fn hour(self, weekday: i64, hour: usize) -> u16 {
        let weekend = weekday >= 5;
        match self {
            Self::Office => OFFICE[hour],
            Self::DeskHours if weekend => 0,
            Self::DeskHours => DESK[hour],
            Self::Wireless => WIRELESS[hour],
            Self::Server => SERVER[hour],
            Self::Night => NIGHT[hour],
            Self::Flat => 50,
        }
    }

    /// The volume of a weekday in percent of the mean working day.
    const fn day_percent(self, weekday: i64) -> u64 {
        match (self, weekday >= 5) {
            (Self::DeskHours, true) => 0,
            (Self::Office, true) => 12,
            (Self::Wireless, true) => 35,
            (Self::Server, true) => 55,
            _ => 100,
        }
    }
}

/// The local day (since 1970), weekday (Monday is 0) and hour of a moment.
pub const fn local_hour(at: Timestamp, offset_ms: i64) -> (i64, i64, usize) {
    let hour = (at.millis() + offset_ms).div_euclid(HOUR_MS);
    let day = hour.div_euclid(24);
    (day, weekday(day), hour.rem_euclid(24) as usize)
}

const fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// How uneven the pieces of an hour and of 5 minutes are; 0 is even.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Burst {
    /// Of the 5-minute pieces of an hour, up to 16.
    pub five: u64,
    /// Of the minutes of such a piece, up to 16.
    pub minute: u64,
}

/// A growing volume: octets, or packets.
#[derive(Clone, Debug)]
pub struct Curve {
    seed: u64,
    shape: Shape,
    burst: Burst,
    daily: u64,
    offset_ms: i64,
    /// The volume before each week since the epoch.
    weeks: Vec<u64>,
}

/// The stretch of a curve around the last moment asked for: asking in order of time is cheap.
#[derive(Clone, Debug)]
pub struct Cursor {
    day: i64,
    hours: [u64; 25],
    hour: i64,
    minutes: [u64; 61],
}

impl Default for Cursor {
    fn default() -> Self {
        Self { day: i64::MIN, hours: [0; 25], hour: i64::MIN, minutes: [0; 61] }
    }
}

impl Curve {
    /// A curve with a mean volume for each working day; `offset_ms` is what local time is ahead of UTC.
    pub fn new(seed: u64, shape: Shape, burst: Burst, daily: u64, offset_ms: i64) -> Self {
        let mut curve = Self { seed, shape, burst, daily, offset_ms, weeks: Vec::new() };
        let mut sum = 0;
        curve.weeks = (0..WEEKS_KEPT)
            .map(|week| {
                let before = sum;
                let first = EPOCH_DAY + week * 7;
                sum += (first..first + 7).map(|day| curve.volume(day)).sum::<u64>();
                before
            })
            .collect();
        curve
    }

    /// The volume from the epoch to this moment.
    pub fn at(&self, at: Timestamp, cursor: &mut Cursor) -> u64 {
        let local = at.millis() + self.offset_ms;
        let day = local.div_euclid(DAY_MS);
        if cursor.day != day {
            let before = self.before(day);
            cursor.hours = split(before, before + self.volume(day), |hour| self.hour_weight(day, hour));
            cursor.day = day;
        }
        let hour = local.div_euclid(HOUR_MS);
        let place = hour.rem_euclid(24) as usize;
        let into = local.rem_euclid(HOUR_MS);
        if into == 0 {
            return cursor.hours[place];
        }
        if cursor.hour != hour {
            cursor.minutes = self.minutes(hour, cursor.hours[place], cursor.hours[place + 1]);
            cursor.hour = hour;
        }
        let minute = (into / MINUTE_MS) as usize;
        let (from, to) = (cursor.minutes[minute], cursor.minutes[minute + 1]);
        from + portion(to - from, (into % MINUTE_MS) as u64, MINUTE_MS as u64)
    }

    /// The volume of one day.
    fn volume(&self, day: i64) -> u64 {
        if day < EPOCH_DAY {
            return 0;
        }
        let chance = 700 + hash(self.seed ^ 0xda7, day as u64) % 600;
        portion(self.daily, self.shape.day_percent(weekday(day)) * chance, 100_000)
    }

    /// The volume of all days before this one.
    fn before(&self, day: i64) -> u64 {
        let week = (day - EPOCH_DAY).div_euclid(7).clamp(0, WEEKS_KEPT - 1);
        let sum = self.weeks.get(week as usize).copied().unwrap_or(0);
        sum + (EPOCH_DAY + week * 7..day).map(|day| self.volume(day)).sum::<u64>()
    }

    fn hour_weight(&self, day: i64, hour: usize) -> u64 {
        let chance = 75 + hash(self.seed ^ 0x40, (day * 24 + hour as i64) as u64) % 51;
        u64::from(self.shape.hour(weekday(day), hour)) * chance
    }

    fn minutes(&self, hour: i64, from: u64, to: u64) -> [u64; 61] {
        let fives: [u64; 13] = split(from, to, |five| tailed(hash(self.seed ^ 0x5, (hour * 12 + five as i64) as u64), self.burst.five));
        let mut minutes = [from; 61];
        for (five, pair) in fives.windows(2).enumerate() {
            let first = hour * 60 + five as i64 * 5;
            let inner: [u64; 6] =
                split(pair[0], pair[1], |minute| tailed(hash(self.seed ^ 0x1, (first + minute as i64) as u64), self.burst.minute));
            minutes[five * 5..five * 5 + 6].copy_from_slice(&inner);
        }
        minutes
    }
}

/// A weight of 256 to 256 + 255 x `spread`, mostly small: the fourth power of an even chance.
const fn tailed(bits: u64, spread: u64) -> u64 {
    let x = bits >> 56;
    256 + spread * (x * x * x * x / (255 * 255 * 255))
}

/// The running sum from `from` to `to` over the pieces, by their weights.
fn split<const BOUNDS: usize>(from: u64, to: u64, weight: impl Fn(usize) -> u64) -> [u64; BOUNDS] {
    let mut sums = [0; BOUNDS];
    for piece in 1..BOUNDS {
        sums[piece] = sums[piece - 1] + weight(piece - 1);
    }
    let total = sums[BOUNDS - 1].max(1);
    sums.map(|sum| from + portion(to - from, sum, total))
}

const fn portion(whole: u64, part: u64, of: u64) -> u64 {
    (whole as u128 * part as u128 / of as u128) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHANGHAI: i64 = 8 * HOUR_MS;
    /// Monday 2026-11-23 00:00 in Shanghai.
    const MONDAY: i64 = 1_795_363_200_000;

    fn curve(shape: Shape) -> Curve {
        Curve::new(7, shape, Burst { five: 16, minute: 4 }, 10_000_000_000, SHANGHAI)
    }

    fn volume(curve: &Curve, from: i64, to: i64) -> u64 {
        let at = |millis| curve.at(Timestamp::from_millis(millis), &mut Cursor::default());
        at(to) - at(from)
    }

    #[test]
    fn a_working_day_is_busy_by_day_and_a_weekend_is_not() {
        let office = curve(Shape::Office);
        let hour =
            |day: i64, hour: i64| volume(&office, MONDAY + day * DAY_MS + hour * HOUR_MS, MONDAY + day * DAY_MS + (hour + 1) * HOUR_MS);
        assert!(hour(0, 10) > 10 * hour(0, 3), "Monday at ten against three in the morning");
        assert!(hour(1, 15) > 4 * hour(5, 15), "Tuesday against Saturday");
        let desk = curve(Shape::DeskHours);
        assert_eq!(volume(&desk, MONDAY + 20 * HOUR_MS, MONDAY + DAY_MS + 7 * HOUR_MS), 0, "switched off over night");
        assert_eq!(volume(&desk, MONDAY + 5 * DAY_MS, MONDAY + 7 * DAY_MS), 0, "and over the weekend");
    }

    #[test]
    fn the_days_add_up_beyond_the_weeks_that_are_kept() {
        let office = curve(Shape::Office);
        let day = EPOCH_DAY + WEEKS_KEPT * 7 + 30;
        assert_eq!(office.before(day + 1), office.before(day) + office.volume(day));
        assert_eq!(office.before(EPOCH_DAY), 0);
        assert_eq!(office.before(EPOCH_DAY - 1000), 0);
    }

    #[test]
    fn a_cursor_never_changes_the_answer() {
        let office = curve(Shape::Office);
        let mut cursor = Cursor::default();
        for step in 0..3000 {
            let at = Timestamp::from_millis(MONDAY + step * 37_001);
            assert_eq!(office.at(at, &mut cursor), office.at(at, &mut Cursor::default()));
        }
    }

    proptest! {
        #[test]
        fn a_volume_never_shrinks(seed: u64, start in 0_i64..70_000_000, steps in proptest::collection::vec(0_i64..4_000_000, 1..40)) {
            let curve = Curve::new(seed, Shape::Wireless, Burst { five: 16, minute: 16 }, 1 << 40, SHANGHAI);
            let mut cursor = Cursor::default();
            let mut time = EPOCH_DAY * DAY_MS + start * 1000;
            let mut last = 0;
            for step in steps {
                let value = curve.at(Timestamp::from_millis(time), &mut cursor);
                prop_assert!(value >= last);
                last = value;
                time += step;
            }
        }
    }
}
