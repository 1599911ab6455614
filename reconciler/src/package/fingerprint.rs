//! Fingerprints: members whose content proves a level.
//!
//! # The choice
//! Three members of `Files\` for the core and three of `Webpages\` for the web apps, `Web.config` never (an
//! installation edits it). What counts is the member's rank, then its name in lower case; the archive's order and the
//! way it is packed do not. Programs are ranked first, because a build stamps its number into each of them: for the
//! core the ones that every Agent runs, then `SL*`, then any other directly in `Files\`, then deeper ones; for the web
//! the product's own libraries in `API\bin`, then any other there, then other libraries, then scripts and pages.
//! Empty members and such above [`super::Caps::sentinel`] are passed over.

use dataminer_schema::id::Sha256;
use serde::Serialize;

/// A file that a package installs and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fingerprint {
    /// Below `C:\Skyline DataMiner`, with back-slashes.
    pub file: String,
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
}

/// How many members stand for each of core and web.
pub const SENTINELS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Core,
    Web,
}

/// Where a candidate stands among the others of its side: the lower, the better.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u8, String);

/// Programs that every Agent runs.
const CORE_FIRST: [&str; 4] =
    [r"files\slnet.exe", r"files\sldataminer.exe", r"files\slelement.exe", r"files\slprotocol.exe"];

fn rank(path: &str) -> Option<(Side, Rank)> {
    let path = path.to_lowercase();
    let (folder, name) = path.rsplit_once('\\')?;
    let program = name.ends_with(".exe") || name.ends_with(".dll");
    if let Some(rest) = path.strip_prefix(r"files\") {
        if !program {
            return None;
        }
        let first = CORE_FIRST.iter().position(|known| *known == path);
        let deep = rest.contains('\\');
        let level = match first {
            Some(at) => u8::try_from(at).unwrap_or(u8::MAX),
            None if !deep && rest.starts_with("sl") => 10,
            None if !deep => 11,
            None => 12,
        };
        return Some((Side::Core, Rank(level, path)));
    }
    path.strip_prefix(r"webpages\")?;
    let level = if program && folder == r"webpages\api\bin" {
        u8::from(!name.starts_with("skyline."))
    } else if program {
        2
    } else if name.ends_with(".js") || name.ends_with(".html") {
        3
    } else {
        return None;
    };
    Some((Side::Web, Rank(level, path)))
}

/// The best members so far.
#[derive(Debug, Default)]
pub(super) struct Sentinels {
    core: Vec<(Rank, Fingerprint)>,
    web: Vec<(Rank, Fingerprint)>,
}

impl Sentinels {
    /// Whether this member would be among the best, if it were added.
    pub(super) fn wants(&self, path: &str) -> bool {
        rank(path).is_some_and(|(side, rank)| {
            let kept = match side {
                Side::Core => &self.core,
                Side::Web => &self.web,
            };
            kept.get(SENTINELS - 1).is_none_or(|(worst, _)| rank <= *worst)
        })
    }

    /// Adds a member that was hashed.
    pub(super) fn add(&mut self, path: &str, sha256: Sha256, size: u64) {
        let Some((side, rank)) = rank(path) else { return };
        let kept = match side {
            Side::Core => &mut self.core,
            Side::Web => &mut self.web,
        };
        // The same name again overwrites the file on the Agent too.
        kept.retain(|(other, _)| *other != rank);
        let at = kept.partition_point(|(other, _)| *other < rank);
        kept.insert(at, (rank, Fingerprint { file: path.to_owned(), sha256, size }));
        kept.truncate(SENTINELS);
    }

    /// Core first, the best first.
    pub(super) fn into_vec(self) -> Vec<Fingerprint> {
        self.core.into_iter().chain(self.web).map(|(_, fingerprint)| fingerprint).collect()
    }
}

/// The members in the order in which they are worth reading, those that never count left out.
pub(super) fn by_worth<T>(members: impl Iterator<Item = T>, path: impl Fn(&T) -> &str) -> Vec<T> {
    let mut ranked: Vec<(bool, Rank, T)> = members
        .filter_map(|member| {
            let (side, rank) = rank(path(&member))?;
            Some((side == Side::Web, rank, member))
        })
        .collect();
    // The same name twice: the later one counts, and is added last.
    ranked.sort_by(|(web, rank, _), (other_web, other_rank, _)| (web, rank).cmp(&(other_web, other_rank)));
    ranked.into_iter().map(|(_, _, member)| member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_does_not_depend_on_the_order() {
        let mut paths = vec![
            r"Files\SLNet.exe",
            r"Files\SLDataMiner.exe",
            r"Files\zlib.dll",
            r"Files\SLAutomation.exe",
            r"Files\deep\SLA.dll",
            r"Files\readme.txt",
            r"Webpages\API\bin\Skyline.DataMiner.Web.dll",
            r"Webpages\API\bin\Newtonsoft.Json.dll",
            r"Webpages\API\Web.config",
            r"Webpages\monitoring\main.js",
            r"Webpages\monitoring\index.html",
            "UpdateContent.txt",
        ];
        let choice = |paths: &[&str]| {
            let mut sentinels = Sentinels::default();
            for path in paths {
                if sentinels.wants(path) {
                    sentinels.add(path, Sha256::of(path.as_bytes()), 1);
                }
            }
            sentinels.into_vec().into_iter().map(|one| one.file).collect::<Vec<_>>()
        };
        let expected = [
            r"Files\SLNet.exe",
            r"Files\SLDataMiner.exe",
            r"Files\SLAutomation.exe",
            r"Webpages\API\bin\Skyline.DataMiner.Web.dll",
            r"Webpages\API\bin\Newtonsoft.Json.dll",
            r"Webpages\monitoring\index.html",
        ];
        for _ in 0..paths.len() {
            assert_eq!(choice(&paths), expected);
            paths.rotate_left(1);
        }
        paths.reverse();
        assert_eq!(choice(&paths), expected);
        assert_eq!(
            by_worth(paths.iter(), |path| path)[..2],
            [&r"Files\SLNet.exe", &r"Files\SLDataMiner.exe"]
        );
    }
}
