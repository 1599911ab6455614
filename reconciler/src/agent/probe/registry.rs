//! `reg query` output: keys at the line start, values indented as `name    TYPE    data`.

use std::net::Ipv4Addr;

use dataminer_schema::v1::observation::Module;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegValue<'a> {
    pub key: &'a str,
    pub name: &'a str,
    pub kind: &'a str,
    pub data: &'a str,
}

/// All values of an output. Lines of any other form (localised sums, errors) are passed over.
pub fn values(lines: &[String]) -> Vec<RegValue<'_>> {
    let mut key = "";
    let mut found = Vec::new();
    for line in lines {
        if line.starts_with("HKEY_") {
            key = line.trim();
            continue;
        }
        let Some(value) = line.strip_prefix("    ") else { continue };
        // Names may hold blanks; the type is the first REG_ word after four blanks.
        let Some((name, rest)) = value.split_once("    REG_") else { continue };
        let (kind, data) = rest.split_once("    ").unwrap_or((rest.trim(), ""));
        found.push(RegValue { key, name: name.trim(), kind, data: data.trim_matches([' ', '\0']) });
    }
    found
}

/// The data of the value called `name`; names are case-insensitive.
pub fn value<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    values(lines).into_iter().find(|value| value.name.eq_ignore_ascii_case(name)).map(|value| value.data)
}

/// Whether a key was listed.
pub fn any_key(lines: &[String]) -> bool {
    lines.iter().any(|line| line.starts_with("HKEY_"))
}

/// The IPv4 addresses of the interfaces, fixed and by DHCP.
pub fn addresses(lines: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for value in values(lines) {
        if !value.name.eq_ignore_ascii_case("IPAddress") && !value.name.eq_ignore_ascii_case("DhcpIPAddress")
        {
            continue;
        }
        // REG_MULTI_SZ prints its strings with a literal `\0` between them.
        for address in value.data.split(r"\0").map(str::trim) {
            let useful = address.parse::<Ipv4Addr>().is_ok_and(|ip| !ip.is_unspecified());
            if useful && !found.iter().any(|known| known == address) {
                found.push(address.to_owned());
            }
        }
    }
    found
}

/// Installed programs called `DataMiner …`: names and versions come from two queries, joined by their key.
pub fn modules(names: &[String], versions: &[String]) -> Vec<Module> {
    let versions = values(versions);
    let mut modules: Vec<Module> = values(names)
        .into_iter()
        .filter(|value| {
            value.name.eq_ignore_ascii_case("DisplayName") && value.data.starts_with("DataMiner ")
        })
        .filter_map(|named| {
            let version = versions.iter().find(|value| {
                value.key.eq_ignore_ascii_case(named.key) && value.name.eq_ignore_ascii_case("DisplayVersion")
            })?;
            Some(Module { name: shown(named.data), version: shown(version.data) })
        })
        .collect();
    modules.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    modules.dedup();
    modules
}

/// The product codes (`{…}`) of everything that is installed under exactly this name. The error is a key that is no
/// product code: what was not installed by Windows Installer.
pub fn product_codes(names: &[String], module: &str) -> Result<Vec<String>, String> {
    let mut codes: Vec<String> = Vec::new();
    for value in values(names) {
        let named = value.name.eq_ignore_ascii_case("DisplayName") && value.data.eq_ignore_ascii_case(module);
        if !named {
            continue;
        }
        let key = value.key.rsplit('\\').next().unwrap_or_default();
        if !is_product_code(key) {
            return Err(shown(key));
        }
        // Both views of the registry may show it.
        if !codes.iter().any(|code| code.eq_ignore_ascii_case(key)) {
            codes.push(key.to_owned());
        }
    }
    Ok(codes)
}

