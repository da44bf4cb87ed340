// Enums with data, C-like enums, and the niches of Option.
#[derive(Clone, Copy)]
enum Level { Low = -2, High = 40 }
enum Shape { Circle { radius: f64 }, Square(u32), Named(u8, i16), Empty }
enum Wide { Small(u8), Large([u64; 3]) }
#[inline(never)]
fn area(shape: &Shape, level: Level, maybe: Option<u32>, none: Option<u32>,
        text: Option<&str>, wide: Wide) -> f64 {
    let result: Result<u16, char> = if level as i32 > 0 { Ok(7) } else { Err('x') };
    let base = match shape {
        Shape::Circle { radius } => radius * 3.0,
        Shape::Square(side) => f64::from(*side),
        Shape::Named(a, b) => f64::from(*a) + f64::from(*b),
        Shape::Empty => 0.0,
    };
    if base > 1.0 {
        std::process::abort();
    }
    base + f64::from(maybe.unwrap_or(1) + none.unwrap_or(2)) +
        text.map_or(0.0, |t| t.len() as f64) +
        match wide { Wide::Small(n) => f64::from(n), Wide::Large(a) => a[0] as f64 } +
        f64::from(result.unwrap_or(0))
}
fn main() {
    let shapes = [Shape::Empty, Shape::Named(0, 1), Shape::Square(9),
        Shape::Circle { radius: 2.5 }];
    let mut sum = 0.0;
    for (i, shape) in shapes.iter().enumerate() {
        let wide = if i % 2 == 0 { Wide::Small(3) } else { Wide::Large([4, 5, 6]) };
        let level = if i > 1 { Level::High } else { Level::Low };
        sum += area(shape, level, Some(i as u32), None, Some("text"), wide);
    }
    println!("{}", sum);
}
