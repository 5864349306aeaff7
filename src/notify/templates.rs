//! The templates of messages: built in, or files of the office. They run with a limit of fuel and see nothing but the
//! values that they are given; a file is tried with a sample in both languages before it is taken into use.

use std::fs;
use std::path::{Path, PathBuf};

use minijinja::value::Kwargs;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use thiserror::Error;

use crate::i18n::{self, Lang};

/// Steps that one message may take; a mail with 200 changes takes a twentieth.
const FUEL: u64 = 2_000_000;
/// More than this is no template.
const LARGEST: u64 = 256 << 10;

/// The names of the templates with the built-in ones. `NAME.zh-CN.txt` beside `NAME.txt` is for one language.
const BUILT_IN: [(&str, &str); 7] = [
    ("alarm.subject.txt", include_str!("templates/alarm.subject.txt")),
    ("alarm.txt", include_str!("templates/alarm.txt")),
    ("alarm.html", include_str!("templates/alarm.html")),
    ("chat.txt", include_str!("templates/chat.txt")),
    ("late.txt", include_str!("templates/late.txt")),
    ("daily.subject.txt", include_str!("templates/daily.subject.txt")),
    ("daily.txt", include_str!("templates/daily.txt")),
];

/// Why a template cannot be used.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// The directory or a file in it cannot be read.
    #[error("{}: the template cannot be read: {source}; see `templates` in [notify]", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file with a name that nothing asks for.
    #[error("{}: there is no template of this name; the names are: {known}", .path.display())]
    UnknownName {
        /// Which.
        path: PathBuf,
        /// What there is.
        known: String,
    },
    /// It does not parse, or fails with the sample.
    #[error("{file}:{line}: {what}; see https://docs.rs/minijinja for what a template may say")]
    Broken {
        /// The file, or the built-in template's name.
        file: String,
        /// The line, from 1; 0 when it is not known.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// The templates in use.
#[derive(Clone, Debug)]
pub struct Templates {
    office: Environment<'static>,
    built_in: Environment<'static>,
    directory: Option<PathBuf>,
}

impl Templates {
    /// Those that are built in.
    ///
    /// # Errors
    /// When one does not parse, which is a fault of this program.
    pub fn built_in() -> Result<Self, TemplateError> {
        let mut built_in = environment();
        for (name, source) in BUILT_IN {
            built_in.add_template(name, source).map_err(|error| broken(None, name, &error))?;
        }
        Ok(Self { office: environment(), built_in, directory: None })
    }

    /// Those of a directory over those that are built in, each tried with `samples`: the values for one template's name.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn load(directory: Option<&Path>, samples: impl Fn(&str, Lang) -> Value) -> Result<Self, TemplateError> {
        let mut templates = Self::built_in()?;
        let Some(directory) = directory else { return Ok(templates) };
        templates.directory = Some(directory.to_owned());
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| TemplateError::Unreadable { path, source }
        };
        for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
            let path = entry.map_err(unreadable(directory))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with('.') || !(name.ends_with(".txt") || name.ends_with(".html")) {
                continue;
            }
            let Some((base, _)) =
                BUILT_IN.iter().find(|(base, _)| *base == name || Lang::ALL.iter().any(|lang| localised(base, *lang) == name))
            else {
                let known = BUILT_IN.map(|(name, _)| name).join(", ");
                return Err(TemplateError::UnknownName { path, known });
            };
            let size = fs::metadata(&path).map_err(unreadable(&path))?.len();
            if size > LARGEST {
                return Err(TemplateError::Unreadable { path, source: std::io::ErrorKind::FileTooLarge.into() });
            }
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            templates.office.add_template_owned(name.clone(), text).map_err(|error| broken(Some(directory), &name, &error))?;
            for lang in Lang::ALL {
                let rendered =
                    templates.office.get_template(&name).and_then(|template| template.render(with_words(samples(base, lang), lang)));
                rendered.map_err(|error| broken(Some(directory), &name, &error))?;
            }
        }
        Ok(templates)
    }

    /// Writes a message. An office's own template that fails with these values gives way to the built-in one: an alarm
    /// must not be lost to a slip in a template.
    ///
    /// # Errors
    /// When the built-in one fails too.
    pub fn render(&self, name: &str, lang: Lang, values: &Value) -> Result<String, TemplateError> {
        let values = with_words(values.clone(), lang);
        for candidate in [localised(name, lang), name.to_owned()] {
            let Ok(template) = self.office.get_template(&candidate) else { continue };
            match template.render(values.clone()) {
                Ok(text) => return Ok(text),
                Err(error) => {
                    let error = broken(self.directory.as_deref(), &candidate, &error);
                    tracing::error!(template = candidate, "a template failed, the built-in one is used: {error}");
                }
            }
        }
        let template = self.built_in.get_template(name).map_err(|error| broken(None, name, &error))?;
        template.render(values).map_err(|error| broken(None, name, &error))
    }
}

