//! CSV for spreadsheets: with a byte order mark so that Excel reads UTF-8, and with cells that a spreadsheet would take
//! for a formula made harmless.

/// A table that grows row by row.
#[derive(Debug)]
pub(crate) struct Csv(String);

impl Csv {
    /// A table with its heading.
    pub(crate) fn new<'a>(heading: impl IntoIterator<Item = &'a str>) -> Self {
        let mut csv = Self(String::from("\u{feff}"));
        csv.row(heading);
        csv
    }

    /// Adds a row.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for (index, text) in cells.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            cell(&mut self.0, text);
        }
        self.0.push_str("\r\n");
    }

    /// The whole file.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// One cell (RFC 4180). Text that begins like a formula gets an apostrophe; plain numbers stay numbers.
fn cell(out: &mut String, text: &str) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let quoted = formula || text.contains(['"', ',', '\n', '\r']);
    if quoted {
        out.push('"');
    }
    if formula {
        out.push('\'');
    }
    for c in text.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    if quoted {
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::Csv;

    #[test]
    fn formulas_are_made_harmless_and_numbers_stay() {
        let mut csv = Csv::new(["a", "b"]);
        csv.row(["=1+1", "-5.2"]);
        csv.row(["-x", "say \"hi\", you"]);
        csv.row(["@cmd", "+86 10"]);
        assert_eq!(csv.into_text(), "\u{feff}a,b\r\n\"'=1+1\",-5.2\r\n\"'-x\",\"say \"\"hi\"\", you\"\r\n\"'@cmd\",\"'+86 10\"\r\n");
    }
}
