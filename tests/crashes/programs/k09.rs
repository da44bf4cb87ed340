// SPDX-License-Identifier: MIT
/*
 @id k09
 @cls self-deadlock
 @alt deadlock
 @dir none
 @flags -C opt-level=0
 @says ^thread \d+ in .*main waits for a lock, and no other thread is there
 @needs rustc
 @mode hang
 @variants no (another language)
 @note a lock that names no owner, twice, by the only thread
*/
use std::sync::Mutex;
static COUNT: Mutex<i32> = Mutex::new(0);
fn main() {
    let first = COUNT.lock().unwrap();
    let second = COUNT.lock().unwrap();
    println!("{} {}", first, second);
}
