//! How long the wanted release is supported.

use crate::testing::{Scenario, warnings};

fn told(from: &str, to: &str, now: &str) -> Vec<String> {
    let plan = Scenario::new(from, to).at(now).plan();
    let codes =
        warnings(&plan).into_iter().filter(|code| code.starts_with("Support") || code.starts_with("Older"));
    codes.map(str::to_owned).collect()
}

#[test]
fn a_change_to_a_release_that_nobody_mends_says_so_once() {
    let (today, later) = ("2026-11-21T20:00:00Z", "2028-11-21T20:00:00Z");
    assert_eq!(told("10.5.0 CU9", "10.5.0 CU12", today), Vec::<String>::new());
    assert_eq!(told("10.3.0 CU9", "10.3.0 CU22", today), ["SupportLimited"]);
    assert_eq!(told("10.3.0 CU9", "10.3.0 CU22", later), ["SupportEnded"]);
    assert_eq!(told("10.6.7", "10.6.8", today), ["OlderFeatureRelease"]);
    assert_eq!(told("10.6.7", "10.6.9", today), Vec::<String>::new());
    // Where nothing is said of a release, nothing is claimed; nor where nothing changes.
    assert_eq!(told("10.2.0 CU9", "10.2.0 CU21", today), Vec::<String>::new());
    assert_eq!(told("10.3.0 CU22", "10.3.0 CU22", later), Vec::<String>::new());
}
