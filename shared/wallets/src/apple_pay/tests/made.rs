//! Tokens made here, as Apple makes them, under an authority of our own: whole, or wrong in one way.

use aes_gcm::aead::consts::U16;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use der::asn1::{AnyRef, OctetString, OctetStringRef, UtcTime};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode, Tag};
use p256::SecretKey;
use p256::pkcs8::EncodePublicKey;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    KeyUsagePurpose, SigningKey,
};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::super::cms::{
    ATTRIBUTES, Attribute, CONTENT_TYPE, Certificates, ContentInfo, DATA, ECDSA_WITH_SHA_256,
    Encapsulated, MESSAGE_DIGEST, SHA_256, SIGNED_DATA, SIGNING_TIME, SignedData, SignerId,
    SignerInfo,
};
use super::*;

/// The two certificates and their root.
pub(super) struct Authority {
    pub(super) root: CertificateDer<'static>,
    pub(super) intermediate: CertificateDer<'static>,
    pub(super) leaf: CertificateDer<'static>,
    pub(super) key: KeyPair,
}

/// What the certificates are made from.
pub(super) struct Plan {
    pub(super) intermediate: CertificateParams,
    pub(super) leaf: CertificateParams,
    /// The root signs the leaf itself.
    pub(super) skips: bool,
}

pub(super) fn mark(arcs: &[u64]) -> CustomExtension {
    CustomExtension::from_oid_content(arcs, vec![5, 0])
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    pub(super) fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan =
            Plan { intermediate: named("intermediate"), leaf: named("leaf"), skips: false };
        plan.intermediate.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        plan.intermediate.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        plan.intermediate.custom_extensions = vec![mark(&[1, 2, 840, 113_635, 100, 6, 2, 14])];
        plan.leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        plan.leaf.custom_extensions = vec![mark(&[1, 2, 840, 113_635, 100, 6, 29])];
        change(&mut plan);
        let new_key = || KeyPair::generate().unwrap();
        let mut root = named("root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, new_key()).unwrap();
        let intermediate = CertifiedIssuer::signed_by(plan.intermediate, new_key(), &root).unwrap();
        let key = new_key();
        let issuer = if plan.skips { &root } else { &intermediate };
        let leaf = plan.leaf.signed_by(&key, issuer).unwrap();
        Self {
            root: root.der().clone(),
            intermediate: intermediate.der().clone(),
            leaf: leaf.der().clone(),
            key,
        }
    }
}

/// What a signature is made from; each part can be made wrong.
pub(super) struct Signing {
    pub(super) version: u8,
    pub(super) digest_algorithms: Vec<ObjectIdentifier>,
    pub(super) content_type: ObjectIdentifier,
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Who is named as the signer.
    pub(super) named: CertificateDer<'static>,
    pub(super) signer_version: u8,
    pub(super) signature_algorithm: ObjectIdentifier,
    /// In the order they are written in, as DER.
    pub(super) attributes: Vec<Vec<u8>>,
    /// Whose key signs.
    pub(super) key: KeyPair,
    /// How often the signer is in the set of signers.
    pub(super) signers: usize,
}

pub(super) fn attribute(kind: ObjectIdentifier, value: &impl Encode) -> Vec<u8> {
    let value = value.to_der().unwrap();
    Attribute { kind, values: AnyRef::new(Tag::Set, &value).unwrap() }.to_der().unwrap()
}

fn algorithm(oid: ObjectIdentifier) -> Vec<u8> {
    AlgorithmIdentifierRef { oid, parameters: None }.to_der().unwrap()
}

impl Signing {
    fn new(authority: Authority, content: &[u8], at: Timestamp) -> Self {
        let digest = Sha256::digest(content);
        let millis = u64::try_from(at.as_millis()).unwrap();
        let time = UtcTime::from_unix_duration(Duration::from_millis(millis)).unwrap();
        Self {
            version: 1,
            digest_algorithms: vec![SHA_256],
            content_type: DATA,
            certificates: vec![authority.leaf.clone(), authority.intermediate],
            named: authority.leaf,
            signer_version: 1,
            signature_algorithm: ECDSA_WITH_SHA_256,
            attributes: vec![
                attribute(CONTENT_TYPE, &DATA),
                attribute(SIGNING_TIME, &time),
                attribute(MESSAGE_DIGEST, &OctetStringRef::new(&digest).unwrap()),
            ],
            key: authority.key,
            signers: 1,
        }
    }

