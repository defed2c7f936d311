//! The schemas of the standard library's types, as serde reads them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::{Domains, Group, HeaderName, HeaderValue, Host, TimeSpan};

use super::{Field, Node, Schema, Table, Unknown};

macro_rules! plain {
    ($($($name:ty),+ => $node:expr;)*) => {$($(
        impl Schema for $name {
            const SCHEMA: &'static Node = &$node;
        }
    )+)*};
}

plain! {
    () => Node::Nothing;
    bool => Node::Boolean;
    f32, f64 => Node::Number;
    char => Node::Character;
    str, String, Path, PathBuf => Node::Text;
    HeaderName, HeaderValue, TimeSpan => Node::Text;
    // The proxy writes what the operator has typed in another script as A-labels, before the filter
    // reads it. `hostname` and `idn-hostname` are not addresses, and have no `*`.
    Host => Node::Formatted("host");
    Domains => Node::List(&Node::Formatted("host"));
    // The proxy knows which there are.
    Group => Node::Formatted("group");
    SocketAddr, SocketAddrV4, SocketAddrV6 => Node::Text;
    Ipv4Addr => Node::Formatted("ipv4");
    Ipv6Addr => Node::Formatted("ipv6");
    // JSON Schema has no word for either; this one is what others that describe Rust's types write,
    // and the proxy knows it.
    IpAddr => Node::Formatted("ip");
}

macro_rules! integers {
    ($($name:ident from $minimum:expr;)*) => {$(
        impl Schema for $name {
            const SCHEMA: &'static Node = &Node::Integer {
                minimum: $minimum as i128,
                maximum: $name::MAX as i128,
            };
        }
    )*};
}

integers! {
    i8 from i8::MIN;
    i16 from i16::MIN;
    i32 from i32::MIN;
    i64 from i64::MIN;
    isize from isize::MIN;
    u8 from 0;
    u16 from 0;
    u32 from 0;
    u64 from 0;
    usize from 0;
}

macro_rules! positive {
    ($($name:ident)*) => {$(
        impl Schema for $name {
            const SCHEMA: &'static Node = &Node::Integer {
                minimum: 1,
                maximum: $name::MAX.get() as i128,
            };
        }
    )*};
}

positive! { NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroUsize }

macro_rules! lists {
    ($($name:ty $(, $parameter:ident)?;)*) => {$(
        impl<T: Schema $(, $parameter)?> Schema for $name {
            const SCHEMA: &'static Node = &Node::List(T::SCHEMA);
        }
    )*};
}

lists! {
    [T];
    Vec<T>;
    VecDeque<T>;
    LinkedList<T>;
    BinaryHeap<T>;
    BTreeSet<T>;
    HashSet<T, S>, S;
}

macro_rules! transparent {
    ($($name:ident)*) => {$(
        impl<T: Schema + ?Sized> Schema for $name<T> {
            const SCHEMA: &'static Node = T::SCHEMA;
        }
    )*};
}

transparent! { Box Rc Arc }

impl<T: Schema + ToOwned + ?Sized> Schema for Cow<'_, T> {
    const SCHEMA: &'static Node = T::SCHEMA;
}

impl<T: Schema> Schema for Option<T> {
    const SCHEMA: &'static Node = &Node::Optional(T::SCHEMA);
}

impl<K: Schema, V: Schema> Schema for BTreeMap<K, V> {
    const SCHEMA: &'static Node = &Node::Map {
        key: K::SCHEMA,
        value: V::SCHEMA,
    };
}

impl<K: Schema, V: Schema, S> Schema for HashMap<K, V, S> {
    const SCHEMA: &'static Node = <BTreeMap<K, V>>::SCHEMA;
}

impl<T: Schema, const N: usize> Schema for [T; N] {
    const SCHEMA: &'static Node = &Node::Array {
        item: T::SCHEMA,
        length: N,
    };
}

macro_rules! tuples {
    ($($count:literal: $($name:ident)+;)*) => {$(
        impl<$($name: Schema),+> Schema for ($($name,)+) {
            const SCHEMA: &'static Node = &Node::Tuple {
                places: &[$($name::SCHEMA),+],
                required: $count,
            };
        }
    )*};
}

tuples! {
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G H;
}

impl Schema for Duration {
    const SCHEMA: &'static Node = &Node::Table(Table {
        fields: &[
            Field {
                names: &["secs"],
                description: "",
                node: u64::SCHEMA,
                required: true,
            },
            Field {
                names: &["nanos"],
                description: "",
                node: u32::SCHEMA,
                required: true,
            },
        ],
        merged: &[],
        unknown: Unknown::Refused,
    });
}
