//! What can hold a list. Each is built from the file of names and then asked about hosts.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use adblock::Engine;
use adblock::request::Request;
use fst::{Set, SetBuilder};
use portcullis::bench::{List, Lists};

use crate::names;

/// Asks whether a host or a domain that it is in is listed.
pub(crate) type Has = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// What a design is called, and how it is built.
type Design = (&'static str, fn(&Path) -> Has);

/// The designs.
pub(crate) const DESIGNS: [Design; 4] = [
    ("portcullis", portcullis),
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
fn portcullis(folder: &Path) -> Has {
    let list: List = lists(folder).list("list");
    Box::new(move |host| list.has(host))
}

/// The first design: a set of texts that is asked for each domain that a host is in.
fn hash_set(folder: &Path) -> Has {
    let text = fs::read_to_string(names::whole(folder)).expect("it was written");
    let set: HashSet<String> = text.lines().map(str::to_owned).collect();
    drop(text);
    Box::new(move |host| domains(host).any(|domain| set.contains(domain)))
}

fn domains(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |domain| Some(domain.split_once('.')?.1))
}

/// A transducer of the names from their ends, which is gone through once.
fn fst(folder: &Path) -> Has {
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
    Box::new(move |host| {
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
fn adblock(folder: &Path) -> Has {
    let text = fs::read_to_string(names::whole(folder)).expect("it was written");
    let rules: Vec<String> = text.lines().map(|name| format!("||{name}^")).collect();
    drop(text);
    let engine = Engine::new_with_list_text(rules.join("\n"));
    drop(rules);
    Box::new(move |host| {
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
