// SPDX-License-Identifier: GPL-2.0

//! Asks the kernel. Scripts pass wrong pointers and options of any kind on purpose; for these there
//! are no safe functions, so this file has the unsafe ones.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use nix::sys::socket::{SockaddrIn, SockaddrIn6, SockaddrLike};
use rustix::event::{epoll, poll, PollFd, PollFlags, Timespec};
use rustix::fs::{fcntl_getfl, fcntl_setfl, open, sendfile, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::net;
use rustix::pipe::{pipe, splice, SpliceFlags};

use super::request::{Buffer, Descriptor, Output, Peer, Reply, Request};

/// Performs a call.
pub fn perform(request: Request) -> Reply {
    let (result, output) = match attempt(request) {
        Ok((value, output)) => (Ok(value), output),
        Err(error) => (Err(error.raw_os_error()), Output::Nothing),
    };
    Reply { result, output }
}

fn attempt(request: Request) -> Result<(i64, Output)> {
    let nothing = |()| (0, Output::Nothing);
    let count = |octets: usize| (octets as i64, Output::Nothing);
    match request {
        Request::Socket {
            domain,
            kind,
            protocol,
        } => socket(domain, kind, protocol).map(descriptor),
        Request::Bind { fd, address } => net::bind(fd, &address).map(nothing),
        Request::Listen { fd, backlog } => net::listen(fd, backlog).map(nothing),
        Request::Accept { fd } => net::accept(fd).map(descriptor),
        Request::Connect { fd, peer } => match peer {
            Peer::Address(address) => net::connect(fd, &address),
            Peer::Unspecified => net::connect_unspec(fd),
        }
        .map(nothing),
        Request::Read { fd, buffer } => read(&fd, buffer).map(count),
        Request::Receive {
            fd,
            buffer,
            flags,
            from,
        } => receive(&fd, buffer, flags, from).map(count),
        Request::ReceiveMessage {
            fd,
            lengths,
            name,
            control,
            flags,
        } => receive_message(&fd, &lengths, name, control, flags),
        Request::Write { fd, buffer } => write(&fd, buffer).map(count),
        Request::Send {
            fd,
            buffer,
            flags,
            peer,
        } => send(&fd, buffer, flags, peer).map(count),
        Request::SendMessage {
            fd,
            lengths,
            peer,
            flags,
        } => send_message(&fd, &lengths, peer, flags).map(count),
        Request::Close { fd } => close(fd).map(nothing),
        Request::Shutdown { fd, how } => shutdown(&fd, how).map(nothing),
        Request::SetOption {
            fd,
            level,
            name,
            value,
            length,
        } => set_option(&fd, level, name, &value, length).map(nothing),
        Request::GetOption {
            fd,
            level,
            name,
            length,
        } => option_octets(&fd, level, name, length).map(|octets| (0, Output::Octets(octets))),
        Request::GetFlags { fd } => {
            fcntl_getfl(fd).map(|flags| (i64::from(flags.bits()), Output::Nothing))
        }
        Request::SetFlags { fd, flags } => {
            fcntl_setfl(fd, OFlags::from_bits_retain(flags)).map(nothing)
        }
        Request::Readable { fd } => rustix::io::ioctl_fionread(fd)
            .map(|count| (0, Output::Octets((count as i32).to_ne_bytes().to_vec()))),
        Request::Poll { fds, timeout } => ready(&fds, timeout),
        Request::EpollCreate => epoll::create(epoll::CreateFlags::empty()).map(descriptor),
        Request::EpollControl {
            epoll,
            operation,
            fd,
            events,
            data,
        } => epoll_control(&epoll, operation, &fd, events, data).map(nothing),
        Request::EpollWait {
            epoll,
            room,
            timeout,
        } => epoll_wait(&epoll, room, timeout),
        Request::Pipe => pipe().map(|(from, to)| (0, Output::Descriptors(vec![from, to]))),
        Request::Splice {
            from,
            to,
            length,
            flags,
        } => splice(
            from,
            None,
            to,
            None,
            length,
            SpliceFlags::from_bits_retain(flags),
        )
        .map(count),
        Request::Open { path, flags } => {
            open(path, OFlags::from_bits_retain(flags), Mode::from(0o600)).map(descriptor)
        }
        Request::SendFile {
            to,
            from,
            mut offset,
            length,
        } => sendfile(to, from, Some(&mut offset), length).map(count),
    }
}

fn descriptor(fd: OwnedFd) -> (i64, Output) {
    (i64::from(fd.as_raw_fd()), Output::Descriptors(vec![fd]))
}

fn socket(domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd> {
    /// The bits of a socket's type that are no flags.
    const TYPE: u32 = 0xf;
    let kind = kind as u32;
    net::socket_with(
        net::AddressFamily::from_raw(domain as u16),
        net::SocketType::from_raw(kind & TYPE),
        net::SocketFlags::from_bits_retain(kind & !TYPE),
        std::num::NonZeroU32::new(protocol as u32).map(net::Protocol::from_raw),
    )
}

/// What a libc call says, which gives -1 and an error, or a count.
fn counted(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| last_error())
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn read(fd: &Descriptor, buffer: Buffer) -> Result<usize> {
    if buffer.null {
        // SAFETY: the pointer is NULL; the kernel checks it, and this process accesses nothing.
        return counted(unsafe { libc::read(fd.as_raw_fd(), ptr::null_mut(), buffer.length) });
    }
    rustix::io::read(fd, &mut vec![0; buffer.length])
}

fn receive(fd: &Descriptor, buffer: Buffer, flags: i32, from: bool) -> Result<usize> {
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

fn write(fd: &Descriptor, buffer: Buffer) -> Result<usize> {
    if buffer.null {
        // SAFETY: the pointer is NULL; the kernel checks it, and this process accesses nothing.
        return counted(unsafe { libc::write(fd.as_raw_fd(), ptr::null(), buffer.length) });
    }
    rustix::io::write(fd, &vec![0; buffer.length])
}

fn send(fd: &Descriptor, buffer: Buffer, flags: i32, peer: Option<SocketAddr>) -> Result<usize> {
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
fn zeros(length: usize, flags: i32) -> std::borrow::Cow<'static, [u8]> {
    let octets = vec![0; length];
    if flags & libc::MSG_ZEROCOPY != 0 {
        std::borrow::Cow::Borrowed(octets.leak())
    } else {
        std::borrow::Cow::Owned(octets)
    }
}

fn send_message(
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

fn receive_message(
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

/// Closes a descriptor, which others may still hold: then it is they who close it.
fn close(fd: Descriptor) -> Result<()> {
    match std::sync::Arc::try_unwrap(fd) {
        Ok(fd) => nix::unistd::close(fd).map_err(|error| Errno::from_raw_os_error(error as i32)),
        Err(_) => Ok(()),
    }
}

fn shutdown(fd: &Descriptor, how: i32) -> Result<()> {
    net::shutdown(
        fd,
        match how {
            libc::SHUT_RD => net::Shutdown::Read,
            libc::SHUT_WR => net::Shutdown::Write,
            _ => net::Shutdown::Both,
        },
    )
}

fn set_option(fd: &Descriptor, level: i32, name: i32, value: &[u8], length: usize) -> Result<()> {
    if length > value.len() {
        return Err(Errno::INVAL);
    }
    // SAFETY: `value` has at least `length` octets, as was just seen, and setsockopt(2) reads at
    // most so many.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            length as libc::socklen_t,
        )
    };
    counted(result as isize).map(drop)
}

/// The value of an option of at most so many octets.
pub fn option_octets(fd: &OwnedFd, level: i32, name: i32, length: usize) -> Result<Vec<u8>> {
    let mut octets = vec![0; length];
    let mut size = length as libc::socklen_t;
    // SAFETY: `octets` has the `size` octets that getsockopt(2) writes at most; `size` lives as long.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level,
            name,
            octets.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    counted(result as isize)?;
    octets.truncate(size as usize);
    Ok(octets)
}

/// A timeout in milliseconds; a negative one is none.
fn timespec(timeout: i32) -> Option<Timespec> {
    u32::try_from(timeout).ok().map(|millis| Timespec {
        tv_sec: i64::from(millis / 1000),
        tv_nsec: i64::from(millis % 1000) * 1_000_000,
    })
}

fn ready(fds: &[(Descriptor, i16)], timeout: i32) -> Result<(i64, Output)> {
    let mut entries: Vec<PollFd<'_>> = fds
        .iter()
        .map(|(fd, events)| PollFd::new(fd, PollFlags::from_bits_retain(*events as u16)))
        .collect();
    let count = poll(&mut entries, timespec(timeout).as_ref())?;
    let ready = entries
        .iter()
        .map(|entry| entry.revents().bits() as i16)
        .collect();
    Ok((count as i64, Output::Ready(ready)))
}

fn epoll_control(
    epoll: &Descriptor,
    operation: i32,
    fd: &Descriptor,
    events: u32,
    data: u64,
) -> Result<()> {
    let flags = epoll::EventFlags::from_bits_retain(events);
    let data = epoll::EventData::new_u64(data);
    match operation {
        libc::EPOLL_CTL_ADD => epoll::add(epoll, fd, data, flags),
        libc::EPOLL_CTL_MOD => epoll::modify(epoll, fd, data, flags),
        libc::EPOLL_CTL_DEL => epoll::delete(epoll, fd),
        _ => Err(Errno::INVAL),
    }
}

fn epoll_wait(epoll: &Descriptor, room: usize, timeout: i32) -> Result<(i64, Output)> {
    let none = epoll::Event {
        flags: epoll::EventFlags::empty(),
        data: epoll::EventData::new_u64(0),
    };
    let mut events = vec![none; room];
    let count = epoll::wait(epoll, events.as_mut_slice(), timespec(timeout).as_ref())?;
    let events = events
        .iter()
        .take(count)
        .map(|event| {
            let (flags, data) = (event.flags, event.data);
            (flags.bits(), data.u64())
        })
        .collect();
    Ok((count as i64, Output::Events(events)))
}
