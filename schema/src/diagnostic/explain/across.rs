//! What only shows across documents, of one file or of many.

use super::{
    Code, Entry,
    Frame::{Cluster, Observation, PackageCatalog, Whole},
    parts, told,
};

pub(super) const ALL: &[Entry] = &[
    (
        Code::DuplicateCluster,
        parts(
            Cluster,
            "A cluster is known by its name, everywhere. Two manifests of one name would fight over the same Agents.",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n---\nmetadata: { name: \
             brussels }\nspec:\n  agents: [ { name: a, address: 10.1.0.11 } ]\n",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n---\nmetadata: { name: \
             lisbon }\nspec:\n  agents: [ { name: a, address: 10.1.0.11 } ]\n",
        ),
    ),
    (
        Code::AddressInTwoClusters,
        parts(
            Cluster,
            "An Agent belongs to one DMS. Were it part of two, each would take the other's version for a fault.",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n---\nmetadata: { name: \
             lisbon }\nspec:\n  agents: [ { name: b, address: 10.0.0.11 } ]\n",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n---\nmetadata: { name: \
             lisbon }\nspec:\n  agents: [ { name: b, address: 10.1.0.11 } ]\n",
        ),
    ),
    (
        Code::DuplicateCatalog,
        parts(
            PackageCatalog,
            "Catalogues unite, and messages name them; one of two with one name was most likely copied and forgotten.",
            "metadata: { name: approved }\n---\nmetadata: { name: approved }\n",
            "metadata: { name: approved }\n---\nmetadata: { name: lab }\n",
        ),
    ),
    (
        Code::PackageConflict,
        parts(
            PackageCatalog,
            "A file has one content. Two digests mean that one of them was mistyped, or that a file was changed after it \
             was approved.",
            "metadata: { name: approved }\nspec:\n  packages:\n    - file: \"DataMiner 10.5.0.0(CU9)-16500 Full \
             Upgrade.dmupgrade\"\n      sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n---\n\
             metadata: { name: lab }\nspec:\n  packages:\n    - file: \"DataMiner 10.5.0.0(CU9)-16500 Full \
             Upgrade.dmupgrade\"\n      sha256: ffff456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
            "metadata: { name: approved }\nspec:\n  packages:\n    - file: \"DataMiner 10.5.0.0(CU9)-16500 Full \
             Upgrade.dmupgrade\"\n      sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n---\n\
             metadata: { name: lab }\n",
        ),
    ),
    (
        Code::BuildConflict,
        parts(
            PackageCatalog,
            "A build is one release. With two answers it would not be known which fixes an Agent has.",
            "metadata: { name: approved }\nspec:\n  builds: { \"10.5.0.0-16889\": 10.5.0 CU12 }\n---\nmetadata: { name: lab \
             }\nspec:\n  builds: { \"10.5.0.0-16889\": 10.5.0 CU11 }\n",
            "metadata: { name: approved }\nspec:\n  builds: { \"10.5.0.0-16889\": 10.5.0 CU12 }\n---\nmetadata: { name: lab \
             }\nspec:\n  builds: { \"10.5.0.0-16889\": 10.5.0 CU12 }\n",
        ),
    ),
    (
        Code::DuplicatePackage,
        parts(
            PackageCatalog,
            "One entry is enough. Windows does not tell capitals in names apart, and the file ends up there.",
            "spec:\n  packages:\n    - file: NATSMigration.dmupgrade\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n    - file: natsmigration.dmupgrade\n      \
             sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
            "spec:\n  packages:\n    - file: NATSMigration.dmupgrade\n      sha256: \
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
        ),
    ),
    (
        Code::DuplicateObservation,
        parts(
            Observation,
            "A plan is made from one look at a cluster. Which of two is the newer truth is not for a reader to choose.",
            "metadata: { name: brussels }\n---\nmetadata: { name: brussels }\n",
            "metadata: { name: brussels }\n---\nmetadata: { name: lisbon }\n",
        ),
    ),
    (
        Code::DuplicateProfile,
        parts(
            Whole,
            "Clusters name the Profile that fills what they leave out. With two of one name it would not be known which.",
            "apiVersion: dataminer.gitops/v1\nkind: Profile\nmetadata: { name: production }\nspec: { suspend: true }\n---\n\
             apiVersion: dataminer.gitops/v1\nkind: Profile\nmetadata: { name: production }\nspec: { approval: Always }\n",
            "apiVersion: dataminer.gitops/v1\nkind: Profile\nmetadata: { name: production }\nspec: { suspend: true }\n---\n\
             apiVersion: dataminer.gitops/v1\nkind: Profile\nmetadata: { name: lab }\nspec: { approval: Always }\n",
        ),
    ),
    (
        Code::DuplicateRollout,
        parts(
            Cluster,
            "Status and history name the Rollout that holds a cluster back; two of one name could not be told apart.",
            "metadata: { name: brussels }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: spring }\nspec: { selector: {}, waves: [ { name: all } ] }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: spring }\nspec: { selector: {}, waves: [ { name: all } ] }\n",
            "metadata: { name: brussels }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: spring }\nspec: { selector: {}, waves: [ { name: all } ] }\n",
        ),
    ),
    (
        Code::DuplicateAdvisory,
        parts(
            Cluster,
            "A plan names the Advisory that lets it go on; two of one name could not be told apart.",
            "metadata: { name: brussels }\n---\napiVersion: dataminer.gitops/v1\nkind: Advisory\nmetadata: { name: gqi }\nspec:\n  issue: KI_GQI_DxM_unavailable_missing_Newtonsoft_Json\n  accept: true\n  clusters: {}\n  reason: no dashboards here\n  expires: 2099-12-31\n---\napiVersion: dataminer.gitops/v1\nkind: Advisory\nmetadata: { name: gqi }\nspec:\n  issue: KI_GQI_DxM_unavailable_missing_Newtonsoft_Json\n  accept: true\n  clusters: {}\n  reason: no dashboards here\n  expires: 2099-12-31\n",
            "metadata: { name: brussels }\n---\napiVersion: dataminer.gitops/v1\nkind: Advisory\nmetadata: { name: gqi }\nspec:\n  issue: KI_GQI_DxM_unavailable_missing_Newtonsoft_Json\n  accept: true\n  clusters: {}\n  reason: no dashboards here\n  expires: 2099-12-31\n",
        ),
    ),
    (
        Code::UnknownProfile,
        parts(
            Cluster,
            "A cluster that waits for the windows or the policies of a Profile must not go without them because of a slip in its \
             name.",
            "spec:\n  profile: production\n",
            "spec:\n  profile: production\n---\napiVersion: dataminer.gitops/v1\nkind: Profile\nmetadata: { name: production \
             }\nspec: { approval: Always }\n",
        ),
    ),
    (
        Code::NoCoreWanted,
        parts(
            Cluster,
            "The core that a cluster shall run stands in its manifest or in the Profile that it names. Without it nothing is \
             wanted, and nothing can be planned.",
            "spec:\n  software: { webApps: bundled }\n  profile: production\n---\napiVersion: dataminer.gitops/v1\nkind: \
             Profile\nmetadata: { name: production }\nspec: { approval: Always }\n",
            "spec:\n  software: { webApps: bundled }\n  profile: production\n---\napiVersion: dataminer.gitops/v1\nkind: \
             Profile\nmetadata: { name: production }\nspec: { software: { core: 10.5.0 CU9 } }\n",
        ),
    ),
    (
        Code::UnknownDependency,
        parts(
            Cluster,
            "A cluster that waits for one that does not exist would wait for ever.",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n  dependsOn: [lisbon]\n",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n  dependsOn: [lisbon]\n---\n\
             metadata: { name: lisbon }\nspec:\n  agents: [ { name: a, address: 10.1.0.11 } ]\n",
        ),
    ),
    (
        Code::DependencyCircle,
        parts(
            Cluster,
            "Clusters that wait for each other in a circle would all wait for ever.",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n  dependsOn: [lisbon]\n---\n\
             metadata: { name: lisbon }\nspec:\n  agents: [ { name: a, address: 10.1.0.11 } ]\n  dependsOn: [brussels]\n",
            "metadata: { name: brussels }\nspec:\n  agents: [ { name: a, address: 10.0.0.11 } ]\n  dependsOn: [lisbon]\n---\n\
             metadata: { name: lisbon }\nspec:\n  agents: [ { name: a, address: 10.1.0.11 } ]\n",
        ),
    ),
    (
        Code::TwoRollouts,
        parts(
            Cluster,
            "A cluster follows the waves of one Rollout. Two could each hold it back for the other, and neither could say when it may go.",
            "metadata: { name: brussels }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: spring }\nspec: { selector: {}, waves: [ { name: all } ] }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: summer }\nspec: { selector: {}, waves: [ { name: all } ] }\n",
            "metadata: { name: brussels }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: spring }\nspec: { selector: {}, waves: [ { name: all } ] }\n",
        ),
    ),
    (
        Code::SelectsNothing,
        parts(
            Cluster,
            "A selector without a cluster mostly has a slip in a label. It is a warning: the cluster may come later.",
            "metadata: { name: brussels }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: spring }\nspec: { selector: { matchLabels: { region: emae } }, waves: [ { name: all } ] }\n",
            "metadata: { name: brussels, labels: { region: emea } }\n---\napiVersion: dataminer.gitops/v1\nkind: Rollout\nmetadata: { name: spring }\nspec: { selector: { matchLabels: { region: emea } }, waves: [ { name: all } ] }\n",
        ),
    ),
    (
        Code::AdvisoryExpired,
        told(
            "Accepting a known issue is a promise to look at it again. It is a warning: a repository must not become invalid by waiting. From the day after `expires` on the issue blocks plans as before.",
            "Read the issue again; then move `expires`, or take the Advisory out.",
        ),
    ),
    (
        Code::UnknownIssue,
        told(
            "An Advisory that names an issue which nothing knows accepts nothing. The id is the one that a plan shows, such as `KI_GQI_DxM_unavailable_missing_Newtonsoft_Json`.",
            "Compare `spec.issue` with the reference in the plan, or add the issue to your own release knowledge.",
        ),
    ),
    (
        Code::NotInCatalog,
        told(
            "A version that no catalogue has a package for cannot be installed: every plan of the cluster will be blocked with `NoPackage`. It is a warning: the package may come in a later commit, or the version may run already.",
            "Add the package to a PackageCatalog, or correct the version.",
        ),
    ),
    (
        Code::SupportEnded,
        told(
            "The day of the last support of this Main Release is over: nobody mends it any more. It is a warning: what runs, runs on.",
            "Want a later Main Release; `bump` offers those of the catalogue.",
        ),
    ),
    (
        Code::SupportLimited,
        told(
            "Full support of this Main Release is over; until the day in the message there is limited support.",
            "Plan the way to a later Main Release; `bump` offers those of the catalogue.",
        ),
    ),
    (
        Code::OlderFeatureRelease,
        told(
            "Of Feature Releases only the latest gets security updates, and none gets CUs as Main Releases do: mending means moving on.",
            "Want the latest Feature Release, or the Main Release behind it.",
        ),
    ),
];
