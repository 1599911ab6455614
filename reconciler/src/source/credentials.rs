//! Proof in both directions: the server's host key against the pinned ones, and our key or token.

use std::{cell::RefCell, io, rc::Rc, time::Instant};

use dataminer_schema::v1::cluster::SecretRef;
use git2::{CertificateCheckStatus, Cred, CredentialType, RemoteCallbacks};
use secrecy::{ExposeSecret, SecretString};

use super::{Location, SourceError};

/// How we prove who we are to a git server. Values are read anew at each fetch, so that a rotated secret works
/// without a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A private key in OpenSSH or PEM form.
    Key { user: Option<String>, identity: SecretRef, passphrase: Option<SecretRef> },
    /// A password or token; for https mostly a deploy token.
    Password { user: String, password: SecretRef },
}

/// The secrets of one fetch, in memory no longer than it lasts.
pub(super) enum Proof {
    None,
    Key { user: Option<String>, key: SecretString, passphrase: Option<SecretString> },
    Password { user: String, password: SecretString },
}

impl Proof {
    /// Reads what `auth` names.
    ///
    /// # Errors
    /// [`SourceError::Secret`] naming the variable or file, never its content.
    pub(super) fn read(auth: Option<&Auth>, url: &Location) -> Result<Self, SourceError> {
        let read = |secret: &SecretRef| {
            read_secret(secret).map_err(|cause| SourceError::Secret {
                url: url.to_string(),
                secret: secret_name(secret),
                cause: cause.to_string(),
            })
        };
        Ok(match auth {
            None => Self::None,
            Some(Auth::Key { user, identity, passphrase }) => Self::Key {
                user: user.clone(),
                key: read(identity)?,
                passphrase: passphrase.as_ref().map(read).transpose()?,
            },
            Some(Auth::Password { user, password }) => {
                Self::Password { user: user.clone(), password: read(password)? }
            }
        })
    }
}

/// Reads a secret of the process's own configuration. One final line break is dropped from passwords by the
/// caller's format: keys need theirs, so it is dropped only where the value is a single line.
fn read_secret(secret: &SecretRef) -> io::Result<SecretString> {
    let text = match secret {
        SecretRef::Env(name) => std::env::var(name)
            .map_err(|_| io::Error::new(io::ErrorKind::NotFound, "the variable is not set, or not UTF-8"))?,
        SecretRef::File(path) => std::fs::read_to_string(path)?,
    };
    let trimmed = text.trim_end_matches(['\r', '\n']);
    Ok(if trimmed.contains('\n') { SecretString::from(text) } else { SecretString::from(trimmed.to_owned()) })
}

fn secret_name(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Env(name) => format!("the environment variable {name}"),
        SecretRef::File(path) => format!("the file {path}"),
    }
}

/// What the callbacks saw: libgit2 turns every refusal of theirs into the same kind of error.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) unknown_host_key: Option<String>,
    pub(super) refused: bool,
    pub(super) late: bool,
}

/// Callbacks that pin the host key, offer each proof once, and stop the transfer at `deadline`.
pub(super) fn callbacks<'a>(
    location: &'a Location,
    host_keys: &'a [String],
    proof: &'a Proof,
    deadline: Instant,
) -> (RemoteCallbacks<'a>, Rc<RefCell<Seen>>) {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut callbacks = RemoteCallbacks::new();

    let note = Rc::clone(&seen);
    callbacks.certificate_check(move |certificate, _| {
        let Some(host_key) = certificate.as_hostkey() else {
            // TLS: libgit2 has checked chain and name against the system's roots.
            return Ok(CertificateCheckStatus::CertificatePassthrough);
        };
        let fingerprint = host_key.hash_sha256().map_or_else(
            || "of an unknown kind".to_owned(),
            |hash| format!("SHA256:{}", base64_unpadded(hash)),
        );
        if host_keys.iter().any(|pinned| pinned.trim_end_matches('=') == fingerprint) {
            return Ok(CertificateCheckStatus::CertificateOk);
        }
        note.borrow_mut().unknown_host_key = Some(fingerprint);
        Err(git2::Error::from_str("host key not pinned"))
    });

    let note = Rc::clone(&seen);
    let mut offered = false;
    callbacks.credentials(move |_, user_in_url, allowed| {
        let default_user = location.ssh_user();
        let user = match proof {
            Proof::Key { user: Some(user), .. } | Proof::Password { user, .. } => user.as_str(),
            Proof::Key { user: None, .. } | Proof::None => user_in_url.unwrap_or(&default_user),
        };
        if allowed == CredentialType::USERNAME {
            return Cred::username(user);
        }
        // Called again means refused; offering the same again would go on for ever.
        if std::mem::replace(&mut offered, true) {
            note.borrow_mut().refused = true;
            return Err(git2::Error::from_str("the server did not accept them"));
        }
        match proof {
            Proof::Key { key, passphrase, .. } if allowed.contains(CredentialType::SSH_KEY) => {
                Cred::ssh_key_from_memory(
                    user,
                    None,
                    key.expose_secret(),
                    passphrase.as_ref().map(ExposeSecret::expose_secret),
                )
            }
            Proof::Password { password, .. } if allowed.contains(CredentialType::USER_PASS_PLAINTEXT) => {
                Cred::userpass_plaintext(user, password.expose_secret())
            }
            Proof::None => {
                note.borrow_mut().refused = true;
                Err(git2::Error::from_str("it asks for credentials and the source has no `auth`"))
            }
            Proof::Key { .. } | Proof::Password { .. } => {
                note.borrow_mut().refused = true;
                Err(git2::Error::from_str("it does not take this kind of credentials"))
            }
        }
    });

    let note = Rc::clone(&seen);
    let in_time = move || {
        let in_time = Instant::now() < deadline;
        if !in_time {
            note.borrow_mut().late = true;
        }
        in_time
    };
    let still = in_time.clone();
    callbacks.transfer_progress(move |_| still());
    callbacks.sideband_progress(move |_| in_time());
    (callbacks, seen)
}

/// The fingerprint's alphabet: base64 without padding, as OpenSSH prints it.
fn base64_unpadded(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_spelt_as_openssh_spells_it() {
        assert_eq!(base64_unpadded(b"f"), "Zg");
        assert_eq!(base64_unpadded(b"fo"), "Zm8");
        assert_eq!(base64_unpadded(b"foo"), "Zm9v");
        assert_eq!(base64_unpadded(b"foob"), "Zm9vYg");
        assert_eq!(base64_unpadded(&[0xff; 32]).len(), 43);
    }

    #[test]
    fn a_missing_secret_is_named_and_never_shown() {
        let url = Location::parse("ssh://git@git.example/fleet.git").expect("the URL is good");
        let auth =
            Auth::Key { user: None, identity: SecretRef::File("/nowhere/key".into()), passphrase: None };
        let Err(error) = Proof::read(Some(&auth), &url) else { panic!("there is no such file") };
        assert!(error.to_string().contains("/nowhere/key"), "{error}");
        assert_eq!(error.code(), "SourceSecretMissing");
    }

    #[test]
    fn a_token_loses_its_line_break_and_a_key_keeps_it() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let read = |content: &str| {
            let path = folder.path().join("secret");
            std::fs::write(&path, content).expect("a file can be written");
            read_secret(&SecretRef::File(path.display().to_string()))
                .expect("the file can be read")
                .expose_secret()
                .to_owned()
        };
        assert_eq!(read("token\n"), "token");
        assert_eq!(read("-----BEGIN\nabc\n-----END\n"), "-----BEGIN\nabc\n-----END\n");
    }
}
