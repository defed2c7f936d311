//! The command has no way around the proxy.

use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;

const ENFORCED: [&str; 5] = ["--allow", "localhost", "--enforce", "--", "sh"];

/// What is told before the ways out that were left.
const INCOMPLETE: &str = "The boundary around the command was not complete.\n";

/// What is told where this machine is a virtual one with a way to its host.
const TO_THE_HOST: &str =
    "A way out was left: AF_VSOCK, which leads from a virtual machine to its host\n";

fn enforced(dir: &Path, script: &str) -> Output {
    ran(dir, &[&ENFORCED[..], &["-c", script]].concat())
}

#[test]
fn the_proxy_is_the_only_network() {
    if !there_is("curl") {
        return;
    }
    let (dir, port) = (TempDir::new().unwrap(), server());
    let around = asks("127.0.0.1", port).replace("curl", "curl --noproxy '*'");
    let script = asks("localhost", port) + &around + "exit 5";
    let output = enforced(dir.path(), &script);
    assert_eq!(stdout(&output), "served\n200\n000\n", "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(5));
    let end = "The command had no network but the proxy.\n";
    assert_eq!(
        stderr(&output).replace(&format!("{INCOMPLETE}{TO_THE_HOST}"), end),
        format!(
            "Hosts that the command has reached: 1; that were refused: 0\n  reached  localhost  1 request\n{end}"
        )
    );
}

#[test]
fn the_sockets_of_other_programs_are_covered() {
    if !there_is("curl") {
        return;
    }
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("agent.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let answers = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = [0; 4];
        client.read_exact(&mut head).unwrap();
        client
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nagent\n")
            .unwrap();
    });
    let ask = "curl --silent --noproxy '*' --unix-socket agent.sock http://a/";
    let output = enforced(dir.path(), &format!("{ask} || stat -c %F agent.sock"));
    assert_eq!(stdout(&output), "character special file\n", "{output:?}");
    // Outside of the boundary nothing has changed.
    let output = ran(dir.path(), &["sh", "-c", ask]);
    assert_eq!(stdout(&output), "agent\n", "{}", stderr(&output));
    answers.join().unwrap();
}

#[test]
fn the_command_has_no_power_over_its_boundary() {
    let dir = TempDir::new().unwrap();
    let own = std::process::id();
    let script = format!(
        "grep -E '^(CapPrm|CapEff|CapBnd|NoNewPrivs):' /proc/self/status; \
         head -c 1 /proc/{own}/environ || echo no other process; id -u; env | grep JEM"
    );
    let output = enforced(dir.path(), &script);
    let user = stdout(&Command::new("id").arg("-u").output().unwrap());
    let none = "0000000000000000";
    let expected = format!(
        "CapPrm:\t{none}\nCapEff:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\nno other process\n{user}"
    );
    assert_eq!(stdout(&output), expected, "{}", stderr(&output));
}

#[test]
fn the_command_cannot_change_what_its_proxy_goes_by() {
    if !there_is("curl") {
        return;
    }
    let (dir, port) = (TempDir::new().unwrap(), server());
    let script = "for f in \"$TMPDIR\"/portcullis-*; do ls -A \"$f\"; touch \"$f/x\" && echo written; done; \
                  ls -A cache; touch cache/x && echo written; exit 0";
    let output = enforced(dir.path(), &(asks("other.example", port) + script));
    let said = stdout(&output);
    assert!(said.ends_with("\n403\n"), "{said}{}", stderr(&output));
    // They are there, outside of the boundary.
    assert!(dir.path().join("cache/compiled").exists());
}

/// Ways to other programs that have a network: an agent, engines of containers, a session's bus.
const SOCKETS: [(&str, &str); 5] = [
    ("SSH_AUTH_SOCK", "PATH"),
    ("DOCKER_HOST", "unix://PATH"),
    ("CONTAINER_HOST", "unix://PATH"),
    ("DBUS_SESSION_BUS_ADDRESS", "unix:path=PATH,guid=1"),
    ("GPG_AGENT_INFO", "PATH:1:1"),
];

