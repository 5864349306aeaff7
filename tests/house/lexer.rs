//! Just enough of Rust's lexical form (Reference, "Tokens") to tell code from comments and strings.

/// A source file taken apart.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    /// The code; comments are gone, each string is `""`.
    pub code: String,
    /// The strings in their order, escapes as they are written.
    pub strings: Vec<String>,
}

impl Lexed {
    pub(crate) fn new(text: &str) -> Self {
        let mut lexed = Self::default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if rest.starts_with("//") {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            } else if rest.starts_with("/*") {
                rest = &rest[block_comment(rest)..];
                lexed.code.push(' ');
            } else if let Some((body, length)) = raw_string(rest, lexed.code.chars().last()) {
                lexed.string(body);
                rest = &rest[length..];
            } else if c == '"' {
                let end = string_end(rest);
                lexed.string(&rest[1..end.saturating_sub(1).max(1)]);
                rest = &rest[end..];
            } else if let Some(length) = character(rest) {
                lexed.code.push_str("' '");
                rest = &rest[length..];
            } else {
                lexed.code.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        lexed
    }

    fn string(&mut self, body: &str) {
        self.strings.push(body.to_owned());
        self.code.push_str("\"\"");
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// `r"..."`, `r#"..."#`, with `b` or `c` before them: the body and the whole length.
fn raw_string(text: &str, before: Option<char>) -> Option<(&str, usize)> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let unprefixed = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let hashes = unprefixed.len() - unprefixed.trim_start_matches('#').len();
    let body = unprefixed[hashes..].strip_prefix('"')?;
    let end = body.find(&format!("\"{}", "#".repeat(hashes)))?;
    Some((&body[..end], text.len() - body.len() + end + 1 + hashes))
}

/// Where the string ends that the text begins with, its quote included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the character literal that the text begins with; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let mut chars = body.chars();
    match chars.next()? {
        '\\' => body[2..].find('\'').map(|end| end + 4),
        '\'' => None,
        c => (chars.next() == Some('\'')).then(|| c.len_utf8() + 2),
    }
}

/// The code without its `#[cfg(test)]` items, and the names of the test modules that stand in files of their own.
pub(crate) fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut kept, mut modules, mut rest) = (String::new(), Vec::new(), code);
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        let end = item.find(['{', ';']).unwrap_or(item.len());
        if item[end..].starts_with('{') {
            rest = &item[end + block(&item[end..])..];
        } else {
            let name = item[..end].split_whitespace().last().unwrap_or_default();
            modules.push(name.to_owned());
            rest = item.get(end + 1..).unwrap_or_default();
        }
    }
    kept.push_str(rest);
    (kept, modules)
}

/// The length of the `{...}` that the text begins with.
fn block(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn code_comments_and_strings_are_told_apart() {
    let text = r###"
        // use crate::comment; "no"
        /* outer /* inner */ "no" */
        use crate::real; /// doc
        let s = "a \" // b"; let r = br#"raw " x"#; let c = '"'; let e = '\''; let l: &'static str = "end";
        xr"plain";
    "###;
    let lexed = Lexed::new(text);
    assert_eq!(lexed.strings, ["a \\\" // b", "raw \" x", "end", "plain"]);
    assert!(lexed.code.contains("use crate::real;") && lexed.code.contains("&'static str"));
    assert!(!lexed.code.contains("comment") && !lexed.code.contains("inner") && !lexed.code.contains("doc"));
}

#[test]
fn tests_are_cut_out() {
    let code = "use a; #[cfg(test)] mod tests { fn f() { {} } } use b; #[cfg(test)] #[path = \"\"] mod more; use c;";
    let (kept, modules) = without_tests(code);
    assert_eq!(kept.split_whitespace().collect::<Vec<_>>(), ["use", "a;", "use", "b;", "use", "c;"]);
    assert_eq!(modules, ["more"]);
}
