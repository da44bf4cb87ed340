// Generic functions and structs, constants as parameters, modules.
mod outer {
    pub mod inner {
        #[derive(Clone, Copy)]
        pub struct Point<T> { pub x: T, pub y: T }
        pub struct Fixed<const N: usize> { pub data: [u16; N], pub used: usize }
        impl<T: Copy + std::ops::Add<Output = T>> Point<T> {
            #[inline(never)]
            pub fn sum(&self, extra: T) -> T {
                let both = self.x + self.y;
                both + extra
            }
        }
        impl<const N: usize> Fixed<N> {
            #[inline(never)]
            pub fn push(&mut self, value: u16) -> &mut Self {
                let at = self.used;
                self.data[at] = value; // a panic when full
                self.used = at + 1;
                self
            }
        }
    }
}
use outer::inner::{Fixed, Point};
#[inline(never)]
fn largest<T: PartialOrd + Copy>(items: &[T], start: T) -> T {
    let mut best = start;
    for &item in items {
        if item > best { best = item; }
    }
    best
}
fn main() {
    let floats = Point { x: 1.5, y: 2.5 };
    let words = Point { x: 3u64, y: 4 };
    let best = largest(&[floats.sum(1.0), 2.0], 0.0) as u64 + words.sum(5);
    let mut fixed = Fixed::<3> { data: [0; 3], used: 0 };
    for i in 0..best as u16 {
        fixed.push(i + 1);
    }
    println!("{} {}", fixed.used, fixed.data[0]);
}
