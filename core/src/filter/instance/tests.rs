//! What becomes of a call that fails below its guest.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::config::{FilterSettings, Grants};
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::engine::Engine;
use crate::filter::grants::Withheld;
use crate::filter::hook::Uses;
use crate::filter::host::Host;
use crate::filter::log_budget::LogBudget;
use crate::filter::metrics::Metrics;
use crate::filter::random::Random;
use crate::filter::state::Stores;
use crate::filter::suspicion::Suspicion;

#[tokio::test]
async fn a_panic_below_a_guest_is_a_failure_of_the_call() {
    let settings = FilterSettings::default();
    let engine = Engine::new(512 << 10).unwrap();
    let host = Host {
        name: "test".into(),
        feeds: Feeds::open(&BTreeMap::new(), Path::new("no/such/folder")),
        grants: Grants::default(),
        state: Stores::default().open(&"test".into(), settings.limits.state),
        metrics: Metrics::default(),
        log: Arc::new(LogBudget::new(1)),
        clock: Clock::System,
        random: Random::default(),
        uses: Uses::default(),
        is_builtin: false,
        asked_for_missing_client: Arc::default(),
        withheld: Withheld::default(),
        refused: Arc::default(),
        suspicion: Suspicion::default(),
        refuses_fields: false,
    };
    let state = State::new(host, engine.clone(), &settings);
    let mut store = Store::new(engine.wasmtime(), state);
    let call = within(&mut store, Allowance::call(&settings.limits), async |_| {
        panic!("an index is wrong");
        #[expect(unreachable_code, reason = "it gives the closure its type")]
        Ok(())
    });
    let failure = call.await.unwrap_err().to_string();
    assert!(
        failure.ends_with("please report it: an index is wrong"),
        "{failure}"
    );
}
