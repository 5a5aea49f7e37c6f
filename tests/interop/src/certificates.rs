//! Certificates made for one test.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// What is wrong with a broker's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It was valid until 2021.
    Expired,
    /// It is for `other.example`.
    OtherName,
}

/// Who signs the broker's certificate, and those of clients that it lets in.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// There is no randomness.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        Self(
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate"),
        )
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The same as bytes.
    pub fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// A certificate and its key, in PEM form.
    ///
    /// # Panics
    /// There is no randomness.
    pub fn issue(&self, fault: Fault) -> (String, String) {
        let name = if fault == Fault::OtherName { "other.example" } else { "127.0.0.1" };
        let mut params = CertificateParams::new([name.into()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(if fault == Fault::Expired { 2021 } else { 2200 }, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes what a broker needs.
    pub(crate) fn write(&self, directory: &Path, fault: Fault) {
        let (certificate, key) = self.issue(fault);
        for (file, pem) in [("ca.pem", self.pem()), ("server.pem", certificate), ("server.key", key)] {
            std::fs::write(directory.join(file), pem).expect("a file");
        }
    }
}
