// Sorting through closures that capture, trait objects, reference counts; dies
// of a division by zero inside a comparison.
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

trait Weighs {
    fn weight(&self, scale: i32) -> i32;
    fn name(&self) -> &str;
}

struct Stone {
    grams: i32,
    name: &'static str,
}

struct Sack {
    stones: Vec<Stone>,
    lent: Cell<bool>,
}

impl Weighs for Stone {
    #[inline(never)]
    fn weight(&self, scale: i32) -> i32 {
        let heavy = self.grams > 500;
        let share = opaque(self.grams) / scale;
        opaque(heavy);
        share
    }

    fn name(&self) -> &str {
        self.name
    }
}

impl Weighs for Sack {
    #[inline(never)]
    fn weight(&self, scale: i32) -> i32 {
        let mut sum = 0;
        for (i, stone) in self.stones.iter().enumerate() {
            let one = stone.weight(scale - i as i32);
            sum += one * (i as i32 + 1);
        }
        self.lent.set(!self.lent.get());
        opaque(sum)
    }

    fn name(&self) -> &str {
        "sack"
    }
}

#[inline(never)]
fn compare(a: &Rc<dyn Weighs>, b: &Rc<dyn Weighs>, scale: i32) -> Ordering {
    let left = a.weight(scale);
    let right = b.weight(scale);
    opaque((left, right));
    left.cmp(&right).then_with(|| a.name().cmp(b.name()))
}

#[inline(never)]
fn arrange(things: &mut [Rc<dyn Weighs>], scale: i32) -> usize {
    let calls = RefCell::new(Vec::new());
    let before = things.len();
    things.sort_by(|a, b| {
        let so_far = calls.borrow().len() as i32;
        let order = compare(a, b, scale - so_far);
        calls.borrow_mut().push(order);
        order
    });
    opaque(before);
    calls.into_inner().len()
}

/// The same value; the compiler does not see through.
fn opaque<T>(value: T) -> T {
    let copy = unsafe { std::ptr::read_volatile(&value) };
    std::mem::forget(value);
    copy
}

fn main() {
    let scale = std::env::args().count() as i32 + 2;
    let mut things: Vec<Rc<dyn Weighs>> = Vec::new();
    for (i, name) in ["flint", "slate", "marble", "chalk"].iter().enumerate() {
        things.push(Rc::new(Stone { grams: 300 * (i as i32 + 1), name }));
    }
    things.insert(1, Rc::new(Sack {
        stones: vec![Stone { grams: 70, name: "pebble" },
                     Stone { grams: 90, name: "gravel" }],
        lent: Cell::new(false),
    }));
    let calls = arrange(&mut things, scale);
    println!("{calls} calls, {} first", things[0].name());
}
