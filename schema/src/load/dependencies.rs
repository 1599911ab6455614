//! `dependsOn`: no cluster waits for itself, however long the way round.

use std::collections::BTreeMap;

use super::Fleet;
use crate::diagnostic::{Code, Diagnostic, Severity};

pub(super) fn judge(fleet: &Fleet, found: &mut Vec<Diagnostic>) {
    let graph = Graph::of(fleet);
    for circle in graph.circles() {
        let mut names: Vec<&str> = circle.iter().map(|at| fleet.clusters[*at].value.name.as_str()).collect();
        names.extend(names.first().copied());
        let message = format!("clusters wait for each other: {}", shortened(&names));
        let help = "take one `dependsOn` of this circle out: none of these clusters could ever change";
        if let Some(cluster) = circle.first().and_then(|at| fleet.clusters.get(*at)) {
            let field = "spec.dependsOn";
            let circular = cluster.diagnostic(Severity::Error, field, Code::DependencyCircle, message, help);
            // The next of the circle is enough: the message names the rest.
            let next = circle.get(1).and_then(|at| fleet.clusters.get(*at));
            found.push(match next {
                Some(next) => circular.and(next.related(field, "this one waits as well")),
                None => circular,
            });
        }
    }
}

/// A long circle is told from its ends.
fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    if names.len() <= SHOWN {
        return names.join(" -> ");
    }
    let (head, tail) = (&names[..SHOWN / 2], &names[names.len() - SHOWN / 2..]);
    format!("{} -> … {} more … -> {}", head.join(" -> "), names.len() - SHOWN, tail.join(" -> "))
}

/// Who waits for whom.
struct Graph<'f> {
    /// The place of each cluster in the fleet, by name.
    index: BTreeMap<&'f str, usize>,
    /// Of each cluster, the places of those that it waits for.
    waits_for: Vec<Vec<usize>>,
}

/// What the search knows of a cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    /// At this place of the way that is being walked.
    OnTheWay(usize),
    Done,
}

impl<'f> Graph<'f> {
    fn of(fleet: &'f Fleet) -> Self {
        let index: BTreeMap<&str, usize> = fleet
            .clusters
            .iter()
            .enumerate()
            .map(|(at, cluster)| (cluster.value.name.as_str(), at))
            .collect();
        let waits_for = fleet.clusters.iter().map(|cluster| {
            cluster.value.depends_on.iter().filter_map(|name| index.get(name.as_str()).copied()).collect()
        });
        Self { waits_for: waits_for.collect(), index }
    }

    /// At least one circle of every group of clusters that wait for each other, in the order of the names. Every
    /// cluster and every `dependsOn` is looked at once.
    fn circles(&self) -> Vec<Vec<usize>> {
        let mut found = Vec::new();
        let mut seen = vec![Seen::Not; self.waits_for.len()];
        for &start in self.index.values() {
            // The way from `start`, and how many of each one's dependencies were followed.
            let mut way: Vec<(usize, usize)> = Vec::new();
            if seen[start] == Seen::Not {
                seen[start] = Seen::OnTheWay(0);
                way.push((start, 0));
            }
            while let Some((at, followed)) = way.last_mut() {
                let Some(&next) = self.waits_for[*at].get(*followed) else {
                    seen[*at] = Seen::Done;
                    way.pop();
                    continue;
                };
                *followed += 1;
                match seen[next] {
                    Seen::Not => {
                        seen[next] = Seen::OnTheWay(way.len());
                        way.push((next, 0));
                    }
                    Seen::OnTheWay(from) => found.push(way[from..].iter().map(|(at, _)| *at).collect()),
                    Seen::Done => {}
                }
            }
        }
        found
    }
}
