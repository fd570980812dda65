// SPDX-License-Identifier: GPL-2.0

//! Break before make, and the moments of it.
//!
//! This is a program of its own, and speaks to the kernel itself, because the moment is what
//! counts: starting `ip` takes longer than what is to be measured, and what a shell notes before or
//! after it would hide or add that.

use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use anyhow::Result;
use clap::Args;
use nix::net::if_::if_nametoindex;

use super::rtnetlink::Announcements;
use super::rtnetlink::Prefixed;
use super::rtnetlink::Request;
use super::rtnetlink::Rtnetlink;
use crate::clock::now_us;
use crate::out;

/// Arguments of `renumber`.
#[derive(Args)]
pub struct Renumber {
    /// The interface.
    device: String,
    /// The address it has.
    #[arg(long, value_name = "ADDR/PREFIX")]
    from: Prefixed,
    /// The address it gets.
    #[arg(long, value_name = "ADDR/PREFIX")]
    to: Prefixed,
    /// The router that the default route goes by, before and after.
    #[arg(long, value_name = "ADDR")]
    gateway: IpAddr,
    /// How long it has neither.
    #[arg(long, value_name = "MS")]
    outage_ms: u64,
    /// How long to do nothing afterwards: a process that ends takes time from those measured.
    #[arg(long, value_name = "MS")]
    rest_ms: u64,
}

impl Renumber {
    /// Does it and prints `moved outage_ms= lost= usable= returned=`, CLOCK_MONOTONIC in
    /// microseconds.
    ///
    /// `usable` is read just before the call that puts the route in, the last of what the new
    /// address needs: so what the kernel and the module do in that call is a part of the gap, and a
    /// gap is never shown too short. `returned` is read when that call has come back.
    ///
    /// # Errors
    ///
    /// The kernel refuses a change.
    pub fn run(&self) -> Result<()> {
        let index = if_nametoindex(self.device.as_str()).context("no such interface")?;
        let kernel = Rtnetlink::open()?;
        let announcements = Announcements::open()?;
        // With the last address IPv4 routes go by themselves, IPv6 ones through a router do not.
        kernel
            .make(Request::delete_default_route(index, self.gateway))
            .context("deleting the route")?;
        kernel
            .make(Request::delete_address(index, self.from))
            .context("deleting the address")?;
        let lost = now_us();
        thread::sleep(Duration::from_millis(self.outage_ms));
        kernel
            .make(Request::add_address(index, self.to))
            .context("adding the address")?;
        announcements.wait_for(self.to.address)?;
        let usable = now_us();
        kernel
            .make(Request::add_default_route(index, self.gateway))
            .context("adding the route")?;
        let returned = now_us();
        thread::sleep(Duration::from_millis(self.rest_ms));
        out::line(format_args!(
            "moved outage_ms={} lost={lost} usable={usable} returned={returned}",
            self.outage_ms
        ));
        Ok(())
    }
}
