use std::collections::BTreeSet;

use super::*;
use crate::version::Version;

fn knowledge(name: &str, spec: &str) -> SourceFile {
    file(
        &format!("{name}.yaml"),
        &format!(
            "apiVersion: dataminer.gitops/v1\nkind: ReleaseKnowledge\nmetadata: {{ name: {name} }}\nspec:\n{spec}"
        ),
    )
}

/// What is said of one file; its `spec` starts on line 5.
fn faults(spec: &str) -> String {
    lines(&load_knowledge(&[knowledge("a", spec)]).1)
}

#[test]
fn a_file_may_hold_a_single_fact() {
    let issue = "  knownIssues:\n    - id: OWN_1\n      title: Trouble of ours\n      component: Core\n      impact: Downtime\n      affects: [{ track: Main, from: 10.5.0 CU9, band: 10.5.0 }]\n      source: OPS-1\n";
    let (documents, found) = load_knowledge(&[knowledge("a", issue)]);
    assert_eq!(lines(&found), "");
    let [only] = documents.as_slice() else { panic!("there is one document") };
    assert_eq!((only.value.name.as_str(), only.path.as_str(), only.line), ("a", "a.yaml", 1));
    assert_eq!(only.value.facts.known_issues.len(), 1);
    assert!(only.marks.at("spec.knownIssues").is_some());
    assert_eq!(faults("  revision: \"2026-08-21\"\n"), "");
}

#[test]
fn what_is_known_already_may_be_referred_to() {
    let build = knowledge("a", "  builds: [{ build: 17100, release: 10.5.0 CU9, source: mail }]\n");
    let said = lines(&load_knowledge(std::slice::from_ref(&build)).1);
    insta::assert_snapshot!(said, @"a.yaml:5:37: error[E0804]: no release 10.5.0 CU9 is listed (help: correct it, or add it to `releases`: `{ version: 10.5.0 CU9, kind: Core, source: … }`)");
    let known = Known { releases: BTreeSet::from([(Version::new(10, 5, 0).line(), 9)]), ..Known::default() };
    assert_eq!(lines(&load_knowledge_beside(std::slice::from_ref(&build), &known).1), "");
    let open = Known { open: true, ..Known::default() };
    assert_eq!(lines(&load_knowledge_beside(&[build], &open).1), "");
}

