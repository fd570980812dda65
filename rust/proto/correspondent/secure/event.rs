// SPDX-License-Identifier: GPL-2.0

//! What the state machine is told, and what it answers.

use crate::proto::actions;
use crate::proto::addr::Endpoint;
use crate::proto::crypto::Ends;
use crate::proto::flow::RebindError;
use crate::proto::happening::Happening;
use crate::proto::ids::Challenge;
use crate::proto::ids::Epoch;
use crate::proto::option::secure::Response;
use crate::proto::option::secure::Update;
use crate::proto::path::Syn;
use core::time::Duration;

/// What the machine is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A segment with an UPDATE came, for this connection's token.
    Update {
        /// The option.
        update: Update,
        /// Source and destination of the segment.
        ends: Ends,
        /// If it was a SYN, that; else it was option-only.
        syn: Option<Syn>,
        /// The length of the segment with its IP header.
        octets: u32,
        /// New random octets.
        challenge: Challenge,
        /// The connection's retransmission timeout, without backoff.
        rto: Duration,
        /// The length of a full segment with its IP header.
        segment: u32,
        /// Whether this end has retransmitted, more than once in a row, and was not answered.
        unanswered: bool,
    },
    /// What was asked for by [`Action::Rebind`] or [`Action::ReturnTo`] was done.
    Rebound,
    /// It could not be done; nothing has changed.
    RebindFailed(RebindError),
    /// An option-only segment with a RESPONSE came.
    Response {
        /// The option.
        response: Response,
        /// The segment's source.
        source: Endpoint,
    },
    /// A segment without an option of the profile came, with numbers that the peer can have.
    Received {
        /// The segment's source.
        source: Endpoint,
        /// Its length with its IP header.
        octets: u32,
    },
    /// A segment of so many octets, with its IP header, was sent, CONFIRMs included.
    Sent {
        /// How many.
        octets: u32,
    },
    /// The deadline has come.
    Deadline,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give the socket another remote address and port, and tell how it went.
    Rebind {
        /// Where the mover is.
        remote: Endpoint,
    },
    /// The same, back to a path that the connection had.
    ReturnTo {
        /// Where the mover was.
        remote: Endpoint,
    },
    /// Send a CONFIRM.
    SendConfirm {
        /// The epoch it names.
        epoch: Epoch,
        /// The challenge it carries.
        challenge: Challenge,
        /// If it is to be on a SYN/ACK, what this answers.
        syn: Option<Syn>,
        /// Whether it was sent before.
        retransmission: bool,
    },
    /// Send no more than so many octets, with IP headers, until told otherwise.
    Budget(u32),
    /// Send as TCP has it, beginning with what the budget kept back.
    LiftBudget,
    /// Start over on the path and resend what is outstanding.
    RestartPath,
    /// Count.
    Count(Happening),
}

/// What is to be done, in order.
pub type Actions = actions::Actions<Action, 6>;
