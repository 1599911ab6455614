//! The stable codes of diagnostics.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Declares the codes once: variant, printed code, meaning.
macro_rules! codes {
    ($($variant:ident = $code:literal, $meaning:literal;)+) => {
        /// The stable code of a diagnostic. A code is never used again for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum Code {
            $(#[doc = $meaning] $variant,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As it is printed: `E0301`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What the code stands for, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

codes! {
    FileTooLarge = "E0001", "A file is larger than the reader takes.";
    NotUtf8 = "E0002", "A file is not UTF-8 text.";
    TooManyFiles = "E0003", "There are more files than the reader takes.";
    TooManyDocuments = "E0004", "A file holds more documents than the reader takes.";
    TooDeep = "E0005", "A document is nested deeper than the reader takes.";
    TooManyValues = "E0006", "A file holds, with its aliases written out, more values than the reader takes.";
    TooManyDiagnostics = "E0007", "A file has so many faults that the rest is not listed.";
    NotRead = "E0008", "A file or folder was not read: a symlink, a name that cannot be used, or a limit.";

    Syntax = "E0101", "The text is not YAML.";
    DuplicateField = "E0102", "A mapping holds the same field twice.";
    FieldNameNotText = "E0103", "The name of a field is not a plain text.";
    TagNotAllowed = "E0104", "A value carries a YAML tag.";
    MergeKey = "E0105", "A mapping uses the merge key `<<`, which YAML 1.2 does not have.";
    AliasInsideItself = "E0106", "An alias stands inside the very value that it repeats.";
    NotADocument = "E0107", "A document is not a mapping with `apiVersion`, `kind`, `metadata` and `spec`.";

    UnknownApiVersion = "E0201", "`apiVersion` is missing or not one that this release reads.";
    UnknownKind = "E0202", "`kind` is missing or not one that this release knows.";
    KindNotHere = "E0203", "A document of this kind has no place in this file.";

    UnknownField = "E0301", "A field that does not exist here.";
    MissingField = "E0302", "A field that must be there is missing.";
    WrongType = "E0303", "A value is of the wrong type.";
    NullValue = "E0304", "A field has no value.";
    UnknownValue = "E0305", "A value is not one of those that are allowed.";
    OutOfRange = "E0306", "A number is too small or too large.";
    WrongCount = "E0307", "A list has too few or too many items.";
    Exclusive = "E0308", "Fields exclude each other.";
    NotSupportedYet = "E0309", "The field or value is part of the language, but this release does not carry it out yet.";

    BadVersion = "E0401", "A text is not a DataMiner version.";
    VersionNotText = "E0402", "A version is written as a number or another value that is no text; YAML reads 10.10 as 10.1.";
    BadQuantity = "E0403", "A text is not a size or duration.";
    BadSchedule = "E0404", "A text is not a cron expression of five fields.";
    BadTimeZone = "E0405", "A time zone does not exist.";
    BadTime = "E0406", "A text is not a date or a point in time.";
    BadHostKey = "E0407", "A text is not the fingerprint of an SSH host key.";
    BadAddress = "E0408", "A text is not a host name or address.";
    BadName = "E0409", "A text cannot be used as a name.";
    BadDigest = "E0410", "A text is not a SHA-256.";
    BadPackageFile = "E0411", "A text is not the file name of a package.";
    BadUrl = "E0412", "A text is not a URL that can be used here.";
    BadText = "E0413", "A text is empty, too long, or holds characters that have no place in it.";

    CutoffExceedsDuration = "E0501", "A window's cutoff leaves no time in which anything could start.";
    WindowEndsBeforeStart = "E0502", "A window ends before it starts.";
    ZeroDuration = "E0503", "A duration that must not be zero is zero.";
    DuplicateAgentName = "E0504", "Two Agents of a cluster have the same name.";
    DuplicateAgentAddress = "E0505", "Two Agents of a cluster have the same address.";
    FailoverPartnerIsAgent = "E0506", "A Failover partner is also listed as an Agent of its own.";
    SettleExceedsTimeout = "E0507", "Health cannot settle before its timeout.";
    PackageNameDisagrees = "E0508", "A package's file name and the fields beside it say different things.";
    PackageWithoutRelease = "E0509", "A package's file name does not tell which release it installs.";
    BadBuild = "E0510", "A build is not spelt `10.5.0.0-16889`, or belongs to another release than it is mapped to.";
    DuplicateName = "E0511", "Two entries that are told apart by their name have the same one.";
    UngrantableHost = "E0512", "A secret is granted to a host, address range or cluster that cannot exist.";
    MissingSecret = "E0513", "A way to sign in lacks the secret that it needs.";
    OpenListener = "E0514", "The interface would answer whoever reaches it, on an address that others can reach.";
    FieldsDisagree = "E0515", "A field needs another that is missing, or does not fit the one beside it.";
    RelativeProgram = "E0516", "A program is named by a path that depends on where the process was started.";

    DuplicateCluster = "E0601", "Two clusters have the same name.";
    AddressInTwoClusters = "E0602", "The same address is an Agent of two clusters.";
    DuplicateCatalog = "E0603", "Two catalogues have the same name.";
    PackageConflict = "E0604", "The same package file is listed with different digests.";
    BuildConflict = "E0605", "The same build is mapped to different releases.";
    DuplicatePackage = "E0606", "A catalogue lists the same package file twice.";
    DuplicateObservation = "E0607", "Two observations are of the same cluster.";
    DuplicateProfile = "E0608", "Two Profiles have the same name.";
    DuplicateRollout = "E0609", "Two Rollouts have the same name.";
    DuplicateAdvisory = "E0610", "Two Advisories have the same name.";
    UnknownProfile = "E0611", "A cluster names a Profile that does not exist.";
    NoCoreWanted = "E0612", "Neither a cluster nor its Profile says which core is wanted.";
    UnknownDependency = "E0613", "A cluster waits for one that does not exist.";
    DependencyCircle = "E0614", "Clusters wait for each other, so that none of them could ever change.";
    TwoRollouts = "E0615", "A cluster is selected by two Rollouts.";
    SelectsNothing = "E0616", "A selector selects no cluster of the repository.";
    AdvisoryExpired = "E0617", "An Advisory has expired, and accepts nothing any more.";
    UnknownIssue = "E0618", "An Advisory names a known issue that this release does not know.";
    NotInCatalog = "E0619", "A wanted version is installed by no package of the catalogues.";
    SupportEnded = "E0620", "A wanted release is not supported any more.";
    SupportLimited = "E0621", "A wanted release has limited support only.";
    OlderFeatureRelease = "E0622", "A wanted Feature Release gets no fixes any more: a later one is out.";

    SecretInFile = "E0701", "A value looks like a secret; files name secrets and never hold them.";

    DuplicateFact = "E0801", "Release knowledge says the same twice.";
    RangeReversed = "E0802", "A range of releases ends before it starts.";
    BandMismatch = "E0803", "A range of releases leaves the line that it is bound to.";
    UnknownRelease = "E0804", "A build is mapped to a release that nothing lists.";
    UnknownReference = "E0805", "A fact refers to a known issue or prerequisite that nothing lists.";
    SupportOutOfOrder = "E0806", "The ends of support are not in their order.";
    WrongRelease = "E0807", "A release stands where one of another track or form is meant.";
    ContradictingFact = "E0808", "The fields of one fact contradict each other.";

    Unreadable = "E0901", "A document passed every check and could still not be read: a fault of this program.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is not a code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the code of a diagnostic; they look like `E0301`")]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let found = Self::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| UnknownCode(text.chars().take(20).collect()))
    }
}

impl TryFrom<String> for Code {
    type Error = UnknownCode;

    fn try_from(text: String) -> Result<Self, UnknownCode> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_read_back() {
        let printed: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let mut sorted = printed.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(printed, sorted);
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.meaning().ends_with('.'), "{code}");
        }
        assert!("E9999".parse::<Code>().is_err());
    }
}
