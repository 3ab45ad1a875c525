//! Scans a pickle before loading it, and loads it with the same policy.
//!
//! `cargo run --example scan_before_load [FILE...]`

use picklevm::{Graph, Standard, Unpickler};
use picklevm_scan::{Guard, Policy, Scanner, Verdict};

/// Scans a received pickle, and loads it or returns the reasons for rejecting it.
fn receive(policy: &Policy, pickle: &[u8]) -> Result<Graph, String> {
    let report = Scanner::new().policy(policy.clone()).scan(pickle);
    if report.verdict != Verdict::Safe {
        let findings = report.all_findings();
        let reasons: Vec<_> = findings.iter().map(|(_, finding)| finding.to_string()).collect();
        return Err(reasons.join("; "));
    }
    // The guard ensures that the load resolves only names that the policy allows.
    let unpickler = Unpickler::new().resolver(Guard::new(policy.clone(), Standard));
    unpickler.loads(pickle).map_err(|error| error.to_string())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut policy = Policy::builtin().clone();
    policy.extend_toml("allow = [{ module = 'shop', names = ['Order'], may = ['construct', 'state'] }]")?;

    for file in std::env::args().skip(1) {
        match receive(&policy, &std::fs::read(&file)?) {
            Ok(graph) => println!("{file}: {:?}", graph.root()),
            Err(why) => println!("{file}: refused: {why}"),
        }
    }

    let order = b"\x80\x02cshop\nOrder\n)\x81}X\x03\0\0\0skuX\x03\0\0\0A-1sb.";
    let graph = receive(&policy, order)?;
    assert_eq!(graph.root().attr("sku").and_then(|sku| sku.as_str()), Some("A-1"));

    let attack = b"cos\nsystem\n(S'echo hello world'\ntR.";
    let why = receive(&policy, attack).err().ok_or("an attack was accepted")?;
    assert_eq!(why, "dangerous at 33: calls os.system, which runs programs");

    let unlisted = b"\x80\x02cshop\nRefund\n)\x81.";
    let why = receive(&policy, unlisted).err().ok_or("an unlisted class was accepted")?;
    println!("unlisted class: {why}");
    assert!(why.starts_with("suspicious at 16: constructs shop.Refund, which is not covered by the policy"));
    Ok(())
}
