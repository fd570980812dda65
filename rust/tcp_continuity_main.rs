// SPDX-License-Identifier: GPL-2.0

//! TCP connections that go on when a host's IP address changes.
//!
//! Three layers, dependencies pointing one way: [`proto`] is the protocol, without a kernel;
//! [`net`] is what the kernel offers, made safe; [`mod@module`] is the glue between them.

#![deny(unsafe_code)]

mod bindings;
pub mod module;
pub mod net;
pub mod proto;

use crate::module::namespace::Namespace;
use crate::net::namespace::Registration;
use crate::net::notifier::Addresses;
use crate::net::work::Queue;
use core::pin::Pin;
use kernel::prelude::*;

module! {
    type: TcpContinuity,
    name: "tcp_continuity",
    authors: ["The tcp_continuity authors"],
    description: "TCP connections go on when a host's IP address changes",
    license: "GPL",
}

/// The loaded module. Fields are dropped in their order: first what calls in, then what is called,
/// then what that stands on.
struct TcpContinuity {
    _addresses: Addresses<Namespace>,
    _namespaces: Pin<KBox<Registration<Namespace>>>,
    _queue: Queue,
}

impl kernel::Module for TcpContinuity {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        net::layout::check()?;
        net::crypto::check()?;
        module::secure::check()?;
        net::sockstate::find()?;
        let queue = Queue::new()?;
        let namespaces = KBox::pin_init(Registration::new(), GFP_KERNEL)?;
        Ok(Self {
            _addresses: Addresses::new()?,
            _namespaces: namespaces,
            _queue: queue,
        })
    }
}
