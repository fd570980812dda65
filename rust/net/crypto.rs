// SPDX-License-Identifier: GPL-2.0

//! HMAC-SHA256, X25519, random octets, comparing and wiping secrets: the kernel's library, not its
//! crypto API, so that nothing is allocated and nothing sleeps.
//!
//! C headers: [`include/crypto/sha2.h`](srctree/include/crypto/sha2.h),
//! [`include/crypto/curve25519.h`](srctree/include/crypto/curve25519.h),
//! [`include/crypto/utils.h`](srctree/include/crypto/utils.h),
//! [`include/linux/random.h`](srctree/include/linux/random.h)

use crate::bindings;
use core::mem::MaybeUninit;
use kernel::error::{
    code,
    Result, //
};
use kernel::prelude::*;

/// Octets of an HMAC-SHA256 (RFC 2104, FIPS 180-4).
pub const MAC_LEN: usize = 32;

/// HMAC-SHA256 of the `parts` one after the other. The key may be of any length.
///
/// # Context
///
/// Any but non-maskable interrupts.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; MAC_LEN] {
    let mut place = MaybeUninit::<bindings::hmac_sha256_ctx>::uninit();
    let ctx = place.as_mut_ptr();
    // SAFETY: `hmac_sha256_init_usingrawkey()` (lib/crypto/sha256.c) fills the context from `len`
    // octets of a key.
    unsafe { bindings::hmac_sha256_init_usingrawkey(ctx, key.as_ptr(), key.len()) };
    for part in parts {
        // SAFETY: `hmac_sha256_update()` reads `len` octets; the context was filled above.
        unsafe { bindings::tcpc_hmac_sha256_update(ctx, part.as_ptr(), part.len()) };
    }
    let mut mac = [0; MAC_LEN];
    // SAFETY: `hmac_sha256_final()` writes `SHA256_DIGEST_SIZE`, which is `MAC_LEN`, octets, and
    // wipes the context.
    unsafe { bindings::hmac_sha256_final(ctx, mac.as_mut_ptr()) };
    mac
}

/// Octets of a scalar, and of a u-coordinate (RFC 7748, section 5).
pub const X25519_LEN: usize = 32;

/// The public value of a secret scalar, which is any octets.
///
/// # Context
///
/// Any. It takes some 50 microseconds, or ten times that without the processor's help: no lock should
/// be held.
pub fn x25519_public(secret: &[u8; X25519_LEN]) -> [u8; X25519_LEN] {
    let secret = clamped(secret);
    let mut public = [0; X25519_LEN];
    // SAFETY: `curve25519_generate_public()` (lib/crypto/curve25519.c) reads and writes
    // `CURVE25519_KEY_SIZE`, which is `X25519_LEN`, octets.
    let done = unsafe {
        bindings::curve25519_generate_public(public.as_mut_ptr(), secret.octets().as_ptr())
    };
    // It says no to a scalar of nothing but zeros, which a clamped one is not.
    debug_assert!(done);
    public
}

/// What the owner of a secret scalar shares with that of the public value `theirs`; `None` if that is
/// all zero.
///
/// # Context
///
/// As [`x25519_public`].
pub fn x25519(secret: &[u8; X25519_LEN], theirs: &[u8; X25519_LEN]) -> Option<Secret<X25519_LEN>> {
    let secret = clamped(secret);
    let mut shared = [0; X25519_LEN];
    // SAFETY: `curve25519()` (lib/crypto/curve25519.c) reads and writes `CURVE25519_KEY_SIZE`,
    // which is `X25519_LEN`, octets.
    let good = unsafe {
        bindings::curve25519(
            shared.as_mut_ptr(),
            secret.octets().as_ptr(),
            theirs.as_ptr(),
        )
    };
    let shared = Secret::take(&mut shared);
    good.then_some(shared)
}

/// A scalar as it is used (RFC 7748, section 5, `decodeScalar25519`): not all of the library's
/// implementations see to that.
fn clamped(secret: &[u8; X25519_LEN]) -> Secret<X25519_LEN> {
    let mut secret = Secret(*secret);
    let [first, .., last] = &mut secret.0;
    *first &= 0xf8;
    *last = (*last & 0x7f) | 0x40;
    secret
}

/// Whether both are the same, in a time that does not tell where they differ. Their lengths are no
/// secret.
///
/// # Context
///
/// Any.
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // SAFETY: `crypto_memneq()` reads `size` octets of both.
    let differ = unsafe {
        bindings::tcpc_crypto_memneq(one.as_ptr().cast(), other.as_ptr().cast(), one.len())
    };
    !differ
}

/// Random octets, good for keys.
///
/// # Context
///
/// Any.
pub fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    // SAFETY: `get_random_bytes()` (drivers/char/random.c) writes `len` octets.
    unsafe { bindings::get_random_bytes(octets.as_mut_ptr().cast(), N) };
    octets
}

/// 32 random octets for a secret that is to last. Waits, early after the start of the system, until
/// nobody can guess them.
///
/// # Context
///
/// Process context, may sleep.
pub fn random_secret() -> Secret<32> {
    let mut octets = [0; 32];
    // SAFETY: `get_random_bytes_wait()` (include/linux/random.h) writes `len` octets, whatever it
    // says: it can be interrupted by a signal, of which workers get none.
    unsafe { bindings::tcpc_random_wait(octets.as_mut_ptr().cast(), octets.len()) };
    Secret::take(&mut octets)
}

/// Overwrites a secret that is not needed any more, whatever the compiler thinks of that.
///
/// # Context
///
/// Any.
pub fn wipe(secret: &mut [u8]) {
    // SAFETY: `memzero_explicit()` writes `len` octets, which are ours.
    unsafe { bindings::tcpc_memzero(secret.as_mut_ptr().cast(), secret.len()) };
}

/// Octets that are overwritten when they are dropped. Never printed.
///
/// Moving one leaves the old octets where they were, so it is best made where it stays.
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes `octets` over, and wipes them there.
    pub fn take(octets: &mut [u8; N]) -> Self {
        let secret = Self(*octets);
        wipe(octets);
        secret
    }

    /// The octets.
    pub fn octets(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// A known answer: key, data in parts, HMAC-SHA256.
struct Vector {
    key: &'static [u8],
    parts: &'static [&'static [u8]],
    mac: [u8; MAC_LEN],
}

/// RFC 4231, sections 4.3 and 4.7.
const VECTORS: [Vector; 2] = [
    Vector {
        key: b"Jefe",
        parts: &[b"what do ya want ", b"", b"for nothing?"],
        mac: [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
            0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
            0x64, 0xec, 0x38, 0x43,
        ],
    },
    Vector {
        key: &[0xaa; 131],
        parts: &[
            b"Test Using Larger Than Block-Size Key",
            b" - ",
            b"Hash Key First",
        ],
        mac: [
            0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f, 0x0d, 0x8a, 0x26, 0xaa, 0xcb, 0xf5,
            0xb7, 0x7f, 0x8e, 0x0b, 0xc6, 0x21, 0x37, 0x28, 0xc5, 0x14, 0x05, 0x46, 0x04, 0x0f,
            0x0e, 0xe3, 0x7f, 0x54,
        ],
    },
];

/// Refuses to go on with a library that computes something else.
///
/// # Errors
///
/// `EBADMSG`, with one line that says so.
pub fn check() -> Result {
    for vector in &VECTORS {
        if !equal(&hmac_sha256(vector.key, vector.parts), &vector.mac) {
            pr_err!("HMAC-SHA256 gives a wrong answer: not loaded\n");
            return Err(code::EBADMSG);
        }
    }
    Ok(())
}
