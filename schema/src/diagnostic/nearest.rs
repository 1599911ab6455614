//! Which name was meant.

/// The one of `names` that was most likely meant by `written`; `None` if none is near.
pub fn nearest<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', ' '], "");
    let written = plain(written);
    let distance = |name: &str| strsim::damerau_levenshtein(&written, &plain(name));
    let near = names.iter().map(|name| (distance(name), *name)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, name)| *distance <= (name.len() / 3).clamp(1, 3)).map(|(_, name)| name)
}
