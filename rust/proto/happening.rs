// SPDX-License-Identifier: GPL-2.0

//! Everything that is counted: why received options were ignored, and what happened otherwise.
//!
//! One table gives each its name in /proc and its meaning; a variant without a row does not
//! compile.

/// Why a received option was ignored. The segment was treated as plain TCP would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    /// A length that the option does not have.
    BadLength,
    /// The option reaches beyond the header.
    Truncated,
    /// The option occurs twice.
    RepeatedOption,
    /// An address of another family than the segment's.
    FamilyMismatch,
    /// OLD ADDRESS is none that a host has.
    OldAddressInvalid,
    /// The source address is none that a host elsewhere has.
    NewAddressInvalid,
    /// The source address is one of this host's.
    NewAddressOurs,
    /// The segment has payload, or SYN, FIN or RST, or no ACK.
    NotOptionOnly,
    /// The segment's checksum is wrong.
    BadChecksum,
    /// No connection has the OLD ADDRESS, or the new one, and these ports.
    UnknownConnection,
    /// The sequence number lies outside the window.
    SequenceOutside,
    /// The acknowledgement number is none of what was sent.
    AckOutside,
    /// The connection uses timestamps, and the segment has none.
    TimestampMissing,
    /// The timestamp is older than the last one.
    TimestampOld,
    /// The connection left this address just now, and has no timestamps to tell old from new.
    JustLeft,
    /// The connection is in a state, or of a kind, that is left alone.
    StateIneligible,
    /// Another connection has the new addresses and ports.
    TupleTaken,
    /// A length that the option does not have.
    SecureBadLength,
    /// The option reaches beyond the header, or the list is broken behind it.
    SecureTruncated,
    /// Two options of the profile in one segment.
    SecureRepeatedOption,
    /// A version that there is not.
    SecureBadVersion,
    /// A subtype that there is not.
    SecureBadSubtype,
    /// Flags that have no meaning.
    SecureBadFlags,
    /// The option is not in the kind of segment it belongs in.
    SecureMisplaced,
    /// The peer's CAPABLE is our own.
    SecureReflected,
    /// Another CAPABLE than the first for the same handshake.
    SecureCapableChanged,
    /// A pre-shared key that was not asked for.
    SecureBadKeyId,
    /// There is to be a pre-shared key, and the peer has none.
    SecureKeyRequired,
    /// An answer, though nothing was asked.
    SecureUnasked,
    /// No connection has the token.
    SecureUnknownToken,
    /// The connection is not one of the profile.
    SecureNotCapable,
    /// The epoch is not above the last one.
    SecureOldEpoch,
    /// The epoch is one that was not used yet.
    SecureFutureEpoch,
    /// Addresses are said to be rewritten, which the ends did not agree on.
    SecureNatRefused,
    /// The MAC is wrong.
    SecureBadMac,
    /// The answer comes from elsewhere than where the question went.
    SecureWrongPath,
    /// KEYSHARE or KEYED, and there is no exchange it could be of.
    SecureUnexpectedShare,
    /// A public value that gives keys to everybody.
    SecureBadShare,
}

