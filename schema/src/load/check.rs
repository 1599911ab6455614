//! What texts must look like: the checks that schemas name by `x-check`, each with a word on what to write.

use std::{cell::RefCell, collections::BTreeSet};

use jiff::{Timestamp, civil, tz::TimeZoneDatabase};

use crate::{
    diagnostic::Code,
    document::text::{Address, MAX_LINE},
    id::{AgentName, ClusterName, CommitId, IdError, JobId, PlanId, Sha256},
    quantity::{ByteSize, QuantityError, parse_duration},
    version::{PackageFile, Version, VersionError, WebWanted},
};

/// What is wrong with a text.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: String,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

/// Runs the check of this name; `None` if there is no such check.
pub(super) fn check(name: &str, text: &str) -> Option<Result<(), Fault>> {
    Some(match name {
        "version" => version(text),
        "webWanted" => text.parse::<WebWanted>().map(drop).map_err(|error| web_fault(text, &error)),
        "size" => text.parse::<ByteSize>().map(drop).map_err(|error| quantity_fault(&error)),
        "duration" => parse_duration(text).map(drop).map_err(|error| quantity_fault(&error)),
        "line" => line(text),
        "envName" => env_name(text),
        "word" => word(text),
        "dnsLabel" => ClusterName::new(text).map(drop).map_err(|_| {
            Fault::new(
                Code::BadName,
                format!("{} is not a name", quoted(text)),
                "use lowercase letters, digits and inner hyphens, at most 63",
            )
        }),
        "hostKey" => host_key(text),
        "address" => address(text),
        "schedule" => schedule(text),
        "timeZone" => time_zone(text),
        "date" => text.parse::<civil::Date>().map(drop).ok().filter(|()| text.len() == 10).ok_or_else(|| {
            Fault::new(
                Code::BadTime,
                format!("{} is not a day of the calendar", quoted(text)),
                "write for example `2026-12-20`",
            )
        }),
        "timestamp" => timestamp(text),
        "digest" => Sha256::new(text.to_ascii_lowercase()).map(drop).map_err(|error| id_fault(Code::BadDigest, &error)),
        "commit" => CommitId::new(text).map(drop).map_err(|error| {
            Fault::new(Code::BadText, error.to_string(), "write it in full, as `git rev-parse HEAD` prints it")
        }),
        "socket" => socket(text),
        "packageFile" => text.parse::<PackageFile>().map(drop).map_err(|error| {
            Fault::new(
                Code::BadPackageFile,
                error.to_string(),
                "write the original file name, for example `DataMiner 10.5.0.0(CU9)-16500 Full Upgrade.dmupgrade`",
            )
        }),
        "installedFile" => installed_file(text),
        "gitUrl" => git_url(text),
        "httpsUrl" => https_url(text),
        "issueId" => issue_id(text),
        "placeUrl" => place_url(text, &["file", "https", "s3", "az"]),
        "vaultUrl" => place_url(text, &["file", "s3", "az"]),
        "emailAddress" => email_address(text),
        "forgeRepository" => forge_repository(text),
        "packageSource" => package_source(text),
        "repositoryPath" => repository_path(text),
        "storeUrl" => store_url(text),
        "ClusterName" => id::<ClusterName>(text, Code::BadName),
        "AgentName" => id::<AgentName>(text, Code::BadName),
        "Sha256" => id::<Sha256>(text, Code::BadDigest),
        "PlanId" => id::<PlanId>(text, Code::BadName),
        "JobId" => id::<JobId>(text, Code::BadName),
        "CommitId" => id::<CommitId>(text, Code::BadName),
        _ => return None,
    })
}

/// A text for a message: in backticks, short, and without control characters.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let short: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let more = if text.chars().count() > SHOWN { "…" } else { "" };
    format!("`{short}{more}`")
}

fn version(text: &str) -> Result<(), Fault> {
    text.parse::<Version>()
        .map(drop)
        .map_err(|error| Fault::new(Code::BadVersion, error.to_string(), error.help()))
}

fn web_fault(text: &str, error: &VersionError) -> Fault {
    let word = ["unmanaged", "bundled"].into_iter().find(|word| strsim::damerau_levenshtein(text, word) <= 2);
    match word {
        Some(word) => Fault::new(
            Code::BadVersion,
            format!("{} is neither a version nor `bundled` or `unmanaged`", quoted(text)),
            format!("did you mean `{word}`?"),
        ),
        None => Fault::new(
            Code::BadVersion,
            error.to_string(),
            format!("{}; or `bundled`, or `unmanaged`", error.help()),
        ),
    }
}

