//! Whom a machine turns to: it stands in the middle, around it the services that it wants, and behind each of these a sample of
//! the targets, answered or not. A worm is a brush of crosses behind one service; a browser is a spray of discs. Pure.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use crate::i18n::{Lang, text};

use super::svg;
use super::theme::Theme;

const WIDTH: f64 = 540.0;
const HEIGHT: f64 = 340.0;
/// The distance of services and of targets from the middle.
const NEAR: f64 = 66.0;
const FAR: f64 = 118.0;
/// Every other target stands so much farther out, for room.
const STAGGER: f64 = 14.0;
/// Where the names of services stand.
const NAMES: f64 = 148.0;

/// What became of the contacts with a target.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// It answered at least once.
    Answered,
    /// It never did.
    Failed,
    /// Not known yet.
    Open,
}

/// One service with some of its targets.
#[derive(Clone, PartialEq, Debug)]
pub struct Branch {
    /// Its name: `tcp/445`.
    pub name: String,
    /// First contacts altogether.
    pub contacts: u64,
    /// Some targets by address.
    pub targets: Vec<(String, Outcome)>,
}

/// The picture.
#[derive(Clone, Debug)]
pub struct Fan {
    /// What stands in the middle, short.
    pub name: String,
    /// The services.
    pub branches: Vec<Branch>,
    /// The language of all labels.
    pub lang: Lang,
    /// The colours.
    pub theme: Theme,
}

impl Fan {
    /// The picture.
    pub fn svg(&self) -> String {
        let mut out = String::with_capacity(16 * 1024);
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ng ng-fan\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             role=\"img\" aria-label=\""
        );
        svg::escape(&mut out, &self.said());
        out.push_str("\">");
        let style = self.theme.style();
        if !style.is_empty() {
            let _ = write!(out, "<style>{style}</style>");
        }
        svg::rect(&mut out, "ng-bg", [0.0, 0.0, WIDTH, HEIGHT]);
        let middle = (WIDTH / 2.0, (HEIGHT - 20.0) / 2.0);
        // A branch is as wide as its targets need, and none vanishes.
        let weight = |branch: &Branch| branch.targets.len().max(2) as f64;
        let all: f64 = self.branches.iter().map(weight).sum::<f64>().max(1.0);
        let mut angle = -TAU / 4.0;
        for branch in &self.branches {
            let width = TAU * weight(branch) / all;
            self.branch(&mut out, branch, middle, (angle, width));
            angle += width;
        }
        svg::path_start(&mut out, "ng-speed ng-self");
        circle(&mut out, middle, 13.0);
        svg::path_end(&mut out);
        svg::text(&mut out, "ng-title ng-c ng-empty", middle.0, middle.1 + 30.0, &svg::fit(&self.name, 110.0, 13.0));
        self.key(&mut out);
        out.push_str("</svg>");
        out
    }

    /// The same in words, for who cannot see it.
    fn said(&self) -> String {
        let branches = self.branches.iter().map(|branch| format!("{} {}", branch.name, branch.contacts));
        format!("{}: {}", self.name, branches.collect::<Vec<_>>().join(", "))
    }

    fn branch(&self, out: &mut String, branch: &Branch, middle: (f64, f64), (from, width): (f64, f64)) {
        let mid = from + width / 2.0;
        let node = place(middle, mid, NEAR);
        svg::path_start(out, "ng-axis");
        line(out, middle, node);
        svg::path_end(out);
        let count = branch.targets.len().max(1) as f64;
        let spots: Vec<(_, &(String, Outcome))> = branch
            .targets
            .iter()
            .enumerate()
            .map(|(index, target)| {
                // A little space is left to the next branch.
                let angle = from + width * (0.08 + 0.84 * (index as f64 + 0.5) / count);
                (place(middle, angle, FAR + if index % 2 == 1 { STAGGER } else { 0.0 }), target)
            })
            .collect();
        svg::path_start(out, "ng-grid");
        spots.iter().for_each(|(spot, _)| line(out, node, *spot));
        svg::path_end(out);
        for (spot, (address, outcome)) in spots {
            mark(out, spot, *outcome, address);
        }
        svg::rect(out, "ng-speed ng-self", [node.0 - 4.0, node.1 - 4.0, 8.0, 8.0]);
        let label = place(middle, mid, NAMES);
        let side = if label.0 < middle.0 - 20.0 {
            "ng-r"
        } else if label.0 > middle.0 + 20.0 {
            ""
        } else {
            "ng-c"
        };
        svg::text(out, &format!("ng-num ng-empty {side}"), label.0, label.1 + 4.0, &format!("{} · {}", branch.name, branch.contacts));
    }

    fn key(&self, out: &mut String) {
        let y = HEIGHT - 8.0;
        let mut x = 12.0;
        for (outcome, key) in [(Outcome::Answered, "graph-answered"), (Outcome::Failed, "graph-failed"), (Outcome::Open, "graph-open")] {
            mark(out, (x, y - 4.0), outcome, "");
            let label = text(self.lang, key);
            svg::text(out, "ng-num", x + 10.0, y, &label);
            x += 10.0 + super::legend::width(&label) + 24.0;
        }
    }
}

