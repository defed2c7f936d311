use std::fs;

use tempfile::TempDir;

use super::*;

/// Hashes of `secret`, made by the reference program of argon2, by Apache's htpasswd and by libc.
const ARGON2ID: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw";
const TWO_LANES: &str =
    "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQ$5oWJWemHdvcALB5qJUf5shIEbkt0aHEYMrRv5wmzO/Y";
const BCRYPT: &str = "$2y$05$oQnJGuAg68oL9BIrQ6DOVOx57blgrCBaqErncP05IBp2qjmg6ufr.";
const BCRYPT_B: &str = "$2b$04$WMRumXSVrWSLSJIRCNhvZu1vUXVfQLNzEB/ZxJWIVBhL/yhaWAZIi";

fn parse(text: &str) -> Result<Users, String> {
    Users::parse(Path::new("users"), text).map_err(|error| error.to_string())
}

/// What is said about a file, from the number of the line on.
fn refusal(text: &str) -> String {
    let said = parse(text).expect_err("it is refused");
    said.strip_prefix("users:").unwrap_or(&said).to_owned()
}

#[test]
fn hashes_that_other_programs_have_made_are_compared() {
    for hash in [
        ARGON2ID,
        TWO_LANES,
        BCRYPT,
        BCRYPT_B,
        &BCRYPT_B.replace("2b", "2a"),
    ] {
        let users = parse(&format!("ada:{hash}\n")).unwrap();
        let ada = users.find("ada").unwrap();
        assert!(ada.hash.is_of(b"secret"), "{hash}");
        for wrong in ["", "Secret", "secret ", "secret\0"] {
            assert!(!ada.hash.is_of(wrong.as_bytes()), "{hash} {wrong:?}");
        }
        assert!(!format!("{:?}", ada.hash).contains(&hash[20..]));
    }
}

#[test]
fn a_file_has_users_comments_and_empty_lines() {
    let text = format!(
        "\u{feff}# who may log in\r\n\r\nada:{ARGON2ID}\r\n  \nBob Ünal:{BCRYPT}  \n#eve:{BCRYPT}"
    );
    let users = parse(&text).unwrap();
    assert_eq!(users.names().collect::<Vec<_>>(), ["ada", "Bob Ünal"]);
    assert_eq!(users.len(), 2);
    assert!(users.find("Bob Ünal").unwrap().hash.is_of(b"secret"));
    for unknown in ["eve", "Ada", "", "#eve"] {
        assert!(users.find(unknown).is_none(), "{unknown}");
    }
    let stand_ins: Vec<&str> = (0..3).map(|choice| &*users.stand_in(choice).name).collect();
    assert_eq!(stand_ins, ["ada", "Bob Ünal", "ada"]);
}

#[test]
fn hashes_that_are_found_out_too_fast_are_refused_with_the_way_out() {
    for (hash, why) in [
        ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "SHA-1"),
        ("{SSHA}AAAA", "SHA-1"),
        ("$apr1$5sElloLN$P63VBQKgSogqhl5dd7dbi1", "MD5"),
        ("$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", "MD5"),
        ("$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.", "SHA-crypt"),
        ("$6$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.", "SHA-crypt"),
        ("$y$j9T$x$x", "yescrypt"),
        (
            "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw",
            "argon2id",
        ),
        (
            "$argon2d$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw",
            "argon2id",
        ),
        (&BCRYPT.replace("2y", "2x"), "faulty"),
        ("secret", "a password itself"),
        ("", "a password itself"),
        ("rqXexS6ZhobKA", "neither argon2id nor bcrypt"),
    ] {
        let said = refusal(&format!("# users\nada:{hash}"));
        assert!(said.starts_with("2: the hash of `ada`: "), "{said}");
        assert!(said.contains(why), "{said}");
        assert!(said.ends_with("; `portcullis password NAME` prints a line that is right"));
        assert!(hash.is_empty() || !said.contains(hash), "{said}");
    }
}

#[test]
fn hashes_that_are_damaged_or_cost_too_much_are_refused() {
    let changed = |from: &str, to: &str| ARGON2ID.replace(from, to);
    for (hash, why) in [
        (
            changed("m=8", "m=262145"),
            "256 MiB of memory (m=262145), and may take 256 MiB",
        ),
        (changed("m=8", "m=4000000000"), "of memory"),
        (
            changed("m=8,t=1", "m=65536,t=17"),
            "65536 times 17, and may be 1048576",
        ),
        (changed("v=19", "v=16"), "version 19"),
        (changed("v=19$", ""), "version 19"),
        (changed("m=8", "m=7"), "damaged"),
        (
            changed("$L1qnTgpsWMa/dMHjDHhQFw", ""),
            "fewer than 16 bytes",
        ),
        (
            changed("L1qnTgpsWMa/dMHjDHhQFw", "L1qnTgpsWMa/dMHjDHg"),
            "fewer than 16 bytes",
        ),
        (changed("c29tZXNhbHQ", "c29tZQ"), "damaged"),
        (ARGON2ID[..40].to_owned(), "damaged"),
        (
            BCRYPT.replace("$05$", "$15$"),
            "its cost is 15, and may be 14",
        ),
        (BCRYPT.replace("$05$", "$03$"), "its cost is 3"),
        (BCRYPT[..59].to_owned(), "60 characters"),
        (format!("{BCRYPT}:more"), "60 characters"),
    ] {
        let said = refusal(&format!("ada:{hash}"));
        assert!(said.contains(why), "{hash}: {said}");
    }
    for most in [changed("m=8", "m=262144"), BCRYPT.replace("$05$", "$14$")] {
        assert!(parse(&format!("ada:{most}")).is_ok(), "{most}");
    }
}

#[test]
fn names_are_those_that_clients_can_send_each_once() {
    let long = "n".repeat(256);
    for (line, why) in [
        (format!(":{BCRYPT}"), "the name of a user is empty"),
        (format!(" ada:{BCRYPT}"), "begins or ends with white space"),
        (format!("ada :{BCRYPT}"), "begins or ends with white space"),
        (format!("a\u{7}da:{BCRYPT}"), "has a control character"),
        (format!("{long}:{BCRYPT}"), "more than 255 bytes"),
        ("ada".to_owned(), "there is no colon"),
        // What stands behind the first colon is a hash, so a name with one is noticed.
        (format!("a:da:{BCRYPT}"), "the hash of `a`: "),
    ] {
        let said = refusal(&line);
        assert!(said.starts_with("1: ") && said.contains(why), "{said}");
    }
    let twice = format!("ada:{BCRYPT}\nbob:{BCRYPT}\nada:{ARGON2ID}");
    let said = "3: the user `ada` stands in line 1 already; remove one";
    assert_eq!(refusal(&twice), said);
}

#[test]
fn a_file_without_users_or_that_is_none_is_refused() {
    assert!(refusal("# nobody yet\n").starts_with("users names no user, so that no client"));
    let folder = TempDir::new().unwrap();
    let read = |path: &Path| Users::read(path).unwrap_err();
    let missing = folder.path().join("missing");
    assert!(matches!(read(&missing), UsersError::Read { .. }));
    assert!(matches!(read(folder.path()), UsersError::Read { .. }));
    let latin = folder.path().join("latin");
    fs::write(&latin, b"\xfcnal:x").unwrap();
    assert!(matches!(read(&latin), UsersError::Read { .. }));
}
