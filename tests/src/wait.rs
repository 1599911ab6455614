//! Waiting for a condition of another process.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Asks until there is an answer.
///
/// # Panics
/// After `patience`, naming `what` was waited for and the last reason why it was not there.
pub fn until<T, E: std::fmt::Display>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(reason) => {
                assert!(Instant::now() < deadline, "waited {patience:?} for {what}; last: {reason}");
            }
        }
        // Another process's state has no event to wait on.
        thread::sleep(Duration::from_millis(20));
    }
}
