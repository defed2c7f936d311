//! Exports as abuse.ch and others publish them, with names of our own: the column or field with the
//! names is found by what it is called.

use super::*;

/// URLhaus, `downloads/csv_recent`.
const URLHAUS_CSV: &str = "\
################################################################\r
# abuse.ch URLhaus Database Dump (CSV - recent URLs only)      #\r
# Last updated: 2026-07-30 11:54:23 (UTC)                      #\r
#                                                              #\r
# Terms Of Use: https://urlhaus.abuse.ch/api/                  #\r
# For questions please contact urlhaus [at] abuse.ch           #\r
################################################################\r
#\r
# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\r
\"3594310\",\"2026-07-30 11:54:23\",\"http://192.0.2.89:37352/bin.sh\",\"online\",\"2026-07-30 11:54:23\",\"malware_download\",\"32-bit,elf,mips,Mozi\",\"https://urlhaus.abuse.ch/url/3594310/\",\"geenensp\"\r
\"3594309\",\"2026-07-30 11:54:06\",\"https://cdn.evil.example/a,b.exe\",\"offline\",\"\",\"malware_download\",\"None\",\"https://urlhaus.abuse.ch/url/3594309/\",\"someone\"\r
";

/// ThreatFox, `export/csv/recent`: a space before each value but the first.
const THREATFOX_CSV: &str = "\
################################################################\r
# ThreatFox IOCs: recent additions - CSV format                #\r
# Last updated: 2026-07-04 22:19:04 UTC                        #\r
#\r
# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\r
\"2026-07-04 22:19:04\", \"1844855\", \"clear.fake.example\", \"domain\", \"payload_delivery\", \"js.clearfake\", \"None\", \"ClearFake\", \"\", \"100\", \"False\", \"None\", \"ClearFake,windows\", \"1\", \"anonymous\"\r
\"2026-07-04 21:46:30\", \"1844853\", \"192.0.2.36:5555\", \"ip:port\", \"botnet_cc\", \"win.cobalt_strike\", \"Agentemis,BEACON\", \"Cobalt Strike\", \"2026-07-04 22:46:23\", \"75\", \"False\", \"None\", \"CobaltStrike\", \"0\", \"abuse_ch\"\r
\"2026-07-04 19:15:03\", \"1844827\", \"https://fit.example/path?q=a,b\", \"url\", \"payload_delivery\", \"win.vidar\", \"None\", \"Vidar\", \"\", \"80\", \"False\", \"None\", \"None\", \"0\", \"x\"\r
\"2026-07-04 18:34:48\", \"1844820\", \"3dd25cbfe76db155615283f905992030468f3da9\", \"sha1_hash\", \"payload\", \"win.vidar\", \"None\", \"Vidar\", \"\", \"95\", \"False\", \"None\", \"None\", \"0\", \"Grim\"\r
# Number of entries: 4\r
";

/// Feodo Tracker, `downloads/ipblocklist.csv`: the first row has the names.
const FEODO_CSV: &str = "\
################################################################\n\
# Feodo Tracker Botnet C2 IP Blocklist (CSV)                   #\n\
################################################################\n\
#\n\
\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n\
\"2026-07-01 10:00:00\",\"192.0.2.7\",\"443\",\"online\",\"2026-07-04\",\"Emotet\"\n\
# END 1 entries\n";

fn auto(body: &str) -> Parsed {
    parse(&Format::default(), body.as_bytes()).unwrap_or_else(|error| panic!("{error:?}: {body}"))
}

#[test]
fn exports_in_csv_are_told_and_read_by_their_headings() {
    let urlhaus = auto(URLHAUS_CSV);
    assert_eq!(counts(&urlhaus), [2, 0, 0, 0], "{urlhaus:?}");
    assert_covers(
        &urlhaus,
        &["192.0.2.89", "cdn.evil.example"],
        &["urlhaus.abuse.ch", "x.cdn.evil.example"],
    );
    let found = urlhaus.snapshot.find("cdn.evil.example").unwrap();
    assert_eq!(
        (found.rule(), found.line),
        ("https://cdn.evil.example/a,b.exe".to_owned(), 11)
    );

    let threatfox = auto(THREATFOX_CSV);
    assert_eq!(counts(&threatfox), [3, 0, 1, 0], "{threatfox:?}");
    assert_covers(
        &threatfox,
        &["www.clear.fake.example", "192.0.2.36", "fit.example"],
        &["www.fit.example"],
    );
    let feodo = auto(FEODO_CSV);
    assert_eq!(counts(&feodo), [1, 0, 0, 0], "{feodo:?}");
    assert_covers(&feodo, &["192.0.2.7"], &[]);
}