#[test]
fn nothing_is_said_twice_in_one_layer() {
    let release = "  releases: [{ version: 10.5.0 CU9, kind: Core, source: a }]\n";
    let web = "  releases: [{ version: 10.5.0 CU9, kind: Web, source: a }]\n";
    let (documents, found) =
        load_knowledge(&[knowledge("a", release), knowledge("b", web), knowledge("c", release)]);
    insta::assert_snapshot!(lines(&found), @"c.yaml:5:25: error[E0801]: the release 10.5.0 CU9 (Core) stands twice (help: keep one; the first is at a.yaml:5:25)");
    // The later one is left out.
    assert_eq!(documents.iter().map(|found| found.value.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let twice = "  builds:\n    - { build: 5, release: 10.5.9, source: a }\n    - { build: 5, release: 10.5.9 CU1, source: a }\n  releases:\n    - { version: 10.5.9, kind: Core, source: a }\n    - { version: 10.5.9 CU0, kind: Core, source: a }\n    - { version: 10.5.9 CU1, kind: Core, source: a }\n  requirements: { disk: { freeGib: 5, warningGib: 6, criticalGib: 1, source: a } }\n";
    insta::assert_snapshot!(faults(twice), @"
    a.yaml:7:16: error[E0801]: the build 5 of 10.5.9 stands twice (help: keep one; the first is at a.yaml:6:16)
    a.yaml:10:18: error[E0801]: the release 10.5.9 CU0 (Core) stands twice (help: keep one; the first is at a.yaml:9:18)
    a.yaml:12:19: error[E0808]: the space that is critical must not exceed that worth a warning, nor that the normal (help: correct the three numbers)
    ");
    let names = [knowledge("a", "  revision: one\n"), knowledge("a", "  revision: two\n")];
    assert_eq!(
        load_knowledge(&names).1.iter().map(|found| found.code).collect::<Vec<_>>(),
        [Code::DuplicateFact]
    );
}

fn issue_with(ranges: &str) -> String {
    format!(
        "  knownIssues:\n    - id: OWN_1\n      title: T\n      component: Core\n      impact: Info\n      source: a\n      affects:\n{ranges}"
    )
}

#[test]
fn ranges_that_cannot_be_are_refused_with_their_places() {
    let ranges = "        - { track: Main, from: 10.5.0 CU9, to: 10.5.0 CU3 }\n        \
                  - { track: Main, from: 10.5.0 CU9, fixedIn: 10.5.0 CU3 }\n        \
                  - { track: Main, from: 10.5.0 CU9, to: 10.6.0 CU1, band: 10.5.0 }\n        \
                  - { track: Main, fixedIn: 10.4.0 CU1, band: 10.5.0 }\n        \
                  - { track: Feature, from: 10.5.0 CU1 }\n        \
                  - { track: Feature, from: 10.5.1, band: 10.5.0 }\n        \
                  - { track: Any, from: 10.5.1 }\n        \
                  - { track: Main, from: 10.5.0 CU1, fixedInBuild: 5 }\n        \
                  - { track: Main, fixedIn: 10.5.0 CU1, fixedInBuild: 5, fixedInRerelease: true }\n        \
                  - { track: Main, from: 10.5.0 CU1 (build 5) }\n        \
                  - { track: Main, band: 10.5.0 CU2 }\n";
    insta::assert_snapshot!(faults(&issue_with(ranges)), @"
    a.yaml:12:48: error[E0802]: the range starts at 10.5.0 CU9 and ends at 10.5.0 CU3, which is before it (help: exchange them)
    a.yaml:13:53: error[E0802]: the range starts at 10.5.0 CU9 and was right again at 10.5.0 CU3, which is before it (help: correct one of them)
    a.yaml:14:48: error[E0803]: `to: 10.6.0 CU1` leaves the line 10.5.0 that the range is bound to (help: correct `band`, or take it out: the range then runs over all Main Releases)
    a.yaml:15:35: error[E0803]: `fixedIn: 10.4.0 CU1` leaves the line 10.5.0 that the range is bound to (help: correct `band`, or take it out: the range then runs over all Main Releases)
    a.yaml:16:35: error[E0807]: 10.5.0 CU1 is not of the track Feature (help: write a range of its own for the other track)
    a.yaml:17:43: error[E0803]: only ranges of Main Releases are bound to a line (help: take `band` out)
    a.yaml:18:25: error[E0808]: `track: Any` and `from` exclude each other (help: write one range for each track)
    a.yaml:19:44: error[E0808]: `fixedInBuild` says nothing without `fixedIn` (help: add `fixedIn`: the release that came out again)
    a.yaml:20:64: error[E0808]: `fixedInBuild` and `fixedInRerelease` exclude each other (help: keep the build)
    a.yaml:21:32: error[E0807]: 10.5.0 CU1 (build 5) cannot stand here (help: write the release alone; `fixedInBuild` names a build)
    a.yaml:22:32: error[E0807]: 10.5.0 CU2 cannot stand here (help: write the Main Release without a CU: `10.5.0`)
    ");
    // All of a last release, and a fix in a later line.
    let right = "        - { track: Main, from: 10.5.0 CU9, to: 10.5.0, fixedIn: 10.6.0 CU0, band: 10.5.0 }\n        \
                 - { track: Main, from: 10.4.0 CU4, fixedIn: 10.4.0 CU4, fixedInRerelease: true }\n";
    assert_eq!(faults(&issue_with(right)), "");
}

#[test]
fn tracks_impacts_and_ids_that_do_not_exist_are_refused() {
    let spec = issue_with("        - { track: Mian }\n").replace("impact: Info", "impact: Sad");
    insta::assert_snapshot!(faults(&spec), @"
    a.yaml:9:15: error[E0305]: `impact` cannot be `Sad` (help: write `BlocksUpgrade`, `BlocksDowngrade`, `Downtime`, `DataLoss`, `ClusterBroken`, `FailoverRestricted`, `FeatureBroken`, `WebDegraded`, `ClientBroken`, `BackupBroken`, `SlowStartup`, `MonitoringOnly`, `Transient`, `Stability`, `Functional`, `Performance`, `Cosmetic` or `Info`)
    a.yaml:12:20: error[E0305]: `track` cannot be `Mian` (help: did you mean `Main`?)
    ");
    let check = "  prerequisites:\n    - id: VerifyThis\n      title: T\n      included: [{ track: Main, from: 10.5.0 CU1 }]\n      replaces: VerifyTihs\n      knownIssues: [KI_nowhere]\n      source: a\n    - { id: two words, title: T, included: [{ track: Any }], source: a }\n";
    insta::assert_snapshot!(faults(check), @"
    a.yaml:9:17: error[E0805]: there is no prerequisite `VerifyTihs` (help: did you mean `VerifyThis`?)
    a.yaml:10:21: error[E0805]: there is no known issue `KI_nowhere` (help: correct the id, or add the known issue)
    a.yaml:12:13: error[E0409]: `id`: `two words` is not one word (help: write one word of at most 200 letters, digits, dots, hyphens and underscores)
    ");
}

#[test]
fn support_ends_in_its_order() {
    let support = "  support:\n    - release: 10.5.0\n      regularUpdatesUntil: 2028-02-25\n      supportedUntil: 2026-11-20\n      limitedSupportUntil: 2026-11-19\n      source: a\n    - release: 10.5.0 CU1\n      regularUpdatesUntil: 2026-11-20\n      supportedUntil: 2026-11-20\n      limitedSupportUntil: 2026-13-01\n      source: a\n";
    insta::assert_snapshot!(faults(support), @"
    a.yaml:8:23: error[E0806]: `supportedUntil` is before `regularUpdatesUntil`, 2028-02-25 (help: regular updates end first, then full support, then limited support)
    a.yaml:9:28: error[E0806]: `limitedSupportUntil` is before `supportedUntil`, 2026-11-20 (help: regular updates end first, then full support, then limited support)
    a.yaml:11:16: error[E0807]: 10.5.0 CU1 cannot stand here (help: write the Main Release without a CU: `10.5.0`)
    a.yaml:14:28: error[E0406]: `limitedSupportUntil`: `2026-13-01` is not a day of the calendar (help: write for example `2026-12-20`)
    ");
}

#[test]
fn parameters_of_rules_have_their_shape() {
    let rules = "  rules:\n    s10: { readsArguments: [10.3.0 CU11, 10.3.0 CU12, 10.4.2, 10.4.3], source: a }\n    w1: { core: [10.3.0, 10.3.3], source: a }\n    h5: { skips: 10.1.0 CU3, below: 10.1.5, reaching: 10.2.0, source: a }\n    h6: { exit: 10.0.5, from: 9.6.0, directTo: 10.1.0, source: a }\n    g3: { from: 10.3.0 CU8, to: [], source: a }\n    h9: { from: 10.4.0, to: [{ track: Any }], instead: x, issue: KI_nowhere, source: a }\n    h99: { }\n    g7: { since: [], source: a }\n";
    insta::assert_snapshot!(faults(rules), @"
    a.yaml:6:42: error[E0807]: there are two members for 10.3.0 (help: a threshold has one release for each line of Main Releases, and one Feature Release)
    a.yaml:6:63: error[E0807]: there are two Feature Releases (help: a threshold has one release for each line of Main Releases, and one Feature Release)
    a.yaml:7:18: error[E0807]: 10.3.0 cannot stand here (help: write a release: `10.5.0 CU9`, or `10.5.12`)
    a.yaml:8:18: error[E0807]: 10.1.0 CU3 cannot stand here (help: write the Main Release without a CU: `10.5.0`)
    a.yaml:8:37: error[E0807]: 10.1.5 cannot stand here (help: write the Main Release without a CU: `10.5.0`)
    a.yaml:9:17: error[E0807]: 10.0.5 cannot stand here (help: write a Main Release with its CU: `10.0.0 CU19`)
    a.yaml:10:17: error[E0807]: 10.3.0 CU8 cannot stand here (help: write a Feature Release: `10.5.12`)
    a.yaml:10:33: error[E0307]: `to` has 0 items, at least 1 is needed (help: add one)
    a.yaml:11:17: error[E0303]: `from` must be a list, this is a text (help: start each item with `- `, or write `[…]`)
    a.yaml:11:66: error[E0805]: there is no known issue `KI_nowhere` (help: correct the id, or add the known issue)
    a.yaml:12:5: error[E0301]: there is no field `h99` in `rules` (help: did you mean `h9`?)
    a.yaml:13:18: error[E0307]: `since` has 0 items, at least 1 is needed (help: add one)
    ");
}

#[test]
fn release_knowledge_is_no_part_of_a_fleet() {
    let document = knowledge("a", "  revision: one\n");
    let found = load_fleet(std::slice::from_ref(&document)).1;
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::KindNotHere]);
    let cluster = file("b.yaml", &cluster_with(""));
    let found = load_knowledge(&[cluster]).1;
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::KindNotHere]);
}
