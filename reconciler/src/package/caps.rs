//! How much of a package is read at most. Whatever a file claims of itself, no more memory than this is used.

/// The limits of an inspection. The defaults are far above every real package and far below what hurts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Members in one archive.
    pub members: u64,
    /// Bytes of one archive's directory, names included.
    pub directory: u64,
    /// Bytes of Update.zip, inflated.
    pub inflated: u64,
    /// Bytes that all members of one archive claim to have, unpacked.
    pub claimed: u64,
    /// How many times larger than the file its unpacked form may be.
    pub ratio: u64,
    /// Bytes of a text that is read: UpdateContent.txt, Description.txt.
    pub text: u64,
    /// Bytes of a member that may become a fingerprint.
    pub sentinel: u64,
    /// Prerequisites that are listed.
    pub prerequisites: usize,
    /// Bytes of a prerequisite that is taken out.
    pub check: u64,
    /// Bytes of all of them.
    pub checks: u64,
}

impl Caps {
    /// Real packages hold some ten thousand files; the product's default limit for a package is 4,000 MB.
    pub const DEFAULT: Self = Self {
        members: 200_000,
        directory: 48 << 20,
        inflated: 32 << 30,
        claimed: 64 << 30,
        ratio: 200,
        text: 1 << 20,
        sentinel: 64 << 20,
        prerequisites: 200,
        check: 16 << 20,
        checks: 64 << 20,
    };
}

impl Default for Caps {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Bytes of a member's name that are read; NTFS paths are shorter.
pub(super) const LONGEST_NAME: usize = 1024;

/// A ratio says nothing about small archives: a text of one letter compresses a thousandfold.
pub(super) const RATIO_FROM: u64 = 256 << 20;

/// Deflate cannot do better than 1:1032; a member that claims more is lying.
pub(super) const DEFLATE_BEST: u64 = 1032;

/// The default of MaxUploadSize in MaintenanceSettings.xml (`domain/09 section 2`, pain 2). Whether the product counts
/// in thousands or in 1024s is not documented; the smaller reading warns in time.
pub const UPLOAD_LIMIT: u64 = 4_000_000_000;
