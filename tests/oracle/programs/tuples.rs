// Tuples, tuple structs, units and numbers of all sizes.
struct Pair(i32, f32);
struct Unit;
struct Nested { pair: Pair, unit: Unit, tuple: (u8, (bool, char)) }
#[inline(never)]
fn mix(tuple: (i8, u16, i32), nested: &Nested, big: i128, pointer: *const u64) -> u64 {
    let swapped = (tuple.2, tuple.0);
    let wide: u128 = big as u128 + 1;
    let letter = nested.tuple.1 .1;
    let size = std::mem::size_of_val(&nested.unit);
    if letter == 'ß' {
        return unsafe { *pointer }; // null
    }
    swapped.0 as u64 + wide as u64 + size as u64 + nested.pair.0 as u64
}
fn main() {
    let nested = Nested { pair: Pair(-5, 1.5), unit: Unit,
        tuple: (200, (true, 'ß')) };
    let null = std::env::args().count() as u64 - 1;
    println!("{} {}", mix((-1, 2, 3), &nested, -(1i128 << 100), null as *const u64),
        nested.pair.1);
}
