//! The functions over memory that the compiler calls, made small: those that come with the compiler are made for speed, and
//! alone take as much flash as a third of a client. Every program of this directory has these; the feature
//! `compiler-memory` leaves them out.

use core::sync::atomic::{Ordering, compiler_fence};

/// Or else the compiler would see what the loop does, and make it a call of the function that it is in.
fn one_by_one() {
    compiler_fence(Ordering::SeqCst);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: both are so long, as the caller promises.
        unsafe { to.add(at).write(from.add(at).read()) }
        one_by_one();
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if to.addr() <= from.addr() {
        // SAFETY: what is read was not written before.
        return unsafe { memcpy(to, from, len) };
    }
    for at in (0..len).rev() {
        // SAFETY: both are so long, as the caller promises.
        unsafe { to.add(at).write(from.add(at).read()) }
        one_by_one();
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: it is so long, as the caller promises.
        unsafe { to.add(at).write(value as u8) }
        one_by_one();
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    for at in 0..len {
        // SAFETY: both are so long, as the caller promises.
        let (one, other) = unsafe { (one.add(at).read(), other.add(at).read()) };
        if one != other {
            return i32::from(one) - i32::from(other);
        }
    }
    0
}

/// The names of the ARM ABI for the same.
#[cfg(target_arch = "arm")]
mod eabi {
    macro_rules! copies {
        ($($name:ident => $does:ident),*) => { $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(to: *mut u8, from: *const u8, len: usize) {
                // SAFETY: the same promises.
                unsafe { super::$does(to, from, len); }
            }
        )* };
    }
    copies!(
        __aeabi_memcpy => memcpy, __aeabi_memcpy4 => memcpy, __aeabi_memcpy8 => memcpy,
        __aeabi_memmove => memmove, __aeabi_memmove4 => memmove, __aeabi_memmove8 => memmove
    );

    macro_rules! sets {
        ($($name:ident),*) => { $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(to: *mut u8, len: usize, value: i32) {
                // SAFETY: the same promises.
                unsafe { super::memset(to, value, len); }
            }
        )* };
    }
    sets!(__aeabi_memset, __aeabi_memset4, __aeabi_memset8);

    macro_rules! clears {
        ($($name:ident),*) => { $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(to: *mut u8, len: usize) {
                // SAFETY: the same promises.
                unsafe { super::memset(to, 0, len); }
            }
        )* };
    }
    clears!(__aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8);
}
