//! Changed copies of inputs, always the same ones for the same seed.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// The largest copy.
const MAX_BYTES: usize = 64 << 10;

/// Makes changed copies of the inputs that it was given.
#[derive(Debug)]
pub struct Mutator<'a> {
    random: StdRng,
    inputs: &'a [Vec<u8>],
    words: &'static [&'static str],
}

impl<'a> Mutator<'a> {
    /// Copies of `inputs`, of which there is at least one; `words` are put into some.
    pub fn new(seed: u64, inputs: &'a [Vec<u8>], words: &'static [&'static str]) -> Self {
        Self { random: StdRng::seed_from_u64(seed), inputs, words }
    }

    fn pick(&mut self) -> &'a [u8] {
        &self.inputs[self.random.random_range(0..self.inputs.len())]
    }

    /// A place in `bytes`, its end included.
    fn place(&mut self, bytes: &[u8]) -> usize {
        self.random.random_range(0..=bytes.len())
    }

    /// A short stretch of `bytes`.
    fn stretch(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.place(bytes);
        let length = self.random.random_range(0..=(bytes.len() - start).min(40));
        start..start + length
    }

    /// The next copy, with one to four changes.
    pub fn copy(&mut self) -> Vec<u8> {
        let mut bytes = self.pick().to_vec();
        for _ in 0..self.random.random_range(1..=4) {
            self.change(&mut bytes);
        }
        bytes.truncate(MAX_BYTES);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        match self.random.random_range(0..9) {
            0 => {
                let stretch = self.stretch(bytes);
                bytes.drain(stretch);
            }
            1 => {
                let again = bytes[self.stretch(bytes)].to_vec();
                let at = self.place(bytes);
                bytes.splice(at..at, again);
            }
            // Part of another input.
            2 => {
                let other = self.pick();
                let part = other[self.stretch(other)].to_vec();
                let stretch = self.stretch(bytes);
                bytes.splice(stretch, part);
            }
            3 | 4 if !self.words.is_empty() => {
                let word = self.words[self.random.random_range(0..self.words.len())];
                let at = self.place(bytes);
                let end = if self.random.random() { at } else { (at + word.len()).min(bytes.len()) };
                bytes.splice(at..end, word.bytes());
            }
            // Another number where one stands.
            5 => {
                let at = self.place(bytes);
                let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) else { return };
                let numbers =
                    ["0", "1", "9", "13", "14", "99", "100", "999", "65536", "99999999", "4294967296"];
                let number = numbers[self.random.random_range(0..numbers.len())];
                bytes.splice(at + digit..=at + digit, number.bytes());
            }
            6 => bytes.truncate(self.place(bytes)),
            7 if !bytes.is_empty() => {
                let at = self.random.random_range(0..bytes.len());
                bytes[at] ^= 1 << self.random.random_range(0..8);
            }
            _ => {
                let at = self.place(bytes);
                bytes.insert(at, self.random.random());
            }
        }
    }
}
