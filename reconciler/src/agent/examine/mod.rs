//! What `doctor` looks at on an Agent besides an observation: who we are there, whom our folder belongs to, the clock,
//! the programs.
//!
//! Nothing of ours runs before our folder is known to belong to the Administrators or to ourselves: the first two
//! questions are fixed command lines without a script. A folder of somebody else is left as it is.

mod rights;

use std::time::{Duration, Instant};

use dataminer_schema::id::AgentName;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

pub use self::rights::Rights;
use super::{
    Inner,
    error::AgentError,
    layout::{Layout, ROOT, SKYLINE},
    link::{Link, Session},
    observe,
    probe::text::decode,
    scripts,
    transport::{Connection, Exec, ExecLimits},
};

/// Windows' own programs that scripts and jobs call.
pub const PROGRAMS: [&str; 9] =
    ["certutil", "fsutil", "icacls", "msiexec", "reg", "sc", "schtasks", "tasklist", "xcopy"];

/// One Agent, looked at.
#[derive(Debug)]
pub struct Examination {
    pub agent: AgentName,
    /// `host:port`.
    pub peer: String,
    /// What was seen; the error where nobody got in.
    pub seen: Result<Examined, AgentError>,
}

/// What was seen of an Agent that let us in. An error says why something is not known.
#[derive(Debug)]
pub struct Examined {
    /// From nothing to an open session.
    pub took: Duration,
    pub keys: Result<Keys, AgentError>,
    pub rights: Result<Rights, AgentError>,
    pub folder: Result<Folder, AgentError>,
    /// What could only be looked at from a folder that is ours; absent where it is not.
    pub within: Option<Within>,
}

/// Host keys: what the manifest pins and what the server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    pub pinned: Vec<String>,
    pub shown: Vec<String>,
}

/// Our folder before anything is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// It is not there yet.
    Absent,
    Ours,
    /// It belongs to somebody else: the owner as Windows shows it.
    Foreign(String),
}

/// What is seen from a folder that is ours.
#[derive(Debug)]
pub struct Within {
    pub clock: Result<Skew, AgentError>,
    /// Those of [`PROGRAMS`] that are not there.
    pub missing: Result<Vec<&'static str>, AgentError>,
    /// Whether StandaloneBpaExecutor.exe is there.
    pub executor: Result<bool, AgentError>,
    /// The mark of another owner, in words.
    pub other_owner: Result<Option<String>, AgentError>,
}

/// How far an Agent's clock is ahead of ours: between these two, by the time that the question took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    pub least: SignedDuration,
    pub most: SignedDuration,
}

impl Skew {
    /// The Agent stamped a file with `stamp`, to the second, after `before` and before `after`.
    fn of(stamp: Timestamp, before: Timestamp, after: Timestamp) -> Self {
        let least = stamp.duration_since(after);
        let most = stamp.duration_since(before).saturating_add(SignedDuration::from_secs(1));
        Self { least, most }
    }

    /// The part that is certain: nothing where both clocks may be the same.
    pub fn certain(self) -> SignedDuration {
        if self.least.is_positive() {
            self.least
        } else if self.most.is_negative() {
            self.most
        } else {
            SignedDuration::ZERO
        }
    }
}

/// Looks at every Agent at once, within the bound of the process.
pub(super) async fn all(inner: &Inner, ticked: &(dyn Fn() + Sync)) -> Vec<Examination> {
    let looks = inner.links.iter().map(|link| async move {
        // The semaphore is never closed.
        let _permit = inner.context.permits.acquire().await.ok();
        let look = tokio::time::timeout(inner.context.patience, examine(inner, link));
        let seen = look.await.unwrap_or_else(|_| Err(link.too_slow(inner.context.patience)));
        ticked();
        Examination { agent: link.name.clone(), peer: link.peer(), seen }
    });
    join_all(looks).await
}

async fn examine(inner: &Inner, link: &Link) -> Result<Examined, AgentError> {
    let begun = Instant::now();
    let session = link.sign_in(&inner.context.secrets, inner.context.timeouts).await?;
    let took = begun.elapsed();
    let keys = Connection::host_keys(&link.host, link.port(), inner.context.timeouts).await;
    let keys = keys.map(|shown| Keys {
        pinned: link.pinned().to_vec(),
        shown: shown.iter().map(ToString::to_string).collect(),
    });
    let layout = &inner.context.layout;
    let rights = ask(&session, "cmd.exe /d /c whoami /groups /fo csv /nh").await;
    let rights = rights.map(|said| Rights::parse(&decode(&said.stdout)));
    let folder = match &rights {
        Ok(rights) => folder(&session, layout, link, rights).await,
        Err(error) => Err(error.clone()),
    };
    let ours = matches!(folder, Ok(Folder::Absent | Folder::Ours));
    let able = rights.as_ref().is_ok_and(|rights| rights.is_administrator() != Some(false));
    let within = if ours && able { Some(look_around(&session, layout).await) } else { None };
    session.close().await;
    Ok(Examined { took, keys, rights, folder, within })
}

