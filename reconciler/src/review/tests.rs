//! What a comment shows, and what nothing in it can do.

use dataminer_core::knowledge::Knowledge;
use dataminer_schema::{
    id::{AgentName, ClusterName, PlanId, Sha256},
    plan::{
        Action, AgentVersions, BackupRef, Block, BlockCode, BreakingChanges, Change, ContentLoss, Disruption,
        Estimate, Forecast, ForecastBasis, KnownIssues, PackagePatch, Requirement, RequirementState, Step,
        VersionPair, Waiting, WaitingOn, Warning,
    },
    v1::cluster::Cluster,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn agent(name: &str) -> AgentName {
    AgentName::new(name).expect("a name")
}

fn pair(core: &str, web: &str) -> VersionPair {
    VersionPair { core: Some(core.to_owned()), build: None, web_apps: Some(web.to_owned()) }
}

/// A plan with everything in it that a plan can say; `text` is what others wrote.
fn full(cluster: &str, text: &str) -> Plan {
    let hash = Sha256::of(b"a");
    let agents = vec![agent("a1"), agent("a2")];
    let backup = BackupRef { file: text.to_owned(), sha256: hash.clone(), agent: None, vault: true };
    let step = |action, disruption, backup| Step {
        id: "1".to_owned(),
        action,
        from: Some(text.to_owned()),
        to: Some(text.to_owned()),
        build: None,
        package: Some(text.to_owned()),
        sha256: Some(hash.clone()),
        backup,
        module: Some(text.to_owned()),
        hook: Some(text.to_owned()),
        without: vec![text.to_owned()],
        patch: Some(PackagePatch { removes: text.to_owned(), sha256: None }),
        settle: Some(SignedDuration::from_mins(15)),
        agents: agents.clone(),
        disruption,
        rules: vec![text.to_owned()],
        reason: text.to_owned(),
        ready: false,
        estimate: Some(Estimate { p50: SignedDuration::from_mins(30), p95: SignedDuration::from_mins(60) }),
        requirements: vec![Requirement {
            name: text.to_owned(),
            state: RequirementState::Missing,
            agents: vec![agent("a1")],
        }],
        release_notes: Some(text.to_owned()),
    };
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        cluster: ClusterName::new(cluster).expect("a name"),
        commit: None,
        id: PlanId::from_sha256(&hash),
        result: PlanResult::Blocked,
        change: Change::Downgrade,
        from: pair(text, text),
        to: pair("10.4.0 CU21", "10.4.0 CU21"),
        agents: agents
            .iter()
            .map(|name| AgentVersions { name: name.clone(), core: None, build: None, web_apps: None })
            .collect(),
        steps: vec![
            step(Action::StagePackage, Disruption::None, None),
            step(Action::DowngradeCore, Disruption::Restart, None),
            step(Action::RestoreContent, Disruption::WebServer, Some(backup.clone())),
        ],
        blocked: vec![Block {
            code: BlockCode::NoPackage,
            message: text.to_owned(),
            help: text.to_owned(),
            agents: agents.clone(),
        }],
        waiting: vec![Waiting {
            on: WaitingOn::Window,
            until: Some(at("2026-11-21T21:00:00Z")),
            message: text.to_owned(),
        }],
        warnings: vec![Warning {
            code: text.to_owned(),
            reference: Some(text.to_owned()),
            message: text.to_owned(),
        }],
        forecast: Some(Forecast {
            starts: at("2026-11-21T21:00:00Z"),
            ends: at("2026-11-21T22:30:00Z"),
            ends_latest: at("2026-11-22T00:00:00Z"),
            window_closes: Some(at("2026-11-21T23:00:00Z")),
            fits: false,
            basis: ForecastBasis::Defaults,
        }),
        known_issues: KnownIssues {
            introduced: vec![text.to_owned()],
            resolved: vec![text.to_owned()],
            staying: vec![text.to_owned()],
            undecided: vec![text.to_owned()],
        },
        breaking_changes: BreakingChanges { brought: vec![text.to_owned()], undone: vec![text.to_owned()] },
        content_loss: Some(ContentLoss {
            backup,
            taken_at: at("2026-11-14T21:00:00Z"),
            content: text.to_owned(),
            since: at("2026-11-14T21:00:00Z"),
            agents,
        }),
    }
}

