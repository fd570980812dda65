// SPDX-License-Identifier: GPL-2.0

//! The correspondent's state machine in the secure profile.
//!
//! ```text
//!             UPDATE, path known lately
//!          +----------------------------+
//!          v                            |
//!      Validated -- UPDATE, new path -> + -> Unvalidated -- UPDATE, new path --+
//!        ^  ^                                 |  |  ^                          |
//!        |  +-- RESPONSE ---------------------+  |  +--------------------------+
//!        +----- validate_time over: back --------+
//! ```
//!
//! An UPDATE is followed at once; what may be sent to its source is bounded until a RESPONSE from
//! there shows that the mover gets what is sent there.

use crate::proto::addr;
use crate::proto::addr::Endpoint;
use crate::proto::crypto::Ends;
use crate::proto::crypto::Hmac;
use crate::proto::flow::RebindError;
use crate::proto::happening::Happening;
use crate::proto::happening::Reject;
use crate::proto::ids::Challenge;
use crate::proto::ids::Epoch;
use crate::proto::option::secure::Response;
use crate::proto::option::secure::Update;
use crate::proto::path::Credit;
use crate::proto::path::Path;
use crate::proto::path::Recent;
use crate::proto::path::Standing;
use crate::proto::path::Trial;
use crate::proto::session::Session;
use crate::proto::settings::Settings;
use crate::proto::time::Backoff;
use crate::proto::time::Instant;

mod event;
mod grace;

pub use event::Action;
pub use event::Actions;
pub use event::Event;

use grace::Grace;

/// Octets of a CONFIRM at most: IPv6, TCP, timestamps, the option.
const CONFIRM_OCTETS: u32 = 100;

/// Where the peer of a connection is, and where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Correspondent {
    /// The last epoch that was followed.
    followed: Epoch,
    path: Path,
    /// The path that was not validated in time: a RESPONSE that was only late still counts, and a
    /// mover that is there, and need not know of this, is not lost.
    lapsed: Option<Path>,
    recent: Recent,
    grace: Grace,
    /// What a rebind was asked for, while its result is awaited in the same call.
    going: Option<Going>,
}

/// Why a rebind was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Going {
    /// An UPDATE is being followed.
    Follow { epoch: Epoch, path: Path },
    /// The path was not validated.
    Return { former: Endpoint },
    /// It was, too late.
    Revive { path: Path },
    /// It was not, and the peer has been heard there again.
    Retry { path: Path },
}

impl Correspondent {
    /// Of a connection whose peer was at `remote` as it was opened.
    pub const fn new(remote: Endpoint) -> Self {
        Self {
            followed: Epoch::NONE,
            path: Path::validated(remote, Epoch::NONE, None),
            lapsed: None,
            recent: Recent::new(),
            grace: Grace::new(),
            going: None,
        }
    }

    /// Where the peer is.
    pub const fn remote(&self) -> Endpoint {
        self.path.remote
    }

    /// The last epoch that was followed.
    pub const fn followed(&self) -> Epoch {
        self.followed
    }

    /// The path that was not validated in time. Segments from there are the connection's.
    pub fn lapsed(&self) -> Option<Endpoint> {
        self.lapsed.map(|path| path.remote)
    }

    /// How many octets may be sent, if that is bounded. Only then does the machine want to hear of
    /// segments that come on the path it has and are sent; of those from a path that
    /// [lapsed](Self::lapsed) always.
    pub fn budget(&self) -> Option<u32> {
        self.trial().map(|trial| trial.credit.remaining())
    }

    /// Whether the budget, if there is one, has room for a CONFIRM.
    pub fn may_send_confirm(&self) -> bool {
        self.budget().is_none_or(|left| left >= CONFIRM_OCTETS)
    }

    /// Whether an UPDATE from `remote`, were it followed now, would be given a whole segment whatever came.
    /// What all connections together may give is not to be taken for one that would not.
    pub fn gives_a_segment_to(&self, remote: Endpoint, now: Instant) -> bool {
        remote != self.path.remote && !self.recent.knows(remote, now) && !self.grace.is_used_up(now)
    }

    /// When it wants to be told that it is time.
    pub fn deadline(&self) -> Option<Instant> {
        self.trial().map(|trial| trial.retry.min(trial.until))
    }

    /// The only way in: what has happened, and what is to be done about it.
    ///
    /// # Errors
    ///
    /// Why a segment was ignored. Nothing has changed then.
    pub fn handle(
        &mut self,
        now: Instant,
        settings: &Settings,
        session: &mut Session,
        hmac: &impl Hmac,
        event: Event,
    ) -> Result<Actions, Reject> {
        match event {
            Event::Update { update, ends, .. } => {
                self.may_be_followed(&update, &ends)?;
                let news = session.hear_update(hmac, &update, &ends)?;
                let mut actions = self.follow(now, settings, event);
                if let Some(news) = news {
                    actions.push(Action::Count(news));
                }
                Ok(actions)
            }
            Event::Response { response, source } => {
                let path = *self.asked(source)?;
                if self.going.is_some() {
                    // It is on its way elsewhere, and asks there.
                    return Err(Reject::StateIneligible);
                }
                self.is_timely(&response, &path)?;
                let challenge = path.challenge.ok_or(Reject::SecureUnasked)?;
                session.hear_response(hmac, &response, challenge)?;
                Ok(self.validate(path))
            }
            Event::Rebound => Ok(self.rebound(now)),
            Event::RebindFailed(error) => self.stay(now, settings, error),
            Event::Received { source, octets } => Ok(self.heard(now, settings, source, octets)),
            Event::Sent { octets } => {
                if let Some(trial) = self.trial_mut() {
                    trial.credit.send(octets);
                }
                Ok(Actions::default())
            }
            Event::Deadline => Ok(self.meet_deadline(now)),
        }
    }

