//! Tokens: 256 random bits that only their owner has. We keep their SHA-256, which is of no use to a thief.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What is stored of a token.
pub type TokenHash = [u8; 32];

/// A token. Its text goes to its owner once; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The machine gave no random numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the operating system gives no random numbers; nothing secret can be made")]
pub struct NoRandomness;

impl Token {
    /// A new token.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits).map_err(|_| NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bits)))
    }

    /// A token as somebody shows it; `None` when it cannot be one.
    pub fn shown(text: &str) -> Option<Self> {
        let fits = text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        fits.then(|| Self(text.to_owned()))
    }

    /// The text, for its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Another secret that only the holder of this one can know, for one purpose: the mark of a session's forms.
    pub fn derive(&self, purpose: &str) -> String {
        let hash = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(&self.0).finalize();
        URL_SAFE_NO_PAD.encode(hash)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_read_back() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(Token::shown(one.reveal()), Some(one.clone()));
        assert_ne!(one.derive("a"), one.derive("b"));
        assert!(!format!("{one:?}").contains(one.reveal()));
        for text in ["", "short", &"=".repeat(43), &"a".repeat(44)] {
            assert_eq!(Token::shown(text), None, "{text}");
        }
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab"));
    }
}
