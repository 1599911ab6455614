//! Modules (DxMs and DcMs) and their installers on an Agent (`domain/03 section 5`).

use std::cmp::Ordering;

use super::{
    Inner,
    error::{AgentError, Reason},
    layout::checked_entry_name,
    link::Session,
    probe::{registry, sections::Sections},
    render::checked_file_name,
};

/// Where a full or web package leaves its installers.
const FOLDERS: [&str; 2] = [r"Tools\ModuleInstallers", r"Tools\ModuleInstallers\Web"];
const MAX_ENTRIES: usize = 5000;
/// Of one module there is one product; a failed installation may have left a second.
const MAX_PRODUCTS: usize = 4;

/// The product codes that Windows lists for `module`, and the newest installer of it; `None` without an installer:
/// what could not be put back is not taken away.
pub(super) async fn find(
    inner: &Inner,
    session: &Session,
    probe: &Sections,
    module: &str,
) -> Result<Option<(Vec<String>, String)>, AgentError> {
    let mut found: Vec<(Vec<u64>, String)> = Vec::new();
    for folder in FOLDERS {
        let entries = match session.sftp.list(&inner.context.layout.skyline(folder), MAX_ENTRIES).await {
            Err(error) if error.is_not_found() => continue,
            other => other?,
        };
        for entry in entries.iter().filter(|entry| !entry.folder) {
            if let Some(version) = version_of(module, &entry.name) {
                checked_entry_name(&entry.name)?;
                checked_file_name("the installer", &entry.name)?;
                found.push((version, format!(r"{}\{folder}\{}", super::layout::SKYLINE, entry.name)));
            }
        }
    }
    let Some((_, installer)) = found.into_iter().max_by(|a, b| newer(&a.0, &b.0).then(a.1.cmp(&b.1))) else {
        return Ok(None);
    };
    let Some(names) = probe.get("names") else {
        return Err(AgentError::new(
            Reason::ProtocolViolation,
            "the probe printed no section names",
            "look at the server",
        ));
    };
    let products = registry::product_codes(names, module).map_err(|key| {
        AgentError::new(
            Reason::ModuleNotRemovable,
            format!("Windows lists {module} under `{key}`, which is no product code of Windows Installer"),
            format!(
                "remove {module} on the server by hand, then `retry`: it is installed again from its MSI"
            ),
        )
    })?;
    if products.len() > MAX_PRODUCTS {
        return Err(AgentError::new(
            Reason::ModuleNotRemovable,
            format!("Windows lists {} products called {module}", products.len()),
            "remove all of them but one on the server by hand, then `retry`",
        ));
    }
    Ok(Some((products, installer)))
}

/// The version of an installer of `module`: `DataMiner GQI 3.0.3.msi` is one, `DataMiner GQI Extras 1.0.msi` is not.
fn version_of(module: &str, file: &str) -> Option<Vec<u64>> {
    let stem_end = file
        .len()
        .checked_sub(4)
        .filter(|end| file.is_char_boundary(*end) && file[*end..].eq_ignore_ascii_case(".msi"))?;
    let stem = &file[..stem_end];
    let head = stem.get(..module.len()).filter(|head| head.eq_ignore_ascii_case(module))?;
    let rest = stem[head.len()..].trim();
    let rest = rest.trim_start_matches(['v', 'V', '-', '_', ' ']);
    if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let numbers = rest.split(['.', '-', '_', ' ', '(', ')']);
    Some(numbers.map_while(|number| number.parse().ok()).collect())
}

fn newer(a: &[u64], b: &[u64]) -> Ordering {
    let length = a.len().max(b.len());
    let number = |version: &[u64], at: usize| version.get(at).copied().unwrap_or(0);
    (0..length)
        .map(|at| number(a, at).cmp(&number(b, at)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installers_are_told_by_name_and_version() {
        for (file, version) in [
            ("DataMiner GQI 3.0.3.msi", Some(vec![3, 0, 3])),
            ("dataminer gqi 3.0.10.0.MSI", Some(vec![3, 0, 10, 0])),
            ("DataMiner GQI.msi", Some(vec![])),
            ("DataMiner GQI v2.1.msi", Some(vec![2, 1])),
            ("DataMiner GQI Extras 1.0.msi", None),
            ("DataMiner GQI 3.0.3.exe", None),
            ("DataMiner Web 3.0.3.msi", None),
            ("é.msi", None),
            (".msi", None),
            ("msi", None),
        ] {
            assert_eq!(version_of("DataMiner GQI", file), version, "{file}");
        }
        assert_eq!(newer(&[3, 0, 10], &[3, 0, 9]), Ordering::Greater);
        assert_eq!(newer(&[3, 0], &[3, 0, 0]), Ordering::Equal);
        assert_eq!(newer(&[], &[0, 1]), Ordering::Less);
    }
}
