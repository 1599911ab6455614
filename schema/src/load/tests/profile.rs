use super::*;

const PROFILE: &str = r"apiVersion: dataminer.gitops/v1
kind: Profile
metadata: { name: production }
spec:
  software: { core: 10.5.0 CU12, webApps: bundled }
  upgrade: { failoverPolicy: BackupFirst, stageAhead: 24h }
  health: { settle: 10m }
  hooks: [{ event: BeforeDisruption, run: vm-snapshot }]
";

fn cluster(spec: &str) -> String {
    format!(
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: brussels }}\nspec:\n  \
         agents: [{{ name: a, address: 10.0.0.11 }}]\n{spec}"
    )
}

#[test]
fn a_profile_fills_what_its_clusters_leave_out() {
    let own =
        cluster("  profile: production\n  software: { webApps: unmanaged }\n  upgrade: { stageAhead: 1h }\n");
    let (fleet, found) = load_fleet(&[file("a.yaml", &own), file("p.yaml", PROFILE)]);
    assert_eq!(
        lines(&found),
        "a.yaml:6:12: warning[E0309]: `spec.hooks` is not carried out by this release (help: the manifest is right, \
         but no change of this cluster starts while it is there)\n"
    );
    let cluster = &fleet.clusters[0].value;
    assert_eq!(cluster.software.core.to_string(), "10.5.0 CU12");
    assert_eq!(cluster.software.web_apps, crate::version::WebWanted::Unmanaged);
    assert_eq!(cluster.upgrade.stage_ahead.as_hours(), 1);
    assert_eq!(cluster.health.settle.as_mins(), 10);
    let profile = cluster.profile.as_ref().expect("a Profile was applied");
    assert_eq!(profile.name, "production");
    assert_eq!(
        profile.gave,
        ["spec.health.settle", "spec.hooks", "spec.software.core", "spec.upgrade.failoverPolicy"]
    );
    assert_eq!(fleet.profiles[0].value.gives.len(), 6);
}

#[test]
fn a_profile_must_exist_and_complete_its_clusters() {
    for (cluster_text, profile, code) in [
        (cluster("  profile: producton\n"), PROFILE.to_owned(), Code::UnknownProfile),
        (cluster("  profile: production\n"), PROFILE.replace("core: 10.5.0 CU12, ", ""), Code::NoCoreWanted),
        (
            cluster("  profile: production\n  health: { timeout: 5m }\n"),
            PROFILE.to_owned(),
            Code::SettleExceedsTimeout,
        ),
        (cluster(""), PROFILE.to_owned(), Code::MissingField),
    ] {
        let (fleet, found) = load_fleet(&[file("a.yaml", &cluster_text), file("p.yaml", &profile)]);
        let errors: Vec<_> =
            found.iter().filter(|found| found.severity == Severity::Error).map(|found| found.code).collect();
        assert_eq!(errors, [code], "{}", lines(&found));
        assert_eq!(fleet.clusters, []);
    }
    let (_, found) = load_fleet(&[file("p.yaml", PROFILE), file("q.yaml", PROFILE)]);
    assert_eq!(found[0].code, Code::DuplicateProfile);
    assert_eq!(found[0].path, "q.yaml");
}

#[test]
fn clusters_that_wait_for_each_other_are_named_in_their_circle() {
    let waiting = |name: &str, on: &str| {
        cluster(&format!("  software: {{ core: 10.5.0 CU12 }}\n  dependsOn: [{on}]\n"))
            .replace("brussels", name)
            .replace("10.0.0.11", name)
    };
    let texts =
        [waiting("a", "b"), waiting("b", "c"), waiting("c", "a"), waiting("d", "a"), waiting("e", "dd")];
    let files: Vec<_> =
        texts.iter().zip(["a", "b", "c", "d", "e"]).map(|(text, path)| file(path, text)).collect();
    let (_, mut found) = load_fleet(&files);
    found.retain(|found| found.severity == Severity::Error);
    assert_eq!(
        lines(&found),
        "a:7:14: error[E0614]: clusters wait for each other: a -> b -> c -> a (help: take one `dependsOn` of this circle \
         out: none of these clusters could ever change)\n\
         e:7:15: error[E0613]: there is no cluster `dd` (help: did you mean `d`?)\n"
    );
}

#[test]
fn rollouts_and_advisories_are_read() {
    let text = r#"apiVersion: dataminer.gitops/v1
kind: Rollout
metadata: { name: monthly }
spec:
  selector: { matchLabels: { stage: production } }
  waves:
    - { name: first, selector: { matchLabels: { region: emea } }, soak: 48h, maxConcurrent: 2 }
    - { name: rest }
---
apiVersion: dataminer.gitops/v1
kind: Advisory
metadata: { name: known }
spec: { issue: KI_Upgrade_to_1051_stuck, accept: true, clusters: {}, reason: "no expired users", expires: 2027-01-31 }
"#;
    let (fleet, found) = load_fleet(&[file("a.yaml", text)]);
    // There is no cluster that they could be about.
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::SelectsNothing; 2]);
    let waves = &fleet.rollouts[0].value.waves;
    assert_eq!((waves[0].max_concurrent, waves[0].soak.as_hours(), waves[0].max_failures), (2, 48, 0));
    assert_eq!((waves[1].max_concurrent, waves[1].soak.as_hours()), (1, 24));
    let advisory = &fleet.advisories[0].value;
    assert!(advisory.accept && advisory.counts_on(advisory.expires));
    assert_eq!(advisory.issue, "KI_Upgrade_to_1051_stuck");
    let twice = text.replace("name: rest", "name: first");
    assert!(codes(&twice).contains(&Code::DuplicateName));
}

#[test]
fn clusters_know_their_rollout_and_their_advisories() {
    let rollout = |name: &str| {
        format!(
            "---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: {{ name: {name} }}\nspec: {{ selector: {{}}, waves: \
             [{{ name: all }}] }}\n"
        )
    };
    let advisory = "---\napiVersion: dataminer.gitops/v1\nkind: Advisory\nmetadata: { name: seen }\nspec: { issue: KI_X, accept: \
                    true, clusters: {}, reason: looked at, expires: 2027-01-31 }\n";
    let one = cluster("  software: { core: 10.5.0 CU12 }\n");
    let (fleet, found) = load_fleet(&[file("a.yaml", &format!("{one}{}{advisory}", rollout("monthly")))]);
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::NotSupportedYet]);
    let read = &fleet.clusters[0].value;
    assert_eq!(read.rollout.as_deref(), Some("monthly"));
    assert_eq!(read.not_carried_out(), ["Rollout"]);
    assert_eq!(read.advisories.iter().map(|advisory| advisory.name.as_str()).collect::<Vec<_>>(), ["seen"]);
    let two = format!("{one}{}{}", rollout("monthly"), rollout("weekly"));
    assert!(codes(&two).contains(&Code::TwoRollouts));
}

#[test]
fn places_of_fields_are_remembered() {
    let text = cluster("  software:\n    core: '10.5.0 CU12' # pinned\n");
    let (fleet, _) = load_fleet(&[file("a.yaml", &text)]);
    let mark = fleet.clusters[0].marks.at("spec.software.core").expect("the field was written");
    assert_eq!((mark.line, mark.column, &text[mark.span.clone()]), (7, 11, "'10.5.0 CU12'"));
    assert_eq!(fleet.clusters[0].marks.at("spec.software.webApps"), None);
    assert_eq!(fleet.clusters[0].marks.around("spec.software.webApps").map(|mark| mark.line), Some(7));
}
