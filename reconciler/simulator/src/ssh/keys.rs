//! Host keys and the client key, made from the seed.

use russh::keys::{
    HashAlg, PrivateKey, PublicKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};

use crate::error::SimulatorError;

/// An Ed25519 host key.
#[derive(Clone)]
pub(crate) struct HostKey(PrivateKey);

impl HostKey {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self(PrivateKey::from(Ed25519Keypair::from_seed(&seed)))
    }

    pub(super) fn private(&self) -> &PrivateKey {
        &self.0
    }

    /// `SHA256:` and base64, as `ssh-keygen -l` prints it.
    pub(crate) fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint(HashAlg::Sha256).to_string()
    }
}

/// A client key: the private part as an OpenSSH file, the public part as accounts compare it.
pub(crate) fn client_key(seed: [u8; 32]) -> Result<(String, String), SimulatorError> {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    let failed = |error: russh::keys::ssh_key::Error| SimulatorError::Key(error.to_string());
    let private = key.to_openssh(LineEnding::LF).map_err(failed)?.to_string();
    Ok((private, comparable(key.public_key())?))
}

/// A public key without its comment.
pub(crate) fn comparable(key: &PublicKey) -> Result<String, SimulatorError> {
    let text = key.to_openssh().map_err(|error| SimulatorError::Key(error.to_string()))?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// Reads a line of an `authorized_keys` file.
pub(crate) fn authorized(line: &str) -> Result<String, SimulatorError> {
    let key = PublicKey::from_openssh(line.trim()).map_err(|error| {
        SimulatorError::Key(format!("`{}` is not an OpenSSH public key: {error}", line.trim()))
    })?;
    comparable(&key)
}
