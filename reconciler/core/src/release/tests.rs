use proptest::prelude::*;

use super::*;

fn exact(text: &str) -> Release {
    Release::exact(text.parse().expect("a version")).expect("a CU")
}

/// From A, B, CU of the Main Release and A, B, C, CU of the Feature Release.
fn threshold(main: (u16, u16, u16), feature: (u16, u16, u16, u16)) -> Threshold {
    let (a, b, cu) = main;
    let main = Version::new(a, b, 0).with_cu(cu);
    let (a, b, c, cu) = feature;
    Threshold(vec![main, Version::new(a, b, c).with_cu(cu)])
}

#[test]
fn t1_the_member_of_the_own_line_decides() {
    let members = ["10.5.0 CU17", "10.6.0 CU5", "10.6.8"];
    let threshold = Threshold(members.map(|text| text.parse().expect("a version")).into());
    let at = |text: &str| exact(text).at_least(&threshold);
    assert_eq!(at("10.5.0 CU17"), Some(true));
    assert_eq!(at("10.5.0 CU16"), Some(false));
    assert_eq!(at("10.6.0 CU4"), Some(false), "10.6.0 CU4 is numerically above 10.5.0 CU17");
    assert_eq!(at("10.6.0 CU5"), Some(true));
    assert_eq!(at("10.4.0 CU21"), Some(false));
    assert_eq!(at("10.7.0 CU0"), Some(true));
    assert_eq!(at("10.6.7"), Some(false));
    assert_eq!(at("10.6.8"), Some(true));
}

#[test]
fn t1_nothing_is_read_from_the_other_track() {
    let only = |text: &str| Threshold(vec![text.parse().expect("a version")]);
    assert_eq!(exact("10.6.8").at_least(&only("10.5.0 CU17")), None);
    assert_eq!(exact("10.6.0 CU1").at_least(&only("10.5.9")), None);
}

#[test]
fn t1_thresholds_are_read_per_track() {
    let threshold = threshold((10, 3, 8), (10, 3, 11, 0));
    let at = |text: &str| exact(text).at_least(&threshold);
    assert_eq!(at("10.3.0 CU8"), Some(true));
    assert_eq!(at("10.3.0 CU7"), Some(false));
    assert_eq!(at("10.3.11"), Some(true));
    assert_eq!(at("10.3.10"), Some(false));
    assert_eq!(at("10.4.0 CU0"), Some(true));
    // 10.3.1 lies below 10.3.0/10.3.3 although it is numerically above 10.3.0.
    assert_eq!(exact("10.3.1").at_least(&self::threshold((10, 3, 0), (10, 3, 3, 0))), Some(false));
}

#[test]
fn d7_an_interval_answers_only_where_all_of_it_agrees() {
    let release = Release::between(Version::new(10, 5, 0).with_build(16500), 6, 11);
    assert_eq!(release.at_least(&threshold((10, 5, 4), (10, 5, 7, 0))), Some(true));
    assert_eq!(release.at_least(&threshold((10, 5, 11), (10, 5, 12, 2))), None);
    assert_eq!(release.cu_is(|cu| cu > 5), Some(true));
    assert_eq!(release.cu_is(|cu| cu == 9), None);
    assert_eq!(release.cu(), None);
    assert_eq!((release.index_low(), release.index_high()), (MonthIndex(69), MonthIndex(74)));
    assert_eq!(release.describe(), "10.5.0 build 16500 (CU unknown)");
}

#[test]
fn d1_the_product_orders_by_line_then_cu_then_build() {
    let order = |a: &str, b: &str| exact(a).compare(&exact(b));
    assert_eq!(order("10.5.0 CU18", "10.5.1"), Some(Ordering::Less));
    assert_eq!(order("10.5.12", "10.6.0 CU0"), Some(Ordering::Less));
    assert_eq!(order("10.5.0 CU9", "10.5.0 CU8"), Some(Ordering::Greater));
    assert_eq!(order("10.5.0 CU4 (build 15943)", "10.5.0 CU4 (build 16239)"), Some(Ordering::Less));
    assert_eq!(order("10.5.0 CU4", "10.5.0 CU4 (build 16239)"), Some(Ordering::Equal));
    let unknown = Release::between(Version::new(10, 5, 0), 3, 9);
    assert_eq!(unknown.compare(&exact("10.5.0 CU5")), None);
    assert_eq!(unknown.compare(&exact("10.5.0 CU10")), Some(Ordering::Less));
    assert_eq!(unknown.compare(&exact("10.5.0 CU2")), Some(Ordering::Greater));
}

