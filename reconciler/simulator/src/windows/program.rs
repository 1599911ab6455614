//! How command lines fall into words.

/// The name of a program, without quotes, and the rest with its leading blank.
pub(crate) fn split_name(text: &str) -> (String, &str) {
    let text = text.trim_start();
    let mut quoted = false;
    let end = text
        .find(|c: char| {
            if c == '"' {
                quoted = !quoted;
            }
            !quoted && (c.is_whitespace() || matches!(c, ',' | ';' | '='))
        })
        .unwrap_or(text.len());
    let (mut name, mut rest) = text.split_at(end);
    // `schtasks/run` is a program with a switch; a path may hold slashes.
    if !name.starts_with('"')
        && let Some(at) = name.find('/')
        && at > 0
        && !name[..at].contains(['\\', ':', '.'])
    {
        rest = &text[at..];
        name = &name[..at];
    }
    (name.replace('"', ""), rest)
}

/// Arguments as a C program sees them: quotes group, `\"` is a quote, `\\"` a backslash and the end of a group.
pub(crate) fn arguments(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut arguments, mut word, mut started, mut quoted, mut at) =
        (Vec::new(), String::new(), false, false, 0);
    while at < chars.len() {
        match chars[at] {
            '\\' => {
                let count = chars[at..].iter().take_while(|c| **c == '\\').count();
                started = true;
                at += count;
                if chars.get(at) == Some(&'"') {
                    word.extend(std::iter::repeat_n('\\', count / 2));
                    if count % 2 == 1 {
                        word.push('"');
                        at += 1;
                    }
                } else {
                    word.extend(std::iter::repeat_n('\\', count));
                }
                continue;
            }
            '"' => {
                quoted = !quoted;
                started = true;
            }
            ' ' | '\t' if !quoted => {
                if started {
                    arguments.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            c => {
                word.push(c);
                started = true;
            }
        }
        at += 1;
    }
    if started {
        arguments.push(word);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arguments() {
        assert_eq!(split_name(r#""C:\a b\x.exe" -u "p q""#), (r"C:\a b\x.exe".to_owned(), r#" -u "p q""#));
        assert_eq!(split_name("schtasks/run /tn x"), ("schtasks".to_owned(), "/run /tn x"));
        assert_eq!(
            arguments(r#" -upgrade "C:\a b\p.dmupgrade" x\y "" a\"b"#),
            ["-upgrade", r"C:\a b\p.dmupgrade", r"x\y", "", "a\"b"]
        );
    }
}
