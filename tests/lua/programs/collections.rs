// SPDX-License-Identifier: MIT
//
// Values of the standard library's types. What each holds is printed as JSON
// by the program itself; then it dies with all of them in `show`'s frame.
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::{CString, OsString};
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize};
use std::sync::{Arc, Mutex, RwLock};

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    left: i32,
    right: String,
}

pub struct Unsized<'a> {
    text: &'a str,
}

fn pair(n: i32) -> Pair {
    Pair { left: n, right: format!("pair {}", n) }
}

#[inline(never)]
fn die(p: *mut i32) {
    unsafe { std::ptr::write_volatile(p, 1) }
}

#[inline(never)]
#[allow(unused_variables)]
fn show(how: &str) {
    let string = String::from("hello, wörld");
    let empty_string = String::new();
    let text = "a str";
    let numbers = vec![1i32, -2, 3];
    let empty: Vec<u64> = Vec::new();
    let spare: Vec<u8> = Vec::with_capacity(100);
    let strings = vec![String::from("one"), String::from("two")];
    let pairs = vec![pair(1), pair(2)];
    let nested = vec![vec![1u8], vec![], vec![2, 3]];
    let long: Vec<u32> = (0..1000).collect();
    let units: Vec<()> = vec![(), ()];
    let boxed = Box::new(pair(7));
    let boxed_slice: Box<[u16]> = vec![5, 6].into_boxed_slice();
    let some_string = Some(String::from("inside"));
    let no_string: Option<String> = None;
    let good: Result<Vec<i32>, String> = Ok(vec![9]);
    let bad: Result<Vec<i32>, String> = Err(String::from("broken"));
    let rc = Rc::new(pair(3));
    let rc2 = rc.clone();
    let weak: Weak<Pair> = Rc::downgrade(&rc);
    let gone: Weak<Pair> = Weak::new();
    let arc = Arc::new(String::from("shared"));
    let arc2 = arc.clone();
    let arc_slice: Arc<[i32]> = Arc::from(vec![1, 2, 3]);
    let rc_str: Rc<str> = Rc::from("text of rc");
    let cell = Cell::new(42u8);
    let idle = RefCell::new(1i32);
    let reading = RefCell::new(String::from("read"));
    let r1 = reading.borrow();
    let r2 = reading.borrow();
    let writing = RefCell::new(5i64);
    let w = writing.borrow_mut();
    let shared_cell = Rc::new(RefCell::new(vec![1, 2]));
    let mut map = HashMap::new();
    for i in 0..20 {
        map.insert(i, format!("v{}", i));
    }
    map.remove(&3);
    let mut by_name: HashMap<String, Pair> = HashMap::new();
    by_name.insert("x".to_string(), pair(24));
    let no_map: HashMap<u8, u8> = HashMap::new();
    let mut set = HashSet::new();
    set.insert("p");
    set.insert("q");
    let mut big_map = HashMap::new();
    for i in 0..500u16 {
        big_map.insert(i, i);
    }
    let mut tree = BTreeMap::new();
    for i in 0..30 {
        tree.insert(i, i * i);
    }
    let mut names: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    names.insert("a".to_string(), vec![1]);
    names.insert("b".to_string(), vec![]);
    let no_tree: BTreeMap<u8, u8> = BTreeMap::new();
    let ordered: BTreeSet<char> = "hello".chars().collect();
    let mut big_tree = BTreeMap::new();
    for i in 0..2000u32 {
        big_tree.insert(i, ());
    }
    let mut ring: VecDeque<i32> = VecDeque::with_capacity(4);
    for i in 0..4 {
        ring.push_back(i);
    }
    ring.pop_front();
    ring.pop_front();
    ring.push_back(4);
    ring.push_front(1);
    let no_ring: VecDeque<String> = VecDeque::new();
    let path = PathBuf::from("/usr/lib/x");
    let os = OsString::from("os string");
    let c_string = CString::new("c string").unwrap();
    let mutex = Mutex::new(pair(5));
    let locked = Mutex::new(8i32);
    let guard = locked.lock().unwrap();
    let rw = RwLock::new(String::from("rw"));
    let atomic = AtomicI32::new(-6);
    let atomic_size = AtomicUsize::new(77);
    let flag = AtomicBool::new(true);
    let nonzero = std::num::NonZeroI16::new(-9).unwrap();
    let nonzero_big = std::num::NonZeroU64::new(1 << 60).unwrap();
    let timeout = std::time::Duration::from_millis(1500);
    let slice = &numbers[1..];
    let reference = &string;
    let tuple = (String::from("t"), vec![1]);
    let deep: Option<Box<Rc<Vec<String>>>> =
        Some(Box::new(Rc::new(vec![String::from("deep")])));

    println!("{{");
    println!("\"map\": {:?},", map.iter().map(|(k, v)| format!("{}={}", k, v))
        .collect::<Vec<_>>());
    println!("\"set\": {:?},", set.iter().collect::<Vec<_>>());
    println!("\"tree\": {:?},", tree.iter().map(|(k, v)| format!("{}={}", k, v))
        .collect::<Vec<_>>());
    println!("\"ring\": {:?},", ring.iter().collect::<Vec<_>>());
    println!("\"ordered\": {:?},", ordered.iter().map(|c| c.to_string())
        .collect::<Vec<_>>());
    println!("\"big_map\": {}, \"long\": {}, \"big_tree\": {}", big_map.len(),
        long.len(), big_tree.len());
    println!("}}");

    let mut hurt = vec![1i32, 2, 3];
    let mut hurt_string = String::from("hurt");
    let mut hurt_map: HashMap<i32, i32> = HashMap::new();
    hurt_map.insert(1, 2);
    let mut hurt_tree: BTreeMap<i32, i32> = (0..100).map(|i| (i, i)).collect();
    let mut hurt_ring: VecDeque<i32> = (0..5).collect();
    let mut hurt_rc = Rc::new(1i32);
    let mut hurt_vecs: Vec<Vec<i32>> = vec![vec![1]];
    if how != "" {
        unsafe { hurt_all(how, &mut hurt, &mut hurt_string, &mut hurt_map,
            &mut hurt_tree, &mut hurt_ring, &mut hurt_rc, &mut hurt_vecs) }
    }
    die(std::ptr::null_mut());
    println!("{:?} {:?} {:?}", w, r1, r2);
    println!("{:?} {:?} {:?} {:?}", guard, hurt, hurt_string, hurt_map);
    println!("{:?} {:?} {:?} {:?}", hurt_tree, hurt_ring, hurt_rc, hurt_vecs);
}

