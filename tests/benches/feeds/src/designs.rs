//! What can hold a list. Each is built from the file of names and then asked about hosts.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use adblock::Engine;
use adblock::request::Request;
use fst::{Set, SetBuilder};
use portcullis::bench::{List, Lists};

use crate::names;

/// Asks whether a host or a domain that it is in is listed.
pub(crate) type Has = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// A list that can be asked.
pub(crate) struct Built {
    pub(crate) has: Has,
    /// The same question of an exchange, which also counts what has decided about it.
    pub(crate) decides: Has,
}

/// What a design is called, and how it is built.
type Design = (&'static str, fn(&Path) -> Built);

/// How the proxy comes to have the list.
type Open = fn(&Path) -> Lists;

/// The proxy's own, and how each is read anew.
pub(crate) const OURS: [(&str, Open); 2] = [("portcullis", lists), ("in memory", lists_in_memory)];

/// The designs.
pub(crate) const DESIGNS: [Design; 5] = [
    ("portcullis", portcullis),
    ("in memory", in_memory),
    ("HashSet", hash_set),
    ("fst", fst),
    ("adblock", adblock),
];

/// The proxy's feed of the list.
pub(crate) fn lists(folder: &Path) -> Lists {
    let file = names::whole(folder);
    let cache = folder.join("cache");
    Lists::open([("list".to_owned(), &*file)], &cache)
}

/// The same where no copy can be kept, as a file is in the way: names stay in memory.
fn lists_in_memory(folder: &Path) -> Lists {
    let file = names::whole(folder);
    Lists::open([("list".to_owned(), &*file)], &file)
}

/// Feeds that have a part of the list each.
pub(crate) fn parts(folder: &Path) -> (Lists, Vec<String>) {
    let names: Vec<String> = (0..names::PARTS)
        .map(|number| format!("part-{number}"))
        .collect();
    let files: Vec<_> = (0..names::PARTS)
        .map(|number| names::part(folder, number))
        .collect();
    let feeds = names.iter().cloned().zip(files.iter().map(|file| &**file));
    let lists = Lists::open(feeds, &folder.join("parts"));
    refresh(
        &lists,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    (lists, names)
}

/// Reads the files of lists anew, as the proxy does when they have arrived.
pub(crate) fn refresh(lists: &Lists, names: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    for name in names {
        runtime.block_on(lists.refresh(name));
    }
}

/// The list of the proxy as it stands in its file, where [`refresh`] has left it.
fn portcullis(folder: &Path) -> Built {
    built(lists(folder))
}

/// The same without a file.
fn in_memory(folder: &Path) -> Built {
    let lists = lists_in_memory(folder);
    refresh(&lists, &["list"]);
    built(lists)
}

/// The proxy has all of it for as long as the list serves: the list, what tells hosts that are on
/// none, and what is counted.
fn built(lists: Lists) -> Built {
    let list: List = lists.list("list");
    Built {
        has: Arc::new(move |host| list.has(host)),
        decides: Arc::new(move |host| lists.count(&["list"], host)),
    }
}

/// A design that counts nothing.
fn uncounted(has: impl Fn(&str) -> bool + Send + Sync + 'static) -> Built {
    let has: Has = Arc::new(has);
    Built {
        decides: has.clone(),
        has,
    }
}

/// The first design: a set of texts that is asked for each domain that a host is in.
fn hash_set(folder: &Path) -> Built {
    let text = fs::read_to_string(names::whole(folder)).expect("it was written");
    let set: HashSet<String> = text.lines().map(str::to_owned).collect();
    drop(text);
    uncounted(move |host: &str| domains(host).any(|domain| set.contains(domain)))
}

fn domains(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |domain| Some(domain.split_once('.')?.1))
}

/// A transducer of the names from their ends, which is gone through once.
fn fst(folder: &Path) -> Built {
    let text = fs::read_to_string(names::whole(folder)).expect("it was written");
    let mut names: Vec<Vec<u8>> = text
        .lines()
        .map(|name| name.bytes().rev().collect())
        .collect();
    drop(text);
    names.sort();
    let mut builder = SetBuilder::memory();
    builder.extend_iter(names).expect("they are in order");
    let set: Set<Vec<u8>> = builder.into_set();
    uncounted(move |host: &str| {
        let fst = set.as_fst();
        let mut node = fst.root();
        for (at, byte) in host.bytes().enumerate().rev() {
            let Some(index) = node.find_input(byte) else {
                return false;
            };
            node = fst.node(node.transition(index).addr);
            let is_whole = at == 0 || host.as_bytes()[at - 1] == b'.';
            if is_whole && node.is_final() {
                return true;
            }
        }
        false
    })
}

/// An engine for blocking advertisements, as a browser has it.
fn adblock(folder: &Path) -> Built {
    let text = fs::read_to_string(names::whole(folder)).expect("it was written");
    let rules: Vec<String> = text.lines().map(|name| format!("||{name}^")).collect();
    drop(text);
    let engine = Engine::new_with_list_text(rules.join("\n"));
    drop(rules);
    uncounted(move |host: &str| {
        let request = Request::new(
            &format!("http://{host}/"),
            "http://a.test/",
            "script",
            "GET",
        );
        let request = request.expect("it is a URL");
        engine.check_network_request(&request).filter.is_some()
    })
}