/// A plan that asks for one thing and says nothing else.
fn bare(cluster: &str, result: PlanResult) -> Plan {
    Plan {
        result,
        change: Change::Upgrade,
        from: pair("10.5.0 CU12", "10.5.0 CU12"),
        steps: Vec::new(),
        blocked: Vec::new(),
        waiting: Vec::new(),
        warnings: Vec::new(),
        forecast: None,
        known_issues: KnownIssues::default(),
        breaking_changes: BreakingChanges::default(),
        content_loss: None,
        ..full(cluster, "x")
    }
}

fn side(plans: &[Plan]) -> Side {
    let planned = |plan: &Plan| {
        let planned = Planned {
            plan: plan.clone(),
            zone: Zone::utc(),
            digest: Sha256::of(b"same"),
            places: vec![format!("host-of-{}", plan.cluster)],
        };
        (plan.cluster.clone(), planned)
    };
    Side { clusters: plans.iter().map(planned).collect() }
}

fn markdown(review: &Review) -> String {
    comment(review, &Knowledge::default(), GITHUB_LIMIT)
}

fn parsed(text: &str) -> Vec<Event<'_>> {
    // Every extension that a forge could have: the more is read as markup, the more would be found.
    let events = Parser::new_ext(text, Options::all());
    events.collect()
}

/// What only we may write, and what nobody may.
fn assert_inert(text: &str, inputs: &str) -> Result<(), TestCaseError> {
    let mut code = 0;
    let mut rows = 0;
    let mut cells = Vec::new();
    for event in parsed(text) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                for line in html.lines().filter(|line| !line.trim().is_empty()) {
                    let ours = line == MARK
                        || line == "</details>"
                        || (line.starts_with("<details><summary>") && line.ends_with("</summary>"));
                    prop_assert!(ours, "{line:?} from {inputs:?}");
                    let inner = line.trim_start_matches("<details><summary>").trim_end_matches("</summary>");
                    let inner = inner.replace("<code>", "").replace("</code>", "");
                    prop_assert!(
                        ours && (line == MARK || line == "</details>" || !inner.contains('<')),
                        "{line:?}"
                    );
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                prop_assert!(
                    dest_url.starts_with("https://docs.dataminer.services/"),
                    "{dest_url} from {inputs:?}"
                );
            }
            Event::Start(Tag::CodeBlock(_)) => code += 1,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => code -= 1,
            Event::Start(Tag::TableRow | Tag::TableHead) => {
                rows += 1;
                cells.push(0);
            }
            Event::Start(Tag::TableCell) => {
                if let Some(row) = cells.last_mut() {
                    *row += 1;
                }
            }
            // What is left to the forge's own readers: none of it may be a name, an address or a number to follow.
            Event::Text(shown) if code == 0 => {
                for sign in ["@", "://", "www.", "<", ">", "[", "]", "\u{202e}", "\u{1b}"] {
                    prop_assert!(!shown.contains(sign), "{shown:?} from {inputs:?}");
                }
                let follows = |sign: char| {
                    shown
                        .match_indices(sign)
                        .any(|(at, _)| shown[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
                };
                prop_assert!(!follows('#') && !follows('!'), "{shown:?} from {inputs:?}");
            }
            Event::Start(Tag::Heading { level, .. }) => {
                prop_assert_eq!(level, pulldown_cmark::HeadingLevel::H3, "{:?}", inputs);
            }
            Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::TaskListMarker(_)
            | Event::Rule => {
                return Err(TestCaseError::fail(format!("{event:?} from {inputs:?}")));
            }
            _ => {}
        }
    }
    prop_assert!(cells.iter().all(|count| *count == 7), "{cells:?} from {inputs:?}");
    prop_assert_eq!(rows, 2, "{:?}", inputs);
    Ok(())
}

