//! The folders and files of a server with DataMiner (`domain/05 section 6`).

use std::{fmt::Write as _, io::Cursor, sync::Arc};

use dataminer_schema::version::Version;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{content, content_backup, modules};
use crate::{
    clock::{local_text, time_zone},
    disk::{Disk, DiskError, WinPath},
    package::PackageSpec,
    spec::{AgentSpec, FailoverRole},
    windows::{Msi, Registry, Value},
};

/// `C:\Skyline DataMiner` and below.
pub(crate) fn dataminer(relative: &str) -> WinPath {
    WinPath::fixed(&format!(r"C:\Skyline DataMiner\{relative}"))
}

/// The Taskbar Utility, in the folder that the command line page prints.
pub(crate) const UTILITY: &str =
    r"C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe";

/// The program that runs the checks of packages.
pub(crate) const EXECUTOR: &str = r"Tools\StandaloneBpaExecutor\StandaloneBpaExecutor.exe";

/// `Upgrades\VersionHistory.txt`.
pub(crate) const HISTORY: &str = r"Upgrades\VersionHistory.txt";
/// `System Cache\Web\Backups`.
pub(crate) const BACKUPS: &str = r"System Cache\Web\Backups";

const FOLDERS: [&str; 14] = [
    r"Skyline DataMiner\Upgrades\Packages",
    r"Skyline DataMiner\Upgrades\Helper",
    r"Skyline DataMiner\System Cache\Web\Backups",
    r"Skyline DataMiner\Applications",
    r"Skyline DataMiner\Dashboards",
    r"Skyline DataMiner\Files",
    r"Skyline DataMiner\Webpages\API",
    r"Skyline DataMiner\Tools\ModuleInstallers\Web",
    r"Skyline DataMiner\Tools\StandaloneBpaExecutor",
    r"Skyline DataMiner\Logging",
    r"Skyline DataMiner\Backup",
    r"Program Files (x86)\Skyline Communications\Skyline Taskbar Utility",
    r"ProgramData",
    r"Windows\system32",
];

/// Windows' own programs that lie on the disk as well as they are known to the interpreter.
const PROGRAMS: [&str; 11] = [
    "certutil", "cmd", "fsutil", "icacls", "msiexec", "reg", "sc", "schtasks", "tasklist", "whoami", "xcopy",
];

/// How VersionHistory.txt spells a version that a package installed.
pub(crate) fn entry(version: &Version, date: jiff::civil::Date) -> String {
    let build = version.build().unwrap_or(10_000);
    format!(
        "{}.{}.{}.{}-{build}-{}-release",
        version.major(),
        version.minor(),
        version.feature(),
        version.week(),
        date.strftime("%Y%m%d")
    )
}

/// Writes the whole tree of an Agent.
pub(crate) fn write(
    disk: &Arc<Disk>,
    spec: &AgentSpec,
    cluster: &str,
    agents: &[AgentSpec],
    user: &str,
    now: jiff::Timestamp,
) -> Result<(), DiskError> {
    for folder in FOLDERS {
        disk.make_dirs(&WinPath::fixed(&format!(r"C:\{folder}")))?;
    }
    for folder in [format!(r"C:\Users\{user}"), r"C:\Windows\Temp".to_owned()] {
        disk.make_dirs(&WinPath::fixed(&folder))?;
    }
    disk.write(&dataminer(EXECUTOR), b"MZ simulated")?;
    for program in PROGRAMS {
        disk.write(&WinPath::fixed(&format!(r"C:\Windows\system32\{program}.exe")), b"MZ simulated")?;
    }
    disk.write(&dataminer("DMS.xml"), dms_xml(spec, cluster, agents).as_bytes())?;
    disk.write(&dataminer("DataMiner.xml"), dataminer_xml(spec).as_bytes())?;
    disk.write(&dataminer("MaintenanceSettings.xml"), maintenance_xml(spec, spec.broker_gateway).as_bytes())?;
    disk.write(&dataminer("Security.xml"), security_xml(spec).as_bytes())?;
    let (history, installed_at) = history(spec, now);
    disk.write(&dataminer(HISTORY), history.as_bytes())?;
    traces(disk, spec, installed_at)?;
    let web = spec.web.as_ref().unwrap_or(&spec.core);
    installed(disk, &spec.core, web)?;
    content::write(disk, web)?;
    for backup in &spec.backups {
        let name = backup.file.clone().unwrap_or_else(|| backup_name(backup.at));
        let path = dataminer(&format!(r"{BACKUPS}\{name}"));
        // Taken by a package of the level that wrote the content.
        let (files, _left_out) = content_backup::select(content::files_of(&backup.content), &backup.content);
        disk.write(&path, &zip_of(files.into_iter()).map_err(|_| DiskError::Io)?)?;
        disk.set_modified(&path, backup.at.into())?;
    }
    Ok(())
}

