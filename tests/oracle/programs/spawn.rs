// Threads with names, channels, a mutex and an atomic.
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{mpsc, Arc, Barrier, Mutex};
use std::thread;
struct Job { id: u32, text: String }
#[inline(never)]
fn work(job: Job, total: &Mutex<u64>, ready: &Barrier, seen: &AtomicU32) -> u64 {
    let mut guard = total.lock().unwrap();
    *guard += u64::from(job.id);
    let now = *guard;
    drop(guard);
    seen.fetch_add(1, Ordering::SeqCst);
    ready.wait();
    if job.id == 3 {
        panic!("job {} of {}", job.text, now);
    }
    loop { thread::park(); }
}
fn main() {
    let total = Arc::new(Mutex::new(0));
    let ready = Arc::new(Barrier::new(4));
    let seen = Arc::new(AtomicU32::new(0));
    let (_keep, never) = mpsc::channel::<u32>();
    for id in 0..4 {
        let (total, ready, seen) = (total.clone(), ready.clone(), seen.clone());
        thread::Builder::new().name(format!("job-{}", id)).spawn(move || {
            work(Job { id, text: format!("number {}", id) }, &total, &ready, &seen)
        }).unwrap();
    }
    println!("{:?}", never.recv());
}
