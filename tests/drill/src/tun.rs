// SPDX-License-Identifier: GPL-2.0

//! The network of a script: a namespace of its own with one device, whose other end is here.

use std::fs::{File, OpenOptions};
use std::io::{IoSliceMut, Read, Write};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use nix::cmsg_space;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sched::{unshare, CloneFlags};
use nix::sys::socket::sockopt::{RcvBufForce, ReceiveTimestampns};
use nix::sys::socket::{
    recvmsg, setsockopt, socket, AddressFamily, ControlMessageOwned, MsgFlags, SockFlag,
    SockProtocol, SockType,
};
use nix::sys::time::TimeSpec;

use crate::clock;
use crate::config::Config;
use crate::trouble::{Outcome, Trouble};

/// The device's name, which scripts rely on.
const NAME: &str = "tun0";

/// What `struct virtio_net_hdr` has before each packet: ten octets, all zero as a rule.
const VNET_HEADER: usize = 10;

/// The device, and a socket that sees what passes through it and when.
pub struct Network {
    device: File,
    sniffer: OwnedFd,
}

impl Network {
    /// A new namespace with a new device in it.
    ///
    /// # Errors
    ///
    /// This machine cannot, or may not.
    pub fn new(config: &Config) -> Outcome<Self> {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|error| trouble("a new namespace", error))?;
        let device = device()?;
        let (local, remote, gateway) = (config.local(), config.remote(), config.gateway());
        ip(&format!("link set dev {NAME} mtu {} up", config.mtu()))?;
        // An IPv6 address without this is tentative for a moment, even on a device like this one.
        let (version, nodad) = if local.is_ipv4() {
            (4, "")
        } else {
            (6, " nodad")
        };
        ip(&format!(
            "addr add {local}/{} dev {NAME}{nodad}",
            config.prefix()
        ))?;
        ip(&format!(
            "-{version} route add {remote} dev {NAME} via {gateway}"
        ))?;
        let sniffer = sniffer().map_err(|error| trouble("a packet socket", error))?;
        Ok(Self { device, sniffer })
    }

    /// Gives a packet to the kernel. Segments longer than `mss` look as if receive offload had
    /// made them of several.
    pub fn inject(&mut self, packet: &[u8], mss: Option<u16>) -> Outcome<()> {
        let mut octets = [0; VNET_HEADER].to_vec();
        if let Some(mss) = mss {
            const GSO_TCPV4: u8 = 1;
            const GSO_TCPV6: u8 = 4;
            let version4 = packet.first().is_some_and(|first| first >> 4 == 4);
            octets[1] = if version4 { GSO_TCPV4 } else { GSO_TCPV6 };
            octets[4..6].copy_from_slice(&mss.to_ne_bytes());
        }
        octets.extend(packet);
        // The device takes packets whole.
        self.device
            .write_all(&octets)
            .map_err(|error| trouble("the kernel takes a packet", error))
    }

    /// The next packet from `source`, and when it passed; none if there is none until `deadline`.
    pub fn next(&mut self, source: IpAddr, deadline: i64) -> Option<(i64, Vec<u8>)> {
        loop {
            let left = deadline.saturating_sub(clock::now()).max(0);
            let timeout = PollTimeout::try_from(left / 1000 + 1).unwrap_or(PollTimeout::MAX);
            let mut readable = [PollFd::new(self.sniffer.as_fd(), PollFlags::POLLIN)];
            match poll(&mut readable, timeout) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(_) => continue,
            }
            let Some((time, packet)) = receive(&self.sniffer) else {
                continue;
            };
            if sender(&packet) == Some(source) {
                self.drain();
                return Some((time, packet));
            }
        }
    }

    /// Takes from the device what has been seen, one packet for each: until then TCP would think
    /// it to be still in this machine.
    fn drain(&mut self) {
        let mut start = [0; VNET_HEADER + 1];
        // There may be none: the queueing discipline may have thrown it away.
        let _ = self.device.read(&mut start);
    }
}

fn trouble(expected: &str, error: impl std::fmt::Display) -> Trouble {
    Trouble::failed(expected, error)
}

mod ioctls {
    // Of <linux/if_tun.h>.
    nix::ioctl_write_ptr_bad!(tun_set_interface, libc::TUNSETIFF, libc::ifreq);
    nix::ioctl_write_int_bad!(tun_set_offload, libc::TUNSETOFFLOAD);
}

/// A device that is like an Ethernet card with segmentation offload.
fn device() -> Outcome<File> {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")
        .map_err(|error| trouble("/dev/net/tun opens", error))?;
    let mut name = [0; libc::IFNAMSIZ];
    for (to, from) in name.iter_mut().zip(NAME.bytes()) {
        *to = from as libc::c_char;
    }
    let request = libc::ifreq {
        ifr_name: name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru {
            ifru_flags: (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short,
        },
    };
    // SAFETY: TUNSETIFF reads and writes a `struct ifreq`, which `request` is, and keeps no pointer
    // to it. The descriptor is that of an open file.
    unsafe { ioctls::tun_set_interface(device.as_raw_fd(), &raw const request) }
        .map_err(|error| trouble("a TUN device", error))?;
    let offload = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6 | libc::TUN_F_TSO_ECN;
    // SAFETY: TUNSETOFFLOAD takes an integer and no pointer.
    unsafe { ioctls::tun_set_offload(device.as_raw_fd(), offload as libc::c_int) }
        .map_err(|error| trouble("a TUN device with offload", error))?;
    Ok(device)
}

/// Sees every packet of the namespace: one device is up in it.
fn sniffer() -> nix::Result<OwnedFd> {
    const ROOM: usize = 4 << 20;
    let socket = socket(
        AddressFamily::Packet,
        SockType::Datagram,
        SockFlag::SOCK_NONBLOCK,
        SockProtocol::EthAll,
    )?;
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    setsockopt(&socket, RcvBufForce, &ROOM)?;
    Ok(socket)
}

/// A packet and the kernel's time of it.
fn receive(sniffer: &OwnedFd) -> Option<(i64, Vec<u8>)> {
    let mut packet = vec![0; 1 << 16];
    let mut slices = [IoSliceMut::new(&mut packet)];
    let mut space = cmsg_space!(TimeSpec);
    let message = recvmsg::<()>(
        sniffer.as_raw_fd(),
        &mut slices,
        Some(&mut space),
        MsgFlags::MSG_DONTWAIT,
    )
    .ok()?;
    let time = message.cmsgs().ok()?.find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(time) => {
            Some(time.tv_sec() * 1_000_000 + time.tv_nsec() / 1000)
        }
        _ => None,
    });
    let length = message.bytes;
    packet.truncate(length);
    Some((time.unwrap_or_else(clock::now), packet))
}

fn sender(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => <[u8; 4]>::try_from(packet.get(12..16)?)
            .ok()
            .map(IpAddr::from),
        6 => <[u8; 16]>::try_from(packet.get(8..24)?)
            .ok()
            .map(IpAddr::from),
        _ => None,
    }
}

/// Runs ip(8).
fn ip(arguments: &str) -> Outcome<()> {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .map_err(|error| trouble("ip(8) runs", error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(trouble(&format!("`ip {arguments}` succeeds"), said.trim()))
}
