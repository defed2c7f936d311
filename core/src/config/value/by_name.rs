//! Tables whose keys are names that the operator gives.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer};

use super::{FromText, Parsed, some_each};

/// A name that is written as `K`.
struct Name<K>(String, PhantomData<K>);

impl<'de, K: FromText<Value = String>> Deserialize<'de> for Name<K> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Parsed::<K>::deserialize(value).map(|name| Self(name, PhantomData))
    }
}

impl<K> Ord for Name<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> PartialOrd for Name<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> PartialEq for Name<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Name<K> {}

/// Values by names that are written as `K`.
pub(in crate::config) fn by_name<'de, D, K, T>(value: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    K: FromText<Value = String>,
    T: Deserialize<'de>,
{
    let values = BTreeMap::<Name<K>, T>::deserialize(value)?;
    let values = values
        .into_iter()
        .map(|(Name(name, _), value)| (name, value));
    Ok(values.collect())
}

/// The same of lists, each with at least one element that is written as `V`.
pub(in crate::config) fn lists_by_name<'de, D, K, V>(
    value: D,
) -> Result<BTreeMap<String, Vec<V::Value>>, D::Error>
where
    D: Deserializer<'de>,
    K: FromText<Value = String>,
    V: FromText,
{
    struct List<V: FromText>(Vec<V::Value>);

    impl<'de, V: FromText> Deserialize<'de> for List<V> {
        fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
            some_each::<_, V>(value).map(Self)
        }
    }

    let lists = by_name::<_, K, List<V>>(value)?.into_iter();
    Ok(lists.map(|(name, List(list))| (name, list)).collect())
}