/// The files that tell which software is installed.
pub(crate) fn installed(disk: &Arc<Disk>, core: &Version, web: &Version) -> Result<(), DiskError> {
    disk.write(&dataminer(r"Files\SLNet.exe"), format!("MZ core {core}").as_bytes())?;
    disk.write(&WinPath::fixed(UTILITY), &program_of(core))?;
    put_installers(disk, r"Tools\ModuleInstallers", &modules::of_core(core))?;
    web_installed(disk, web)
}

/// A program that bears the version of the core that brought it, where Windows' own programs bear theirs: a resource
/// section with a VS_FIXEDFILEINFO. How the product numbers its utility is not documented.
fn program_of(core: &Version) -> Vec<u8> {
    const HEADERS: u32 = 0x200;
    let build = u16::try_from(core.build().unwrap_or(0) & 0xffff).unwrap_or(0);
    let mut info: Vec<u8> = Vec::new();
    // The length of the block, that of its value, and its type, which is binary.
    info.extend([92_u16, 52, 0].into_iter().flat_map(u16::to_le_bytes));
    info.extend("VS_VERSION_INFO\0".encode_utf16().flat_map(u16::to_le_bytes));
    info.resize(info.len().next_multiple_of(4), 0);
    let high = (u32::from(core.major()) << 16) | u32::from(core.minor());
    let low = (u32::from(core.feature()) << 16) | u32::from(build);
    info.extend([0xfeef_04bd, 0x0001_0000, high, low, high, low].into_iter().flat_map(u32::to_le_bytes));
    info.resize(92, 0);
    let size = u32::try_from(info.len()).unwrap_or(0);
    let mut program = b"MZ".to_vec();
    program.resize(0x3c, 0);
    program.extend(0x80_u32.to_le_bytes());
    program.resize(0x80, 0);
    program.extend(b"PE\0\0");
    // For 64 bits, one section, no optional header.
    program.extend([0x8664_u16, 1].into_iter().flat_map(u16::to_le_bytes));
    program.extend([0_u8; 16]);
    program.extend(b".rsrc\0\0\0");
    program.extend([size, 0x1000, size, HEADERS].into_iter().flat_map(u32::to_le_bytes));
    program.resize(usize::try_from(HEADERS).unwrap_or(0), 0);
    program.extend(info);
    program
}

pub(crate) fn web_installed(disk: &Arc<Disk>, web: &Version) -> Result<(), DiskError> {
    disk.write(
        &dataminer(r"Webpages\API\bin\Skyline.DataMiner.Web.dll"),
        format!("MZ web {web}").as_bytes(),
    )?;
    put_installers(disk, r"Tools\ModuleInstallers\Web", &modules::of_web(web))
}

/// A package's installers replace those of the package before.
fn put_installers(disk: &Arc<Disk>, folder: &str, products: &[Msi]) -> Result<(), DiskError> {
    disk.make_dirs(&dataminer(folder))?;
    for entry in disk.list(&dataminer(folder))?.iter().filter(|entry| !entry.is_dir) {
        disk.remove_file(&dataminer(&format!(r"{folder}\{}", entry.name)))?;
    }
    products.iter().try_for_each(|msi| {
        let path = dataminer(&format!(r"{folder}\{} {}.msi", msi.name, msi.version));
        disk.write(&path, msi.file().as_bytes())
    })
}

/// A zip as the product names it; how it really names them is not documented.
pub(crate) fn backup_name(at: jiff::Timestamp) -> String {
    format!("WebBackup_{}.zip", at.strftime("%Y%m%d_%H%M%S"))
}

