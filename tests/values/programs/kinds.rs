// SPDX-License-Identifier: MIT
// One local of every kind of type; dies in the middle of show().
use std::cell::Cell;
use std::num::NonZeroU32;
use std::rc::Rc;

static COUNTER: u32 = 77;
static mut MUTABLE: i64 = -5;
static GREETING: &str = "hello static";
thread_local! { static LOCAL: Cell<u32> = Cell::new(9); }

#[derive(Clone, Copy)]
enum Color { Red = 1, Green = 5, Blue = 300 }
enum Shape { Circle(f64), Rect { w: u32, h: u32 }, Unit, Named(String) }
enum Single { Only(i32) }
enum Niche { A(Box<i32>), B, C }
enum Multi { X(bool), Y, Z(u8), W }
enum Big { Lo(u128), Hi(i128) }
#[repr(i8)]
enum Signed { P(u16), Q }
struct Point { x: i32, y: i32 }
struct Pair(u8, &'static str);
struct Nothing;
union Both { a: u32, b: f32 }
trait Speak { fn speak(&self) -> i32; }
impl Speak for Point { fn speak(&self) -> i32 { self.x } }

#[inline(never)]
fn die<T>(_all: T) { std::process::abort(); }

#[inline(never)]
fn show(n: i32, name: &str, slice: &[i32], change: &mut [u16], owned: String,
        vector: Vec<i64>) {
    let some = Some(n);
    let none: Option<i32> = None;
    let some_box = Some(Box::new(11));
    let none_box: Option<Box<i32>> = None;
    let ok: Result<u8, String> = Ok(3);
    let err: Result<u8, String> = Err("bad".to_string());
    let circle = Shape::Circle(2.5);
    let rect = Shape::Rect { w: 3, h: 4 };
    let unit_shape = Shape::Unit;
    let named = Shape::Named("nm".to_string());
    let color = Color::Green;
    let only = Single::Only(5);
    let niche_a = Niche::A(Box::new(4));
    let niche_b = Niche::B;
    let niche_c = Niche::C;
    let multi = [Multi::X(true), Multi::Y, Multi::Z(8), Multi::W];
    let low = Big::Lo(0x1234567890abcdef1234567890abcdef);
    let high = Big::Hi(i128::MIN);
    let p = Signed::P(513);
    let q = Signed::Q;
    let point = Point { x: 1, y: -2 };
    let pair = Pair(7, "text");
    let nothing = Nothing;
    let both = Both { a: 0x3f800000 };
    let tuple = (1u8, 'x', 2.5f32, true);
    let unit = ();
    let array = [[1i32, 2], [3, 4]];
    let bytes = b"bytes!";
    let ch = 'λ';
    let chars = ['a', 'é', '😀'];
    let big = u128::MAX;
    let small = i128::MIN;
    let boxed = Box::new(Point { x: 5, y: 6 });
    let reference = &point;
    let object: &dyn Speak = &point;
    let counted = Rc::new(5u32);
    let function: fn(i32) = die::<i32>;
    let closure = |a: i32| a + n;
    let text_or = Some("opt");
    let text_none: Option<&str> = None;
    let slice_or = Some(slice);
    let nested: Option<Option<bool>> = Some(None);
    let color_none: Option<Color> = None;
    let nonzero = NonZeroU32::new(7);
    let empty: &[u8] = &[];
    let words: &[&str] = &["p", "q"];
    let boxed_slice: Box<[u8]> = vec![1u8, 2].into_boxed_slice();
    let boxed_text: Box<str> = "boxed".into();
    LOCAL.with(|t| t.set(10));
    unsafe { MUTABLE += COUNTER as i64 + GREETING.len() as i64; }
    die((&some, &none, &some_box, &none_box, &ok, &err));
    die((&circle, &rect, &unit_shape, &named, &only, color as u32));
    die((&niche_a, &niche_b, &niche_c, &multi, &low, &high, &p, &q));
    die((&pair, &nothing, &both, &tuple, &unit, &array, bytes, ch, &chars));
    die((big, small, &boxed, reference.y, object.speak(), &counted));
    die((function, closure(1), text_or, text_none, slice_or, nested));
    die((color_none, nonzero, empty, words, &boxed_slice, &boxed_text));
    die((name, change, &owned, &vector, Color::Red, Color::Blue));
}

fn main() {
    let data = [10, 20, 30];
    let mut change = [1u16, 2];
    show(42, "a name", &data[1..], &mut change, "owned".to_string(),
         vec![1, -2, 3]);
}
