//! The calls that a literal of `edit` would put into a pickle: those that no pickler writes are mistakes.

use std::collections::HashSet;

use picklevm::{Construction, Graph, Id, Value};
use picklevm_scan::{Decision, Policy};

use crate::failure::note;

/// Names that a graph calls.
pub(crate) type Called = HashSet<(String, String)>;

/// Returns the names that a value calls.
pub(crate) fn called(value: Value<'_>) -> Called {
    let call = |value: Value<'_>| {
        let object = value.as_object().filter(|object| object.construction() == Construction::Reduce)?;
        let global = object.class().as_global()?;
        Some((global.module().to_string(), global.name().to_string()))
    };
    value.walk().iter().filter_map(|place| call(place.value())).collect()
}

/// Checks the calls in a new value, except those that the file has already (`known`). Prints a note for a function that is
/// not in the policy of `scan`.
///
/// # Errors
///
/// The message for a method of a class that is called by a name which Python cannot import.
pub(crate) fn check(graph: &Graph, value: Id, known: &mut Called) -> Result<(), String> {
    let policy = Policy::builtin();
    for (module, name) in called(graph.value(value)) {
        if !known.insert((module.clone(), name.clone())) {
            continue;
        }
        let module3 = if module == "copy_reg" { "copyreg" } else { &module[..] };
        let is_allowed = |module: &str, name: &str| {
            matches!(policy.judge(module, name), Decision::Allowed(_)) && !policy.is_allowed_by_module(module, name)
        };
        if let Some((package, class)) = module.rsplit_once('.')
            && is_allowed(package, class)
        {
            return Err(format!(
                "{module} is a class and no module, and edit calls nothing: expected the value that {module}.{name}(…) returns"
            ));
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_function = !last.trim_start_matches('_').starts_with(char::is_uppercase);
        if is_function && module3 != "copyreg" && !matches!(policy.judge(module3, &name), Decision::Allowed(_)) {
            note(&format!("{module}.{name}(…) is written as a call, which Python makes when it loads the pickle"));
        }
    }
    Ok(())
}