    /// What is wrong with an UPDATE besides its MAC; what is cheap to see is looked at first.
    fn may_be_followed(&self, update: &Update, ends: &Ends) -> Result<(), Reject> {
        addr::peer_address(ends.source.address)?;
        if ends.source.port == 0 {
            return Err(Reject::NewAddressInvalid);
        }
        if ends.source.address.is_ipv6() != self.path.remote.address.is_ipv6() {
            return Err(Reject::FamilyMismatch);
        }
        if self.going.is_some() {
            return Err(Reject::StateIneligible);
        }
        if update.epoch <= self.followed {
            return Err(Reject::SecureOldEpoch);
        }
        Ok(())
    }

    /// An authentic UPDATE with a new epoch.
    fn follow(&mut self, now: Instant, settings: &Settings, event: Event) -> Actions {
        let Event::Update {
            update,
            ends,
            syn,
            octets,
            challenge,
            rto,
            segment,
            unanswered,
        } = event
        else {
            return Actions::default();
        };
        let (epoch, remote) = (update.epoch, ends.source);
        if remote == self.path.remote {
            self.followed = epoch;
            self.path.syn = syn;
            return self.answer_again(challenge, octets, unanswered);
        }
        let path = if self.recent.knows(remote, now) {
            Path {
                syn,
                ..Path::validated(remote, epoch, Some(challenge))
            }
        } else {
            let mut backoff = Backoff::from_rto(rto);
            let trial = Trial {
                credit: Credit::new(octets, self.grace.floor(now, segment)),
                retry: now.after(backoff.wait()),
                backoff,
                until: now.after(settings.validate_time),
                former: self.path.former(),
            };
            Path {
                syn,
                standing: Standing::Unvalidated(trial),
                ..Path::validated(remote, epoch, Some(challenge))
            }
        };
        self.going = Some(Going::Follow { epoch, path });
        [Action::Rebind { remote }].into()
    }

    /// An UPDATE from where the peer is thought to be: it has not been confirmed, or was away.
    fn answer_again(&mut self, fresh: Challenge, octets: u32, unanswered: bool) -> Actions {
        if let Some(trial) = self.trial_mut() {
            trial.credit.receive(octets);
        }
        // Whoever is asked again is asked the same, so that an answer that is on its way counts.
        let challenge = *self.path.challenge.get_or_insert(fresh);
        let mut actions = Actions::default();
        if let Some(octets) = self.budget() {
            actions.push(Action::Budget(octets));
        }
        actions.push(self.confirm(challenge, false));
        if unanswered {
            // The path is there again, for what this end has to send as well.
            actions.push(Action::RestartPath);
        }
        actions.push(Action::Count(Happening::Repeated));
        actions
    }

    /// The path that was asked and ends at `source`.
    fn asked(&self, source: Endpoint) -> Result<&Path, Reject> {
        let paths = [Some(&self.path), self.lapsed.as_ref()];
        let mut paths = paths.into_iter().flatten();
        let path = paths.find(|path| path.remote == source);
        path.ok_or(Reject::SecureWrongPath)
    }

    /// Whether a RESPONSE is of an epoch in which the path was asked.
    fn is_timely(&self, response: &Response, path: &Path) -> Result<(), Reject> {
        if response.epoch < path.since {
            return Err(Reject::SecureOldEpoch);
        }
        if response.epoch > self.followed {
            return Err(Reject::SecureFutureEpoch);
        }
        Ok(())
    }

    /// An authentic RESPONSE: the mover gets what is sent on the path.
    fn validate(&mut self, path: Path) -> Actions {
        if path.remote != self.path.remote {
            self.going = Some(Going::Revive { path });
            let remote = path.remote;
            return [Action::Rebind { remote }].into();
        }
        if self.path.standing == Standing::Validated {
            return Actions::default();
        }
        if self.path.has_floor() {
            self.grace.restore();
        }
        self.path.standing = Standing::Validated;
        self.lapsed = None;
        [Action::LiftBudget, Action::Count(Happening::PathValidated)].into()
    }

