//! The contract lasts: a filter that is built for a released version loads in every later proxy.
//! The released texts are kept, and every change of the contract is compared with each of them.

mod pinned;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use portcullis::{Config, commands};
use portcullis_tests::kept::{self, ALL_GRANTS};
use portcullis_tests::{guests, later};
use sha2::{Digest, Sha256};
use wit_component::semver_check;
use wit_parser::{PackageId, Resolve};

/// The released versions with the SHA-256 of their texts.
const RELEASED: [(&str, &str); 1] = [(
    "1.0.0",
    "4f6be777013c9e9a5ac019ad5f48ff1085a2ae5fd15599aac4f32138ab2018fb",
)];

/// The hooks, each of which filters export alone.
const HOOKS: [&str; 6] = [
    "lifecycle",
    "judge-host",
    "judge-request",
    "judge-response",
    "exchange-ended",
    "tick",
];

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit")
}

fn current() -> String {
    fs::read_to_string(wit().join("filter.wit")).expect("the contract is there")
}

/// The released versions with their texts.
fn released() -> Vec<(String, String)> {
    let versions = fs::read_dir(wit().join("released")).expect("there are released versions");
    let text = |folder: PathBuf| {
        let version = folder
            .file_name()
            .expect("a version")
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(folder.join("filter.wit"));
        (version, text.expect("a released version has its text"))
    };
    let versions = versions.map(|folder| text(folder.expect("it can be read").path()));
    let mut versions: Vec<_> = versions.collect();
    versions.sort();
    versions
}

/// The worlds of a filter with one of these hooks and all capabilities.
fn filters(hooks: &[&str], version: &str) -> String {
    let world = |hook: &&str| {
        format!(
            "world with-{hook} {{ include portcullis:filter/capabilities@{version}; \
             include portcullis:filter/{hook}-hook@{version}; }}\n"
        )
    };
    String::from_iter(hooks.iter().map(world))
}

/// Adds a text as that version, with the worlds of filters that have one of these hooks.
fn add(
    resolve: &mut Resolve,
    hooks: &[&str],
    text: &str,
    version: &str,
) -> Option<(PackageId, PackageId)> {
    let contract = resolve
        .push_str("filter.wit", &later::as_version(text, version))
        .ok()?;
    let worlds = format!(
        "package author:filter@{version};\n{}",
        filters(hooks, version)
    );
    let worlds = resolve.push_str("world.wit", &worlds).ok()?;
    Some((contract, worlds))
}

/// What stands against a text in place of another.
#[derive(Debug, Default, PartialEq, Eq)]
struct Objections {
    /// In words.
    rules: Vec<String>,
    /// The hooks whose filters do not load any more, as the checker finds.
    hooks: Vec<&'static str>,
}

/// Compares what filters for `old` need with what `new` has.
fn objections(old: &str, new: &str) -> Objections {
    objections_of(&HOOKS, old, new)
}

