//! The home folder, who may read it, and the certificate.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::Role;
use security::certificate_check::{self, CertificateProblem};
use security::tls;
use telemetry::error_chain::ErrorChain;

use super::{Patient, Report};

/// A certificate that expires sooner should be on its way.
const AHEAD: Duration = Duration::from_secs(14 * 86_400);

/// Deepest folder below `security` that is looked into, and most files.
const DEPTH_MAX: usize = 3;
const FILES_MAX: usize = 1_000;

pub(super) fn examine(patient: &Patient<'_>, report: &mut Report) {
    home(patient, report);
    certificate(patient, report);
    key_encryption_key(patient, report);
}

fn home(patient: &Patient<'_>, report: &mut Report) {
    let shown = patient.home.display().to_string();
    let Ok(metadata) = patient.home.metadata() else {
        let advice = "no node has run here yet, or --home is another one: the first start makes it";
        return report.doubtful("home", format!("{shown} is not there or cannot be read"), advice);
    };
    if let Some(own) = own_user().filter(|own| *own != metadata.uid()) {
        let detail = format!("{shown} belongs to user {}, and this program runs as {own}", metadata.uid());
        report.doubtful("home", detail, "run this command as the user that the node runs as, e.g. with runuser -u");
    }
    let open = too_open(&patient.security());
    match open.first() {
        None => report.fine("home", format!("{shown}, its secrets are for its owner alone")),
        Some(first) => report.broken(
            "home",
            format!("others may read {}{}", first.display(), and_more(open.len())),
            format!("chmod -R go= '{}', and replace what others may have read", patient.security().display()),
        ),
    }
}

/// The user that this process runs as.
fn own_user() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
}

/// Files with secrets that others than the owner may read. Certificates are public; what lies in a folder that others
/// cannot enter is safe as well.
fn too_open(folder: &Path) -> Vec<PathBuf> {
    let is_open = |metadata: &Metadata| metadata.mode() & 0o077 != 0;
    if folder.metadata().is_ok_and(|metadata| !is_open(&metadata)) {
        return Vec::new();
    }
    let mut open = Vec::new();
    let mut waiting = vec![(folder.to_owned(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        // What cannot be read is told by the checks that need it.
        let Ok(entries) = std::fs::read_dir(&path) else { continue };
        for entry in entries.flatten().take(FILES_MAX) {
            let Ok(metadata) = entry.metadata() else { continue };
            let path = entry.path();
            let is_public = path.extension().is_some_and(|extension| extension == "crt");
            if metadata.is_dir() && depth < DEPTH_MAX {
                waiting.push((path, depth + 1));
            } else if metadata.is_file() && is_open(&metadata) && !is_public {
                open.push(path);
            }
        }
    }
    open
}

fn certificate(patient: &Patient<'_>, report: &mut Report) {
    let config = &patient.loaded.config;
    let own = (patient.security().join("tls.crt"), patient.security().join("tls.key"));
    let (certificate, key) = match config.tls.files() {
        Ok(Some((certificate, key))) => (certificate.to_owned(), key.to_owned()),
        // Half a pair is an error of the configuration.
        Ok(None) | Err(_) => own,
    };
    let hostname = &config.server.hostname;
    let is_own = config.tls.certificate.is_none();
    if is_own && !certificate.exists() && !key.exists() {
        return report.fine("certificate", "a self-signed one will be made at the first start");
    }
    let shown = certificate.display();
    let identity = match tls::load(&certificate, &key) {
        Ok(identity) => identity,
        Err(error) => {
            let advice = "correct [tls] certificate and key, and let the node's user read both files";
            return report.broken("certificate", ErrorChain(&error).to_string(), advice);
        }
    };
    let renew = if is_own {
        format!("remove {shown} and the key beside it, and start the node anew: it makes another one")
    } else {
        "renew it, and start the node anew".to_owned()
    };
    match certificate_check::check(identity, hostname, patient.clock.now(), AHEAD) {
        Ok(()) => report.fine("certificate", format!("{shown} is good for {hostname}")),
        Err(problem @ CertificateProblem::ExpiresSoon(_)) => {
            report.doubtful("certificate", format!("{shown}: {problem}"), renew);
        }
        Err(problem @ CertificateProblem::OtherName(_)) => {
            let advice = "set [server] hostname to a name in the certificate, or get one for the name";
            report.broken("certificate", format!("{shown}: {problem}"), advice);
        }
        Err(problem @ CertificateProblem::NotYetValid) => {
            report.broken("certificate", format!("{shown}: {problem}"), "set this machine's clock");
        }
        Err(problem) => report.broken("certificate", format!("{shown}: {problem}"), renew),
    }
}

fn key_encryption_key(patient: &Patient<'_>, report: &mut Report) {
    let Some(file) = &patient.loaded.config.oauth.key_encryption_key_file else { return };
    if !patient.plays(Role::KeyManager) {
        return;
    }
    let subject = "key-encryption key";
    match security::key_encryption::KeyEncryptionKey::load(file) {
        Ok(_) => report.fine(subject, format!("{} can be read", file.display())),
        Err(error) => report.broken(
            subject,
            ErrorChain(&error).to_string(),
            "correct [oauth] key_encryption_key_file: 32 bytes as hexadecimal or base64, the same on all key managers",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_that_others_may_read_are_found() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("security");
        fs::create_dir_all(folder.join("cluster")).unwrap();
        for (name, mode) in [("tls.crt", 0o644), ("kek", 0o600), ("cluster/root-1.key", 0o640)] {
            fs::write(folder.join(name), "").unwrap();
            fs::set_permissions(folder.join(name), Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(too_open(&folder), [folder.join("cluster/root-1.key")]);
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        assert!(too_open(&folder).is_empty());
    }
}
