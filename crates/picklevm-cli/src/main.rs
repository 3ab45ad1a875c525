//! The program `picklevm`.
use std::io::Write;
use std::time::Instant;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let data = bytes::Bytes::from(std::fs::read(&args[2]).unwrap());
    match &*args[1] {
        "graph" => match picklevm::Unpickler::new().resolver(picklevm::Symbolic).load_bytes(data) {
            Ok(g) => {
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                picklevm::write_graph_form(g.root(), &mut out).unwrap();
                out.flush().unwrap();
            }
            Err(e) => {
                eprintln!("{e}");
                std::process::exit(1)
            }
        },
        "time" => {
            let n: usize = args[4].parse().unwrap();
            let u = picklevm::Unpickler::new().resolver(picklevm::Symbolic);
            let (mut load, mut drop_) = (vec![], vec![]);
            let t = Instant::now();
            drop(u.load_bytes(data.clone()).unwrap());
            let calls = (1_000_000 / (t.elapsed().as_nanos() as u64 + 1)).max(1);
            for _ in 0..n {
                let (mut a, mut b) = (0, 0);
                if calls == 1 {
                    let t = Instant::now();
                    let g = u.load_bytes(data.clone()).unwrap();
                    a += t.elapsed().as_nanos() as u64;
                    let t = Instant::now();
                    drop(g);
                    b += t.elapsed().as_nanos() as u64;
                } else {
                    let t = Instant::now();
                    for _ in 0..calls {
                        drop(u.load_bytes(data.clone()).unwrap());
                    }
                    a += t.elapsed().as_nanos() as u64;
                }
                load.push(a / calls);
                drop_.push(b / calls);
            }
            println!("{{\"load\":{load:?},\"drop\":{drop_:?},\"dump\":[]}}");
        }
        _ => {}
    }
}
