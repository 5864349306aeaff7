//! The effects of the configuration room: reading files, directories and secrets.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Loaded;
use super::problem::{Code, Place, Problem, Problems, Severity};
use super::resolve;
use super::secret::Secret;
use super::secrets::{Found, SecretSource, Unreadable};
use super::settings::LogFormat;
use super::source::{SourceText, Sources};

/// More than this is no configuration.
const LARGEST_FILE: u64 = 16 << 20;
const LARGEST_SECRET: u64 = 64 << 10;

/// What flags and environment say, over all files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    /// `--data` or NETROOM_DATA.
    pub data: Option<PathBuf>,
    /// `--listen` or NETROOM_LISTEN.
    pub listen: Option<SocketAddr>,
    /// `--log` or NETROOM_LOG.
    pub log: Option<String>,
    /// `--log-format`.
    pub log_format: Option<LogFormat>,
}

/// Where the configuration comes from: asked at the start and again at each reload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The main file; `conf.d/*.toml` beside it is read after it, in the order of the names.
    pub main: PathBuf,
    /// What flags and environment say.
    pub overrides: Overrides,
    /// The directory of systemd's credentials ($CREDENTIALS_DIRECTORY).
    pub credentials: Option<PathBuf>,
}

impl Origin {
    /// Reads and checks everything. Either all of it is good, or nothing is changed by asking.
    ///
    /// # Errors
    /// Every problem of every file at once.
    pub fn load(&self) -> Result<Loaded, Problems> {
        let mut problems = Problems::default();
        let mut texts = Vec::new();
        for path in self.files(&mut problems) {
            match read_text(&path) {
                Ok(text) => texts.push(text),
                Err(problem) => problems.push(problem),
            }
        }
        let secrets = Machine { credentials: self.credentials.as_deref() };
        resolve::settings(&Sources::new(texts), &self.overrides, &secrets, problems)
    }

    /// The main file, then those of `conf.d` in the order of their names.
    fn files(&self, problems: &mut Problems) -> Vec<PathBuf> {
        let mut files = vec![self.main.clone()];
        let directory = self.main.parent().unwrap_or(Path::new("")).join("conf.d");
        let mut more = match list(&directory) {
            Ok(more) => more,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                problems.push(unreadable(&directory, &error));
                Vec::new()
            }
        };
        more.sort();
        files.append(&mut more);
        files
    }
}

fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn read_text(path: &Path) -> Result<SourceText, Problem> {
    let (bytes, mode) = read(path, LARGEST_FILE).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?;
    // Editors of Windows put a mark in front.
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok(SourceText { path: path.to_owned(), text, exposed: mode & 0o004 != 0 })
}

/// At most `largest` octets of a file, and its permissions.
fn read(path: &Path, largest: u64) -> io::Result<(Vec<u8>, u32)> {
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {largest} bytes")));
    }
    Ok((bytes, metadata.permissions().mode()))
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let remedy = match error.kind() {
        ErrorKind::NotFound => "create it, or name another with --config".to_owned(),
        ErrorKind::PermissionDenied => "let the account that netroom runs as read it".to_owned(),
        _ => "see that it is a plain file on a healthy disk".to_owned(),
    };
    Problem {
        severity: Severity::Error,
        code: Code::UnreadableFile,
        place: Some(Place { file: path.to_owned(), line: 0, column: 0 }),
        message: format!("cannot be read: {}", in_words(error)),
        remedy,
        other: None,
    }
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Problem {
    let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let before = String::from_utf8_lossy(good);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Problem {
        severity: Severity::Error,
        code: Code::NotUtf8,
        place: Some(Place {
            file: path.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }),
        message: "the file is not UTF-8 from here on".into(),
        remedy: "save it as UTF-8; from GBK: iconv -f GB18030 -t UTF-8".into(),
        other: None,
    }
}

/// The words of an error without its number.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it does not exist".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::IsADirectory => "it is a directory".into(),
        _ => error.to_string(),
    }
}

/// Secrets of this machine.
struct Machine<'a> {
    credentials: Option<&'a Path>,
}

impl SecretSource for Machine<'_> {
    fn file(&self, path: &Path) -> Result<Found, Unreadable> {
        let failed = |error: &io::Error| Unreadable {
            why: format!("{} cannot be read: {}", path.display(), in_words(error)),
            remedy: "create it with the secret as its only line, readable by the account that netroom runs as".into(),
        };
        let (bytes, mode) = read(path, LARGEST_SECRET).map_err(|error| failed(&error))?;
        Ok(Found { secret: only_line(bytes, &path.display().to_string())?, exposed: mode & 0o044 != 0 })
    }

    fn credential(&self, name: &str) -> Result<Found, Unreadable> {
        let plain = Path::new(name).file_name().is_some_and(|file| file == name);
        let (Some(directory), true) = (self.credentials, plain) else {
            return Err(Unreadable {
                why: format!("there is no systemd credential `{name}`"),
                remedy: "add LoadCredential= to the unit (systemd/README.md), or use a file".into(),
            });
        };
        let path = directory.join(name);
        let (bytes, _) = read(&path, LARGEST_SECRET).map_err(|error| Unreadable {
            why: format!("the systemd credential `{name}` cannot be read: {}", in_words(&error)),
            remedy: format!("add LoadCredential={name}:... to the unit (systemd/README.md)"),
        })?;
        Ok(Found { secret: only_line(bytes, name)?, exposed: false })
    }

    fn list(&self, path: &Path) -> Result<Option<String>, Unreadable> {
        let bytes = match read(path, LARGEST_FILE) {
            Ok((bytes, _)) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let why = format!("{} cannot be read: {}", path.display(), in_words(&error));
                return Err(Unreadable { why, remedy: "let the account that netroom runs as read it".into() });
            }
        };
        String::from_utf8(bytes).map(Some).map_err(|_| Unreadable {
            why: format!("{} is not UTF-8", path.display()),
            remedy: "save it as UTF-8; from GBK: iconv -f GB18030 -t UTF-8".into(),
        })
    }
}

fn only_line(bytes: Vec<u8>, whose: &str) -> Result<Secret, Unreadable> {
    let remedy = "write the secret as its only line, in UTF-8".to_owned();
    let text = String::from_utf8(bytes).map_err(|_| Unreadable { why: format!("{whose} is not UTF-8"), remedy: remedy.clone() })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    match line.strip_suffix('\r').unwrap_or(line) {
        "" => Err(Unreadable { why: format!("{whose} is empty"), remedy }),
        line if line.contains('\n') => Err(Unreadable { why: format!("{whose} has more than one line"), remedy }),
        line => Ok(Secret::new(line)),
    }
}
