//! Package managers with a proxy of their own fetch from indexes of the test's own, under names
//! that a DNS server of the test's own answers.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;

/// The name that the indexes have.
const INDEX: &str = "packages.example";

/// A server on loopback with these files, at paths that begin with a slash.
struct Index {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

type Files = Vec<(&'static str, Vec<u8>)>;

impl Index {
    /// `files` are made for the authority of the server.
    fn start(files: impl FnOnce(&str) -> Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let files = files(&format!("{INDEX}:{port}"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                serve(client.unwrap(), &files, &heard);
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn serve(mut client: std::net::TcpStream, files: &Files, heard: &Mutex<Vec<String>>) {
    let mut head = BufReader::new(client.try_clone().unwrap()).lines();
    let Some(Ok(line)) = head.next() else {
        return;
    };
    while head.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let found = files.iter().find(|(known, _)| *known == path);
    heard.lock().unwrap().push(path);
    let (status, body) = found.map_or(("404 Not Found", &[][..]), |(_, body)| ("200 OK", body));
    // Pip wants to know that a page is one.
    let kind = if body.starts_with(b"<") {
        "html"
    } else {
        "plain"
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/{kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // A client that has what it wants may be gone.
    let _ = client.write_all(&[head.as_bytes(), body].concat());
}

/// A DNS server to which every name leads to this machine.
fn dns() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut asked = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut asked) {
            let name = asked[12..length].iter().position(|byte| *byte == 0);
            let question = &asked[12..12 + name.unwrap() + 5];
            let is_ipv4 = question[question.len() - 4..] == [0, 1, 0, 1];
            let counts = [0x81, 0x80, 0, 1, 0, is_ipv4.into(), 0, 0, 0, 0];
            let address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1];
            let address = if is_ipv4 { &address[..] } else { &[] };
            let answer = [&asked[..2], &counts, question, address].concat();
            socket.send_to(&answer, client).unwrap();
        }
    });
    port
}

/// A package manager that is about to fetch the package `small` in a folder.
type Manager<'a> = &'a dyn Fn(&Path, &str) -> Vec<String>;

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// An index, and the settings for proxies that find it.
struct Scene {
    dir: TempDir,
    index: Index,
}

impl Scene {
    fn new(index: Index) -> Self {
        let dir = TempDir::new().unwrap();
        let settings = format!("[egress]\nresolvers = [\"127.0.0.1:{}\"]\n", dns());
        fs::write(dir.path().join("settings.toml"), settings).unwrap();
        Self { dir, index }
    }

    /// Runs the manager in a new folder of this name, for the index under the name `host`.
    fn run(&self, name: &str, reach: &[&str], manager: Manager<'_>, host: &str) -> Run {
        let folder = self.dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        let authority = format!("{host}:{}", self.index.port);
        let command = manager(&folder, &authority);
        let mut exec = exec(self.dir.path(), &["--config", "settings.toml"]);
        exec.args(["--report", "report.json"]).args(reach);
        exec.args([
            "--",
            "sh",
            "-c",
            "cd \"$1\" && shift && exec \"$@\"",
            "sh",
            name,
        ]);
        exec.args(command);
        for (name, value) in [
            ("npm_config_cache", "npm"),
            ("npm_config_userconfig", "npmrc"),
            ("CARGO_HOME", "cargo"),
        ] {
            exec.env(name, folder.join(value));
        }
        let output = exec.output().unwrap();
        let report = fs::read(self.dir.path().join("report.json")).unwrap();
        Run {
            folder,
            report: serde_json::from_slice(&report).unwrap(),
            said: format!("{}{}", stdout(&output), stderr(&output)),
        }
    }
}

/// What has become of a manager.
struct Run {
    folder: PathBuf,
    report: serde_json::Value,
    said: String,
}

impl Run {
    fn has_reached_the_index_alone(&self) {
        let Self { report, said, .. } = self;
        assert_eq!(report["exit_code"], 0, "{said}");
        assert_eq!(report["hosts"][0]["host"], INDEX, "{report}");
        assert_eq!(report["hosts"].as_array().unwrap().len(), 1, "{report}");
        assert_eq!(report["hosts"][0]["refused"], 0, "{report}");
    }

    fn was_refused(&self, host: &str) {
        let Self { report, said, .. } = self;
        assert_ne!(report["exit_code"], 0, "{said}");
        let hosts = report["hosts"].as_array().unwrap();
        let refused = hosts.iter().find(|of| of["host"] == host);
        let refused = refused.unwrap_or_else(|| panic!("{report} {said}"));
        assert_eq!(refused["reached"], 0, "{report}");
        assert!(refused["refused"].as_u64() >= Some(1), "{report}");
    }
}

/// A manager reaches its index where that is allowed, learns it, and reaches no other host.
fn fetches(index: Index, manager: Manager<'_>, fetched: &str) {
    let scene = Scene::new(index);
    let allowed = scene.run("allowed", &["--allow", INDEX], manager, INDEX);
    allowed.has_reached_the_index_alone();
    assert!(allowed.folder.join(fetched).exists(), "{}", allowed.said);
    assert!(scene.index.asked().len() >= 2);

    let learned = scene.run("learned", &["--learn", "hosts.toml"], manager, INDEX);
    learned.has_reached_the_index_alone();
    let hosts = fs::read_to_string(scene.dir.path().join("hosts.toml")).unwrap();
    let only = format!("[config]\nhosts = [\n    \"{INDEX}\",\n]\n");
    assert!(hosts.ends_with(&only), "{hosts}");
    let again = scene.run("again", &["--allow-from", "hosts.toml"], manager, INDEX);
    again.has_reached_the_index_alone();
    assert!(again.folder.join(fetched).exists(), "{}", again.said);
    scene.index.asked();

    let other = scene.run("other", &["--allow", "other.example"], manager, INDEX);
    other.was_refused(INDEX);
    // What the lists refuse is refused while hosts are learned, too.
    let listed = "www.blocked.portcullis.test";
    let learning = ["--learn", "no-hosts.toml"];
    let listed_one = scene.run("listed", &learning, manager, listed);
    listed_one.was_refused(listed);
    assert_eq!(scene.index.asked(), [""; 0]);
}

/// An archive of these files, as another program makes it.
fn archive(program: &mut Command, files: &[(&str, &str)]) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    let content = dir.path().join("content");
    for (name, text) in files {
        let file = content.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let folders = files
        .iter()
        .map(|(name, _)| name.split('/').next().unwrap());
    let folders: BTreeSet<&str> = folders.collect();
    let made = program.arg("../archive").args(folders);
    let made = made.current_dir(content).output().unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    fs::read(dir.path().join("archive")).unwrap()
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    archive(Command::new("tar").arg("-czf"), files)
}

#[test]
fn npm_fetches_through_a_proxy_of_its_own() {
    if !there_is("npm") {
        return;
    }
    let package = r#"{"name": "small", "version": "1.0.0"}"#;
    let packed = tar(&[("package/package.json", package)]);
    let index = Index::start(|authority| {
        let tarball = format!("http://{authority}/small/-/small-1.0.0.tgz");
        let version = json!({"name": "small", "version": "1.0.0", "dist": {"tarball": tarball}});
        let about = json!({
            "name": "small", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version},
        });
        vec![
            ("/small", about.to_string().into_bytes()),
            ("/small/-/small-1.0.0.tgz", packed),
        ]
    });
    let npm = |_: &Path, authority: &str| {
        words(&format!(
            "npm install small --prefix . --registry http://{authority}/ --fetch-retries 0 \
             --no-audit --no-fund --no-update-notifier --ignore-scripts"
        ))
    };
    fetches(index, &npm, "node_modules/small/package.json");
}

#[test]
fn pip_fetches_through_a_proxy_of_its_own() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin/python");
    let python = python.to_str().unwrap();
    if !there_is(python) {
        return;
    }
    let about = "small-1.0.dist-info";
    let mut zip = Command::new(python);
    zip.args(["-m", "zipfile", "-c"]);
    let wheel = archive(
        &mut zip,
        &[
            ("small/__init__.py", ""),
            (
                &format!("{about}/METADATA"),
                "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n",
            ),
            (
                &format!("{about}/WHEEL"),
                "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            ),
            (
                &format!("{about}/RECORD"),
                "small/__init__.py,,\nsmall-1.0.dist-info/METADATA,,\n\
                 small-1.0.dist-info/WHEEL,,\nsmall-1.0.dist-info/RECORD,,\n",
            ),
        ],
    );
    let index = Index::start(|_| {
        let page = "<a href='/small-1.0-py3-none-any.whl'>small-1.0-py3-none-any.whl</a>";
        vec![
            ("/simple/small/", page.into()),
            ("/small-1.0-py3-none-any.whl", wheel),
        ]
    });
    let pip = |_: &Path, authority: &str| {
        let (host, _) = authority.split_once(':').unwrap();
        words(&format!(
            "{python} -m pip install small --target fetched --index-url http://{authority}/simple \
             --trusted-host {host} --isolated --no-cache-dir --disable-pip-version-check --retries 0"
        ))
    };
    fetches(index, &pip, "fetched/small/__init__.py");
}

#[test]
fn cargo_fetches_through_a_proxy_of_its_own() {
    let manifest = "[package]\nname = \"small\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    let packed = tar(&[
        ("small-1.0.0/Cargo.toml", manifest),
        ("small-1.0.0/src/lib.rs", ""),
    ]);
    let checksum = HEXLOWER.encode(&Sha256::digest(&packed));
    let version = json!({
        "name": "small", "vers": "1.0.0", "deps": [], "features": {}, "cksum": checksum, "yanked": false,
    });
    let index = Index::start(|authority| {
        let config = json!({"dl": format!("http://{authority}/crates")});
        vec![
            ("/index/config.json", config.to_string().into_bytes()),
            ("/index/sm/al/small", version.to_string().into_bytes()),
            ("/crates/small/1.0.0/download", packed),
        ]
    });
    let cargo = |folder: &Path, authority: &str| {
        let manifest = manifest.replace("small", "large");
        let wants = "[dependencies]\nsmall = { version = \"1\", registry = \"own\" }\n";
        let index = format!("[registries.own]\nindex = \"sparse+http://{authority}/index/\"\n");
        for (file, text) in [
            ("Cargo.toml", &*format!("{manifest}{wants}")),
            ("src/lib.rs", ""),
            (".cargo/config.toml", &*index),
        ] {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            fs::write(folder.join(file), text).unwrap();
        }
        vec![env!("CARGO").to_owned(), "fetch".to_owned()]
    };
    fetches(index, &cargo, "Cargo.lock");
}
