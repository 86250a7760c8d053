//! The two certificates within a signature, up to Apple's root.

use std::time::Duration;

use der::Decode;
use der::oid::ObjectIdentifier;
use domain::values::time::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::ring::{ECDSA_P256_SHA256, ECDSA_P384_SHA256};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};
use x509_cert::Certificate;
use x509_cert::ext::pkix::KeyUsage;

use crate::Refused;

/// Apple marks the certificates it signs tokens with by an extension. Only its presence counts.
const LEAF: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.29");
/// The mark of the authority between them and the root.
const INTERMEDIATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.2.14");
/// The root's P-384 key signs with SHA-256 as well.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 2] = [ECDSA_P256_SHA256, ECDSA_P384_SHA256];

/// The two certificates of a signature: who signed, and who vouches for that.
pub(super) struct Chain {
    pub(super) leaf: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
}

/// The marks say which is which, since a set has no order.
pub(super) fn sorted(certificates: [CertificateDer<'static>; 2]) -> Result<Chain, Refused> {
    let [one, other] = certificates;
    let (leaf, intermediate) =
        if is_marked(&parsed(&one)?, LEAF) { (one, other) } else { (other, one) };
    let (signer, authority) = (parsed(&leaf)?, parsed(&intermediate)?);
    let sound = is_marked(&signer, LEAF)
        && is_marked(&authority, INTERMEDIATE)
        // Otherwise the root could have signed the leaf itself, and the intermediate would be decoration.
        && signer.tbs_certificate().issuer() == authority.tbs_certificate().subject()
        && may(&signer, KeyUsage::digital_signature)
        && may(&authority, KeyUsage::key_cert_sign);
    if sound { Ok(Chain { leaf, intermediate }) } else { Err(Refused::Forged) }
}

fn parsed(certificate: &CertificateDer<'_>) -> Result<Certificate, Refused> {
    Certificate::from_der(certificate).map_err(|_not_quoted| Refused::Malformed)
}

fn is_marked(certificate: &Certificate, mark: ObjectIdentifier) -> bool {
    let extensions = certificate.tbs_certificate().extensions();
    extensions.is_some_and(|all| all.iter().any(|extension| extension.extn_id == mark))
}

/// What the verifier of the chain leaves out: whether a key may be used for what it was used for.
fn may(certificate: &Certificate, usage: fn(&KeyUsage) -> bool) -> bool {
    match certificate.tbs_certificate().get_extension::<KeyUsage>() {
        Ok(Some((_critical, allowed))) => usage(&allowed),
        Ok(None) | Err(_) => false,
    }
}

/// Apple's certificates for tokens have no extended key usage: the marks are in its place.
struct Unused;

impl ExtendedKeyUsageValidator for Unused {
    fn validate(&self, _usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

impl Chain {
    /// The signer's certificate, once the root vouches for it at the time of signing.
    pub(super) fn verified(
        &self,
        root: &CertificateDer<'_>,
        at: Timestamp,
    ) -> Result<EndEntityCert<'_>, Refused> {
        let forged = |_: webpki::Error| Refused::Forged;
        let anchors = [anchor_from_trusted_cert(root).map_err(forged)?];
        let intermediates = [self.intermediate.clone()];
        let seconds = u64::try_from(at.as_secs()).map_err(|_before_1970| Refused::Forged)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let leaf = EndEntityCert::try_from(&self.leaf).map_err(forged)?;
        leaf.verify_for_usage(&ALGORITHMS, &anchors, &intermediates, time, Unused, None, None)
            .map_err(forged)?;
        Ok(leaf)
    }
}
