//! The trial of a filter that is in quarantine: some requests of some clients are judged by it, and
//! each client has one vote. A client that asks often has no more to say than the others.

use std::time::{Duration, Instant};

use crate::flow::ClientKey;

/// At most this many clients take part.
const CLIENTS: usize = 5;

/// How often a client may try, one call after the other.
const TRIES: u32 = 3;

/// How many good calls of at least two clients are enough, if no vote is against them.
const ENOUGH: u32 = 3;

/// A trial that goes on.
#[derive(Debug)]
pub(super) struct Trial {
    /// When the votes decide.
    until: Instant,
    /// When those of one client decide against the filter, if no other has asked.
    alone_until: Instant,
    /// After this time a call counts as lost.
    timeout: Duration,
    votes: Vec<Vote>,
}

#[derive(Debug)]
struct Vote {
    client: ClientKey,
    good: u32,
    bad: u32,
    /// Since when a call of the client is under way.
    pending: Option<Instant>,
}

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Undecided,
    Recovered,
    Relapsed,
}

impl Trial {
    /// After a pause. Others have as much time to be heard.
    pub(super) fn begin(
        now: Instant,
        length: Duration,
        pause: Duration,
        timeout: Duration,
    ) -> Self {
        Self {
            until: now + length,
            alone_until: now + pause.max(length),
            timeout,
            votes: Vec::new(),
        }
    }

    /// Whether the client has not taken part yet.
    pub(super) fn is_new(&self, client: ClientKey) -> bool {
        !self.votes.iter().any(|vote| vote.client == client)
    }

    /// Whether the client's call is one of those that try the filter.
    pub(super) fn admit(&mut self, client: ClientKey, now: Instant) -> bool {
        let timeout = self.timeout;
        let is_lost = |since: Instant| now.saturating_duration_since(since) >= timeout;
        // Who has not voted makes way.
        self.votes.retain(|vote| {
            vote.client == client
                || vote.good + vote.bad > 0
                || vote.pending.is_some_and(|since| !is_lost(since))
        });
        let is_known = self.votes.iter().any(|vote| vote.client == client);
        if !is_known && self.votes.len() < CLIENTS {
            self.votes.push(Vote {
                client,
                good: 0,
                bad: 0,
                pending: None,
            });
        }
        let Some(vote) = self.votes.iter_mut().find(|vote| vote.client == client) else {
            return false;
        };
        let is_free = vote.pending.is_none_or(is_lost);
        let may_try = is_free && vote.good + vote.bad < TRIES;
        if may_try {
            vote.pending = Some(now);
        }
        may_try
    }

    /// Notes how a call that was admitted has ended; none if that says nothing about the filter.
    pub(super) fn ended(&mut self, client: ClientKey, was_good: Option<bool>) {
        let vote = self.votes.iter_mut().find(|vote| vote.client == client);
        let Some(vote) = vote.filter(|vote| vote.pending.is_some()) else {
            return;
        };
        vote.pending = None;
        match was_good {
            Some(true) => vote.good += 1,
            Some(false) => vote.bad += 1,
            None => {}
        }
    }

    pub(super) fn outcome(&self, now: Instant) -> Outcome {
        let good_calls: u32 = self.votes.iter().map(|vote| vote.good).sum();
        let bad_calls: u32 = self.votes.iter().map(|vote| vote.bad).sum();
        let is_for = |vote: &&Vote| vote.good > vote.bad;
        let is_against = |vote: &&Vote| vote.bad > 0 && vote.bad >= vote.good;
        let votes_for = self.votes.iter().filter(is_for).count();
        let votes_against = self.votes.iter().filter(is_against).count();
        let may_end = now >= self.until || self.votes.len() == CLIENTS && !self.is_pending(now);
        if good_calls >= ENOUGH && votes_for >= 2 && votes_against == 0 {
            Outcome::Recovered
        } else if !may_end || good_calls + bad_calls == 0 {
            Outcome::Undecided
        } else if good_calls > 0 && votes_for >= votes_against {
            Outcome::Recovered
        } else if votes_against >= 2 || now >= self.alone_until {
            Outcome::Relapsed
        } else {
            Outcome::Undecided
        }
    }

