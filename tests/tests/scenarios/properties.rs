//! What holds for every request, tried with random ones. A case that fails is made as small as it
//! can be and printed; its seed is printed too, and kept in the file beside the property, from
//! which each run tries it again. `PROPTEST_CASES=10000` tries more.

#[cfg(target_os = "linux")]
mod kept;
mod refusals;
mod spellings;

use std::path::Path;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseResult, TestRunner};
use tokio::runtime::{Builder, Runtime};

/// The longest search for a smaller case, in milliseconds.
const SHRINKING: u32 = 60_000;

/// Tries random cases. Those that have failed once are in `regressions`, a file beside the
/// property.
fn holds<S: Strategy>(regressions: &str, cases: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    holds_for(Config::default().cases, regressions, cases, property);
}

/// The same with fewer cases, as each of them is long.
#[cfg(target_os = "linux")]
fn holds_at_length<S: Strategy>(
    regressions: &str,
    cases: &S,
    property: impl Fn(S::Value) -> TestCaseResult,
) {
    let number = Config::default().cases.div_ceil(128);
    holds_for(number, regressions, cases, property);
}

fn holds_for<S: Strategy>(
    number: u32,
    regressions: &str,
    cases: &S,
    property: impl Fn(S::Value) -> TestCaseResult,
) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/properties");
    let file = folder.join(regressions);
    let file = file.to_str().expect("a path of letters").to_owned();
    let mut runner = TestRunner::new(Config {
        cases: number,
        max_shrink_iters: Config::default().max_shrink_iters(),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(file.leak()))),
        max_shrink_time: SHRINKING,
        ..Config::default()
    });
    if let Err(failure) = runner.run(cases, property) {
        panic!("{failure}");
    }
}

/// Cases are not futures, so each enters the runtime by itself.
fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}
