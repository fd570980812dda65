// SPDX-License-Identifier: GPL-2.0

//! Files of a network namespace under /proc/net.
//!
//! C header: [`include/linux/proc_fs.h`](srctree/include/linux/proc_fs.h)

use crate::bindings;
use crate::net::namespace::{
    self,
    NetRef,
    PerNamespace, //
};
use core::ffi::{
    c_int,
    c_void,
    CStr, //
};
use core::ptr::{
    self,
    NonNull, //
};
use kernel::error::{
    code,
    Result, //
};
use kernel::seq_file::SeqFile;
use kernel::str::CStrExt as _;

/// A file's contents.
pub trait Show: 'static {
    /// Whose contents they are.
    type Of: PerNamespace;

    /// Writes all of it. Process context, may sleep.
    fn show(of: &Self::Of, out: &SeqFile);
}

/// A file; dropping it removes it, after all readers have left.
///
/// # Invariants
///
/// `name` is a file in the directory of `net`.
pub struct File {
    net: NonNull<bindings::net>,
    name: &'static CStr,
}

// SAFETY: There is nothing to do with it but drop it, which may happen anywhere.
unsafe impl Send for File {}
// SAFETY: As above.
unsafe impl Sync for File {}

impl File {
    /// Makes the file `name`, readable for all, in `net`, which must outlive the result.
    ///
    /// # Context
    ///
    /// Process context, may sleep.
    pub fn new<S: Show>(net: NetRef<'_>, name: &'static CStr) -> Result<Self> {
        let net = net.as_ptr();
        // SAFETY: The helper reads a field of the namespace that is set for its life.
        let parent = unsafe { bindings::tcpc_net_proc(net.as_ptr()) };
        // SAFETY: `proc_create_net_single()` (fs/proc/proc_net.c) copies the name; the callback is
        // not called any more when `remove_proc_entry()` has returned.
        let entry = unsafe {
            bindings::proc_create_net_single(
                name.as_char_ptr(),
                0o444,
                parent,
                Some(show::<S>),
                ptr::null_mut(),
            )
        };
        if entry.is_null() {
            return Err(code::ENOMEM);
        }
        // INVARIANT: Just made.
        Ok(Self { net, name })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: The namespace lives, as `new()` asks.
        let parent = unsafe { bindings::tcpc_net_proc(self.net.as_ptr()) };
        // SAFETY: It was made in this directory, by the type's invariant.
        unsafe { bindings::remove_proc_entry(self.name.as_char_ptr(), parent) };
    }
}

/// The `single_show` of all files.
///
/// # Safety
///
/// As `seq_read_iter()` (fs/seq_file.c) calls it for a file that `single_open_net()` opened.
unsafe extern "C" fn show<S: Show>(file: *mut bindings::seq_file, _: *mut c_void) -> c_int {
    // SAFETY: `single_open_net()` leaves the namespace, of which it holds a reference.
    let net = unsafe { (*file).private };
    // SAFETY: As above.
    let net = unsafe { NetRef::from_raw(net.cast()) };
    let Some(of) = namespace::of::<S::Of>(net) else {
        return 0;
    };
    // SAFETY: `file` is valid for this call; both types are `struct seq_file`.
    let out = unsafe { SeqFile::from_raw(file.cast()) };
    S::show(&of, out);
    0
}
