//! The texts of all files laid end to end, so that one number says both the file and the place in it.

use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::problem::Place;

/// One file as it was read.
#[derive(Clone, Debug)]
pub(super) struct SourceText {
    /// Where it came from, as it was named to us.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
    /// Whether every account of this machine may read it.
    pub exposed: bool,
}

/// All files of one configuration.
#[derive(Debug, Default)]
pub(super) struct Sources {
    files: Vec<Laid>,
}

/// A file in its place.
#[derive(Debug)]
struct Laid {
    base: usize,
    /// Where its lines begin, counted from its own beginning.
    lines: Vec<usize>,
    file: SourceText,
}

impl Sources {
    /// Lays files end to end.
    pub(super) fn new(texts: Vec<SourceText>) -> Self {
        let mut base = 0;
        let files = texts
            .into_iter()
            .map(|file| {
                let start = base;
                // One past the end belongs to the file too: that is where something is missing.
                base += file.text.len() + 1;
                let lines = std::iter::once(0).chain(file.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
                Laid { base: start, lines, file }
            })
            .collect();
        Self { files }
    }

    /// Each file with the number of its first octet.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &SourceText)> {
        self.files.iter().map(|laid| (laid.base, &laid.file))
    }

    /// The file that an offset lies in.
    pub(super) fn file(&self, offset: usize) -> Option<&SourceText> {
        self.find(offset).map(|laid| &laid.file)
    }

    /// Line and column of an offset.
    pub(super) fn place(&self, offset: usize) -> Option<Place> {
        let Laid { base, lines, file } = self.find(offset)?;
        let mut end = offset.saturating_sub(*base).min(file.text.len());
        while !file.text.is_char_boundary(end) {
            end -= 1;
        }
        let line = lines.partition_point(|start| *start <= end);
        let start = line.checked_sub(1).and_then(|above| lines.get(above)).copied().unwrap_or(0);
        let column = file.text.get(start..end).unwrap_or_default().chars().count() + 1;
        Some(Place { file: file.path.clone(), line: u32::try_from(line).ok()?, column: u32::try_from(column).ok()? })
    }

    /// A path as its file means it: relative ones count from the directory that the file is in.
    pub(super) fn relative(&self, offset: usize, path: &str) -> PathBuf {
        let directory = self.file(offset).and_then(|file| file.path.parent()).unwrap_or(Path::new(""));
        directory.join(path)
    }

    fn find(&self, offset: usize) -> Option<&Laid> {
        let behind = self.files.partition_point(|laid| laid.base <= offset);
        self.files.get(behind.checked_sub(1)?)
    }
}

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct At<T> {
    /// The value.
    pub value: T,
    /// Its offset in the [`Sources`].
    pub offset: usize,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let offset = spanned.span().start;
        Ok(Self { value: spanned.into_inner(), offset })
    }
}

/// The place is no part of the schema.
impl<T: JsonSchema> JsonSchema for At<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_leads_to_file_line_and_column() {
        let text = |path: &str, text: &str| SourceText { path: path.into(), text: text.into(), exposed: false };
        let sources = Sources::new(vec![text("a", "x = 1\n交换机 = 2"), text("b", "y")]);
        let at = |offset| sources.place(offset).unwrap().to_string();
        assert_eq!(at(0), "a:1:1");
        assert_eq!(at(6), "a:2:1");
        assert_eq!(at(6 + "交换机".len()), "a:2:4");
        assert_eq!(at(7), "a:2:1", "inside a character");
        assert_eq!(at("x = 1\n交换机 = 2".len()), "a:2:8", "the end of the file is still its own");
        assert_eq!(at("x = 1\n交换机 = 2".len() + 1), "b:1:1");
        assert_eq!(sources.relative(0, "key"), PathBuf::from("key"));
    }
}