/// A disc, a cross, or a ring: told apart by shape too.
fn mark(out: &mut String, (x, y): (f64, f64), outcome: Outcome, address: &str) {
    let class = match outcome {
        Outcome::Answered => "ng-loss0 ng-disc",
        Outcome::Failed => "ng-loss4 ng-cross",
        Outcome::Open => "ng-speed",
    };
    if !address.is_empty() {
        out.push_str("<g><title>");
        svg::escape(out, address);
        out.push_str("</title>");
    }
    svg::path_start(out, class);
    match outcome {
        Outcome::Failed => {
            line(out, (x - 3.2, y - 3.2), (x + 3.2, y + 3.2));
            line(out, (x - 3.2, y + 3.2), (x + 3.2, y - 3.2));
        }
        Outcome::Answered => circle(out, (x, y), 3.4),
        Outcome::Open => circle(out, (x, y), 3.2),
    }
    svg::path_end(out);
    if !address.is_empty() {
        out.push_str("</g>");
    }
}

fn place((x, y): (f64, f64), angle: f64, distance: f64) -> (f64, f64) {
    (x + angle.cos() * distance * 1.12, y + angle.sin() * distance)
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64)) {
    svg::command(out, 'M', &[from.0, from.1]);
    svg::command(out, 'L', &[to.0, to.1]);
}

fn circle(out: &mut String, (x, y): (f64, f64), radius: f64) {
    svg::command(out, 'M', &[x - radius, y]);
    svg::command(out, 'a', &[radius, radius, 0.0, 1.0, 0.0, radius * 2.0, 0.0]);
    svg::command(out, 'a', &[radius, radius, 0.0, 1.0, 0.0, -radius * 2.0, 0.0]);
    out.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::png;

    fn branch(name: &str, targets: usize, outcome: Outcome) -> Branch {
        let targets = (0..targets).map(|number| (format!("10.0.0.{number}<"), outcome)).collect();
        Branch { name: name.into(), contacts: 12, targets }
    }

    fn fan(branches: Vec<Branch>) -> Fan {
        Fan { name: "02:00:00:00:00:09".into(), branches, lang: Lang::En, theme: Theme::Light }
    }

    #[test]
    fn a_worm_and_a_browser_in_one_picture() {
        let svg =
            fan(vec![branch("tcp/445", 24, Outcome::Failed), branch("tcp/443", 5, Outcome::Answered), branch("udp/53", 1, Outcome::Open)])
                .svg();
        // One more of each for the key.
        assert_eq!(svg.matches("ng-cross").count(), 26);
        assert!(svg.contains("tcp/445 · 12") && svg.contains("10.0.0.3&lt;") && !svg.contains("NaN"));
        assert!(png::render(&svg, 1.0).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn nobody_around_is_a_picture_too() {
        for branches in [Vec::new(), vec![branch("arp", 0, Outcome::Open)]] {
            let svg = fan(branches).svg();
            assert!(!svg.contains("NaN") && svg.contains("02:00:00:00:00:09"));
        }
    }
}
