// SPDX-License-Identifier: GPL-2.0

//! Calls that move data. Scripts pass NULL on purpose; for that there are no safe functions.

use std::borrow::Cow;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::ptr;

use nix::sys::socket::{SockaddrIn, SockaddrIn6, SockaddrLike};
use rustix::io::{Errno, Result};
use rustix::net;

use super::request::{Buffer, Descriptor, Output};

/// What a libc call says, which gives -1 and an error, or a count.
pub fn counted(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| last_error())
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// read(2).
pub fn read(fd: &Descriptor, buffer: Buffer) -> Result<usize> {
    if buffer.null {
        // SAFETY: the pointer is NULL; the kernel checks it, and this process accesses nothing.
        return counted(unsafe { libc::read(fd.as_raw_fd(), ptr::null_mut(), buffer.length) });
    }
    rustix::io::read(fd, &mut vec![0; buffer.length])
}

/// recv(2), or recvfrom(2) if it shall tell the sender.
pub fn receive(fd: &Descriptor, buffer: Buffer, flags: i32, from: bool) -> Result<usize> {
    if buffer.null {
        // SAFETY: all pointers are NULL; the kernel checks them, and this process accesses nothing.
        return counted(unsafe {
            libc::recvfrom(
                fd.as_raw_fd(),
                ptr::null_mut(),
                buffer.length,
                flags,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        });
    }
    let mut octets = vec![0; buffer.length];
    let flags = net::RecvFlags::from_bits_retain(flags as u32);
    if from {
        net::recvfrom(fd, &mut octets, flags).map(|(count, _, _)| count)
    } else {
        net::recv(fd, &mut octets, flags).map(|(count, _)| count)
    }
}

/// write(2).
pub fn write(fd: &Descriptor, buffer: Buffer) -> Result<usize> {
    if buffer.null {
        // SAFETY: the pointer is NULL; the kernel checks it, and this process accesses nothing.
        return counted(unsafe { libc::write(fd.as_raw_fd(), ptr::null(), buffer.length) });
    }
    rustix::io::write(fd, &vec![0; buffer.length])
}

/// send(2), or sendto(2) if there is somebody to send to.
pub fn send(
    fd: &Descriptor,
    buffer: Buffer,
    flags: i32,
    peer: Option<SocketAddr>,
) -> Result<usize> {
    if buffer.null {
        let length = buffer.length;
        return match peer {
            None => send_null::<SockaddrIn>(fd, length, flags, None),
            Some(SocketAddr::V4(peer)) => {
                send_null(fd, length, flags, Some(&SockaddrIn::from(peer)))
            }
            Some(SocketAddr::V6(peer)) => {
                send_null(fd, length, flags, Some(&SockaddrIn6::from(peer)))
            }
        };
    }
    let octets = zeros(buffer.length, flags);
    let flags = net::SendFlags::from_bits_retain(flags as u32);
    match peer {
        Some(peer) => net::sendto(fd, &octets, flags, &peer),
        None => net::send(fd, &octets, flags),
    }
}

fn send_null<A: SockaddrLike>(
    fd: &Descriptor,
    length: usize,
    flags: i32,
    peer: Option<&A>,
) -> Result<usize> {
    let (address, size) = match peer {
        Some(peer) => (peer.as_ptr(), peer.len()),
        None => (ptr::null(), 0),
    };
    // SAFETY: the buffer's pointer is NULL, which the kernel checks. `address` is NULL, or points to
    // the `size` octets of `peer`, which lives until the end of this function.
    counted(unsafe { libc::sendto(fd.as_raw_fd(), ptr::null(), length, flags, address, size) })
}

/// Octets to send. Those of a send without copying are the kernel's for as long as it likes, so
/// they are never given back.
fn zeros(length: usize, flags: i32) -> Cow<'static, [u8]> {
    let octets = vec![0; length];
    if flags & libc::MSG_ZEROCOPY != 0 {
        Cow::Borrowed(octets.leak())
    } else {
        Cow::Owned(octets)
    }
}

/// sendmsg(2).
pub fn send_message(
    fd: &Descriptor,
    lengths: &[usize],
    peer: Option<SocketAddr>,
    flags: i32,
) -> Result<usize> {
    let parts: Vec<_> = lengths.iter().map(|length| zeros(*length, flags)).collect();
    let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut control = net::SendAncillaryBuffer::default();
    let flags = net::SendFlags::from_bits_retain(flags as u32);
    match peer {
        Some(peer) => net::sendmsg_addr(fd, &peer, &slices, &mut control, flags),
        None => net::sendmsg(fd, &slices, &mut control, flags),
    }
}

/// recvmsg(2), with room for so many octets of control data.
pub fn receive_message(
    fd: &Descriptor,
    lengths: &[usize],
    name: bool,
    control: usize,
    flags: i32,
) -> Result<(i64, Output)> {
    let mut parts: Vec<Vec<u8>> = lengths.iter().map(|length| vec![0; *length]).collect();
    let mut vectors: Vec<libc::iovec> = parts
        .iter_mut()
        .map(|part| libc::iovec {
            iov_base: part.as_mut_ptr().cast(),
            iov_len: part.len(),
        })
        .collect();
    let mut address = [0_u64; 16];
    let mut control = vec![0_u8; control];
    // SAFETY: `struct msghdr` is numbers and pointers, for which zeros are values.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    if name {
        message.msg_name = address.as_mut_ptr().cast();
        message.msg_namelen = size_of_val(&address) as libc::socklen_t;
    }
    message.msg_iov = vectors.as_mut_ptr();
    message.msg_iovlen = vectors.len();
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = control.len();
    // SAFETY: each pointer of `message` goes to memory of this function that is as long as
    // `message` says, which recvmsg(2) writes at most; it keeps none of them.
    let count = counted(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) })?;
    control.truncate(message.msg_controllen);
    let flags = message.msg_flags;
    Ok((count as i64, Output::Message { flags, control }))
}
