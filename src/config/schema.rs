//! The JSON Schema of the files, and the check of a parsed file against it: every unknown key and every value of a wrong
//! type at once. What does not fit is told and left out, so that the rest can still be judged.

use std::sync::LazyLock;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::problem::Code;
use super::raw::RawFile;
use super::suggest::nearest;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<RawFile>().to_value();
    without_null(&mut schema);
    schema
});

/// The JSON Schema (draft 2020-12) of `netroom.toml` and the files of `conf.d`.
pub fn json_schema() -> &'static Value {
    &SCHEMA
}

/// One thing that does not fit, at an offset.
#[derive(Debug)]
pub(super) struct Misfit {
    pub offset: usize,
    /// The keys that lead to it, as `snmp.users.campus.auth`.
    pub path: String,
    pub code: Code,
    pub message: String,
    pub remedy: String,
}

/// Takes a parsed file, tells what does not fit the schema, and gives back what does, its offsets moved by `base`.
pub(super) fn conform<'i>(file: Spanned<DeTable<'i>>, base: usize, misfits: &mut Vec<Misfit>) -> Spanned<DeTable<'i>> {
    let range = file.span();
    let table = Walk { base, misfits }.table(file.into_inner(), &SCHEMA, "");
    Spanned::new(range.start + base..range.end + base, table)
}

struct Walk<'a> {
    base: usize,
    misfits: &'a mut Vec<Misfit>,
}

impl Walk<'_> {
    fn table<'i>(&mut self, table: DeTable<'i>, schema: &Value, path: &str) -> DeTable<'i> {
        let mut fitting = DeTable::new();
        for (key, value) in table {
            let (span, name) = (key.span(), key.into_inner());
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            let Some(inner) = schema["properties"].get(name.as_ref()).or_else(|| map_values(schema)) else {
                self.unknown(span.start, &path, &name, schema);
                continue;
            };
            if let Some(value) = self.value(value, inner, &path, false) {
                fitting.insert(Spanned::new(span.start + self.base..span.end + self.base, name), value);
            }
        }
        fitting
    }

    fn value<'i>(&mut self, value: Spanned<DeValue<'i>>, schema: &Value, path: &str, in_list: bool) -> Option<Spanned<DeValue<'i>>> {
        let range = value.span();
        let fitting = match (value.into_inner(), schema["type"].as_str()) {
            (DeValue::Table(table), Some("object")) => DeValue::Table(self.table(table, schema, path)),
            (DeValue::Array(array), Some("array")) => {
                let fit = |element| self.value(element, &schema["items"], path, true);
                DeValue::Array(array.into_iter().filter_map(fit).collect::<DeArray<'_>>())
            }
            (DeValue::String(text), Some("string")) if words(schema).next().is_none() => DeValue::String(text),
            (DeValue::String(text), _) if words(schema).next().is_some() => {
                if words(schema).all(|word| word != text) {
                    self.no_such_word(range.start, path, &text, schema);
                    return None;
                }
                DeValue::String(text)
            }
            (DeValue::Boolean(flag), Some("boolean")) => DeValue::Boolean(flag),
            (DeValue::Integer(number), Some("integer")) => {
                let within = i64::from_str_radix(number.as_str(), number.radix()).is_ok_and(|number| {
                    schema["minimum"].as_i64().is_none_or(|low| number >= low)
                        && schema["maximum"].as_i64().is_none_or(|high| number <= high)
                });
                if !within {
                    self.out_of_range(range.start, path, schema);
                    return None;
                }
                DeValue::Integer(number)
            }
            (value, _) => {
                self.wrong_type(range.start, path, &value, schema, in_list);
                return None;
            }
        };
        Some(Spanned::new(range.start + self.base..range.end + self.base, fitting))
    }

    fn unknown(&mut self, offset: usize, path: &str, name: &str, schema: &Value) {
        let known = || schema["properties"].as_object().into_iter().flat_map(|keys| keys.keys().map(String::as_str));
        let remedy = match nearest(name, known()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("remove it, or take one of: {}", known().collect::<Vec<_>>().join(", ")),
        };
        self.tell(offset, path, Code::UnknownKey, format!("there is no key `{path}`"), remedy);
    }

    fn no_such_word(&mut self, offset: usize, path: &str, text: &str, schema: &Value) {
        let all = words(schema).map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let remedy = match nearest(text, words(schema)) {
            Some(meant) => format!("did you mean \"{meant}\"? All words: {all}"),
            None => format!("take one of: {all}"),
        };
        self.tell(offset, path, Code::WrongType, format!("`{path}` does not know this word"), remedy);
    }

    fn out_of_range(&mut self, offset: usize, path: &str, schema: &Value) {
        let (low, high) = (&schema["minimum"], &schema["maximum"]);
        self.tell(
            offset,
            path,
            Code::OutOfRange,
            format!("`{path}` is out of its range"),
            format!("write a whole number from {low} to {high}"),
        );
    }

    /// Never shows the value itself: it may be a secret in the wrong place.
    fn wrong_type(&mut self, offset: usize, path: &str, value: &DeValue<'_>, schema: &Value, in_list: bool) {
        let (wanted, remedy) = match schema["type"].as_str() {
            Some("object") if in_list => ("a table", "write it as { key = value, ... }".to_owned()),
            Some("object") => ("a table", format!("write it as a section: [{path}]")),
            Some("array") if schema["items"]["type"] == "object" => ("a list of tables", format!("write each one as [[{path}]]")),
            Some("array") => ("a list", format!("write {} = [ ... ]", path.rsplit('.').next().unwrap_or(path))),
            Some("boolean") => ("true or false", "write true or false without quotes".to_owned()),
            Some("integer") => ("a whole number", "write the number without quotes and without a unit".to_owned()),
            _ => ("a text", "put it in quotes".to_owned()),
        };
        let found = match value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.tell(offset, path, Code::WrongType, format!("`{path}` takes {wanted}, not {found}"), remedy);
    }

    fn tell(&mut self, offset: usize, path: &str, code: Code, message: String, remedy: String) {
        self.misfits.push(Misfit { offset: offset + self.base, path: path.to_owned(), code, message, remedy });
    }
}

/// The schema of the values of a table whose keys are free.
fn map_values(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|values| values.is_object())
}

/// The words of a list of words: `enum`, or `oneOf` with a description each.
fn words(schema: &Value) -> impl Iterator<Item = &str> {
    let described = schema["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["const"].as_str());
    schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).chain(described)
}

/// TOML has no null: an optional key is left out.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type")
        && let Some(only) = types.as_array().and_then(|all| all.iter().find(|one| *one != "null")).cloned()
    {
        *types = only;
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut)
        && let Some(at) = choices.iter().position(|one| one["type"] != "null")
        && let Value::Object(chosen) = choices.swap_remove(at)
        && let Some(keys) = schema.as_object_mut()
    {
        keys.remove("anyOf");
        for (key, value) in chosen {
            // The field's own description says more than that of its type.
            keys.entry(key).or_insert(value);
        }
    }
    match schema {
        Value::Object(keys) => keys.values_mut().for_each(without_null),
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_as_agreed() {
        insta::assert_snapshot!(serde_json::to_string_pretty(json_schema()).unwrap());
    }
}
