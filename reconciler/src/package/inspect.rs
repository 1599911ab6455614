//! One package, from its first structure to its last.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use dataminer_schema::version::{PackageFile, PackageKind, Version};
use flate2::bufread::DeflateDecoder;
use serde::Serialize;

use super::{
    caps::{Caps, UPLOAD_LIMIT},
    contents::{self, Contents, WITHIN},
    directory::{self, Directory, Member},
    file_name,
    finding::{Finding, FindingCode, Findings, Severity},
    fingerprint::{Fingerprint, by_worth},
    instructions::{self, Instruction, Verb},
    member::{self, READ_BYTES, Unread, Window},
    names::{Names, Separators, shown, windows},
    record::Method,
    stream::{Metered, Visit, Walked, walk},
};

/// What one package file is and holds. What could not be read is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// The name that it was inspected under.
    pub file: String,
    /// What the name tells; absent if it is not that of a package.
    #[serde(skip)]
    pub named: Option<PackageFile>,
    /// Bytes.
    pub size: u64,
    /// The members beside each other, as far as they are few.
    pub members: Vec<OuterMember>,
    /// Description.txt, cut after a thousand characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateZip>,
    pub findings: Vec<Finding>,
}

/// A member of the package itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OuterMember {
    pub name: String,
    /// Bytes, unpacked.
    pub size: u64,
    /// Bytes in the file.
    pub packed: u64,
}

/// How Update.zip lies in the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Packing {
    Stored,
    Deflated,
}

/// What Update.zip holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateZip {
    pub packing: Packing,
    /// How many members.
    pub members: u64,
    /// Bytes of all members, unpacked.
    pub size: u64,
    pub separators: Separators,
    /// The checks that it carries, as `VerifyClusterPorts.dll`, sorted.
    pub prerequisites: Vec<String>,
    /// Whether it carries the program that runs the checks.
    pub executor: bool,
    /// What is to be done; absent without a readable UpdateContent.txt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<Vec<Instruction>>,
    /// Whether the instructions stop or start DataMiner (inferred, `domain/09 section 4`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<bool>,
    pub fingerprints: Vec<Fingerprint>,
}

