//! Each construct by itself, then the very scripts of the reconciler.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt};
use tokio_util::task::TaskTracker;

use super::{Output, Shell, Streams};
use crate::{
    clock::Clock,
    disk::{Disk, OpenHow, WinPath},
    spec::Language,
    windows::{Machine, Process, Product, Registry, Service, Value},
};

const ROOT: &str = r"C:\ProgramData\dataminer-reconciler";
const UTILITY: &str =
    r"C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe";

/// A product whose utility notes its arguments, takes a while and ends with a code.
#[derive(Default)]
struct Utility {
    calls: Mutex<Vec<Vec<String>>>,
    code: i32,
    clock: Option<Clock>,
}

impl Product for Utility {
    fn processes(&self) -> Vec<Process> {
        vec![Process { image: "SLNet.exe".to_owned(), pid: 4711 }]
    }

    fn services(&self) -> Vec<Service> {
        vec![Service { name: "nats-server".to_owned(), running: true }]
    }

    fn run<'a>(
        &'a self,
        program: &'a WinPath,
        arguments: Vec<String>,
        _user: &'a str,
        streams: &'a Streams,
    ) -> Option<BoxFuture<'a, i32>> {
        assert!(program.to_string().ends_with("SLTaskbarUtility.exe"));
        Some(
            async move {
                self.calls.lock().unwrap().push(arguments);
                let _unwritten = streams.line("working");
                if let Some(clock) = self.clock {
                    clock.sleep(Duration::from_secs(600)).await;
                }
                self.code
            }
            .boxed(),
        )
    }
}

struct Bench {
    machine: Arc<Machine>,
    utility: Arc<Utility>,
    _folder: tempfile::TempDir,
}

fn bench() -> Bench {
    bench_with(Utility::default())
}

fn bench_with(utility: Utility) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new(1.0, None);
    let disk = Disk::new(folder.path().to_owned(), 1 << 30, clock);
    for path in [r"C:\Users\svc", r"C:\Windows\system32", r"C:\ProgramData"] {
        disk.make_dirs(&WinPath::fixed(path)).unwrap();
    }
    disk.write(&WinPath::fixed(UTILITY), b"MZ").unwrap();
    let mut registry = Registry::default();
    registry.set(
        r"SYSTEM\CurrentControlSet\Control\TimeZoneInformation",
        "TimeZoneKeyName",
        Value::Text("W. Europe Standard Time".to_owned()),
    );
    let uninstall = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{1-2}";
    registry.set(uninstall, "DisplayName", Value::Text("DataMiner GQI".to_owned()));
    registry.set(uninstall, "DisplayVersion", Value::Text("3.0.1".to_owned()));
    let machine = Machine::new(
        "AGENT-1".to_owned(),
        clock,
        jiff::tz::TimeZone::UTC,
        disk,
        Language::English,
        17763,
        registry,
        TaskTracker::new(),
    );
    let utility = Arc::new(utility);
    let product: Arc<dyn Product> = utility.clone();
    machine.install(Arc::downgrade(&product));
    Bench { machine, utility, _folder: folder }
}

impl Bench {
    fn put(&self, path: &str, text: &str) {
        self.machine.disk.write(&WinPath::fixed(path), text.replace('\n', "\r\n").as_bytes()).unwrap();
    }

