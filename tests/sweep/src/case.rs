//! One case: a number, read as a place on every axis.

use std::fmt;

use dataminer_schema::version::{Version, WebWanted};

use crate::{
    fleet::Fleet,
    shelves::{Stage, Stock, Store},
};

/// What is seen of the web apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WebSeen {
    /// Those that came with the core.
    Bundled,
    /// Newer ones.
    Newer,
    /// Older ones.
    Older,
    /// Nothing.
    Unknown,
}

/// A case of the sweep.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) stage: &'a Stage,
    /// The places of the two releases among all of them.
    pub(crate) pair: (usize, usize),
    pub(crate) from: &'a Version,
    pub(crate) to: &'a Version,
    pub(crate) web: WebSeen,
    /// Versions may fall.
    pub(crate) allow: bool,
    /// What is seen of BrokerGateway.
    pub(crate) broker: Option<bool>,
    pub(crate) store: &'a Store,
    /// Everything else hangs on this.
    pub(crate) mix: u64,
}

const WEBS: [WebSeen; 4] = [WebSeen::Bundled, WebSeen::Newer, WebSeen::Older, WebSeen::Unknown];
const BROKERS: [Option<bool>; 3] = [Some(true), Some(false), None];

impl<'a> Case<'a> {
    /// How many there are.
    pub(crate) fn count(stage: &Stage) -> u64 {
        let releases = stage.releases.len() as u64;
        releases * releases * (WEBS.len() * 2 * BROKERS.len() * stage.stores.len()) as u64
    }

    /// The case of this number.
    pub(crate) fn of(stage: &'a Stage, number: u64) -> Self {
        let mut rest = number;
        let mut take = |of: usize| {
            let place = rest % of as u64;
            rest /= of as u64;
            usize::try_from(place).expect("no axis is that long")
        };
        let web = WEBS[take(WEBS.len())];
        let allow = take(2) == 1;
        let broker = BROKERS[take(BROKERS.len())];
        let store = &stage.stores[take(stage.stores.len())];
        let pair = (take(stage.releases.len()), take(stage.releases.len()));
        let (from, to) = (&stage.releases[pair.0], &stage.releases[pair.1]);
        // Any bits that the axes above do not hang on.
        let mix = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17;
        Self { stage, pair, from, to, web, allow, broker, store, mix }
    }

    /// The web apps that are there, where they are seen.
    pub(crate) fn web_seen(&self) -> Option<&'a Version> {
        match self.web {
            WebSeen::Bundled => Some(self.from),
            WebSeen::Newer => Some(self.stage.newer_web(self.from).unwrap_or(self.from)),
            WebSeen::Older => Some(self.stage.older_web(self.from).unwrap_or(self.from)),
            WebSeen::Unknown => None,
        }
    }

    /// The web apps that are wanted.
    pub(crate) fn web_wanted(&self) -> WebWanted {
        match self.mix % 4 {
            0 => WebWanted::Unmanaged,
            1 => WebWanted::Bundled,
            2 => WebWanted::Version(self.stage.newer_web(self.to).unwrap_or(self.to).clone()),
            _ => WebWanted::Version(self.to.clone()),
        }
    }

    /// Whether a higher number with older fixes is accepted.
    pub(crate) fn accepts_older_fixes(&self) -> bool {
        (self.mix >> 2).is_multiple_of(3)
    }

    /// Whether the vault has content of every level that might be wanted.
    pub(crate) fn has_backups(&self) -> bool {
        !(self.mix >> 4).is_multiple_of(5)
    }

    /// Whether packages may be patched (G2).
    pub(crate) fn patches(&self) -> bool {
        self.allow && !(self.mix >> 7).is_multiple_of(3)
    }

    /// Whether the second Agent is the first one's Failover partner.
    pub(crate) fn is_pair(&self) -> bool {
        (self.mix >> 9).is_multiple_of(2)
    }

    /// Whether it is planned again from shuffled input.
    pub(crate) fn shuffles(&self) -> bool {
        (self.mix >> 10).is_multiple_of(16)
    }

    /// Whether a refusal for want of a package is held against every way that there might be: that takes time.
    pub(crate) fn looks_for_ways(&self) -> bool {
        (self.mix >> 14).is_multiple_of(8)
    }

    /// What the planner gets.
    pub(crate) fn fleet(&self) -> Fleet {
        Fleet::of(self)
    }

    pub(crate) fn stock(&self) -> Stock {
        self.store.stock
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, allow, broker, .. } = self;
        let web = self.web_seen().map_or("unknown".to_owned(), ToString::to_string);
        write!(
            f,
            "{from} (web {web}) -> {to} (web {:?}), downgrades {allow}, older fixes {}, BrokerGateway {broker:?}, catalogue {:?}, backups {}, patches {}",
            self.web_wanted(),
            self.accepts_older_fixes(),
            self.stock(),
            self.has_backups(),
            self.patches(),
        )
    }
}
