//! The job contract of the Agent scripts, proven by cmd.exe and sshd that others wrote.
//!
//! Where Wine's cmd 8.0 differs from Windows' and what the scripts therefore avoid: brackets inside a one-line
//! `if` are taken for a block even in `echo C:\Program Files (x86)`; handles above 2 and a redirection before a
//! block are unknown; `md X || …` takes the second branch always; a failed redirection does not set errorlevel.
//! Alike in both: `call :label >file` holds the file until the label returns; `%ERRORLEVEL%` is a signed 32-bit
//! number; `for /f` reads a file with `usebackq` and skips lines; `if exist "folder\"` is true for folders only.

use std::{fs, time::Duration};

use dataminer_reconciler_tests::wait;

use crate::wine_agent::{Agent, Job, PATIENCE, ROOT, UTILITY, Work, sha256};

const PACKAGE: &[u8] = b"a package";
const FILE: &str = "DataMiner 10.5.0.0-16889 Full Upgrade (CU9).dmupgrade";

impl Agent {
    /// Stages the package and lays a job for it.
    fn lay(&self, id: &str, generation: u64) {
        let hash = sha256(PACKAGE);
        self.stage(FILE, &hash, PACKAGE);
        self.lay_job(&Job { id, generation, work: Work::Upgrade { file: FILE, hash: &hash } });
    }

    fn sections(&self, script: &str) -> Vec<(String, Vec<String>)> {
        let printed = self.script(script, "").expect_status(0).stdout;
        let mut sections: Vec<(String, Vec<String>)> = Vec::new();
        for line in printed.lines().map(str::trim_end) {
            if let Some(name) = line.strip_prefix("@@") {
                sections.push((name.to_owned(), Vec::new()));
            } else {
                sections.last_mut().expect("a section comes first").1.push(line.to_owned());
            }
        }
        sections
    }
}

#[test]
fn preparing_again_keeps_what_is_there() {
    let Some(agent) = Agent::prepared() else { return };
    agent.script("prepare", "").expect_status(0);
    for folder in ["generations/0000000007", "owed", "packages", "content", "jobs"] {
        assert!(agent.host.file(ROOT).join(folder).is_dir(), "{folder}");
    }
}

#[test]
fn the_probe_prints_each_section_once_with_what_the_server_said() {
    let Some(agent) = Agent::prepared() else { return };
    agent.steer("processes.csv", "\"SLNet.exe\",\"4711\",\"Services\",\"0\",\"1,234,567 K\"\r\n");
    agent.steer("services.txt", "nats-server\r\n");
    let key = r#""HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{A}""#;
    for (name, value) in [("DisplayName", "DataMiner APIGateway"), ("DisplayVersion", "3.1.0")] {
        agent.host.exec(&format!("reg add {key} /v {name} /d \"{value}\" /f")).expect_status(0);
    }

    let sections = agent.sections("probe");

    let names: Vec<_> = sections.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "probe 1",
            "identity",
            "utility",
            "processes",
            "disk",
            "service nats-server",
            "timezone",
            "addresses",
            "reboot",
            "os",
            "dotnet",
            "vcredist",
            "names",
            "versions",
            "lock",
            "end"
        ]
    );
    let section = |wanted: &str| &sections.iter().find(|(name, _)| name == wanted).expect("listed above").1;
    assert!(section("identity").iter().any(|line| line.starts_with("user=") && line.contains('\\')));
    assert_eq!(section("utility"), &[UTILITY]);
    assert!(section("processes").iter().any(|line| line.starts_with("\"SLNet.exe\",\"4711\",")));
    assert!(section("processes").iter().any(|line| line.starts_with("\"cmd.exe\",")));
    let free = section("disk").first().and_then(|line| line.split(':').nth(1)).expect("three lines");
    assert!(free.trim().split(' ').next().is_some_and(|n| n.parse::<u64>().is_ok_and(|n| n > 0)), "{free}");
    assert_eq!(section("service nats-server").last().map(String::as_str), Some("rc=0"));
    assert!(section("timezone").iter().any(|line| line.contains("REG_SZ")));
    assert!(
        section("names").iter().any(|line| line.contains("REG_SZ") && line.contains("DataMiner APIGateway"))
    );
    assert!(section("versions").iter().any(|line| line.contains("REG_SZ") && line.contains("3.1.0")));
    assert_eq!(section("lock"), &["lock=free"]);
}