    fn is_pending(&self, now: Instant) -> bool {
        let is_pending = |since: Instant| now.saturating_duration_since(since) < self.timeout;
        let mut votes = self.votes.iter();
        votes.any(|vote| vote.pending.is_some_and(is_pending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const EVE: ClientKey = ClientKey::test(0);

    fn tries(trial: &mut Trial, client: ClientKey, now: Instant, is_good: bool) -> bool {
        let admitted = trial.admit(client, now);
        if admitted {
            trial.ended(client, Some(is_good));
        }
        admitted
    }

    #[test]
    fn a_filter_that_works_again_is_asked_again_after_some_good_calls() {
        let now = Instant::now();
        let mut trial = Trial::begin(now, SECOND, SECOND, SECOND);
        for _ in 0..3 {
            assert_eq!(trial.outcome(now), Outcome::Undecided);
            assert!(tries(&mut trial, EVE, now, true));
        }
        // One client does not decide for all before others could be heard.
        assert_eq!(trial.outcome(now), Outcome::Undecided);
        assert_eq!(trial.outcome(now + SECOND), Outcome::Recovered);
        assert!(tries(&mut trial, ClientKey::test(1), now, true));
        assert_eq!(trial.outcome(now), Outcome::Recovered);
    }

    #[test]
    fn one_client_does_not_lose_a_trial_before_others_had_as_long_as_the_pause() {
        let now = Instant::now();
        let mut trial = Trial::begin(now, SECOND, 60 * SECOND, SECOND);
        for _ in 0..3 {
            assert!(tries(&mut trial, EVE, now, false));
        }
        assert_eq!(trial.outcome(now + 59 * SECOND), Outcome::Undecided);
        assert!(trial.is_new(ClientKey::test(1)));
        assert_eq!(trial.outcome(now + 60 * SECOND), Outcome::Relapsed);
    }

    #[test]
    fn clients_whose_calls_say_nothing_make_way_for_others() {
        let mut now = Instant::now();
        let mut trial = Trial::begin(now, SECOND, SECOND, SECOND);
        for client in 0..5 {
            assert!(trial.admit(ClientKey::test(client), now));
        }
        trial.ended(ClientKey::test(0), None);
        assert!(trial.admit(ClientKey::test(5), now));
        assert!(!trial.admit(ClientKey::test(6), now));
        now += SECOND;
        assert!(trial.admit(ClientKey::test(6), now));
    }

    #[test]
    fn who_asks_most_has_one_vote() {
        let now = Instant::now();
        let mut trial = Trial::begin(now, SECOND, SECOND, SECOND);
        let admitted = (0..1000).filter(|_| tries(&mut trial, EVE, now, false));
        assert_eq!(admitted.count(), 3);
        // Others have until the end of the trial.
        assert_eq!(trial.outcome(now), Outcome::Undecided);
        assert!(tries(&mut trial, ClientKey::test(1), now, true));
        assert_eq!(trial.outcome(now), Outcome::Undecided);
        assert_eq!(trial.outcome(now + SECOND), Outcome::Recovered);
    }

    #[test]
    fn a_filter_that_fails_for_most_has_relapsed() {
        let now = Instant::now();
        let mut trial = Trial::begin(now, SECOND, SECOND, SECOND);
        for client in 0..5 {
            assert!(tries(&mut trial, ClientKey::test(client), now, client == 4));
        }
        assert!(!trial.admit(ClientKey::test(5), now), "five are enough");
        assert_eq!(trial.outcome(now), Outcome::Relapsed);
    }

    #[test]
    fn one_call_of_a_client_is_under_way_at_a_time_and_one_that_is_lost_is_replaced() {
        let now = Instant::now();
        let mut trial = Trial::begin(now, SECOND, SECOND, SECOND);
        assert!(trial.admit(EVE, now));
        assert!(!trial.admit(EVE, now));
        assert!(trial.admit(EVE, now + SECOND));
        trial.ended(EVE, None);
        assert_eq!(trial.outcome(now + 2 * SECOND), Outcome::Undecided);
        assert!(tries(&mut trial, EVE, now + 2 * SECOND, false));
        assert_eq!(trial.outcome(now + 2 * SECOND), Outcome::Relapsed);
    }
}
