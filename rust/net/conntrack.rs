// SPDX-License-Identifier: GPL-2.0

//! Entries of connection tracking for connections that have changed their 4-tuple.
//!
//! Connection tracking knows a connection by addresses and ports. One that has others is new to it,
//! and rules that let through what is established do not let it through. So it gets an entry like
//! the one that it had, before the first segment is looked at: rules that forbid go on to do so.
//!
//! The module that does the tracking is not wanted: its functions are looked up, and a reference of
//! it held, for each use. Where it is not there, nothing is tracked. An entry is its own from the
//! moment it is in, and goes with it, or with the namespace.
//!
//! C header: [`include/net/netfilter/nf_conntrack.h`](srctree/include/net/netfilter/nf_conntrack.h)

use crate::bindings;
use crate::net::addr;
use crate::net::namespace::NetRef;
use crate::net::sock::Tuple;
use crate::net::time;
use core::net::IpAddr;
use core::ptr::NonNull;
use core::time::Duration;
use kernel::error::{
    code,
    to_result,
    Result, //
};

/// Whose change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// This host's: it sends first.
    Local,
    /// The peer's.
    Remote,
}

/// A function of nf_conntrack.ko, with a reference of that module.
struct Symbol<F> {
    call: F,
    put: unsafe extern "C" fn(),
}

impl<F> Symbol<F> {
    /// What `get` gave, to be given back with `put`.
    fn new(call: Option<F>, put: unsafe extern "C" fn()) -> Option<Self> {
        call.map(|call| Self { call, put })
    }
}

impl<F> Drop for Symbol<F> {
    fn drop(&mut self) {
        // SAFETY: `symbol_put()` (include/linux/module.h) for a `symbol_get()` that has succeeded.
        unsafe { (self.put)() };
    }
}

/// An entry, with a reference.
///
/// # Invariants
///
/// `ct` is in the table, or has been, and this owns a reference of it.
struct Entry {
    ct: NonNull<bindings::nf_conn>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: `nf_conntrack_put()` gives up a reference, which is ours by the invariant. It
        // needs the module if the reference is the last; whoever has an `Entry` has a `Symbol`.
        unsafe { bindings::tcpc_ct_put(self.ct.as_ptr()) };
    }
}

