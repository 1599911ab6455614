//! The jobs of a downgrade's end, in Wine's cmd with Wine's xcopy: content put back, modules exchanged.
//!
//! Wine's xcopy stands in for the real one in everything but times and attributes; that xcopy leaves the
//! source's modification time is documented for Windows alone.

use std::{fs, path::PathBuf};

use dataminer_reconciler_tests::wait;

use crate::wine_agent::{Agent, Job, PATIENCE, ROOT, Work};

const KNOWN: &str = "Dashboards/shared/health.json";
const ODD: &str = "Dashboards/R\u{e9}gion & 100% (a)!/^x=;, caf\u{e9} %PATH% \u{65e5}\u{672c}.json";
const SAFE: &str = "plan-4";

impl Agent {
    fn path(&self, path: &str) -> PathBuf {
        self.host.file(&format!("Skyline DataMiner/{path}"))
    }

    fn write(&self, file: PathBuf, text: &str) {
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("the drive can be written");
        fs::write(file, text).expect("the drive can be written");
    }

    fn safe(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.host.file(&format!("{ROOT}/content/{SAFE}/{path}"))).ok()
    }

    fn live(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    /// Lays a restore of these files.
    fn lay_restore(&self, id: &str, generation: u64, files: &[(&str, &str)]) {
        self.lay_job(&Job { id, generation, work: Work::Restore { safe: SAFE } });
        for (path, text) in files {
            self.write(self.host.file(&format!("{ROOT}/jobs/{id}/content/{path}")), text);
        }
    }
}

#[test]
fn content_is_put_back_behind_a_safety_copy() {
    let Some(agent) = Agent::prepared() else { return };
    agent.write(agent.path(KNOWN), "before");
    agent.write(agent.path(ODD), "odd before");
    agent.write(agent.path("Dashboards/mine.json"), "mine");
    // A folder without a file is fine, too.
    fs::create_dir_all(agent.path("Applications/empty")).expect("the drive can be written");
    agent.lay_restore(
        "plan-4-1",
        7,
        &[(KNOWN, "after"), (ODD, "odd after"), ("Applications/a/b.json", "app")],
    );
    agent.start("plan-4-1");
    let poll = agent.poll_until("plan-4-1", &[("lock", "free"), ("started", "yes")]);
    let log = agent.job_file("plan-4-1", "output.log");
    assert_eq!(poll.get("exit").map(String::as_str), Some("0"), "{poll:?} {log:?}");
    for (path, text) in [(KNOWN, "after"), (ODD, "odd after"), ("Applications/a/b.json", "app")] {
        assert_eq!(agent.live(path).as_deref(), Some(text), "{path} {log:?}");
    }
    assert_eq!(agent.live("Dashboards/mine.json").as_deref(), Some("mine"), "nothing is deleted");
    for (path, text) in [(KNOWN, "before"), (ODD, "odd before"), ("Dashboards/mine.json", "mine")] {
        assert_eq!(agent.safe(path).as_deref(), Some(text), "{path} {log:?}");
    }

    // A second attempt restores once more and leaves the safety copy as it is.
    agent.write(agent.path(KNOWN), "changed since");
    agent.lay_restore("plan-4-2", 7, &[(KNOWN, "after")]);
    agent.start("plan-4-2");
    agent.poll_until("plan-4-2", &[("exit", "0"), ("lock", "free")]);
    assert_eq!(agent.live(KNOWN).as_deref(), Some("after"));
    assert_eq!(agent.safe(KNOWN).as_deref(), Some("before"));
    assert_eq!(agent.safe("complete.txt").as_deref().map(str::trim_end), Some("plan-4-1"));

    // What was staged goes, the safety copy and the record stay.
    agent.script("discard", "plan-4-1").expect_status(0);
    agent.script("discard", "plan-4-1").expect_status(0);
    assert!(!agent.host.file(&format!("{ROOT}/jobs/plan-4-1/content")).exists());
    assert!(agent.job_file("plan-4-1", "exitcode.txt").is_some());
    assert_eq!(agent.safe(KNOWN).as_deref(), Some("before"));
}

/// Invariant 12.
#[test]
fn nothing_is_put_back_without_a_safety_copy() {
    let Some(agent) = Agent::prepared() else { return };
    agent.write(agent.path(KNOWN), "before");
    agent.write(agent.path("Dashboards/mine.json"), "mine");
    // A folder where the copy of a file should be: xcopy cannot write it. (Wine's xcopy forgets what went wrong in
    // a subfolder; Windows' does not.)
    let in_the_way = agent.host.file(&format!("{ROOT}/content/{SAFE}/Dashboards/mine.json"));
    fs::create_dir_all(in_the_way).expect("the drive can be written");
    agent.lay_restore("plan-4-1", 7, &[(KNOWN, "after")]);
    agent.start("plan-4-1");
    let poll = agent.poll_until("plan-4-1", &[("lock", "free"), ("started", "yes")]);
    let log = agent.job_file("plan-4-1", "output.log");
    assert_eq!(poll.get("exit").map(String::as_str), Some("41"), "{poll:?} {log:?}");
    assert_eq!(agent.live(KNOWN).as_deref(), Some("before"));
    assert_eq!(agent.safe("complete.txt"), None);
}

