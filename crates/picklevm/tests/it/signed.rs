//! Signed pickles: samples by Django 6.1, itsdangerous 2.2 and `hmac`, with the key `secret`.

use std::time::Duration;

use picklevm::signed::{Digest, Error, Signer};
use picklevm::{Graph, Pickler, Protocol, literal, value};
use picklevm_testing::unhex;
use serde_json::Value as Json;

/// `django.core.signing.dumps({'user': 42, 'roles': ['admin']}, key='secret', salt='cart', serializer=P)` at 1,700,000,000.
const DJANGO: &str = "gAJ9cQAoWAQAAAB1c2VycQFLKlgFAAAAcm9sZXNxAl1xA1gFAAAAYWRtaW5xBGF1Lg:1r31eq:t1wAG3kmZoI5eY34NeUUGepslLaKiApXvJjLuAPkoCY";
/// The same of a text of 200 `x`, with `compress=True`.
const DJANGO_COMPRESSED: &str =
    ".eJxrYKotZIhgYWBgKEmtKClkjDgBZFYME1DIVKwHAJ1RY_g:1r31eq:Ebjcy6Z42gcTeV833zZOr1HF0CGNy9_rKXd0S_xghks";
/// The same of JSON, with Django's own salt.
const DJANGO_JSON: &str = "eyJ1c2VyIjo0Miwicm9sZXMiOlsiYWRtaW4iXX0:1r31eq:LGX486nawUZAwgt7JYT8YYPv2Pcu4uDPAydtnPCGYQo";
/// `itsdangerous.URLSafeSerializer('secret', serializer=pickle)`.
const ITSDANGEROUS: &str =
    "gAJ9cQAoWAQAAAB1c2VycQFLKlgFAAAAcm9sZXNxAl1xA1gFAAAAYWRtaW5xBGF1Lg.xZE34roiU05WiIuzgiKtUNj2eEk";
const ITSDANGEROUS_COMPRESSED: &str = ".eJxrYKotZIhgYWBgKEmtKClkjDgBZFYME1DIVKwHAJ1RY_g.N2SIgpxKZxlzlxpLO9O81p7rzxE";
const ITSDANGEROUS_TIMED: &str =
    "gAJ9cQAoWAQAAAB1c2VycQFLKlgFAAAAcm9sZXNxAl1xA1gFAAAAYWRtaW5xBGF1Lg.ZVPxAA.nHDcCzdxsWsIeKggEDjMXd7F5wc";
/// `hmac.digest(key, pickled, 'sha256') + pickled`.
const DIGEST: &str = "b2849d294ac7121c876b899dd9749cc0e95dba367b2936d5c38ee513abe44fb280027d71002858040000007573657271014b2a5805000000726f6c657371025d7103580500000061646d696e710461752e";

/// Every layout, with a sample of the same value.
fn samples() -> Vec<(Signer, Vec<u8>)> {
    vec![
        (Signer::digest("secret"), unhex(DIGEST)),
        (Signer::django("secret", "cart"), DJANGO.into()),
        (Signer::itsdangerous("secret", "itsdangerous"), ITSDANGEROUS.into()),
        (Signer::itsdangerous_timed("secret", "itsdangerous"), ITSDANGEROUS_TIMED.into()),
    ]
}

fn the_value() -> Graph {
    value!({"user": 42, "roles": ["admin"]})
}

#[test]
fn what_python_signed_is_verified_and_read() {
    for (signer, signed) in samples() {
        assert_eq!(signer.loads(&signed).unwrap().root().to_string(), the_value().root().to_string());
    }
}

#[test]
fn what_is_signed_is_what_python_signs() {
    let pickler = Pickler::new().protocol(Protocol::V2);
    for (signer, signed) in [
        (Signer::digest("secret"), unhex(DIGEST)),
        (Signer::itsdangerous("secret", "itsdangerous"), ITSDANGEROUS.into()),
    ] {
        let signer = signer.pickler(pickler.clone());
        assert_eq!(signer.dumps(the_value().root()).unwrap(), signed);
    }
}

#[test]
fn what_is_signed_is_verified() {
    for (signer, _) in samples() {
        let signed = signer.dumps(the_value().root()).unwrap();
        assert_eq!(signer.loads(&signed).unwrap().root().to_string(), the_value().root().to_string());
    }
}

#[test]
fn compressed_payloads_are_read_and_written() {
    let signer = Signer::itsdangerous("secret", "itsdangerous");
    for (signer, signed) in
        [(Signer::django("secret", "cart"), DJANGO_COMPRESSED), (signer.clone(), ITSDANGEROUS_COMPRESSED)]
    {
        let graph = signer.loads(signed).unwrap();
        assert_eq!(graph.root().at("text").as_str(), Some(&*"x".repeat(200)));
    }
    let signed = signer.dumps(value!({"text": "x".repeat(200)}).root()).unwrap();
    assert!(signed.starts_with(b".") && signed.len() < 100, "{}", signed.escape_ascii());
    let bounded = signer.max_len(100);
    assert!(matches!(bounded.loads(&signed), Err(Error::Payload(_))));
}

