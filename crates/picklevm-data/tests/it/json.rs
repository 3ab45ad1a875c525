//! Plain JSON.

use picklevm_data::{Reader, SelfContained, json};

fn text(pickle: &[u8], options: json::Options<'_>) -> Result<String, String> {
    let graph = picklevm::loads(pickle).unwrap();
    let mut out = Vec::new();
    let written = json::write(&Reader::new(graph.root(), &SelfContained), options, &mut out);
    written.map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
}

fn plain(pickle: &[u8]) -> String {
    text(pickle, json::Options::new()).unwrap()
}

fn refused(pickle: &[u8]) -> String {
    text(pickle, json::Options::new()).unwrap_err()
}

/// Writes leniently, and returns the warnings too.
fn lenient(pickle: &[u8]) -> (String, Vec<String>) {
    let mut warnings = Vec::new();
    let mut warn = |warning: &str| warnings.push(warning.to_owned());
    let text = text(pickle, json::Options::new().lenient(&mut warn)).unwrap();
    (text, warnings)
}

#[test]
fn instances_become_their_attributes() {
    let pickle = b"\x80\x02capp\nUser\n)\x81}U\x04nameU\x03Annsb.";
    assert_eq!(plain(pickle), r#"{"name":"Ann"}"#);
    let classes = text(pickle, json::Options::new().classes(true)).unwrap();
    assert_eq!(classes, r#"{"$class":"app.User","name":"Ann"}"#);
}

#[test]
fn an_instance_without_anything_is_an_empty_object() {
    assert_eq!(plain(b"\x80\x02capp\nUser\n)\x81."), "{}");
    let classes = text(b"\x80\x02capp\nUser\n)\x81.", json::Options::new().classes(true)).unwrap();
    assert_eq!(classes, r#"{"$class":"app.User"}"#);
}

#[test]
fn subclasses_of_lists_and_dicts_are_what_they_are_made_of() {
    assert_eq!(plain(b"\x80\x02capp\nList\n)\x81(K\x01K\x02e."), "[1,2]");
    assert_eq!(plain(b"\x80\x02capp\nDict\n)\x81(U\x01aK\x02u."), r#"{"a":2}"#);
}

#[test]
fn bytes_are_text_or_base64() {
    assert_eq!(plain(b"(C\x02okC\x02\xff\xfeU\x02\xc3\xa9\x96\x01\0\0\0\0\0\0\0\xfft."), r#"["ok","//4=","é","/w=="]"#);
}

#[test]
fn containers_made_of_a_text_are_arrays_and_objects_of_its_characters() {
    assert_eq!(plain(b"\x80\x02ccollections\ndeque\nX\x02\0\0\0ab\x85R."), r#"["a","b"]"#);
    assert_eq!(plain(b"\x80\x02ccollections\ndeque\nU\x02a\xff\x85R."), r#"["a","/w=="]"#);
    assert_eq!(plain(b"\x80\x02ccollections\nCounter\nX\x03\0\0\0aba\x85R."), r#"{"a":2,"b":1}"#);
}

#[test]
fn arguments_by_keyword_are_not_lost() {
    let pickle = b"\x80\x04capp\nUser\n)}\x8c\x01nK\x02s\x92.";
    assert_eq!(plain(pickle), r#"{"$kwargs":{"n":2}}"#);
    assert_eq!(plain(&[&pickle[..pickle.len() - 1], b"K\x07a."].concat()), r#"{"$kwargs":{"n":2},"$items":[7]}"#);
}

#[test]
fn a_count_that_is_no_number_does_not_break_the_json() {
    // `Counter('ab', z='x')`.
    let pickle = b"\x80\x04cfunctools\npartial\nccollections\nCounter\n\x85R(ccollections\nCounter\n\
        \x8c\x02ab\x85}\x8c\x01z\x8c\x01xsNtb)R.";
    assert_eq!(plain(pickle), r#"{"$args":["ab"],"$kwargs":{"z":"x"}}"#);
}

#[test]
fn containers_of_the_standard_library_are_arrays_and_objects() {
    assert_eq!(plain(b"\x80\x02ccollections\ndeque\n)R(K\x01K\x02e."), "[1,2]");
    assert_eq!(plain(b"\x80\x02ccollections\nOrderedDict\n)R(U\x01bK\x01U\x01aK\x02u."), r#"{"b":1,"a":2}"#);
    assert_eq!(plain(b"\x80\x04\x8f(K\x01\x90."), "[1]");
}

#[test]
fn dates_decimals_and_paths_are_text() {
    assert_eq!(plain(b"\x80\x03cdatetime\ndate\nC\x04\x07\xe8\x01\x02\x85R."), r#""2024-01-02""#);
    assert_eq!(plain(b"\x80\x02cdecimal\nDecimal\nU\x0512.50\x85R."), r#""12.50""#);
    assert_eq!(plain(b"\x80\x03cpathlib\nPosixPath\n(X\x01\0\0\0/X\x03\0\0\0srvtR."), r#""/srv""#);
}

#[test]
fn members_of_enums_are_their_values() {
    assert_eq!(plain(b"\x80\x04\x8c\x03app\x8c\x05Color\x93K\x02\x85R."), "2");
}

#[test]
fn keys_that_are_no_text_become_text() {
    assert_eq!(plain(b"}(K\x07K\x02NK\x03I01\nK\x04(K\x01K\x02tK\x05u."), r#"{"7":2,"null":3,"true":4,"(1, 2)":5}"#);
}

#[test]
fn keys_that_would_become_one_are_kept_in_pairs() {
    assert_eq!(plain(b"}(K\x01U\x05firstU\x011U\x06secondu."), r#"[[1,"first"],["1","second"]]"#);
}

#[test]
fn a_value_inside_of_itself_is_an_error_with_its_path() {
    // {'data': [1, {'self': the whole}]}
    let error = refused(b"}q\x00U\x04data](K\x01}U\x04selfh\x00ses.");
    assert!(error.contains("['data'][1]['self']") && error.contains("holds itself"), "{error}");
}

#[test]
fn lenient_writes_null_and_tells_the_path() {
    let (text, warnings) = lenient(b"]q\x00h\x00a.");
    assert_eq!((&*text, warnings.len()), ("[null]", 1));
    assert!(warnings[0].starts_with("[0]: "), "{}", warnings[0]);
}

#[test]
fn numbers_that_are_not_finite_are_errors_with_their_path() {
    let pickle = b"}U\x01xG\x7f\xf8\0\0\0\0\0\0s.";
    assert!(refused(pickle).starts_with("['x']: "), "{}", refused(pickle));
    assert_eq!(lenient(pickle).0, r#"{"x":null}"#);
}

#[test]
fn shared_values_are_written_wherever_they_are() {
    assert_eq!(plain(b"(]q\x00K\x01ah\x00t."), "[[1],[1]]");
}

#[test]
fn large_integers_keep_their_digits() {
    assert_eq!(plain(b"L1180591620717411303424L\n."), "1180591620717411303424");
}

#[test]
fn a_class_is_its_name() {
    assert_eq!(plain(b"capp\nUser\n."), r#""app.User""#);
}