async fn ask(session: &Session, command: &str) -> Result<Exec, AgentError> {
    session
        .connection
        .exec(command, ExecLimits { time: Duration::from_secs(30), ..ExecLimits::default() })
        .await
}

async fn folder(
    session: &Session,
    layout: &Layout,
    link: &Link,
    rights: &Rights,
) -> Result<Folder, AgentError> {
    if session.sftp.stat(&layout.root()).await?.is_none() {
        return Ok(Folder::Absent);
    }
    let (parent, name) = ROOT.rsplit_once('\\').unwrap_or_default();
    let listed = ask(session, &format!("cmd.exe /d /c dir /q /ad {parent}")).await?;
    let Some(owner) = rights::owner_of(&decode(&listed.stdout), name) else {
        return Err(AgentError::new(
            super::error::Reason::ProtocolViolation,
            format!("`dir /q` does not tell whom {ROOT} belongs to"),
            "look at the owner of the folder on the server: it must be the group of the administrators",
        ));
    };
    let own = link.user().is_some_and(|user| rights::is_user(&owner, user));
    match rights.administrators() {
        Some(name) if own || rights::is_named(&owner, name) => Ok(Folder::Ours),
        Some(_) => Ok(Folder::Foreign(owner)),
        None if own => Ok(Folder::Ours),
        None => Err(AgentError::new(
            super::error::Reason::PermissionDenied,
            format!(
                "{ROOT} belongs to {owner}; whether that is the group of the administrators is not known, as the account \
                     is no member of it"
            ),
            "add the account to the local Administrators",
        )),
    }
}

async fn look_around(session: &Session, layout: &Layout) -> Within {
    let installed = scripts::install(&session.connection, &session.sftp, layout).await;
    let clock = match installed {
        Ok(()) => clock(session, layout).await,
        Err(error) => Err(error),
    };
    let programs = PROGRAMS.map(|program| layout.sftp(&format!(r"C:\Windows\System32\{program}.exe")));
    let found = join_all(programs.iter().map(|path| session.sftp.stat(path))).await;
    let missing: Result<Vec<&'static str>, AgentError> = PROGRAMS
        .into_iter()
        .zip(found)
        .filter_map(|(program, found)| match found {
            Ok(Some(_)) => None,
            Ok(None) => Some(Ok(program)),
            Err(error) => Some(Err(error)),
        })
        .collect();
    let executor = layout.sftp(&format!(r"{SKYLINE}\Tools\StandaloneBpaExecutor\StandaloneBpaExecutor.exe"));
    let executor = session.sftp.stat(&executor).await.map(|found| found.is_some());
    let other_owner =
        observe::owner(session, layout).await.map(|owner| owner.map(|owner| owner.installation));
    Within { clock, missing, executor, other_owner }
}

/// By the stamp of a file that is made and removed: it is in UTC and in no language.
async fn clock(session: &Session, layout: &Layout) -> Result<Skew, AgentError> {
    let path = layout.own(&format!("clock-{:08x}.tmp", rand::random::<u32>()));
    let before = Timestamp::now();
    session.sftp.create(&path, b"").await?;
    let after = Timestamp::now();
    let entry = session.sftp.stat(&path).await;
    session.sftp.remove(&path).await?;
    let stamp = entry?.and_then(|entry| entry.modified).ok_or_else(|| {
        AgentError::new(
            super::error::Reason::ProtocolViolation,
            "the server does not say when a file was written",
            "compare the clocks by hand",
        )
    })?;
    Ok(Skew::of(stamp, before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skew_is_certain_beyond_the_round_trip_and_the_second_of_the_stamp() {
        let at = |millis: i64| Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a time");
        let skew = |stamp: i64| Skew::of(at(stamp), at(0), at(400)).certain().as_millis();
        // The stamp is cut to the second, so 0 may be 0.999.
        assert_eq!(skew(0), 0);
        assert_eq!(skew(-1000), 0);
        assert_eq!(skew(-2000), -1000);
        assert_eq!(skew(1000), 600);
        assert_eq!(skew(3_600_000), 3_599_600);
    }
}
