//! Looks for new commits: at an interval, and at once when a local repository changes.
//!
//! # Guarantees
//! The commit in force is always one that loaded without an error. A broken commit, a rewritten history and an
//! unreachable server leave it in force and are reported beside it. After a restart the last good commit is
//! read again, also when the branch has moved on to a broken one or the server is away.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dataminer_schema::{diagnostic::Diagnostic, id::CommitId};
use jiff::Timestamp;
use notify::{RecursiveMode, Watcher};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{GitSource, Loaded, SourceError, load};
use crate::metrics::Metrics;

/// A repository that changes in one go (a push moves several files) is looked at once.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// What an attempt gets beyond the source's own timeout, as a part of it; then it is left to itself.
const GRACE: u32 = 4;
/// Attempts that may hang in the network library before we stop adding to them.
const MOST_HANGING: usize = 3;

/// What is known of a source.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub source: String,
    /// The last good commit.
    pub in_force: Option<Arc<Loaded>>,
    /// A newer commit that was set aside.
    pub rejected: Option<Arc<Rejected>>,
    /// Why the last look failed.
    pub fault: Option<Arc<Fault>>,
    /// When the source last answered.
    pub last_success: Option<Timestamp>,
}

/// A commit that is not put in force.
#[derive(Clone, Debug)]
pub struct Rejected {
    pub commit: CommitId,
    /// The first of them, in the order of path and place.
    pub diagnostics: Vec<Diagnostic>,
    /// How many there are in all.
    pub total: usize,
}

/// Nobody reads more, and they are kept in memory, store and status.
const MOST_DIAGNOSTICS: usize = 200;

/// A look that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: &'static str,
    pub message: String,
    pub help: String,
    /// When this kind of fault began.
    pub since: Timestamp,
}

impl Report {
    /// A source that was not looked at yet.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), ..Self::default() }
    }

    /// Whether a look was taken at all.
    pub fn looked(&self) -> bool {
        self.last_success.is_some() || self.fault.is_some()
    }

    /// The result of the last look as a metric's label.
    pub fn result(&self) -> &'static str {
        match (&self.fault, &self.rejected) {
            (Some(_), _) => "failed",
            (None, Some(_)) => "rejected",
            (None, None) => "ok",
        }
    }
}

/// One look: what is known afterwards. Blocks on git and the network.
pub fn look(source: &GitSource, before: &Report, now: Timestamp) -> Report {
    let mut report = before.clone();
    match try_look(source, &mut report, now) {
        Ok(()) => report.fault = None,
        Err(error) => {
            let since = before.fault.as_ref().filter(|f| f.code == error.code()).map_or(now, |f| f.since);
            report.fault = Some(Arc::new(Fault {
                code: error.code(),
                message: error.to_string(),
                help: error.help(),
                since,
            }));
        }
    }
    if report.in_force.is_none() {
        report.in_force = restore(source);
    }
    report
}

fn try_look(source: &GitSource, report: &mut Report, now: Timestamp) -> Result<(), SourceError> {
    let newest = source.newest()?;
    report.last_success = Some(now);
    let known = report.in_force.as_ref().is_some_and(|loaded| loaded.commit.id == newest);
    if known {
        // The branch was moved back to the commit in force.
        report.rejected = None;
        return Ok(());
    }
    if report.rejected.as_ref().is_some_and(|rejected| rejected.commit == newest) {
        return Ok(());
    }
    match load(&source.snapshot(&newest)?) {
        Ok(loaded) => {
            source.accept(&newest)?;
            report.in_force = Some(Arc::new(loaded));
            report.rejected = None;
        }
        Err(mut diagnostics) => {
            let total = diagnostics.len();
            diagnostics.truncate(MOST_DIAGNOSTICS);
            report.rejected = Some(Arc::new(Rejected { commit: newest, diagnostics, total }));
        }
    }
    Ok(())
}

/// The commit that was in force before a restart.
fn restore(source: &GitSource) -> Option<Arc<Loaded>> {
    let accepted = source.accepted().ok().flatten()?;
    load(&source.snapshot(&accepted).ok()?).ok().map(Arc::new)
}

/// A source that is being watched; dropping it does not stop the watching, the token does.
#[derive(Clone, Debug)]
pub struct Watched {
    pub reports: watch::Receiver<Report>,
    poke: mpsc::Sender<()>,
}

impl Watched {
    /// Looks now instead of at the next poll.
    pub fn poke(&self) {
        // A full channel means that a look is due already.
        let _ = self.poke.try_send(());
    }
}

/// Watches `source` until `stop`. The first report follows the first look.
pub fn spawn(
    source: GitSource,
    metrics: Metrics,
    stop: CancellationToken,
) -> (Watched, tokio::task::JoinHandle<()>) {
    let (sender, reports) = watch::channel(Report::new(source.settings().name.clone()));
    let (poke, pokes) = mpsc::channel(1);
    let task = tokio::spawn(run(source, sender, poke.clone(), pokes, metrics, stop));
    (Watched { reports, poke }, task)
}

