//! The program `picklevm`.
fn main() {}
