// SPDX-License-Identifier: GPL-2.0

//! Asks the kernel. Scripts set options of any kind; for that there are no safe functions.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{epoll, poll, PollFd, PollFlags, Timespec};
use rustix::fs::{fcntl_getfl, fcntl_setfl, open, sendfile, Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::net;
use rustix::pipe::{pipe, splice, SpliceFlags};

use super::data::{counted, read, receive, receive_message, send, send_message, write};
use super::request::{Descriptor, Output, Peer, Reply, Request};

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
