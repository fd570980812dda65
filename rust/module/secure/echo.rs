// SPDX-License-Identifier: GPL-2.0

//! ECHO: put into the client's acknowledgements until the server is known to have it, and taken out of them.

use super::KernelHmac;
use crate::module::namespace::Namespace;
use crate::net::segment::{
    self,
    Peek, //
};
use crate::net::skb::SkBuff;
use crate::net::sock::{
    SockId,
    Tuple, //
};
use crate::proto::happening::Reject;
use crate::proto::option::secure::{
    Echo,
    Secure, //
};

impl Namespace {
    /// An acknowledgement is about to leave: it may have to carry an ECHO.
    pub fn echo(&self, skb: &mut SkBuff<'_>, peek: &Peek, sender: SockId) {
        let others = segment::SYN | segment::FIN | segment::RST;
        if peek.has(others) {
            return;
        }
        let Some(segment) = skb.segment(peek).filter(|segment| segment.payload == 0) else {
            return;
        };
        let echo = self.connections.with(sender, |connection| {
            let echo = connection.session.echo(&KernelHmac);
            if echo.is_none() {
                connection.end_echo();
            }
            echo
        });
        if let Some(echo) = echo.flatten() {
            let option = super::octets(&Secure::Echo(echo));
            // There are others to come, and any will do.
            skb.append_option(&segment, option.as_slice()).ok();
        }
    }

    /// An ECHO came: with the acknowledgement that makes the connection, or after it.
    pub fn hear_echo(&self, tuple: &Tuple, sock: Option<SockId>, echo: Echo) {
        let early = self
            .half_open
            .with_answered(tuple, |answered| answered.echo = Some(echo));
        if early.is_some() {
            return;
        }
        let heard = sock.and_then(|sock| {
            self.with_connection(sock, |connection| {
                connection.session.hear_echo(&KernelHmac, &echo)
            })
        });
        match heard {
            Some(Ok(Some(what))) => self.count(what),
            Some(Ok(None)) => {}
            Some(Err(reject)) => self.count(reject),
            // It is over, or is just being made on another processor: a further one will do.
            None => self.count(Reject::SecureNotCapable),
        }
    }
}
