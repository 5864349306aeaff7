//! Limits in number and in time: how many blocks happen without a person, and how long each lasts. Pure.

use std::sync::Arc;
use std::time::Duration;

use super::gate::Rail;
use crate::config::block::BlockSettings;
use crate::model::Timestamp;

/// The span of `block.burst`.
const BURST: Duration = Duration::from_secs(600);
/// The span of `block.hourly`, and how long the breaker stays open.
pub const HOUR: Duration = Duration::from_secs(3600);

/// What happened without a person lately, as far as it counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lately {
    /// Blocks without a person, each with its switch, in any order.
    pub blocks: Vec<(Timestamp, Arc<str>)>,
    /// When the breaker was last opened, unless a person has closed it since.
    pub tripped: Option<Timestamp>,
    /// How many ports each switch has, of the one that is asked for.
    pub ports: usize,
    /// How many of them are held now.
    pub held: usize,
}

/// What the limits say of one more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Room {
    /// One more is no harm.
    Free,
    /// The breaker is open since before.
    Open(Rail),
    /// One more would be too many: the breaker opens now, which is told.
    Trips(Rail),
}

/// Judges one more block without a person.
pub fn room(settings: &BlockSettings, lately: &Lately, now: Timestamp) -> Room {
    let within = |span: Duration| lately.blocks.iter().filter(|(at, _)| *at <= now && now.since(*at) < span).count();
    let rail = |limit: String| Rail::Blast { limit };
    let allowed = ports_allowed(settings.share_percent, lately.ports);
    let over = if within(BURST) >= settings.burst.into() {
        Some(format!("{} in 10 minutes", settings.burst))
    } else if within(HOUR) >= settings.hourly.into() {
        Some(format!("{} in an hour", settings.hourly))
    } else if lately.held >= allowed {
        Some(format!("{allowed} of the {} ports of the switch", lately.ports))
    } else {
        None
    };
    if lately.tripped.is_some_and(|tripped| tripped <= now && now.since(tripped) < HOUR) {
        return Room::Open(rail(over.unwrap_or_else(|| "the limits of the last hour".to_owned())));
    }
    over.map_or(Room::Free, |limit| Room::Trips(rail(limit)))
}

/// So many ports of a switch; always one.
fn ports_allowed(percent: f64, ports: usize) -> usize {
    let share = percent.clamp(0.0, 100.0) / 100.0 * ports as f64;
    // At most the number of ports, which is a whole number already.
    (share.floor() as usize).max(1)
}

/// The last block of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Before {
    /// Which step it was, from 0.
    pub step: u32,
    /// When it ended.
    pub ended: Timestamp,
}

/// The step of the next block: one more than the last, less one for each whole `decay` since.
pub fn step(settings: &BlockSettings, before: Option<Before>, now: Timestamp) -> u32 {
    let Some(before) = before else { return 0 };
    let decays = now.since(before.ended).as_millis() / settings.decay.as_millis().max(1);
    before.step.saturating_add(1).saturating_sub(u32::try_from(decays).unwrap_or(u32::MAX))
}

/// How long a block of this step lasts: twice as long with each, up to the longest.
pub fn lasts(settings: &BlockSettings, step: u32) -> Duration {
    let factor = 1_u32.checked_shl(step).unwrap_or(u32::MAX);
    settings.first.checked_mul(factor).unwrap_or(settings.longest).min(settings.longest)
}

/// Until when a machine is left alone after its last release; never counted from the block.
pub fn grace_until(settings: &BlockSettings, before: Option<Before>) -> Option<Timestamp> {
    before.map(|before| before.ended + settings.grace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_363_200);

    fn lately(ages_s: &[u64]) -> Lately {
        let blocks = ages_s.iter().map(|age| (NOW - Duration::from_secs(*age), Arc::from("sw"))).collect();
        Lately { blocks, tripped: None, ports: 48, held: 0 }
    }

    fn judge(lately: &Lately) -> Room {
        room(&BlockSettings::default(), lately, NOW)
    }

    #[test]
    fn the_fourth_in_ten_minutes_opens_the_breaker_for_an_hour() {
        assert_eq!(judge(&lately(&[1, 2])), Room::Free);
        assert_eq!(judge(&lately(&[1, 2, 599])), Room::Trips(Rail::Blast { limit: "3 in 10 minutes".into() }));
        assert_eq!(judge(&lately(&[1, 2, 600])), Room::Free);
        let tripped = |age| Lately { tripped: Some(NOW - Duration::from_secs(age)), ..lately(&[]) };
        assert!(matches!(judge(&tripped(3599)), Room::Open(_)));
        assert_eq!(judge(&tripped(3600)), Room::Free);
    }

    #[test]
    fn the_eleventh_in_an_hour_and_the_second_of_a_switch_ask() {
        let hour: Vec<u64> = (0..10).map(|n| 700 + n * 200).collect();
        assert_eq!(judge(&lately(&hour)), Room::Trips(Rail::Blast { limit: "10 in an hour".into() }));
        assert_eq!(judge(&Lately { held: 1, ..lately(&[]) }), Room::Trips(Rail::Blast { limit: "1 of the 48 ports of the switch".into() }));
        assert_eq!(judge(&Lately { held: 1, ports: 100, ..lately(&[]) }), Room::Free);
    }

    #[test]
    fn each_block_lasts_twice_as_long_as_the_one_before() {
        let settings = BlockSettings::default();
        let hours = |step| lasts(&settings, step).as_secs() / 3600;
        assert_eq!([0, 1, 2, 9, 10, 31, 32, 4000].map(hours), [1, 2, 4, 512, 720, 720, 720, 720]);
        let day = Duration::from_secs(86_400);
        let next = |step, days: u32| self::step(&settings, Some(Before { step, ended: NOW - day * days }), NOW);
        assert_eq!((next(0, 0), next(2, 89), next(2, 90), next(2, 180), next(2, 4000)), (1, 3, 2, 1, 0));
        assert_eq!(step(&settings, None, NOW), 0);
        let before = Some(Before { step: 0, ended: NOW });
        assert_eq!(grace_until(&settings, before), Some(NOW + settings.grace));
    }

    proptest! {
        #[test]
        fn no_hour_sees_more_blocks_than_allowed(gaps in prop::collection::vec(0_u64..900, 1..60), burst in 0_u16..6, hourly in 0_u16..12) {
            let settings = BlockSettings { burst, hourly, ..BlockSettings::default() };
            let (mut now, mut lately) = (NOW, Lately { ports: 10_000, ..Lately::default() });
            for gap in gaps {
                now = now + Duration::from_secs(gap);
                match room(&settings, &lately, now) {
                    Room::Free => lately.blocks.push((now, "sw".into())),
                    Room::Trips(_) => lately.tripped = Some(now),
                    Room::Open(_) => {}
                }
                let within = |span: Duration| lately.blocks.iter().filter(|(at, _)| now.since(*at) < span).count();
                prop_assert!(within(BURST) <= burst.into() && within(HOUR) <= hourly.into());
            }
        }

        #[test]
        fn a_block_is_never_shorter_than_the_one_before_nor_longer_than_allowed(step in 0_u32..100, first_s in 60_u64..100_000, times in 1_u32..5000) {
            let settings = BlockSettings { first: Duration::from_secs(first_s), longest: Duration::from_secs(first_s) * times, ..BlockSettings::default() };
            prop_assert!(lasts(&settings, step) <= lasts(&settings, step + 1));
            prop_assert!(lasts(&settings, step) <= settings.longest && lasts(&settings, step) >= settings.first);
        }
    }
}
