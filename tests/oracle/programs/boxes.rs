// A list of Option<Box<T>>, reference counts and cells.
use std::cell::{Cell, RefCell};
use std::rc::Rc;
struct Node { value: u32, next: Option<Box<Node>> }
struct Shared { count: Cell<i32>, names: RefCell<Vec<u8>> }
#[inline(never)]
fn walk(node: &Node, depth: u32, shared: &Rc<Shared>) -> u32 {
    let here = node.value * 3;
    shared.count.set(shared.count.get() + here as i32);
    match &node.next {
        Some(next) => walk(next, depth + 1, shared) + here,
        None => {
            shared.names.borrow_mut().push(depth as u8);
            std::process::abort()
        }
    }
}
fn main() {
    let mut list: Option<Box<Node>> = None;
    for value in 1..6 {
        list = Some(Box::new(Node { value, next: list }));
    }
    let shared = Rc::new(Shared { count: Cell::new(1),
        names: RefCell::new(Vec::new()) });
    let other = Rc::clone(&shared);
    println!("{}", walk(list.as_ref().unwrap(), 0, &other));
    println!("{}", shared.count.get());
}
