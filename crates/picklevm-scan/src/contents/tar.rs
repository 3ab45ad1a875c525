//! Tar archives.

use std::io::Read;

use crate::hidden;
use crate::report::Report;
use crate::scanner::Context;
use crate::verdict::{Finding, Rule, Verdict};

/// Whether bytes begin with a tar header: its checksum is right.
pub(super) fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..512) else { return false };
    let digits = header[148..156].split(|byte| matches!(byte, 0 | b' ')).find(|part| !part.is_empty());
    let Some(claimed) = digits.and_then(|digits| u32::from_str_radix(str::from_utf8(digits).ok()?, 8).ok()) else {
        return false;
    };
    // The field of the checksum counts as blanks.
    let blanked = header.iter().enumerate().map(|(i, &byte)| if (148..156).contains(&i) { b' ' } else { byte });
    blanked.map(u32::from).sum::<u32>() == claimed && header[0] != 0
}

/// Scans every member, and the archive as a whole for what lies between them.
pub(super) fn scan(bytes: &[u8], report: &mut Report, context: &Context<'_>) {
    let mut archive = tar::Archive::new(bytes);
    archive.set_ignore_zeros(true);
    if let Err(error) = scan_members(&mut archive, report, context) {
        let message = format!("the tar archive breaks: {error}");
        report.findings.push(Finding::suspicious(Rule::Container, 0, message));
    }
    if report.members.iter().all(|member| member.verdict == Verdict::Safe) {
        report.members.extend(hidden::hunt("archive", bytes, context));
    }
}

fn scan_members(archive: &mut tar::Archive<&[u8]>, report: &mut Report, context: &Context<'_>) -> std::io::Result<()> {
    for entry in archive.entries()? {
        let entry = entry?;
        if report.members.len() >= context.limits.members {
            report.findings.push(context.too_many());
            break;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            let message = format!("the member {name} is a link");
            report.findings.push(Finding::suspicious(Rule::Container, entry.raw_header_position(), message));
        }
        if !kind.is_file() {
            continue;
        }
        let left = context.left();
        let mut data = Vec::new();
        let read = entry.take(left as u64 + 1).read_to_end(&mut data);
        if !context.spend(data.len()) {
            report.findings.push(context.too_large());
            break;
        }
        // PyTorch's oldest checkpoints have no endings.
        let is_pickle =
            super::is_pickle_name(&name) || matches!(&*name, "pickle" | "storages" | "tensors" | "sys_info");
        report.members.push(super::scan(&name, &data, context, is_pickle && name != "storages" && name != "tensors"));
        read?;
    }
    Ok(())
}
