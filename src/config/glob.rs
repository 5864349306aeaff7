//! Patterns over names: `*` is any run of characters, `?` one character, `[0-9a]` one of a set, `[!x]` one not of it,
//! and `\` takes the next character as it is. Letters match whatever their case, as people write port names.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// A pattern that matches whole names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Any,
    One,
    Char(char),
    Set { inverted: bool, ranges: Vec<(char, char)> },
}

/// Why a text is no pattern.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum GlobError {
    /// It would match nothing but an empty name.
    #[error("is empty")]
    Empty,
    /// `[` without `]`, or nothing between them.
    #[error("has a `[` without its `]`, or nothing between them")]
    OpenSet,
    /// `[9-0]`.
    #[error("has a range that runs backwards in `[...]`")]
    Backwards,
    /// `\` at the end.
    #[error("ends in a single `\\`")]
    LoneEscape,
}

impl Glob {
    /// Whether the pattern matches the whole name. Takes time proportional to pattern x name at most.
    pub fn is_match(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().map(fold).collect();
        let (mut token, mut at) = (0, 0);
        // Where to go on when a literal fails: behind the last `*`, one character further.
        let mut retry: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.tokens.get(token) {
                Some(Token::Any) => {
                    retry = Some((token + 1, at));
                    token += 1;
                    continue;
                }
                Some(single) if name.get(at).is_some_and(|c| single.takes(*c)) => {
                    (token, at) = (token + 1, at + 1);
                    continue;
                }
                _ => {}
            }
            let Some((behind, from)) = retry else { return false };
            retry = Some((behind, from + 1));
            (token, at) = (behind, from + 1);
        }
        self.tokens.iter().skip(token).all(|rest| *rest == Token::Any)
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Char(own) => *own == c,
            Self::Set { inverted, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *inverted,
        }
    }
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        let mut tokens = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '[' => set(&mut rest)?,
                '\\' => Token::Char(fold(rest.next().ok_or(GlobError::LoneEscape)?)),
                c => Token::Char(fold(c)),
            });
        }
        Ok(Self { text: text.to_owned(), tokens })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn fold(c: char) -> char {
    c.to_ascii_lowercase()
}

fn set(rest: &mut std::str::Chars<'_>) -> Result<Token, GlobError> {
    let mut inner = Vec::new();
    loop {
        match rest.next().ok_or(GlobError::OpenSet)? {
            ']' => break,
            c => inner.push(fold(c)),
        }
    }
    let inverted = inner.first() == Some(&'!');
    let mut members = inner.into_iter().skip(usize::from(inverted)).peekable();
    let mut ranges = Vec::new();
    while let Some(low) = members.next() {
        let high = match members.next_if_eq(&'-') {
            Some(dash) => members.next().unwrap_or(dash),
            None => low,
        };
        // A dash at the end stands for itself.
        if high == '-' && low != '-' {
            ranges.push((low, low));
            ranges.push(('-', '-'));
        } else if low > high {
            return Err(GlobError::Backwards);
        } else {
            ranges.push((low, high));
        }
    }
    if ranges.is_empty() { Err(GlobError::OpenSet) } else { Ok(Token::Set { inverted, ranges }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_matched() {
        for (pattern, name, matches) in [
            ("Gi0/*", "Gi0/17", true),
            ("gi0/*", "Gi0/17", true),
            ("Gi0/*", "Te1/1/1", false),
            ("Gi0/?", "Gi0/17", false),
            ("Gi0/[1-4]", "Gi0/3", true),
            ("Gi0/[1-4]", "Gi0/5", false),
            ("Gi0/[!1-4]", "Gi0/5", true),
            ("[a-]x", "-x", true),
            ("*/17", "Gi1/0/17", true),
            ("*1*2*", "xx1yy2", true),
            ("*1*2*", "xx2yy1", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*", "", true),
            ("上联*", "上联口1", true),
        ] {
            assert_eq!(pattern.parse::<Glob>().unwrap().is_match(name), matches, "{pattern} on {name}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        for (pattern, error) in [
            ("", GlobError::Empty),
            ("Gi[0", GlobError::OpenSet),
            ("Gi[]", GlobError::OpenSet),
            ("Gi[!]", GlobError::OpenSet),
            ("[9-0]", GlobError::Backwards),
            ("Gi\\", GlobError::LoneEscape),
        ] {
            assert_eq!(pattern.parse::<Glob>(), Err(error), "{pattern}");
        }
    }

    /// The obvious matcher, exponential but right.
    fn slow(tokens: &[Token], name: &[char]) -> bool {
        match tokens.split_first() {
            None => name.is_empty(),
            Some((Token::Any, rest)) => (0..=name.len()).any(|skip| slow(rest, &name[skip..])),
            Some((single, rest)) => name.split_first().is_some_and(|(c, tail)| single.takes(*c) && slow(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_matcher(pattern in "[ab*?]{1,8}", name in "[ab]{0,8}") {
            let glob: Glob = pattern.parse().unwrap();
            prop_assert_eq!(glob.is_match(&name), slow(&glob.tokens, &name.chars().collect::<Vec<_>>()));
        }

        #[test]
        fn nothing_panics(pattern in any::<String>(), name in any::<String>()) {
            let _ = pattern.parse::<Glob>().map(|glob| glob.is_match(&name));
        }
    }
}
