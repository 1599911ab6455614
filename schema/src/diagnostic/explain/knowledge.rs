//! Release knowledge: what a folder of facts can say wrongly.

use super::{Code, Entry, told};

pub(super) const ALL: &[Entry] = &[
    (
        Code::DuplicateFact,
        told(
            "Release knowledge is looked up by release, build or id. Of two entries for the same thing one would win by \
             chance.",
            "`releases:` lists 10.5.12 in two entries. Keep the one with the better source.",
        ),
    ),
    (
        Code::RangeReversed,
        told(
            "A range of releases reaches from its first to its last one. Turned around it would hold for none, and a rule \
             that it bounds would never apply.",
            "From 10.5.7 to 10.5.4 is turned around: from 10.5.4 to 10.5.7.",
        ),
    ),
    (
        Code::BandMismatch,
        told(
            "A range that is bound to one line of releases must stay inside it: outside of the line its ends compare in \
             another order.",
            "A range of 10.5 that ends at 10.6.1 leaves its line. End it in 10.5, and add another one for 10.6.",
        ),
    ),
    (
        Code::UnknownRelease,
        told(
            "A build is one of the releases that the knowledge lists; mapped to another, it is mostly a slip in one of the \
             numbers.",
            "Build 16889 is mapped to 10.5.0 CU21, which is not listed. Correct the CU, or add the release.",
        ),
    ),
    (
        Code::UnknownReference,
        told(
            "A fact that rests on a known issue or a prerequisite names it by its id. What nothing lists cannot be looked \
             up by whoever reads the plan.",
            "`KI_GQI_DxM_unavailabel` is listed nowhere; the id has a slip.",
        ),
    ),
    (
        Code::SupportOutOfOrder,
        told(
            "Support ends in stages, each later than the one before. A stage that ends before the one it follows was \
             entered in the wrong place.",
            "An end of extended support in 2026, after standard support until 2027: exchange the two days.",
        ),
    ),
    (
        Code::WrongRelease,
        told(
            "A threshold has one release for Main Releases and one for Feature Releases; a rule may ask for a release with \
             a CU, or for one without. Of the wrong form it would be compared in the wrong order.",
            "`mainRelease: 10.5.12` is a Feature Release. Write `10.5.0 CU9` there and `10.5.12` at the other place.",
        ),
    ),
    (
        Code::ContradictingFact,
        told(
            "Some fields make sense only with or without each other. Where they contradict each other, nobody can tell \
             which of them was meant.",
            "`fixedInBuild` names the build of a release that came out again; without `fixedIn` it is not said which. Add \
             `fixedIn`.",
        ),
    ),
];
