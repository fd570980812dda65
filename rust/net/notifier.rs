// SPDX-License-Identifier: GPL-2.0

//! What happens to addresses, devices and routes.
//!
//! The notifications are only signs that something is different now. They come in the middle of
//! it, some under locks, so a listener notes them and looks for itself later.
//!
//! C headers: [`include/linux/inetdevice.h`](srctree/include/linux/inetdevice.h),
//! [`include/net/addrconf.h`](srctree/include/net/addrconf.h),
//! [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h),
//! [`include/net/fib_notifier.h`](srctree/include/net/fib_notifier.h)

use crate::bindings;
use crate::net::addr;
use crate::net::namespace::{
    self,
    NetRef,
    PerNamespace, //
};
use core::marker::PhantomData;
use core::net::IpAddr;
use core::ptr::NonNull;
use kernel::alloc::KBox;
use kernel::error::{
    to_result,
    Result, //
};
use kernel::ffi::{
    c_int,
    c_ulong,
    c_void, //
};
use kernel::prelude::*;
use kernel::sync::Arc;

/// Who listens.
///
/// # Context
///
/// Every method may be called in atomic context, some with RTNL held. None may sleep.
pub trait Listener: Send + Sync + 'static {
    /// An interface has lost `address`, or is about to: it is gone when the caller has finished.
    fn address_gone(&self, address: IpAddr);

    /// An interface has gone down that had `address`, or has lost its carrier.
    fn device_gone(&self, address: IpAddr, why: DeviceGone);

    /// An address or a device has come, or come back, or routes have changed.
    fn something_came(&self);
}

/// How a device went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceGone {
    /// It was set down.
    Down,
    /// It is up, but its link is not; it may come back by itself.
    NoCarrier,
}

/// Listens to the addresses of all namespaces; dropping it ends that.
///
/// # Invariants
///
/// Both blocks are registered.
pub struct Addresses<T: PerNamespace + Listener> {
    v4: KBox<bindings::notifier_block>,
    v6: KBox<bindings::notifier_block>,
    _kind: PhantomData<fn() -> T>,
}

// SAFETY: There is nothing to do with it but drop it, which may happen anywhere.
unsafe impl<T: PerNamespace + Listener> Send for Addresses<T> {}
// SAFETY: As above.
unsafe impl<T: PerNamespace + Listener> Sync for Addresses<T> {}

impl<T: PerNamespace + Listener> Addresses<T> {
    /// Begins to listen. Process context, may sleep.
    pub fn new() -> Result<Self> {
        // The least priority: after the routing tables have followed (`fib_inetaddr_event()`).
        let block = |call: bindings::notifier_fn_t| bindings::notifier_block {
            notifier_call: call,
            priority: i32::MIN,
            ..Default::default()
        };
        let mut v4 = KBox::new(block(Some(inetaddr::<T>)), GFP_KERNEL)?;
        let mut v6 = KBox::new(block(Some(inet6addr::<T>)), GFP_KERNEL)?;
        // SAFETY: The chain keeps the block, which is boxed, until `Drop` takes it out.
        to_result(unsafe { bindings::register_inetaddr_notifier(&mut *v4) })?;
        // SAFETY: As above.
        if let Err(error) = to_result(unsafe { bindings::register_inet6addr_notifier(&mut *v6) }) {
            // SAFETY: Registered above.
            unsafe { bindings::unregister_inetaddr_notifier(&mut *v4) };
            return Err(error);
        }
        // INVARIANT: Just registered.
        Ok(Self {
            v4,
            v6,
            _kind: PhantomData,
        })
    }
}

impl<T: PerNamespace + Listener> Drop for Addresses<T> {
    fn drop(&mut self) {
        // SAFETY: Registered, by the type's invariant. Both wait for callbacks that run.
        unsafe { bindings::unregister_inetaddr_notifier(&mut *self.v4) };
        // SAFETY: As above.
        unsafe { bindings::unregister_inet6addr_notifier(&mut *self.v6) };
    }
}

