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

/// The newest installers that suit a DataMiner below 10.3.8, which does not start beside newer ones: MSIs of those are
/// passed over should a later release have left them (`domain/02 section 3`).
const BELOW_10_3_8: [(&str, &[u64]); 2] =
    [("DataMiner StorageModule", &[1, 0, 1]), ("DataMiner UserDefinableApiEndpoint", &[1, 1, 1])];

/// The product codes of a module and an installer of it.
type Found = (Vec<String>, String);

/// The product codes that Windows lists for `module`, and the newest installer of it; `None` without an installer:
/// what could not be put back is not taken away.
pub(super) async fn find(
    inner: &Inner,
    session: &Session,
    probe: &Sections,
    module: &str,
) -> Result<Option<Found>, AgentError> {
    let newest = installers(inner, session, module, None).await?;
    newest.map(|installer| Ok((products(probe, module)?, installer))).transpose()
}

/// The same for a DataMiner that is stopped, because it does not start beside what is there (G3). `None`: the module is
/// not installed, and there is no installer of it.
pub(super) async fn find_older(
    inner: &Inner,
    session: &Session,
    probe: &Sections,
    module: &str,
) -> Result<Option<Found>, AgentError> {
    let limit =
        BELOW_10_3_8.iter().find(|(name, _)| name.eq_ignore_ascii_case(module)).map(|(_, limit)| *limit);
    let installer = installers(inner, session, module, limit).await?;
    let products = products(probe, module)?;
    match installer {
        Some(installer) => Ok(Some((products, installer))),
        None if products.is_empty() => Ok(None),
        None => Err(AgentError::new(
            Reason::ModuleNotRemovable,
            format!("Tools\\ModuleInstallers has no installer of {module} that suits this DataMiner"),
            format!(
                "DataMiner does not start beside the newer {module}: put the MSI that its package brings into \
                 C:\\Skyline DataMiner\\Tools\\ModuleInstallers on that server, then `retry`"
            ),
        )),
    }
}

/// The newest installer of `module`, at most of the version `limit`.
async fn installers(
    inner: &Inner,
    session: &Session,
    module: &str,
    limit: Option<&[u64]>,
) -> Result<Option<String>, AgentError> {
    let mut found: Vec<(Vec<u64>, String)> = Vec::new();
    for folder in FOLDERS {
        let entries = match session.sftp.list(&inner.context.layout.skyline(folder), MAX_ENTRIES).await {
            Err(error) if error.is_not_found() => continue,
            other => other?,
        };
        for entry in entries.iter().filter(|entry| !entry.folder) {
            if let Some(version) = version_of(module, &entry.name)
                && limit.is_none_or(|limit| newer(&version, limit) != Ordering::Greater)
            {
                checked_entry_name(&entry.name)?;
                checked_file_name("the installer", &entry.name)?;
                found.push((version, format!(r"{}\{folder}\{}", super::layout::SKYLINE, entry.name)));
            }
        }
    }
    let newest = found.into_iter().max_by(|a, b| newer(&a.0, &b.0).then(a.1.cmp(&b.1)));
    Ok(newest.map(|(_, installer)| installer))
}

/// The product codes that Windows lists for `module`.
fn products(probe: &Sections, module: &str) -> Result<Vec<String>, AgentError> {
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
    Ok(products)
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
