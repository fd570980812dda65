// SPDX-License-Identifier: GPL-2.0

use super::arguments::{Arguments, Fields};
use super::request::{Output, Reply, Request};
use super::{finish, message, perform, prepare, Sockets};
use crate::config::{Config, Family};
use crate::script::{parse, Action, Call};
use crate::trouble::{Outcome, Trouble};

fn sockets() -> Sockets {
    Sockets::new(Config::new(Family::Ipv4, None, &[]).unwrap())
}

fn call(text: &str) -> Call {
    match parse(&format!("0 {text}")).unwrap().events.remove(0).action {
        Action::Call(call) => call,
        other => panic!("{other:?}"),
    }
}

/// Runs a call as a script would.
fn run(text: &str, sockets: &mut Sockets) -> Outcome<()> {
    let call = call(text);
    let request = prepare(&call, sockets)?;
    finish(&call, perform(request), sockets, 0)
}

#[test]
fn calls_are_made_and_judged() {
    let mut sockets = sockets();
    for text in [
        "socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3",
        "setsockopt(3, SOL_SOCKET, SO_SNDBUF, [5000], 4) = 0",
        "getsockopt(3, SOL_SOCKET, SO_SNDBUF, [10000], [4]) = 0",
        "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
        "pipe([5, 6]) = 0",
        "write(6, ..., 4) = 4",
        "ioctl(5, SIOCINQ, [4]) = 0",
        "read(5, NULL, 4) = -1 EFAULT (Bad address)",
        "read(5, ..., 9) = 4",
        "epoll_create(1) = 7",
        "epoll_ctl(7, EPOLL_CTL_ADD, 6, {events=EPOLLOUT, fd=6}) = 0",
        "epoll_wait(7, {events=EPOLLOUT, fd=6}, 1, 0) = 1",
        "poll([{fd=5, events=POLLIN, revents=0}, {fd=6, events=POLLOUT, revents=POLLOUT}], 2, 0) = 1",
        "accept(3, ..., ...) = -1 EINVAL",
        "close(3) = 0",
        "close(6) = 0",
        "read(5, ..., 9) = 0",
    ] {
        assert_eq!(run(text, &mut sockets), Ok(()), "{text}");
    }
}

#[test]
fn other_results_are_failures() {
    let mut sockets = sockets();
    run("pipe([5, 6]) = 0", &mut sockets).unwrap();
    for text in [
        "write(6, ..., 4) = 5",
        "write(6, ..., 4) = -1",
        "read(5, NULL, 4) = -1 EINVAL",
        "read(5, NULL, 4) = 4",
        "ioctl(5, SIOCINQ, [9]) = 0",
        "poll([{fd=6, events=POLLOUT, revents=0}], 1, 0) = 1",
    ] {
        let outcome = run(text, &mut sockets);
        assert!(
            matches!(outcome, Err(Trouble::Failed { .. })),
            "{text}: {outcome:?}"
        );
    }
}

#[test]
fn what_is_not_known_is_never_a_pass() {
    let mut sockets = sockets();
    for text in [
        "fork() = 0",
        "read(9, ..., 1) = 1",
        "pipe([5, 6], 0) = 0",
        "socket(..., SOCK_NO_SUCH, 0) = 3",
    ] {
        let outcome = run(text, &mut sockets);
        assert!(
            matches!(outcome, Err(Trouble::Unsupported(_))),
            "{text}: {outcome:?}"
        );
    }
}

#[test]
fn null_is_a_buffer_too() {
    let mut sockets = sockets();
    run("pipe([5, 6]) = 0", &mut sockets).unwrap();
    let request = prepare(&call("write(6, NULL, 7) = -1"), &mut sockets).unwrap();
    let Request::Write { buffer, .. } = request else {
        panic!("{request:?}");
    };
    assert!(buffer.null);
    assert_eq!(buffer.length, 7);
}

/// A control message as the kernel writes it.
fn control(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
    let mut octets = (16 + data.len()).to_ne_bytes().to_vec();
    octets.extend(level.to_ne_bytes());
    octets.extend(kind.to_ne_bytes());
    octets.extend(data);
    octets.resize(octets.len().next_multiple_of(8), 0);
    octets
}

fn judge(messages: &str, control: &[u8]) -> Outcome<()> {
    let call = call(&format!(
        "recvmsg(3, {{msg_iov(1)=[{{..., 0}}], msg_flags=0, msg_control=[{messages}]}}, 0) = 0"
    ));
    let fields: Fields<'_> = Arguments(&call).fields(1)?;
    let expected = message::expected(&fields)?;
    message::compare(&expected, control, 1_000_000, 4000)
}

#[test]
fn control_messages_are_compared() {
    let mut error = [0_u8; 16];
    (error[0], error[4], error[6], error[12]) = (42, 5, 1, 3);
    let came = [
        control(libc::SOL_TCP, libc::TCP_INQ, &77_i32.to_ne_bytes()),
        control(libc::SOL_IP, libc::IP_RECVERR, &error),
    ]
    .concat();
    let inq = |value| format!("{{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data={value}}}");
    let err = |origin, data| {
        format!(
            "{{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={{ee_errno=42, \
             ee_origin={origin}, ee_type=0, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=0, \
             ee_data={data}}}}}"
        )
    };
    let zerocopy = "SO_EE_ORIGIN_ZEROCOPY";
    assert_eq!(
        judge(&format!("{}, {}", inq(77), err(zerocopy, 3)), &came),
        Ok(())
    );
    for wrong in [
        format!("{}, {}", inq(76), err(zerocopy, 3)),
        format!("{}, {}", inq(77), err(zerocopy, 4)),
        format!("{}, {}", inq(77), err("SO_EE_ORIGIN_LOCAL", 3)),
        format!("{}, {}", err(zerocopy, 3), inq(77)),
        inq(77),
    ] {
        assert!(judge(&wrong, &came).is_err(), "{wrong}");
    }
}

#[test]
fn timestamps_are_relative_to_the_beginning() {
    let mut data = [0; 48];
    data[..8].copy_from_slice(&1_i64.to_ne_bytes());
    data[8..16].copy_from_slice(&20_003_000_i64.to_ne_bytes());
    let came = control(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &data);
    let stamp = |nanoseconds| {
        format!(
            "{{cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, \
             cmsg_data={{scm_sec=0, scm_nsec={nanoseconds}}}}}"
        )
    };
    assert_eq!(judge(&stamp(20_000_000), &came), Ok(()));
    assert!(judge(&stamp(30_000_000), &came).is_err());
}

#[test]
fn a_failed_call_is_judged_by_its_error() {
    let reply = |errno| Reply {
        result: Err(errno),
        output: Output::Nothing,
    };
    let call = call("write(4, ..., 1) = -1 EPIPE (Broken pipe)");
    assert!(finish(&call, reply(libc::EPIPE), &mut sockets(), 0).is_ok());
    assert!(finish(&call, reply(libc::ECONNRESET), &mut sockets(), 0).is_err());
}
