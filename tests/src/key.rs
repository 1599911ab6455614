//! SSH keys for tests.

use std::path::{Path, PathBuf};

use russh::keys::{
    HashAlg, PrivateKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};
use sha2::{Digest as _, Sha256};

/// The ed25519 key that belongs to a name: the same in every run, so that fingerprints can stand in expectations.
pub fn key(name: &str) -> PrivateKey {
    let seed: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    PrivateKey::from(Ed25519Keypair::from_seed(&seed))
}

/// `SHA256:…` as OpenSSH prints it.
pub fn fingerprint(key: &PrivateKey) -> String {
    key.public_key().fingerprint(HashAlg::Sha256).to_string()
}

/// Writes the private key for `name` into `folder` as OpenSSH does, readable by its owner only.
///
/// # Panics
/// When the folder cannot be written.
pub fn write_key(name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(name);
    key(name).write_openssh_file(&path, LineEnding::LF).expect("the folder of the key can be written");
    path
}
