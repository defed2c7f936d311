//! How lists begin that are published for each format, with a few of their lines. Each is told by
//! itself, and read as its format is.

use super::*;

/// The Block List Project, `basic.txt`.
const HOSTS: &str = "\
# Title: Basic Block List
# Description: Basic protection list
# Homepage: https://github.com/blocklistproject/Lists
# License: MIT
# Last modified: 2026-07-06 00:40:19 UTC
# Format: hosts
# Entries: 76,036
# URL: \n\
#
# This list is maintained by The Block List Project
# https://github.com/blocklistproject/Lists
#

0.0.0.0 0-app.com
0.0.0.0 0.0.0.0.creative.hpyrdr.com
0.0.0.0 0----0.0----0.1596.hk
";

/// Steven Black's collection, `hosts`.
const STEVEN_BLACK: &str = "\
# Title: StevenBlack/hosts
#
# This hosts file is a merged collection of hosts from reputable sources,
# with a dash of crowd sourcing via GitHub
# ===============================================================

127.0.0.1 localhost
127.0.0.1 localhost.localdomain
127.0.0.1 local
255.255.255.255 broadcasthost
::1 localhost
::1 ip6-localhost
::1 ip6-loopback
fe80::1%lo0 localhost
ff00::0 ip6-localnet
ff00::0 ip6-mcastprefix
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
ff02::3 ip6-allhosts
0.0.0.0 0.0.0.0

# Custom host records are listed here.

# End of custom host records.
# Start StevenBlack

#=====================================
# Title: Hosts contributed by Steven Black
# http://stevenblack.com

0.0.0.0 ck.getcookiestxt.com
0.0.0.0 eu1.clevertap-prod.com
";

/// The Block List Project, `alt-version/phishing-nl.txt`.
const DOMAINS: &str = "\
# Title: Phishing Block List
# Description: Phishing domains
# Format: domains
# Entries: 190,215
#

0.01.2.13.3.sydneypropertyinvestors.com
000000-0.000webhostapp.com
0001interac.com
";

/// HaGeZi, `wildcard/native.tiktok.txt`.
const WILDCARDS: &str = "\
# Title: HaGeZi's TikTok Tracker - blocks built-in trackers from devices, apps, and OSes!
# Homepage: https://github.com/hagezi/dns-blocklists
# Issues: https://github.com/hagezi/dns-blocklists/issues
# Expires: 8 hours
# Last modified: 18 Sep 2026 22:04 UTC
# Version: 2026.0918.2204.29
# Syntax: Domains Wildcard (without subdomains)
# Number of entries: 436
#
*.analytics.us.tiktok.com.bytedance.akadns.net
*.log.byteoversea.com
*.log15.byteoversea.com
*.mcs-tiktok.byteoversea.net
";

/// anti-AD, `anti-ad-surge2.txt`.
const DOMAIN_SET: &str = "\
#TITLE=anti-AD
#VER=20251202025455
#URL=https://github.com/privacy-protection-tools/anti-AD
#TOTAL_LINES=98266

#DOMAIN-SET,https://anti-ad.net/surge2.txt,REJECT
.000dn.com
.0013.cc
.s8.001fzc.com
.cdn.007moms.com
";

/// Spamhaus DROP.
const DROP: &str = "\
; Spamhaus DROP List 2026/07/30 - (c) 2026 The Spamhaus Project SLU
; https://www.spamhaus.org/drop/drop.txt
; Last-Modified: Thu, 30 Jul 2026 11:04:31 GMT
; Expires: Thu, 30 Jul 2026 12:22:10 GMT
1.10.16.0/20 ; SBL256894
1.19.0.0/16 ; SBL434604
";

/// AdGuard's filter for name servers.
const ADGUARD: &str = "\
!
! Title: AdGuard DNS filter
! Description: Filter composed of several other filters and simplified specifically to be better compatible with DNS-level ad blocking.
! Homepage: https://github.com/AdguardTeam/AdGuardSDNSFilter
! License: https://github.com/AdguardTeam/AdguardSDNSFilter/blob/master/LICENSE
! Last modified: 2026-07-18T10:03:21.000Z
!
!-------------------Disguised trackers list--------------------------!
||0024dc31.tracking.example^
||02good4u.com^
||doubleclick.net^$important
@@||ad.doubleclick.net^|
@@||s.youtube.com^$important
/^ad[sxv]?[0-9]{1,3}\\./
://ads.example
||xn--90agcxq.xn--p1ai^$dnstype=A
";

