//! The program as it is released, in a process of its own: its memory and its computing time are no
//! one else's.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use portcullis_tests::Wire;

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Program {
    process: Child,
    address: SocketAddr,
    /// From the start of the process until all filters of its folder were in use.
    pub(crate) start_time: Duration,
}

/// What becomes of a program's log.
pub(crate) type Reader = fn(BufReader<ChildStderr>);

/// As it is released, whatever the benchmark itself was built as; or the one that
/// `PORTCULLIS_PROGRAM` names.
pub(crate) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("PORTCULLIS_PROGRAM") {
        return path.into();
    }
    let this = std::env::current_exe().expect("a benchmark has a path");
    let target = this.ancestors().nth(3);
    let target = target.expect("a benchmark lies in target/PROFILE/deps");
    target
        .join("release/portcullis")
        .with_extension(std::env::consts::EXE_EXTENSION)
}

impl Program {
    /// Starts it in a folder that has `plugins` in it, with two workers and without feeds unless
    /// `config` has some. What it logs from then on is for `reader`, on a thread of its own.
    pub(crate) fn start(folder: &Path, config: &str, reader: Reader) -> Self {
        Self::start_by(Command::new(program()), folder, config, reader)
    }

    /// The same by a command that begins with the program's path, or with what runs it.
    pub(crate) fn start_by(
        mut command: Command,
        folder: &Path,
        config: &str,
        reader: Reader,
    ) -> Self {
        let config = format!(
            "{config}\n[proxy]\nlisten = \"127.0.0.1:0\"\nworkers = 2\n[cache]\ndir = \"cache\"\n"
        );
        fs::write(folder.join("portcullis.toml"), config).expect("a folder to write to");
        let begun = Instant::now();
        let mut process = command
            .arg("run")
            .current_dir(folder)
            .stderr(Stdio::piped())
            .spawn()
            .expect("`cargo build --release` has built the program");
        let log = process.stderr.take().expect("it is piped");
        let mut log = BufReader::new(log);
        let mut address = None;
        let mut line = String::new();
        while !line.contains("filters in use") {
            line.clear();
            let read = log.read_line(&mut line).expect("a log");
            assert_ne!(read, 0, "the program ended before it was ready");
            if let Some((_, at)) = line.trim_end().split_once("listening address=") {
                address = at.parse().ok();
            }
        }
        let start_time = begun.elapsed();
        thread::spawn(move || reader(log));
        Self {
            process,
            address: address.expect("it says where it listens"),
            start_time,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that is connected to it.
    pub(crate) async fn client(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has in memory, in bytes.
    pub(crate) fn resident_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("a process of a Linux system");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.expect("its memory") << 10
    }

    /// Ends it as an operator does, and says how long that took.
    pub(crate) fn stop(mut self) -> Duration {
        let begun = Instant::now();
        let process = self.process.id().to_string();
        let signal = Command::new("kill").args(["-s", "TERM", &process]).status();
        assert!(signal.expect("there is kill").success());
        let ended = self.process.wait().expect("our own process");
        assert!(ended.success(), "{ended}");
        begun.elapsed()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, unless something went wrong.
        let _ = self.process.kill();
    }
}

/// A GET for the first page of a host, which may have a port.
pub(crate) fn request(host: &str) -> String {
    format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n")
}