#[test]
fn a_restore_of_an_older_generation_or_beside_another_job_does_nothing() {
    let Some(agent) = Agent::prepared() else { return };
    agent.write(agent.path(KNOWN), "before");
    agent.raise_generation(8);
    agent.lay_restore("plan-4-1", 7, &[(KNOWN, "after")]);
    agent.start("plan-4-1");
    agent.poll_until("plan-4-1", &[("refused", "generation"), ("lock", "free")]);
    // A module job that does not end holds the lock.
    agent.steer("ping", "1");
    agent.steer("msi-hold", "");
    agent.lay_reinstall("plan-5-1", 8);
    agent.start("plan-5-1");
    agent.poll_until("plan-5-1", &[("started", "yes")]);
    agent.lay_restore("plan-4-2", 8, &[(KNOWN, "after")]);
    agent.start("plan-4-2");
    let poll = agent.poll_until("plan-4-2", &[("refused", "lock")]);
    assert_eq!(poll["started"], "no");
    assert_eq!(agent.live(KNOWN).as_deref(), Some("before"));
    assert_eq!(agent.safe(KNOWN), None);
    fs::remove_file(agent.host.file("standins/msi-hold")).expect("it is there");
    agent.poll_until("plan-5-1", &[("exit", "0"), ("lock", "free")]);
}

const OLD: &str = "{0123ABCD-0000-1111-2222-000000000001}";
const NEW: &str = "{0123ABCD-0000-1111-2222-000000000002}";
const INSTALLER: &str = "Tools/ModuleInstallers/Web/DataMiner GQI 3.0.3 (x64).msi";

impl Agent {
    /// Lays a reinstallation of GQI, of which a newer product is installed.
    fn lay_reinstall(&self, id: &str, generation: u64) {
        self.write(self.path(INSTALLER), &format!("{NEW}\r\nDataMiner GQI\r\n3.0.3\r\n"));
        let installer = format!(r"C:\Skyline DataMiner\{}", INSTALLER.replace('/', r"\"));
        let work = Work::Reinstall { module: "DataMiner GQI", product: OLD, installer: &installer };
        self.lay_job(&Job { id, generation, work });
    }

    fn register(&self, product: &str) {
        let key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
        self.steer(
            "register.cmd",
            &format!("@reg add \"{key}\\{product}\" /v DisplayName /d \"DataMiner GQI\" /f\r\n"),
        );
        self.host.exec(r"cmd.exe /d /c C:\standins\register.cmd").expect_status(0);
    }

    fn products(&self) -> Vec<&'static str> {
        let probe = self.script("probe", "").expect_status(0).stdout;
        [OLD, NEW].into_iter().filter(|product| probe.contains(product)).collect()
    }

    fn installer_runs(&self) -> Vec<String> {
        let log = fs::read_to_string(self.host.file("standins/msiexec.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_module_is_exchanged_by_its_product_code_and_installer() {
    let Some(agent) = Agent::prepared() else { return };
    agent.register(OLD);
    assert_eq!(agent.products(), [OLD]);
    agent.lay_reinstall("plan-5-1", 7);
    agent.start("plan-5-1");
    let poll = agent.poll_until("plan-5-1", &[("lock", "free"), ("started", "yes")]);
    assert_eq!(
        poll.get("exit").map(String::as_str),
        Some("0"),
        "{:?}",
        agent.job_file("plan-5-1", "output.log")
    );
    assert_eq!(agent.products(), [NEW]);
    let runs = agent.installer_runs();
    assert!(runs[0].contains(&format!("/x {OLD} /qn /norestart /l*v")), "{runs:?}");
    assert!(
        runs[1].contains(
            r#"/i "C:\Skyline DataMiner\Tools\ModuleInstallers\Web\DataMiner GQI 3.0.3 (x64).msi""#
        )
    );
    for log in ["uninstall.log", "install.log"] {
        assert!(agent.job_file("plan-5-1", log).is_some(), "{log}");
    }

    // The old product is gone by now (1605): the next attempt installs all the same.
    agent.steer("msi-exitcode", "3010");
    agent.lay_reinstall("plan-5-2", 7);
    agent.start("plan-5-2");
    agent.poll_until("plan-5-2", &[("exit", "0"), ("lock", "free")]);
    let log = agent.job_file("plan-5-2", "output.log").expect("it was written");
    let lines: Vec<&str> = log.lines().map(str::trim_end).collect();
    assert_eq!(lines, ["DataMiner GQI", "uninstall 1605", "install 3010"]);

    agent.steer("msi-exitcode", "1603");
    agent.lay_reinstall("plan-5-3", 7);
    agent.start("plan-5-3");
    agent.poll_until("plan-5-3", &[("exit", "1603"), ("lock", "free")]);
    assert_eq!(agent.products(), [NEW], "a failed uninstallation ends the job");
}

#[test]
fn a_reinstallation_killed_in_the_middle_is_done_by_the_next_attempt() {
    let Some(agent) = Agent::prepared() else { return };
    agent.register(OLD);
    agent.steer("msi-hold", "");
    agent.lay_reinstall("plan-5-1", 7);
    agent.start("plan-5-1");
    wait::until("msiexec", PATIENCE, || {
        if agent.installer_runs().is_empty() { Err("not started") } else { Ok(()) }
    });
    assert!(agent.kill(r"\jobs\plan-5-1\") >= 2, "the job and the msiexec that it waits for");
    let poll = agent.poll_until("plan-5-1", &[("lock", "free")]);
    assert_eq!((poll["started"].as_str(), poll.get("exit")), ("yes", None));
    fs::remove_file(agent.host.file("standins/msi-hold")).expect("it is there");
    agent.lay_reinstall("plan-5-2", 7);
    agent.start("plan-5-2");
    agent.poll_until("plan-5-2", &[("exit", "0"), ("lock", "free")]);
    assert_eq!(agent.products(), [NEW]);
}
