// SPDX-License-Identifier: MIT
/*
 @id u07
 @cls abort
 @dir none
 @flags -C opt-level=0
 @says ^the program could not get the memory that it asked for$
 @needs rustc
 @mode core
 @variants no (another language)
 @note more memory than there is: no panic
*/
fn main() {
    let v: Vec<u8> = Vec::with_capacity(1usize << 62);
    println!("{}", v.capacity());
}