#[test]
fn the_probe_tells_a_service_that_is_not_there_by_its_number() {
    let Some(agent) = Agent::prepared() else { return };
    let sections = agent.sections("probe");
    let (_, lines) = sections.iter().find(|(name, _)| name == "service nats-server").expect("it is listed");
    assert_eq!(lines.last().map(String::as_str), Some("rc=1060"));
}

#[test]
fn a_job_outlives_its_connection_and_runs_once() {
    let Some(agent) = Agent::prepared() else { return };
    agent.lay("j1", 7);
    agent.hold(true);
    agent.steer("version", "10.5.0.0-16889-CU9");
    let before = agent.poll("j1");
    assert_eq!((before["started"].as_str(), before["lock"].as_str()), ("no", "free"));

    // Each of these calls is a connection of its own, closed before the next begins.
    agent.start("j1");
    agent.poll_until("j1", &[("started", "yes"), ("lock", "held")]);
    wait::until("the utility", PATIENCE, || {
        if agent.utility_runs().is_empty() { Err("not started") } else { Ok(()) }
    });
    agent.start("j1");
    let sections = agent.sections("probe");
    assert!(sections.contains(&("lock".to_owned(), vec!["lock=held".to_owned()])), "{sections:?}");
    agent.hold(false);
    let after = agent.poll_until("j1", &[("lock", "free")]);
    agent.start("j1");

    assert_eq!(after.get("exit").map(String::as_str), Some("0"), "{after:?}");
    assert!(!after.contains_key("refused"), "{after:?}");
    let job = r"C:\ProgramData\dataminer-reconciler\jobs\j1";
    let runs = agent.utility_runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(runs[0].contains(&format!("-upgrade \"{job}\\{FILE}\"")), "{runs:?}");
    assert!(runs[0].contains(&format!("{job}\\UpgradeInfo.xml")), "{runs:?}");
    let history = fs::read_to_string(agent.host.file("Skyline DataMiner/Upgrades/VersionHistory.txt"));
    assert!(history.expect("the utility wrote it").trim_end().ends_with(";10.5.0.0-16889-CU9"));
    // The run consumes its own copy, never the staged package.
    assert!(agent.job_file("j1", FILE).is_none());
    assert!(agent.host.file(&format!("{ROOT}/packages/{}/{FILE}", sha256(PACKAGE))).is_file());
}

#[test]
fn a_second_registration_of_a_job_that_runs_ends_without_running_it() {
    let Some(agent) = Agent::prepared() else { return };
    agent.lay("j1", 7);
    agent.steer("ping", "1");
    agent.hold(true);
    agent.start("j1");
    agent.poll_until("j1", &[("started", "yes")]);
    // As if two reconcilers had both seen it before it began.
    agent.host.exec("schtasks /run /tn dataminer-reconciler-j1").expect_status(0);
    wait::until("the second one to give up", PATIENCE, || match agent.processes(r"\jobs\j1\run.cmd").len() {
        1 => Ok(()),
        count => Err(format!("{count} processes run it")),
    });
    // The one that gave up must not say `refused` for the one that runs.
    assert_eq!(agent.poll("j1").get("refused"), None);
    agent.hold(false);
    agent.poll_until("j1", &[("exit", "0"), ("lock", "free")]);
    agent.host.exec("schtasks /run /tn dataminer-reconciler-j1").expect_status(0);
    agent.poll_until("j1", &[("exit", "0"), ("lock", "free")]);
    assert_eq!(agent.utility_runs().len(), 1);
}

#[test]
fn exit_codes_are_kept_in_all_32_bits() {
    let Some(agent) = Agent::prepared() else { return };
    // cmd counts signed: an access violation, 0xC0000005, is -1073741819.
    let codes = [("3010", "3010"), ("1603", "1603"), ("3221225477", "-1073741819")];
    for (number, (given, kept)) in codes.iter().enumerate() {
        let id = format!("code-{number}");
        agent.steer("exitcode", given);
        agent.lay(&id, 7);
        agent.start(&id);
        agent.poll_until(&id, &[("exit", kept), ("lock", "free")]);
    }
}

