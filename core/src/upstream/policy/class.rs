//! What an address is for, as the registries of special-purpose addresses have it (RFC 6890 and
//! later), and which IPv4 address stands in an IPv6 one. Comparisons of integers alone: it is asked
//! for every request.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::effective_ip;

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Everywhere reachable.
    Public,
    /// 0.0.0.0 and `::`, which lead to this machine, and the rest of 0.0.0.0/8.
    Unspecified,
    Loopback,
    LinkLocal,
    /// RFC 1918.
    Private,
    /// fc00::/7, and fec0::/10 which it has replaced.
    UniqueLocal,
    /// 100.64.0.0/10, between a provider and its customers (RFC 6598).
    Shared,
    Benchmarking,
    Documentation,
    Multicast,
    Broadcast,
    /// Whatever else no host has.
    Reserved,
    /// Where a cloud hands out credentials to the machines in it.
    Metadata,
}

/// An address, where it leads, and what that is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Classified {
    pub(super) written: IpAddr,
    /// The IPv4 address inside, if there is one.
    pub(super) meant: IpAddr,
    /// The same; for an unspecified address, this machine.
    pub(super) reached: IpAddr,
    pub(super) class: Class,
}

impl Classified {
    /// Asks about an address; about each that an IPv6 address can stand for, until one is refused.
    pub(super) fn try_each<E>(
        written: IpAddr,
        mut judge: impl FnMut(Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let ip = match written {
            IpAddr::V4(ip) => return judge(Self::new(written, written, of_v4(ip.to_bits()))),
            IpAddr::V6(ip) => ip.to_bits(),
        };
        match inside(ip) {
            None => judge(Self::new(written, written, of_v6(ip))),
            Some(readings) => readings.into_iter().try_for_each(|ip| {
                let meant = Ipv4Addr::from_bits(ip).into();
                judge(Self::new(written, meant, of_v4(ip)))
            }),
        }
    }

    fn new(written: IpAddr, meant: IpAddr, class: Class) -> Self {
        Self {
            written,
            meant,
            reached: effective_ip(meant),
            class,
        }
    }
}

fn of_v4(ip: u32) -> Class {
    match ip {
        // Most clouds; Alibaba; Azure; Oracle.
        0xa9fe_a9fe | 0x6464_64c8 | 0xa83f_8110 | 0xc000_00c0 => Class::Metadata,
        0x0000_0000..=0x00ff_ffff => Class::Unspecified,
        0x0a00_0000..=0x0aff_ffff => Class::Private,
        0x6440_0000..=0x647f_ffff => Class::Shared,
        0x7f00_0000..=0x7fff_ffff => Class::Loopback,
        0xa9fe_0000..=0xa9fe_ffff => Class::LinkLocal,
        0xac10_0000..=0xac1f_ffff => Class::Private,
        // IETF protocol assignments.
        0xc000_0000..=0xc000_00ff => Class::Reserved,
        0xc000_0200..=0xc000_02ff => Class::Documentation,
        // Relays of 6to4, which are no more (RFC 7526).
        0xc058_6300..=0xc058_63ff => Class::Reserved,
        0xc0a8_0000..=0xc0a8_ffff => Class::Private,
        0xc612_0000..=0xc613_ffff => Class::Benchmarking,
        0xc633_6400..=0xc633_64ff | 0xcb00_7100..=0xcb00_71ff => Class::Documentation,
        0xe000_0000..=0xefff_ffff => Class::Multicast,
        0xffff_ffff => Class::Broadcast,
        0xf000_0000..=0xffff_fffe => Class::Reserved,
        _ => Class::Public,
    }
}

/// An address without an IPv4 address inside.
fn of_v6(ip: u128) -> Class {
    match ip {
        0 => Class::Unspecified,
        1 => Class::Loopback,
        // Amazon, of machines and of pods; Google.
        0xfd00_0ec2_0000_0000_0000_0000_0000_0254
        | 0xfd00_0ec2_0000_0000_0000_0000_0000_0023
        | 0xfd20_00ce_0000_0000_0000_0000_0000_0254 => Class::Metadata,
        _ => match (ip >> 112) as u16 {
            0xfe80..=0xfebf => Class::LinkLocal,
            0xfc00..=0xfdff | 0xfec0..=0xfeff => Class::UniqueLocal,
            0xff00..=0xffff => Class::Multicast,
            0x2001 => match (ip >> 80) as u32 {
                0x0002_0000 => Class::Benchmarking,
                0x0db8_0000..=0x0db8_ffff => Class::Documentation,
                // IETF protocol assignments.
                0x0000_0000..=0x01ff_ffff => Class::Reserved,
                _ => Class::Public,
            },
            0x3fff if (ip >> 108) as u32 == 0x0003_fff0 => Class::Documentation,
            0x2000..=0x3fff => Class::Public,
            _ => Class::Reserved,
        },
    }
}

/// The IPv4 addresses that an IPv6 address can stand for, or by which it is reached. Where there
/// are fewer than four, some are there more than once.
fn inside(ip: u128) -> Option<[u32; 4]> {
    let last = ip as u32;
    match (ip >> 96) as u32 {
        0 => match (ip >> 32) as u64 {
            // IPv4-compatible, but for `::` and `::1`.
            0 if last > 1 => Some([last; 4]),
            // IPv4-mapped, IPv4-translated.
            0xffff | 0xffff_0000 => Some([last; 4]),
            _ => None,
        },
        // NAT64 (RFC 6052), and that of one's own network (RFC 8215).
        0x0064_ff9b => match (ip >> 32) as u64 {
            0 => Some([last; 4]),
            rest if rest >> 48 == 1 => Some(inside_local(ip)),
            _ => None,
        },
        // Teredo (RFC 4380): the client, whose bits are inverted, and its server.
        0x2001_0000 => Some([!last, (ip >> 64) as u32, !last, !last]),
        // 6to4 (RFC 3056).
        prefix if prefix >> 16 == 0x2002 => Some([(ip >> 80) as u32; 4]),
        _ => None,
    }
}

/// The IPv4 address in an address of 64:ff9b:1::/48, for each length that the prefix of a network
/// can have there (RFC 6052, section 2.2): 96, 64, 56 and 48 bits. Which one it has only its
/// translator knows. The bits 64 to 71 stand between the parts, and count for nothing.
fn inside_local(ip: u128) -> [u32; 4] {
    let readings = [
        ip,
        ip >> 24,
        ip >> 40 & 0xff00_0000 | ip >> 32 & 0x00ff_ffff,
        ip >> 48 & 0xffff_0000 | ip >> 40 & 0x0000_ffff,
    ]
    .map(|bits| bits as u32);
    // Nothing is sent to 0.0.0.0/8 (RFC 1122, section 3.2.1.3): zeros are those of another length.
    let is_sent = |ip: &u32| ip >> 24 != 0;
    match readings.iter().copied().find(is_sent) {
        Some(other) => readings.map(|ip| if is_sent(&ip) { ip } else { other }),
        None => readings,
    }
}

/// As it continues "is".
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Private => "a private address",
            Self::UniqueLocal => "a unique-local address",
            Self::Shared => "a shared address",
            Self::Benchmarking => "a benchmarking address",
            Self::Documentation => "a documentation address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "a broadcast address",
            Self::Reserved => "a reserved address",
            Self::Metadata => "a cloud metadata address",
        })
    }
}
