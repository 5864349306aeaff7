//! Who we are to a device, from the command line: the options of net-snmp's tools under their letters, secrets also from
//! files and environment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::snmp::job::{AuthProtocol, Credentials, Patience, PrivProtocol, Secret};
use crate::snmp::message::Version;

/// SNMP options of `device test` and `discover`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "SNMP")]
pub(super) struct SnmpArgs {
    /// Community of v1 and v2c; `discover` tries several, with commas between them [default: public]
    #[arg(short = 'c', long, env = "NETROOM_COMMUNITY", value_name = "COMMUNITY", hide_env_values = true, value_delimiter = ',')]
    pub(super) community: Vec<String>,
    /// A file that holds the community
    #[arg(long, value_name = "FILE")]
    pub(super) community_file: Vec<PathBuf>,
    /// SNMP version: 1, 2c or 3 [default: 2c; 3 with --user]
    #[arg(short = 'v', long = "snmp-version", value_name = "VERSION")]
    snmp_version: Option<VersionArg>,
    /// SNMPv3: security name
    #[arg(short = 'u', long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// SNMPv3: noAuthNoPriv, authNoPriv or authPriv [default: what the pass phrases allow]
    #[arg(short = 'l', long, value_name = "LEVEL", ignore_case = true)]
    level: Option<Level>,
    /// SNMPv3: authentication protocol: MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512
    #[arg(short = 'a', long = "auth", value_name = "PROTOCOL", value_parser = parse_auth)]
    auth: Option<AuthProtocol>,
    /// SNMPv3: authentication pass phrase
    #[arg(short = 'A', long, env = "NETROOM_AUTH_PASSWORD", value_name = "PHRASE", hide_env_values = true)]
    auth_password: Option<String>,
    /// SNMPv3: a file that holds the authentication pass phrase
    #[arg(long, value_name = "FILE", conflicts_with = "auth_password")]
    auth_password_file: Option<PathBuf>,
    /// SNMPv3: privacy protocol: DES, AES, AES-192 or AES-256
    #[arg(short = 'x', long = "privacy", value_name = "PROTOCOL", value_parser = parse_privacy)]
    privacy: Option<PrivProtocol>,
    /// SNMPv3: privacy pass phrase
    #[arg(short = 'X', long, env = "NETROOM_PRIVACY_PASSWORD", value_name = "PHRASE", hide_env_values = true)]
    privacy_password: Option<String>,
    /// SNMPv3: a file that holds the privacy pass phrase
    #[arg(long, value_name = "FILE", conflicts_with = "privacy_password")]
    privacy_password_file: Option<PathBuf>,
    /// SNMPv3: context name
    #[arg(short = 'n', long, value_name = "NAME", default_value = "")]
    context: String,
    /// UDP port of the device [default: 161]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// Seconds to wait for the first answer; it doubles with each try
    #[arg(short = 't', long, value_name = "SECONDS", default_value = "1", value_parser = parse_seconds)]
    pub(super) timeout: Duration,
    /// How often a request is sent at most
    #[arg(short = 'r', long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(super) tries: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum VersionArg {
    #[value(name = "1")]
    V1,
    #[value(name = "2c", alias = "2")]
    V2c,
    #[value(name = "3")]
    V3,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Level {
    #[value(name = "noAuthNoPriv")]
    Open,
    #[value(name = "authNoPriv")]
    Signed,
    #[value(name = "authPriv")]
    Private,
}

/// Credentials and where they came from, for configuration that is made of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Known {
    /// The credentials.
    pub(super) credentials: Credentials,
    /// The file of the community.
    pub(super) file: Option<PathBuf>,
}

impl SnmpArgs {
    /// All credentials to try, in the order given.
    ///
    /// # Errors
    /// When options contradict each other or a file cannot be read.
    pub(super) fn known(&self) -> anyhow::Result<Vec<Known>> {
        let version = self.snmp_version.unwrap_or(if self.user.is_some() { VersionArg::V3 } else { VersionArg::V2c });
        let version = match version {
            VersionArg::V3 => return Ok(vec![Known { credentials: self.v3()?, file: None }]),
            VersionArg::V1 => Version::V1,
            VersionArg::V2c => Version::V2c,
        };
        if self.user.is_some() {
            bail!("only SNMPv3 has users: write -v 3, or leave -u away");
        }
        let of = |text: &str, file: Option<&PathBuf>| Known {
            credentials: Credentials::Community { version, community: Secret::new(text.as_bytes()) },
            file: file.cloned(),
        };
        let mut known: Vec<Known> = self.community.iter().map(|community| of(community, None)).collect();
        for file in &self.community_file {
            known.push(of(&read_secret(file)?, Some(file)));
        }
        if known.is_empty() {
            known.push(of("public", None));
        }
        Ok(known)
    }

    /// Whether the command line says who we are.
    pub(super) const fn names_credentials(&self) -> bool {
        !self.community.is_empty() || !self.community_file.is_empty() || self.user.is_some() || self.snmp_version.is_some()
    }

    /// The UDP port to ask at.
    pub(super) const fn port(&self) -> u16 {
        match self.port {
            Some(port) => port,
            None => 161,
        }
    }

    /// How long to wait for one request.
    pub(super) fn patience(&self) -> Patience {
        Patience { min_timeout: self.timeout, max_timeout: self.timeout * 8, tries: self.tries }
    }

