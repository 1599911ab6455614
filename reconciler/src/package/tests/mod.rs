//! Look-alike packages, whole and hostile, through [`inspect`].

mod checks;
mod cut;
mod hostile;
mod whole;
mod zip_bytes;

use std::io::Cursor;

use self::zip_bytes::{Member, deflated, stored, zip};
use super::*;

const FULL: &str = "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade";
const WEB: &str = "DataMiner 10.5.12.0-16690 Web Upgrade.dmupgrade";

const RESTART: &str =
    "SetOption EXTRACTALL\r\nDisable\r\nKill\r\nUpdate Files\r\nUpdate Webpages\r\nEnable\r\nStart";

/// What Update.zip of a full package holds.
fn full_update() -> Vec<Member> {
    vec![
        stored("Files/", ""),
        deflated("Files/SLNet.exe", "MZ core 10.5.0 CU9"),
        deflated("Files/SLDataMiner.exe", "MZ 16700"),
        deflated("Webpages/API/bin/Skyline.DataMiner.Web.dll", "MZ web"),
        deflated("Webpages/API/Web.config", "<configuration/>"),
        deflated("Prerequisites/VerifyClusterPorts.dll", "MZ a"),
        deflated("Prerequisites/VerifyNatsCluster.dll", "MZ b"),
        deflated("Prerequisites/Executor/StandaloneBpaExecutor.exe", "MZ c"),
        deflated("FilesToDelete.txt", "C:\\Skyline DataMiner\\Files\\*.SLReplace\r\n"),
        deflated("UpdateContent.txt", RESTART),
    ]
}

fn web_update() -> Vec<Member> {
    vec![
        deflated("UpdateContent.txt", "IIS Stop\r\nUpdate Webpages\r\nIIS Start\r\n"),
        deflated("Webpages/API/bin/Skyline.DataMiner.Web.dll", "MZ web 10.5.12"),
    ]
}

/// What the package itself holds around an Update.zip.
fn outer(update: Member) -> Vec<Member> {
    vec![deflated("Description.txt", "DataMiner Upgrade"), update, stored("SLUpgrade.dll", "MZ engine")]
}

fn package(update: &[Member]) -> Vec<u8> {
    zip(&outer(stored("Update.zip", zip(update))))
}

fn package_deflated(update: &[Member]) -> Vec<u8> {
    zip(&outer(deflated("Update.zip", zip(update))))
}

fn look(bytes: &[u8], file: &str) -> Inspection {
    inspect(Cursor::new(bytes), file, &Caps::DEFAULT)
}

fn codes(inspection: &Inspection) -> Vec<FindingCode> {
    let mut codes: Vec<_> = inspection.findings.iter().map(|finding| finding.code).collect();
    codes.dedup();
    codes
}
