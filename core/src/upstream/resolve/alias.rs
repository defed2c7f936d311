//! Names that are other names for hosts (CNAME). A server that is asked for one most often says
//! where all of them lead. Where it does not, or where one of them belongs to other servers,
//! `servers` goes on with that one: the library would ask the same server, and keep the time of the
//! alias to itself.

use std::time::Duration;

use hickory_resolver::net::NoRecords;
use hickory_resolver::proto::op::{DnsResponse, ResponseCode};
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// So many aliases one behind the other are followed, which is what others do (glibc, unbound).
pub(super) const MOST: usize = 16;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alias {
    /// The other name, as servers are asked for it.
    pub(super) name: String,
    /// For how long that holds, and what led there.
    pub(super) ttl: Duration,
}

impl Alias {
    /// The other name, canonical.
    pub(super) fn host(&self) -> &str {
        self.name.strip_suffix('.').unwrap_or(&self.name)
    }
}

/// The aliases of a name among some records, in order.
pub(super) fn aliases(name: &Name, records: &[Record]) -> Vec<Alias> {
    chain(name, records)
        .map(|(name, ttl)| Alias {
            name: name.to_ascii().to_ascii_lowercase(),
            ttl: Duration::from_secs(ttl.into()),
        })
        .collect()
}

/// The names that a name leads to, in order, and for how long each holds, in seconds.
fn chain<'a>(name: &'a Name, records: &'a [Record]) -> impl Iterator<Item = (&'a Name, u32)> {
    let follow = move |&(last, ttl): &(&'a Name, u32)| {
        next(last, records).map(|(name, holds)| (name, holds.min(ttl)))
    };
    let start = Some((name, u32::MAX));
    std::iter::successors(start, follow).skip(1).take(MOST)
}

fn next<'a>(name: &Name, records: &'a [Record]) -> Option<(&'a Name, u32)> {
    records.iter().find_map(|record| match &record.data {
        RData::CNAME(CNAME(target)) if record.name == *name => Some((target, record.ttl)),
        _ => None,
    })
}

/// Has the library take an answer that names aliases, and no address of the last of them, for one
/// without records. [`unanswered`] finds the alias in it.
pub(super) fn stop_at_alias(mut answer: DnsResponse) -> DnsResponse {
    answer
        .authorities
        .retain(|record| record.record_type() != RecordType::CNAME);
    let code = answer.metadata.response_code;
    if answer.metadata.truncation || !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
    {
        return answer;
    }
    let Some(question) = answer.queries.first().cloned() else {
        return answer;
    };
    let Some((last, ttl)) = chain(question.name(), &answer.answers).last() else {
        return answer;
    };
    let is_answer =
        |record: &Record| record.name == *last && record.record_type() == question.query_type();
    if answer.answers.iter().any(is_answer) {
        return answer;
    }
    let alias = RData::CNAME(CNAME(last.clone()));
    let alias = Record::from_rdata(question.name().clone(), ttl, alias);
    answer.metadata.response_code = ResponseCode::NoError;
    answer.answers.clear();
    answer.additionals.clear();
    answer.authorities = vec![alias];
    answer
}

/// The alias that such an answer has led to.
pub(super) fn unanswered(none: &NoRecords) -> Option<Alias> {
    let records = none.authorities.as_deref()?;
    aliases(none.query.name(), records).pop()
}