#[test]
fn sockets_that_variables_lead_to_are_covered_wherever_they_lie() {
    // Deeper than folders are looked through.
    let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let deep = dir.path().join("1/2/3/4/5/6/7");
    fs::create_dir_all(&deep).unwrap();
    let (made, renamed) = (deep.join("made"), deep.join("renamed"));
    let _listener = UnixListener::bind(&made).unwrap();
    // The system's table goes on telling the name before.
    fs::rename(&made, &renamed).unwrap();
    let path = renamed.to_str().unwrap();
    let kind = |variable: &str, value: &str| {
        let script = "stat -c %F \"$SOCKET\"";
        let mut command = exec(dir.path(), &[&ENFORCED[..], &["-c", script]].concat());
        for (name, _) in SOCKETS {
            command.env_remove(name);
        }
        command.env("SOCKET", path).env(variable, value);
        stdout(&command.output().unwrap())
    };
    assert_eq!(kind("OTHER", path), "socket\n", "nothing leads to it");
    for (variable, value) in SOCKETS {
        let value = value.replace("PATH", path);
        assert_eq!(
            kind(variable, &value),
            "character special file\n",
            "{variable}"
        );
    }
}

#[test]
fn a_socket_that_the_caller_has_left_open_is_told_of() {
    let dir = TempDir::new().unwrap();
    let (one, _other) = UnixStream::pair().unwrap();
    let program = exec(dir.path(), &["--enforce", "true"]);
    let mut caller = Command::new("sh");
    caller.args(["-c", "exec 7<&0 8</dev/null </dev/null \"$@\"", "sh"]);
    caller.stdin(OwnedFd::from(one));
    let output = started_by(caller, &program).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let way = "A way out was left: descriptor 7, a socket that its caller has left open\n";
    let (before, _) = said.split_once(way).expect(&said);
    assert!(before.contains(INCOMPLETE), "{said}");
    assert!(!said.contains("no network but"), "{said}");
    assert!(!said.contains("descriptor 8"), "{said}");
}

#[test]
fn a_way_to_the_host_of_a_virtual_machine_is_told_of() {
    if !there_is("python3") || !Path::new("/dev/vsock").exists() {
        return;
    }
    let dir = TempDir::new().unwrap();
    let script =
        "python3 -c 'import socket; socket.socket(socket.AF_VSOCK)' 2>/dev/null && echo opens";
    let output = enforced(dir.path(), script);
    let opens = stdout(&output) == "opens\n";
    assert_eq!(stderr(&output).contains(TO_THE_HOST), opens, "{output:?}");
}

#[test]
fn a_kernel_that_forbids_it_is_told_of_and_nothing_runs() {
    let dir = TempDir::new().unwrap();
    let program = exec(dir.path(), &["--enforce", "echo", "ran"]);
    // The maker of a user namespace may forbid that others are made in it.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let mut within = Command::new("unshare");
    within.args(["--user", "--map-root-user", "sh", "-c", script, "sh"]);
    let output = started_by(within, &program).output().unwrap();
    assert_eq!(
        (output.status.code(), &*stdout(&output)),
        (Some(1), ""),
        "{output:?}"
    );
    let said = stderr(&output);
    assert!(
        said.starts_with(
            "portcullis: there is no boundary around the command, so that it was not run: the kernel lets this user \
             make no namespaces ("
        ),
        "{said}"
    );
}

#[test]
fn a_program_that_is_not_there_ends_with_127_here_too() {
    let dir = TempDir::new().unwrap();
    let output = ran(dir.path(), &["--enforce", "nothing-of-this-name"]);
    assert_eq!(output.status.code(), Some(127), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("cannot run nothing-of-this-name: No such file"),
        "{said}"
    );
}
