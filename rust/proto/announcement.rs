// SPDX-License-Identifier: GPL-2.0

//! How a mover's peer is told where the mover is, in either profile, and what answers it.

use crate::proto::flow::Action;
use crate::proto::flow::Actions;
use crate::proto::ids::Epoch;
use crate::proto::time::Backoff;
use core::net::IpAddr;
use core::time::Duration;

/// How many addresses the peer may believe in that an UPDATE is sent for.
const BELIEFS: usize = 3;

/// What the peer was told, and may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Announcement {
    profile: Profile,
    /// The address at which the peer last confirmed the mover.
    confirmed: IpAddr,
}

/// What it takes, by profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Profile {
    /// One ADDRESS UPDATE for each address the peer may believe in; any segment of its answers.
    Classic {
        /// The addresses from which an UPDATE was sent since, so that the peer may think the mover
        /// is there. Without the one it has and the one confirmed.
        beliefs: [Option<IpAddr>; BELIEFS],
    },
    /// One UPDATE with an epoch of its own; the CONFIRM of the last answers.
    Secure {
        /// The last epoch there was.
        last: Epoch,
        /// If that was on a SYN: the epoch of the UPDATE right before, which was not.
        alone: Option<Epoch>,
        /// Whether an UPDATE that is not on a SYN is known to arrive from the address there is.
        alone_arrives: bool,
        /// Whether a SYN was what got through last, so that one is sent at once.
        syn: bool,
    },
}

impl Announcement {
    /// In the classic profile, the peer knowing the mover at `confirmed`.
    pub const fn classic(confirmed: IpAddr) -> Self {
        let beliefs = [None; BELIEFS];
        let profile = Profile::Classic { beliefs };
        Self { profile, confirmed }
    }

    /// In the secure profile. `last` is the epoch of the last UPDATE; `syn` whether the last that
    /// was confirmed was on a SYN.
    pub const fn secure(confirmed: IpAddr, last: Epoch, syn: bool) -> Self {
        let profile = Profile::Secure {
            last,
            alone: None,
            alone_arrives: false,
            syn,
        };
        Self { profile, confirmed }
    }

    /// The address at which the peer last confirmed the mover.
    pub const fn confirmed(&self) -> IpAddr {
        self.confirmed
    }

    /// Whether any segment that can only be the peer's is an answer.
    pub const fn is_answered_by_anything(&self) -> bool {
        matches!(self.profile, Profile::Classic { .. })
    }

    /// Whether a CONFIRM with `epoch` is one. S-22: that of the last UPDATE only, since a copy of a
    /// later one may have led the peer elsewhere; of the last there is no later one.
    pub fn is_answered_by(&self, epoch: Epoch) -> bool {
        match self.profile {
            Profile::Classic { .. } => false,
            Profile::Secure { last, .. } => epoch == last,
        }
    }

    /// Whether the peer is to be told of `local`, where the mover is again. In the secure profile
    /// always: the same address need not be the same network, and what lies behind a NAT there.
    pub fn is_due(&self, local: IpAddr) -> bool {
        match self.profile {
            Profile::Classic { .. } => self.told(local).next().is_some(),
            Profile::Secure { .. } => true,
        }
    }

    /// A CONFIRM came with `epoch`, which is not the last. If it is that of the UPDATE before the
    /// SYN: one more of its kind, which is the last then. S-77: a SYN may never arrive where others
    /// do, so that its CONFIRM is not to be waited for.
    pub fn arrives_alone(&mut self, local: IpAddr, epoch: Epoch) -> Option<Actions> {
        let Profile::Secure {
            alone,
            alone_arrives,
            ..
        } = &mut self.profile
        else {
            return None;
        };
        alone.take_if(|alone| *alone == epoch)?;
        *alone_arrives = true;
        self.updates(local, true)
    }

    /// The mover has gone from one address to another.
    pub fn moved(&mut self, from: IpAddr, to: IpAddr) {
        self.believe(from);
        self.disbelieve(to);
        if let Profile::Secure { alone_arrives, .. } = &mut self.profile {
            *alone_arrives = false;
        }
    }