    fn get(&self, path: &str) -> Option<String> {
        let bytes = self.machine.disk.read(&WinPath::fixed(path), 1 << 20).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Runs a command line; the code, standard output and standard error.
    async fn line(&self, line: &str) -> (i32, String, String) {
        let (out, out_buffer) = Output::buffer();
        let (error, error_buffer) = Output::buffer();
        let mut shell = Shell::new(Arc::clone(&self.machine), "svc");
        let code = shell.command_line(line, &Streams { out, error }).await;
        let text = |buffer: Arc<Mutex<Vec<u8>>>| {
            let bytes = buffer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
        };
        (code, text(out_buffer), text(error_buffer))
    }

    /// Runs a batch file of this text with arguments.
    async fn batch(&self, text: &str, arguments: &str) -> (i32, String, String) {
        self.put(r"C:\test.cmd", &format!("@echo off\n{text}"));
        self.line(&format!(r"cmd.exe /d /c C:\test.cmd {arguments}")).await
    }

    async fn prints(&self, text: &str) -> String {
        let (_, out, error) = self.batch(text, "one \"two words\" three").await;
        assert_eq!(error, "", "of {text}");
        out
    }
}

#[tokio::test]
async fn variables_and_arguments() {
    let bench = bench();
    let cases = [
        ("set A=x\necho [%A%][%a%][%B%]", "[x][x][]\n"),
        ("set \"A=a b\"\necho %A: =%", "ab\n"),
        ("set A=abcdef\necho %A:~1,2% %A:~-2% %A:~2%", "bc ef cdef\n"),
        ("echo %1/%2/%~2/%4.", "one/\"two words\"/two words/.\n"),
        ("echo %%A%% %*", "%A% one \"two words\" three\n"),
        ("echo %~nx0 %~dp0", "test.cmd C:\\\n"),
        ("set A=1\nset \"A=\"\nif not defined A echo gone", "gone\n"),
        ("set A=1\nsetlocal\nset A=2\nendlocal\necho %A%", "1\n"),
        ("set /a A=7\nset /a A=A*(3)\nset /a B=-A/2+10%%4", ""),
        ("set T=0\nset /a T=T+1\nset /a T+=5\necho %T%", "6\n"),
        ("setlocal enabledelayedexpansion\nset A=1\nfor %%i in (1 2) do set /a A=!A!*10\necho !A!", "100\n"),
    ];
    for (text, expected) in cases {
        if expected.is_empty() {
            continue;
        }
        assert_eq!(bench.prints(text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn conditions() {
    let bench = bench();
    bench.put(r"C:\dir\file.txt", "x");
    let cases = [
        ("if a==a echo y", "y\n"),
        ("if \"a\"==\"A\" echo y", ""),
        ("if /i \"a\"==\"A\" echo y", "y\n"),
        ("if not a==b echo y", "y\n"),
        ("if 9 lss 10 echo y", "y\n"),
        ("if \"9\" lss \"10\" echo y", ""),
        ("if 30 geq 30 echo y", "y\n"),
        ("if exist C:\\dir\\ echo y", "y\n"),
        ("if exist \"C:\\dir\\file.txt\" echo y", "y\n"),
        ("if exist C:\\dir\\file.txt\\ echo y", ""),
        ("if exist C:\\dir\\*.txt echo y", "y\n"),
        ("if exist C:\\none.txt (echo y) else (echo n)", "n\n"),
        ("if 1==2 echo a & echo b", ""),
        ("if 1==1 (\necho a\necho b\n) else (\necho c\n)", "a\nb\n"),
        ("cmd /c exit 3\nif errorlevel 3 if not errorlevel 4 echo y", "y\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(bench.prints(text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn jumps_calls_and_exits() {
    let bench = bench();
    let out = bench
        .prints("call :sub a b\necho back %1\ngoto end\n:sub\necho %1-%2\nexit /b 5\n:end\necho %errorlevel%")
        .await;
    assert_eq!(out, "a-b\nback one\n5\n");
    assert_eq!(bench.batch("exit /b 7\necho no", "").await.0, 7);
    assert_eq!(bench.batch("call :sub\necho no\n:sub\nexit 9", "").await.0, 9);
    assert_eq!(bench.batch("goto :eof\necho no", "").await, (0, String::new(), String::new()));
    let (code, _, error) = bench.batch("goto nowhere\necho no", "").await;
    assert_eq!((code, error.contains("batch label")), (1, true));
    let count = bench.prints("set N=0\n:again\nset /a N=N+1\nif %N% lss 5 goto again\necho %N%").await;
    assert_eq!(count, "5\n");
}

#[tokio::test]
async fn redirections_before_and_after() {
    let bench = bench();
    bench.prints(">C:\\a.txt echo one\necho two>>C:\\a.txt\n>>\"C:\\a.txt\" echo three").await;
    assert_eq!(bench.get(r"C:\a.txt").as_deref(), Some("one\r\ntwo\r\nthree\r\n"));
    // A digit before the sign is a handle: the classic trap.
    bench.batch("set C=2\necho %C%>C:\\b.txt", "").await;
    assert_eq!(bench.get(r"C:\b.txt").as_deref(), Some(""));
    assert_eq!(bench.prints("type C:\\none 2>nul\nnosuch >nul 2>&1\necho ok").await, "ok\n");
    bench.prints("(echo a\necho b)>C:\\c.txt").await;
    assert_eq!(bench.get(r"C:\c.txt").as_deref(), Some("a\r\nb\r\n"));
}

#[tokio::test]
async fn a_locked_redirection_skips_the_command() {
    let bench = bench();
    bench.put(r"C:\lock", "");
    let held = bench.machine.disk.open(&WinPath::fixed(r"C:\lock"), OpenHow::replace()).unwrap();
    let (_, out, error) = bench
        .batch("set IN=\ncall :in >>C:\\lock\nif not defined IN echo held\nexit /b 0\n:in\nset IN=1", "")
        .await;
    assert_eq!(out, "held\n");
    assert!(error.contains("being used by another process"), "{error}");
    drop(held);
    let (_, out, _) = bench
        .batch("set IN=\ncall :in >>C:\\lock\nif defined IN echo free\nexit /b 0\n:in\nset IN=1", "")
        .await;
    assert_eq!(out, "free\n");
}

#[tokio::test]
async fn loops() {
    let bench = bench();
    bench.put("C:\\in.txt", "first\na b c\n\n;comment\nd,e f");
    for name in ["0000000002", "0000000010", "0000000001"] {
        bench.machine.disk.make_dirs(&WinPath::fixed(&format!(r"C:\gen (x86)\{name}"))).unwrap();
    }
    bench.put(r"C:\gen (x86)\file.txt", "x");
    let cases = [
        ("for /f \"usebackq\" %%r in (\"C:\\in.txt\") do echo %%r", "first\na\nd,e\n"),
        ("for /f \"usebackq skip=1 delims=\" %%r in (\"C:\\in.txt\") do echo %%r", "a b c\nd,e f\n"),
        ("for /f \"tokens=1,3*\" %%a in (\"p q r s t\") do echo %%a/%%b/%%c", "p/r/s t\n"),
        ("for /f \"delims=,\" %%a in (C:\\in.txt) do echo %%a", "first\na b c\nd\n"),
        ("for /f %%g in ('dir /b /ad /on \"C:\\gen (x86)\"') do set G=%%g\necho %G%", ""),
        ("for %%x in (a \"b c\" d) do echo %%~x", "a\nb c\nd\n"),
        ("for /l %%n in (1,2,5) do echo %%n", "1\n3\n5\n"),
        ("for %%f in (C:\\*.txt) do echo %%~nxf", "in.txt\n"),
    ];
    for (text, expected) in cases {
        if !expected.is_empty() {
            assert_eq!(bench.prints(text).await, expected, "{text}");
        }
    }
    let newest = "set \"N=\"\nfor /f %%g in ('dir /b /ad /on \"C:\\gen (x86)\"') do set \"N=%%g\"\necho %N%";
    assert_eq!(bench.prints(newest).await, "0000000010\n");
}

#[tokio::test]
async fn files() {
    let bench = bench();
    bench.put(r"C:\a.txt", "x");
    assert_eq!(bench.prints("md C:\\n\\m\nif exist C:\\n\\m\\ echo y").await, "y\n");
    let (code, _, error) = bench.batch("md C:\\n", "").await;
    assert_eq!((code, error.contains("already exists")), (1, true));
    let (code, ..) = bench.batch("copy /b /y C:\\a.txt C:\\n\\b.txt >nul\nren C:\\n\\b.txt c.txt", "").await;
    assert_eq!((code, bench.get(r"C:\n\c.txt").as_deref()), (0, Some("x")));
    assert_eq!(bench.batch("ren C:\\a.txt test.cmd", "").await.0, 1);
    assert_eq!(bench.batch("copy C:\\none C:\\x", "").await.0, 1);
    bench.batch("del /q C:\\n\\*.txt\nrd /s /q C:\\n", "").await;
    assert!(!bench.machine.disk.exists(&WinPath::fixed(r"C:\n")));
}

#[tokio::test]
async fn an_unknown_command_is_9009_and_on_record() {
    let bench = bench();
    let (code, _, error) = bench.line("powershell -Command Get-Date").await;
    assert_eq!(code, 9009);
    assert!(error.contains("not recognized"));
    assert_eq!(bench.machine.unknown(), ["powershell -Command Get-Date"]);
}

#[tokio::test]
async fn parentheses_in_a_path_end_nothing() {
    let bench = bench();
    let text = format!("if exist \"{UTILITY}\" echo {UTILITY}");
    assert_eq!(bench.prints(&text).await, format!("{UTILITY}\n"));
}

#[tokio::test]
async fn a_script_that_never_ends_is_stopped() {
    let bench = bench();
    let (_, out, _) = bench.batch(":a\ngoto a\necho no", "").await;
    assert_eq!(out, "");
    assert_eq!(bench.machine.unknown(), ["a script that does not end"]);
}

const PROBE: &str = include_str!("../../../src/agent/scripts/probe.cmd");
const PREPARE: &str = include_str!("../../../src/agent/scripts/prepare.cmd");
const START: &str = include_str!("../../../src/agent/scripts/start.cmd");
const POLL: &str = include_str!("../../../src/agent/scripts/poll.cmd");
const CLEAN: &str = include_str!("../../../src/agent/scripts/clean.cmd");
const RUN: &str = include_str!("../../../src/agent/scripts/run.cmd");
const UPGRADE: &str = include_str!("../../../src/agent/scripts/work/upgrade.cmd");
const HASH: &str = include_str!("../../../src/agent/scripts/hash.cmd");
const DISK: &str = include_str!("../../../src/agent/scripts/disk.cmd");

/// SHA-256 of `package`.
const SHA: &str = "bc4a59d97c3c3c5a80e5a7db3c8c3e4a0e5d8b9f6d8b5e6f3a4c5b6d7e8f9a0b";

fn sha(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}

impl Bench {
    fn install_scripts(&self) {
        self.machine.disk.make_dirs(&WinPath::fixed(&format!(r"{ROOT}\scripts"))).unwrap();
        for (name, text) in [
            ("probe", PROBE),
            ("prepare", PREPARE),
            ("start", START),
            ("poll", POLL),
            ("clean", CLEAN),
            ("hash", HASH),
            ("disk", DISK),
        ] {
            self.put(&format!(r"{ROOT}\scripts\{name}-0123456789ab.cmd"), text);
        }
    }

    async fn script(&self, name: &str, argument: &str) -> (i32, String, String) {
        self.line(&format!(r"cmd.exe /d /c {ROOT}\scripts\{name}-0123456789ab.cmd {argument}")).await
    }

    /// A job over this package with this wanted hash.
    fn install_job(&self, job: &str, package: &[u8], hash: &str, generation: &str) {
        let file = "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade";
        let staged = format!(r"{ROOT}\packages\{hash}\{file}");
        self.machine.disk.write(&WinPath::fixed(&staged), package).unwrap();
        let run = RUN
            .replace("{work}", UPGRADE)
            .replace("{job}", job)
            .replace("{generation}", generation)
            .replace("{sha256}", hash)
            .replace("{file}", file)
            .replace("{utility}", UTILITY);
        self.put(&format!(r"{ROOT}\jobs\{job}\run.cmd"), &run);
        let task = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Task version=\"1.3\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\"><Actions><Exec><Command>cmd.exe</Command><Arguments>/d /c {ROOT}\\jobs\\{job}\\run.cmd</Arguments></Exec></Actions></Task>"
        );
        let bytes: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(task.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        self.machine.disk.write(&WinPath::fixed(&format!(r"{ROOT}\jobs\{job}\task.xml")), &bytes).unwrap();
    }

    /// Waits for a condition that a task of ours brings about.
    async fn until<F: Future<Output = bool>>(&self, what: &str, condition: impl Fn() -> F) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(5000);
        while !condition().await {
            assert!(tokio::time::Instant::now() < deadline, "{what} never came");
            // Virtual in these tests.
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }
}

#[tokio::test]
async fn the_probe_answers_every_section() {
    let bench = bench();
    bench.install_scripts();
    assert_eq!(bench.script("prepare", "").await.0, 0);
    let (code, out, error) = bench.script("probe", "").await;
    assert_eq!(code, 0, "{error}");
    assert!(bench.machine.unknown().is_empty(), "{:?}", bench.machine.unknown());
    for line in [
        "@@probe 1",
        "user=AGENT-1\\svc",
        "computer=AGENT-1",
        UTILITY,
        "@@end",
        "    TimeZoneKeyName    REG_SZ    W. Europe Standard Time",
        "    DisplayName    REG_SZ    DataMiner GQI",
        "lock=free",
    ] {
        assert!(out.lines().any(|found| found == line), "{line} is missing in\n{out}");
    }
    assert!(out.contains("\"SLNet.exe\",\"4711\""), "{out}");
    assert!(out.contains("STATE              : 4  RUNNING"), "{out}");
    // An error text on standard error must not end up between the sections.
    assert!(error.contains("unable to find the specified registry key"), "{error}");
}

#[tokio::test]
async fn preparing_twice_equals_once() {
    let bench = bench();
    bench.install_scripts();
    for _ in 0..2 {
        let (code, _, error) = bench.script("prepare", "").await;
        assert_eq!((code, error.as_str()), (0, ""));
    }
    assert!(bench.machine.disk.is_dir(&WinPath::fixed(&format!(r"{ROOT}\generations"))));
    let (code, out, _) = bench.script("disk", "").await;
    assert_eq!(code, 0);
    assert!(out.contains(&bench.machine.disk.free().to_string()), "{out}");
}

async fn run_job(bench: &Bench, job: &str) -> String {
    let (code, _, error) = bench.script("start", job).await;
    assert_eq!(code, 0, "{error}");
    bench
        .until("the end of the job", || async {
            let out = bench.script("poll", job).await.1;
            (out.contains("exit=") || out.contains("refused=")) && out.contains("lock=free")
        })
        .await;
    bench.script("poll", job).await.1
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_detached_and_leaves_its_exit_code() {
    let bench = bench_with(Utility { code: 3010, clock: Some(Clock::new(1.0, None)), ..Utility::default() });
    bench.install_scripts();
    bench.script("prepare", "").await;
    bench.machine.disk.make_dirs(&WinPath::fixed(&format!(r"{ROOT}\generations\0000000007"))).unwrap();
    let hash = sha(b"package");
    bench.install_job("plan-s1-1", b"package", &hash, "0000000007");
    let (code, ..) = bench.script("start", "plan-s1-1").await;
    assert_eq!(code, 0);
    bench
        .until("the lock", || async {
            let out = bench.script("poll", "plan-s1-1").await.1;
            out.contains("started=yes") && out.contains("lock=held")
        })
        .await;
    // A second start is harmless.
    assert_eq!(bench.script("start", "plan-s1-1").await.0, 0);
    let out = run_job(&bench, "plan-s1-1").await;
    assert!(out.contains("exit=3010"), "{out}");
    let calls = bench.utility.calls.lock().unwrap().clone();
    let package = format!(r"{ROOT}\jobs\plan-s1-1\DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade");
    assert_eq!(
        calls,
        [vec!["-upgrade".to_owned(), package, format!(r"{ROOT}\jobs\plan-s1-1\UpgradeInfo.xml")]]
    );
    assert!(bench.get(&format!(r"{ROOT}\jobs\plan-s1-1\output.log")).unwrap().contains("working"));
    assert_eq!(bench.script("clean", "plan-s1-1").await.0, 0);
    assert!(bench.machine.unknown().is_empty(), "{:?}", bench.machine.unknown());
}

#[tokio::test(start_paused = true)]
async fn a_job_refuses_a_wrong_hash_and_an_old_generation() {
    let bench = bench();
    bench.install_scripts();
    bench.script("prepare", "").await;
    bench.machine.disk.make_dirs(&WinPath::fixed(&format!(r"{ROOT}\generations\0000000008"))).unwrap();
    bench.install_job("bad-hash", b"package", SHA, "0000000008");
    assert!(run_job(&bench, "bad-hash").await.contains("refused=hash"));
    bench.install_job("stale", b"package", &sha(b"package"), "0000000007");
    assert!(run_job(&bench, "stale").await.contains("refused=generation"));
    assert!(bench.utility.calls.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_job_waits_for_the_lock_and_gives_up() {
    let bench = bench();
    bench.install_scripts();
    bench.script("prepare", "").await;
    bench.install_job("late", b"package", &sha(b"package"), "1");
    let lock = WinPath::fixed(&format!(r"{ROOT}\active.lock"));
    let held = bench.machine.disk.open(&lock, OpenHow::replace()).unwrap();
    bench.script("start", "late").await;
    let refused = format!(r"{ROOT}\jobs\late\refused.txt");
    bench.until("the refusal", || async { bench.get(&refused).is_some_and(|text| text == "lock\r\n") }).await;
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_killed_job_frees_the_lock_and_has_no_exit_code() {
    let bench = bench_with(Utility { clock: Some(Clock::new(0.001, None)), ..Utility::default() });
    bench.install_scripts();
    bench.script("prepare", "").await;
    bench.machine.disk.make_dirs(&WinPath::fixed(&format!(r"{ROOT}\generations\1"))).unwrap();
    bench.install_job("killed", b"package", &sha(b"package"), "1");
    bench.script("start", "killed").await;
    bench.until("the lock", || async { bench.script("poll", "killed").await.1.contains("lock=held") }).await;
    bench.machine.kill_processes();
    bench
        .until("the free lock", || async { bench.script("poll", "killed").await.1.contains("lock=free") })
        .await;
    let out = bench.script("poll", "killed").await.1;
    assert!(out.contains("started=yes") && !out.contains("exit="), "{out}");
}

#[tokio::test]
async fn hashing_names_every_file() {
    let bench = bench();
    bench.install_scripts();
    bench.install_job("j", b"package", &sha(b"package"), "1");
    let (code, out, _) = bench.script("hash", &sha(b"package")).await;
    assert_eq!(code, 0);
    assert!(out.lines().any(|line| line == sha(b"package")), "{out}");
}

fn msi(name: &str, version: &str, code: &str) -> String {
    format!("simulated installer\nProductCode={code}\nProductName={name}\nProductVersion={version}\n")
}

const VERSIONS: &str =
    r#"reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall" /s /v DisplayVersion"#;

#[tokio::test(start_paused = true)]
async fn msiexec_uninstalls_by_product_code_and_installs_from_a_file() {
    let bench = bench();
    bench.put(r"C:\m\DataMiner GQI 3.0.0.msi", &msi("DataMiner GQI", "3.0.0", "{0-3-0}"));
    let uninstall = "msiexec /x {1-2} /qn /norestart /l*v C:\\m\\remove.log";
    assert_eq!(bench.line(uninstall).await.0, 0);
    assert_eq!(bench.line(uninstall).await.0, 1605);
    let install = r#"msiexec /i "C:\m\DataMiner GQI 3.0.0.msi" /qn /norestart /l*v "C:\m\install.log""#;
    assert_eq!(bench.line(install).await.0, 0);
    assert!(bench.line(VERSIONS).await.1.contains("3.0.0"));
    assert!(!bench.machine.is_damaged("DataMiner GQI"));
    assert!(bench.get(r"C:\m\install.log").unwrap().contains("is returning 0"));
    assert_eq!(bench.machine.unknown(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_older_installer_over_a_newer_module_corrupts_it_until_all_is_uninstalled_domain_02_section_3() {
    let bench = bench();
    bench.put(r"C:\m\old.msi", &msi("DataMiner GQI", "3.0.0", "{0-3-0}"));
    assert_eq!(bench.line(r"msiexec /i C:\m\old.msi /qn").await.0, 0);
    assert!(bench.machine.is_damaged("DataMiner GQI"));
    assert_eq!(bench.line("msiexec /x {0-3-0} /qn").await.0, 0);
    assert!(bench.machine.is_damaged("DataMiner GQI"));
    assert_eq!(bench.line("msiexec /x {1-2} /qn").await.0, 0);
    assert!(!bench.machine.is_damaged("DataMiner GQI"));
}

#[tokio::test(start_paused = true)]
async fn msiexec_has_windows_installers_exit_codes() {
    let bench = bench();
    bench.put(r"C:\m\old.msi", &msi("DataMiner GQI", "3.0.0", "{0-3-0}"));
    bench.put(r"C:\m\garbage.msi", "no installer");
    assert_eq!(bench.line(r"msiexec /i C:\m\missing.msi /qn").await.0, 1619);
    assert_eq!(bench.line(r"msiexec /i C:\m\garbage.msi /qn").await.0, 1620);
    assert_eq!(bench.line(r"msiexec /x {1-2} /qn /l*v C:\nowhere\x.log").await.0, 1622);
    bench.machine.installer.lock().unwrap().next_exit = Some(1603);
    assert_eq!(bench.line("msiexec /x {1-2} /qn").await.0, 1603);
    assert!(bench.line(VERSIONS).await.1.contains("3.0.1"), "nothing has changed");
    bench.machine.installer.lock().unwrap().next_exit = Some(3010);
    let both = futures::join!(
        bench.line("msiexec /x {1-2} /qn /norestart"),
        bench.line(r"msiexec /i C:\m\old.msi /qn /norestart")
    );
    assert_eq!((both.0.0, both.1.0), (3010, 1618));
    assert!(!bench.line(VERSIONS).await.1.contains("3.0.1"), "it is done, but for a restart");
    assert_eq!(bench.machine.unknown(), Vec::<String>::new());
    // Somebody would have to click.
    assert_eq!(bench.line("msiexec /x {1-2}").await.0, 1639);
    assert_eq!(bench.machine.unknown().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn xcopy_copies_trees_with_their_times_and_says_how_it_ended() {
    let bench = bench();
    bench.put(r"C:\from\a\one.txt", "1");
    bench.put(r"C:\from\two.txt", "2");
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    bench.machine.disk.set_modified(&WinPath::fixed(r"C:\from\two.txt"), old).unwrap();
    let copy = r#"xcopy "C:\from" "C:\to" /e /i /y /h /r /k /q"#;
    let (code, out, error) = bench.line(copy).await;
    assert_eq!((code, out.as_str(), error.as_str()), (0, "2 File(s) copied\n", ""));
    assert_eq!(bench.get(r"C:\to\a\one.txt").as_deref(), Some("1"));
    let copied = bench.machine.disk.entry(&WinPath::fixed(r"C:\to\two.txt")).unwrap();
    assert_eq!(copied.modified, old);
    assert_eq!(bench.line(r"xcopy C:\nothing C:\to /e /i /y").await.0, 4);
    assert_eq!(bench.line(r"xcopy C:\from\*.zip C:\to /e /i /y").await.0, 1);
    let held = bench.machine.disk.open(&WinPath::fixed(r"C:\to\two.txt"), OpenHow::append()).unwrap();
    assert_eq!(bench.line(copy).await.0, 4);
    assert_eq!(bench.line(&format!("{copy} /c")).await.0, 0);
    drop(held);
    bench.machine.disk.set_free(0);
    assert_eq!(bench.line(r"xcopy C:\from C:\other /e /i /y").await.0, 4);
    assert_eq!(bench.machine.unknown(), Vec::<String>::new());
    assert_eq!(bench.line(r"xcopy C:\from C:\to /e /i").await.0, 2);
    assert_eq!(bench.machine.unknown().len(), 1);
}
