//! The orders that versions have by themselves: lines (D1) and months (D2), and how two texts about one release go
//! together.

use super::*;

fn index(text: &str) -> Option<u16> {
    read(text).month_index().map(|MonthIndex(index)| index)
}

#[test]
fn lines_order_as_the_product_orders_them() {
    let mut lines: Vec<Line> =
        ["10.6.0", "10.5.1", "10.5.0", "9.6.0", "10.5.12", "10.10.0"].map(|text| read(text).line()).into();
    lines.sort();
    let shown: Vec<String> = lines.iter().map(Line::to_string).collect();
    assert_eq!(shown, ["9.6.0", "10.5.0", "10.5.1", "10.5.12", "10.6.0", "10.10.0"]);
}

/// D2, with the examples of `domain/01 section 3`.
#[test]
fn month_indices_compare_fixes_across_tracks() {
    for group in [
        ["10.5.12", "10.5.0 CU9", "10.4.0 CU21"],
        ["10.6.1", "10.5.0 CU10", "10.4.0 CU22"],
        ["10.6.3", "10.6.0 CU0", "10.5.0 CU12"],
        ["10.6.9", "10.6.0 CU6", "10.5.0 CU18"],
        ["10.4.7", "10.4.0 CU4", "10.3.0 CU16"],
        // W4 has the same months for web apps.
        ["10.5.4", "10.5.0 CU1", "10.4.0 CU13"],
        // The shift of the 10.0 line.
        ["10.1.8", "10.1.0 CU5", "10.0.0 CU16"],
        ["10.1.12", "10.1.0 CU9", "10.0.0 CU20"],
    ] {
        assert_eq!(index(group[0]), index(group[1]), "{group:?}");
        assert_eq!(index(group[0]), index(group[2]), "{group:?}");
    }
    assert_eq!(index("10.5.12"), Some(72));
    assert_eq!(index("10.5.12 CU2"), Some(72));
    assert_eq!(index("10.5.0 CU18"), Some(81));
    assert_eq!(index("10.0.0 CU10"), Some(13));
    assert_eq!(index("10.0.0 CU11"), Some(15));
    assert_eq!(index("10.5.0"), None);
    assert_eq!(index("9.6.0 CU99"), Some(0));
    assert_eq!(index("9.6.0"), Some(0));
    assert!(index("10.0.1") > Some(0) && index("11.0.0 CU0") > index("10.12.0 CU30"));
}

#[test]
fn what_two_texts_say_is_put_together() {
    let named = read("10.5.0.0-16500");
    let said = read("10.5.0 CU9");
    assert!(named.agrees_with(&said) && said.agrees_with(&named));
    assert_eq!(said.completed_by(&named), read("10.5.0 CU9 (build 16500)"));
    for (one, other) in [("10.5.0 CU9", "10.5.0 CU10"), ("10.5.0.0-1", "10.5.0.0-2"), ("10.5.0", "10.5.1")] {
        assert!(!read(one).agrees_with(&read(other)), "{one} {other}");
    }
}

/// Versions near each other, so that many agree and many are equal.
fn near() -> impl Strategy<Value = Version> {
    let parts = (9_u16..=11, 0_u16..=2, 0_u16..=3, 0_u16..=1);
    (parts, proptest::option::of(0_u16..=2), proptest::option::of(1_u32..=3), proptest::bool::weighted(0.1))
        .prop_map(|((major, minor, feature, week), cu, build, hotfix)| Version {
            line: Line { major, minor, feature },
            week,
            cu,
            build,
            hotfix,
        })
}

/// A version and another that may say something else of the same release.
fn twins() -> impl Strategy<Value = (Version, Version)> {
    (near(), near()).prop_map(|(one, other)| {
        let twin = Version { cu: other.cu, build: other.build, ..one.clone() };
        (one, twin)
    })
}

proptest! {
    #[test]
    fn lines_are_totally_ordered_by_their_numbers(one in versions(), other in versions()) {
        let numbers = |version: &Version| (version.major(), version.minor(), version.feature());
        prop_assert_eq!(one.line().cmp(&other.line()), numbers(&one).cmp(&numbers(&other)));
        prop_assert_eq!(one.line().cmp(&other.line()), other.line().cmp(&one.line()).reverse());
    }

    /// A Main Release lies below every Feature Release of its band, and these below the next Main Release.
    #[test]
    fn bands_lie_one_above_the_other(minor in 0_u16..999, feature in 1_u16..=13, cu in 0_u16..999) {
        let main = Version::new(10, minor, 0).with_cu(cu);
        let feature = Version::new(10, minor, feature);
        prop_assert!(main.line() < feature.line() && feature.line() < Version::new(10, minor + 1, 0).line());
    }

    /// D2 counts months: a CU, a Feature Release and a twelfth of a band are one each.
    #[test]
    fn months_are_counted_alike_on_both_tracks(minor in 1_u16..=30, feature in 4_u16..=12) {
        let month = |version: Version| version.month_index().map(|MonthIndex(index)| index);
        let here = month(Version::new(10, minor, feature));
        prop_assert_eq!(here, month(Version::new(10, minor, 0).with_cu(feature - 3)));
        prop_assert_eq!(here, month(Version::new(10, minor, feature).with_cu(2)));
        prop_assert_eq!(here.map(|index| index + 1), month(Version::new(10, minor, 0).with_cu(feature - 2)));
        prop_assert_eq!(here.map(|index| index + 12), month(Version::new(10, minor + 1, feature)));
        prop_assert_eq!(here, Some(12 * minor + feature));
    }

    #[test]
    fn the_month_grows_with_the_cu(version in versions(), more in 1_u16..20) {
        let Some(cu) = version.cu() else { return Ok(()) };
        prop_assert!(version.clone().with_cu(cu + more).month_index() >= version.month_index());
    }

    /// Only a Main Release from 10.0 on without its CU has no month; builds and hotfixes do not move it.
    #[test]
    fn the_month_hangs_on_line_and_cu_alone(version in versions()) {
        let open = version.track() == Track::Main && version.cu().is_none() && version.major() >= 10;
        prop_assert_eq!(version.month_index().is_none(), open);
        let other = Version { hotfix: !version.hotfix, build: Some(1), week: 3, ..version.clone() };
        prop_assert_eq!(other.month_index(), version.month_index());
    }

    #[test]
    fn agreement_is_reflexive_and_symmetric(one in near(), other in near()) {
        prop_assert!(one.agrees_with(&one));
        prop_assert_eq!(one.agrees_with(&other), other.agrees_with(&one));
    }

    #[test]
    fn two_that_agree_say_together_what_each_says((one, other) in twins()) {
        let both = one.clone().completed_by(&other);
        prop_assert_eq!(both.clone().completed_by(&other), both.clone());
        prop_assert_eq!(both.clone().completed_by(&one), both.clone());
        prop_assert_eq!(one.clone().completed_by(&one), one.clone());
        // Its own word stands in any case.
        prop_assert!(both.agrees_with(&one));
        if one.agrees_with(&other) {
            prop_assert!(both.agrees_with(&other));
            prop_assert_eq!(both.cu().is_some(), one.cu().or(other.cu()).is_some());
            prop_assert_eq!(both, other.completed_by(&one));
        } else {
            prop_assert!(!both.agrees_with(&other));
        }
    }

    /// To know more never makes two agree that did not.
    #[test]
    fn knowing_more_never_mends_a_disagreement((one, other) in twins(), third in near()) {
        let third = Version { cu: third.cu, build: third.build, ..one.clone() };
        if !one.agrees_with(&other) {
            prop_assert!(!one.completed_by(&third).agrees_with(&other));
        }
    }
}
