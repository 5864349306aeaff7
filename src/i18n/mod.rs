//! The words: every text a person reads exists in Simplified Chinese and in English.
//!
//! Texts live in `texts/*.ftl` (Project Fluent), one file a room and language, embedded in the program. A key that is
//! missing in one language is a failing test, not a surprise at run time.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// A value that a text takes in: a number, which it may count by, or words.
pub use fluent_bundle::FluentValue as Argument;
use serde::{Deserialize, Serialize};

/// A language of the pages, mails and graphs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Lang {
    /// Simplified Chinese, mainland terms.
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Lang {
    /// Both languages.
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    /// The BCP 47 tag, as in `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// The best language for an Accept-Language header (RFC 9110 section 12.5.4); Chinese when it names neither.
    pub fn accept(header: &str) -> Self {
        let mut best = (0.0_f32, Self::default());
        for range in header.split(',') {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            if let Ok(lang) = tag.parse::<Self>()
                && weight > best.0
            {
                best = (weight, lang);
            }
        }
        best.1
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// Any tag of the two languages: `zh`, `zh-CN`, `zh-Hans-CN`, `en-GB` ...
impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(tag: &str) -> Result<Self, UnknownLang> {
        match tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "zh" => Ok(Self::ZhCn),
            "en" => Ok(Self::En),
            _ => Err(UnknownLang),
        }
    }
}

/// A language tag that is neither Chinese nor English.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the languages are zh-CN and en")]
pub struct UnknownLang;

/// The files of each language, in the same order: (Chinese, English).
const FILES: &[(&str, &str)] = &[
    (include_str!("texts/access.zh-CN.ftl"), include_str!("texts/access.en.ftl")),
    (include_str!("texts/blocking.zh-CN.ftl"), include_str!("texts/blocking.en.ftl")),
    (include_str!("texts/common.zh-CN.ftl"), include_str!("texts/common.en.ftl")),
    (include_str!("texts/host.zh-CN.ftl"), include_str!("texts/host.en.ftl")),
    (include_str!("texts/graph.zh-CN.ftl"), include_str!("texts/graph.en.ftl")),
    (include_str!("texts/locate.zh-CN.ftl"), include_str!("texts/locate.en.ftl")),
    (include_str!("texts/machine.zh-CN.ftl"), include_str!("texts/machine.en.ftl")),
    (include_str!("texts/notify.zh-CN.ftl"), include_str!("texts/notify.en.ftl")),
    (include_str!("texts/recording.zh-CN.ftl"), include_str!("texts/recording.en.ftl")),
    (include_str!("texts/incident.zh-CN.ftl"), include_str!("texts/incident.en.ftl")),
    (include_str!("texts/web.zh-CN.ftl"), include_str!("texts/web.en.ftl")),
];

struct Words {
    zh: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    zh: bundle(Lang::ZhCn, FILES.iter().map(|file| file.0)),
    en: bundle(Lang::En, FILES.iter().map(|file| file.1)),
});

fn bundle<'a>(lang: Lang, files: impl Iterator<Item = &'a str>) -> FluentBundle<FluentResource> {
    let id = lang.tag().parse::<unic_langid::LanguageIdentifier>().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Isolation marks would break mail subjects and graph labels; our texts are all left to right.
    bundle.set_use_isolating(false);
    for file in files {
        // A malformed entry leaves its key out, which the test of keys names.
        let resource = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(parsed, _)| parsed);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// The text of a key without arguments; the key itself when there is none, so that it is seen and reported.
pub fn text(lang: Lang, key: &str) -> String {
    format(lang, key, &[])
}

/// The text of a key with its arguments filled in.
pub fn format(lang: Lang, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
    let bundle = match lang {
        Lang::ZhCn => &WORDS.zh,
        Lang::En => &WORDS.en,
    };
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        return key.to_owned();
    };
    let args: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
    bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
}

/// The same; a dash stands for each argument that is not given. A rule may come without one of its facts, after a restart
/// for example.
pub fn filled(lang: Lang, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
    let known = text(lang, key);
    // An argument that is not given shows as `{$name}`.
    let wanted = known.split("{$").skip(1).filter_map(|rest| rest.split('}').next());
    let missing = wanted.filter(|name| !values.iter().any(|(given, _)| given == name)).map(|name| (name, FluentValue::from("—")));
    let all: Vec<(&str, FluentValue<'_>)> = values.iter().map(|(name, value)| (*name, value.clone())).chain(missing).collect();
    format(lang, key, &all)
}

/// What words in evidence say, in the reader's language: rails of blocks and notes of cases. What is no word stays as it is.
pub fn coded(lang: Lang, name: &str, text: &str) -> String {
    let said = |word: &str| {
        let key = match name {
            "rails" => format!("incident-rail-{word}"),
            "note" => format!("incident-note-{word}"),
            _ => return None,
        };
        Some(self::text(lang, &key)).filter(|said| *said != key)
    };
    let all: Option<Vec<String>> = text.split(' ').map(said).collect();
    let between = if lang == Lang::ZhCn { "；" } else { "; " };
    all.map_or_else(|| text.to_owned(), |all| all.join(between))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Keys with the arguments each one uses.
    fn keys(files: impl Iterator<Item = &'static str>) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys = BTreeMap::new();
        for file in files {
            assert!(FluentResource::try_new(file.to_owned()).is_ok(), "malformed Fluent in:\n{file}");
            let mut current = String::new();
            for line in file.lines().filter(|line| !line.starts_with('#')) {
                if !line.starts_with([' ', '}', '[', '*'])
                    && let Some((key, _)) = line.split_once('=')
                {
                    current = key.trim().to_owned();
                    assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{current} stands twice");
                }
                for part in line.split('$').skip(1) {
                    let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '-').collect();
                    keys.entry(current.clone()).or_default().insert(name);
                }
            }
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_with_the_same_arguments() {
        assert_eq!(keys(FILES.iter().map(|file| file.0)), keys(FILES.iter().map(|file| file.1)));
    }

    #[test]
    fn accept_language_is_understood() {
        for (header, lang) in [
            ("", Lang::ZhCn),
            ("en-GB,en;q=0.9", Lang::En),
            ("de,en;q=0.4,zh;q=0.8", Lang::ZhCn),
            ("fr", Lang::ZhCn),
            ("zh-TW,zh;q=0.9,en;q=0.95", Lang::ZhCn),
        ] {
            assert_eq!(Lang::accept(header), lang, "{header}");
        }
    }

    #[test]
    fn every_gap_has_words() {
        for gap in crate::model::Gap::ALL {
            let key = format!("gap-{}", gap.word().replace('_', "-"));
            for lang in Lang::ALL {
                assert_ne!(text(lang, &key), key);
            }
        }
    }
}
