//! What the process says of a manifest: the secrets and hooks that it does not grant, the packages that are not what the
//! catalogue says.

use dataminer_schema::plan::BlockCode;

use super::{PlanInput, draft::Draft};

/// Secrets and hooks that a manifest names and the configuration does not list; offline nobody can tell.
pub(super) fn plan_grants(input: &PlanInput<'_>, draft: &mut Draft) {
    for secret in &input.state.refused_secrets {
        draft.block(
            BlockCode::SecretNotAllowed,
            Vec::new(),
            format!("the manifest names a secret that the configuration does not grant: {secret}"),
            "add a grant for these hosts and this cluster under `spec.secrets` of the configuration, or name another",
        );
    }
    let Some(known) = &input.state.hooks else { return };
    for hook in input.desired.cluster.hooks.iter().filter(|hook| !known.contains(&hook.run)) {
        draft.block(
            BlockCode::HookNotAllowed,
            Vec::new(),
            format!("the manifest names the hook `{}`, which the configuration does not have", hook.run),
            "add it under `spec.hooks` of the configuration, or take it out of the manifest",
        );
    }
}

/// Packages of the plan whose content was found to be another.
pub(super) fn plan_packages(input: &PlanInput<'_>, draft: &mut Draft) {
    let used: Vec<_> =
        draft.steps.iter().filter_map(|step| step.sha256.clone().zip(step.package.clone())).collect();
    for (sha256, file) in used {
        if let Some(wrong) = input.state.unverified.get(&sha256) {
            draft.block(
                BlockCode::PackageUnverified,
                Vec::new(),
                format!("`{file}` is not what the catalogue says: {wrong}"),
                "fetch the file anew and compare it with the digest of its source; never adapt the digest to the file",
            );
        }
    }
}
