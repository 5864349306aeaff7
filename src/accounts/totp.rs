//! One-time codes from a clock (RFC 6238 over HMAC-SHA-1, 6 digits, 30 s: what every authenticator app does), and codes
//! on paper for the day the telephone is lost.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::token::{NoRandomness, TokenHash};
use crate::model::Timestamp;

/// Seconds that a code is shown.
const STEP_S: i64 = 30;
/// Codes of this many steps before and after are taken: clocks differ.
const SKEW: i64 = 1;
/// How many codes on paper there are.
pub const RECOVERY_CODES: usize = 10;

/// A shared secret of 160 bits (RFC 4226 section 4).
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; 20]);

impl TotpSecret {
    /// A new secret.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bits = [0; 20];
        getrandom::fill(&mut bits).map_err(|_| NoRandomness)?;
        Ok(Self(bits))
    }

    /// From the database.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// For the database.
    pub const fn bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// In the letters that people type (RFC 4648 base 32).
    pub fn base32(&self) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut out, mut held, mut bits) = (String::with_capacity(32), 0_u32, 0);
        for byte in self.0 {
            held = held << 8 | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                let index = (held >> bits) & 31;
                out.push(LETTERS.get(index as usize).copied().map_or('A', char::from));
            }
        }
        out
    }

    /// The address that apps read from a QR code.
    pub fn uri(&self, login: &str) -> String {
        let escaped: String = login
            .bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect();
        format!("otpauth://totp/netroom:{escaped}?secret={}&issuer=netroom", self.base32())
    }

    /// The step that `code` belongs to, when it is one of now and later than `used`: no code is taken twice.
    pub fn accept(&self, code: &str, now: Timestamp, used: i64) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let step = now.secs().div_euclid(STEP_S);
        (step - SKEW..=step + SKEW).find(|step| *step > used && super::token::same(&format!("{:06}", self.code(*step) % 1_000_000), &code))
    }

    /// What an app shows at this time.
    #[cfg(test)]
    pub(super) fn shown(&self, at: Timestamp) -> String {
        format!("{:06}", self.code(at.secs().div_euclid(STEP_S)) % 1_000_000)
    }

    /// The truncated HMAC (RFC 4226 section 5.3) of a step.
    fn code(&self, step: i64) -> u32 {
        let Ok(mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return 0 };
        let digest: [u8; 20] = mac.chain_update(step.to_be_bytes()).finalize().into_bytes().into();
        let offset = usize::from(digest[19] & 15);
        let bits = digest.get(offset..offset + 4).and_then(|bits| bits.try_into().ok()).map_or(0, u32::from_be_bytes);
        bits & 0x7fff_ffff
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// New codes on paper: 50 bits each, `XXXXX-XXXXX`.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn recovery_codes() -> Result<Vec<String>, NoRandomness> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let letters: String = TotpSecret::random()?.base32().chars().take(10).collect();
            let (left, right) = letters.split_at(5);
            Ok(format!("{left}-{right}"))
        })
        .collect()
}

/// What is stored of a code on paper: blanks, hyphens and case do not count.
pub fn recovery_hash(code: &str) -> TokenHash {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    Sha256::digest(format!("netroom recovery {plain}").as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: TotpSecret = TotpSecret(*b"12345678901234567890");

    /// RFC 6238 appendix B, SHA-1, the last six of eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_secs(seconds);
            assert_eq!(RFC.accept(code, now, 0), Some(seconds / 30), "{seconds}");
            assert_eq!(RFC.accept(code, now, seconds / 30), None, "a code is taken once");
        }
    }

    #[test]
    fn neighbours_are_taken_and_others_not() {
        let code = "287082";
        for (seconds, taken) in [(29, false), (30, true), (89, true), (90, false)] {
            assert_eq!(
                RFC.accept(code, Timestamp::from_secs(seconds + if seconds < 30 { -30 } else { 0 }), 0).is_some(),
                taken,
                "{seconds}"
            );
        }
        assert!(RFC.accept("287 082", Timestamp::from_secs(59), 0).is_some());
        assert!(RFC.accept("", Timestamp::from_secs(59), 0).is_none());
    }

    #[test]
    fn the_secret_is_written_as_apps_read_it() {
        assert_eq!(RFC.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(RFC.uri("li 四"), "otpauth://totp/netroom:li%20%E5%9B%9B?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=netroom");
    }

    #[test]
    fn codes_on_paper_differ_and_bear_sloppy_typing() {
        let codes = recovery_codes().unwrap();
        assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), RECOVERY_CODES);
        let first = &codes[0];
        assert_eq!(recovery_hash(&first.to_lowercase().replace('-', " ")), recovery_hash(first));
        assert_ne!(recovery_hash(&codes[1]), recovery_hash(first));
    }
}
