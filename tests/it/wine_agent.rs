//! An Agent made of sshd and Wine, and the product's own scripts on it.
//!
//! Nothing of the driver is used: scripts are uploaded and called by OpenSSH's programs, so a mistake that driver
//! and simulator share shows here.

use std::{collections::BTreeMap, fmt::Write as _, fs, time::Duration};

use dataminer_reconciler_tests::{environment::workspace, program::Ended, wait, wine::WineHost};
use sha2::{Digest as _, Sha256};

pub(crate) const ROOT: &str = "ProgramData/dataminer-reconciler";
pub(crate) const UTILITY: &str =
    r"C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe";
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Agent {
    pub(crate) host: WineHost,
    scripts: BTreeMap<String, String>,
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn crlf(text: &str) -> String {
    text.lines().fold(String::new(), |all, line| all + line + "\r\n")
}

impl Agent {
    /// A host with the scripts uploaded and its folder prepared; none where this machine cannot have one.
    pub(crate) fn prepared() -> Option<Self> {
        let host = WineHost::start()?;
        let mut scripts = BTreeMap::new();
        let mut batch = format!("mkdir /C:/{ROOT}\nmkdir /C:/{ROOT}/scripts\n");
        let local = host.file("../upload");
        fs::create_dir_all(&local).expect("the host's folder can be written");
        for entry in
            fs::read_dir(workspace().join("reconciler/src/agent/scripts")).expect("the product has scripts")
        {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                continue;
            }
            let name = path.file_stem().expect("a script has a name").to_string_lossy().into_owned();
            let text = crlf(&fs::read_to_string(&path).expect("a script is text"));
            let remote = format!("{name}-{}.cmd", &sha256(text.as_bytes())[..12]);
            fs::write(local.join(&remote), text).expect("the host's folder can be written");
            writeln!(batch, "put \"{}\" /C:/{ROOT}/scripts/{remote}", local.join(&remote).display())
                .expect("text grows");
            scripts.insert(name, remote);
        }
        host.sftp(&batch).expect_status(0);
        let agent = Self { host, scripts };
        agent.script("prepare", "").expect_status(0);
        agent.raise_generation(7);
        Some(agent)
    }

    /// Calls an uploaded script as the driver does.
    pub(crate) fn script(&self, name: &str, argument: &str) -> Ended {
        let file = &self.scripts[name];
        let line = format!(r"cmd.exe /d /c C:\ProgramData\dataminer-reconciler\scripts\{file} {argument}");
        self.host.exec(line.trim_end())
    }

    pub(crate) fn raise_generation(&self, generation: u64) {
        self.host.sftp(&format!("mkdir /C:/{ROOT}/generations/{generation:010}\n")).expect_status(0);
    }

    /// Lays a package into the staging folder, under the hash it should have.
    pub(crate) fn stage(&self, file: &str, hash: &str, bytes: &[u8]) {
        let local = self.host.file("../upload").join("package");
        fs::write(&local, bytes).expect("the host's folder can be written");
        let folder = format!("/C:/{ROOT}/packages/{hash}");
        let put = format!("-mkdir {folder}\nput \"{}\" \"{folder}/{file}.part\"\n", local.display());
        let rename = format!("rename \"{folder}/{file}.part\" \"{folder}/{file}\"\n");
        self.host.sftp(&(put + &rename)).expect_status(0);
    }

    /// Uploads a job folder.
    pub(crate) fn lay_job(&self, job: &Job<'_>) {
        let local = self.host.file("../upload").join(job.id);
        fs::create_dir_all(&local).expect("the host's folder can be written");
        for (name, bytes) in job.files() {
            fs::write(local.join(name), bytes).expect("the host's folder can be written");
        }
        let remote = format!("/C:/{ROOT}/jobs/{}", job.id);
        self.host
            .sftp(&format!("mkdir {remote}\nput \"{}\"/* {remote}/\n", local.display()))
            .expect_status(0);
    }

    pub(crate) fn start(&self, id: &str) {
        self.script("start", id).expect_status(0);
    }

    /// One poll: the lines between its two marks.
    pub(crate) fn poll(&self, id: &str) -> BTreeMap<String, String> {
        let polled = self.script("poll", id).expect_status(0);
        let mut lines = polled.stdout.lines().map(str::trim_end);
        assert_eq!(lines.next(), Some("@@poll 1"), "{polled:?}");
        let fields: Vec<_> = lines.take_while(|line| *line != "@@end").collect();
        fields
            .into_iter()
            .map(|line| line.split_once('=').unwrap_or_else(|| panic!("no field: {line:?}")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Polls until the fields are there, and returns the whole poll.
    pub(crate) fn poll_until(&self, id: &str, wanted: &[(&str, &str)]) -> BTreeMap<String, String> {
        wait::until(&format!("job {id} to show {wanted:?}"), PATIENCE, || {
            let poll = self.poll(id);
            let there = wanted.iter().all(|(name, value)| poll.get(*name).is_some_and(|v| v == value));
            if there { Ok(poll) } else { Err(format!("{poll:?}")) }
        })
    }

    /// Keeps the utility running from now on, or lets it end.
    pub(crate) fn hold(&self, hold: bool) {
        let file = self.host.file("standins/hold");
        if hold { fs::write(file, "") } else { fs::remove_file(file) }
            .expect("the stand-ins' folder can be written");
    }

    pub(crate) fn steer(&self, what: &str, value: &str) {
        fs::write(self.host.file("standins").join(what), value)
            .expect("the stand-ins' folder can be written");
    }

    /// The command lines that the utility was started with.
    pub(crate) fn utility_runs(&self) -> Vec<String> {
        let log = fs::read_to_string(self.host.file("standins/utility.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    pub(crate) fn job_file(&self, id: &str, name: &str) -> Option<String> {
        fs::read_to_string(self.host.file(&format!("{ROOT}/jobs/{id}/{name}"))).ok()
    }

    /// The processes of this host whose command line holds a text.
    pub(crate) fn processes(&self, text: &str) -> Vec<String> {
        let prefix = fs::canonicalize(self.host.file("../../prefix")).expect("the host has a prefix");
        let mine = format!("WINEPREFIX={}\0", prefix.display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("Linux has /proc").flatten() {
            let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
            let has = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
            if has(&read("cmdline"), text) && has(&read("environ"), &mine) {
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        found
    }

    /// Kills them, as a crash does; returns how many there were.
    pub(crate) fn kill(&self, text: &str) -> usize {
        let processes = self.processes(text);
        for process in &processes {
            Ended::of(std::process::Command::new("kill").args(["-9", process])).expect_status(0);
        }
        processes.len()
    }
}

/// Lays out what the driver looks at: a DataMiner System of one running Agent.
pub(crate) fn lay_dms(host: &WineHost) {
    let skyline = host.file("Skyline DataMiner");
    let put = |path: &str, bytes: &[u8]| {
        let file = skyline.join(path);
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("the drive can be written");
        fs::write(file, bytes).expect("the drive can be written");
    };
    put("DMS.xml", b"<DMS><Cluster><DMA ip=\"10.0.0.1\" id=\"101\" /></Cluster></DMS>");
    put(
        "Upgrades/VersionHistory.txt",
        b"2025-01-10 22:00:00;10.4.0.0-14511-20240621-release\r\n2025-11-22 23:10:00;10.5.0.0-16500-20251120-release\r\n",
    );
    put("MaintenanceSettings.xml", b"<MaintenanceSettings><SLNet /></MaintenanceSettings>");
    put("Security.xml", b"<Security><Users /></Security>");
    put("System Cache/Web/Backups/20251122_2241.zip", &backup());
    put("Applications/app/one.json", b"{}");
    put("Dashboards/board/two.json", b"{ \"two\": 2 }");
    fs::write(
        host.file("standins/processes.csv"),
        "\"SLDataMiner.exe\",\"4000\",\"Services\",\"0\",\"1,234 K\"\r\n\"SLNet.exe\",\"4001\",\"Services\",\"0\",\"1,234 K\"\r\n",
    )
    .expect("the drive can be written");
    let registry = r#"@echo off
set "CURRENT=HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"
reg add "HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{1}" /v IPAddress /t REG_MULTI_SZ /d 10.0.0.1 /f
reg add "%CURRENT%\Uninstall\{A}" /v DisplayName /d "DataMiner APIGateway" /f
reg add "%CURRENT%\Uninstall\{A}" /v DisplayVersion /d 3.1.0 /f
set "DOTNET=HKLM\SOFTWARE\WOW6432Node\dotnet\Setup\InstalledVersions\x64\sharedfx"
reg add "%DOTNET%\Microsoft.AspNetCore.App" /v 8.0.11 /t REG_DWORD /d 1 /f
reg add "%DOTNET%\Microsoft.AspNetCore.App" /v 10.0.1 /t REG_DWORD /d 1 /f
reg add "HKLM\SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\x64" /v Version /d v14.44.35211.00 /f
"#;
    fs::write(host.file("standins/registry.cmd"), crlf(registry)).expect("the drive can be written");
    host.exec(r"cmd.exe /d /c C:\standins\registry.cmd").expect_status(0);
}

/// A content backup as the product makes them: a zip whose root is `C:\Skyline DataMiner`.
pub(crate) fn backup() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("Dashboards/board/two.json", zip::write::SimpleFileOptions::default())
        .expect("a fresh zip");
    std::io::Write::write_all(&mut zip, b"{ \"two\": 1 }").expect("memory can be written");
    zip.finish().expect("memory can be written").into_inner()
}

/// A job as the driver lays it out.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) id: &'a str,
    pub(crate) generation: u64,
    pub(crate) work: Work<'a>,
}

/// What it does.
#[derive(Clone, Copy)]
pub(crate) enum Work<'a> {
    Upgrade { file: &'a str, hash: &'a str },
    Restore { safe: &'a str },
    Reinstall { module: &'a str, product: &'a str, installer: &'a str },
}

fn script(path: &str) -> String {
    let template = workspace().join("reconciler/src/agent/scripts").join(path);
    fs::read_to_string(template).expect("the product has this script")
}

impl Work<'_> {
    fn script(self, id: &str) -> String {
        match self {
            Self::Upgrade { file, hash } => script("work/upgrade.cmd")
                .replace("{sha256}", hash)
                .replace("{utility}", UTILITY)
                .replace("{file}", file),
            Self::Restore { safe } => script("work/restore.cmd").replace("{job}", id).replace("{safe}", safe),
            Self::Reinstall { module, product, installer } => script("work/reinstall.cmd")
                .replace("{module}", module)
                .replace("{installer}", installer)
                .replace(
                    "{uninstall}",
                    &format!("set \"PRODUCT={product}\"\ncall :remove\nif not \"%CODE%\"==\"0\" goto ended"),
                ),
        }
    }
}

impl Job<'_> {
    fn files(&self) -> [(&'static str, Vec<u8>); 3] {
        let run = script("run.cmd")
            .replace("{job}", self.id)
            .replace("{generation}", &format!("{:010}", self.generation))
            .replace("{work}", &self.work.script(self.id));
        for hole in ["{job}", "{generation}", "{work}", "{file}", "{safe}", "{module}", "{uninstall}"] {
            assert!(!run.contains(hole), "a value is missing in:\n{run}");
        }
        let task = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.2\" \
             xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\r\n<Actions><Exec>\
             <Command>cmd.exe</Command><Arguments>/d /c \
             C:\\ProgramData\\dataminer-reconciler\\jobs\\{}\\run.cmd</Arguments></Exec></Actions></Task>\r\n",
            self.id
        );
        let task = std::iter::once(0xfeff).chain(task.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let info = "<UpgradeInfo>\r\n  <Agents><IP>10.0.0.1</IP><IP>10.0.0.2</IP></Agents>\r\n  \
                    <IsCluster>true</IsCluster>\r\n</UpgradeInfo>\r\n";
        [
            ("run.cmd", crlf(&run).into_bytes()),
            ("task.xml", task),
            ("UpgradeInfo.xml", info.as_bytes().to_vec()),
        ]
    }
}
