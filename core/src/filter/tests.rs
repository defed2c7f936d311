//! What built-in filters cost at worst, counted in instructions of WebAssembly: the same on every
//! machine, however busy.

mod failures;

use std::collections::BTreeSet;

use serde_json::json;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use super::bindings::exports::portcullis::filter::{judge_host, lifecycle};
use super::bindings::portcullis::filter::types::Verdict;
use super::engine;
use crate::config::FilterLimits;
use crate::plugins::builtin::BUILTINS;

/// An instruction takes less than half a nanosecond: many, such as those that read a variable, are
/// none in machine code.
const INSTRUCTIONS_PER_SECOND: f64 = 2e9;

/// Plenty for everything.
const FUEL: u64 = 1 << 40;

/// A built-in filter that counts its instructions.
struct Metered {
    store: Store<()>,
    hook: judge_host::Guest,
}

impl Metered {
    async fn start(name: &str, config: &str) -> Self {
        let mut settings = engine::config();
        settings.consume_fuel(true);
        let engine = Engine::new(&settings).unwrap();
        let builtin = BUILTINS.iter().find(|builtin| builtin.name == name);
        let component = Component::from_binary(&engine, builtin.unwrap().component).unwrap();
        let filter = linker(&engine, &component)
            .instantiate_pre(&component)
            .unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(u64::MAX >> 1);
        store.set_fuel(FUEL).unwrap();
        let instance = filter.instantiate_async(&mut store).await.unwrap();
        let start = lifecycle::GuestIndices::new(&filter).unwrap();
        let start = start.load(&mut store, &instance).unwrap();
        let started = start.call_init(&mut store, config).await.unwrap();
        started.unwrap();
        let hook = judge_host::GuestIndices::new(&filter).unwrap();
        Self {
            hook: hook.load(&mut store, &instance).unwrap(),
            store,
        }
    }

    /// The instructions that it takes to let a host pass.
    async fn pass(&mut self, host: &str) -> u64 {
        self.store.set_fuel(FUEL).unwrap();
        let answer = self.hook.call_judge(&mut self.store, host, 443).await;
        let answer = answer.unwrap();
        assert!(matches!(answer, Ok(Verdict::Next)), "{host}: {answer:?}");
        FUEL - self.store.get_fuel().unwrap()
    }
}

/// What a filter asks the proxy for while it judges a host, without the proxy.
fn linker(engine: &Engine, component: &Component) -> Linker<()> {
    let mut linker = Linker::new(engine);
    let mut domains = linker.instance("portcullis:filter/domains@1.0.0").unwrap();
    let registrable = |host: &str| psl::domain_str(host).map(str::to_owned);
    domains
        .func_wrap("registrable", move |_, (host,): (String,)| {
            Ok((registrable(&host),))
        })
        .unwrap();
    let answer = linker.instance("portcullis:filter/answer@1.0.0");
    let keep = |_: wasmtime::StoreContextMut<'_, ()>, _: (u64,)| Ok(());
    answer.unwrap().func_wrap("keep", keep).unwrap();
    linker.define_unknown_imports_as_traps(component).unwrap();
    linker
}

/// This many names that have the same letters, each in another order.
fn anagrams(letters: &str, count: usize) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut letters: Vec<char> = letters.chars().collect();
    let mut names = BTreeSet::new();
    while names.len() < count {
        random.shuffle(&mut letters);
        names.insert(letters.iter().collect());
    }
    names.into_iter().collect()
}

#[tokio::test]
async fn a_thousand_brands_take_a_tenth_of_the_computing_time_at_worst() {
    let budget = FilterLimits::default().cpu.as_secs_f64() / 10.0 * INSTRUCTIONS_PER_SECOND;
    for letters in ["aeinorst", "adeinorsttuy", "aabdeghilnorstuy"] {
        // The last one is no brand, and as near to all the others as they are to each other.
        let mut names = anagrams(letters, 1001);
        let stranger = names.pop().unwrap();
        let brands: Vec<String> = names.iter().map(|name| format!("{name}.com")).collect();
        let config = json!({ "brands": brands }).to_string();
        let mut lookalike = Metered::start("lookalike", &config).await;
        let below = format!("{}.com.", names[0]).repeat(2);
        for host in [
            "example.com".to_owned(),
            format!("{stranger}.test"),
            format!("{stranger}-{}.test", "login-".repeat(7) + "a"),
            format!("{}.test", "a-".repeat(31) + "a"),
            format!("{}.test", "com".repeat(21)),
            format!("{}{stranger}.test", "a.".repeat(100)),
            format!("{}not.{stranger}.test", below.replace(".com", ".co")),
        ] {
            let instructions = lookalike.pass(&host).await;
            assert!(
                (instructions as f64) < budget,
                "{host} takes {instructions} of {budget}"
            );
        }
    }
}