#[test]
fn a_column_may_be_named_that_stands_in_a_comment_or_the_first_row() {
    let named = |name: &str, body: &str| {
        let format = Format {
            column: Some(Column::Name(name.to_owned())),
            ..FeedFormat::Csv.into()
        };
        parse(&format, body.as_bytes())
    };
    for (name, body) in [
        ("ioc_value", THREATFOX_CSV),
        ("url", URLHAUS_CSV),
        ("dst_ip", FEODO_CSV),
        ("Site", "# a,Site\n1,one.example\n"),
        ("Site", "\r\n\n# Site,b\n# b,Site\n1,one.example\n"),
        ("Site", "\u{feff}# b, \"Site\"\n1,one.example\n"),
    ] {
        assert!(named(name, body).is_ok(), "{name} in {body}");
    }
    for body in [URLHAUS_CSV, "# site,b\none.example,1\n", "", "# Site"] {
        assert!(named("Site", body).is_err(), "{body}");
    }
    let long = format!("# {},Site\n1,one.example\n", "x".repeat(9_000));
    let cut_off = named("Site", &long);
    assert!(matches!(cut_off, Err(Rejected::Csv(_))), "{cut_off:?}");
}

#[test]
fn without_a_heading_that_is_known_the_first_column_has_the_names() {
    let body = "one.example,1\ntwo.example,2\n";
    let parsed = read(FeedFormat::Csv, body);
    assert_eq!(counts(&parsed), [2, 0, 0, 0]);
    assert_eq!(parsed.snapshot.find("one.example").unwrap().line, 1);
    let parsed = read(
        FeedFormat::Csv,
        "rank,Domain,url\n1,one.example,http://b.example/\n",
    );
    assert_covers(&parsed, &["b.example"], &["one.example"]);
    // A remark that looks like a heading does not make a list CSV.
    for (body, format) in [
        ("# ip, host\n0.0.0.0 one.example\n", FeedFormat::Hosts),
        ("# host, why\none.example\n", FeedFormat::Domains),
    ] {
        assert_eq!(detected(body), Some(format), "{body}");
    }
}

#[test]
fn exports_in_json_are_read_by_the_fields_of_their_rows() {
    for (body, covered, beside) in [
        // URLhaus, `downloads/json_recent`.
        (
            r#"{"3594310": [{"dateadded": "2026-07-30 11:54:23 UTC", "url": "http://evil.example/bin.sh", "url_status": "online", "tags": ["elf"], "urlhaus_link": "https://urlhaus.abuse.ch/url/3594310/", "reporter": "x"}]}"#,
            "evil.example",
            "urlhaus.abuse.ch",
        ),
        // URLhaus, `v1/urls/recent`.
        (
            r#"{"query_status": "ok", "urls": [{"id": "1", "host": "evil.example", "url": "http://evil.example/a", "blacklists": {"spamhaus_dbl": "not listed"}}]}"#,
            "evil.example",
            "www.evil.example",
        ),
        // ThreatFox, `export/json/recent`.
        (
            r#"{"1844855": [{"ioc_value": "evil.example", "ioc_type": "domain", "reference": "https://b.example", "tags": null}], "1844820": [{"ioc_value": "d41d8cd98f00b204e9800998ecf8427e", "ioc_type": "md5_hash"}]}"#,
            "www.evil.example",
            "b.example",
        ),
        // ThreatFox, `get_iocs`.
        (
            r#"{"query_status": "ok", "data": [{"id": "1", "ioc": "192.0.2.1:443", "ioc_type": "ip:port", "confidence_level": 75}]}"#,
            "192.0.2.1",
            "b.example",
        ),
        // Feodo Tracker, `ipblocklist.json`, and PhishTank, `online-valid.json`.
        (
            r#"[{"ip_address": "192.0.2.9", "ip": "192.0.2.1", "port": 443}]"#,
            "192.0.2.1",
            "192.0.2.9",
        ),
        (
            r#"[{"phish_id": "1", "url": "https://evil.example/login", "details": [{"ip_address": "192.0.2.9"}]}]"#,
            "evil.example",
            "192.0.2.9",
        ),
    ] {
        let parsed = auto(body);
        assert_eq!(counts(&parsed)[..2], [1, 0], "{body}");
        assert_covers(&parsed, &[covered], &[beside]);
    }
    let unknown = parse(&Format::default(), br#"[{"address": "a.example"}]"#);
    let said = crate::error::ErrorChain(&unknown.unwrap_err()).to_string();
    assert!(said.contains("name it with `field`"), "{said}");
}
