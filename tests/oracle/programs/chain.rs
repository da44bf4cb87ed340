// A list of boxes walked by recursion, a map beside it; dies at its end in a
// write through null.
use std::collections::BTreeMap;

struct Link {
    key: u32,
    label: String,
    next: Option<Box<Link>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Side {
    Left(u16),
    Right { weight: i64, heavy: bool },
    Nowhere,
}

fn build(n: u32) -> Option<Box<Link>> {
    let mut head = None;
    for key in 0..n {
        head = Some(Box::new(Link {
            key: key * 10,
            label: format!("link {key}"),
            next: head,
        }));
    }
    head
}

#[inline(never)]
fn finish(sum: u64, side: Side, out: *mut u64) -> u64 {
    let weight = match side {
        Side::Left(n) => u64::from(n),
        Side::Right { weight, heavy } => weight as u64 + u64::from(heavy),
        Side::Nowhere => 0,
    };
    unsafe { std::ptr::write_volatile(out, sum.wrapping_add(weight)) };
    opaque(side);
    sum ^ weight
}

#[inline(never)]
fn walk(link: &Link, depth: usize, seen: &mut BTreeMap<u32, Side>) -> u64 {
    let side = match depth % 3 {
        0 => Side::Left(link.key as u16),
        1 => Side::Right { weight: -5, heavy: depth > 2 },
        _ => Side::Nowhere,
    };
    seen.insert(link.key, side);
    let below = match &link.next {
        Some(next) => walk(next, depth + 1, seen),
        None => finish(u64::from(link.key) + depth as u64, side,
                       opaque(std::ptr::null_mut())),
    };
    opaque(&seen);
    below + link.label.len() as u64 + depth as u64
}

/// The same value; the compiler does not see through.
fn opaque<T>(value: T) -> T {
    let copy = unsafe { std::ptr::read_volatile(&value) };
    std::mem::forget(value);
    copy
}

fn main() {
    let list = build(std::env::args().count() as u32 + 3);
    let mut seen = BTreeMap::new();
    let sum = list.as_ref().map_or(0, |first| walk(first, 1, &mut seen));
    println!("{sum} {} {:?}", seen.len(), list.map(|l| l.key));
}