/// What happened otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// A connection got another local address.
    Moved,
    /// A connection has no usable local address.
    Suspended,
    /// A suspended connection went on.
    Resumed,
    /// An UPDATE was sent for the first time.
    UpdateSent,
    /// An UPDATE was sent again.
    UpdateRetransmitted,
    /// What any TCP answers was sent, since the peer may not know UPDATEs.
    AckSolicited,
    /// An UPDATE was sent on a SYN.
    UpdateOnSyn,
    /// The peer was heard at the new address.
    Confirmed,
    /// The peer was not heard in time: the connection was ended.
    GaveUp,
    /// No address came in time: the connection was ended.
    HoldExpired,
    /// A connection got another remote address.
    Rebound,
    /// An UPDATE that was already followed was answered again.
    Repeated,
    /// A RST that must not be believed was ignored.
    RstIgnored,
    /// A RST of our own that would have been wrong was not sent.
    RstSuppressed,
    /// A segment for addresses that a connection has left was given to it.
    Steered,
    /// A segment from an address that is lost was not sent.
    SourceDropped,
    /// A connection could not move: another has its new addresses and ports.
    MoveTupleTaken,
    /// There was no memory for something.
    NoMemory,
    /// A connection with a lost address is of a kind that is left alone.
    Ineligible,
    /// A process owned the socket: the worker did it.
    Deferred,
    /// The option could not be put into its segment.
    NoRoom,
    /// CAPABLE was sent.
    CapableOffered,
    /// A connection is one of the secure profile, as both ends know.
    CapableAgreed,
    /// CAPABLE was sent, and the peer does not have the profile, or not the key.
    CapableDeclined,
    /// CAPABLE had no room beside the other options.
    CapableNoRoom,
    /// CAPABLE was not sent: too many connections are being opened.
    CapableFull,
    /// A segment was not sent to a path that is not validated: it had got enough.
    BudgetDropped,
    /// A CONFIRM was sent for the first time.
    ConfirmSent,
    /// A CONFIRM was sent again.
    ConfirmRetransmitted,
    /// A CONFIRM was answered.
    ResponseSent,
    /// A path was taken that was validated lately.
    PathKnown,
    /// A path was validated.
    PathValidated,
    /// A path was not validated in time: the connection went back.
    PathReturned,
    /// A connection has moved as often as it can.
    EpochsSpent,
    /// A public value was sent for the first time, in two KEYSHAREs.
    KeyshareSent,
    /// It was sent again.
    KeyshareRetransmitted,
    /// The peer did not answer KEYSHAREs: there will be no exchange.
    KeyshareUnanswered,
    /// A KEYED was sent.
    KeyedSent,
    /// A connection has the keys of an exchange, and takes no others.
    KeysExchanged,
    /// The peer was asked whether it is there.
    ProbeSent,
    /// It has said that it is.
    ProbeAnswered,
    /// It was asked as often as it is, and has not answered.
    ProbeUnanswered,
    /// A RST was given to TCP, since the peer did not contradict.
    RstBelieved,
    /// A connection whose peer does not answer was kept beyond TCP's limit.
    Outlasted,
}

/// Anything that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// A rejected option.
    Reject(Reject),
    /// Something else.
    Happening(Happening),
}

impl From<Reject> for Counted {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}

impl From<Happening> for Counted {
    fn from(happening: Happening) -> Self {
        Self::Happening(happening)
    }
}

/// What the table says of a counted thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name in /proc/net/tcp_continuity_stat.
    pub name: &'static str,
}

use Counted::Happening as H;
use Counted::Reject as R;

