// SPDX-License-Identifier: GPL-2.0

//! A flow on the move: events and the time go in, actions come out.

use crate::proto::actions;
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
use core::net::IpAddr;
use core::time::Duration;

pub use crate::proto::mover::Flow;

/// What a flow is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing.
    Stable,
    /// It has no usable local address, or no route.
    Suspended,
    /// It has a new address, and the peer has not been heard there yet.
    Pending,
    /// It has been given up.
    Failed,
}

impl State {
    /// As /proc shows it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Suspended => "suspended",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// What a flow is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its local address is gone.
    AddressLost {
        /// What the kernel would choose now.
        new: Option<IpAddr>,
        /// The connection's retransmission timeout, without backoff.
        rto: Duration,
        /// Its smoothed round-trip time (RFC 6298), zero if there is no measurement.
        srtt: Duration,
        /// The connection's timestamp clock now (TSval), `None` on connections without.
        clock: Option<u32>,
    },
    /// An address or a route came.
    AddressAppeared {
        /// What the kernel would choose now; the address it has if that is usable again.
        new: Option<IpAddr>,
        /// The connection's retransmission timeout, without backoff.
        rto: Duration,
        /// Its smoothed round-trip time (RFC 6298), zero if there is no measurement.
        srtt: Duration,
        /// The connection's timestamp clock now (TSval), `None` on connections without.
        clock: Option<u32>,
    },
    /// [`Action::Rebind`] was done.
    Rebound,
    /// [`Action::Rebind`] could not be done; nothing has changed.
    RebindFailed(RebindError),
    /// [`Action::Park`] or [`Action::Hold`] was done.
    Held(Waiting),
    /// A segment came for the addresses and ports it has now.
    Segment {
        /// With the RST flag.
        rst: bool,
        /// With numbers that only the peer, or a lucky stranger, can have.
        acceptable: bool,
        /// TSecr, if it has timestamps.
        echo: Option<u32>,
    },
    /// A CONFIRM came, and is authentic (secure profile).
    Confirm {
        /// The epoch it names.
        epoch: Epoch,
        /// Whether it came on a SYN/ACK.
        syn: bool,
    },
    /// The deadline has come.
    Deadline,
}

/// How long an application has its connection wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// The limit it has set (TCP_USER_TIMEOUT, RFC 5482), if it has.
    pub limit: Option<Duration>,
    /// Whether data waits for an acknowledgement, so that the limit counts.
    pub unacknowledged: bool,
}

/// Why a rebind could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RebindError {
    /// Another connection has the new addresses and ports.
    TupleTaken,
    /// No memory.
    NoMemory,
    /// The connection is over.
    Gone,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give the socket another local address, and tell how it went.
    Rebind {
        /// The address.
        local: IpAddr,
    },
    /// Send an ADDRESS UPDATE (classic profile).
    SendUpdate {
        /// The address it names.
        old: IpAddr,
        /// Whether it was sent before.
        retransmission: bool,
    },
    /// Send an UPDATE (secure profile).
    SendSecureUpdate {
        /// The epoch it has.
        epoch: Epoch,
        /// Whether one was sent before from the same address.
        retransmission: bool,
        /// Whether it is to be sent on a SYN, for what lies on the path and wants to see one.
        syn: bool,
    },
    /// Send what any TCP answers, as keepalive does.
    SolicitAck,
    /// Start over on the path and resend what is outstanding.
    RestartPath,
    /// Stop the timers, and tell what waits.
    Park,
    /// Keep the stopped timers from ending the connection, and tell what waits.
    Hold,
    /// Let the connection go on where it was.
    Unpark,
    /// End the connection with ETIMEDOUT.
    Abort,
    /// Do not let TCP see the segment.
    IgnoreSegment,
    /// Count.
    Count(Happening),
    /// There is nothing left to remember.
    Forget,
}

/// What is to be done, in order.
pub type Actions = actions::Actions<Action, 12>;