/// `alarm.txt` in Chinese is `alarm.zh-CN.txt`.
fn localised(name: &str, lang: Lang) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}.{lang}.{ending}")
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment
}

/// The values, and `t("key", name=value)` for the words of the reader's language.
fn with_words(values: Value, lang: Lang) -> Value {
    let words = Value::from_function(move |key: String, given: Kwargs| -> Result<String, minijinja::Error> {
        let mut arguments = Vec::new();
        for name in given.args() {
            let value: Value = given.get(name)?;
            arguments.push((name.to_owned(), value));
        }
        let arguments: Vec<(&str, i18n::Argument<'_>)> = arguments
            .iter()
            .map(|(name, value)| match i64::try_from(value.clone()) {
                Ok(number) => (name.as_str(), i18n::Argument::from(number)),
                Err(_) => (name.as_str(), i18n::Argument::from(value.to_string())),
            })
            .collect();
        Ok(i18n::format(lang, &key, &arguments))
    });
    minijinja::context! { t => words, lang => lang.tag(), ..values }
}

fn broken(directory: Option<&Path>, name: &str, error: &minijinja::Error) -> TemplateError {
    let file = directory.map_or_else(|| name.to_owned(), |directory| directory.join(name).display().to_string());
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it does not come to an end".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    TemplateError::Broken { file, line: error.line().unwrap_or(0), what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::letter;

    fn load(name: &str, text: &str) -> Result<Templates, String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(name), text).unwrap();
        let prefix = format!("{}/", directory.path().display());
        Templates::load(Some(directory.path()), letter::sample).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn files_replace_what_is_built_in_also_for_one_language() {
        let templates = load("alarm.subject.zh-CN.txt", "告警 {{ changes[0].subject }}").unwrap();
        let render = |lang| templates.render("alarm.subject.txt", lang, &letter::sample("alarm.subject.txt", lang)).unwrap();
        assert_eq!(render(Lang::ZhCn), "告警 sw-a3 Gi0/17");
        assert!(render(Lang::En).starts_with("[Major] New: sw-a3 Gi0/17"), "{}", render(Lang::En));
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        for (name, text, said) in [
            ("alarm.txt", "a\nb\n{% for x in %}", "alarm.txt:3: syntax error"),
            ("alarm.txt", "a\n{{ changes | nosuch }}", "alarm.txt:2: unknown filter"),
            (
                "alarm.txt",
                "\n\n{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
                "it does not come to an end",
            ),
            ("alarms.txt", "", "alarms.txt: there is no template of this name"),
            ("late.txt", "{% include '/etc/passwd' %}", "late.txt:1: "),
        ] {
            let error = load(name, text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn texts_of_devices_are_no_html() {
        let templates = Templates::built_in().unwrap();
        let mut notice = letter::sample_notice();
        notice.comment = Some("<script>alert(1)</script>".into());
        let values = letter::values(&[notice], 1, &letter::Reader::sample(Lang::En));
        let html = templates.render("alarm.html", Lang::En, &values).unwrap();
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
    }
}