impl NetRef<'_> {
    /// Whether connections may be tracked at all.
    pub fn has_conntrack(&self) -> bool {
        // SAFETY: The helper looks whether a pointer is set.
        unsafe { bindings::tcpc_ct_is_there() }
    }

    /// Has a connection tracked at `new` as it is at `old`: as established, with its marks. For
    /// `lifetime`, unless [`NetRef::keep_tracked`] is called. Tuples are as this host's socket has
    /// them.
    ///
    /// The entry's original direction is that of whoever has changed, so that a SYN in that
    /// direction is no surprise (`tcp_conntracks`, net/netfilter/nf_conntrack_proto_tcp.c).
    ///
    /// # Context
    ///
    /// Any but hard interrupts.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it is not tracked at `old`, or its addresses are translated: where they are, the
    /// rules of translation are to have their say for `new`, too. `EEXIST` if something is tracked
    /// at `new`. `ENOMEM`.
    pub fn track_also(
        &self,
        old: &Tuple,
        new: &Tuple,
        changed: Changed,
        lifetime: Duration,
    ) -> Result {
        let was = self.tracked(old).ok_or(code::ENOENT)?;
        // SAFETY: The helper reads an entry that `was` keeps.
        if !unsafe { bindings::tcpc_ct_is_answered(was.0.ct.as_ptr()) } {
            return Err(code::ENOENT);
        }
        let alloc = symbol(bindings::tcpc_ct_get_alloc, bindings::tcpc_ct_put_alloc)?;
        let insert = symbol(bindings::tcpc_ct_get_insert, bindings::tcpc_ct_put_insert)?;
        let free = symbol(bindings::tcpc_ct_get_free, bindings::tcpc_ct_put_free)?;

        let original = directed(new, changed == Changed::Local, 0);
        let reply = directed(new, changed != Changed::Local, 1);
        // SAFETY: The helper gives a constant of the kernel's.
        let zone = unsafe { bindings::tcpc_ct_zone() };
        // SAFETY: Likewise.
        let flags = unsafe { bindings::tcpc_gfp_atomic() };
        let net = self.as_ptr().as_ptr();
        // SAFETY: `nf_conntrack_alloc()` (net/netfilter/nf_conntrack_core.c) copies both tuples; the
        // namespace lives. It gives an entry without any reference, in no table, or an error.
        let ct = unsafe { (alloc.call)(net, zone, &original, &reply, flags) };
        // SAFETY: `IS_ERR()` looks at the pointer's value only.
        if unsafe { bindings::tcpc_is_err(ct.cast()) } {
            return Err(code::ENOMEM);
        }
        // SAFETY: The entry is ours alone; the other is kept by `was`.
        unsafe { bindings::tcpc_ct_begin(ct, was.0.ct.as_ptr(), time::jiffies(lifetime)) };
        // SAFETY: `nf_conntrack_hash_check_insert()` wants an entry as `ctnetlink_create_conntrack()`
        // (net/netfilter/nf_conntrack_netlink.c) prepares it: confirmed, with a timeout. If it
        // succeeds the table has a reference, and the caller another.
        if let Err(error) = to_result(unsafe { (insert.call)(ct) }) {
            // SAFETY: `nf_conntrack_free()` for an entry in no table, without references.
            unsafe { (free.call)(ct) };
            return Err(error);
        }
        // INVARIANT: Just put in, and the second reference is ours.
        drop(NonNull::new(ct).map(|ct| Entry { ct }));
        Ok(())
    }

    /// What [`NetRef::track_also`] has put in at `tuple` stays as long as entries do.
    ///
    /// # Context
    ///
    /// Any but hard interrupts.
    pub fn keep_tracked(&self, tuple: &Tuple) {
        if let Some(tracked) = self.tracked(tuple) {
            // SAFETY: The helper clears a bit of an entry that `tracked` keeps.
            unsafe { bindings::tcpc_ct_keep(tracked.0.ct.as_ptr()) };
        }
    }

    /// The entry of a connection in the default zone, with what keeps its code.
    fn tracked(&self, tuple: &Tuple) -> Option<(Entry, Symbol<FindGet>)> {
        if !self.has_conntrack() {
            return None;
        }
        let find = symbol(bindings::tcpc_ct_get_find, bindings::tcpc_ct_put_find).ok()?;
        let key = directed(tuple, true, 0);
        // SAFETY: The helper gives a constant of the kernel's.
        let zone = unsafe { bindings::tcpc_ct_zone() };
        let net = self.as_ptr().as_ptr();
        // SAFETY: `nf_conntrack_find_get()` (net/netfilter/nf_conntrack_core.c) reads the tuple, and
        // gives one of an entry's two, with a reference, or null.
        let hash = NonNull::new(unsafe { (find.call)(net, zone, &key) })?;
        // SAFETY: `nf_ct_tuplehash_to_ctrack()` for what is one of an entry's two.
        let ct = NonNull::new(unsafe { bindings::tcpc_ct_of(hash.as_ptr()) })?;
        // INVARIANT: Found in the table, with a reference.
        Some((Entry { ct }, find))
    }
}

/// `nf_conntrack_find_get()`.
type FindGet = unsafe extern "C" fn(
    *mut bindings::net,
    *const bindings::nf_conntrack_zone,
    *const bindings::nf_conntrack_tuple,
) -> *mut bindings::nf_conntrack_tuple_hash;

/// A function of the module's, if that is there. `F` is the type of a pointer to it.
#[expect(
    improper_ctypes_definitions,
    reason = "an `Option` of a pointer to a function is a pointer that may be null"
)]
fn symbol<F>(
    get: unsafe extern "C" fn() -> Option<F>,
    put: unsafe extern "C" fn(),
) -> Result<Symbol<F>> {
    // SAFETY: `symbol_get()` (include/linux/module.h) asks for no context; `put` undoes it.
    Symbol::new(unsafe { get() }, put).ok_or(code::ENOENT)
}

/// What conntrack knows segments of a connection by, sent by this host or by its peer.
fn directed(tuple: &Tuple, sent: bool, dir: u8) -> bindings::nf_conntrack_tuple {
    let local = (address(tuple.local), tuple.local_port.to_be());
    let remote = (address(tuple.remote), tuple.remote_port.to_be());
    let (source, destination) = if sent {
        (local, remote)
    } else {
        (remote, local)
    };
    let family = match tuple.local {
        IpAddr::V4(_) => bindings::NFPROTO_IPV4,
        IpAddr::V6(_) => bindings::NFPROTO_IPV6,
    };
    let mut filled = bindings::nf_conntrack_tuple::default();
    // SAFETY: The helper writes the tuple and reads two addresses.
    unsafe {
        bindings::tcpc_ct_fill_tuple(
            &mut filled,
            &source.0,
            source.1,
            &destination.0,
            destination.1,
            family as u16,
            dir,
        )
    };
    filled
}

/// An address as netfilter has it: of IPv4 the first word only.
fn address(address: IpAddr) -> bindings::nf_inet_addr {
    match address {
        IpAddr::V4(v4) => bindings::nf_inet_addr {
            all: [addr::to_be32(v4), 0, 0, 0],
        },
        IpAddr::V6(v6) => bindings::nf_inet_addr {
            in6: addr::to_in6(v6),
        },
    }
}
