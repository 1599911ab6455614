//! Packages as they should be, in every way of packing.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;

use super::{zip_bytes::around_a_large_member, *};

fn update_of(inspection: &Inspection) -> &UpdateZip {
    inspection.update.as_ref().unwrap_or_else(|| panic!("{:#?}", inspection.findings))
}

#[test]
fn a_full_package_tells_everything_that_plans_need() {
    let inspection = look(&package(&full_update()), FULL);
    assert_eq!(inspection.findings, [], "a package as it should be");
    let update = update_of(&inspection);
    assert_eq!(update.packing, Packing::Stored);
    assert_eq!(update.prerequisites, ["VerifyClusterPorts.dll", "VerifyNatsCluster.dll"]);
    assert!(update.executor);
    assert_eq!(update.restart, Some(true));
    assert_eq!(update.separators, Separators::Slash);
    assert_eq!(update.instructions.as_ref().map(Vec::len), Some(7));
    let files: Vec<_> = update.fingerprints.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(
        files,
        [r"Files\SLNet.exe", r"Files\SLDataMiner.exe", r"Webpages\API\bin\Skyline.DataMiner.Web.dll"]
    );
    assert_eq!(update.fingerprints[0].sha256, dataminer_schema::id::Sha256::of(b"MZ core 10.5.0 CU9"));
    assert_eq!(update.fingerprints[0].size, 18);
    assert_eq!(inspection.description.as_deref(), Some("DataMiner Upgrade"));
    assert_eq!(inspection.members.len(), 3);
}

#[test]
fn it_does_not_matter_how_update_zip_is_packed() {
    let mut with_descriptors = full_update();
    for member in &mut with_descriptors {
        member.descriptor = true;
    }
    let mut reversed = full_update();
    reversed.reverse();
    let plain = update_of(&look(&package(&full_update()), FULL)).clone();
    for (what, bytes, packing) in [
        ("deflated", package_deflated(&full_update()), Packing::Deflated),
        ("stored, descriptors", package(&with_descriptors), Packing::Stored),
        ("deflated, descriptors", package_deflated(&with_descriptors), Packing::Deflated),
        ("stored, other order", package(&reversed), Packing::Stored),
        ("deflated, other order", package_deflated(&reversed), Packing::Deflated),
    ] {
        let inspection = look(&bytes, FULL);
        assert_eq!(inspection.findings, [], "{what}");
        assert_eq!(*update_of(&inspection), UpdateZip { packing, ..plain.clone() }, "{what}");
    }
}

#[test]
fn packages_written_by_a_library_are_read_too() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = camino::Utf8Path::from_path(folder.path()).expect("it is UTF-8");
    for (spec, prerequisites) in [
        (
            dms_simulator::package::PackageSpec::full("10.5.0 CU9 (build 16700)".parse().expect("a version")),
            5,
        ),
        (dms_simulator::package::PackageSpec::web("10.5.12 (build 16690)".parse().expect("a version")), 0),
    ] {
        let written =
            dms_simulator::package::write(folder, &spec.with_padding(100_000)).expect("it is written");
        let file = std::fs::File::open(&written.path).expect("it is there");
        let inspection = inspect(file, &written.file, &Caps::DEFAULT);
        assert!(!inspection.refused(), "{:#?}", inspection.findings);
        assert_eq!(inspection.size, written.size);
        let update = update_of(&inspection);
        assert!(update.prerequisites.len() >= prerequisites.min(1), "{update:?}");
        assert_eq!(update.restart, Some(prerequisites > 0));
    }
}

#[test]
fn a_web_package_restarts_the_web_server_alone() {
    let inspection = look(&package(&web_update()), WEB);
    assert_eq!(inspection.findings, []);
    assert_eq!(update_of(&inspection).restart, Some(false));
    let renamed = look(&package(&full_update()), WEB);
    assert_eq!(codes(&renamed), [FindingCode::NameDisagrees, FindingCode::WebRestarts]);
    assert!(!renamed.refused(), "no real package was seen: warned of, and pinned by its hash");
    assert_eq!(
        codes(&look(&package(&web_update()), FULL)),
        [FindingCode::NoPrerequisites, FindingCode::FullDoesNotRestart]
    );
}

#[test]
fn checks_without_their_executor_are_told() {
    let without = |part: &str| -> Vec<Member> {
        full_update()
            .into_iter()
            .filter(|member| !String::from_utf8_lossy(&member.name).contains(part))
            .collect()
    };
    assert_eq!(codes(&look(&package(&without("Executor")), FULL)), [FindingCode::NoExecutor]);
    assert_eq!(codes(&look(&package(&without("Prerequisites")), FULL)), [FindingCode::NoPrerequisites]);
    let delta = "DataMiner 10.5.0.0(CU9)-16700.dmupdate";
    let inspection = look(&package(&without("Prerequisites")), delta);
    assert_eq!(codes(&inspection), [FindingCode::NoExecutor]);
    assert!(!update_of(&inspection).executor);
    assert_eq!(codes(&look(&package(&full_update()), delta)), []);
    let mut left = full_update();
    left.push(deflated(r"Prerequisites/VerifyNATSMigrationPrerequisites.dll", "MZ"));
    left.push(deflated(r"Prerequisites/VerifyNatsIsRunning.dll", "MZ"));
    assert_eq!(codes(&look(&package(&left), FULL)), [FindingCode::LeftBehindCheck, FindingCode::NatsCheck]);
}

