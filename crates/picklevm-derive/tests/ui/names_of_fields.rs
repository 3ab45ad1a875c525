use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Twice {
    #[pickle(rename = "class")]
    a: i64,
    #[pickle(rename = "class")]
    b: i64,
    #[pickle(alias = "class")]
    c: i64,
}

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Nameless(i64);

#[derive(PickleClass)]
#[pickle(module = "shop", state = "tuple")]
struct NamesWithoutUse {
    #[pickle(rename = "y")]
    x: i64,
}

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Skipped {
    #[pickle(skip, rename = "y")]
    x: i64,
}

fn main() {}
