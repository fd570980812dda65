// SPDX-License-Identifier: GPL-2.0

//! The constants of the system that scripts name.

/// What a name means.
pub fn lookup(name: &str) -> Option<i64> {
    TABLE
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

/// The name of an error number.
pub fn errno_name(number: i32) -> String {
    let error = nix::errno::Errno::from_raw(number);
    format!("{error:?} ({})", error.desc())
}

/// Rows of constants that libc(7) has under the same name.
macro_rules! of_libc {
    ($($name:ident)*) => {
        &[$((stringify!($name), libc::$name as i64)),*]
    };
}

static TABLE: Table = Table {
    libc: of_libc! {
        AF_INET AF_INET6 AF_UNSPEC
        SOCK_STREAM SOCK_DGRAM SOCK_NONBLOCK SOCK_CLOEXEC
        IPPROTO_IP IPPROTO_IPV6 IPPROTO_TCP IPPROTO_UDP
        SOL_SOCKET SOL_IP SOL_IPV6 SOL_TCP
        SO_ACCEPTCONN SO_BROADCAST SO_ERROR SO_KEEPALIVE SO_LINGER SO_MARK SO_MAX_PACING_RATE
        SO_OOBINLINE SO_PRIORITY SO_RCVBUF SO_RCVBUFFORCE SO_RCVLOWAT SO_REUSEADDR SO_REUSEPORT
        SO_SNDBUF SO_SNDBUFFORCE SO_TIMESTAMPING SO_TIMESTAMPNS SO_TYPE SO_ZEROCOPY
        SCM_TIMESTAMPING
        IP_FREEBIND IP_MTU IP_MTU_DISCOVER IP_RECVERR IP_TOS IP_TTL IP_PMTUDISC_DO
        IP_PMTUDISC_DONT IP_PMTUDISC_PROBE IP_PMTUDISC_WANT IP_TRANSPARENT
        IPV6_MTU IPV6_MTU_DISCOVER IPV6_RECVERR IPV6_TCLASS IPV6_UNICAST_HOPS IPV6_V6ONLY
        TCP_CONGESTION TCP_CORK TCP_DEFER_ACCEPT TCP_FASTOPEN TCP_FASTOPEN_CONNECT
        TCP_FASTOPEN_KEY TCP_FASTOPEN_NO_COOKIE TCP_INFO TCP_INQ TCP_KEEPCNT TCP_KEEPIDLE
        TCP_KEEPINTVL TCP_LINGER2 TCP_MAXSEG TCP_MD5SIG TCP_NODELAY TCP_NOTSENT_LOWAT
        TCP_QUICKACK TCP_SYNCNT TCP_TIMESTAMP TCP_USER_TIMEOUT TCP_WINDOW_CLAMP TCP_ZEROCOPY_RECEIVE
        MSG_CONFIRM MSG_CTRUNC MSG_DONTROUTE MSG_DONTWAIT MSG_EOR MSG_ERRQUEUE MSG_FASTOPEN
        MSG_MORE MSG_NOSIGNAL MSG_OOB MSG_PEEK MSG_TRUNC MSG_WAITALL MSG_ZEROCOPY
        O_RDONLY O_RDWR O_WRONLY O_NONBLOCK O_CREAT O_TRUNC
        F_GETFL F_SETFL F_GETFD F_SETFD
        FIONREAD TIOCOUTQ
        SHUT_RD SHUT_WR SHUT_RDWR
        POLLERR POLLHUP POLLIN POLLNVAL POLLOUT POLLPRI POLLRDHUP
        EPOLLERR EPOLLET EPOLLEXCLUSIVE EPOLLHUP EPOLLIN EPOLLONESHOT EPOLLOUT EPOLLPRI EPOLLRDHUP
        EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD
        SPLICE_F_MORE SPLICE_F_MOVE SPLICE_F_NONBLOCK
        SOF_TIMESTAMPING_OPT_CMSG SOF_TIMESTAMPING_OPT_ID SOF_TIMESTAMPING_OPT_TSONLY
        SOF_TIMESTAMPING_RX_SOFTWARE SOF_TIMESTAMPING_SOFTWARE SOF_TIMESTAMPING_TX_ACK
        SOF_TIMESTAMPING_TX_SCHED SOF_TIMESTAMPING_TX_SOFTWARE
        SO_EE_ORIGIN_ICMP SO_EE_ORIGIN_ICMP6 SO_EE_ORIGIN_LOCAL SO_EE_ORIGIN_NONE
        E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNABORTED
        ECONNREFUSED ECONNRESET EDESTADDRREQ EEXIST EFAULT EHOSTDOWN EHOSTUNREACH EINPROGRESS
        EINTR EINVAL EIO EISCONN EMFILE EMSGSIZE ENETDOWN ENETUNREACH ENOBUFS ENOENT ENOMEM ENOMSG
        ENOPROTOOPT ENOSPC ENOTCONN ENOTSOCK ENOTSUP EOPNOTSUPP EPERM EPIPE EPROTO ETIMEDOUT
        EWOULDBLOCK
    },
    others: &[
        ("NULL", 0),
        // <linux/sockios.h>
        ("SIOCINQ", libc::FIONREAD as i64),
        ("SIOCOUTQ", libc::TIOCOUTQ as i64),
        ("SIOCOUTQNSD", 0x894b),
        // <netinet/tcp.h>
        ("TCP_ESTABLISHED", 1),
        ("TCP_SYN_SENT", 2),
        ("TCP_SYN_RECV", 3),
        ("TCP_FIN_WAIT1", 4),
        ("TCP_FIN_WAIT2", 5),
        ("TCP_TIME_WAIT", 6),
        ("TCP_CLOSE", 7),
        ("TCP_CLOSE_WAIT", 8),
        ("TCP_LAST_ACK", 9),
        ("TCP_LISTEN", 10),
        ("TCP_CLOSING", 11),
        // <linux/tcp.h>
        ("TCP_CM_INQ", libc::TCP_INQ as i64),
        ("TCP_SAVE_SYN", 27),
        ("TCP_SAVED_SYN", 28),
        ("TCPI_OPT_TIMESTAMPS", 1),
        ("TCPI_OPT_SACK", 2),
        ("TCPI_OPT_WSCALE", 4),
        ("TCPI_OPT_ECN", 8),
        ("TCPI_OPT_ECN_SEEN", 16),
        ("TCPI_OPT_SYN_DATA", 32),
        ("TCPI_OPT_USEC_TS", 64),
        ("TCPI_OPT_TFO_CHILD", 128),
        ("TCP_CA_Open", 0),
        ("TCP_CA_Disorder", 1),
        ("TCP_CA_CWR", 2),
        ("TCP_CA_Recovery", 3),
        ("TCP_CA_Loss", 4),
        // <linux/errqueue.h>
        ("SO_EE_ORIGIN_TIMESTAMPING", 4),
        ("SO_EE_ORIGIN_ZEROCOPY", 5),
        ("SO_EE_CODE_ZEROCOPY_COPIED", 1),
        ("SCM_TSTAMP_SND", 0),
        ("SCM_TSTAMP_SCHED", 1),
        ("SCM_TSTAMP_ACK", 2),
    ],
};

struct Table {
    libc: &'static [(&'static str, i64)],
    others: &'static [(&'static str, i64)],
}

impl Table {
    fn iter(&self) -> impl Iterator<Item = &'static (&'static str, i64)> {
        self.libc.iter().chain(self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::{errno_name, lookup};

    #[test]
    fn names_mean_what_the_system_says() {
        assert_eq!(lookup("SOL_SOCKET"), Some(1));
        assert_eq!(lookup("TCP_CM_INQ"), Some(36));
        assert_eq!(lookup("NULL"), Some(0));
        assert_eq!(lookup("TCP_NO_SUCH_THING"), None);
    }

    #[test]
    fn errors_have_names() {
        assert!(errno_name(libc::ECONNRESET).starts_with("ECONNRESET"));
    }
}