#[test]
fn names_are_those_of_the_plan() {
    assert_eq!(exact("10.5.12").name(), "10.5.12");
    assert_eq!(exact("10.5.12 CU0").name(), "10.5.12");
    assert_eq!(exact("10.5.12 CU2").name(), "10.5.12 CU2");
    assert_eq!(exact("10.5.0 CU0").name(), "10.5.0 CU0");
    assert_eq!(exact("9.6.0").name(), "9.6.0");
}

/// W4: web levels are months, of either track.
#[test]
fn w4_web_levels_of_both_tracks_are_months() {
    let level = |text: &str| web_index(&text.parse().expect("a version"));
    assert_eq!(level("10.5.4"), level("10.5.0 CU1"));
    assert_eq!(level("10.5.4"), level("10.4.0 CU13"));
    assert!(level("10.5.4") < level("10.5.0 CU2"));
    // Unknown: the lowest that it may be.
    assert_eq!(level("10.5.0"), level("10.5.0 CU0"));
}

/// A package may name such a CU (`domain/01`, package file names); an interval over it was once empty.
#[test]
fn a_cu_beyond_the_open_end_is_still_judged() {
    assert_eq!(exact("1.2.3.4 CU186").cu_is(|cu| cu == 186), Some(true));
    let release = Release::bracketed(Version::new(10, 5, 0).with_build(20), 20, &[(10, 150)]);
    assert_eq!((release.cu_low(), release.cu_high()), (150, 150));
}

/// 10.5.0: CU6 was built before CU4 and CU5 were built again.
#[test]
fn d2_neighbours_bound_an_unknown_build_also_where_they_are_out_of_order() {
    let known = [(15943, 4), (16086, 5), (16223, 6), (16239, 4), (16243, 5), (16294, 6)];
    let range = |build: u32| {
        let release = Release::bracketed(Version::new(10, 5, 0).with_build(build), build, &known);
        (release.cu_low(), release.cu_high())
    };
    assert_eq!(range(15000), (0, 4));
    assert_eq!(range(16000), (4, 5));
    assert_eq!(range(16100), (5, 6));
    assert_eq!(range(16230), (4, 6));
    assert_eq!(range(16240), (4, 5));
    assert_eq!(range(16250), (5, 6));
    assert_eq!(range(16300), (6, OPEN_END));
}

#[test]
fn d3_builds_of_one_line_order_what_their_cus_leave_open() {
    let open = |build: u32, low: u16, high: u16| {
        Release::between(Version::new(10, 5, 0).with_build(build), low, high)
    };
    assert_eq!(open(16500, 6, 11).compare(&open(16600, 6, 11)), Some(Ordering::Less));
    assert_eq!(open(16500, 6, 11).compare(&open(16500, 6, 11)), Some(Ordering::Equal));
    assert_eq!(open(16500, 6, 11).compare(&exact("10.5.0 CU9 (build 16400)")), Some(Ordering::Greater));
    // The CU goes before the build where it tells enough: CU4 was built again after CU6.
    assert_eq!(
        exact("10.5.0 CU4 (build 16239)").compare(&exact("10.5.0 CU6 (build 16223)")),
        Some(Ordering::Less)
    );
    assert_eq!(open(16500, 6, 11).compare(&exact("10.5.0 CU9")), None);
}

/// What is known of one line, and what runs of it: builds with their CUs, builds alone, CUs alone.
#[derive(Clone, Debug)]
struct Line10 {
    known: Vec<(u32, u16)>,
    releases: Vec<Release>,
}

const BUILDS: std::ops::Range<u32> = 1..40;

fn line10(minor: u16, feature: u16, known: Vec<(u32, u16)>, runs: &[(u32, Option<u16>)]) -> Line10 {
    let line = Version::new(10, minor, feature);
    let releases = runs.iter().map(|(build, cu)| {
        let built = line.clone().with_build(*build);
        match (cu, known.iter().find(|(known, _)| known == build)) {
            (Some(cu), _) => Release::exact(line.clone().with_cu(*cu)).expect("a CU"),
            (None, Some((_, cu))) => Release::exact(built.with_cu(*cu)).expect("a CU"),
            (None, None) => Release::bracketed(built, *build, &known),
        }
    });
    let releases = releases.collect();
    Line10 { known, releases }
}

