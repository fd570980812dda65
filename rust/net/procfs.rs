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
use kernel::seq_print;
use kernel::str::CStrExt as _;
use kernel::sync::Arc;

/// A file's contents.
pub trait Show: 'static {
    /// Whose contents they are.
    type Of: PerNamespace;

    /// Writes all of it. Process context, may sleep.
    fn show(of: &Self::Of, out: &SeqFile);
}

/// A file's contents if there may be very many lines: they are made one by one, and nothing is held
/// between two of them.
pub trait List: 'static {
    /// Whose contents they are.
    type Of: PerNamespace;

    /// What stands above the lines.
    const HEADER: &'static str;

    /// The first line whose key is not below `least`. Process context.
    fn find(of: &Self::Of, least: usize) -> Option<usize>;

    /// Writes the line of a key, or nothing if it is not there any more. Process context.
    fn show(of: &Self::Of, key: usize, out: &SeqFile);
}

/// Where a reader of a [`List`] is. Zeroed by `__seq_open_private()` (fs/seq_file.c).
#[repr(C)]
struct Reader {
    /// First, as `seq_open_net()` (fs/proc/proc_net.c) has it.
    net: bindings::seq_net_private,
    /// The number of the line: 0 is the header.
    line: bindings::loff_t,
    /// Its key, if it is not the header.
    key: usize,
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

    /// As [`File::new`], of lines that are made one by one.
    ///
    /// # Context
    ///
    /// Process context, may sleep.
    pub fn list<L: List>(net: NetRef<'_>, name: &'static CStr) -> Result<Self> {
        let net = net.as_ptr();
        // SAFETY: As in `new()`.
        let parent = unsafe { bindings::tcpc_net_proc(net.as_ptr()) };
        // SAFETY: `proc_create_net_data()` (fs/proc/proc_net.c) copies the name and keeps the
        // operations, which are static; each reader gets `state_size` octets that begin with a
        // `struct seq_net_private`. Nothing is called any more when `remove_proc_entry()` has returned.
        let entry = unsafe {
            bindings::proc_create_net_data(
                name.as_char_ptr(),
                0o444,
                parent,
                Lines::<L>::OPERATIONS,
                core::mem::size_of::<Reader>() as core::ffi::c_uint,
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

/// The `seq_operations` of a [`List`].
struct Lines<L>(core::marker::PhantomData<fn() -> L>);

impl<L: List> Lines<L> {
    const OPERATIONS: &'static bindings::seq_operations = &bindings::seq_operations {
        start: Some(start::<L>),
        stop: Some(stop),
        next: Some(next::<L>),
        show: Some(show_line::<L>),
    };

    /// The namespace that a file is of, and where its reader is.
    ///
    /// # Safety
    ///
    /// `file` is one that `seq_open_net()` opened for these operations, and its lock is held.
    unsafe fn of<'a>(file: *mut bindings::seq_file) -> Option<(Arc<L::Of>, &'a mut Reader)> {
        // SAFETY: `file` is valid, by the caller.
        let reader = unsafe { (*file).private }.cast::<Reader>();
        // SAFETY: `seq_open_net()` has left a `Reader` there, which nobody else uses while the
        // lock is held.
        let reader = unsafe { &mut *reader };
        // SAFETY: The helper reads the namespace out of it.
        let net = unsafe { bindings::tcpc_seq_net(file) };
        // SAFETY: The open file holds a reference of it.
        let net = unsafe { NetRef::from_raw(net) };
        namespace::of::<L::Of>(net).map(|of| (of, reader))
    }
}

/// `seq_operations.start`: the line that the reader wants, which is the one it was at last, or the
/// header.
///
/// # Safety
///
/// As `seq_read_iter()` (fs/seq_file.c) calls it for a file of a [`List`].
unsafe extern "C" fn start<L: List>(
    file: *mut bindings::seq_file,
    position: *mut bindings::loff_t,
) -> *mut c_void {
    // SAFETY: By the caller.
    let Some((of, reader)) = (unsafe { Lines::<L>::of(file) }) else {
        return ptr::null_mut();
    };
    // SAFETY: By the caller.
    let wanted = unsafe { *position };
    if wanted == 0 {
        reader.line = 0;
    } else if wanted != reader.line {
        return ptr::null_mut();
    } else if let Some(key) = L::find(&of, reader.key) {
        reader.key = key;
    } else {
        return ptr::null_mut();
    }
    ptr::from_mut(reader).cast()
}

/// `seq_operations.next`.
///
/// # Safety
///
/// As [`start`].
unsafe extern "C" fn next<L: List>(
    file: *mut bindings::seq_file,
    _: *mut c_void,
    position: *mut bindings::loff_t,
) -> *mut c_void {
    // SAFETY: By the caller.
    let position = unsafe { &mut *position };
    *position += 1;
    // SAFETY: By the caller.
    let Some((of, reader)) = (unsafe { Lines::<L>::of(file) }) else {
        return ptr::null_mut();
    };
    let least = if reader.line == 0 {
        Some(0)
    } else {
        reader.key.checked_add(1)
    };
    let Some(key) = least.and_then(|least| L::find(&of, least)) else {
        return ptr::null_mut();
    };
    reader.line = *position;
    reader.key = key;
    ptr::from_mut(reader).cast()
}

/// `seq_operations.stop`: nothing was held.
///
/// # Safety
///
/// As [`start`].
unsafe extern "C" fn stop(_: *mut bindings::seq_file, _: *mut c_void) {}

/// `seq_operations.show`.
///
/// # Safety
///
/// As [`start`].
unsafe extern "C" fn show_line<L: List>(file: *mut bindings::seq_file, _: *mut c_void) -> c_int {
    // SAFETY: By the caller.
    let Some((of, reader)) = (unsafe { Lines::<L>::of(file) }) else {
        return 0;
    };
    // SAFETY: `file` is valid for this call; both types are `struct seq_file`.
    let out = unsafe { SeqFile::from_raw(file.cast()) };
    if reader.line == 0 {
        seq_print!(out, "{}\n", L::HEADER);
    } else {
        L::show(&of, reader.key, out);
    }
    0
}
