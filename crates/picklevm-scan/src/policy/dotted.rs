//! Dotted names as people write them.

/// Returns the module and the name in it of a dotted name as people write it: a colon parts them, else the first part that begins
/// with a capital letter begins the name, else the last one.
///
/// ```
/// use picklevm_scan::split_name;
///
/// assert_eq!(split_name("shop.models.Order.Line"), Some(("shop.models", "Order.Line")));
/// assert_eq!(split_name("shop.views:check.inner"), Some(("shop.views", "check.inner")));
/// assert_eq!(split_name("numpy.dtype"), Some(("numpy", "dtype")));
/// assert_eq!(split_name("dtype"), None);
/// ```
pub fn split_name(name: &str) -> Option<(&str, &str)> {
    if let Some(parts) = name.split_once(':') {
        return Some(parts);
    }
    let is_class = |part: &str| part.starts_with(char::is_uppercase);
    let first = name.split('.').scan(0, |at, part| {
        let start = *at;
        *at += part.len() + 1;
        Some((start, part))
    });
    let class = first.skip(1).find(|(_, part)| is_class(part)).map(|(start, _)| start);
    let start = class.or_else(|| name.rfind('.').map(|dot| dot + 1))?;
    Some((name.get(..start.checked_sub(1)?)?, name.get(start..)?))
        .filter(|(module, name)| !module.is_empty() && !name.is_empty())
}
