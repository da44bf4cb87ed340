// Slices, arrays and strings of all three kinds.
#[inline(never)]
fn scan(words: &[&str], numbers: &mut [i64], bytes: &[u8], owned: String,
        list: Vec<u16>) -> usize {
    let first: &str = words[0];
    let part = &numbers[1..3];
    let grid = [[1u8, 2, 3], [4, 5, 6]];
    let empty: &[u32] = &[];
    let total: i64 = part.iter().sum();
    if total == 50 {
        let index = words.len() + 10;
        return bytes[index] as usize; // out of bounds: a panic
    }
    first.len() + owned.len() + list.len() + empty.len() + grid[1][2] as usize
}
fn main() {
    let words = ["zero", "one", "zwei"];
    let mut numbers = [10, 20, 30, 40];
    let owned = String::from("on the heap");
    println!("{}", scan(&words, &mut numbers, b"bytes\0", owned, vec![1, 2, 3]));
}
