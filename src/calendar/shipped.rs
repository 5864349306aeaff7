//! The years that the program brings: `config/holidays/`, one file a year, each saying what it was compared with.

use std::sync::LazyLock;

use crate::config::calendar::{YearSettings, read_years};

const FILES: [(&str, &str); 23] = [
    ("2004.toml", include_str!("../../config/holidays/2004.toml")),
    ("2005.toml", include_str!("../../config/holidays/2005.toml")),
    ("2006.toml", include_str!("../../config/holidays/2006.toml")),
    ("2007.toml", include_str!("../../config/holidays/2007.toml")),
    ("2008.toml", include_str!("../../config/holidays/2008.toml")),
    ("2009.toml", include_str!("../../config/holidays/2009.toml")),
    ("2010.toml", include_str!("../../config/holidays/2010.toml")),
    ("2011.toml", include_str!("../../config/holidays/2011.toml")),
    ("2012.toml", include_str!("../../config/holidays/2012.toml")),
    ("2013.toml", include_str!("../../config/holidays/2013.toml")),
    ("2014.toml", include_str!("../../config/holidays/2014.toml")),
    ("2015.toml", include_str!("../../config/holidays/2015.toml")),
    ("2016.toml", include_str!("../../config/holidays/2016.toml")),
    ("2017.toml", include_str!("../../config/holidays/2017.toml")),
    ("2018.toml", include_str!("../../config/holidays/2018.toml")),
    ("2019.toml", include_str!("../../config/holidays/2019.toml")),
    ("2020.toml", include_str!("../../config/holidays/2020.toml")),
    ("2021.toml", include_str!("../../config/holidays/2021.toml")),
    ("2022.toml", include_str!("../../config/holidays/2022.toml")),
    ("2023.toml", include_str!("../../config/holidays/2023.toml")),
    ("2024.toml", include_str!("../../config/holidays/2024.toml")),
    ("2025.toml", include_str!("../../config/holidays/2025.toml")),
    ("2026.toml", include_str!("../../config/holidays/2026.toml")),
];

static YEARS: LazyLock<Vec<YearSettings>> = LazyLock::new(|| read_years(FILES).unwrap_or_default());

/// Every year with its holidays and the weekend days that were worked, in their order.
pub fn years() -> &'static [YearSettings] {
    &YEARS
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Weekday;

    #[test]
    fn every_shipped_year_reads_and_moves_only_days_that_can_be_moved() {
        let years = read_years(FILES).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(years.iter().map(|year| year.year).collect::<Vec<_>>(), (2004..=2026).collect::<Vec<_>>());
        for year in &years {
            let worked = year.days.iter().flat_map(|feast| &feast.worked);
            for day in worked {
                assert!(matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday), "{day} would be worked anyhow");
            }
            let new_year = jiff::civil::Date::new(year.year, 1, 1).unwrap();
            let national = jiff::civil::Date::new(year.year, 10, 1).unwrap();
            for day in [new_year, national] {
                assert!(year.days.iter().any(|feast| feast.off.contains(&day)), "{day} is a holiday by law");
            }
        }
    }
}
