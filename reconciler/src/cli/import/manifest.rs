//! The manifest as text, with comments for whoever sees one for the first time.

use std::fmt::Write as _;

use dataminer_schema::{id::ClusterName, v1::cluster::SecretRef};

use super::{
    discover::{Dms, Found, Member},
    software::Software,
    yaml,
};
use crate::cli::Helpful;

/// Everything that stands in it.
pub(super) struct Manifest<'a> {
    pub(super) name: &'a ClusterName,
    pub(super) dms: &'a Dms,
    pub(super) software: &'a Software,
    pub(super) identity: Identity<'a>,
    pub(super) schema: &'a str,
}

/// The account of the SSH connections.
pub(super) struct Identity<'a> {
    pub(super) user: &'a str,
    pub(super) secret: &'a SecretRef,
}

/// A cluster name out of what the DMS calls itself, else out of its first Agent's name.
///
/// # Errors
/// Neither leaves a letter or digit.
pub(super) fn name_of(dms: &Dms) -> anyhow::Result<ClusterName> {
    let first = dms.agents.first().map(|found| found.member.name.as_str());
    let made = [dms.name.as_deref(), first].into_iter().flatten().find_map(|text| {
        let mut label = String::new();
        for c in text.chars() {
            if c.is_ascii_alphanumeric() {
                label.push(c.to_ascii_lowercase());
            } else if !label.is_empty() && !label.ends_with('-') {
                label.push('-');
            }
            if label.len() == 63 {
                break;
            }
        }
        ClusterName::new(label.trim_end_matches('-')).ok()
    });
    made.ok_or_else(|| {
        Helpful::new("the name of the DMS makes no cluster name", "give one with --name").into()
    })
}

/// Writes it.
pub(super) fn write(manifest: &Manifest<'_>) -> String {
    let Manifest { name, dms, software, identity, schema } = manifest;
    let mut out = Text::default();
    out.line(0, &format!("# yaml-language-server: $schema={}", yaml::remark(schema)));
    out.line(
        0,
        "# Made by `dataminer-reconciler import` from what the Agents showed. From here on it is yours.",
    );
    if let Some(own) = &dms.name {
        out.line(0, &format!("# The DMS calls itself {}.", yaml::quoted(&yaml::remark(own))));
    }
    out.line(0, "apiVersion: dataminer.gitops/v1");
    out.line(0, "kind: Cluster");
    out.line(0, "metadata:");
    out.line(1, &format!("name: {}", yaml::scalar(name.as_str())));
    out.line(0, "spec:");
    out.comment(1, "While this is true the cluster is observed and planned, and nothing is changed. To begin: read what `plan` says, write the versions that you want, add a window, and take this line out.");
    out.line(1, "suspend: true");
    out.gap();
    out.line(1, "software:");
    out.comment(2, "What runs today. Every CU of a Main Release shows the same number, so the build tells them apart; where you want a release, `10.5.0 CU12` is enough.");
    out.remarks(2, &software.core_remarks);
    out.line(2, &format!("core: {}", yaml::quoted(&software.core)));
    out.comment(2, "A version, `bundled` (what the core package brings) or `unmanaged` (left as they are).");
    out.remarks(2, &software.web_remarks);
    out.line(2, &format!("webApps: {}", yaml::scalar(&software.web_apps)));
    if !software.hotfixes.is_empty() {
        let all: Vec<_> = software.hotfixes.iter().map(|hotfix| yaml::quoted(hotfix)).collect();
        out.comment(
            2,
            "Packages to install after the core, in order. `bump` leaves a cluster with hotfixes alone.",
        );
        out.line(2, &format!("hotfixes: [{}]", all.join(", ")));
    }
    out.gap();
    out.comment(1, "Every Agent of the DMS, as DMS.xml lists them: an upgrade changes all of them together.");
    out.line(1, "agents:");
    for found in &dms.agents {
        agent(&mut out, found);
    }
    out.gap();
    out.comment(1, "The account that logs on to every Agent, and where the process finds its private key. The process's configuration must grant that secret to these hosts; a manifest never holds a key.");
    out.line(1, "connection:");
    out.line(2, "ssh:");
    out.line(3, &format!("user: {}", yaml::quoted(identity.user)));
    out.line(3, &format!("identity: {}", yaml::secret(identity.secret)));
    out.gap();
    out.comment(1, "When disruptive work may start. Without a window of kind Allow every time is right; of kind Deny, no time is.");
    out.line(1, "# windows:");
    out.line(1, "#   - { kind: Allow, schedule: \"0 22 * * SAT\", duration: 6h, timeZone: Europe/Brussels, cutoff: 1h }");
    out.0
}

fn agent(out: &mut Text, found: &Found) {
    let Found { id, member: main, failover } = found;
    let pair = if failover.is_some() { ", the main one of a Failover pair" } else { "" };
    out.line(2, &format!("# DataMiner ID {id}, {}{pair}", yaml::remark(&main.address)));
    member(out, 3, "- ", main);
    if let Some(partner) = failover {
        out.line(3, &format!("failover: # its backup, {}", yaml::remark(&partner.address)));
        member(out, 4, "", partner);
    }
}

/// `lead` stands before the first field, two blanks to the left of the others.
fn member(out: &mut Text, depth: usize, lead: &str, member: &Member) {
    let Member { name, target, key, seen, trouble, .. } = member;
    let first = if lead.is_empty() { depth } else { depth - 1 };
    out.line(first, &format!("{lead}name: {}", yaml::scalar(name.as_str())));
    out.line(depth, &format!("address: {}", yaml::quoted(&target.to_string())));
    match (key, trouble) {
        (Some(key), _) => out.line(depth, &format!("hostKey: {}", yaml::quoted(&key.to_string()))),
        (None, trouble) => {
            let why = trouble.as_deref().unwrap_or("no reason is known");
            out.comment(depth, &format!("It was not reached: {}", yaml::remark(why)));
            out.comment(
                depth,
                "DMS.xml names it, so it belongs here. Correct the address, and pin its host key:",
            );
            out.line(depth, "# hostKey: \"SHA256:…\"");
        }
    }
    if let (Some(_), None, Some(why)) = (key, seen, trouble) {
        out.comment(depth, &format!("It was not looked at: {}", yaml::remark(why)));
    }
    let owner = seen.as_ref().and_then(|seen| seen.operation.as_ref()?.owner.as_ref());
    if let Some(owner) = owner {
        out.comment(
            depth,
            &format!(
                "The installation {} of a reconciler owns this Agent.",
                yaml::quoted(&yaml::remark(owner))
            ),
        );
    }
}

/// Lines of YAML.
#[derive(Default)]
struct Text(String);

/// Where comments are folded.
const WIDTH: usize = 118;

impl Text {
    fn line(&mut self, depth: usize, text: &str) {
        let _infallible = writeln!(self.0, "{:indent$}{text}", "", indent = depth * 2);
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn remarks(&mut self, depth: usize, remarks: &[String]) {
        for remark in remarks {
            self.comment(depth, &remark.split_whitespace().map(yaml::remark).collect::<Vec<_>>().join(" "));
        }
    }

    /// A comment, folded between words.
    fn comment(&mut self, depth: usize, text: &str) {
        let room = WIDTH - depth * 2 - 2;
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.line(depth, &format!("# {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(depth, &format!("# {line}"));
    }
}
