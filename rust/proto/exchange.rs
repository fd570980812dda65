// SPDX-License-Identifier: GPL-2.0

//! The key exchange of a connection: how far one of its ends is.
//!
//! ```text
//!     client                                       server
//!     Resting                                      Resting
//!        | begins; computes                           |
//!     Asking -- KEYSHARE, KEYSHARE ---------------->  | computes
//!        |  <-------------- KEYSHARE, KEYSHARE --  Offering: signs with the old keys,
//!        | computes                                   |      knows the new ones
//!     Signing: signs with the new keys,               |
//!        |     knows the old ones                     |
//!        | -- KEYED (or anything signed so) ------->  |
//!        |                                         Done: the old ones are gone
//!        |  <----- KEYED (or anything signed so) --   |
//!     Done                                            |
//! ```
//!
//! An end signs with the new keys only when the other certainly has them, so that a move may fall
//! anywhere between. What is computed is computed elsewhere: it takes too long for where segments
//! are received.

use crate::proto::crypto::Hmac;
use crate::proto::crypto::Keys;
use crate::proto::crypto::Root;
use crate::proto::crypto::Secret;
use crate::proto::crypto::Side;
use crate::proto::happening::Happening;
use crate::proto::happening::Reject;
use crate::proto::ids::PublicValue;
use crate::proto::option::secure::Half;
use crate::proto::option::secure::Part;
use crate::proto::time::Backoff;
use crate::proto::time::Instant;
use core::time::Duration;

mod sum;

pub use sum::Computed;
pub use sum::Sum;

use sum::Gathered;

/// How often KEYSHAREs are sent before the peer is taken for one that does not answer them.
const TRIES: u8 = 6;
/// How often KEYED is sent once it was sent that often: the peer has answered before, so that it is
/// the path that is broken.
const PATIENT: Duration = Duration::from_secs(60);
/// How long nothing is tried while the connection is on the move.
const AWAY: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// There is something to compute: see `Session::sum`.
    Compute,
    /// Send both halves of our public value.
    SendShares {
        /// Whether they were sent before.
        retransmission: bool,
    },
    /// Send a KEYED.
    SendKeyed,
    /// Count.
    Count(Happening),
}

/// When something is sent again.
#[derive(Clone, Copy, Debug)]
struct Attempts {
    made: u8,
    retry: Instant,
    backoff: Backoff,
}

impl Attempts {
    /// After the first.
    fn first(now: Instant, rto: Duration) -> Self {
        let mut backoff = Backoff::from_rto(rto);
        let retry = now.after(backoff.wait());
        Self {
            made: 1,
            retry,
            backoff,
        }
    }

    /// After another one.
    fn another(&mut self, now: Instant) {
        self.made = self.made.saturating_add(1);
        let wait = if self.are_spent() {
            PATIENT
        } else {
            self.backoff.wait()
        };
        self.retry = now.after(wait);
    }

    /// Whether there were enough.
    const fn are_spent(&self) -> bool {
        self.made > TRIES
    }
}

/// How far an end is.
#[derive(Debug)]
enum Phase {
    /// Nothing was sent. What the client waits for is the time; what the server does, is the client.
    Resting {
        root: Root,
        begin: Option<Instant>,
        theirs: Gathered,
    },
    /// A [`Sum`] is out.
    Computing { root: Root },
    /// The client's value was sent.
    Asking {
        root: Root,
        secret: Secret,
        ours: PublicValue,
        theirs: Gathered,
        attempts: Attempts,
    },
    /// The server's was, and it has the new keys.
    Offering { ours: PublicValue, next: Keys },
    /// The client uses the new keys.
    Signing { last: Keys, attempts: Attempts },
    /// So do both, and there are no others.
    Done,
    /// There will be none.
    Never,
}

/// The exchange at one end.
#[derive(Debug)]
pub struct Exchange {
    side: Side,
    phase: Phase,
}

