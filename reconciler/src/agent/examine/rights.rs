//! Who we are on a server, and whom a folder belongs to, out of listings in any language.

/// The integrity levels of a token with all of an administrator's rights (High, System).
const ELEVATED: [&str; 2] = ["S-1-16-12288", "S-1-16-16384"];
/// The levels that are less.
const LOWERED: [&str; 3] = ["S-1-16-4096", "S-1-16-8192", "S-1-16-8448"];
const ADMINISTRATORS: &str = "S-1-5-32-544";
/// `dir /q` cuts what is longer than its column (as seen; nothing documents it).
const COLUMN: usize = 20;

/// The groups of the account, from `whoami /groups /fo csv /nh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Name and SID.
    groups: Vec<(String, String)>,
}

impl Rights {
    pub(super) fn parse(text: &str) -> Self {
        let group = |line: &str| {
            let mut fields = line.trim().strip_prefix('"')?.split("\",\"");
            let name = fields.next()?.to_owned();
            let sid = fields.nth(1)?.to_owned();
            sid.starts_with("S-1-").then_some((name, sid))
        };
        Self { groups: text.lines().filter_map(group).collect() }
    }

    /// Whether the session has the rights of an administrator; absent where the listing does not tell.
    pub fn is_administrator(&self) -> Option<bool> {
        let has = |sids: &[&str]| self.groups.iter().any(|(_, sid)| sids.contains(&sid.as_str()));
        if has(&ELEVATED) {
            Some(self.administrators().is_some() || has(&ELEVATED[1..]))
        } else if has(&LOWERED) {
            Some(false)
        } else {
            None
        }
    }

    /// What the server calls the group of the administrators.
    pub(super) fn administrators(&self) -> Option<&str> {
        self.groups.iter().find(|(_, sid)| sid == ADMINISTRATORS).map(|(name, _)| name.as_str())
    }
}

/// The owner of the folder `name` in a listing of `dir /q /ad`.
pub(super) fn owner_of(listing: &str, name: &str) -> Option<String> {
    let owner = listing.lines().find_map(|line| {
        let rest = line.trim_end().strip_suffix(name)?;
        // `<DIR>`, in whatever language.
        let owner = rest.rsplit_once('>')?.1;
        owner.ends_with(' ').then(|| owner.trim().to_owned())
    })?;
    (!owner.is_empty() && owner.chars().all(|c| !c.is_control())).then_some(owner)
}

/// Whether a column that may be cut shows `name`.
pub(super) fn is_named(shown: &str, name: &str) -> bool {
    shown.eq_ignore_ascii_case(name)
        || (shown.chars().count() >= COLUMN && name.to_lowercase().starts_with(&shown.to_lowercase()))
}

/// Whether it shows the account `user`, with or without a domain.
pub(super) fn is_user(shown: &str, user: &str) -> bool {
    let bare = |name: &str| name.rsplit(['\\', '/']).next().unwrap_or(name).to_lowercase();
    let (shown, user) = (bare(shown), bare(user));
    let user = user.split('@').next().unwrap_or(&user);
    !shown.is_empty() && shown == user
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "\"Jeder\",\"Bekannte Gruppe\",\"S-1-1-0\",\"Verbindliche Gruppe\"\r\n\
                          \"VORDEFINIERT\\Administratoren\",\"Alias\",\"S-1-5-32-544\",\"Gruppe\"\r\n";

    #[test]
    fn an_administrator_is_known_by_the_level_of_the_token_in_any_language() {
        let level = |sid: &str| Rights::parse(&format!("{GROUPS}\"Label\",\"Label\",\"{sid}\",\"\"\r\n"));
        assert_eq!(level("S-1-16-12288").is_administrator(), Some(true));
        assert_eq!(level("S-1-16-8192").is_administrator(), Some(false), "not elevated");
        assert_eq!(level("S-1-16-8192").administrators(), Some(r"VORDEFINIERT\Administratoren"));
        assert_eq!(Rights::parse(GROUPS).is_administrator(), None);
        assert_eq!(Rights::parse("'whoami' is not recognized").is_administrator(), None);
    }

    #[test]
    fn owners_are_read_from_any_listing_and_may_be_cut() {
        let listing = " Volume in drive C has no label.\r\n\
                       05.11.2024  09:12    <DIR>          VORDEFINIERT\\Administr dataminer-reconciler\r\n\
                       05.11.2024  09:12    <REP>          DOM\\John Doe           other\r\n\
                       05.11.2024  09:12    <DIR>          DOM\\x          not-dataminer-reconciler\r\n";
        let owner = owner_of(listing, "dataminer-reconciler").expect("it is listed");
        assert_eq!(owner, r"VORDEFINIERT\Administr");
        assert!(is_named(&owner, r"VORDEFINIERT\Administratoren"));
        assert!(!is_named(r"BUILTIN\Users", r"BUILTIN\Users and more"));
        assert_eq!(owner_of(listing, "other").as_deref(), Some(r"DOM\John Doe"));
        assert_eq!(owner_of(listing, "absent"), None);
        assert!(
            is_user(r"DOM\svc", "svc") && is_user(r"DOM\svc", r"dom\SVC") && is_user(r"H\svc", "svc@dom")
        );
        assert!(!is_user(r"DOM\other", "svc") && !is_user("", "svc"));
    }
}
