// SPDX-License-Identifier: GPL-2.0

//! A socket's place in the hash of bound ports and addresses ("bhash2") when its address changes.
//!
//! A stand-in for `__inet_bhash2_update_saddr()` (net/ipv4/inet_hashtables.c), which is not
//! exported, in the two halves that a rebind needs.
//!
//! C header: [`include/net/inet_hashtables.h`](srctree/include/net/inet_hashtables.h)

use super::Locked;
use crate::bindings;
use core::mem;
use core::ptr::NonNull;

/// The lock of a port's bind bucket, which keeps others from walking the port's owners.
///
/// # Invariants
///
/// `bind` is locked by this; `address` is the `bhash2` bucket the socket was in when it was taken.
pub(super) struct PortLock {
    bind: *mut bindings::inet_bind_hashbucket,
    address: *mut bindings::inet_bind_hashbucket,
}

impl PortLock {
    /// Locks the bind bucket of the socket's port.
    pub(super) fn take(locked: &Locked<'_>) -> Self {
        let sk = locked.as_ptr();
        // SAFETY: The helper computes the bucket of the socket's port, which does not change.
        let bind = unsafe { bindings::tcpc_sk_bhash_head(sk) };
        // SAFETY: As above, of the port and the local address it still has.
        let address = unsafe { bindings::tcpc_sk_bhash2_head(sk) };
        // SAFETY: A bucket of the table, which lives as long as the namespace; bottom halves are
        // off, as wherever this lock is taken.
        unsafe { bindings::tcpc_bind_lock(bind) };
        // INVARIANT: Just locked.
        Self { bind, address }
    }

    /// Moves the socket, whose local address has just changed, to the bucket of that address.
    pub(super) fn rebind_address(&self, locked: &mut Locked<'_>, spare: SpareBucket) {
        self.leave(locked);
        self.enter(locked, spare);
    }

    /// Takes the socket out of the bucket it is in, as `inet_bind2_bucket_destroy()` does.
    fn leave(&self, locked: &mut Locked<'_>) {
        let sk = locked.as_ptr();
        let _address = AddressLock::take(self.address);
        // SAFETY: The socket's lock guards the pointer; `is_movable()` saw that it is not null.
        let bucket = unsafe { (*locked.icsk()).icsk_bind2_hash };
        // SAFETY: The locks of port and address guard the list of owners.
        unsafe { bindings::tcpc___sk_del_bind_node(sk) };
        // SAFETY: As above.
        let mut owner = unsafe { bindings::tcpc_bind2_first_owner(bucket) };
        if owner.is_null() {
            // SAFETY: As above; nobody refers to an empty bucket but its two lists.
            unsafe { bindings::tcpc_bind2_unlink(bucket) };
            // SAFETY: It came from this cache, and nobody finds it any more.
            unsafe { bindings::kmem_cache_free(bind2_cache(locked), bucket.cast()) };
            return;
        }
        // Once those who asked for the address have gone, connect() may share it again.
        while !owner.is_null() {
            // SAFETY: `owner` is on the list, whose locks are held.
            if !unsafe { bindings::tcpc_sk_is_connect_bind(owner) } {
                return;
            }
            // SAFETY: As above.
            owner = unsafe { bindings::tcpc_bind2_next_owner(owner) };
        }
        // SAFETY: As above: the locks guard the bucket's flags.
        unsafe { (*bucket).fastreuse = -1 };
        // SAFETY: As above.
        unsafe { (*bucket).fastreuseport = -1 };
    }

    /// Puts the socket into the bucket of its address, made of `spare` if there is none.
    fn enter(&self, locked: &mut Locked<'_>, spare: SpareBucket) {
        let sk = locked.as_ptr();
        // SAFETY: As in `take()`, of the address it has now.
        let head = unsafe { bindings::tcpc_sk_bhash2_head(sk) };
        let _address = AddressLock::take(head);
        // SAFETY: The lock guards the chain.
        let mut bucket = unsafe { bindings::tcpc_bind2_first(head) };
        // SAFETY: As above; `bucket` is on the chain.
        while !bucket.is_null() && !unsafe { bindings::tcpc_bind2_matches(bucket, sk) } {
            // SAFETY: As above.
            bucket = unsafe { bindings::tcpc_bind2_next(bucket) };
        }
        if bucket.is_null() {
            bucket = spare.use_up();
            // SAFETY: Both locks are held; the memory is unused and of the right cache. The helper
            // does what `inet_bind2_bucket_init()` does, and sets the flags for `connect()`'s own.
            unsafe { bindings::tcpc_bind2_init(bucket, head, sk) };
        }
        // SAFETY: The socket's lock guards the pointer.
        unsafe { (*locked.icsk()).icsk_bind2_hash = bucket };
        // SAFETY: Both locks are held; the socket is on no list of owners since `leave()`.
        unsafe { bindings::tcpc_bind2_add_owner(bucket, sk) };
    }
}

impl Drop for PortLock {
    fn drop(&mut self) {
        // SAFETY: Locked, by the type's invariant.
        unsafe { bindings::tcpc_bind_unlock(self.bind) };
    }
}

/// The lock of a `bhash2` bucket, inside that of the port.
///
/// # Invariants
///
/// `head` is locked by this.
struct AddressLock {
    head: *mut bindings::inet_bind_hashbucket,
}

impl AddressLock {
    fn take(head: *mut bindings::inet_bind_hashbucket) -> Self {
        // SAFETY: A bucket of the table, which lives as long as the namespace; bottom halves are
        // off, as `PortLock` has it.
        unsafe { bindings::tcpc_bind_lock(head) };
        // INVARIANT: Just locked.
        Self { head }
    }
}

impl Drop for AddressLock {
    fn drop(&mut self) {
        // SAFETY: Locked, by the type's invariant.
        unsafe { bindings::tcpc_bind_unlock(self.head) };
    }
}

/// Memory for an `inet_bind2_bucket`, taken before anything is changed.
///
/// # Invariants
///
/// `bucket` is memory of `cache` that nothing else refers to.
pub(super) struct SpareBucket {
    bucket: NonNull<bindings::inet_bind2_bucket>,
    cache: *mut bindings::kmem_cache,
}

impl SpareBucket {
    /// Allocates one from the cache of the socket's table.
    pub(super) fn new(locked: &Locked<'_>) -> Option<Self> {
        let cache = bind2_cache(locked);
        // SAFETY: The helper is `kmem_cache_alloc(cache, GFP_ATOMIC)`.
        let bucket = unsafe { bindings::tcpc_kmem_cache_alloc_atomic(cache) };
        // INVARIANT: Just allocated.
        Some(Self {
            bucket: NonNull::new(bucket.cast())?,
            cache,
        })
    }

    /// Gives the memory away.
    fn use_up(self) -> *mut bindings::inet_bind2_bucket {
        mem::ManuallyDrop::new(self).bucket.as_ptr()
    }
}

impl Drop for SpareBucket {
    fn drop(&mut self) {
        // SAFETY: From this cache, and unused, by the type's invariant.
        unsafe { bindings::kmem_cache_free(self.cache, self.bucket.as_ptr().cast()) };
    }
}

/// The cache that the buckets of the socket's table come from.
fn bind2_cache(locked: &Locked<'_>) -> *mut bindings::kmem_cache {
    // SAFETY: The helper reads a field of the table that is set for its life.
    unsafe { bindings::tcpc_sk_bind2_cache(locked.as_ptr()) }
}