fn quantity_fault(error: &QuantityError) -> Fault {
    Fault::new(Code::BadQuantity, error.to_string(), error.help())
}

fn id<T: std::str::FromStr<Err = IdError>>(text: &str, code: Code) -> Result<(), Fault> {
    text.parse::<T>().map(drop).map_err(|error| id_fault(code, &error))
}

fn id_fault(code: Code, error: &IdError) -> Fault {
    let help = match code {
        Code::BadDigest => "`Get-FileHash FILE` (Windows) and `sha256sum FILE` (Linux) print it",
        _ => "names appear in paths, metrics and messages; choose one that fits all of them",
    };
    Fault::new(code, error.to_string(), help)
}

fn line(text: &str) -> Result<(), Fault> {
    let fault = |message: String, help: &str| Err(Fault::new(Code::BadText, message, help));
    if text.is_empty() {
        return fault("the text is empty".to_owned(), "write a text, or take the field out");
    }
    if text.chars().count() > MAX_LINE {
        return fault(format!("the text is longer than {MAX_LINE} characters"), "shorten it");
    }
    if text.chars().any(|c| c.is_ascii_control()) {
        return fault(
            "the text holds a line break or another control character".to_owned(),
            "write it on one line",
        );
    }
    Ok(())
}

fn word(text: &str) -> Result<(), Fault> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'+' | b'-');
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if first && text.len() <= 200 && text.bytes().all(inner) {
        return Ok(());
    }
    let help = "write one word of at most 200 letters, digits, dots, hyphens and underscores";
    Err(Fault::new(Code::BadName, format!("{} is not one word", quoted(text)), help))
}

fn installed_file(text: &str) -> Result<(), Fault> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.ends_with(['.', ' '])
            && !part.contains(['/', ':', '*', '?', '"', '<', '>', '|'])
            && !part.chars().any(|c| c.is_ascii_control())
    };
    if text.contains('\\') && text.chars().count() <= MAX_LINE && text.split('\\').all(plain) {
        return Ok(());
    }
    Err(Fault::new(
        Code::BadText,
        format!("{} is not a file in a folder of DataMiner", quoted(text)),
        "write the path below `C:\\Skyline DataMiner`, for example `Files\\SLNet.exe`; `catalog scan` does",
    ))
}

fn host_key(text: &str) -> Result<(), Fault> {
    let base64 = |digest: &str| {
        digest.len() == 43 && digest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
    };
    if text.strip_prefix("SHA256:").is_some_and(base64) {
        return Ok(());
    }
    let help = if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
        "this is the key itself; write its fingerprint, which `ssh-keygen -lf FILE` prints"
    } else if text.starts_with("MD5:") {
        "write the SHA-256 fingerprint, which `ssh-keygen -lf FILE` prints"
    } else {
        "write `SHA256:` and 43 characters, as `ssh-keygen -lf C:\\ProgramData\\ssh\\ssh_host_ed25519_key.pub` \
         prints on the Agent"
    };
    Err(Fault::new(Code::BadHostKey, format!("{} is not the fingerprint of a host key", quoted(text)), help))
}

fn address(text: &str) -> Result<(), Fault> {
    if Address::read(text).is_some() {
        return Ok(());
    }
    let help = if text.contains("://") {
        "write the host alone, without a scheme: `10.0.0.11` or `dma01.example:2222`"
    } else if text.contains('@') {
        "write the host alone; the account is `connection.ssh.user`"
    } else {
        "write for example `10.0.0.11`, `dma01.example:2222` or `[fd00::1]:22`"
    };
    Err(Fault::new(Code::BadAddress, format!("{} is not a host name or IP address", quoted(text)), help))
}

fn schedule(text: &str) -> Result<(), Fault> {
    let fault = |message: String, help: &str| Err(Fault::new(Code::BadSchedule, message, help));
    const EXAMPLE: &str =
        "write minute, hour, day of month, month, day of week: `0 22 * * SAT` is Saturdays at 22:00";
    let fields = text.split(' ').count();
    if fields != 5 || text.split(' ').any(str::is_empty) {
        let count = text.split_whitespace().count();
        return fault(
            format!("{} has {count} fields, a schedule has five with one blank between them", quoted(text)),
            EXAMPLE,
        );
    }
    // A fleet has few schedules, each of them many times, and reading one costs more than the rest of its window.
    thread_local! {
        static RIGHT: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    }
    const REMEMBERED: usize = 64;
    if RIGHT.with_borrow(|right| right.contains(text)) {
        return Ok(());
    }
    let parser = croner::parser::CronParser::builder()
        .seconds(croner::parser::Seconds::Disallowed)
        .year(croner::parser::Year::Disallowed)
        .build();
    match parser.parse(text) {
        Ok(_) => {
            RIGHT.with_borrow_mut(|right| {
                if right.len() < REMEMBERED {
                    right.insert(text.to_owned());
                }
            });
            Ok(())
        }
        Err(error) => fault(format!("{} is not a cron expression: {error}", quoted(text)), EXAMPLE),
    }
}

