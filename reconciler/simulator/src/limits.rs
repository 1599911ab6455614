//! Open files: every simulated Agent listens, and every connection to one is two of them in a process that does both.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For everything else in the process.
const BESIDE: u64 = 512;
/// A listener, and both ends of some connections.
const FOR_EACH_AGENT: u64 = 8;

/// Raises the soft limit as far as it may go, where so many Agents would need more than it allows. What it lacks then
/// shows when an Agent cannot listen.
pub(crate) fn make_room_for(agents: usize) {
    let needed = BESIDE + FOR_EACH_AGENT * agents as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(now) = current.filter(|now| *now < needed) else { return };
    let wanted = maximum.map_or(needed, |maximum| needed.min(maximum));
    if wanted > now
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        tracing::debug!(%error, wanted, "the limit of open files was not raised");
    }
}
