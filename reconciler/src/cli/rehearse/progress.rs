//! How far the rehearsals are: a line that renews itself on a terminal, plain lines elsewhere.

use std::{collections::BTreeMap, io::IsTerminal, time::Duration};

use dataminer_schema::id::ClusterName;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{cli::Terminal, rehearsal::Progress};

/// What is shown.
pub(super) struct Shown {
    bar: Option<ProgressBar>,
    /// The step of each cluster that is under way.
    at: BTreeMap<ClusterName, String>,
}

impl Shown {
    pub(super) fn new(clusters: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("rehearsing {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_message(format!("{clusters} clusters"));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, at: BTreeMap::new() }
    }

    pub(super) fn tell(&mut self, progress: &Progress, terminal: &mut Terminal) {
        let Progress { cluster, done, steps, text } = progress;
        let Some(bar) = &self.bar else {
            terminal.say(format!("{cluster}: {text} ({done} of {steps} done)"));
            return;
        };
        self.at.insert(cluster.clone(), format!("{cluster} {done}/{steps}: {text}"));
        bar.set_message(self.at.values().cloned().collect::<Vec<_>>().join("; "));
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
