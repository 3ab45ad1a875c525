//! What the page holds.

use picklevm_files::{File, Opener};
use picklevm_testing::root;
use picklevm_view::{Options, page};
use serde_json::Value as Json;

fn open(pickle: impl Into<bytes::Bytes>) -> File {
    Opener::new().bytes(pickle)
}

/// The data of an element of a page.
fn element(html: &str, id: &str) -> Json {
    let begin = format!("<script type=\"application/json\" id=\"{id}\">");
    let (_, rest) = html.split_once(&begin).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The data of a pickle's page.
fn data(pickle: &[u8], options: &Options) -> (Json, Json) {
    let html = page(&open(pickle.to_vec()), "test.pkl", options).unwrap();
    (element(&html, "file"), element(&html, "pickle-0"))
}

#[test]
fn a_page_has_values_and_ops() {
    let (file, pickle) = data(b"\x80\x04}\x8c\x01a]\x94K\x01as.", &Options::default());
    assert_eq!(file["name"], "test.pkl");
    assert_eq!(file["scan"]["verdict"], "safe");
    assert_eq!(file["left"], Json::Array(Vec::new()));
    // The dict, its key and its value, and the item.
    let kinds: Vec<&str> = pickle["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| file["kinds"][node[0].as_u64().unwrap() as usize].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["dict", "str", "list", "int"]);
    assert_eq!(pickle["nodes"][0].to_string(), r#"[11,"",1,[1,2]]"#);
    let segment = &pickle["trace"]["segments"][0];
    assert_eq!(segment["codes"].as_array().unwrap().len(), 9);
    assert_eq!(segment["pushed"].to_string(), "[-1,0,1,2,-1,3,-1,-1,-1]");
}

#[test]
fn markup_of_the_file_cannot_end_its_element() {
    let html =
        page(&open(&b"\x80\x04\x8c\x1b</script><script>alert(1)//."[..]), "</title><script>x", &Options::default())
            .unwrap();
    assert!(!html.contains("<script>alert") && !html.contains("<script>x"));
    assert_eq!(html.matches("<script").count(), html.matches("</script>").count());
    assert_eq!(element(&html, "pickle-0")["nodes"][0][1], "'</script><script>alert(1)//'");
}

#[test]
fn what_is_left_out_is_said() {
    let mut pickle = b"\x80\x04](".to_vec();
    (0..5000u16).for_each(|at| pickle.extend([&b"M"[..], &at.to_le_bytes()].concat()));
    pickle.extend(b"e.");
    let options = Options::default().max_items(100).max_ops(900);
    let (file, data) = data(&pickle, &options);
    assert_eq!(data["nodes"][0][2], 5000);
    assert_eq!(data["nodes"][0][3].as_array().unwrap().len(), 100);
    let segments = data["trace"]["segments"].as_array().unwrap();
    let ops: usize = segments.iter().map(|segment| segment["codes"].as_array().unwrap().len()).sum();
    assert!(segments.len() > 1 && ops <= 900, "{} segments of {ops} ops", segments.len());
    let last = segments.last().unwrap();
    // Before the last ops the list waits below the mark.
    assert_eq!(last["marks"].to_string(), "[1]");
    assert_eq!(
        last["first"].as_u64().unwrap() + last["codes"].as_array().unwrap().len() as u64,
        data["trace"]["total"].as_u64().unwrap()
    );
    let left: Vec<&str> = file["left"].as_array().unwrap().iter().map(|note| note[1].as_str().unwrap()).collect();
    assert_eq!(left, ["--max-items 1000", "--max-ops 9000"]);
}

#[test]
fn findings_of_the_scanner_keep_their_ops() {
    let mut pickle = b"\x80\x04](".to_vec();
    (0..3000u16).for_each(|at| pickle.extend([&b"M"[..], &at.to_le_bytes()].concat()));
    let place = pickle.len() as u64;
    pickle.extend(b"cos\nsystem\n\x8c\x02id\x85R");
    (0..3000u16).for_each(|at| pickle.extend([&b"M"[..], &at.to_le_bytes()].concat()));
    pickle.extend(b"e.");
    let (file, data) = data(&pickle, &Options::default().max_ops(1200));
    let offset = file["scan"]["findings"][0]["offset"].as_u64().unwrap();
    assert!(offset >= place && file["scan"]["findings"][0]["pickle"] == 0);
    let has = |segment: &Json| {
        let start = segment["offset"].as_u64().unwrap();
        let len: u64 = segment["lengths"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).sum();
        (start..start + len).contains(&offset)
    };
    assert!(data["trace"]["segments"].as_array().unwrap().iter().any(has));
}

#[test]
fn a_pickle_that_breaks_has_what_was_on_the_stack() {
    let (_, data) = data(b"\x80\x04](K\x01K\x02h\x09e.", &Options::default());
    assert_eq!(data["roots"].as_array().unwrap().len(), 3);
    assert_eq!(data["trace"]["error"][0], 8);
}

#[test]
fn a_file_without_a_pickle_is_an_error_that_says_what_it_is() {
    let error = page(&open(&b"%PDF-1.7 ..."[..]), "a.pkl", &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "this is a PDF document, not a pickle");
}

#[test]
fn members_that_are_not_chosen_are_left_out() {
    let zip = picklevm_files::open(root().join("crates/picklevm-files/tests/data/made/zip.zip")).unwrap();
    let html = page(&zip, "zip.zip", &Options::default().member(|path| path == "sub/b.pkl")).unwrap();
    let file = element(&html, "file");
    assert_eq!(file["pickles"].as_array().unwrap().len(), 1);
    assert_eq!(file["pickles"][0][0], "sub/b.pkl");
    assert!(file["members"].as_array().unwrap().len() > 2);
}

#[test]
fn an_array_has_statistics_and_rows() {
    let path = root().join("tests/data/arrays/f4.pkl");
    let (_, data) = data(&std::fs::read(path).unwrap(), &Options::default());
    let preview = &data["previews"][0];
    assert_eq!(preview["what"], "array float32 (2, 3)");
    assert_eq!(preview["rows"].to_string(), r#"[["0","0.0","1.0","2.0"],["1","3.0","4.0","5.0"]]"#);
    assert!(
        preview["facts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|fact| fact[0] == "mean" && fact[1].as_str().unwrap().starts_with("2.5,"))
    );
}

/// A pickle that stores again and again at the same indexes of the memo, of which the page leaves out the middle.
fn stores_again() -> Vec<u8> {
    let mut pickle = b"\x80\x02]".to_vec();
    for round in 0..2000_u16 {
        // A new index, one that was stored at a while ago, and every now and then that of the op before.
        pickle.extend([&b"Nr"[..], &u32::from(round).to_le_bytes(), b"0"].concat());
        pickle.extend([&b"Nr"[..], &u32::from(round / 3).to_le_bytes()].concat());
        pickle.extend(if round % 5 == 0 {
            [&b"r"[..], &u32::from(round / 3).to_le_bytes(), b"0"].concat()
        } else {
            b"0".to_vec()
        });
    }
    pickle.extend(b".");
    pickle
}

#[test]
fn the_memo_of_a_run_of_ops_is_counted_though_it_stores_at_indexes_of_before() {
    let pickle = stores_again();
    let mut steps = Vec::new();
    for step in picklevm::trace(&pickle) {
        let step = step.unwrap();
        steps.push((step.stored.map(|(index, _)| index), step.memo_len as u64));
    }
    let (_, data) = data(&pickle, &Options::default().max_ops(2400));
    let segments = data["trace"]["segments"].as_array().unwrap();
    let mut replaced = 0;
    for segment in segments {
        let first = usize::try_from(segment["first"].as_u64().unwrap()).unwrap();
        // As the page counts: entries before, but for those that are replaced, and those of the run.
        let (mut before, mut own) = (segment["memo"].as_u64().unwrap(), std::collections::HashSet::new());
        for at in 0..segment["codes"].as_array().unwrap().len() {
            let (stored, memo) = steps[first + at];
            own.extend(stored);
            if segment["replaced"].as_array().is_some_and(|ops| ops.contains(&at.into())) {
                (before, replaced) = (before - 1, replaced + 1);
            }
            assert_eq!(before + own.len() as u64, memo, "op {}", first + at);
        }
    }
    assert!(segments.len() > 3 && replaced > 50, "{} segments, {replaced} replaced", segments.len());
}

#[test]
fn ops_of_a_file_of_joblib_lie_where_they_are_and_lead_to_its_arrays() {
    let files =
        ["examples/data/logistic-regression.joblib", "crates/picklevm-files/tests/data/libraries/joblib-1.5.3.joblib"];
    for path in files {
        let bytes = std::fs::read(root().join(path)).unwrap();
        let (_, data) = data(&bytes, &Options::default());
        assert_eq!(data["trace"]["error"], Json::Null, "{path}");
        let number = |value: &Json| usize::try_from(value.as_u64().unwrap()).unwrap();
        let mut pushed = Vec::new();
        for segment in data["trace"]["segments"].as_array().unwrap() {
            let skips: Vec<_> = segment["skips"].as_array().unwrap().iter().collect();
            assert!(!skips.is_empty(), "{path}: arrays lie between the ops");
            let mut offset = number(&segment["offset"]);
            for (at, code) in segment["codes"].as_array().unwrap().iter().enumerate() {
                offset += skips.iter().filter(|skip| skip[0] == at).map(|skip| number(&skip[1])).sum::<usize>();
                assert_eq!(usize::from(bytes[offset]), number(code), "{path}: op {at}");
                offset += number(&segment["lengths"][at]);
            }
            pushed.extend(segment["pushed"].as_array().unwrap().iter().filter_map(Json::as_u64));
        }
        // Each array that is shown was made by an op, but for arrays of objects: those are pickles of their own.
        let objects = &data["roots"].as_array().unwrap()[1..];
        let nodes = data["nodes"].as_array().unwrap();
        let is_shown =
            |node: &&Json| node.get(5).is_some_and(|preview| preview.as_i64().is_some_and(|preview| preview >= 0));
        assert!(nodes.iter().filter(is_shown).count() > 0, "{path}");
        for (number, node) in nodes.iter().enumerate().filter(|(_, node)| is_shown(node)) {
            let is_made = pushed.contains(&(number as u64)) || objects.contains(&number.into());
            assert!(is_made, "{path}: no op made {node}");
        }
        for bytes_of in data["bytes"].as_array().unwrap() {
            use base64::Engine;
            let part = base64::engine::general_purpose::STANDARD.decode(bytes_of[1].as_str().unwrap()).unwrap();
            let start = number(&bytes_of[0]);
            assert_eq!(part[..], bytes[start..start + part.len()], "{path}: bytes at {start}");
        }
    }
}