/// The IPv4 address chain's callback: RTNL held, may sleep.
///
/// # Safety
///
/// As `blocking_notifier_call_chain()` calls it from net/ipv4/devinet.c.
unsafe extern "C" fn inetaddr<T: PerNamespace + Listener>(
    _block: *mut bindings::notifier_block,
    event: c_ulong,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is a `struct in_ifaddr` for the time of this call.
    let ifa = unsafe { &*data.cast::<bindings::in_ifaddr>() };
    // SAFETY: The helper reads `ifa->ifa_dev->dev`, alive under RTNL.
    let net = unsafe { bindings::tcpc_ifa_net(ifa) };
    // SAFETY: A device keeps its namespace for the time of this call.
    let net = unsafe { NetRef::from_raw(net) };
    dispatch::<T>(net, event, IpAddr::V4(addr::from_be32(ifa.ifa_local)));
    bindings::NOTIFY_DONE as c_int
}

/// The IPv6 address chain's callback: atomic.
///
/// # Safety
///
/// As `inet6addr_notifier_call_chain()` (net/ipv6/addrconf_core.c) calls it.
unsafe extern "C" fn inet6addr<T: PerNamespace + Listener>(
    _block: *mut bindings::notifier_block,
    event: c_ulong,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is a `struct inet6_ifaddr` for the time of this call.
    let ifp = unsafe { &*data.cast::<bindings::inet6_ifaddr>() };
    // SAFETY: The helper reads `ifp->idev->dev`, which the address holds.
    let net = unsafe { bindings::tcpc_ifp_net(ifp) };
    // SAFETY: A device keeps its namespace for the time of this call.
    let net = unsafe { NetRef::from_raw(net) };
    dispatch::<T>(net, event, addr::from_in6(&ifp.addr));
    bindings::NOTIFY_DONE as c_int
}

/// Tells the namespace's listener of an address event.
fn dispatch<T: PerNamespace + Listener>(net: NetRef<'_>, event: c_ulong, address: IpAddr) {
    let Some(listener) = namespace::of::<T>(net) else {
        return;
    };
    if event == bindings::netdev_cmd_NETDEV_DOWN as c_ulong {
        listener.address_gone(address);
    } else {
        listener.something_came();
    }
}

/// Listens to the devices and routes of one namespace; dropping it ends that.
///
/// # Invariants
///
/// `blocks.device` is registered in `net`, and `blocks.fib` if `has_fib`.
pub struct DevicesAndRoutes<T: Listener> {
    blocks: KBox<Blocks<T>>,
    has_fib: bool,
    net: NonNull<bindings::net>,
}

/// The blocks and what their callbacks need.
#[repr(C)]
struct Blocks<T> {
    device: bindings::notifier_block,
    fib: bindings::notifier_block,
    listener: Arc<T>,
}

// SAFETY: There is nothing to do with it but drop it, which may happen anywhere.
unsafe impl<T: Listener> Send for DevicesAndRoutes<T> {}
// SAFETY: As above.
unsafe impl<T: Listener> Sync for DevicesAndRoutes<T> {}

impl<T: Listener> DevicesAndRoutes<T> {
    /// Begins to listen in `net`, which must outlive the result. Process context, may sleep; not
    /// with RTNL held.
    pub fn new(net: NetRef<'_>, listener: Arc<T>) -> Result<Self> {
        let net = net.as_ptr();
        let mut blocks = KBox::new(
            Blocks {
                device: bindings::notifier_block {
                    notifier_call: Some(device::<T>),
                    ..Default::default()
                },
                fib: bindings::notifier_block {
                    notifier_call: Some(fib::<T>),
                    ..Default::default()
                },
                listener,
            },
            GFP_KERNEL,
        )?;
        // SAFETY: The chain keeps the block, which is boxed, until `Drop` takes it out.
        to_result(unsafe {
            bindings::register_netdevice_notifier_net(net.as_ptr(), &mut blocks.device)
        })?;
        // Under heavy churn of routes this fails with `EBUSY`: then only addresses and devices
        // say that something came, and a suspended flow's own deadline.
        // SAFETY: As above; no callback for inconsistency, no extended error.
        let error = unsafe {
            bindings::register_fib_notifier(
                net.as_ptr(),
                &mut blocks.fib,
                None,
                core::ptr::null_mut(),
            )
        };
        // INVARIANT: Just registered.
        Ok(Self {
            blocks,
            has_fib: error == 0,
            net,
        })
    }
}

