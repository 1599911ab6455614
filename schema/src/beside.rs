//! Work on many things beside each other, with what came of it in their order.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

/// How many runs of things each thread finds, so that none waits long for another at the end.
const RUNS_EACH: usize = 8;

/// Does `work` on every item, on as many threads as there are processors, but none for fewer than `worth` of them.
/// What comes back is in the order of the items, whatever the number of threads.
///
/// A panic in `work` goes on in the caller.
pub fn beside_each_other<I: Send, O: Send>(
    items: Vec<I>,
    worth: usize,
    work: impl Fn(I) -> O + Sync,
) -> Vec<O> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    on_threads(processors.min(items.len() / worth.max(1)), items, work)
}

fn on_threads<I: Send, O: Send>(threads: usize, items: Vec<I>, work: impl Fn(I) -> O + Sync) -> Vec<O> {
    if threads <= 1 {
        return items.into_iter().map(work).collect();
    }
    let length = items.len().div_ceil(threads * RUNS_EACH).max(1);
    let runs = Mutex::new(runs_of(items, length).into_iter().enumerate());
    let work_off = || {
        let mut done: Vec<(usize, Vec<O>)> = Vec::new();
        loop {
            let next = runs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((at, run)) = next else { return done };
            done.push((at, run.into_iter().map(&work).collect()));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work_off)).collect();
        let mut done = work_off();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().flat_map(|(_, run)| run).collect()
}

/// The items in runs of this length, in their order.
fn runs_of<I>(items: Vec<I>, length: usize) -> Vec<Vec<I>> {
    let mut items = items.into_iter();
    let mut runs = Vec::new();
    loop {
        let run: Vec<I> = items.by_ref().take(length).collect();
        if run.is_empty() {
            return runs;
        }
        runs.push(run);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_comes_back_is_in_the_order_of_the_items(count in 0_usize..300, threads in 0_usize..6) {
            let items: Vec<usize> = (0..count).collect();
            let expected: Vec<String> = items.iter().map(ToString::to_string).collect();
            prop_assert_eq!(on_threads(threads, items, |item| item.to_string()), expected);
        }
    }

    #[test]
    fn a_panic_goes_on_in_the_caller() {
        let panicked = std::panic::catch_unwind(|| {
            on_threads(3, (0..100).collect(), |item: usize| assert_ne!(item, 57, "this one is wrong"))
        });
        assert!(panicked.is_err());
    }
}
