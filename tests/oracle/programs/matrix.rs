// Arrays of arrays, iterators and floats; every level goes on with its values
// after the call that does not come back.

#[derive(Clone, Copy, Debug)]
struct Matrix {
    cells: [[f64; 3]; 3],
    rank: u8,
}

impl Matrix {
    fn identity(rank: u8) -> Matrix {
        let mut cells = [[0.0; 3]; 3];
        for (i, row) in cells.iter_mut().enumerate() {
            row[i] = 1.0;
        }
        Matrix { cells, rank }
    }

    #[inline(never)]
    fn scaled(&self, by: f64, bad: *const f64) -> Matrix {
        let mut out = *self;
        let mut largest = f64::MIN;
        for row in out.cells.iter_mut() {
            for cell in row.iter_mut() {
                *cell *= by;
                largest = largest.max(*cell);
            }
        }
        let last = pivot(&out, largest, bad);
        out.cells[0][0] += last + largest;
        opaque(&out);
        out
    }
}

#[inline(never)]
fn pivot(m: &Matrix, largest: f64, bad: *const f64) -> f64 {
    let trace: f64 = (0..3).map(|i| m.cells[i][i]).sum();
    let corner = m.cells[2][2];
    let read = unsafe { std::ptr::read_volatile(bad) };
    opaque(trace) + opaque(corner) + read + largest
}

#[inline(never)]
fn solve(rounds: u32, bad: *const f64) -> f64 {
    let start = Matrix::identity(3);
    let steps: Vec<f64> = (1..=rounds).map(|n| n as f64 * 0.5).collect();
    let total: f64 = steps.iter().sum();
    let end = start.scaled(total, bad);
    opaque(&steps);
    end.cells[1][1] + total + f64::from(start.rank)
}

/// The same value; the compiler does not see through.
fn opaque<T>(value: T) -> T {
    let copy = unsafe { std::ptr::read_volatile(&value) };
    std::mem::forget(value);
    copy
}

fn main() {
    let rounds = std::env::args().count() as u32 + 3;
    let bad = opaque(std::ptr::null::<f64>());
    let result = solve(rounds, bad);
    println!("{result} after {rounds}");
}
