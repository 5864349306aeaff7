//! Passwords: the rules for new ones, and argon2id (RFC 9106; the crate's defaults are those of OWASP: 19 MiB, 2 passes).

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use sha1::{Digest as _, Sha1};

use super::token::NoRandomness;

/// The fewest characters of a password.
pub const SHORTEST: usize = 10;
/// Longer ones would only cost time.
const LONGEST: usize = 1024;

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("a password has {SHORTEST} characters or more; a few words in a row are easy to keep in mind")]
    Short,
    /// Too long.
    #[error("a password has {LONGEST} octets at most")]
    Long,
    /// It contains the name of its account.
    #[error("the password contains the account's name; that is tried first by those who guess")]
    HoldsName,
    /// It is on the list.
    #[error("this password is on the list of known ones; take another")]
    Known,
    /// The list cannot be read, and nothing is taken unchecked.
    #[error("the list of known passwords {} cannot be read: {source}", .path.display())]
    List {
        /// Which file.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
    /// The machine gave no random numbers.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The hash function refused.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// Judges a new password. `known` is a file of passwords that are in use elsewhere: one a line, plain or as SHA-1 in
/// hexadecimal digits with or without `:count`.
///
/// # Errors
/// Which rule it breaks.
pub fn judge(password: &str, login: &str, known: Option<&Path>) -> Result<(), PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::Short);
    }
    if password.len() > LONGEST {
        return Err(PasswordError::Long);
    }
    if password.to_lowercase().contains(&login.to_lowercase()) {
        return Err(PasswordError::HoldsName);
    }
    let Some(path) = known else { return Ok(()) };
    let listed = is_listed(password, path).map_err(|source| PasswordError::List { path: path.to_owned(), source })?;
    if listed { Err(PasswordError::Known) } else { Ok(()) }
}

fn is_listed(password: &str, path: &Path) -> std::io::Result<bool> {
    let digest: String = Sha1::digest(password.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect();
    let mut lines = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = line.trim_ascii_end();
        if text == password.as_bytes() || text.get(..40).is_some_and(|hash| hash.eq_ignore_ascii_case(digest.as_bytes())) {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

/// Hashes a password with a salt of its own. Takes tens of milliseconds and 19 MiB: call it on a blocking thread.
///
/// # Errors
/// When there are no random numbers.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| NoRandomness)?;
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
}

/// Whether a password is the one that was hashed. As costly as [`hash`].
pub fn fits(password: &str, hashed: &str) -> bool {
    password.len() <= LONGEST && Argon2::default().verify_password(password.as_bytes(), hashed).is_ok()
}

/// The hash of no password, for logins that do not exist: they must take as long as those that do.
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bmV0cm9vbS1ub2JvZHk$JYvLaKLw+mlBVMZSxhZbNRmvFkT0Qsl6IrBNIrBu+O4";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_alone_and_says_its_cost() {
        let hashed = hash("correct horse battery").unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(fits("correct horse battery", &hashed) && !fits("correct horse batterz", &hashed));
        assert_ne!(hash("correct horse battery").unwrap(), hashed, "salts differ");
        assert!(!fits("", NOBODY) && argon2::password_hash::phc::PasswordHash::new(NOBODY).is_ok());
    }

    #[test]
    fn each_rule_refuses_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("known");
        let digest: String = Sha1::digest(b"hunter2hunter2").iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(&list, format!("password1234\r\n{digest}:52\n\n")).unwrap();
        let judge = |password: &str| judge(password, "zhang", Some(&list));
        assert!(matches!(judge("123456789"), Err(PasswordError::Short)));
        assert!(judge("一二三四五六七八九十").is_ok(), "characters count, not octets");
        assert!(matches!(judge(&"x".repeat(1025)), Err(PasswordError::Long)));
        assert!(matches!(judge("my name is Zhang"), Err(PasswordError::HoldsName)));
        assert!(matches!(judge("password1234"), Err(PasswordError::Known)));
        assert!(matches!(judge("hunter2hunter2"), Err(PasswordError::Known)));
        assert!(judge("quite another one").is_ok());
        std::fs::remove_file(&list).unwrap();
        assert!(matches!(judge("quite another one"), Err(PasswordError::List { .. })), "a list that is gone is no list that is empty");
    }
}
