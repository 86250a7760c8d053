//! The detached signature of a token: CMS (RFC 5652) with one signer and two certificates.
//!
//! Apple writes it in BER, with indefinite lengths. What is between the signed parts is held to one shape, so that no bit of
//! it can be changed.

use der::asn1::{AnyRef, OctetString, OctetStringRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode, EncodingRules, Reader, Sequence, SliceReader, Tag, TagNumber, Tagged};
use domain::values::time::Timestamp;
use rustls_pki_types::CertificateDer;
use webpki::ring::ECDSA_P256_SHA256;
use x509_cert::spki::AlgorithmIdentifierRef;
use x509_cert::time::Time;

use super::chain::{Chain, sorted};
use crate::Refused;

pub(super) const SIGNED_DATA: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
pub(super) const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
pub(super) const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
pub(super) const ECDSA_WITH_SHA_256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
pub(super) const CONTENT_TYPE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
pub(super) const MESSAGE_DIGEST: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
pub(super) const SIGNING_TIME: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
/// How the signed attributes are tagged where they stand; they are signed as a `SET`.
pub(super) const ATTRIBUTES: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };

#[derive(Sequence)]
pub(super) struct ContentInfo<'a> {
    pub(super) content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) content: SignedData<'a>,
}

#[derive(Sequence)]
pub(super) struct SignedData<'a> {
    pub(super) version: u8,
    /// A set of one [`AlgorithmIdentifierRef`].
    pub(super) digest_algorithms: AnyRef<'a>,
    pub(super) encapsulated: Encapsulated,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    pub(super) certificates: Certificates<'a>,
    /// A set of one [`SignerInfo`].
    pub(super) signers: AnyRef<'a>,
}

/// The content's type. The content itself is elsewhere, as the signature is detached.
#[derive(Sequence)]
pub(super) struct Encapsulated {
    pub(super) content_type: ObjectIdentifier,
}

/// A set of two, whose own tag gives way to the one it stands under.
#[derive(Sequence)]
pub(super) struct Certificates<'a> {
    pub(super) one: AnyRef<'a>,
    pub(super) other: AnyRef<'a>,
}

#[derive(Sequence)]
pub(super) struct SignerInfo<'a> {
    pub(super) version: u8,
    pub(super) signer: SignerId<'a>,
    pub(super) digest_algorithm: AlgorithmIdentifierRef<'a>,
    /// [`ATTRIBUTES`].
    pub(super) attributes: AnyRef<'a>,
    pub(super) signature_algorithm: AlgorithmIdentifierRef<'a>,
    /// Owned, as a borrowed one would take what BER says to be in parts for the whole.
    pub(super) signature: OctetString,
}

#[derive(Sequence)]
pub(super) struct SignerId<'a> {
    pub(super) issuer: AnyRef<'a>,
    pub(super) serial: AnyRef<'a>,
}

#[derive(Sequence)]
pub(super) struct Attribute<'a> {
    pub(super) kind: ObjectIdentifier,
    /// A set of one.
    pub(super) values: AnyRef<'a>,
}

/// What is in the signed attributes that matters.
struct Attributes {
    digest: [u8; 32],
    signed_at: Timestamp,
}

/// Verifies that Apple signed the content with this SHA-256, and tells when.
pub(super) fn verify(
    signature: &[u8],
    digest: &[u8; 32],
    root: &CertificateDer<'_>,
) -> Result<Timestamp, Refused> {
    let info = ContentInfo::from_ber(signature).map_err(malformed)?;
    let signed = &info.content;
    let digested_by: AlgorithmIdentifierRef<'_> =
        only(signed.digest_algorithms, EncodingRules::Ber)?;
    let signer: SignerInfo<'_> = only(signed.signers, EncodingRules::Ber)?;
    let known = info.content_type == SIGNED_DATA
        && signed.encapsulated.content_type == DATA
        && (signed.version, signer.version) == (1, 1)
        && is(&digested_by, SHA_256)
        && is(&signer.digest_algorithm, SHA_256)
        && is(&signer.signature_algorithm, ECDSA_WITH_SHA_256);
    if !known {
        return Err(Refused::Malformed);
    }
    let attributes = attributes(&signer)?;
    if attributes.digest != *digest {
        return Err(Refused::Forged);
    }
    let chain = sorted([whole(&signed.certificates.one)?, whole(&signed.certificates.other)?])?;
    verify_signer(&signer, &chain, root, attributes.signed_at)?;
    Ok(attributes.signed_at)
}