    /// The socket has the remote address it was to have.
    fn rebound(&mut self, now: Instant) -> Actions {
        match self.going.take() {
            None => Actions::default(),
            Some(Going::Follow { epoch, path }) => {
                if path.has_floor() {
                    self.grace.use_up(now);
                }
                self.followed_to(now, epoch, path)
            }
            Some(Going::Return { former }) => {
                self.lapsed = Some(self.path);
                self.path = Path::validated(former, self.followed, None);
                [
                    Action::LiftBudget,
                    Action::RestartPath,
                    Action::Count(Happening::PathReturned),
                ]
                .into()
            }
            Some(Going::Retry { path }) => self.followed_to(now, self.followed, path),
            Some(Going::Revive { path }) => {
                self.leave(now);
                self.lapsed = None;
                self.path = Path::validated(path.remote, path.since, path.challenge);
                [
                    Action::LiftBudget,
                    Action::RestartPath,
                    Action::Count(Happening::Rebound),
                    Action::Count(Happening::PathValidated),
                ]
                .into()
            }
        }
    }

    /// An UPDATE has been followed, or is again.
    fn followed_to(&mut self, now: Instant, epoch: Epoch, path: Path) -> Actions {
        self.leave(now);
        self.lapsed = None;
        self.followed = epoch;
        self.path = path;
        let mut actions = Actions::default();
        match path.standing {
            Standing::Unvalidated(trial) => {
                actions.push(Action::Budget(trial.credit.remaining()));
            }
            Standing::Validated => {
                actions.push(Action::LiftBudget);
                actions.push(Action::Count(Happening::PathKnown));
            }
        }
        if let Some(challenge) = path.challenge {
            actions.push(self.confirm(challenge, false));
        }
        actions.push(Action::RestartPath);
        actions.push(Action::Count(Happening::Rebound));
        actions
    }

    /// The path it has is left.
    fn leave(&mut self, now: Instant) {
        if self.path.standing == Standing::Validated {
            self.recent.remember(self.path.remote, now);
        }
    }

    /// The socket could not have the remote address it was to have.
    fn stay(
        &mut self,
        now: Instant,
        settings: &Settings,
        error: RebindError,
    ) -> Result<Actions, Reject> {
        match self.going.take() {
            None => Ok(Actions::default()),
            Some(Going::Return { .. }) => {
                // Bounded as before, it waits for whoever has its former path to go.
                if let Some(trial) = self.trial_mut() {
                    trial.until = now.after(settings.validate_time);
                }
                Ok(Actions::default())
            }
            Some(Going::Retry { .. }) => Ok(Actions::default()),
            Some(Going::Follow { .. } | Going::Revive { .. }) => Err(match error {
                RebindError::TupleTaken => Reject::TupleTaken,
                RebindError::NoMemory | RebindError::Gone => Reject::StateIneligible,
            }),
        }
    }

    /// Something came from `source`.
    fn heard(
        &mut self,
        now: Instant,
        settings: &Settings,
        source: Endpoint,
        octets: u32,
    ) -> Actions {
        if source == self.path.remote {
            return match self.trial_mut() {
                None => Actions::default(),
                Some(trial) => {
                    trial.credit.receive(octets);
                    [Action::Budget(trial.credit.remaining())].into()
                }
            };
        }
        let lapsed = self.lapsed.filter(|path| path.remote == source);
        let (Some(mut path), None) = (lapsed, self.going) else {
            return Actions::default();
        };
        if let Standing::Unvalidated(trial) = &mut path.standing {
            trial.credit.receive(octets);
            trial.retry = now.after(trial.backoff.wait());
            trial.until = now.after(settings.validate_time);
        }
        self.going = Some(Going::Retry { path });
        [Action::Rebind { remote: source }].into()
    }

    /// No answer yet: asks again, or goes back.
    fn meet_deadline(&mut self, now: Instant) -> Actions {
        let asked = self.path.challenge;
        let again = asked.map(|challenge| self.confirm(challenge, true));
        let awaited = self.going.is_some();
        let Some(trial) = self.trial_mut().filter(|_| !awaited) else {
            return Actions::default();
        };
        if trial.until <= now {
            let remote = trial.former;
            self.going = Some(Going::Return { former: remote });
            return [Action::ReturnTo { remote }].into();
        }
        if trial.retry > now {
            return Actions::default();
        }
        trial.retry = now.after(trial.backoff.wait());
        let enough = trial.credit.remaining() >= CONFIRM_OCTETS;
        match again.filter(|_| enough) {
            Some(confirm) => [confirm].into(),
            None => Actions::default(),
        }
    }

    /// The CONFIRM for the epoch that was followed.
    fn confirm(&self, challenge: Challenge, retransmission: bool) -> Action {
        Action::SendConfirm {
            epoch: self.followed,
            challenge,
            syn: self.path.syn,
            retransmission,
        }
    }

    /// What goes on while the path is not validated.
    fn trial(&self) -> Option<&Trial> {
        match &self.path.standing {
            Standing::Validated => None,
            Standing::Unvalidated(trial) => Some(trial),
        }
    }

    /// The same, to change it.
    fn trial_mut(&mut self) -> Option<&mut Trial> {
        match &mut self.path.standing {
            Standing::Validated => None,
            Standing::Unvalidated(trial) => Some(trial),
        }
    }
}

#[cfg(test)]
mod tests;