/// A zip whose root is `C:\Skyline DataMiner`.
pub(crate) fn zip_of(files: impl Iterator<Item = (String, Vec<u8>)>) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (path, bytes) in files {
        writer.start_file(path.replace('\\', "/"), options)?;
        std::io::Write::write_all(&mut writer, &bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// The docs show the Agent's own entry with and without its id, which stands in DataMiner.xml too. Both members of a
/// pair are listed under one id, Main first. What the Failover element holds is not documented; its shape is ours.
fn dms_xml(spec: &AgentSpec, cluster: &str, agents: &[AgentSpec]) -> String {
    let mut xml = String::from("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n");
    xml.push_str(
        "<DMS errorTime=\"30000\" synchronized=\"true\" xmlns=\"http://www.skyline.be/config/dms\">\r\n",
    );
    let _infallible =
        write!(xml, "  <Cluster name=\"{cluster}\" synchronize=\"\" timestamp=\"2024-11-05 09:12:44\"/>\r\n");
    let mut listed: Vec<&AgentSpec> = agents.iter().collect();
    // A stable sort: only a Backup that stands before its Main moves.
    listed.sort_by_key(|agent| agent.failover.is_some_and(|failover| failover.role == FailoverRole::Backup));
    for agent in listed {
        let _infallible = if agent.address == spec.address && spec.own_id_hidden {
            write!(
                xml,
                "  <DMA ip=\"{}\" timestamp=\"\" contacted_once=\"\" lostContact=\"\"/>\r\n",
                agent.address
            )
        } else {
            write!(
                xml,
                "  <DMA ip=\"{}\" id=\"{}\" timestamp=\"2026-01-05 01:24:38\" contacted_once=\"TRUE\" lostContact=\"\" uri=\"\"/>\r\n",
                agent.address, agent.id
            )
        };
    }
    for main in agents.iter().filter(|agent| agent.failover.is_some_and(|f| f.role == FailoverRole::Main)) {
        let backup = agents.iter().find(|agent| agent.id == main.id && agent.address != main.address);
        if let Some(backup) = backup {
            let _infallible = write!(
                xml,
                "  <Failover id=\"{}\" primary=\"{}\" backup=\"{}\" mode=\"manual\"/>\r\n",
                main.id, main.address, backup.address
            );
        }
    }
    xml.push_str("</DMS>\r\n");
    xml
}

fn dataminer_xml(spec: &AgentSpec) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<DataMiner id=\"{}\" name=\"{}\" xmlns=\"http://www.skyline.be/config/dataminer\">\r\n</DataMiner>\r\n",
        spec.id, spec.name
    )
}

pub(crate) fn maintenance_xml(spec: &AgentSpec, broker_gateway: bool) -> String {
    let options = if spec.default_upgrade_options {
        "    <DefaultUpgradeOptions>\r\n      <ExtractAllFiles>true</ExtractAllFiles>\r\n    </DefaultUpgradeOptions>\r\n"
    } else {
        ""
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<MaintenanceSettings xmlns=\"http://www.skyline.be/config/maintenancesettings\">\r\n  <SLNet>\r\n{options}  </SLNet>\r\n  <BrokerGateway>{broker_gateway}</BrokerGateway>\r\n</MaintenanceSettings>\r\n"
    )
}

fn security_xml(spec: &AgentSpec) -> String {
    let expired = if spec.expired_users { " expired=\"true\"" } else { "" };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Security>\r\n  <Users>\r\n    <User name=\"Administrator\"/>\r\n    <User name=\"operator\"{expired}/>\r\n  </Users>\r\n</Security>\r\n"
    )
}