/// Lines near each other, in which CUs were also built again after later ones.
fn worlds() -> impl Strategy<Value = Line10> {
    let known = proptest::collection::btree_map(BUILDS, 0_u16..6, 0..8);
    let runs = proptest::collection::vec((BUILDS, proptest::option::weighted(0.3, 0_u16..7)), 3);
    (0_u16..2, prop_oneof![Just(0_u16), 0_u16..3], known, runs)
        .prop_map(|(minor, feature, known, runs)| line10(minor, feature, known.into_iter().collect(), &runs))
}

/// A line whose CUs grow with its builds: each build with its CU.
fn orderly() -> impl Strategy<Value = Vec<(u32, u16)>> {
    proptest::collection::vec(0_u16..3, 1..20).prop_map(|steps| {
        let cus = steps.into_iter().scan(0_u16, |cu, step| {
            *cu += step / 2;
            Some(*cu)
        });
        (1_u32..).step_by(3).zip(cus).collect()
    })
}

/// Each release that an interval may be.
fn members(release: &Release) -> Vec<Release> {
    let member = |cu| Release::exact(release.version().clone().with_cu(cu)).expect("a CU");
    (release.cu_low()..=release.cu_high()).map(member).collect()
}

/// What all say, if they say the same.
fn unanimous<T: PartialEq>(answers: impl IntoIterator<Item = T>) -> Option<T> {
    let mut answers = answers.into_iter();
    let first = answers.next()?;
    answers.all(|answer| answer == first).then_some(first)
}