/// Everything that is counted, in the order in which it is shown.
pub const ALL: [Counted; COUNT] = [
    H(Happening::Moved),
    H(Happening::Suspended),
    H(Happening::Resumed),
    H(Happening::UpdateSent),
    H(Happening::UpdateRetransmitted),
    H(Happening::AckSolicited),
    H(Happening::UpdateOnSyn),
    H(Happening::Confirmed),
    H(Happening::GaveUp),
    H(Happening::HoldExpired),
    H(Happening::Rebound),
    H(Happening::Repeated),
    H(Happening::RstIgnored),
    H(Happening::RstSuppressed),
    H(Happening::Steered),
    H(Happening::SourceDropped),
    H(Happening::MoveTupleTaken),
    H(Happening::NoMemory),
    H(Happening::Ineligible),
    H(Happening::Deferred),
    H(Happening::NoRoom),
    H(Happening::CapableOffered),
    H(Happening::CapableAgreed),
    H(Happening::CapableDeclined),
    H(Happening::CapableNoRoom),
    H(Happening::CapableFull),
    H(Happening::BudgetDropped),
    H(Happening::ConfirmSent),
    H(Happening::ConfirmRetransmitted),
    H(Happening::ResponseSent),
    H(Happening::PathKnown),
    H(Happening::PathValidated),
    H(Happening::PathReturned),
    H(Happening::EpochsSpent),
    H(Happening::KeyshareSent),
    H(Happening::KeyshareRetransmitted),
    H(Happening::KeyshareUnanswered),
    H(Happening::KeyedSent),
    H(Happening::KeysExchanged),
    H(Happening::ProbeSent),
    H(Happening::ProbeAnswered),
    H(Happening::ProbeUnanswered),
    H(Happening::RstBelieved),
    H(Happening::Outlasted),
    R(Reject::BadLength),
    R(Reject::Truncated),
    R(Reject::RepeatedOption),
    R(Reject::FamilyMismatch),
    R(Reject::OldAddressInvalid),
    R(Reject::NewAddressInvalid),
    R(Reject::NewAddressOurs),
    R(Reject::NotOptionOnly),
    R(Reject::BadChecksum),
    R(Reject::UnknownConnection),
    R(Reject::SequenceOutside),
    R(Reject::AckOutside),
    R(Reject::TimestampMissing),
    R(Reject::TimestampOld),
    R(Reject::JustLeft),
    R(Reject::StateIneligible),
    R(Reject::TupleTaken),
    R(Reject::SecureBadLength),
    R(Reject::SecureTruncated),
    R(Reject::SecureRepeatedOption),
    R(Reject::SecureBadVersion),
    R(Reject::SecureBadSubtype),
    R(Reject::SecureBadFlags),
    R(Reject::SecureMisplaced),
    R(Reject::SecureReflected),
    R(Reject::SecureCapableChanged),
    R(Reject::SecureBadKeyId),
    R(Reject::SecureKeyRequired),
    R(Reject::SecureUnasked),
    R(Reject::SecureUnknownToken),
    R(Reject::SecureNotCapable),
    R(Reject::SecureOldEpoch),
    R(Reject::SecureFutureEpoch),
    R(Reject::SecureNatRefused),
    R(Reject::SecureBadMac),
    R(Reject::SecureWrongPath),
    R(Reject::SecureUnexpectedShare),
    R(Reject::SecureBadShare),
];

/// How many things are counted.
pub const COUNT: usize = 82;

/// The rows of the table, in the order of [`Counted::index`].
pub fn rows() -> impl Iterator<Item = Row> {
    ALL.iter().map(|counted| counted.row())
}

impl Counted {
    /// Its place in the table.
    pub fn index(self) -> usize {
        ALL.iter()
            .position(|counted| *counted == self)
            .unwrap_or(COUNT)
    }

    /// Its row.
    pub const fn row(self) -> Row {
        let name = match self {
            H(happening) => happening.name(),
            R(reject) => reject.name(),
        };
        Row { name }
    }
}

