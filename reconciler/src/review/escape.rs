//! Foreign text in Markdown. What manifests, Agents and packages say is shown and can never act: it opens no tag,
//! link, mention, reference or table cell, whatever the forge makes of them.
//!
//! A backslash is not enough for that: forges look for `@name`, `#12` and addresses in the text that is left once the
//! Markdown is gone. They all leave code spans alone, so every word that is not harmless becomes one.

use std::fmt::Write as _;

/// The longest foreign text that is shown whole, in characters. A sentence of the planner that names every Agent of a
/// large cluster is not read in a review.
const LONGEST: usize = 600;

/// A name as code, whatever is in it.
pub(crate) fn code(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 2);
    let mut piece = String::new();
    for c in text.chars() {
        match c {
            // Ends the span, or the cell of a table that the span stands in; neither knows an escape for every parser.
            '`' | '|' => {
                span(&mut piece, &mut out);
                entity(c, &mut out);
            }
            _ => piece.push(c),
        }
    }
    span(&mut piece, &mut out);
    if out.is_empty() { "`?`".to_owned() } else { out }
}

/// A piece without backticks and bars as a code span. Backslashes at its end stay outside: before a bar or a backtick
/// some parsers would read them.
fn span(piece: &mut String, out: &mut String) {
    let text = std::mem::take(piece);
    let inside = text.trim_end_matches('\\');
    if !inside.is_empty() {
        // Two spans without anything between them would be one with other ends.
        if out.ends_with('`') {
            out.push(' ');
        }
        out.push('`');
        out.push_str(inside);
        out.push('`');
    }
    for c in text[inside.len()..].chars() {
        entity(c, out);
    }
}

fn entity(c: char, out: &mut String) {
    let _infallible = write!(out, "&#{};", u32::from(c));
}

/// A sentence. What stands between backticks in it is code, as its writer meant; words that could be more than words
/// are code too.
pub(crate) fn prose(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('`') {
        words(before, &mut out);
        let Some((inside, behind)) = after.split_once('`') else {
            entity('`', &mut out);
            rest = after;
            break;
        };
        if inside.trim().is_empty() {
            out.push_str("&#96;&#96;");
        } else {
            join(&code(inside), &mut out);
        }
        rest = behind;
    }
    words(rest, &mut out);
    out
}

/// Appends a code span, apart from one right before it.
fn join(code: &str, out: &mut String) {
    if out.ends_with('`') && code.starts_with('`') {
        out.push(' ');
    }
    out.push_str(code);
}

fn words(text: &str, out: &mut String) {
    for (at, token) in text.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let core = token.trim_start_matches(['(', '"', '\'']);
        let opening = &token[..token.len() - core.len()];
        let word = core.trim_end_matches([')', '.', ',', ';', ':', '!', '?', '"', '\'']);
        let closing = &core[word.len()..];
        if token.is_empty() {
            continue;
        }
        if word == "&" {
            out.push_str("&amp;");
        } else if is_plain(word) && !is_emoji(token) && !(out.is_empty() && begins_a_block(token)) {
            out.push_str(token);
        } else if word.is_empty() {
            join(&code(token), out);
        } else {
            out.push_str(opening);
            join(&code(word), out);
            out.push_str(closing);
        }
    }
}

/// Whether a word is nothing but a word, to every parser of Markdown and to every forge behind it.
fn is_plain(word: &str) -> bool {
    let harmless = |c: char| {
        c.is_alphanumeric()
            || !c.is_ascii()
            || matches!(c, '-' | '+' | '/' | '.' | ',' | ':' | ';' | '=' | '(' | ')' | '\'' | '"' | '?')
    };
    word.chars().all(harmless) && !is_address(word) && !is_reference(word)
}

/// Addresses become links by themselves, some of them without a scheme.
fn is_address(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let letters = |text: &str| text.chars().take_while(char::is_ascii_alphabetic).count();
    let is_domain = |(at, _): (usize, &str)| {
        lower[..at].ends_with(|c: char| c.is_alphanumeric()) && letters(&lower[at + 1..]) >= 2
    };
    lower.contains("://") || lower.contains("www.") || lower.match_indices('.').any(is_domain)
}

