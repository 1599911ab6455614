//! Seeded randomness: a stream of its own for every purpose, so that one more Agent changes no other's fate.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// 32 bytes from the seed and a purpose.
pub(crate) fn bytes(seed: u64, purpose: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    for part in purpose {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// The stream of a purpose.
pub(crate) fn stream(seed: u64, purpose: &[&str]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(bytes(seed, purpose))
}

/// Seconds within a range.
pub(crate) fn seconds(random: &mut ChaCha8Rng, from: u64, to: u64) -> std::time::Duration {
    std::time::Duration::from_millis(random.random_range(from * 1000..=to * 1000))
}

/// So many hexadecimal digits.
pub(crate) fn hex_digits(random: &mut ChaCha8Rng, count: usize) -> String {
    (0..count).filter_map(|_| char::from_digit(random.random_range(0..16), 16)).collect()
}