async fn run(
    source: GitSource,
    sender: watch::Sender<Report>,
    poke: mpsc::Sender<()>,
    mut pokes: mpsc::Receiver<()>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let source = Arc::new(source);
    let name = source.settings().name.clone();
    let hanging = Arc::new(AtomicUsize::new(0));
    // Begins before the first look, so that no commit falls between the two.
    let mut local = LocalWatch::default();
    loop {
        local.ensure(&source, &poke);
        let before = sender.borrow().clone();
        let report = look_in_time(&source, before.clone(), &hanging).await;
        metrics.source_looked(&name, report.result(), report.last_success);
        narrate(&before, &report);
        sender.send_replace(report);

        let interval = source.settings().interval;
        let pause = interval + interval.mul_f64(rand::random_range(0.0..0.1));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            _ = pokes.recv() => {
                tokio::time::sleep(DEBOUNCE).await;
                while pokes.try_recv().is_ok() {}
            }
        }
    }
}

/// Runs a look on a thread of its own: the network library can hang for ever, and a thread of the runtime's
/// pool would keep the process from ending.
async fn look_in_time(source: &Arc<GitSource>, before: Report, hanging: &Arc<AtomicUsize>) -> Report {
    let settings = source.settings();
    let now = Timestamp::now();
    let fault = |error: SourceError, before: Report| {
        let since = before.fault.as_ref().filter(|f| f.code == error.code()).map_or(now, |f| f.since);
        let fault = Fault { code: error.code(), message: error.to_string(), help: error.help(), since };
        Report { fault: Some(Arc::new(fault)), ..before }
    };
    let url = settings.location.to_string();
    let hung = hanging.load(Ordering::SeqCst);
    if hung >= MOST_HANGING {
        return fault(SourceError::Hanging { url, hung }, before);
    }
    let (answer, answered) = oneshot::channel();
    hanging.fetch_add(1, Ordering::SeqCst);
    let (source, counter, previous) = (Arc::clone(source), Arc::clone(hanging), before.clone());
    let spawned = std::thread::Builder::new().name("source".into()).spawn(move || {
        // An abandoned attempt has nobody to answer to.
        drop(answer.send(look(&source, &previous, now)));
        counter.fetch_sub(1, Ordering::SeqCst);
    });
    if let Err(cause) = spawned {
        hanging.fetch_sub(1, Ordering::SeqCst);
        return fault(SourceError::Unreachable { url, cause: format!("starting a thread: {cause}") }, before);
    }
    match tokio::time::timeout(settings.timeout + settings.timeout / GRACE, answered).await {
        Ok(Ok(report)) => report,
        Ok(Err(_)) => {
            hanging.fetch_sub(1, Ordering::SeqCst);
            let cause = "the look ended without a result; please report this with the log".to_owned();
            fault(SourceError::Unreachable { url, cause }, before)
        }
        Err(_) => fault(SourceError::TimedOut { url, after: settings.timeout }, before),
    }
}

/// Says what changed, once.
fn narrate(before: &Report, report: &Report) {
    let source = report.source.as_str();
    if let Some(loaded) = &report.in_force
        && before.in_force.as_ref().is_none_or(|old| old.commit.id != loaded.commit.id)
    {
        let commit = &loaded.commit;
        tracing::info!(
            source, commit = %commit.id, author = commit.author, summary = commit.summary,
            clusters = loaded.fleet.clusters.len(), "commit in force"
        );
        for warning in &loaded.warnings {
            tracing::warn!(source, "{warning}");
        }
    }
    if let Some(rejected) = &report.rejected
        && before.rejected.as_ref().is_none_or(|old| old.commit != rejected.commit)
    {
        tracing::error!(
            source, commit = %rejected.commit, diagnostics = rejected.total,
            "commit set aside: it has errors; the last good one stays in force"
        );
        for diagnostic in rejected.diagnostics.iter().take(20) {
            tracing::error!(source, "{diagnostic}");
        }
    }
    match (&before.fault, &report.fault) {
        (old, Some(fault)) if old.as_ref().is_none_or(|old| old.code != fault.code) => {
            tracing::error!(source, code = fault.code, help = fault.help, "{}", fault.message);
        }
        (Some(fault), None) => tracing::info!(source, after = fault.code, "the source answers again"),
        _ => {}
    }
}

/// The file watch on a local repository; made again while it fails, because the repository may appear later.
#[derive(Default)]
struct LocalWatch {
    watcher: Option<notify::RecommendedWatcher>,
    complained: bool,
}

impl LocalWatch {
    fn ensure(&mut self, source: &GitSource, poke: &mpsc::Sender<()>) {
        if self.watcher.is_some() {
            return;
        }
        let Ok(Some(folder)) = source.watched_folder() else { return };
        match watch_folder(&folder, poke.clone()) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) if !self.complained => {
                self.complained = true;
                tracing::warn!(
                    folder = %folder.display(), %error,
                    "changes of the local repository are seen at the next poll only"
                );
            }
            Err(_) => {}
        }
    }
}

fn watch_folder(folder: &Path, poke: mpsc::Sender<()>) -> notify::Result<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let changed = match event {
            // Our own reading is an event too.
            Ok(event) => !event.kind.is_access() && event.paths.iter().any(|path| is_reference(path)),
            // An overflow: something happened.
            Err(_) => true,
        };
        if changed {
            // A full channel means that a look is due already.
            let _ = poke.try_send(());
        }
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    watcher.watch(&folder.join("refs"), RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Whether a change of this file can move a branch.
fn is_reference(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    path.extension().is_none_or(|extension| extension != "lock")
        && (name == "HEAD"
            || name == "packed-refs"
            || path.components().any(|part| part.as_os_str() == "refs"))
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