/// Commits, issues and trackers become links by themselves.
fn is_reference(word: &str) -> bool {
    let is_commit = word.split(|c: char| !c.is_ascii_hexdigit()).any(|run| run.len() >= 7);
    let is_issue = word.split_once('-').is_some_and(|(project, number)| {
        project.len() >= 2
            && project.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_commit || is_issue || word.contains("==")
}

/// `:name:`, and no time.
fn is_emoji(token: &str) -> bool {
    let is_time = token.bytes().all(|byte| byte.is_ascii_digit() || b":-+.TZ(),;".contains(&byte));
    token.matches(':').count() >= 2 && !is_time
}

/// Whether a line that starts so is a list, a heading, a table, or a command to the forge (`/close`).
fn begins_a_block(token: &str) -> bool {
    let behind = token.trim_start_matches(|c: char| c.is_ascii_digit());
    token.starts_with(['-', '+', '=', ':', '/'])
        || (behind.len() < token.len() && matches!(behind, "." | ")"))
}

/// A name inside a tag of ours.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '-') || !c.is_ascii() {
            out.push(c);
        } else {
            entity(c, &mut out);
        }
    }
    out
}

/// Lines of files as they are, in a block that nothing in them can end.
pub(crate) fn fenced(text: &str) -> String {
    let mut longest = 2;
    let mut lines = Vec::new();
    for line in text.lines() {
        let line: String = line.chars().map(|c| if c == '\t' { ' ' } else { shown(c) }).collect();
        let runs = line.split(|c| c != '`').map(str::len);
        longest = runs.fold(longest, usize::max);
        lines.push(line);
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

/// One line of what can be seen, cut where it gets too long.
fn visible(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = one_line.chars().take(LONGEST).map(shown).collect();
    if one_line.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

fn shown(c: char) -> char {
    if is_unseen(c) { '\u{fffd}' } else { c }
}

/// Control characters, those that turn the direction of the text, and those that are not seen at all: a reviewer
/// must see what is there. Tags (U+E0000) carry whole hidden sentences.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_the_planner_read_as_they_were_written() {
        for (text, shown) in [
            (
                "core 10.5.0 CU12 brings an older level; the wanted one follows the last hop",
                "core 10.5.0 CU12 brings an older level; the wanted one follows the last hop",
            ),
            ("the manifest says `suspend: true`", "the manifest says `suspend: true`"),
            (
                "taken at 2026-11-20T18:00:00Z, more than an hour ago (S5)",
                "taken at 2026-11-20T18:00:00Z, more than an hour ago (S5)",
            ),
            ("the .NET 10 bundle for web >= 10.6.5", "the .NET 10 bundle for web `>=` 10.6.5"),
            ("Security.xml on bru-dma-01, lis-2.", "`Security.xml` on bru-dma-01, `lis-2`."),
            ("disk & ports", "disk &amp; ports"),
            ("10.5.0 CU12 stays", "10.5.0 CU12 stays"),
        ] {
            assert_eq!(prose(text), shown);
        }
    }

    #[test]
    fn words_that_forges_act_on_become_code() {
        for (text, shown) in [
            ("ask @admin or (#12)", "ask `@admin` or (`#12`)"),
            ("see http://evil.example/x, or evil.example", "see `http://evil.example/x`, or `evil.example`"),
            (
                "a <b>c</b> [d](e) *f* _g_ ~h~ $i$ !7 %8 :wave:",
                "a `<b>c</b>` `[d](e`) `*f*` `_g_` `~h~` `$i$` `!7` `%8` `:wave`:",
            ),
            ("deadbee GH-12 owner/repo#1", "`deadbee` `GH-12` `owner/repo#1`"),
            ("- a", "`-` a"),
            ("1. a", "`1`. a"),
            ("/close", "`/close`"),
            ("a\r\n\u{2028}# b\u{202e}", "a `#` b\u{fffd}"),
            ("half ` open", "half &#96; open"),
            ("`a``b` `", "`a` `b` &#96;"),
            ("a|b", "`a`&#124;`b`"),
            ("a\\|b", "`a`&#92;&#124;`b`"),
        ] {
            assert_eq!(prose(text), shown, "{text}");
        }
    }

    #[test]
    fn names_are_code_whatever_is_in_them() {
        for (text, shown) in [
            ("a.zip", "`a.zip`"),
            ("a`b``c", "`a`&#96;`b`&#96;&#96;`c`"),
            ("C:\\x\\", "`C:\\x`&#92;"),
            ("", "`?`"),
            ("\u{e0041}\u{7}", "`\u{fffd}\u{fffd}`"),
        ] {
            assert_eq!(code(text), shown, "{text}");
        }
        assert_eq!(code(&"x".repeat(700)).chars().count(), LONGEST + 3);
        assert_eq!(html("<a href=\"x\">&@"), "&#60;a href&#61;&#34;x&#34;&#62;&#38;&#64;");
    }

    #[test]
    fn nothing_ends_a_block_of_lines() {
        assert_eq!(fenced("a\n```\n<b>\u{202e}"), "````text\na\n```\n<b>\u{fffd}\n````\n");
    }
}
