use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(module = "shop", namedtuple, old_style)]
struct NamedtupleOfOldStyle(i64);

#[derive(PickleClass)]
#[pickle(module = "shop", namedtuple)]
struct NamedtupleWithArguments {
    #[pickle(arg)]
    x: i64,
    #[pickle(kwarg)]
    y: i64,
    #[pickle(base = "list")]
    z: Vec<i64>,
}

#[derive(PickleClass)]
#[pickle(module = "shop", old_style)]
struct OldStyleWithKeywords {
    #[pickle(kwarg)]
    x: i64,
}

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct NumberWithArguments {
    #[pickle(base = "int")]
    number: i64,
    #[pickle(arg)]
    unit: String,
}

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct TwoBases {
    #[pickle(base = "list")]
    items: Vec<i64>,
    #[pickle(base = "int")]
    number: i64,
}

fn main() {}