fn time_zone(text: &str) -> Result<(), Fault> {
    // The data base looks names up in folders; nothing but a name may reach it.
    let name = text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'));
    // The rules compiled into the program are those that windows are judged by, whatever this machine has.
    let zones = TimeZoneDatabase::bundled();
    if name && zones.get(text).is_ok() {
        return Ok(());
    }
    let nearest = zones
        .available()
        .map(|zone| (strsim::damerau_levenshtein(&zone.as_str().to_lowercase(), &text.to_lowercase()), zone))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, zone)| (*distance, zone.as_str().len()));
    let help = match nearest {
        Some((_, zone)) => format!("did you mean `{zone}`?"),
        None if text.contains(' ') || text.ends_with("Time") => {
            "write the IANA name, not the Windows one: for example `Europe/Brussels`".to_owned()
        }
        None => "write an IANA name, for example `Europe/Brussels` or `UTC`".to_owned(),
    };
    Err(Fault::new(Code::BadTimeZone, format!("there is no time zone {}", quoted(text)), help))
}

fn timestamp(text: &str) -> Result<(), Fault> {
    text.parse::<Timestamp>().map(drop).map_err(|_| {
        Fault::new(
            Code::BadTime,
            format!("{} is not a point in time", quoted(text)),
            "write date, time and offset, for example `2026-11-21T02:00:00Z`",
        )
    })
}

fn socket(text: &str) -> Result<(), Fault> {
    text.parse::<std::net::SocketAddr>().map(drop).map_err(|_| {
        Fault::new(
            Code::BadAddress,
            format!("{} is not an IP address with a port", quoted(text)),
            "write for example `127.0.0.1:8080`; a host name is not looked up here",
        )
    })
}

fn bad_url(text: &str, help: impl Into<String>) -> Result<(), Fault> {
    Err(Fault::new(Code::BadUrl, format!("{} cannot be used here", quoted(text)), help))
}

/// A URL of a place, with one of these schemes.
fn place_url(text: &str, schemes: &[&str]) -> Result<(), Fault> {
    line(text)?;
    let forms: Vec<&str> = schemes
        .iter()
        .map(|scheme| match *scheme {
            "file" => "`file:///folder`",
            "https" => "`https://host/path`",
            "s3" => "`s3://bucket/folder`",
            _ => "`az://account/container`",
        })
        .collect();
    let help = format!("write {}", forms.join(" or "));
    let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| schemes.contains(scheme)) else {
        return bad_url(text, help);
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path_fits = !path.starts_with([' ', '/']);
    let fits = match scheme {
        "file" => authority.is_empty() && !path.is_empty() && !path.starts_with(' '),
        "az" => !authority.is_empty() && !path.is_empty() && path_fits,
        _ => !authority.is_empty() && path_fits,
    };
    if authority.contains('@') {
        return bad_url(text, "a URL holds no account; name it in `auth` beside it");
    }
    if fits && !authority.contains(' ') { Ok(()) } else { bad_url(text, help) }
}

