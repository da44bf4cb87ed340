// SPDX-License-Identifier: MIT
/*
 @id u02
 @cls abort
 @dir none
 @flags -C panic=abort
 @says panicked at .*u02\.rs:21:5$
 @also no such door$
 @needs rustc
 @mode core
 @variants no (another language)
 @note a fixed text, in a thread, with other texts and places on its stack
*/
use std::panic::Location;

#[inline(never)]
fn open(doors: &[&str], wanted: &str) -> usize {
    let here = Location::caller();
    assert!(here.line() > 0 && doors[0] != wanted);
    unsafe { std::ptr::read_volatile(&(here, wanted)) };
    panic!("no such door");
}

fn main() {
    let thread = std::thread::spawn(|| {
        open(&["front", "back"], "side")
    });
    thread.join().unwrap();
}