/// VersionHistory.txt and when its newest entry was written.
fn history(spec: &AgentSpec, now: jiff::Timestamp) -> (String, jiff::Timestamp) {
    let zone = time_zone(&spec.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let mut text = String::new();
    if spec.history_with_bom {
        text.push('\u{feff}');
    }
    for old in &spec.history {
        let _infallible = write!(text, "{};{}\r\n", local_text(old.at, &zone), old.version);
    }
    let latest = spec.history.iter().map(|entry| entry.at).max();
    // Half a year ago, but after the entries before it.
    let half_a_year = now.checked_sub(jiff::SignedDuration::from_hours(24 * 180)).unwrap_or(now);
    let at =
        spec.installed_at.unwrap_or_else(|| latest.map_or(half_a_year, |latest| half_a_year.max(latest)));
    let date = at.to_zoned(zone.clone()).date().saturating_sub(jiff::Span::new().days(10));
    let version = spec.core_entry.clone().unwrap_or_else(|| entry(&spec.core, date));
    let _infallible = write!(text, "{};{version}\r\n", local_text(at, &zone));
    (text, at)
}

/// What the upgrades to the present state left in `Upgrades\Packages`: their logs.
fn traces(disk: &Arc<Disk>, spec: &AgentSpec, installed_at: jiff::Timestamp) -> Result<(), DiskError> {
    let zone = time_zone(&spec.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    for (at, file, id) in packages(spec, installed_at) {
        let line = |level: &str, text: &str| {
            format!("{}|{}|{level}|{text}\r\n", spec.address, local_text(at, &zone))
        };
        let text = line("information", "LocalComplete")
            + "DataMiner Agent: 0 error(s) and 0 notice(s)\r\n"
            + &line("information", "Upgrade finished successfully.");
        let path = dataminer(&format!(r"Upgrades\Packages\{file}-{}\progress.log", id.repeat(16)));
        disk.write(&path, text.as_bytes())?;
        disk.set_modified(&path, at.into())?;
    }
    Ok(())
}

/// The past packages of an Agent: when, which file, and what makes its folder's name.
fn packages(spec: &AgentSpec, installed_at: jiff::Timestamp) -> Vec<(jiff::Timestamp, String, String)> {
    if let Some(traces) = &spec.traces {
        let numbered = traces.iter().enumerate();
        return numbered
            .map(|(at, trace)| (trace.at, trace.file.clone(), format!("{:02x}", at % 256)))
            .collect();
    }
    let mut packages = vec![(installed_at, PackageSpec::full(spec.core.clone()), "0a")];
    if let Some(web) = &spec.web {
        let later = installed_at.checked_add(jiff::SignedDuration::from_hours(26)).unwrap_or(installed_at);
        packages.push((later, PackageSpec::web(web.clone()), "0b"));
    }
    // Without a build there is no such package.
    packages.retain(|(_, package, _)| package.version.build().is_some());
    packages.into_iter().map(|(at, package, id)| (at, package.file_name(), id.to_owned())).collect()
}

const ADAPTER: &str = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces";

/// What the registry of a server holds.
pub(crate) fn registry(spec: &AgentSpec) -> Registry {
    let mut registry = Registry::default();
    let text = |text: &str| Value::Text(text.to_owned());
    registry.set(
        r"SYSTEM\CurrentControlSet\Control\TimeZoneInformation",
        "TimeZoneKeyName",
        text(&spec.time_zone),
    );
    registry.make(&format!(r"{ADAPTER}\{{0a1b2c3d-0000-4000-8000-000000000000}}"));
    let adapter = format!(r"{ADAPTER}\{{5d0c4e1f-7c1b-4f5e-9a63-2f3f4a5b6c7d}}");
    registry.set(&adapter, "EnableDHCP", Value::Number(0));
    registry.set(&adapter, "IPAddress", Value::Many(vec![spec.address.to_string()]));
    registry.set(&adapter, "SubnetMask", Value::Many(vec!["255.255.255.0".to_owned()]));
    let servicing = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing";
    registry.make(servicing);
    registry.make(r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update");
    if spec.pending_reboot {
        registry.make(&format!(r"{servicing}\RebootPending"));
    }
    let windows = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    registry.set(windows, "CurrentBuildNumber", text(&spec.os_build.to_string()));
    registry.set(windows, "ProductName", text("Windows Server Standard"));
    let dotnet = r"SOFTWARE\WOW6432Node\dotnet\Setup\InstalledVersions\x64\sharedfx\Microsoft.AspNetCore.App";
    for version in &spec.dotnet {
        registry.set(dotnet, version, Value::Number(1));
    }
    if let Some(version) = &spec.vcredist {
        registry.set(r"SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\x64", "Version", text(version));
    }
    modules::write(&mut registry, spec);
    registry
}