fn hostile() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "<",
        ">",
        "`",
        "``",
        "```",
        "|",
        "\\",
        "\n",
        "\r\n",
        "\u{2028}",
        "[x](http://e.example)",
        "![i](x)",
        "<b>",
        "<!--",
        "-->",
        "</details>",
        "<details>",
        "<summary>",
        "@admin",
        "@",
        "#12",
        "!7",
        "http://e.example",
        "www.e.example",
        "a@e.example",
        "&lt;",
        "&#64;admin",
        "&",
        "*",
        "_",
        "**",
        "~~",
        "$",
        "$$",
        "[^1]",
        "[[w]]",
        "- ",
        "# ",
        "1. ",
        "> ",
        "---",
        "===",
        "| a | b |",
        "|--|--|",
        "\t",
        "    ",
        " ",
        "\u{202e}",
        "\u{200b}",
        "\u{1b}[2J",
        "\u{0}",
        ":smile:",
        "^",
        "{#id}",
        "javascript:x",
        "[ ]",
        "[x]",
        "\"",
        "'",
        "(",
        ")",
        "/close",
        "deadbeef",
        "é",
        "10.5.0 CU12",
        "word",
        "`x`",
        "</code>",
        "<a href=x>",
        "<script>",
        "\\`",
        "\\|",
        "`|",
        "|`",
        "owner/repo#1",
    ]);
    prop::collection::vec(signs, 1..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// design/07: what stands in a comment from manifests, Agents or packages opens no tag, link, mention or cell.
    #[test]
    fn nothing_that_others_wrote_acts_in_a_comment(text in hostile()) {
        let plan = full("brussels", &text);
        // Unlike anything that `hostile` makes: plans that are equal have no row.
        let other = full("brussels", "what the base wanted");
        assert_inert(&markdown(&Review::of(side(std::slice::from_ref(&plan)))), &text)?;
        assert_inert(&markdown(&Review::between(side(&[other]), side(&[plan]))), &text)?;
    }

    #[test]
    fn nothing_that_others_wrote_acts_in_a_sentence(text in hostile(), more in any::<String>()) {
        for text in [&text, &more] {
            for shown in [escape::prose(text), escape::code(text)] {
                let line = format!("- {shown}\n");
                prop_assert_eq!(line.lines().count(), 1);
                let row = format!("| a | b |\n|--|--|\n| {shown} | c |\n");
                let cells = parsed(&row).iter().filter(|event| matches!(event, Event::Start(Tag::TableCell))).count();
                prop_assert_eq!(cells, 4, "{:?}", shown);
                for document in [&line, &row] {
                    for event in parsed(document) {
                        let acts = matches!(event, Event::Html(_) | Event::InlineHtml(_)
                            | Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strong
                                | Tag::HtmlBlock | Tag::CodeBlock(_) | Tag::BlockQuote(_) | Tag::Heading { .. }));
                        prop_assert!(!acts, "{event:?} from {text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_line_of_a_file_leaves_its_block(text in hostile()) {
        let block = escape::fenced(&text);
        for event in parsed(&block) {
            let inside = matches!(event, Event::Text(_)
                | Event::Start(Tag::CodeBlock(_)) | Event::End(pulldown_cmark::TagEnd::CodeBlock));
            prop_assert!(inside, "{event:?} from {text:?}");
        }
    }
}

/// A check that nothing can fail proves nothing: the raw text does all that the comment prevents.
#[test]
fn the_check_notices_whatever_acts() {
    let table = "| a | b | c | d | e | f | g |\n|--|--|--|--|--|--|--|\n| a | b | c | d | e | f | g |\n\n";
    assert!(assert_inert(&format!("{table}`quiet`"), "").is_ok());
    for raw in [
        "<b>x</b>",
        "<script>",
        "[x](http://e.example)",
        "![x](y)",
        "@admin",
        "see http://e.example",
        "www.e.example",
        "fixes #12",
        "!7",
        "# heading",
        "- [ ] task",
        "$x$",
        "a\u{202e}b",
    ] {
        assert!(assert_inert(&format!("{table}{raw}\n"), raw).is_err(), "{raw}");
    }
    let split =
        table.replace("| a | b | c | d | e | f | g |\n\n", "| a | b | c | d | e | f | g |\n| x |\n\n");
    assert!(assert_inert(&split, "a row more").is_err());
}

#[test]
fn a_comment_names_the_loss_the_block_and_the_time_first() {
    let text = markdown(&Review::of(side(&[full("brussels", "sentence")])));
    assert!(
        text.starts_with(&format!(
            "{MARK}\n### DataMiner upgrades: 1 cluster changes, 1 is blocked, **content is lost on 1**\n\n"
        )),
        "{text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn plans_that_say_little_are_shown_too() {
    let plans: Vec<Plan> = [
        ("a", PlanResult::Ready),
        ("b", PlanResult::Waiting),
        ("c", PlanResult::Blocked),
        ("d", PlanResult::Converged),
    ]
    .map(|(name, result)| bare(name, result))
    .into();
    insta::assert_snapshot!(markdown(&Review::of(side(&plans))));
}

#[test]
fn a_change_is_shown_by_what_it_makes_different() {
    let (quiet, loud) = (bare("b", PlanResult::Ready), full("b", "other"));
    let (gone, same) = (bare("a", PlanResult::Ready), bare("same", PlanResult::Waiting));
    let review = Review::between(
        side(&[gone, quiet.clone(), same.clone()]),
        side(&[loud, same, bare("new", PlanResult::Ready)]),
    );
    let standing: Vec<_> =
        review.clusters.iter().map(|entry| (entry.cluster.as_str(), entry.standing)).collect();
    assert_eq!(
        standing,
        [("b", Standing::Changed), ("new", Standing::Added), ("a", Standing::Removed)],
        "what is lost first, what goes last"
    );
    assert_eq!(review.unchanged, 1);
    let text = markdown(&review);
    assert!(text.contains("1 other cluster does not change."), "{text}");
    assert!(text.contains("- from: `10.5.0` CU12") || text.contains("- from: 10.5.0 CU12"), "{text}");
    assert!(text.contains("| `a` | | no longer managed |"), "{text}");
}

#[test]
fn a_cluster_under_another_name_is_told_by_its_agents() {
    let mut renamed = side(&[bare("new", PlanResult::Ready)]);
    for planned in renamed.clusters.values_mut() {
        planned.places = vec!["host-of-old".to_owned()];
    }
    let review = Review::between(side(&[bare("old", PlanResult::Ready)]), renamed);
    let entry = review.clusters.iter().find(|entry| entry.standing == Standing::Added).expect("it is new");
    assert_eq!(entry.renamed_from.as_ref().map(ClusterName::as_str), Some("old"));
    assert!(markdown(&review).contains("**It was called `old` before:**"));
}

#[test]
fn manifests_that_change_without_their_plans_are_named() {
    let mut head = side(&[bare("a", PlanResult::Ready), bare("b", PlanResult::Ready)]);
    for planned in head.clusters.values_mut().take(1) {
        planned.digest = Sha256::of(b"other");
    }
    let review = Review::between(side(&[bare("a", PlanResult::Ready), bare("b", PlanResult::Ready)]), head);
    let text = markdown(&review);
    assert!(
        text.contains("2 other clusters do not change. The manifests change of `a`, their plans do not."),
        "{text}"
    );
    assert!(text.contains("### DataMiner upgrades: no cluster is upgraded\n"), "{text}");
}

/// The cap holds by whole clusters: what is shown of one is all of it, and what is not is counted.
#[test]
fn a_comment_never_outgrows_what_a_forge_takes() {
    let plans: Vec<Plan> =
        (0..1_000).map(|at| full(&format!("cluster-{at:04}"), "a sentence @like `this`")).collect();
    let review = Review::of(side(&plans));
    for limit in [GITHUB_LIMIT, 20_000, 5_000] {
        let text = comment(&review, &Knowledge::default(), limit);
        assert!(text.len() <= limit, "{} of {limit}", text.len());
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count(), "at {limit}");
        assert!(text.contains(" more changed are not in the table."), "at {limit}");
        assert!(text.contains("The details of "), "at {limit}");
    }
    let text = markdown(&review);
    assert!(text.contains("<details><summary><code>cluster-0000</code>") && text.len() > GITHUB_LIMIT / 2);
    let few = Review::of(side(&plans[..3]));
    assert!(!markdown(&few).contains("do not fit"));
}

#[test]
fn the_order_of_what_came_in_does_not_show() {
    let plans: Vec<Plan> = ["c", "a", "b"].map(|name| full(name, "x")).into();
    let turned: Vec<Plan> = plans.iter().rev().cloned().collect();
    assert_eq!(markdown(&Review::of(side(&plans))), markdown(&Review::of(side(&turned))));
}

#[test]
fn only_the_products_own_documentation_is_linked() {
    let linked = |notes: &str| {
        let mut plan = full("a", "x");
        plan.steps.truncate(1);
        plan.steps[0].release_notes = Some(notes.to_owned());
        let text = markdown(&Review::of(side(&[plan])));
        parsed(&text).iter().any(|event| matches!(event, Event::Start(Tag::Link { .. })))
    };
    assert!(linked("https://docs.dataminer.services/release-notes/General/10.5.html#fixes"));
    for foreign in [
        "https://evil.example/",
        "https://docs.dataminer.services.evil.example/",
        "https://docs.dataminer.services/a)[b](javascript:x",
        "javascript:alert(1)",
    ] {
        assert!(!linked(foreign), "{foreign}");
    }
}

/// A Side keeps clusters and plans together by their order.
#[test]
fn a_side_takes_the_zone_of_each_cluster() {
    let no_clusters: [Cluster; 0] = [];
    assert_eq!(Side::new(&no_clusters, Vec::new()).clusters.len(), 0);
}
