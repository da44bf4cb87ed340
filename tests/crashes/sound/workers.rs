// SPDX-License-Identifier: MIT
// A sound, busy Rust program: channels, locks, maps, panics that are caught.
use std::collections::{BTreeMap, HashMap};
use std::sync::{mpsc, Arc, Condvar, Mutex, RwLock};
use std::thread;

fn work(n: u64, map: &mut BTreeMap<u64, String>) -> u64 {
    map.insert(n % 997, format!("{n:>width$}", width = (n % 50) as usize));
    if map.len() > 800 {
        map.pop_first();
    }
    map.values().take(20).map(|s| s.len() as u64).sum()
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let table = Arc::new(RwLock::new(HashMap::<u64, Vec<u8>>::new()));
    let turn = Arc::new((Mutex::new(0u64), Condvar::new()));
    let (send, receive) = mpsc::sync_channel::<Box<u64>>(64);
    let mut threads = Vec::new();
    for id in 0..5u64 {
        let (table, turn, send) = (table.clone(), turn.clone(), send.clone());
        threads.push(thread::spawn(move || {
            let mut map = BTreeMap::new();
            for n in id.. {
                let sum = work(n, &mut map);
                table.write().unwrap().insert(n % 300, vec![0xcc; sum as usize]);
                *turn.0.lock().unwrap() += table.read().unwrap().len() as u64;
                turn.1.notify_one();
                send.send(Box::new(n)).unwrap();
                if n % 100 == 0 {
                    let caught = std::panic::catch_unwind(|| {
                        let none: Option<u8> = if n == 7 { Some(1) } else { None };
                        none.unwrap()
                    });
                    assert!(caught.is_err());
                }
            }
        }));
    }
    let waiting = turn.clone();
    threads.push(thread::spawn(move || loop {
        let guard = waiting.0.lock().unwrap();
        let mut guard = waiting.1.wait(guard).unwrap();
        *guard /= 2;
    }));
    for n in receive {
        if *n == u64::MAX {
            break;
        }
    }
}