    /// An UPDATE with `epoch` was sent otherwise.
    pub fn used(&mut self, epoch: Epoch) {
        if let Profile::Secure { last, .. } = &mut self.profile {
            *last = epoch.max(*last);
        }
    }

    /// The peer has answered: it knows of `local`.
    pub fn answered(&mut self, local: IpAddr) {
        self.confirmed = local;
        if let Profile::Classic { beliefs } = &mut self.profile {
            *beliefs = [None; BELIEFS];
        }
    }

    /// The UPDATEs to be sent now: one with the epoch it is, or, in the classic profile, one for
    /// each address the peer may believe in. `None` if there can be no other.
    ///
    /// An UPDATE of the secure profile that was not answered is sent in two ways: on its own, and
    /// on a SYN, which has the higher epoch. A router that lets the first through untranslated, and
    /// the second translated, leaves the peer at the address that works.
    ///
    /// Every epoch is used once, for an UPDATE that is sent again as well: so what was seen on the
    /// way is worth nothing as soon as another has arrived.
    pub fn updates(&mut self, local: IpAddr, retransmission: bool) -> Option<Actions> {
        let mut actions = Actions::new();
        if let Profile::Secure {
            last,
            alone,
            alone_arrives,
            syn,
        } = &mut self.profile
        {
            let epoch = last.next()?;
            *last = epoch;
            actions.push(Action::SendSecureUpdate {
                epoch,
                retransmission,
                syn: false,
            });
            *alone = None;
            let on_syn = (retransmission || *syn) && !*alone_arrives;
            if let Some(next) = last.next().filter(|_| on_syn) {
                *alone = Some(epoch);
                *last = next;
                actions.push(Action::SendSecureUpdate {
                    epoch: next,
                    retransmission: true,
                    syn: true,
                });
            }
        }
        for old in self.told(local) {
            actions.push(Action::SendUpdate {
                old,
                retransmission,
            });
        }
        if retransmission && self.may_be_unheard(local) {
            actions.push(Action::SolicitAck);
        }
        Some(actions)
    }

    /// Whether UPDATEs may be nothing to the peer, which does not answer them then, and no answer is
    /// needed but that it is there: it knows the mover where it is again, and may not have the profile.
    fn may_be_unheard(&self, local: IpAddr) -> bool {
        self.is_answered_by_anything() && local == self.confirmed
    }

    /// How long to wait for an answer: in the secure profile not much longer than it takes, since
    /// then there is another way to ask.
    pub fn backoff(&self, rto: Duration, srtt: Duration) -> Backoff {
        match self.profile {
            Profile::Classic { .. } => Backoff::from_rto(rto),
            Profile::Secure { .. } => Backoff::from_round_trip(srtt, rto),
        }
    }

    /// Where the peer may think the mover is, other than where it is, if that has to be named.
    fn told(&self, local: IpAddr) -> impl Iterator<Item = IpAddr> {
        let (confirmed, beliefs) = match self.profile {
            Profile::Classic { beliefs } => (Some(self.confirmed), beliefs),
            Profile::Secure { .. } => (None, [None; BELIEFS]),
        };
        let confirmed = confirmed.filter(|confirmed| *confirmed != local);
        confirmed.into_iter().chain(beliefs.into_iter().flatten())
    }

    /// The peer may think it is at `address`. When there is no room the oldest goes.
    fn believe(&mut self, address: IpAddr) {
        self.disbelieve(address);
        let Profile::Classic { beliefs } = &mut self.profile else {
            return;
        };
        if address == self.confirmed {
            return;
        }
        if let Some(place) = beliefs.iter_mut().find(|place| place.is_none()) {
            *place = Some(address);
            return;
        }
        let [_, second, third] = *beliefs;
        *beliefs = [second, third, Some(address)];
    }

    /// `address` is where it is, or is put in again at the end.
    fn disbelieve(&mut self, address: IpAddr) {
        let Profile::Classic { beliefs } = &mut self.profile else {
            return;
        };
        let mut kept = [None; BELIEFS];
        let others = beliefs
            .iter()
            .copied()
            .filter(|belief| belief.is_some_and(|b| b != address));
        for (place, belief) in kept.iter_mut().zip(others) {
            *place = belief;
        }
        *beliefs = kept;
    }
}
