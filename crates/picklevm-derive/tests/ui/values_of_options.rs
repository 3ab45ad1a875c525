use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(module)]
struct WithoutText {}

#[derive(PickleClass)]
#[pickle(module = shop)]
struct WithoutQuotes {}

#[derive(PickleClass)]
#[pickle(module = "shop", namedtuple = "yes")]
struct WithAValue {}

#[derive(PickleClass)]
#[pickle(module = "shop", getstate = "Self::state")]
struct WithQuotes {}

#[derive(PickleClass)]
#[pickle(module = "shop", module = "store")]
struct Twice {}

#[derive(PickleClass)]
#[pickle(module = "shop", state = "dictionary")]
struct OfAnotherState {}

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct OfAnotherBase {
    #[pickle(base = "deque")]
    items: Vec<i64>,
}

fn main() {}