/// The Block List Project, `dnsmasq-version/basic-dnsmasq.txt`, and HaGeZi, `dnsmasq`.
const DNSMASQ: &str = "\
# Title: Basic Block List
# Format: dnsmasq
# Entries: 76,036
#

server=/0-app.com/
server=/0.0.0.0.beeglivesex.com/
local=/0-02.net/
address=/ck.getcookiestxt.com/#
";

/// Peter Lowe's list for Unbound.
const UNBOUND: &str = "\
# Ad server list for use with Unbound to block ads
#
# For more information about this list, see: https://pgl.yoyo.org/adservers/
# ----
# last updated:    Wed, 29 Jul 2026 12:06:34 GMT
# entries:         3475
# format:          unbound
#
local-zone: \"101com.com\" redirect
local-data: \"101com.com A 127.0.0.1\"
local-zone: \"2o7.net\" always_nxdomain
";

/// URLhaus, `downloads/rpz`.
const RPZ: &str = "\
$TTL 30
@ SOA rpz.urlhaus.abuse.ch. hostmaster.urlhaus.abuse.ch. 2607300412 300 1800 604800 30
 NS localhost.
;
; abuse.ch URLhaus Response Policy Zones (RPZ)
; Last updated: 2026-07-30 04:12:08 (UTC)
;
; Terms Of Use: https://urlhaus.abuse.ch/api/
; For questions please contact urlhaus [at] abuse.ch
;
testentry.rpz.urlhaus.abuse.ch CNAME . ; Test entry for testing URLhaus RPZ
evil.example CNAME . ; Malware download (2026-07-30), see https://urlhaus.abuse.ch/host/evil.example/
;
; Number of entries: 2
;
";

#[test]
fn the_lists_that_are_published_are_told_and_read() {
    let all = [
        (FeedFormat::Hosts, HOSTS, [3, 0, 0, 0]),
        (FeedFormat::Hosts, STEVEN_BLACK, [2, 0, 0, 0]),
        (FeedFormat::Domains, DOMAINS, [3, 0, 0, 0]),
        (FeedFormat::Domains, WILDCARDS, [4, 0, 0, 0]),
        (FeedFormat::Domains, DOMAIN_SET, [4, 0, 0, 0]),
        (FeedFormat::Domains, DROP, [2, 0, 0, 0]),
        (FeedFormat::Adblock, ADGUARD, [5, 0, 3, 0]),
        (FeedFormat::Dnsmasq, DNSMASQ, [4, 0, 0, 0]),
        (FeedFormat::Unbound, UNBOUND, [2, 0, 0, 0]),
        (FeedFormat::Rpz, RPZ, [2, 0, 0, 0]),
    ];
    for (format, body, expected) in all {
        assert_eq!(detected(body), Some(format), "{body}");
        // Servers on Windows send other line ends.
        for body in [body.to_owned(), body.replace('\n', "\r\n")] {
            let parsed = parse(&Format::default(), body.as_bytes()).unwrap();
            assert_eq!(counts(&parsed), expected, "{parsed:?} of {body}");
        }
    }
}

#[test]
fn what_they_list_is_found_and_what_they_say_of_themselves_is_not() {
    for (body, covered, but_not) in [
        (HOSTS, "www.0-app.com", "github.com"),
        (STEVEN_BLACK, "ck.getcookiestxt.com", "stevenblack.com"),
        (DOMAINS, "a.0001interac.com", "sydneypropertyinvestors.com"),
        (WILDCARDS, "log.byteoversea.com", "byteoversea.com"),
        (WILDCARDS, "a.log15.byteoversea.com", "github.com"),
        (DOMAIN_SET, "000dn.com", "anti-ad.net"),
        (DOMAIN_SET, "a.s8.001fzc.com", "001fzc.com"),
        (DROP, "1.10.31.255", "1.10.32.0"),
        (ADGUARD, "stats.g.doubleclick.net", "s.youtube.com"),
        (DNSMASQ, "a.0-02.net", "hpyrdr.com"),
        (UNBOUND, "a.101com.com", "pgl.yoyo.org"),
        (RPZ, "testentry.rpz.urlhaus.abuse.ch", "urlhaus.abuse.ch"),
    ] {
        let parsed = parse(&Format::default(), body.as_bytes()).unwrap();
        assert_covers(&parsed, &[covered], &[but_not]);
    }
}