fn is_product_code(key: &str) -> bool {
    let Some(inner) = key.strip_prefix('{').and_then(|key| key.strip_suffix('}')) else { return false };
    let groups: Vec<&str> = inner.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A name that anybody who installs a program may choose: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The versions of the ASP.NET Core hosting bundles: the value names of the key.
pub fn dotnet(lines: &[String]) -> Vec<String> {
    let dotted = |name: &str| name.split('.').count() >= 3 && name.starts_with(|c: char| c.is_ascii_digit());
    let mut found: Vec<String> = values(lines)
        .into_iter()
        .map(|value| value.name)
        .filter(|name| dotted(name))
        .map(str::to_owned)
        .collect();
    found.sort_by_key(|version| {
        version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>()
    });
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn addresses_come_from_both_kinds_of_values() {
        let text = r"
HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{1}
    EnableDHCP    REG_DWORD    0x0
    IPAddress    REG_MULTI_SZ    10.0.0.11\010.0.0.200
    DhcpIPAddress    REG_SZ    0.0.0.0

HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{2}
    DhcpIPAddress    REG_SZ    192.168.1.5
    DhcpServer    REG_SZ    192.168.1.1
    IPAddress    REG_MULTI_SZ

Ende der Suche: 5 Treffer";
        assert_eq!(addresses(&lines(text)), ["10.0.0.11", "10.0.0.200", "192.168.1.5"]);
    }

    // `\010` must split as `\0` + `10…`: the separator is a literal backslash and zero.
    #[test]
    fn multi_strings_split_at_the_literal_separator() {
        let text = r"HKEY_X
    IPAddress    REG_MULTI_SZ    10.0.0.11\0192.168.0.1\0fe80::1";
        assert_eq!(addresses(&lines(text)), ["10.0.0.11", "192.168.0.1"]);
    }

    #[test]
    fn modules_join_name_and_version_by_key() {
        let names = r"HKEY_LOCAL_MACHINE\…\Uninstall\{A}
    DisplayName    REG_SZ    DataMiner GQI
HKEY_LOCAL_MACHINE\…\Uninstall\{B}
    DisplayName    REG_SZ    Microsoft Edge
HKEY_LOCAL_MACHINE\…\Uninstall\{C}
    DisplayName    REG_SZ    DataMiner Without Version";
        let versions = r"HKEY_LOCAL_MACHINE\…\Uninstall\{b}
    DisplayVersion    REG_SZ    120.0
HKEY_LOCAL_MACHINE\…\Uninstall\{a}
    DisplayVersion    REG_SZ    3.0.3";
        assert_eq!(
            modules(&lines(names), &lines(versions)),
            [Module { name: "DataMiner GQI".into(), version: "3.0.3".into() }]
        );
    }

    #[test]
    fn only_windows_installers_own_codes_are_product_codes() {
        let names = lines(
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{0123ABCD-0000-1111-2222-0123456789ab}
    DisplayName    REG_SZ    DataMiner GQI
HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\{0123ABCD-0000-1111-2222-0123456789AB}
    DisplayName    REG_SZ    DataMiner GQI
HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{0123ABCD-0000-1111-2222-0123456789AB} & calc
    DisplayName    REG_SZ    DataMiner Web
HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Bundle
    DisplayName    REG_SZ    DataMiner Bundle",
        );
        assert_eq!(
            product_codes(&names, "DataMiner GQI"),
            Ok(vec!["{0123ABCD-0000-1111-2222-0123456789ab}".to_owned()])
        );
        assert_eq!(product_codes(&names, "DataMiner"), Ok(Vec::new()));
        assert!(product_codes(&names, "DataMiner Web").is_err());
        assert_eq!(product_codes(&names, "DataMiner Bundle"), Err("Bundle".to_owned()));
    }

    #[test]
    fn hosting_bundles_sort_as_numbers() {
        let text = "HKEY_X\n    8.0.11    REG_DWORD    0x1\n    10.0.1    REG_DWORD    0x1\n    8.0.2    REG_DWORD    0x1\n    (Default)    REG_SZ    x";
        assert_eq!(dotnet(&lines(text)), ["8.0.2", "8.0.11", "10.0.1"]);
    }

    #[test]
    fn a_value_reads_whatever_its_case_and_padding() {
        let text = lines("HKEY_X\r\n    timezonekeyname    REG_SZ    Romance Standard Time\0\0");
        assert_eq!(value(&text, "TimeZoneKeyName"), Some("Romance Standard Time"));
        assert_eq!(value(&lines("ERROR: not found"), "TimeZoneKeyName"), None);
    }
}