    fn signer(&self) -> Vec<u8> {
        let named = x509_cert::Certificate::from_der(&self.named).unwrap();
        let issuer = named.tbs_certificate().issuer().to_der().unwrap();
        let serial = named.tbs_certificate().serial_number().to_der().unwrap();
        let attributes = self.attributes.concat();
        let signed = AnyRef::new(Tag::Set, &attributes).unwrap().to_der().unwrap();
        let algorithms = (algorithm(SHA_256), algorithm(self.signature_algorithm));
        let info = SignerInfo {
            version: self.signer_version,
            signer: SignerId {
                issuer: AnyRef::from_der(&issuer).unwrap(),
                serial: AnyRef::from_der(&serial).unwrap(),
            },
            digest_algorithm: AlgorithmIdentifierRef::from_der(&algorithms.0).unwrap(),
            attributes: AnyRef::new(ATTRIBUTES, &attributes).unwrap(),
            signature_algorithm: AlgorithmIdentifierRef::from_der(&algorithms.1).unwrap(),
            signature: OctetString::new(self.key.sign(&signed).unwrap()).unwrap(),
        };
        info.to_der().unwrap()
    }

    fn to_der(&self) -> Vec<u8> {
        let digests: Vec<u8> =
            self.digest_algorithms.iter().flat_map(|oid| algorithm(*oid)).collect();
        let signers = self.signer().repeat(self.signers);
        let (one, others) = self.certificates.split_first().unwrap();
        // All but the first end up in the second's place; only two fit.
        let others: Vec<u8> = others.iter().flat_map(|other| other.to_vec()).collect();
        let content = SignedData {
            version: self.version,
            digest_algorithms: AnyRef::new(Tag::Set, &digests).unwrap(),
            encapsulated: Encapsulated { content_type: self.content_type },
            certificates: Certificates {
                one: AnyRef::from_der(one).unwrap(),
                other: AnyRef::from_der(&others).unwrap_or(AnyRef::NULL),
            },
            signers: AnyRef::new(Tag::Set, &signers).unwrap(),
        };
        ContentInfo { content_type: SIGNED_DATA, content }.to_der().unwrap()
    }
}

/// What a token is made from.
pub(super) struct Making {
    pub(super) plain: Value,
    pub(super) application_data: Option<[u8; 32]>,
    pub(super) signed_at: Timestamp,
}

impl Making {
    pub(super) fn new() -> Self {
        let plain = text(&vector()["expect"]["plaintext"]).parse().unwrap();
        Self { plain, application_data: None, signed_at: signing_time() }
    }

    /// `paymentData`, signed as `change` has it.
    pub(super) fn payment_data(
        &self,
        authority: Authority,
        change: impl FnOnce(&mut Signing),
    ) -> Value {
        let key = key();
        let ephemeral = SecretKey::from_slice(&[7; 32]).unwrap();
        let shared = key.private.agree(&ephemeral.public_key());
        let cipher = AesGcm::<Aes256, U16>::new((&*cipher::key(&shared, &key.merchant)).into());
        let plain = self.plain.to_string();
        let data = cipher.encrypt(&Nonce::<U16>::default(), plain.as_bytes()).unwrap();
        let ephemeral = ephemeral.public_key().to_public_key_der().unwrap().into_vec();
        let id = [9; 32];
        let application_data = self.application_data.as_ref().map_or(&[][..], |hash| &hash[..]);
        let content = [&ephemeral, &data, &id[..], application_data].concat();
        let mut signing = Signing::new(authority, &content, self.signed_at);
        change(&mut signing);
        json!({
            "version": "EC_v1",
            "data": STANDARD.encode(data),
            "signature": STANDARD.encode(signing.to_der()),
            "header": {
                "ephemeralPublicKey": STANDARD.encode(ephemeral),
                "publicKeyHash": STANDARD.encode(key.public_key_hash),
                "transactionId": hex::encode(id),
                "applicationData": self.application_data.map(hex::encode),
            }
        })
    }
}
