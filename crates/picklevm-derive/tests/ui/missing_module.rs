use picklevm::PickleClass;

#[derive(PickleClass)]
struct Point {
    x: i64,
}

fn main() {}