/// The same of filters that have one of these hooks.
fn objections_of(hooks: &[&'static str], old: &str, new: &str) -> Objections {
    let mut resolve = Resolve::default();
    let before = add(&mut resolve, hooks, old, "1.998.0");
    let before = before.expect("the old text is valid and has every hook");
    let after = add(&mut resolve, hooks, new, "1.999.0");
    let after = after.expect("the new text is valid and has every hook");
    let breaks = |hook: &&str| {
        let world = |package| resolve.select_world(&[package], Some(&format!("with-{hook}")));
        let (was, is) = (world(before.1), world(after.1));
        let (was, is) = (was.expect("it is there"), is.expect("it is there"));
        semver_check(resolve.clone(), was, is).is_err()
    };
    Objections {
        rules: rules::broken(&resolve, before.0, after.0),
        hooks: hooks.iter().copied().filter(breaks).collect(),
    }
}

/// The released text with one change.
fn changed(from: &str, to: &str) -> String {
    let (_, text) = released().remove(0);
    assert!(text.contains(from), "the contract has no `{from}`");
    text.replace(from, to)
}

#[test]
fn a_filter_for_a_released_version_fits_the_contract() {
    for (version, text) in released() {
        let objections = objections(&text, &current());
        assert_eq!(objections, Objections::default(), "{version}");
    }
}

/// A hook that is missing in the list above would be compared with nothing.
#[test]
fn every_hook_of_the_text_is_compared() {
    for (version, text) in released().into_iter().chain([("now".into(), current())]) {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("filter.wit", &text);
        let package = package.expect("the text is valid");
        let worlds = resolve.packages[package].worlds.keys();
        let hooks = worlds.filter_map(|world| world.strip_suffix("-hook"));
        let mut hooks: Vec<&str> = hooks.collect();
        let mut compared = HOOKS.to_vec();
        hooks.sort_unstable();
        compared.sort_unstable();
        assert_eq!(hooks, compared, "{version}");
    }
}

/// The text of a released version never changes, nor does a line of this.
#[test]
fn the_text_of_a_released_version_is_the_one_that_was_released() {
    let hash = |text: &str| HEXLOWER.encode(&Sha256::digest(text));
    let found: Vec<_> = released()
        .into_iter()
        .map(|(version, text)| (version, hash(&text)))
        .collect();
    let expected = RELEASED.map(|(version, hash)| (version.to_owned(), hash.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn the_text_of_the_newest_version_is_the_one_that_is_kept() {
    let current = current();
    let (_, rest) = current
        .split_once("package portcullis:filter@")
        .expect("a package");
    let (version, _) = rest.split_once(';').expect("its end");
    let kept = released()
        .into_iter()
        .find(|(released, _)| released == version);
    let (_, kept) = kept.expect("the version is kept");
    assert!(
        kept == current,
        "sdk/wit/filter.wit says {version} and differs from sdk/wit/released/{version}; a change \
         needs another version"
    );
}

/// The filters that are kept, with the version that they were built for: in `tests/kept`.
fn kept_filters() -> Vec<(PathBuf, Vec<u8>)> {
    let mut kept = Vec::new();
    for (version, contract) in released() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("kept")
            .join(version);
        for file in fs::read_dir(folder).expect("each version has filters") {
            let file = file.expect("it can be read").path();
            if file.extension().is_some_and(|extension| extension == "wat") {
                let text = fs::read_to_string(&file).expect("it is text");
                kept.push((file, guests::kept(&text, &contract)));
            }
        }
    }
    assert!(!kept.is_empty());
    kept
}

#[tokio::test]
async fn a_filter_that_was_built_for_a_released_version_answers_as_it_did() {
    for (file, filter) in kept_filters() {
        kept::assert_answers(&file, &filter).await;
    }
}

/// A filter that the SDK has made says in its manifest what its settings may be, and in `init` what
/// else is wrong with them. Its cases show that it is given hosts as they are judged.
#[tokio::test]
async fn settings_that_a_filter_for_a_released_version_does_not_take_are_refused_in_their_place() {
    let mut kept = kept_filters().into_iter();
    let packaged = kept.find(|(text, _)| text.ends_with("1.0.0/sdk.wat"));
    let (_, wasm) = packaged.expect("it is kept");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kept.wasm");
    fs::write(&file, wasm).unwrap();
    let mut config = Config::default();
    config.compiler.cache_dir = dir.path().join("compiled");
    for (settings, place, about) in [
        ("domain = ['a.example']", "kept.toml:6:1: ", "`domain`"),
        ("portal = 7", "kept.toml:6:10: ", "portal"),
        (
            "portal = 'http://a.example/'",
            "kept.toml:6:10: ",
            "is not a host",
        ),
        // Only the filter knows that, of hosts in other spellings than those that stand here.
        (
            "domains = ['BÜCHER.example']\nportal = 'www.bücher.Example.'",
            "kept.toml:7:10: ",
            "portal: it is one of the domains",
        ),
    ] {
        let settings = format!("{ALL_GRANTS}[config]\n{settings}\n");
        fs::write(file.with_extension("toml"), settings).unwrap();
        let found = commands::check_plugin(config.clone(), &file).await.unwrap();
        let refused = found.refused.unwrap_or_default();
        assert!(refused.contains(place), "{place}: {refused}");
        assert!(refused.contains(about), "{about}: {refused}");
    }
}

/// Linking is what a later version could break. `make later` builds a proxy that speaks it and runs
/// the tests above with that one. The filters in JavaScript and Python are linked where their
/// languages' tools are: in the tests of authors' tools.
#[test]
fn a_filter_that_was_built_before_a_version_links_with_a_proxy_that_speaks_it() {
    let (_, text) = released().remove(0);
    let all = |(version, text): (String, String)| {
        let filter = later::imports_all(&text, &version);
        (PathBuf::from("imports all there is"), filter)
    };
    for (name, filter) in kept_filters()
        .into_iter()
        .chain(released().into_iter().map(all))
    {
        let linked = later::link(&filter, &text);
        assert!(linked.is_ok(), "{}: {:?}", name.display(), linked.err());
    }
    // A filter that wants what even the later version does not have is refused: the linker looks.
    let wants_more = text.replace("  number: func() -> u64;", "  numbers: func() -> u64;");
    assert!(later::link(&later::imports_all(&wants_more, "1.0.0"), &text).is_err());
}

#[test]
fn a_version_that_adds_a_type_a_function_an_interface_and_a_hook_takes_all_filters() {
    let old = &released().remove(0).1;
    let next = later::grown(old);
    assert_eq!(objections(old, &next), Objections::default());
    // From then on, what it has added stays too.
    let hooks = [&HOOKS[..], &["judge-address"]].concat();
    assert_eq!(objections_of(&hooks, &next, &next), Objections::default());
    let renamed = next.replace("judge: func(address:", "judge: func(ip:");
    let broken = objections_of(&hooks, &next, &renamed);
    assert_eq!(broken.hooks, ["judge-address"]);
    let rule = "the function judge-address.judge has a parameter of another name";
    assert_eq!(broken.rules, [rule]);
    let shrunk = next.replace("name: string, suffix: string", "name: string");
    let broken = objections_of(&hooks, &next, &shrunk);
    assert_eq!(broken.hooks, hooks, "each can import it");
    assert_eq!(broken.rules, ["the record domains.halves is closed"]);
}

#[test]
fn what_would_break_a_filter_is_refused_in_words() {
    let old = &released().remove(0).1;
    for (from, to, rule) in [
        (
            "    drop,\n",
            "    drop,\n    wait,\n",
            "the variant types.verdict is closed",
        ),
        (
            "    reason: string,\n",
            "    reason: string,\n    code: string,\n",
            "the record types.refusal is closed",
        ),
        (
            "    next,\n    /// The exchange is refused with status 403; the question is the reason.\n    block,\n",
            "    next,\n    block,\n    drop,\n",
            "the enum types.fallback is closed",
        ),
        (
            "  judge: func(status: u16) -> result<verdict, string>;",
            "  judge: func(status: u16) -> result<verdict, string>;\n  trailers: func() -> result<verdict, string>;",
            "filters export judge-response, so it has one function for ever",
        ),
        (
            "  judge: func(host: string, port: u16)",
            "  judge: func(name: string, port: u16)",
            "the function judge-host.judge has a parameter of another name",
        ),
        (
            "  number: func() -> u64;",
            "  number: func(below: u64) -> u64;",
            "the function random.number has other parameters",
        ),
        (
            "  now: func() -> milliseconds;",
            "  now: func() -> result<milliseconds, string>;",
            "the function clock.now has another result",
        ),
        (
            "  registrable: func(host: string)",
            "  registered: func(host: string)",
            "the function domains.registrable is gone",
        ),
        (
            "  judge: func(method: string, url: string)",
            "  judge: async func(method: string, url: string)",
            "the function judge-request.judge is not synchronous any more",
        ),
        (
            "  import domains;\n",
            "",
            "the world capabilities does not import domains any more",
        ),
    ] {
        let objections = objections(old, &changed(from, to));
        assert_eq!(objections.rules, [rule]);
        // The words are ours, and the judgement is not.
        assert!(!objections.hooks.is_empty(), "{rule}");
    }
}
