//! What came of all cases.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::Write,
    time::Duration,
};

use dataminer_schema::plan::{BlockCode, Plan, PlanResult};

use crate::{
    case::{Case, WebSeen},
    shelves::Stock,
};

/// How many examples of a finding are shown.
const SHOWN: usize = 3;

/// Counts, and findings with their first examples.
#[derive(Default)]
pub(crate) struct Tally {
    planned: u64,
    results: BTreeMap<PlanResult, u64>,
    codes: BTreeMap<BlockCode, u64>,
    axes: BTreeSet<(WebSeen, bool, Option<bool>, Stock)>,
    pairs: HashSet<(usize, usize)>,
    findings: BTreeMap<String, (u64, Vec<String>)>,
}

impl Tally {
    pub(crate) fn planned(&mut self, case: &Case<'_>, plan: &Plan) {
        self.planned += 1;
        *self.results.entry(plan.result).or_default() += 1;
        let codes: BTreeSet<BlockCode> = plan.blocked.iter().map(|block| block.code).collect();
        for code in codes {
            *self.codes.entry(code).or_default() += 1;
        }
        self.axes.insert((case.web, case.allow, case.broker, case.stock()));
        self.pairs.insert(case.pair);
    }

    pub(crate) fn found(&mut self, finding: &str, example: impl FnOnce() -> String) {
        let (count, examples) = self.findings.entry(finding.to_owned()).or_default();
        *count += 1;
        if examples.len() < SHOWN {
            examples.push(example());
        }
    }

    pub(crate) fn add(mut self, other: Self) -> Self {
        let Self { planned, results, codes, axes, pairs, findings } = other;
        self.planned += planned;
        self.pairs.extend(pairs);
        self.axes.extend(axes);
        for (result, count) in results {
            *self.results.entry(result).or_default() += count;
        }
        for (code, count) in codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (finding, (count, examples)) in findings {
            let (sum, shown) = self.findings.entry(finding).or_default();
            *sum += count;
            shown.extend(examples);
            shown.truncate(SHOWN);
        }
        self
    }

    /// How many ordered pairs of releases were met.
    pub(crate) fn pairs(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether every combination of the small axes was met, and every kind of result.
    pub(crate) fn visited_everything(&self) -> bool {
        self.axes.len() == 4 * 2 * 3 * 4
            && [PlanResult::Converged, PlanResult::Ready, PlanResult::Blocked]
                .iter()
                .all(|result| self.results.contains_key(result))
    }

    pub(crate) fn summary(&self, took: Duration) -> String {
        let Self { planned, results, codes, axes: _, pairs, findings } = self;
        let (pairs, seconds) = (pairs.len(), took.as_secs_f64());
        let mut text =
            format!("\n{planned} plans over {pairs} pairs in {seconds:.1} s: {results:?}\n{codes:?}\n");
        for (finding, (count, examples)) in findings {
            // Writing to a string does not fail.
            let _infallible = writeln!(text, "\n{count} times: {finding}\n  {}", examples.join("\n  "));
        }
        text
    }
}
