//! One test for each story.

use std::path::Path;

fn tell(path: &Path, text: String) -> datatest_stable::Result<()> {
    dataminer_reconciler_scenarios::check(path, &text).map_err(Into::into)
}

datatest_stable::harness! { { test = tell, root = ".", pattern = r"^[a-z0-9-]+\.txt$" } }
