//! A source's URL: which transport it means, and the forms that are refused.

use std::{fmt, path::PathBuf};

use super::SourceError;

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// On this machine: opened where it lies, never cloned.
    Local(PathBuf),
    Ssh(String),
    Https(String),
}

impl Location {
    /// Reads a URL or a path.
    ///
    /// # Errors
    /// [`SourceError::Url`] for transports without integrity (`http`, `git`), for the short SSH form
    /// `host:path` and for URLs that carry a password.
    pub fn parse(url: &str) -> Result<Self, SourceError> {
        let bad = |problem: &str, help: &str| {
            Err(SourceError::Url {
                url: without_userinfo(url),
                problem: problem.to_owned(),
                help: help.to_owned(),
            })
        };
        if url.trim() != url || url.is_empty() || url.chars().any(char::is_control) {
            return bad("it is empty or holds blanks", "write a path, or a file://, ssh:// or https:// URL");
        }
        if let Some(path) = url.strip_prefix("file://") {
            return if path.starts_with('/') {
                Ok(Self::Local(path.into()))
            } else {
                bad("a file URL needs an absolute path", "write three slashes: file:///srv/fleet.git")
            };
        }
        if let Some((scheme, rest)) = url.split_once("://") {
            let authority = rest.split('/').next().unwrap_or_default();
            let userinfo = authority.rsplit_once('@').map(|(user, _)| user);
            if userinfo.is_some_and(|user| user.contains(':')) || (scheme == "https" && userinfo.is_some()) {
                return bad(
                    "it carries credentials",
                    "take them out of the URL and name them in the source's `auth`",
                );
            }
            if authority.rsplit('@').next().is_none_or(str::is_empty) {
                return bad("it names no host", "write for example https://git.example/fleet.git");
            }
            return match scheme {
                "ssh" => Ok(Self::Ssh(url.to_owned())),
                "https" => Ok(Self::Https(url.to_owned())),
                "http" | "git" => bad(
                    "the transport proves neither the server nor what it sends",
                    "use https:// or ssh://, or clone to this machine and name the path",
                ),
                _ => bad("the transport is not known", "use a path, file://, ssh:// or https://"),
            };
        }
        // `git@host:fleet.git`, but not a path whose later folder holds a colon.
        if url.split('/').next().is_some_and(|first| first.contains(':')) && !url.starts_with(['/', '.']) {
            let (host, path) = url.split_once(':').unwrap_or((url, ""));
            return bad(
                "the short SSH form could be read as a path",
                &format!("write ssh://{}/{}", without_userinfo_host(host), path.trim_start_matches('/')),
            );
        }
        Ok(Self::Local(url.into()))
    }

    /// The user that an SSH URL names; `git` where it names none.
    pub(super) fn ssh_user(&self) -> String {
        match self {
            Self::Ssh(url) => url
                .split_once("://")
                .and_then(|(_, rest)| rest.split('/').next())
                .and_then(|authority| authority.split_once('@'))
                .map_or_else(|| "git".to_owned(), |(user, _)| user.to_owned()),
            Self::Local(_) | Self::Https(_) => "git".to_owned(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Ssh(url) | Self::Https(url) => f.write_str(url),
        }
    }
}

/// Keeps a user name, drops a password: error messages are logged.
fn without_userinfo(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let mut text = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    text.push_str(host);
    if let Some(path) = path {
        text.push('/');
        text.push_str(path);
    }
    text
}

/// `git@host` stays, `git:secret@host` becomes `host`.
fn without_userinfo_host(host: &str) -> &str {
    match host.rsplit_once('@') {
        Some((user, bare)) if user.contains(':') => bare,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transport_is_recognised() {
        let parse = |url: &str| Location::parse(url).expect("the URL is good");
        assert_eq!(parse("/srv/fleet.git"), Location::Local("/srv/fleet.git".into()));
        assert_eq!(parse("./fleet"), Location::Local("./fleet".into()));
        assert_eq!(parse("file:///srv/fleet.git"), Location::Local("/srv/fleet.git".into()));
        assert_eq!(parse("ssh://git@git.example:2222/fleet.git").ssh_user(), "git");
        assert_eq!(parse("ssh://svc@git.example/fleet.git").ssh_user(), "svc");
        assert_eq!(parse("ssh://git.example/fleet.git").ssh_user(), "git");
        assert!(matches!(parse("https://git.example/fleet.git"), Location::Https(_)));
    }

    #[test]
    fn a_bad_url_says_what_to_write_and_never_shows_a_password() {
        for (url, help) in [
            ("http://git.example/fleet.git", "https://"),
            ("git://git.example/fleet.git", "https://"),
            ("ftp://git.example/fleet.git", "ssh://"),
            ("git@git.example:team/fleet.git", "ssh://git@git.example/team/fleet.git"),
            ("https://robot:hunter2@git.example/fleet.git", "auth"),
            ("https://hunter2@git.example/fleet.git", "auth"),
            ("ssh://robot:hunter2@git.example/fleet.git", "auth"),
            ("file://fleet.git", "file:///"),
            ("https:///fleet.git", "https://git.example"),
            ("", "path"),
            (" /srv/fleet", "path"),
        ] {
            let error = Location::parse(url).expect_err("the URL is bad");
            assert!(error.help().contains(help), "{url}: {}", error.help());
            let shown = format!("{error} {error:?} {}", error.help());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
