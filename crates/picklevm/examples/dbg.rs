//! x
fn main() { for a in std::env::args().skip(1) { let g = picklevm::loads(std::fs::read(&a).unwrap()).unwrap(); println!("{a}: {:?}", g.root()); } }
