// Closures that capture by reference and by value, function pointers.
#[inline(never)]
fn apply<F: Fn(i32) -> i32>(f: F, n: i32) -> i32 {
    let before = n * 2;
    let after = f(before);
    after + before
}
#[inline(never)]
fn plain(n: i32) -> i32 {
    if n > 100 {
        std::process::abort();
    }
    n + 1
}
#[inline(never)]
fn call(pointer: fn(i32) -> i32, boxed: Box<dyn Fn(i32) -> i32>, n: i32) -> i32 {
    let direct = pointer(n);
    boxed(direct)
}
fn main() {
    let mut log = vec![1, 2];
    let offset = 95 + std::env::args().count() as i32;
    let result = apply(|n| call(plain, Box::new(move |m| plain(m + offset)), n), 2);
    let mut push = |n| log.push(n);
    push(result);
    println!("{:?}", log);
}