impl Inspection {
    /// Whether the package may not be used.
    pub fn refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Members of the package itself that are listed.
const MOST_MEMBERS: usize = 100;
/// Characters of Description.txt that are kept.
const LONGEST_DESCRIPTION: usize = 1_000;

/// Inspects a package that is called `file`.
///
/// Reads in constant memory within `caps`; writes nothing. A reader that fails becomes a finding like everything else.
pub fn inspect<R: Read + Seek>(mut reader: R, file: &str, caps: &Caps) -> Inspection {
    let mut findings = Findings::default();
    let named = file_name::judge(file, &mut findings);
    let mut inspection = Inspection {
        file: file.to_owned(),
        named,
        size: 0,
        members: Vec::new(),
        description: None,
        update: None,
        findings: Vec::new(),
    };
    if let Err(error) = inspect_into(&mut inspection, &mut reader, caps, &mut findings) {
        findings.add(FindingCode::Unreadable, format!("reading failed: {error}"));
    }
    judge_whole(&inspection, &mut findings);
    inspection.findings = findings.into_vec();
    inspection
}

fn inspect_into<R: Read + Seek>(
    inspection: &mut Inspection,
    reader: &mut R,
    caps: &Caps,
    findings: &mut Findings,
) -> io::Result<()> {
    let length = reader.seek(SeekFrom::End(0))?;
    inspection.size = length;
    if length == 0 {
        findings.add(FindingCode::Empty, "the file is empty");
        return Ok(());
    }
    if length > UPLOAD_LIMIT {
        findings.add(FindingCode::OverUploadLimit, format!("the file has {length} bytes"));
    }
    reader.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    reader.by_ref().take(512).read_to_end(&mut head)?;
    let mut names = Names::new("", |name| matches!(name, "update.zip" | "slupgrade.dll" | "description.txt"));
    let mut found = Findings::default();
    let Some(outer) = directory::read(reader, length, "", &mut names, caps, &mut found)? else {
        match kind_of_head(&head) {
            // Without an end only the beginning tells what it is.
            Some(code) if found.has(FindingCode::CutOff) => findings.add(code, described(code)),
            Some(_) | None => findings.extend(found),
        }
        return Ok(());
    };
    findings.extend(found);
    names.separators(findings);
    inspection.members = outer
        .members
        .iter()
        .take(MOST_MEMBERS)
        .map(|member| OuterMember {
            name: shown(&member.name),
            size: member.header.size,
            packed: member.header.packed,
        })
        .collect();
    // Nothing is unpacked of an archive that lies.
    if findings.has(FindingCode::Bomb) || findings.has(FindingCode::Overlap) {
        return Ok(());
    }
    look_inside(inspection, reader, &outer, caps, findings)
}

fn look_inside<R: Read + Seek>(
    inspection: &mut Inspection,
    reader: &mut R,
    outer: &Directory,
    caps: &Caps,
    findings: &mut Findings,
) -> io::Result<()> {
    let named = |name: &str| {
        outer.members.iter().find(move |member| windows(&member.name).eq_ignore_ascii_case(name))
    };
    let Some(update) = named("Update.zip") else {
        let kinds = [("AppInfo.xml", "a .dmapp"), (r"Protocol\Protocol.xml", "a .dmprotocol")];
        match kinds.iter().find(|(member, _)| named(member).is_some()) {
            Some((member, kind)) => {
                findings.add(FindingCode::OtherKind, format!("it holds {member}: it is {kind}"));
            }
            None => findings.add(FindingCode::NoUpdateZip, "Update.zip is missing"),
        }
        return Ok(());
    };
    if named("SLUpgrade.dll").is_none() {
        findings.add(FindingCode::NoEngine, "SLUpgrade.dll is missing");
    }
    if named(".signature.p7s").is_some() {
        findings.add(FindingCode::Signature, "it is signed; the signature was not checked");
    }
    let description =
        outer.members.iter().position(|member| member.name.eq_ignore_ascii_case("Description.txt"));
    for (at, member) in outer.members.iter().enumerate() {
        if std::ptr::eq(member, update) || member.is_folder() {
            continue;
        }
        if Some(at) == description {
            inspection.description = read_description(reader, member, caps, findings)?;
        } else {
            check_member(reader, member, caps, findings)?;
        }
    }
    inspection.update = inspect_update(reader, update, caps, findings)?;
    Ok(())
}

/// Reads a member for its checksum alone.
fn check_member<R: Read + Seek>(
    reader: &mut R,
    member: &Member,
    caps: &Caps,
    findings: &mut Findings,
) -> io::Result<()> {
    if member.header.encrypted() || member.data.is_none() {
        return Ok(());
    }
    let read = member::read(reader, member, caps.inflated, |_| {});
    unread(read, &shown(&member.name), findings)
}

/// Turns what is wrong with a member into a finding; a reader that fails stays an error.
fn unread(read: Result<(), Unread>, about: &str, findings: &mut Findings) -> io::Result<()> {
    match read {
        Ok(()) => {}
        Err(Unread::Io(error)) => return Err(error),
        Err(Unread::Damaged(why)) => findings.at(FindingCode::Damaged, about, why),
        Err(Unread::TooLong) => findings.at(FindingCode::Bomb, about, "the member is longer than is read"),
        // Found when the directory was read.
        Err(Unread::Method) => {}
    }
    Ok(())
}

fn read_description<R: Read + Seek>(
    reader: &mut R,
    member: &Member,
    caps: &Caps,
    findings: &mut Findings,
) -> io::Result<Option<String>> {
    if member.header.encrypted() || member.data.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    match member::read(reader, member, caps.text, |more| bytes.extend_from_slice(more)) {
        Err(Unread::TooLong) => {
            findings.at(FindingCode::InstructionsTooLong, "Description.txt", "the text is too long");
            return Ok(None);
        }
        // How much of a damaged text comes out hangs on how its bytes come in.
        Err(broken) => {
            unread(Err(broken), "Description.txt", findings)?;
            return Ok(None);
        }
        Ok(()) => {}
    }
    let text = instructions::text(&bytes);
    let plain = text.chars().filter(|c| !c.is_control() || matches!(c, '\n')).take(LONGEST_DESCRIPTION);
    let text = plain.collect::<String>().trim().trim_start_matches('\u{feff}').to_owned();
    Ok((!text.is_empty()).then_some(text))
}

fn inspect_update<R: Read + Seek>(
    reader: &mut R,
    update: &Member,
    caps: &Caps,
    findings: &mut Findings,
) -> io::Result<Option<UpdateZip>> {
    let Some(data) = update.data.filter(|_| !update.header.encrypted()) else { return Ok(None) };
    let mut names = Names::new(WITHIN, contents::single);
    let mut contents = Contents::new(caps);
    let (packing, size) = match update.header.method {
        Method::Stored => {
            let length = update.header.packed;
            let mut window = BufReader::with_capacity(4 << 10, Window::new(reader, data, length));
            let Some(inner) = directory::read(&mut window, length, WITHIN, &mut names, caps, findings)?
            else {
                return Ok(None);
            };
            for member in &inner.members {
                contents.note(&member.name, findings);
            }
            if !findings.has(FindingCode::Overlap) {
                read_wanted(&mut window, &inner, &mut contents, findings)?;
            }
            let members = inner.members.len() as u64;
            check_member(reader, update, caps, findings)?;
            (Packing::Stored, Some((members, inner.claimed)))
        }
        Method::Deflated => {
            reader.seek(SeekFrom::Start(data))?;
            let packed = BufReader::with_capacity(READ_BYTES, reader.take(update.header.packed));
            let walked = walk_update(packed, update, &mut names, caps, findings, &mut contents)?;
            (Packing::Deflated, walked)
        }
        Method::Other(_) => return Ok(None),
    };
    let separators = names.separators(findings);
    let Some((members, size)) = size else { return Ok(None) };
    contents.prerequisites.sort();
    contents.prerequisites.dedup();
    judge_contents(&contents, findings);
    let fingerprints = contents.take_fingerprints();
    let restart = contents.instructions.as_ref().map(instructions::Instructions::restart);
    Ok(Some(UpdateZip {
        packing,
        members,
        size,
        separators,
        prerequisites: contents.prerequisites,
        executor: contents.executor,
        instructions: contents.instructions.map(|instructions| instructions.list),
        restart,
        fingerprints,
    }))
}

/// The members whose bytes matter, in the order of their worth.
fn read_wanted<R: Read + Seek>(
    reader: &mut R,
    inner: &Directory,
    contents: &mut Contents<'_>,
    findings: &mut Findings,
) -> io::Result<()> {
    let texts =
        inner.members.iter().filter(|member| windows(&member.name).eq_ignore_ascii_case("UpdateContent.txt"));
    let paths: Vec<(String, &Member)> =
        inner.members.iter().map(|member| (windows(&member.name), member)).collect();
    let sentinels = by_worth(paths.iter(), |(path, _)| path.as_str()).into_iter().map(|(_, member)| *member);
    for member in texts.chain(sentinels) {
        if member.is_folder() || member.header.encrypted() || member.data.is_none() {
            continue;
        }
        let Some(cap) = contents.wanted(&member.name) else { continue };
        contents.begin(&member.name);
        match member::read(&mut *reader, member, cap, |bytes| contents.bytes(bytes)) {
            Ok(()) => contents.whole(&member.name, member.header.size),
            Err(Unread::Io(error)) => return Err(error),
            Err(why) => contents.broken(&member.name, &why, findings),
        }
    }
    Ok(())
}

/// Update.zip as a stream: members and their claimed bytes, if it could be followed to its end.
fn walk_update(
    packed: impl io::BufRead,
    update: &Member,
    names: &mut Names,
    caps: &Caps,
    findings: &mut Findings,
    contents: &mut Contents<'_>,
) -> io::Result<Option<(u64, u64)>> {
    let mut metered = Metered::new(DeflateDecoder::new(packed), update.header.packed, caps);
    let walked = walk(&mut metered, WITHIN, names, caps, findings, contents);
    if metered.exceeded() {
        findings.at(FindingCode::Bomb, "Update.zip", "it unpacks into more than is read");
        return Ok(None);
    }
    let walked = match walked {
        Ok(walked) => walked,
        Err(error) if member::is_damage(&error) => {
            let at = metered.count();
            findings.at(
                FindingCode::Damaged,
                "Update.zip",
                format!("its bytes end or make no sense after {at}"),
            );
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let Walked::Whole { members, claimed } = walked else { return Ok(None) };
    let whole = member::compare(&update.header, metered.count(), metered.crc());
    unread(whole, "Update.zip", findings)?;
    for member in &members {
        contents.note(&member.name, findings);
    }
    Ok(Some((members.len() as u64, claimed)))
}

fn judge_contents(contents: &Contents<'_>, findings: &mut Findings) {
    let about = |name: &str| format!("{WITHIN}{name}");
    match &contents.instructions {
        // Why it was not read is among the findings.
        None if contents.instructed => {}
        None => findings.add(FindingCode::NoInstructions, "Update.zip holds no UpdateContent.txt"),
        Some(instructions) => {
            let text = about("UpdateContent.txt");
            if instructions.cut {
                findings.at(FindingCode::InstructionsTooLong, &text, "it has more lines than are read");
            }
            if !instructions.ascii {
                findings.at(FindingCode::NotAscii, &text, "it holds characters beyond ASCII");
            }
            for instruction in &instructions.list {
                if let Verb::Other(word) = &instruction.verb {
                    let message = format!(
                        "line {}: `{}` is not a documented instruction",
                        instruction.line,
                        shown(word)
                    );
                    findings.at(FindingCode::UnknownInstruction, &text, message);
                }
            }
        }
    }
    if contents.prerequisites_folder && contents.prerequisites.is_empty() {
        findings.add(FindingCode::EmptyPrerequisites, "Prerequisites holds no check");
    }
    let carries = |dll: &str| contents.prerequisites.iter().any(|name| name.eq_ignore_ascii_case(dll));
    if carries("VerifyNATSMigrationPrerequisites.dll") {
        findings.add(FindingCode::LeftBehindCheck, "it carries VerifyNATSMigrationPrerequisites.dll");
    }
    if carries("VerifyNatsIsRunning.dll") {
        findings.add(FindingCode::NatsCheck, "it carries VerifyNatsIsRunning.dll");
    }
}

/// What only name and insides together tell.
fn judge_whole(inspection: &Inspection, findings: &mut Findings) {
    let Some(PackageFile { kind, version }) = &inspection.named else { return };
    if let Some(update) = &inspection.update {
        judge_kind(*kind, version.as_ref(), update, findings);
    }
    if let Some(description) = &inspection.description {
        judge_description(*kind, version.as_ref(), description, findings);
    }
}

fn judge_kind(kind: PackageKind, version: Option<&Version>, update: &UpdateZip, findings: &mut Findings) {
    // Packages carry checks since 10.2.0 CU2/10.2.5 (`domain/prerequisites.yaml`); the first number of them is enough here.
    let checked = version.is_some_and(|version| (version.major(), version.minor()) >= (10, 3));
    let has_core = update.fingerprints.iter().any(|one| one.file.to_lowercase().starts_with(r"files\"));
    match kind {
        PackageKind::Full => {
            if update.prerequisites.is_empty() && checked {
                findings.add(FindingCode::NoPrerequisites, "it carries no prerequisites");
            }
            if update.restart == Some(false) {
                findings.add(FindingCode::FullDoesNotRestart, "its instructions do not restart DataMiner");
            }
        }
        PackageKind::Web => {
            if update.restart == Some(true) {
                findings.add(FindingCode::WebRestarts, "its instructions stop or start DataMiner");
            }
            if has_core {
                findings.add(
                    FindingCode::NameDisagrees,
                    "it is called a web package and installs files of the core",
                );
            }
        }
        PackageKind::Update => {
            // Update Center's packages fail without it (`domain/09 section 2`, pain 4).
            if !update.executor {
                findings.add(FindingCode::NoExecutor, "Update.zip holds no Prerequisites\\Executor");
            }
        }
        PackageKind::Tool => {}
    }
    if kind != PackageKind::Update && !update.prerequisites.is_empty() && !update.executor {
        findings.add(FindingCode::NoExecutor, "Update.zip holds checks and no Prerequisites\\Executor");
    }
    if matches!(kind, PackageKind::Full | PackageKind::Web) && update.fingerprints.is_empty() {
        findings.add(FindingCode::NoFingerprint, "no member can serve as a fingerprint");
    }
}

/// Description.txt is free text and only a hint; where it does name a kind or a release, it must be that of the name.
fn judge_description(
    kind: PackageKind,
    version: Option<&Version>,
    description: &str,
    findings: &mut Findings,
) {
    let says = |word: &str| description.contains(word);
    let other = match kind {
        PackageKind::Full => says("(Web)") && !says("(Full)"),
        PackageKind::Web => says("(Full)") && !says("(Web)"),
        PackageKind::Tool | PackageKind::Update => false,
    };
    if other {
        findings.at(FindingCode::NameDisagrees, "Description.txt", "it tells the other kind of package");
    }
    let Some(version) = version else { return };
    for said in description.split([' ', '\n', '\t', ',', ';']).filter_map(release_in) {
        if said.line() != version.line() || (said.build().is_some() && !said.agrees_with(version)) {
            let message = format!("it tells {said}, the file name {version}");
            findings.at(FindingCode::NameDisagrees, "Description.txt", message);
            return;
        }
    }
}

/// `10.5.0.0-16700` or `10.5.12`, but no version of something else.
fn release_in(word: &str) -> Option<Version> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != ')');
    let dots = word.bytes().filter(|byte| *byte == b'.').count();
    let version: Version = (2..=3).contains(&dots).then(|| word.parse().ok())??;
    (9..=11).contains(&version.major()).then_some(version)
}

fn kind_of_head(head: &[u8]) -> Option<FindingCode> {
    if head.starts_with(b"PK") {
        return None;
    }
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).to_ascii_lowercase();
    let page = ["<!doctype html", "<html", "<head", "<?xml"].iter().any(|start| text.starts_with(start));
    Some(if page { FindingCode::WebPage } else { FindingCode::NotAZip })
}

fn described(code: FindingCode) -> &'static str {
    if code == FindingCode::WebPage {
        "the file is a web page and not a package"
    } else {
        "the file is not a zip archive"
    }
}
