// SPDX-License-Identifier: GPL-2.0

//! Settings of a network namespace under /proc/sys/net.
//!
//! Some are secrets: files that are written and never read, by who may administer the network of the
//! namespace's owner only: the file's mode alone would let its root do so without that capability. What
//! is written there is handed on as it lies in the kernel's copy of it, and that is overwritten
//! afterwards.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use crate::bindings;
use crate::net::crypto;
use crate::net::namespace::NetRef;
use core::ffi::{
    c_int,
    c_void,
    CStr, //
};
use core::ptr::NonNull;
use kernel::error::{
    code,
    Result, //
};
use kernel::prelude::*;
use kernel::sync::Arc;

/// The longest text of a setting, without the terminating zero.
const LONGEST: usize = 63;

/// The longest text of a secret, with its newline.
const LONGEST_SECRET: usize = 255;

/// Who has settings. Each is a line of text; what it means is the owner's affair.
///
/// # Context
///
/// Process context, may sleep.
pub trait Settings: Send + Sync + 'static {
    /// Writes the value of the `index`th setting. Never asked of a secret.
    fn read(&self, index: usize, out: &mut Text);

    /// Takes a new value for the `index`th setting, without the newline. Secrets are counted
    /// after all others; what is kept of the text of one is the owner's to wipe.
    ///
    /// # Errors
    ///
    /// What the writer gets; nothing has changed then. `EINVAL` for a value that is none.
    fn write(&self, index: usize, text: &str) -> Result;
}

/// A line of text of bounded length.
pub struct Text {
    octets: [u8; LONGEST + 1],
    len: usize,
}

