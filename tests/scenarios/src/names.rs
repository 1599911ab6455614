//! Ids as people tell them apart: plans and backups are numbered in the order in which a story meets them.

use dataminer_schema::id::{PlanId, Sha256};

/// The ids of a story.
#[derive(Debug, Default)]
pub(crate) struct Names {
    plans: Vec<PlanId>,
    backups: Vec<(Sha256, String)>,
}

impl Names {
    /// Takes note of a plan.
    pub(crate) fn know(&mut self, id: &PlanId) {
        if !self.plans.contains(id) {
            self.plans.push(id.clone());
        }
    }

    /// Takes note of a backup.
    pub(crate) fn know_backup(&mut self, sha256: &Sha256, file: &str) {
        if !self.backups.iter().any(|(known, _)| known == sha256) {
            self.backups.push((sha256.clone(), file.to_owned()));
        }
    }

    /// `plan 1`, by its place in the story.
    pub(crate) fn plan(&self, id: &PlanId) -> String {
        let place = self.plans.iter().position(|known| known == id);
        place.map_or_else(|| "a plan that nobody made".to_owned(), |place| format!("plan {}", place + 1))
    }

    /// `text` with numbers for ids: a digest says nothing to a reader and changes with every word that it covers.
    pub(crate) fn simplify(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (place, id) in self.plans.iter().enumerate() {
            let name = format!("plan-{}", place + 1);
            text = text.replace(&format!("plan {id}"), &name).replace(id.as_str(), &name);
            text = text.replace(&format!("plan {}", id.short()), &name).replace(id.short(), &name);
        }
        // The digests of packages, behind their versions.
        let mut from = 0;
        while let Some(at) = text[from..].find(" [").map(|at| from + at) {
            from = at + 2;
            if is_digest(&text[from..]) {
                text.replace_range(at..at + 15, "");
                from = at;
            }
        }
        for (sha256, file) in &self.backups {
            text = text.replace(sha256.as_str(), &format!("(hash of {file})"));
        }
        text
    }
}

/// Whether a short digest and a bracket begin here.
fn is_digest(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    digits == 12 && text.as_bytes().get(12) == Some(&b']')
}