impl Exchange {
    /// Of an end that has said nothing, on a connection whose keys come from `root`.
    pub fn new(side: Side, root: Root) -> Self {
        let phase = Phase::Resting {
            root,
            begin: None,
            theirs: Gathered::default(),
        };
        Self { side, phase }
    }

    /// The client is to begin at that time. A server never begins.
    pub fn plan(&mut self, at: Instant) {
        if let (Side::Client, Phase::Resting { begin, .. }) = (self.side, &mut self.phase) {
            *begin = Some(at);
        }
    }

    /// Whether the keys of the handshake are gone.
    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// When it wants to be told that it is time, of [`sum`](Self::sum) or [`meet`](Self::meet).
    pub fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Resting { begin, theirs, .. } => theirs.whole().map_or(*begin, |_| Some(NOW)),
            Phase::Asking {
                theirs, attempts, ..
            } => Some(theirs.whole().map_or(attempts.retry, |_| NOW)),
            Phase::Signing { attempts, .. } => Some(attempts.retry),
            Phase::Computing { .. } | Phase::Offering { .. } | Phase::Done | Phase::Never => None,
        }
    }

    /// The connection is on the move, or its path on trial: what would be sent now is not.
    pub fn put_off(&mut self, now: Instant) {
        let later = now.after(AWAY);
        match &mut self.phase {
            Phase::Resting { begin, .. } => *begin = begin.map(|begin| begin.max(later)),
            Phase::Asking { attempts, .. } | Phase::Signing { attempts, .. } => {
                attempts.retry = attempts.retry.max(later);
            }
            Phase::Computing { .. } | Phase::Offering { .. } | Phase::Done | Phase::Never => {}
        }
    }

    /// The other keys that the peer may sign with.
    pub fn other(&self) -> Option<&Keys> {
        match &self.phase {
            Phase::Offering { next, .. } => Some(next),
            Phase::Signing { last, .. } => Some(last),
            Phase::Resting { .. }
            | Phase::Computing { .. }
            | Phase::Asking { .. }
            | Phase::Done
            | Phase::Never => None,
        }
    }

    /// Whether a KEYSHARE of the peer's can mean anything. `allowed` says whether an exchange may
    /// be begun.
    pub fn expects_share(&self, allowed: bool) -> bool {
        match &self.phase {
            Phase::Resting { .. } => self.side == Side::Server && allowed,
            Phase::Asking { .. }
            | Phase::Computing { .. }
            | Phase::Offering { .. }
            | Phase::Signing { .. } => true,
            Phase::Done | Phase::Never => false,
        }
    }

    /// Whether a KEYED of the peer's can mean anything.
    pub fn expects_keyed(&self) -> bool {
        matches!(
            self.phase,
            Phase::Offering { .. } | Phase::Signing { .. } | Phase::Done
        )
    }

    /// An authentic half of the peer's value came.
    pub fn hear_share(&mut self, part: Part, half: Half) -> Option<Action> {
        match &mut self.phase {
            Phase::Resting { theirs, .. } | Phase::Asking { theirs, .. } => {
                theirs.add(part, half);
                theirs.whole().map(|_| Action::Compute)
            }
            // One of the two, or there would be twice as many answers as questions.
            Phase::Offering { .. } if part == Part::Last => Some(Action::SendShares {
                retransmission: true,
            }),
            Phase::Offering { .. }
            | Phase::Computing { .. }
            | Phase::Signing { .. }
            | Phase::Done
            | Phase::Never => None,
        }
    }

    /// Something came that was signed with the keys that this end signs with. Whether the others
    /// are gone now.
    pub fn heard_with_ours(&mut self) -> bool {
        let agreed = matches!(self.phase, Phase::Signing { .. });
        if agreed {
            self.phase = Phase::Done;
        }
        agreed
    }

    /// Something came that was signed with the [other](Self::other) ones; `keys` are those that
    /// this end signs with. Whether they are now what the others were, which are gone.
    pub fn heard_with_other(&mut self, keys: &mut Keys) -> bool {
        match core::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Offering { next, .. } => {
                *keys = next;
                true
            }
            other => {
                self.phase = other;
                false
            }
        }
    }

    /// Our public value, while it may have to be sent.
    pub fn ours(&self) -> Option<&PublicValue> {
        match &self.phase {
            Phase::Asking { ours, .. } | Phase::Offering { ours, .. } => Some(ours),
            Phase::Resting { .. }
            | Phase::Computing { .. }
            | Phase::Signing { .. }
            | Phase::Done
            | Phase::Never => None,
        }
    }

    /// What is to be computed now, given out once. The result goes to [`computed`](Self::computed).
    pub fn sum(&mut self, now: Instant) -> Option<Sum> {
        let (root, sum) = match core::mem::replace(&mut self.phase, Phase::Never) {
            Phase::Resting {
                root,
                begin,
                theirs,
            } if theirs.whole().is_some() || begin.is_some_and(|begin| begin <= now) => {
                let theirs = theirs.whole();
                (root, Sum { own: None, theirs })
            }
            Phase::Asking {
                root,
                secret,
                ours,
                theirs,
                ..
            } if theirs.whole().is_some() => {
                let own = Some((secret, ours));
                let theirs = theirs.whole();
                (root, Sum { own, theirs })
            }
            other => {
                self.phase = other;
                return None;
            }
        };
        self.phase = Phase::Computing { root };
        Some(sum)
    }

    /// It was computed. `keys` are those that this end signs with.
    ///
    /// # Errors
    ///
    /// The peer's value is none. There will be no other keys.
    pub fn computed(
        &mut self,
        hmac: &impl Hmac,
        keys: &mut Keys,
        now: Instant,
        rto: Duration,
        computed: Computed,
    ) -> Result<Option<Action>, Reject> {
        let Phase::Computing { root } = core::mem::replace(&mut self.phase, Phase::Never) else {
            return Ok(None);
        };
        let attempts = Attempts::first(now, rto);
        let (ours, theirs, shared) = match computed {
            Computed::Public { secret, ours } => {
                let theirs = Gathered::default();
                self.phase = Phase::Asking {
                    root,
                    secret,
                    ours,
                    theirs,
                    attempts,
                };
                return Ok(Some(FIRST_SHARES));
            }
            Computed::Shared {
                ours,
                theirs,
                shared,
            } => (ours, theirs, shared.ok_or(Reject::SecureBadShare)?),
        };
        match self.side {
            Side::Client => {
                let new = root.exchanged(hmac, &shared, &ours, &theirs).keys(hmac);
                let last = core::mem::replace(keys, new);
                self.phase = Phase::Signing { last, attempts };
                Ok(Some(Action::SendKeyed))
            }
            Side::Server => {
                let next = root.exchanged(hmac, &shared, &theirs, &ours).keys(hmac);
                self.phase = Phase::Offering { ours, next };
                Ok(Some(FIRST_SHARES))
            }
        }
    }

    /// The deadline has come: says again what was not answered, or gives up.
    pub fn meet(&mut self, now: Instant) -> Option<Action> {
        match &mut self.phase {
            Phase::Asking { attempts, .. } if attempts.retry <= now => {
                attempts.another(now);
                if attempts.are_spent() {
                    self.phase = Phase::Never;
                    return Some(Action::Count(Happening::KeyshareUnanswered));
                }
                Some(Action::SendShares {
                    retransmission: true,
                })
            }
            Phase::Signing { attempts, .. } if attempts.retry <= now => {
                attempts.another(now);
                Some(Action::SendKeyed)
            }
            Phase::Resting { .. }
            | Phase::Computing { .. }
            | Phase::Asking { .. }
            | Phase::Offering { .. }
            | Phase::Signing { .. }
            | Phase::Done
            | Phase::Never => None,
        }
    }
}

/// As soon as possible.
const NOW: Instant = Instant::from_millis(0);
/// Both halves, as they are sent at first.
const FIRST_SHARES: Action = Action::SendShares {
    retransmission: false,
};