impl Happening {
    /// Its name in /proc.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Moved => "Moved",
            Self::Suspended => "Suspended",
            Self::Resumed => "Resumed",
            Self::UpdateSent => "UpdateSent",
            Self::UpdateRetransmitted => "UpdateRetransmitted",
            Self::AckSolicited => "AckSolicited",
            Self::UpdateOnSyn => "UpdateOnSyn",
            Self::Confirmed => "Confirmed",
            Self::GaveUp => "GaveUp",
            Self::HoldExpired => "HoldExpired",
            Self::Rebound => "Rebound",
            Self::Repeated => "Repeated",
            Self::RstIgnored => "RstIgnored",
            Self::RstSuppressed => "RstSuppressed",
            Self::Steered => "Steered",
            Self::SourceDropped => "SourceDropped",
            Self::MoveTupleTaken => "MoveTupleTaken",
            Self::NoMemory => "NoMemory",
            Self::Ineligible => "Ineligible",
            Self::Deferred => "Deferred",
            Self::NoRoom => "NoRoom",
            Self::CapableOffered => "CapableOffered",
            Self::CapableAgreed => "CapableAgreed",
            Self::CapableDeclined => "CapableDeclined",
            Self::CapableNoRoom => "CapableNoRoom",
            Self::CapableFull => "CapableFull",
            Self::BudgetDropped => "BudgetDropped",
            Self::ConfirmSent => "ConfirmSent",
            Self::ConfirmRetransmitted => "ConfirmRetransmitted",
            Self::ResponseSent => "ResponseSent",
            Self::PathKnown => "PathKnown",
            Self::PathValidated => "PathValidated",
            Self::PathReturned => "PathReturned",
            Self::EpochsSpent => "EpochsSpent",
            Self::KeyshareSent => "KeyshareSent",
            Self::KeyshareRetransmitted => "KeyshareRetransmitted",
            Self::KeyshareUnanswered => "KeyshareUnanswered",
            Self::KeyedSent => "KeyedSent",
            Self::KeysExchanged => "KeysExchanged",
            Self::ProbeSent => "ProbeSent",
            Self::ProbeAnswered => "ProbeAnswered",
            Self::ProbeUnanswered => "ProbeUnanswered",
            Self::RstBelieved => "RstBelieved",
            Self::Outlasted => "Outlasted",
        }
    }
}

impl Reject {
    /// Its name in /proc.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadLength => "UpdateBadLength",
            Self::Truncated => "UpdateTruncated",
            Self::RepeatedOption => "UpdateRepeatedOption",
            Self::FamilyMismatch => "UpdateFamilyMismatch",
            Self::OldAddressInvalid => "UpdateOldAddressInvalid",
            Self::NewAddressInvalid => "UpdateNewAddressInvalid",
            Self::NewAddressOurs => "UpdateNewAddressOurs",
            Self::NotOptionOnly => "UpdateNotOptionOnly",
            Self::BadChecksum => "UpdateBadChecksum",
            Self::UnknownConnection => "UpdateUnknownConnection",
            Self::SequenceOutside => "UpdateSequenceOutside",
            Self::AckOutside => "UpdateAckOutside",
            Self::TimestampMissing => "UpdateTimestampMissing",
            Self::TimestampOld => "UpdateTimestampOld",
            Self::JustLeft => "UpdateJustLeft",
            Self::StateIneligible => "UpdateStateIneligible",
            Self::TupleTaken => "UpdateTupleTaken",
            Self::SecureBadLength => "SecureBadLength",
            Self::SecureTruncated => "SecureTruncated",
            Self::SecureRepeatedOption => "SecureRepeatedOption",
            Self::SecureBadVersion => "SecureBadVersion",
            Self::SecureBadSubtype => "SecureBadSubtype",
            Self::SecureBadFlags => "SecureBadFlags",
            Self::SecureMisplaced => "SecureMisplaced",
            Self::SecureReflected => "SecureReflected",
            Self::SecureCapableChanged => "SecureCapableChanged",
            Self::SecureBadKeyId => "SecureBadKeyId",
            Self::SecureKeyRequired => "SecureKeyRequired",
            Self::SecureUnasked => "SecureUnasked",
            Self::SecureUnknownToken => "SecureUnknownToken",
            Self::SecureNotCapable => "SecureNotCapable",
            Self::SecureOldEpoch => "SecureOldEpoch",
            Self::SecureFutureEpoch => "SecureFutureEpoch",
            Self::SecureNatRefused => "SecureNatRefused",
            Self::SecureBadMac => "SecureBadMac",
            Self::SecureWrongPath => "SecureWrongPath",
            Self::SecureUnexpectedShare => "SecureUnexpectedShare",
            Self::SecureBadShare => "SecureBadShare",
        }
    }
}

#[cfg(test)]
mod tests;
