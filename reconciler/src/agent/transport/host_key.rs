//! Pinned host keys.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use russh::{
    client,
    keys::{Algorithm, EcdsaCurve, HashAlg, PublicKeyOrCertificate},
};

/// The SHA-256 fingerprint of a host key, as `ssh-keygen -l` prints it: `SHA256:` and unpadded base64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        let digits = value.strip_prefix("SHA256:").unwrap_or_default().trim_end_matches('=');
        let base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        if digits.len() == 43 && digits.bytes().all(base64) {
            Ok(Self(format!("SHA256:{digits}")))
        } else {
            Err(format!(
                "`{value}` is not a host key fingerprint (`SHA256:` and 43 base64 characters, as `ssh-keygen -lf` prints)"
            ))
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host key algorithms that this build can verify, best first (RSA is left out: RUSTSEC-2023-0071).
pub(super) fn algorithms() -> Vec<Algorithm> {
    vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    ]
}

/// The key that a server showed in one handshake.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) fingerprint: Fingerprint,
    pub(super) algorithm: Algorithm,
}

/// Accepts a server by its pinned keys only, and remembers what it showed.
pub(super) struct Verifier {
    pins: Arc<[Fingerprint]>,
    shown: Arc<Mutex<Option<Shown>>>,
}

impl Verifier {
    pub(super) fn new(pins: Arc<[Fingerprint]>) -> (Self, Arc<Mutex<Option<Shown>>>) {
        let shown = Arc::new(Mutex::new(None));
        (Self { pins, shown: Arc::clone(&shown) }, shown)
    }
}

impl client::Handler for Verifier {
    type Error = russh::Error;

    async fn check_server_key(&mut self, server: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        // Certificates are never asked for, so a server that sends one is refused.
        let PublicKeyOrCertificate::PublicKey { key, .. } = server else { return Ok(false) };
        let Ok(fingerprint) = key.fingerprint(HashAlg::Sha256).to_string().parse::<Fingerprint>() else {
            return Ok(false);
        };
        let pinned = self.pins.contains(&fingerprint);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Shown { fingerprint, algorithm: key.algorithm() });
        Ok(pinned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_read_as_ssh_keygen_prints_them() {
        let text = "SHA256:uNiVztksCsDhcc0u9e8BrCpyFEKvEqB3KMQOaPWg0ck";
        assert_eq!(text.parse::<Fingerprint>().expect("a fingerprint").to_string(), text);
        assert_eq!(format!("{text}=").parse::<Fingerprint>().expect("padded is the same").to_string(), text);
        for wrong in
            ["", "SHA256:", "MD5:aa:bb", "uNiVztksCsDhcc0u9e8BrCpyFEKvEqB3KMQOaPWg0ck", "SHA256:short"]
        {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