    fn v3(&self) -> anyhow::Result<Credentials> {
        let Some(user) = self.user.clone() else { bail!("SNMPv3 needs a user: add -u NAME") };
        let auth_password = phrase(self.auth_password.as_ref(), self.auth_password_file.as_deref())?;
        let privacy_password = phrase(self.privacy_password.as_ref(), self.privacy_password_file.as_deref())?;
        let level = self.level.unwrap_or(match (&auth_password, &privacy_password) {
            (Some(_), Some(_)) => Level::Private,
            (Some(_), None) => Level::Signed,
            _ => Level::Open,
        });
        let auth = match (level, auth_password) {
            (Level::Open, _) => None,
            (_, Some(phrase)) => Some((self.auth.unwrap_or(AuthProtocol::Sha1), phrase)),
            (_, None) => bail!("this level needs an authentication pass phrase: add -A PHRASE or --auth-password-file FILE"),
        };
        let privacy = match (level, privacy_password) {
            (Level::Private, Some(phrase)) => Some((self.privacy.unwrap_or(PrivProtocol::Aes128), phrase)),
            (Level::Private, None) => bail!("authPriv needs a privacy pass phrase: add -X PHRASE or --privacy-password-file FILE"),
            _ => None,
        };
        Ok(Credentials::User { user, auth, privacy, context: self.context.clone() })
    }
}

fn phrase(given: Option<&String>, file: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let text = match (given, file) {
        (_, Some(file)) => Some(read_secret(file)?),
        (Some(given), None) => Some(given.clone()),
        (None, None) => None,
    };
    if text.as_ref().is_some_and(|text| text.len() < 8) {
        bail!("an SNMPv3 pass phrase has at least 8 characters (RFC 3414)");
    }
    Ok(text.map(|text| Secret::new(text.as_bytes())))
}

/// The first line of a file.
fn read_secret(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("the secret in {} cannot be read", file.display()))?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        bail!("{} is empty; its first line should be the secret", file.display());
    }
    Ok(line)
}

fn parse_auth(text: &str) -> Result<AuthProtocol, String> {
    Ok(match text.to_ascii_lowercase().replace('-', "").as_str() {
        "md5" => AuthProtocol::Md5,
        "sha" | "sha1" => AuthProtocol::Sha1,
        "sha224" => AuthProtocol::Sha224,
        "sha256" => AuthProtocol::Sha256,
        "sha384" => AuthProtocol::Sha384,
        "sha512" => AuthProtocol::Sha512,
        _ => return Err("it is one of MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512".into()),
    })
}

fn parse_privacy(text: &str) -> Result<PrivProtocol, String> {
    Ok(match text.to_ascii_lowercase().replace('-', "").as_str() {
        "des" => PrivProtocol::Des,
        "aes" | "aes128" => PrivProtocol::Aes128,
        "aes192" => PrivProtocol::Aes192,
        "aes256" => PrivProtocol::Aes256,
        _ => return Err("it is one of DES, AES, AES-192, AES-256".into()),
    })
}

/// Seconds with a fraction, 0.05 to 60.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is a number of seconds".to_owned())?;
    if (0.05..=60.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err("it is between 0.05 and 60 seconds".into()) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        snmp: SnmpArgs,
    }

    fn known(arguments: &[&str]) -> Result<Vec<Known>, String> {
        let line = Line::try_parse_from(std::iter::once(&"test").chain(arguments)).map_err(|error| error.to_string())?;
        line.snmp.known().map_err(|error| error.to_string())
    }

    fn community(version: Version, text: &str) -> Credentials {
        Credentials::Community { version, community: Secret::new(text.as_bytes()) }
    }

    #[test]
    fn communities_in_their_order_and_public_when_none_is_named() {
        assert_eq!(known(&[]).unwrap()[0].credentials, community(Version::V2c, "public"));
        let two: Vec<_> = known(&["-v", "1", "-c", "a", "-c", "b"]).unwrap().into_iter().map(|known| known.credentials).collect();
        assert_eq!(two, [community(Version::V1, "a"), community(Version::V1, "b")]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("community");
        std::fs::write(&file, "s3cret\n").unwrap();
        let told = known(&["--community-file", file.to_str().unwrap()]).unwrap();
        assert_eq!((&told[0].credentials, told[0].file.as_ref()), (&community(Version::V2c, "s3cret"), Some(&file)));
    }

    #[test]
    fn users_get_the_level_that_their_pass_phrases_allow() {
        let parts = |arguments: &[&str]| match known(arguments).unwrap().remove(0).credentials {
            Credentials::User { auth, privacy, .. } => (auth.map(|auth| auth.0), privacy.map(|privacy| privacy.0)),
            Credentials::Community { .. } => panic!("a user was meant"),
        };
        assert_eq!(parts(&["-u", "ops"]), (None, None));
        assert_eq!(parts(&["-u", "ops", "-a", "SHA-256", "-A", "12345678"]), (Some(AuthProtocol::Sha256), None));
        let both = parts(&["-v3", "-u", "ops", "-l", "authpriv", "-A", "12345678", "-x", "AES", "-X", "87654321"]);
        assert_eq!(both, (Some(AuthProtocol::Sha1), Some(PrivProtocol::Aes128)));
        assert_eq!(parts(&["-u", "ops", "-l", "noAuthNoPriv", "-A", "12345678"]), (None, None));
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_do() {
        for (arguments, word) in [
            (&["-v", "3"][..], "-u NAME"),
            (&["-v", "2c", "-u", "ops"], "-v 3"),
            (&["-u", "ops", "-l", "authNoPriv"], "-A PHRASE"),
            (&["-u", "ops", "-l", "authPriv", "-A", "12345678"], "-X PHRASE"),
            (&["-u", "ops", "-A", "short"], "8 characters"),
            (&["--community-file", "/nowhere/at/all"], "/nowhere/at/all"),
            (&["-a", "ROT13"], "SHA-256"),
            (&["-t", "0"], "0.05"),
        ] {
            let error = known(arguments).unwrap_err();
            assert!(error.contains(word), "{arguments:?}: {error}");
        }
    }
}
