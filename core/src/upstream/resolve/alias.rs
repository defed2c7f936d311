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
    let mut aliases: Vec<Alias> = Vec::new();
    let mut last = name;
    while aliases.len() < MOST
        && let Some((next, ttl)) = next(last, records)
    {
        let before = aliases
            .last()
            .map_or(u32::MAX.into(), |alias| alias.ttl.as_secs());
        aliases.push(Alias {
            name: next.to_ascii().to_ascii_lowercase(),
            ttl: Duration::from_secs(before.min(ttl.into())),
        });
        last = next;
    }
    aliases
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
    let mut last = question.name();
    let (mut ttl, mut count) = (u32::MAX, 0);
    while count < MOST
        && let Some((next, holds)) = next(last, &answer.answers)
    {
        (last, ttl, count) = (next, ttl.min(holds), count + 1);
    }
    let is_answer =
        |record: &Record| record.name == *last && record.record_type() == question.query_type();
    if count == 0 || answer.answers.iter().any(is_answer) {
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