impl<T: Listener> Drop for DevicesAndRoutes<T> {
    fn drop(&mut self) {
        let net = self.net.as_ptr();
        if self.has_fib {
            // SAFETY: Registered, by the type's invariant; waits for callbacks that run. The
            // result says whether it was.
            unsafe { bindings::unregister_fib_notifier(net, &mut self.blocks.fib) };
        }
        // SAFETY: As above. It replays the going of all devices to the block first; the listener
        // has been told that this is its end.
        unsafe { bindings::unregister_netdevice_notifier_net(net, &mut self.blocks.device) };
    }
}

/// The device chain's callback: RTNL held, may sleep.
///
/// # Safety
///
/// As `raw_notifier_call_chain()` calls it from net/core/dev.c, with a [`Blocks`]' first member.
unsafe extern "C" fn device<T: Listener>(
    block: *mut bindings::notifier_block,
    event: c_ulong,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `device` is the first member of `Blocks`, which outlives its registration.
    let listener = unsafe { &(*block.cast::<Blocks<T>>()).listener };
    // SAFETY: `data` is a `struct netdev_notifier_info` for the time of this call.
    let device = unsafe { (*data.cast::<bindings::netdev_notifier_info>()).dev };
    // SAFETY: The device is alive; the helper tests its carrier.
    let carrier = || unsafe { bindings::tcpc_netif_carrier_ok(device) };
    match u32::try_from(event).unwrap_or(0) {
        bindings::netdev_cmd_NETDEV_DOWN => {
            // SAFETY: The device is alive and RTNL is held.
            unsafe { each_address(device, |a| listener.device_gone(a, DeviceGone::Down)) }
        }
        bindings::netdev_cmd_NETDEV_CHANGE if !carrier() => {
            // SAFETY: As above.
            unsafe { each_address(device, |a| listener.device_gone(a, DeviceGone::NoCarrier)) }
        }
        bindings::netdev_cmd_NETDEV_UP | bindings::netdev_cmd_NETDEV_CHANGE => {
            listener.something_came();
        }
        _ => {}
    }
    bindings::NOTIFY_DONE as c_int
}

/// Calls `each` for the addresses of a device.
///
/// # Safety
///
/// The device is alive and RTNL is held.
unsafe fn each_address(device: *const bindings::net_device, mut each: impl FnMut(IpAddr)) {
    // SAFETY: RTNL keeps the list as it is; the helpers walk it by `rtnl_dereference()`.
    let mut v4 = unsafe { bindings::tcpc_first_ifa(device) };
    // SAFETY: As above.
    while let Some(ifa) = unsafe { v4.as_ref() } {
        each(IpAddr::V4(addr::from_be32(ifa.ifa_local)));
        // SAFETY: As above.
        v4 = unsafe { bindings::tcpc_next_ifa(ifa) };
    }
    // SAFETY: As above.
    let mut v6 = unsafe { bindings::tcpc_first_ifp(device) };
    // SAFETY: As above.
    while let Some(ifp) = unsafe { v6.as_ref() } {
        each(addr::from_in6(&ifp.addr));
        // SAFETY: As above.
        v6 = unsafe { bindings::tcpc_next_ifp(v6) };
    }
}

/// The route chain's callback: atomic.
///
/// # Safety
///
/// As `call_fib_notifiers()` (net/core/fib_notifier.c) calls it, with a [`Blocks`]' second member.
unsafe extern "C" fn fib<T: Listener>(
    block: *mut bindings::notifier_block,
    _event: c_ulong,
    _data: *mut c_void,
) -> c_int {
    // SAFETY: `fib` is the second member of `Blocks`, behind one of its own type.
    let blocks = unsafe { block.sub(1) }.cast::<Blocks<T>>();
    // SAFETY: As above; `Blocks` outlives its registration.
    let listener = unsafe { &(*blocks).listener };
    // Also when a route goes: another one may show from behind it.
    listener.something_came();
    bindings::NOTIFY_DONE as c_int
}
