// SPDX-License-Identifier: MIT
/*
 @id u01
 @cls abort
 @dir none
 @flags -C panic=abort
 @says panicked: bad count 1 of things$
 @needs rustc
 @mode core
 @variants no (another language)
 @note a text that was put together when it panicked
*/
#[inline(never)]
fn check(n: usize) -> usize {
    if n > 0 {
        panic!("bad count {} of {}", n, "things");
    }
    n
}

fn main() {
    check(std::env::args().count());
}
