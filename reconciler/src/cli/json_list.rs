//! A long list as indented JSON: its items are written beside each other, and only a part of them is held as text.

use dataminer_schema::beside::beside_each_other;
use serde::Serialize;

use super::Terminal;

/// How many items are held as text at a time.
const HELD: usize = 256;

/// Fewer items than this are written faster than a thread starts.
const WORTH_A_THREAD: usize = 16;

/// Writes `{ "formatVersion": …, NAME: [items] }` in the very form of [`Terminal::json`].
///
/// # Errors
/// Those of the stream.
pub(super) fn write<T: Serialize + Sync>(
    format_version: &str,
    (name, items): (&str, &[T]),
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let (version, name) = (serde_json::to_string(format_version)?, serde_json::to_string(name)?);
    terminal.data(format!("{{\n  \"formatVersion\": {version},\n  {name}: ["))?;
    let mut between = "\n    ";
    for part in items.chunks(HELD) {
        for text in beside_each_other(part.iter().collect(), WORTH_A_THREAD, indented) {
            terminal.data(between)?;
            terminal.data(text?)?;
            between = ",\n    ";
        }
    }
    terminal.line(if items.is_empty() { "]\n}" } else { "\n  ]\n}" })?;
    Ok(())
}

/// As it stands in the list. A text of JSON holds no line end of its own.
fn indented<T: Serialize>(item: &T) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(item)?.replace('\n', "\n    "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::tests::Buffer, *};

    #[test]
    fn it_is_what_one_value_of_all_would_be() {
        for count in [0, 1, 2, HELD, 2 * HELD + 3] {
            let item = |at: usize| json!({ "at": at, "text": "a\nb", "none": [], "some": [{ "x": 1 }] });
            let items: Vec<_> = (0..count).map(item).collect();
            let (listed, whole) = (Buffer::default(), Buffer::default());
            let terminal = |out: &Buffer| Terminal::over(out.clone(), Buffer::default());
            write("1.0", ("plans", &items), &mut terminal(&listed)).expect("it is written");
            let all = json!({ "formatVersion": "1.0", "plans": items });
            terminal(&whole).json(&all).expect("it is written");
            assert_eq!(listed.text(), whole.text(), "{count} items");
        }
    }
}
