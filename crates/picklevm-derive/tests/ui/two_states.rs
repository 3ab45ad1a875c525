use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(module = "shop", state = "tuple", getstate = Self::getstate)]
struct HookAndForm {
    x: i64,
}

#[derive(PickleClass)]
#[pickle(module = "shop", state = "slots", old_style)]
struct SlotsOfOldStyle {
    x: i64,
}

#[derive(PickleClass)]
#[pickle(module = "shop", state = "list")]
struct SlotInAList {
    #[pickle(slot)]
    x: i64,
}

fn main() {}