#[test]
fn json_that_django_signed_is_verified() {
    let verified = Signer::django("secret", "django.core.signing").verify(DJANGO_JSON).unwrap();
    assert_eq!(verified.payload, br#"{"user":42,"roles":["admin"]}"#);
    assert_eq!(verified.timestamp, Some(1_700_000_000));
    let graph = picklevm::literal::from_json(std::str::from_utf8(&verified.payload).unwrap()).unwrap();
    assert_eq!(graph.root().at("user").as_i64(), Some(42));
}

#[test]
fn one_changed_bit_anywhere_is_refused() {
    for (signer, signed) in samples() {
        for at in 0..signed.len() {
            for bit in 0..8 {
                let mut changed = signed.clone();
                changed[at] ^= 1 << bit;
                assert!(signer.verify(&changed).is_err(), "byte {at}, bit {bit}: {}", changed.escape_ascii());
            }
        }
        for len in 0..signed.len() {
            assert!(signer.verify(&signed[..len]).is_err(), "{len} bytes");
        }
    }
}

/// What Django 1.11 to 6.1, itsdangerous 0.24 to 2.2 and `hmac` signed (`tests/python/check_signed.py --write`).
fn samples_of_python() -> Vec<(String, Signer, Vec<u8>, Json)> {
    let text = std::fs::read_to_string(picklevm_testing::root().join("tests/data/signed/samples.jsonl")).unwrap();
    let samples = text.lines().map(|line| {
        let sample: Json = serde_json::from_str(line).unwrap();
        let part = |name: &str| sample[name].as_str().unwrap();
        let (key, salt, signed) = (part("key"), part("salt"), part("signed"));
        let signer = match part("layout") {
            "digest" => Signer::digest(key),
            "django" => Signer::django(key, salt),
            "itsdangerous" => Signer::itsdangerous(key, salt),
            "itsdangerous-timed" => Signer::itsdangerous_timed(key, salt),
            other => panic!("{other}"),
        };
        let signer = match part("digest") {
            "sha1" => signer.with_digest(Digest::Sha1),
            "sha256" => signer.with_digest(Digest::Sha256),
            "sha512" => signer.with_digest(Digest::Sha512),
            other => panic!("{other}"),
        };
        let signed = if part("layout") == "digest" { unhex(signed) } else { signed.into() };
        (part("made_by").to_owned(), signer, signed, sample.clone())
    });
    samples.collect()
}

#[test]
fn what_every_version_signed_is_opened() {
    let samples = samples_of_python();
    assert!(samples.len() > 100, "{} samples", samples.len());
    for (made_by, signer, signed, sample) in samples {
        let verified = signer.verify(&signed).unwrap_or_else(|error| panic!("{made_by}: {error}"));
        let read = match sample["payload"].as_str().unwrap() {
            "json" => literal::from_json(std::str::from_utf8(&verified.payload).unwrap()).unwrap(),
            _ => signer.loads(&signed).unwrap(),
        };
        let expected = literal::parse(sample["value"].as_str().unwrap()).unwrap();
        assert_eq!(read, expected, "{made_by}");
    }
}

#[test]
fn one_changed_bit_of_what_any_version_signed_is_refused() {
    for (made_by, signer, signed, _) in samples_of_python() {
        let mut changed = signed.clone();
        for at in 0..signed.len() {
            for bit in 0..8 {
                changed[at] ^= 1 << bit;
                assert!(signer.verify(&changed).is_err(), "{made_by}: byte {at}, bit {bit}");
                changed[at] = signed[at];
            }
            assert!(signer.verify(&signed[..at]).is_err(), "{made_by}: {at} bytes");
        }
    }
}

#[test]
fn another_key_salt_or_hash_function_is_refused() {
    let refused = |signer: Signer, signed: &str| assert!(matches!(signer.verify(signed), Err(Error::Signature)));
    refused(Signer::django("other", "cart"), DJANGO);
    refused(Signer::django("secret", "other"), DJANGO);
    refused(Signer::django("secret", "cart").with_digest(Digest::Sha1), DJANGO);
    refused(Signer::itsdangerous("other", "itsdangerous"), ITSDANGEROUS);
}

#[test]
fn a_key_that_was_replaced_still_verifies() {
    let signed = Signer::digest("old").dumps(value!(1).root()).unwrap();
    let signer = Signer::digest("new").fallback_key("old");
    assert_eq!(signer.loads(&signed).unwrap().root().as_i64(), Some(1));
    let signed = signer.dumps(value!(2).root()).unwrap();
    assert!(Signer::digest("old").verify(&signed).is_err());
}

#[test]
fn what_was_signed_too_long_ago_is_refused() {
    let signer = Signer::django("secret", "cart").max_age(Duration::from_secs(60));
    assert!(matches!(signer.verify(DJANGO), Err(Error::Expired { .. })));
    let signed = signer.dumps(value!(1).root()).unwrap();
    assert_eq!(signer.loads(&signed).unwrap().root().as_i64(), Some(1));
}

#[test]
fn a_key_is_never_shown() {
    assert!(!format!("{:?}", Signer::digest("secret")).contains("secret"));
}