#[test]
fn a_second_job_waits_for_the_lock() {
    let Some(agent) = Agent::prepared() else { return };
    agent.lay("first", 7);
    agent.lay("second", 7);
    agent.hold(true);
    agent.start("first");
    agent.poll_until("first", &[("started", "yes")]);
    agent.start("second");
    assert_eq!(agent.poll("second")["started"], "no");
    agent.hold(false);
    agent.poll_until("second", &[("exit", "0"), ("lock", "free")]);
    agent.poll_until("first", &[("exit", "0")]);
    let runs = agent.utility_runs();
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert!(runs[0].contains(r"\jobs\first\") && runs[1].contains(r"\jobs\second\"), "{runs:?}");
}

#[test]
fn a_second_job_gives_up_on_a_lock_that_stays_held() {
    let Some(agent) = Agent::prepared() else { return };
    agent.steer("ping", "1");
    agent.lay("first", 7);
    agent.lay("second", 7);
    agent.hold(true);
    agent.start("first");
    agent.poll_until("first", &[("started", "yes")]);
    agent.start("second");
    let poll = agent.poll_until("second", &[("refused", "lock")]);
    assert_eq!((poll["started"].as_str(), poll["lock"].as_str()), ("no", "held"));
    assert_eq!(poll.get("exit"), None);
    agent.hold(false);
    agent.poll_until("first", &[("exit", "0")]);
    assert_eq!(agent.utility_runs().len(), 1);
}

#[test]
fn a_job_of_an_older_or_unknown_generation_does_nothing() {
    let Some(agent) = Agent::prepared() else { return };
    agent.raise_generation(10);
    for (id, generation) in [("older", 7), ("unknown", 11)] {
        agent.lay(id, generation);
        agent.start(id);
        let poll = agent.poll_until(id, &[("refused", "generation"), ("lock", "free")]);
        assert_eq!(poll["started"], "no");
    }
    agent.lay("newest", 10);
    agent.start("newest");
    agent.poll_until("newest", &[("exit", "0")]);
    assert_eq!(agent.utility_runs().len(), 1);
}

#[test]
fn a_package_that_changed_after_staging_is_not_installed() {
    let Some(agent) = Agent::prepared() else { return };
    let hash = sha256(PACKAGE);
    agent.stage(FILE, &hash, b"another package");
    agent.lay_job(&Job { id: "changed", generation: 7, work: Work::Upgrade { file: FILE, hash: &hash } });
    agent.start("changed");
    agent.poll_until("changed", &[("refused", "hash"), ("lock", "free")]);
    let work = Work::Upgrade { file: "Missing.dmupgrade", hash: &hash };
    agent.lay_job(&Job { id: "missing", generation: 7, work });
    agent.start("missing");
    let poll = agent.poll_until("missing", &[("refused", "copy"), ("lock", "free")]);
    assert_eq!(poll.get("exit"), None);
    assert_eq!(agent.utility_runs(), Vec::<String>::new());
}

#[test]
fn a_file_name_of_everything_that_is_let_through_arrives_as_itself() {
    let Some(agent) = Agent::prepared() else { return };
    let hash = sha256(PACKAGE);
    let file = "A  (CU1),;=+-_'`~$#@[a]{b} Full.dmupgrade";
    agent.stage(file, &hash, PACKAGE);
    agent.lay_job(&Job { id: "odd", generation: 7, work: Work::Upgrade { file, hash: &hash } });
    agent.start("odd");
    agent.poll_until("odd", &[("exit", "0"), ("lock", "free")]);
    let runs = agent.utility_runs();
    assert!(runs[0].contains(&format!("\\jobs\\odd\\{file}\"")), "{runs:?}");
    let printed = agent.script("hash", &hash).expect_status(0).stdout;
    assert!(printed.contains(&hash) && printed.contains(file), "{printed}");
}

#[test]
fn a_job_killed_in_the_middle_leaves_a_free_lock_and_no_exit_code() {
    let Some(agent) = Agent::prepared() else { return };
    agent.lay("j1", 7);
    agent.hold(true);
    agent.start("j1");
    wait::until("the utility", PATIENCE, || {
        if agent.utility_runs().is_empty() { Err("not started") } else { Ok(()) }
    });
    assert_eq!(agent.poll("j1")["lock"], "held");
    assert!(agent.kill(r"\jobs\j1\") >= 2, "the job and the utility it waits for");
    let poll = agent.poll_until("j1", &[("lock", "free")]);
    assert_eq!(poll["started"], "yes");
    assert_eq!(poll.get("exit"), None);
    agent.hold(false);
    // Neither a new start nor the old task runs it again.
    agent.start("j1");
    agent.host.exec("schtasks /run /tn dataminer-reconciler-j1").expect_status(0);
    agent.lay("j2", 7);
    agent.start("j2");
    agent.poll_until("j2", &[("exit", "0"), ("lock", "free")]);
    let runs = agent.utility_runs();
    assert_eq!(runs.iter().filter(|run| run.contains(r"\jobs\j1\")).count(), 1, "{runs:?}");
}

#[test]
fn a_process_that_is_no_task_dies_with_its_connection() {
    let Some(agent) = Agent::prepared() else { return };
    // The host would prove nothing about surviving a disconnect if everything survived one.
    agent.hold(true);
    agent.lay("j1", 7);
    agent
        .host
        .exec(r"cmd.exe /d /c start C:\ProgramData\dataminer-reconciler\jobs\j1\run.cmd")
        .expect_status(0);
    wait::until("the lock", PATIENCE, || match agent.poll("j1") {
        poll if poll["lock"] == "free" => Ok(()),
        poll => Err(format!("{poll:?}")),
    });
    assert_eq!(agent.poll("j1").get("exit"), None);
}

#[test]
fn the_hash_script_prints_three_lines_for_each_staged_file() {
    let Some(agent) = Agent::prepared() else { return };
    let hash = sha256(PACKAGE);
    agent.stage(FILE, &hash, PACKAGE);
    let printed = agent.script("hash", &hash).expect_status(0).stdout;
    let lines: Vec<_> = printed.lines().map(str::trim_end).collect();
    assert_eq!(lines.len(), 5, "{printed}");
    assert_eq!((lines[0], lines[2], lines[4]), ("@@hash 1", hash.as_str(), "@@end"));
    let none = agent.script("hash", &sha256(b"nothing")).expect_status(0).stdout;
    assert_eq!(none.lines().map(str::trim_end).collect::<Vec<_>>(), ["@@hash 1", "@@end"]);
}

#[test]
fn the_disk_script_prints_free_bytes_first() {
    let Some(agent) = Agent::prepared() else { return };
    let printed = agent.script("disk", "").expect_status(0).stdout;
    let line = printed.lines().nth(1).expect("a line behind the mark");
    let digits: String =
        line.split(':').nth(1).expect("a figure").trim().chars().take_while(char::is_ascii_digit).collect();
    assert!(digits.parse::<u64>().is_ok_and(|bytes| bytes > 0), "{printed}");
}

#[test]
fn cleaning_removes_the_task_and_may_be_done_again() {
    let Some(agent) = Agent::prepared() else { return };
    agent.lay("j1", 7);
    agent.start("j1");
    agent.poll_until("j1", &[("exit", "0"), ("lock", "free")]);
    let task = agent.host.file("standins/tasks/dataminer-reconciler-j1");
    assert!(task.is_file());
    agent.script("clean", "j1").expect_status(0);
    agent.script("clean", "j1").expect_status(0);
    assert!(!task.exists());
}

#[test]
fn a_host_that_is_dropped_leaves_nothing_behind() {
    let Some(agent) = Agent::prepared() else { return };
    let folder = agent.host.file("../..");
    let folder = fs::canonicalize(folder).expect("the host has a folder");
    let port = agent.host.port();
    drop(agent);
    assert!(!folder.exists());
    wait::until("the port to close", Duration::from_secs(10), || {
        match std::net::TcpStream::connect(("127.0.0.1", port)) {
            Ok(_) => Err("sshd still listens"),
            Err(_) => Ok(()),
        }
    });
}