fn store_url(text: &str) -> Result<(), Fault> {
    line(text)?;
    let help = "write a SQLite file, for example `sqlite:///var/lib/dataminer-reconciler/state.db`, or \
                `postgres://user@host/database`";
    if let Some(path) = text.strip_prefix("sqlite:///") {
        let fits = !path.is_empty() && !path.starts_with(' ');
        return if fits { Ok(()) } else { bad_url(text, help) };
    }
    let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let Some((authority, database)) = rest.and_then(|rest| rest.split_once('/')) else {
        return bad_url(text, help);
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let fits = !host.is_empty()
        && !database.is_empty()
        && !text.contains(' ')
        && !database.contains(['/', '?', '#']);
    if fits { Ok(()) } else { bad_url(text, help) }
}

fn email_address(text: &str) -> Result<(), Fault> {
    let part = |part: &str| {
        !part.is_empty()
            && !part.contains(['@', ' ', '<', '>', ',', ';', '"'])
            && !part.chars().any(|c| c.is_ascii_control())
    };
    let fits = text.split_once('@').is_some_and(|(name, host)| part(name) && part(host));
    if fits && text.chars().count() <= 254 {
        return Ok(());
    }
    Err(Fault::new(
        Code::BadAddress,
        format!("{} is not a mail address", quoted(text)),
        "write the address alone, for example `noc@example.org`",
    ))
}

fn forge_repository(text: &str) -> Result<(), Fault> {
    line(text)?;
    let fits = text.contains('/') && !text.contains(':') && text.split('/').all(|part| !part.is_empty());
    if fits {
        return Ok(());
    }
    let help = if text.contains("://") {
        "write the name alone, for example `example/fleet`; the address of the forge is `url`"
    } else {
        "write for example `example/fleet`"
    };
    Err(Fault::new(Code::BadName, format!("{} is not a repository of a forge", quoted(text)), help))
}

fn https_url(text: &str) -> Result<(), Fault> {
    line(text)?;
    let host = text.strip_prefix("https://").map(|rest| rest.split('/').next().unwrap_or_default());
    if host.is_some_and(|host| !host.is_empty() && !host.contains('@')) && !text.contains(' ') {
        return Ok(());
    }
    let help = if text.contains('@') {
        "a URL holds no account; name it in the fields beside it"
    } else {
        "write `https://host/path`"
    };
    Err(Fault::new(Code::BadUrl, format!("{} cannot be used here", quoted(text)), help))
}

fn issue_id(text: &str) -> Result<(), Fault> {
    let named = text.strip_prefix("KI_").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    });
    if named && text.len() <= 200 {
        return Ok(());
    }
    Err(Fault::new(
        Code::BadName,
        format!("{} is not the id of a known issue", quoted(text)),
        "write it as the plan shows it, for example `KI_Upgrade_to_1051_stuck`",
    ))
}

fn package_source(text: &str) -> Result<(), Fault> {
    line(text)?;
    let help = "write a path relative to the package place, `file:///…`, `https://host/path`, `s3://bucket/path`, or \
                `az://account/container/path`";
    let path = match text.split_once("://") {
        Some(("file", path)) if path.len() > 1 && path.starts_with('/') && !path.starts_with("/ ") => path,
        Some(("https" | "s3" | "az", rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            if authority.contains('@') {
                return bad_url(text, "a URL holds no account; the configuration of the package place does");
            }
            if authority.is_empty() || path.is_empty() || path.starts_with('/') || rest.contains(' ') {
                return bad_url(text, help);
            }
            path
        }
        Some(_) => return bad_url(text, help),
        None if text.contains(':') => return bad_url(text, help),
        None => text,
    };
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(Fault::new(
            Code::BadUrl,
            format!("{} leads out of its folder", quoted(text)),
            "write the path without `..`",
        ));
    }
    Ok(())
}

fn repository_path(text: &str) -> Result<(), Fault> {
    if !text.is_empty() {
        line(text)?;
    }
    if text.contains('\\') || text.split('/').any(|part| part == "..") {
        return Err(Fault::new(
            Code::BadUrl,
            format!("{} is not a folder inside the repository", quoted(text)),
            "write it from the root of the repository, with `/` and without `..`",
        ));
    }
    Ok(())
}

fn git_url(text: &str) -> Result<(), Fault> {
    line(text)?;
    let fault =
        |help: &str| Err(Fault::new(Code::BadUrl, format!("{} is not a git repository", quoted(text)), help));
    let schemes = ["ssh://", "https://", "http://", "file://"];
    let known = schemes.iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let local = text.starts_with(['/', '.', '~']);
    let scp = text.split_once(':').is_some_and(|(host, path)| {
        !path.is_empty()
            && !path.starts_with("//")
            && host.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && !host.is_empty() && !host.contains(['@', '/']) && !user.contains('/')
            })
    });
    if text.contains(' ') {
        return fault("a URL holds no blanks; write %20");
    }
    if known || local || scp {
        return Ok(());
    }
    fault("write `ssh://git@host/path`, `https://host/path`, `git@host:path`, `file:///path` or `/path`")
}

/// An environment variable's name. Its value is a likely slip, so the text is not repeated.
fn env_name(text: &str) -> Result<(), Fault> {
    let fits = !text.is_empty()
        && text.len() <= 200
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if fits {
        return Ok(());
    }
    Err(Fault::new(
        Code::BadName,
        "this is not the name of an environment variable",
        "write the name, not the value: letters, digits and underscores",
    ))
}