impl core::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.len + text.len();
        let place = self.octets.get_mut(self.len..end.min(LONGEST));
        let place = place.filter(|place| place.len() == text.len());
        place
            .ok_or(core::fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// A directory of settings; dropping it removes it, after all readers and writers have left.
///
/// # Invariants
///
/// `header` is registered with `table`, whose entries point to `settings` and to the namespace.
pub struct Registration<T: Settings> {
    header: NonNull<bindings::ctl_table_header>,
    _table: KVec<bindings::ctl_table>,
    _settings: Arc<T>,
}

// SAFETY: There is nothing to do with it but drop it, which may happen anywhere.
unsafe impl<T: Settings> Send for Registration<T> {}
// SAFETY: As above.
unsafe impl<T: Settings> Sync for Registration<T> {}

impl<T: Settings> Registration<T> {
    /// Makes the files `names` in /proc/sys/`path`. `net` must outlive the result.
    ///
    /// # Context
    ///
    /// Process context, may sleep.
    pub fn new(
        net: NetRef<'_>,
        path: &'static CStr,
        names: &[&'static CStr],
        settings: Arc<T>,
    ) -> Result<Self> {
        Self::with_secrets(net, path, names, &[], settings)
    }

    /// As [`Registration::new`], and the files `secrets`, which can be written only.
    ///
    /// # Context
    ///
    /// Process context, may sleep.
    pub fn with_secrets(
        net: NetRef<'_>,
        path: &'static CStr,
        names: &[&'static CStr],
        secrets: &[&'static CStr],
        settings: Arc<T>,
    ) -> Result<Self> {
        let mut table = KVec::with_capacity(names.len() + secrets.len(), GFP_KERNEL)?;
        for (index, name) in Iterator::chain(names.iter(), secrets).enumerate() {
            let is_secret = index >= names.len();
            table.push(
                bindings::ctl_table {
                    procname: name.as_char_ptr(),
                    // An index, not an address: only our own handler looks at it.
                    data: core::ptr::without_provenance_mut(index),
                    maxlen: (LONGEST + 1) as c_int,
                    mode: if is_secret { 0o200 } else { 0o644 },
                    proc_handler: Some(if is_secret {
                        handle_secret::<T>
                    } else {
                        handle::<T>
                    }),
                    extra1: (&raw const *settings).cast_mut().cast(),
                    extra2: net.as_ptr().as_ptr().cast(),
                    ..Default::default()
                },
                GFP_KERNEL,
            )?;
        }
        // SAFETY: `register_net_sysctl_sz()` (net/sysctl_net.c) keeps the table, which is on the
        // heap and is not changed, until `Drop` unregisters it.
        let header = unsafe {
            bindings::register_net_sysctl_sz(
                net.as_ptr().as_ptr(),
                path.as_char_ptr(),
                table.as_mut_ptr(),
                table.len(),
            )
        };
        // INVARIANT: Just registered.
        Ok(Self {
            header: NonNull::new(header).ok_or(code::ENOMEM)?,
            _table: table,
            _settings: settings,
        })
    }
}

impl<T: Settings> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: Registered, by the type's invariant. It waits for all who are in a handler.
        unsafe { bindings::unregister_net_sysctl_table(self.header.as_ptr()) };
    }
}

/// The `proc_handler` of all settings.
///
/// # Safety
///
/// As `proc_sys_call_handler()` (fs/proc/proc_sysctl.c) calls it, for an entry of a
/// [`Registration`]'s table.
unsafe extern "C" fn handle<T: Settings>(
    entry: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    length: *mut usize,
    position: *mut bindings::loff_t,
) -> c_int {
    // SAFETY: What this asks is what this function asks of its caller.
    let (index, settings) = unsafe { owner::<T>(entry) };
    let mut text = Text {
        octets: [0; LONGEST + 1],
        len: 0,
    };
    if write == 0 {
        settings.read(index, &mut text);
    }
    let copy = bindings::ctl_table {
        data: text.octets.as_mut_ptr().cast(),
        maxlen: text.octets.len() as c_int,
        ..Default::default()
    };
    // SAFETY: `proc_dostring()` (kernel/sysctl.c) reads or writes at most `maxlen` octets at
    // `data`, and `buffer`, `length` and `position` as its caller passed them.
    let done = unsafe { bindings::proc_dostring(&copy, write, buffer, length, position) };
    if done != 0 || write == 0 {
        return done;
    }
    match write_line(settings, index, &text.octets) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// The `proc_handler` of all secrets.
///
/// # Safety
///
/// As [`handle`].
unsafe extern "C" fn handle_secret<T: Settings>(
    entry: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    length: *mut usize,
    position: *mut bindings::loff_t,
) -> c_int {
    if write == 0 {
        // The mode says so already, to everybody.
        return code::EPERM.to_errno();
    }
    // SAFETY: The entry is one of the registration's, which waits for this call.
    let net = unsafe { (*entry).extra2 }.cast::<bindings::net>();
    // SAFETY: The namespace outlives the registration; the helper reads who owns it.
    let may = unsafe { bindings::tcpc_net_capable(net) };
    // SAFETY: What this asks is what this function asks of its caller.
    let (index, settings) = unsafe { owner::<T>(entry) };
    // SAFETY: The caller's, for this call.
    let length = unsafe { *length };
    // SAFETY: As above.
    let position = unsafe { &mut *position };
    // SAFETY: `proc_sys_call_handler()` has copied `length` octets from the writer to a buffer of
    // its own.
    let octets = unsafe { core::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    let written = if !may {
        Err(code::EPERM)
    } else if *position != 0 || length > LONGEST_SECRET {
        Err(code::EINVAL)
    } else {
        write_line(settings, index, octets)
    };
    crypto::wipe(octets);
    match written {
        Ok(()) => {
            *position += length as bindings::loff_t;
            0
        }
        Err(error) => error.to_errno(),
    }
}

/// Which setting of whose an entry is.
///
/// # Safety
///
/// As [`handle`]; the result is valid as long as that runs.
unsafe fn owner<'a, T: Settings>(entry: *const bindings::ctl_table) -> (usize, &'a T) {
    // SAFETY: The entry is one of the registration's, which waits for this call.
    let entry = unsafe { &*entry };
    // SAFETY: It points to the `T` that the registration keeps.
    let settings = unsafe { &*entry.extra1.cast::<T>() };
    (entry.data.addr(), settings)
}

/// Gives a setting the line of text that `octets` are, up to a zero if there is one.
fn write_line(settings: &impl Settings, index: usize, octets: &[u8]) -> Result {
    let line = octets.split(|octet| *octet == 0).next().unwrap_or(&[]);
    let line = core::str::from_utf8(line).map_err(|_| code::EINVAL)?;
    settings.write(index, line.trim())
}
