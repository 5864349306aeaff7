//! Patterns on interface names, as people write them in configuration: `Gi0/1`, `Te*`, `Gi1/0/?`.

use std::fmt;
use std::sync::Arc;

/// A pattern in which `*` stands for any characters and `?` for one. Upper and lower case are different, as in ifName.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamePattern(Arc<str>);

impl NamePattern {
    /// From its text.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// Whether the whole of `name` fits.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name): (Vec<char>, Vec<char>) = (self.0.chars().collect(), name.chars().collect());
        let (mut at, mut place) = (0, 0);
        // Where the last star stands, and how far it reaches.
        let mut star: Option<(usize, usize)> = None;
        while place < name.len() {
            match (pattern.get(at), name.get(place)) {
                (Some('*'), _) => {
                    star = Some((at, place));
                    at += 1;
                }
                (Some(wanted), Some(found)) if *wanted == '?' || wanted == found => {
                    at += 1;
                    place += 1;
                }
                _ => {
                    let Some((star_at, reach)) = star else { return false };
                    star = Some((star_at, reach + 1));
                    at = star_at + 1;
                    place = reach + 1;
                }
            }
        }
        pattern.iter().skip(at).all(|&left| left == '*')
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::NamePattern;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, fits) in [
            ("Gi0/1", "Gi0/1", true),
            ("Gi0/1", "Gi0/11", false),
            ("Te*", "Te1/1/1", true),
            ("*", "", true),
            ("Gi1/0/?", "Gi1/0/7", true),
            ("Gi1/0/?", "Gi1/0/17", false),
            ("*/0/*4", "Gi1/0/24", true),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "aab", false),
            ("上联*", "上联口1", true),
            ("", "x", false),
        ] {
            assert_eq!(NamePattern::new(pattern).matches(name), fits, "{pattern} {name}");
        }
    }
}
