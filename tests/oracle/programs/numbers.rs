// All kinds of numbers as parameters and locals, kept over the call that
// overruns an array.

#[derive(Clone, Copy)]
struct Packed {
    wide: i128,
    tiny: i8,
    flag: bool,
    letter: char,
}

#[repr(C)]
union Bits {
    whole: u32,
    single: f32,
}

const TABLE: [u16; 5] = [1, 10, 100, 1000, 10000];

#[inline(never)]
fn look_up(index: usize, table: &[u16]) -> u16 {
    let half = index / 2;
    let found = table[index];
    opaque(half) as u16 + found
}

#[inline(never)]
fn mixed(packed: Packed, single: f32, double: f64, index: usize) -> f64 {
    let doubled = packed.wide * 2;
    let negative = -i32::from(packed.tiny);
    let next = char::from_u32(packed.letter as u32 + 1);
    let bits = Bits { single };
    let found = look_up(index, &TABLE);
    let whole = unsafe { bits.whole };
    opaque((doubled, negative, next, whole));
    f64::from(found) + f64::from(single) + double
}

#[inline(never)]
fn spread(seed: u64) -> f64 {
    let rotated = seed.rotate_left(13);
    let parts = [(seed & 0xff) as u8, (rotated >> 8) as u8, 7];
    let packed = Packed {
        wide: -(i128::from(rotated) << 20),
        tiny: -8,
        flag: seed % 2 == 1,
        letter: 'ß',
    };
    let ratio = seed as f64 / 3.0;
    let answer = mixed(packed, 1.5, ratio, seed as usize + 4);
    opaque((parts, packed.flag, rotated));
    answer + ratio
}

/// The same value; the compiler does not see through.
fn opaque<T>(value: T) -> T {
    let copy = unsafe { std::ptr::read_volatile(&value) };
    std::mem::forget(value);
    copy
}

fn main() {
    let seed = std::env::args().count() as u64 * 5;
    let answer = spread(seed);
    println!("{answer} from {seed}");
}