proptest! {
    /// D1 over releases of which all is known: the order of line, CU and build, which is total.
    #[test]
    fn d1_is_the_order_of_line_cu_and_build(
        ours in (0_u16..3, 0_u16..4, 0_u16..4, 0_u32..4),
        theirs in (0_u16..3, 0_u16..4, 0_u16..4, 0_u32..4),
    ) {
        let release = |(b, c, cu, build): (u16, u16, u16, u32)| {
            Release::exact(Version::new(10, b, c).with_cu(cu).with_build(build)).expect("a CU")
        };
        // One build of a line is one release: it has one CU.
        prop_assume!((ours.0, ours.1, ours.3) != (theirs.0, theirs.1, theirs.3) || ours == theirs);
        prop_assert_eq!(release(ours).compare(&release(theirs)), Some(ours.cmp(&theirs)));
    }

    #[test]
    fn an_order_is_antisymmetric_and_never_turns_in_a_circle(world in worlds()) {
        let [a, b, c] = world.releases.as_slice() else { return Ok(()) };
        prop_assert_eq!(a.compare(b), b.compare(a).map(Ordering::reverse));
        prop_assert_eq!(a.compare(a).unwrap_or(Ordering::Equal), Ordering::Equal);
        // D3 lets the build decide where a CU is unknown; in a line whose CUs were built again after later ones, that is
        // a guess for each pair, and three of them need not agree.
        let grows = world.known.is_sorted_by_key(|(_, cu)| *cu);
        if grows && a.compare(b) == Some(Ordering::Less) && b.compare(c) == Some(Ordering::Less) {
            prop_assert!(matches!(a.compare(c), Some(Ordering::Less) | None), "{:?}", world);
        }
    }

    /// D7: what an interval says of its order, all that it may be say, and it says all that they agree on.
    #[test]
    fn an_interval_orders_as_all_of_its_members_do(world in worlds()) {
        let [a, b, _] = world.releases.as_slice() else { return Ok(()) };
        let apart = a.cu_high() < b.cu_low() || b.cu_high() < a.cu_low();
        let possible = |x: &Release, y: &Release| match (x.build(), y.build()) {
            (Some(ours), Some(theirs)) if !apart => match ours.cmp(&theirs) {
                Ordering::Less => x.cu() <= y.cu(),
                Ordering::Equal => x.cu() == y.cu(),
                Ordering::Greater => x.cu() >= y.cu(),
            },
            // Nothing but the CUs is known, or they are known to be out of order.
            _ => true,
        };
        let (ours, theirs) = (members(a), members(b));
        let pairs = ours.iter().flat_map(|x| theirs.iter().map(move |y| (x, y)));
        let answers = pairs.filter(|(x, y)| possible(x, y)).map(|(x, y)| x.compare(y));
        prop_assert_eq!(a.compare(b), unanimous(answers).flatten());
    }

    #[test]
    fn an_interval_meets_a_threshold_where_all_of_its_members_do(
        world in worlds(),
        main in (10_u16..=10, 0_u16..3, 0_u16..6),
        feature in (10_u16..=10, 0_u16..3, 1_u16..4, 0_u16..3),
    ) {
        let threshold = threshold(main, feature);
        for release in &world.releases {
            let answers = members(release).into_iter().map(|member| member.at_least(&threshold));
            prop_assert_eq!(release.at_least(&threshold), unanimous(answers).flatten());
        }
    }

    #[test]
    fn a_predicate_over_the_cu_holds_where_it_holds_for_all(world in worlds(), marked in any::<u128>()) {
        let holds = |cu: u16| marked >> (cu % 128) & 1 == 1;
        for release in &world.releases {
            let answers = members(release).into_iter().map(|member| holds(member.cu_low()));
            prop_assert_eq!(release.cu_is(holds), unanimous(answers));
        }
    }

    /// D2: the ends of the months are those of the members.
    #[test]
    fn the_months_of_an_interval_are_those_of_its_members(world in worlds()) {
        for release in &world.releases {
            let months: Vec<MonthIndex> = members(release).iter().map(Release::index_low).collect();
            prop_assert_eq!(Some(release.index_low()), months.iter().min().copied());
            prop_assert_eq!(Some(release.index_high()), months.iter().max().copied());
        }
    }

    /// T1: on its own track, a higher release never falls below a threshold again; the other member says nothing.
    #[test]
    fn t1_thresholds_follow_the_order_of_each_track(
        (low, high) in ((0_u16..3, 0_u16..4, 0_u16..6), (0_u16..3, 0_u16..4, 0_u16..6)),
        main in (10_u16..=10, 0_u16..3, 0_u16..6),
        feature in (10_u16..=10, 0_u16..3, 1_u16..4, 0_u16..3),
    ) {
        let release = |(b, c, cu)| Release::exact(Version::new(10, b, c).with_cu(cu)).expect("a CU");
        let (low, high) = (release(low), release(high));
        let threshold = threshold(main, feature);
        if low.track() == high.track() && low.compare(&high) != Some(Ordering::Greater) {
            prop_assert!(low.at_least(&threshold) <= high.at_least(&threshold));
        }
        let other = match low.track() {
            Track::Main => self::threshold(main, (0, 0, 1, 0)),
            Track::Feature => self::threshold((99, 0, 0), feature),
        };
        prop_assert_eq!(low.at_least(&threshold), low.at_least(&other));
    }

    /// The interval of an unknown build holds its CU, and every build that becomes known only narrows it.
    #[test]
    fn intervals_shrink_as_builds_become_known(truth in orderly(), at in any::<prop::sample::Index>(), tell in any::<u64>()) {
        let (build, cu) = *at.get(&truth);
        let others: Vec<(u32, u16)> = truth.iter().copied().filter(|(other, _)| *other != build).collect();
        let mut known = Vec::new();
        let mut before = (0, OPEN_END);
        // In an order that `tell` draws.
        let mut order: Vec<(u64, (u32, u16))> =
            others.into_iter().enumerate().map(|(n, other)| (tell.rotate_left(n as u32 * 7) % 61, other)).collect();
        order.sort_unstable();
        for (_, other) in order {
            known.push(other);
            known.sort_unstable();
            let release = Release::bracketed(Version::new(10, 5, 0).with_build(build), build, &known);
            let now = (release.cu_low(), release.cu_high());
            prop_assert!(now.0 <= cu && cu <= now.1, "{:?} {:?}", now, known);
            prop_assert!(before.0 <= now.0 && now.1 <= before.1, "{:?} {:?}", before, now);
            before = now;
        }
    }

    /// Also where CUs were built again.
    #[test]
    fn an_interval_reaches_from_neighbour_to_neighbour(world in worlds(), build in BUILDS) {
        prop_assume!(world.known.iter().all(|(known, _)| *known != build));
        let release = Release::bracketed(Version::new(10, 5, 0).with_build(build), build, &world.known);
        let below = world.known.iter().rfind(|(known, _)| *known < build).map_or(0, |(_, cu)| *cu);
        let above = world.known.iter().find(|(known, _)| *known > build).map_or(OPEN_END, |(_, cu)| *cu);
        prop_assert_eq!((release.cu_low(), release.cu_high()), (below.min(above), below.max(above)));
    }
}