#[test]
fn odd_texts_are_told_and_not_obeyed() {
    let with = |text: &[u8]| {
        let mut members = web_update();
        members[0].bytes = text.to_vec();
        look(&package(&members), WEB)
    };
    assert_eq!(codes(&with(b"Format C:\r\n")), [FindingCode::UnknownInstruction]);
    assert_eq!(codes(&with("Delete Gerät.dll\r\n".as_bytes())), [FindingCode::NotAscii]);
    let endless = with(&vec![b'x'; (1 << 20) + 1]);
    assert_eq!(codes(&endless), [FindingCode::InstructionsTooLong]);
    assert_eq!(update_of(&endless).restart, None, "what was not read is not known");
    let mut members = outer(stored("Update.zip", zip(&web_update())));
    members[0].bytes = b"DataMiner Upgrade (Full)\r\n10.6.0.0-17000\r\n".to_vec();
    assert_eq!(codes(&look(&zip(&members), WEB)), [FindingCode::NameDisagrees]);
    members[0].bytes = b"some app package version: 1.0.0\r\n----\r\n".to_vec();
    assert_eq!(codes(&look(&zip(&members), WEB)), []);
}

#[test]
fn other_kinds_are_told_from_upgrades() {
    let app = zip(&[deflated("AppInfo.xml", "<AppInfo/>"), deflated(r"Scripts\Install.xml", "<x/>")]);
    assert_eq!(codes(&look(&app, WEB)), [FindingCode::OtherKind]);
    let protocol = zip(&[deflated("Protocol/Protocol.xml", "<x/>")]);
    assert_eq!(codes(&look(&protocol, WEB)), [FindingCode::OtherKind]);
    assert_eq!(codes(&look(&zip(&[deflated("a.txt", "x")]), WEB)), [FindingCode::NoUpdateZip]);
    assert_eq!(codes(&look(&zip(&[]), WEB)), [FindingCode::NoUpdateZip]);
}

/// Bytes, then zeros that take no memory, then bytes.
struct Holey {
    head: Vec<u8>,
    hole: u64,
    tail: Vec<u8>,
    at: u64,
}

impl Read for Holey {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let after_head = self.at.checked_sub(self.head.len() as u64);
        let after_hole = after_head.and_then(|at| at.checked_sub(self.hole));
        let count = match (after_head, after_hole) {
            (None, _) => (&self.head[usize::try_from(self.at).expect("small")..]).read(buffer)?,
            (Some(at), None) => {
                let count = buffer.len().min(usize::try_from(self.hole - at).expect("64 bits"));
                buffer[..count].fill(0);
                count
            }
            (_, Some(at)) => {
                let at = usize::try_from(at).expect("64 bits").min(self.tail.len());
                (&self.tail[at..]).read(buffer)?
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Holey {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.head.len() as u64 + self.hole + self.tail.len() as u64;
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => length.saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

#[test]
fn a_package_beyond_four_gibibytes_is_read() {
    let hole = (4_u64 << 30) + 12_345;
    let zeros = vec![0; 1 << 20];
    let mut crc = Crc::new();
    for _ in 0..hole >> 20 {
        crc.update(&zeros);
    }
    crc.update(&zeros[..usize::try_from(hole & ((1 << 20) - 1)).expect("small")]);
    let rest = [stored("Update.zip", zip(&full_update())), stored("Description.txt", "large")];
    let (head, tail) = around_a_large_member("SLUpgrade.dll", hole, crc.sum(), &rest);
    let inspection = inspect(Holey { head, hole, tail, at: 0 }, FULL, &Caps::DEFAULT);
    assert_eq!(codes(&inspection), [FindingCode::OverUploadLimit, FindingCode::Zip64]);
    assert_eq!(update_of(&inspection).prerequisites.len(), 2);
    assert_eq!(inspection.members[0].size, hole);
}

#[test]
fn a_reader_that_fails_is_a_finding() {
    struct Failing(u64);
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the share is gone"))
        }
    }
    impl Seek for Failing {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Ok(self.0)
        }
    }
    let inspection = inspect(Failing(100), WEB, &Caps::DEFAULT);
    assert_eq!(codes(&inspection), [FindingCode::Unreadable]);
    assert!(inspection.findings[0].message.contains("the share is gone"));
}
