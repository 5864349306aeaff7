//! The table at the end of the run.

/// What a figure is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// Nothing.
    None,
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// Rows of figures.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<(String, String, f64, Bound)>);

impl Table {
    /// No rows.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a figure, and says it at once.
    pub(crate) fn row(&mut self, what: &str, unit: &str, figure: f64, bound: Bound) {
        eprintln!("{what}: {} {unit}", digits(figure));
        self.0.push((what.to_owned(), unit.to_owned(), figure, bound));
    }

    /// Prints all rows.
    pub(crate) fn print(&self) {
        println!("{:<58} {:>12} {:<12} {:>12}", "", "measured", "unit", "wanted");
        for (what, unit, figure, bound) in &self.0 {
            let (wanted, met) = match *bound {
                Bound::None => (String::new(), true),
                Bound::AtLeast(least) => (format!(">= {}", digits(least)), *figure >= least),
                Bound::AtMost(most) => (format!("<= {}", digits(most)), *figure <= most),
            };
            println!("{what:<58} {:>12} {unit:<12} {wanted:>12} {}", digits(*figure), if met { "" } else { "MISSED" });
        }
    }
}

fn digits(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1_000.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.3}"),
    }
}
