use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(module = "shop")]
enum Size {
    Small,
    Large(u8),
}

#[derive(PickleClass)]
#[pickle(module = "shop")]
union Either {
    int: i64,
    float: f64,
}

fn main() {}
