//! Text as devices send it: DisplayString by the MIB, in truth UTF-8, GB18030 or Latin-1, with stray NULs.
//! The raw bytes are kept; what is shown is decoded once.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use encoding_rs::GB18030;
use serde::{Serialize, Serializer};

/// Octets of a device's text and their readable form.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct DeviceText {
    shown: Arc<str>,
    /// Kept only when the readable form does not give the octets back.
    raw: Option<Arc<Raw>>,
}

/// Behind one word, not two: few texts have it, and every port has two texts.
#[derive(PartialEq, Eq, Hash)]
struct Raw(Box<[u8]>);

impl DeviceText {
    /// Decodes octets: strict UTF-8, else GB18030 when that yields Chinese, else Latin-1.
    /// Trailing NULs and blanks are cut and control characters dropped in what is shown.
    pub fn decode(octets: &[u8]) -> Self {
        let text = decode_text(octets);
        let shown = clean(&text);
        let raw = (shown.as_bytes() != octets).then(|| Arc::new(Raw(octets.into())));
        Self { shown: Arc::from(shown), raw }
    }

    /// The readable form.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The readable form, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.shown)
    }

    /// The octets as the device sent them.
    pub fn raw(&self) -> &[u8] {
        self.raw.as_ref().map_or(self.shown.as_bytes(), |raw| &raw.0)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

/// Keeps one copy of each text: 5,000 switches of one make have the same 48 port names.
#[derive(Debug, Default)]
pub struct TextPool {
    texts: HashSet<Arc<str>>,
    /// At this size texts that nobody holds any more are let go.
    tidy_at: usize,
}

impl TextPool {
    /// The one copy of `text`.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.texts.get(text) {
            return Arc::clone(shared);
        }
        if self.texts.len() >= self.tidy_at {
            self.texts.retain(|held| Arc::strong_count(held) > 1);
            self.tidy_at = (self.texts.len() * 2).max(1024);
        }
        let shared: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&shared));
        shared
    }

    /// The same text with its readable form in the one copy.
    pub fn share_text(&mut self, text: &DeviceText) -> DeviceText {
        DeviceText { shown: self.share(&text.shown), raw: text.raw.clone() }
    }
}

impl From<&str> for DeviceText {
    fn from(text: &str) -> Self {
        Self::decode(text.as_bytes())
    }
}

impl fmt::Display for DeviceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DeviceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
}

impl Serialize for DeviceText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown)
    }
}

fn decode_text(octets: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(octets) {
        return text.to_owned();
    }
    if let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(octets)
        && text.chars().any(is_cjk)
        && text.chars().all(|c| c.is_ascii() || is_cjk(c) || is_east_asian_mark(c))
    {
        return text.into_owned();
    }
    octets.iter().map(|&octet| char::from(octet)).collect()
}

const fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2ffff}')
}

/// Punctuation and forms that stand in Chinese text beside the characters themselves.
const fn is_east_asian_mark(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
        | '\u{b7}' | '\u{d7}' | '\u{2103}' | '\u{2160}'..='\u{216b}' | '\u{2460}'..='\u{249b}' | '\u{25a0}'..='\u{25ff}')
}

fn clean(text: &str) -> String {
    let kept: String = text.chars().map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c }).filter(|c| !c.is_control()).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{DeviceText, TextPool};

    #[test]
    fn equal_texts_share_one_copy_and_unused_ones_are_let_go() {
        let mut pool = TextPool::default();
        let (one, other) = (pool.share("Gi0/1"), pool.share(&String::from("Gi0/1")));
        assert!(Arc::ptr_eq(&one, &other));
        for number in 0..10_000 {
            pool.share(&number.to_string());
        }
        assert!(pool.texts.len() <= 1_025, "{}", pool.texts.len());
        assert!(Arc::ptr_eq(&one, &pool.share("Gi0/1")));
    }

    #[test]
    fn text_is_decoded_as_utf8_then_gb18030_then_latin1() {
        let gb: &[u8] = &[0xb1, 0xb1, 0xbe, 0xa9, b'-', b'3', 0xc2, 0xa5];
        for (octets, shown) in [
            (&b"uplink"[..], "uplink"),
            ("三楼交换机".as_bytes(), "三楼交换机"),
            (gb, "北京-3楼"),
            (&[0xa9, b' ', b'C', b'i', b's', b'c', b'o'][..], "\u{a9} Cisco"),
            (b"Gi0/1\0", "Gi0/1"),
            (b" leading\r\n", "leading"),
            (b"", ""),
        ] {
            let text = DeviceText::decode(octets);
            assert_eq!(text.as_str(), shown);
            assert_eq!(text.raw(), octets);
        }
    }
}
