// SPDX-License-Identifier: MIT
/*
 @id u03
 @cls abort
 @dir none
 @says ^the process aborted itself$
 @never panick|empty
 @needs rustc
 @mode core
 @variants no (another language)
 @note a panic that was caught: what ends the process is another matter
*/
fn main() {
    let caught = std::panic::catch_unwind(|| {
        panic!("empty");
    });
    assert!(caught.is_err());
    std::process::abort();
}