fn malformed(_not_quoted: der::Error) -> Refused {
    Refused::Malformed
}

/// Whether it is that algorithm, without parameters or with the empty ones that some write.
fn is(algorithm: &AlgorithmIdentifierRef<'_>, expected: ObjectIdentifier) -> bool {
    algorithm.oid == expected && algorithm.parameters.is_none_or(AnyRef::is_null)
}

/// The one element of a set.
fn only<'a, T>(set: AnyRef<'a>, rules: EncodingRules) -> Result<T, Refused>
where
    T: Decode<'a, Error = der::Error>,
{
    if set.tag() != Tag::Set {
        return Err(Refused::Malformed);
    }
    let mut reader = SliceReader::new_with_encoding_rules(set.value(), rules).map_err(malformed)?;
    let element = T::decode(&mut reader).map_err(malformed)?;
    reader.finish().map_err(malformed)?;
    Ok(element)
}

/// A certificate with its header. It is in DER, so this is what its signature covers.
fn whole(certificate: &AnyRef<'_>) -> Result<CertificateDer<'static>, Refused> {
    Ok(CertificateDer::from(certificate.to_der().map_err(malformed)?))
}

/// Reads the attributes that RFC 5652 asks for, once each, and the signing time. Those it does not know are signed as well.
fn attributes(signer: &SignerInfo<'_>) -> Result<Attributes, Refused> {
    if signer.attributes.tag() != ATTRIBUTES {
        return Err(Refused::Malformed);
    }
    let (mut content, mut digest, mut time) = (None, None, None);
    let mut reader = SliceReader::new(signer.attributes.value()).map_err(malformed)?;
    while !reader.is_finished() {
        let attribute = Attribute::decode(&mut reader).map_err(malformed)?;
        let values = attribute.values;
        let again = match attribute.kind {
            CONTENT_TYPE => content.replace(only(values, EncodingRules::Der)?).is_some(),
            MESSAGE_DIGEST => {
                digest.replace(only::<&OctetStringRef>(values, EncodingRules::Der)?).is_some()
            }
            SIGNING_TIME => time.replace(only::<Time>(values, EncodingRules::Der)?).is_some(),
            _ => false,
        };
        if again {
            return Err(Refused::Malformed);
        }
    }
    let (Some(DATA), Some(digest), Some(time)) = (content, digest, time) else {
        return Err(Refused::Malformed);
    };
    let digest = digest.as_bytes().try_into().map_err(|_other_length| Refused::Malformed)?;
    Ok(Attributes { digest, signed_at: Timestamp::EPOCH.after(time.to_unix_duration()) })
}

/// The signer is the leaf, the root vouches for it, and it signed the attributes.
fn verify_signer(
    signer: &SignerInfo<'_>,
    chain: &Chain,
    root: &CertificateDer<'_>,
    at: Timestamp,
) -> Result<(), Refused> {
    let leaf = chain.verified(root, at)?;
    let SignerId { issuer, serial } = &signer.signer;
    let named = issuer.tag() == Tag::Sequence
        && issuer.value() == leaf.issuer()
        && serial.tag() == Tag::Integer
        && serial.value() == leaf.serial();
    let attributes = AnyRef::new(Tag::Set, signer.attributes.value());
    let attributes = attributes.and_then(|set| set.to_der()).map_err(malformed)?;
    let signature = signer.signature.as_bytes();
    let signed = leaf.verify_signature(ECDSA_P256_SHA256, &attributes, signature);
    if named && signed.is_ok() { Ok(()) } else { Err(Refused::Forged) }
}