// Overwrites every word of a value that looks like a pointer (or, small, like
// a count), without knowing the layout.
unsafe fn words<T>(value: &mut T, pointer: Option<usize>, count: Option<usize>) {
    let n = std::mem::size_of::<T>() / 8;
    let p = value as *mut T as *mut usize;
    for i in 0..n {
        let x = p.add(i);
        if *x > 0x10000 && *x < 1 << 47 {
            if let Some(v) = pointer { *x = v; }
        } else if *x != 0 && *x <= 0x10000 {
            if let Some(v) = count { *x = v; }
        }
    }
}

#[allow(clippy::too_many_arguments)]
unsafe fn hurt_all(how: &str, v: &mut Vec<i32>, s: &mut String,
    m: &mut HashMap<i32, i32>, t: &mut BTreeMap<i32, i32>,
    r: &mut VecDeque<i32>, c: &mut Rc<i32>, w: &mut Vec<Vec<i32>>) {
    let (pointer, count) = match how {
        "freed" => (Some(0x10008), None),
        "absurd" => (None, Some(1usize << 60)),
        // Points to itself: the words of a value as memory of its own.
        _ => (Some(v as *mut Vec<i32> as usize), None),
    };
    words(v, pointer, count);
    words(s, pointer, count);
    words(m, pointer, count);
    if how == "cyclic" {
        // Every edge of the root leads to the root.
        let p = t as *mut BTreeMap<i32, i32> as *mut usize;
        for i in 0..3 {
            let root = *p.add(i);
            if root > 0x10000 && root < 1 << 47 {
                for k in 0..40 {
                    let x = (root as *mut usize).add(k);
                    if *x >> 24 == root >> 24 { *x = root; }
                }
            }
        }
    } else {
        words(t, pointer, count);
    }
    words(r, pointer, count);
    words(c, pointer, count);
    words(w, pointer, count);
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    show(&how);
}
