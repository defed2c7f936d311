//! What a call of each built-in filter costs that has no row elsewhere, with settings as people
//! write them: the hooks that it has, together.

use std::fs;
use std::path::Path;

use crate::plugin_bench::{Bench, ROOMY, instructions};
use crate::table::Table;

const CALLS: u32 = 200_000;

/// The filters with their configuration.
const FILTERS: [(&str, &str); 5] = [
    ("allowlist", "hosts = [\"good.example\", \"example.org\"]"),
    (
        "headers",
        "rules = [{request = {remove = [\"x-client-data\"]}}]",
    ),
    ("lookalike", "brands = [\"paypal.com\", \"example.com\"]"),
    (
        "ratelimit",
        "limits = [{requests = 1000000000, per = \"1m\"}]",
    ),
    (
        "schedule",
        "rules = [{hosts = [\"games.example\"], closed = [{from = \"22:00\", to = \"06:00\"}]}]",
    ),
];

pub(crate) fn measure(table: &mut Table) {
    for (name, config) in FILTERS {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let plugins = folder.join("plugins");
        fs::create_dir(&plugins).expect("a new folder");
        let settings = format!("{ROOMY}[config]\n{config}\n");
        fs::write(plugins.join(format!("{name}.toml")), settings).expect("a folder to write to");
        let bench = Bench::run(folder, Path::new(name), "www.good.example", CALLS);
        for hook in bench.hooks() {
            let measured = format!("p50 {:.0} ns, p99 {:.0} ns", hook.p50, hook.p99);
            table.tell(format!("{name} {}", hook.what), measured);
        }
        let count = instructions(folder, Path::new(name), "www.good.example");
        table.tell(
            format!("{name}, all its hooks"),
            format!("{count:.0} instructions"),
        );
    }
}
