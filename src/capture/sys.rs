//! The system calls of the ring that no safe interface offers: options that are structures, `bind` to an interface, and the
//! memory that the kernel shares with us (packet(7), Documentation/networking/packet_mmap.rst). Everything in that memory
//! but one status word a block is handed out as plain octets and parsed in safe code.
#![expect(unsafe_code, reason = "AF_PACKET rings have no safe interface in std, socket2, rustix or libc")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where a block's status word stands: behind version and offset (`struct tpacket_block_desc`).
const STATUS_AT: usize = 8;
/// Whose a block is (linux/if_packet.h).
const TP_STATUS_KERNEL: u32 = 0;
const TP_STATUS_USER: u32 = 1;

/// Sets an option of SOL_PACKET whose value is some words.
pub(super) fn set_option<const N: usize>(socket: BorrowedFd<'_>, name: i32, value: [u32; N]) -> io::Result<()> {
    let size = size_of::<[u32; N]>() as libc::socklen_t;
    // SAFETY: the pointer is to N words that live through the call, and `size` is their size.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, name, value.as_ptr().cast(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads an option of SOL_PACKET whose value is some words.
pub(super) fn option<const N: usize>(socket: BorrowedFd<'_>, name: i32) -> io::Result<[u32; N]> {
    let mut value = [0_u32; N];
    let mut size = size_of::<[u32; N]>() as libc::socklen_t;
    // SAFETY: the pointer is to N words that live through the call, and `size` says so; the kernel writes no more.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_PACKET, name, value.as_mut_ptr().cast(), &raw mut size) };
    if result == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

/// Binds a packet socket to an interface, for the frames of every protocol: from here on they come.
pub(super) fn bind(socket: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    // SAFETY: sockaddr_ll is a C struct of integers, for which all zero bits are a valid value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index.cast_signed();
    let size = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the pointer is to a sockaddr_ll that lives through the call, and `size` is its size.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The blocks of a ring in our memory.
pub(super) struct Blocks {
    base: NonNull<u8>,
    count: usize,
    block_octets: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and only this value refers to it.
unsafe impl Send for Blocks {}

impl Blocks {
    /// Maps the ring that `PACKET_RX_RING` has given the socket: so many blocks, of so many octets each.
    pub(super) fn map(socket: BorrowedFd<'_>, count: usize, block_octets: usize) -> io::Result<Self> {
        let length = count.checked_mul(block_octets).filter(|_| block_octets.is_multiple_of(4096)).ok_or(io::ErrorKind::InvalidInput)?;
        let (rights, how) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: no address is asked for, so no memory of ours is replaced; the kernel checks that the length is the ring's.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), length, rights, how, socket.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, count, block_octets })
    }

    /// A block that is ours to read, until [`Self::release`]; `None` while the kernel has it.
    #[inline]
    pub(super) fn block(&self, number: usize) -> Option<&[u8]> {
        if self.status(number)?.load(Ordering::Acquire) & TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: `status` has found `number` in the mapping, whose blocks are `block_octets` long, and pages once mapped are
        // readable. The kernel has given this block to us and writes nothing into it before its status says that it is the
        // kernel's again; only `release` says so, which needs this value exclusively while the slice borrows it. The
        // acquiring load above orders the kernel's writes before our reads.
        Some(unsafe { std::slice::from_raw_parts(self.base.add(number * self.block_octets).as_ptr(), self.block_octets) })
    }

    /// Gives a block back to the kernel.
    #[inline]
    pub(super) fn release(&mut self, number: usize) {
        if let Some(status) = self.status(number) {
            // Our reads are done before the kernel sees this.
            status.store(TP_STATUS_KERNEL, Ordering::Release);
        }
    }

    /// The status word of a block.
    #[inline]
    fn status(&self, number: usize) -> Option<&AtomicU32> {
        if number >= self.count {
            return None;
        }
        // SAFETY: the block is in the mapping, and is longer than the word's place; blocks begin at pages, so the word is
        // aligned. The kernel writes the word as a whole, as an atomic does. It stands inside of the slice that `block` lends,
        // but while that lives nobody stores: the kernel does not, and `release` cannot.
        Some(unsafe { AtomicU32::from_ptr(self.base.add(number * self.block_octets + STATUS_AT).as_ptr().cast()) })
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        // SAFETY: base and length are those of the mapping, and slices of it cannot outlive this value.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.count * self.block_octets) };
    }
}
