//! What is refused, above all.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;

use super::*;
use crate::signing_key::{SigningAlgorithm, jwk_set};

const ISSUER: &str = "https://localhost:9443/oauth2/token";
const EXPECTED: Expected<'_> = Expected { typ: ACCESS_TOKEN_TYPE, issuer: ISSUER };
const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn claims() -> AccessTokenClaims {
    AccessTokenClaims {
        sub: "admin@carbon.super".to_owned(),
        aut: AuthorizedUserType::ApplicationUser,
        aud: "client".to_owned(),
        azp: "client".to_owned(),
        client_id: "client".to_owned(),
        nbf: NOW.as_secs(),
        iat: NOW.as_secs(),
        exp: NOW.as_secs() + 60,
        iss: ISSUER.to_owned(),
        jti: "id".to_owned(),
        scope: "a b".to_owned(),
    }
}

fn key(algorithm: SigningAlgorithm) -> (SigningKey, VerificationKeys) {
    let key = SigningKey::generate(algorithm).unwrap();
    let keys = VerificationKeys::from_jwk_set(&jwk_set([key.public_jwk.clone()])).unwrap();
    (key, keys)
}

fn refusal(token: &str, keys: &VerificationKeys, now: Timestamp) -> JwtError {
    verify::<AccessTokenClaims>(token, keys, EXPECTED, now).unwrap_err()
}

#[test]
fn a_token_of_every_algorithm_verifies_with_its_claims() {
    for algorithm in SigningAlgorithm::ALL {
        let (key, keys) = key(algorithm);
        let token = sign(&key, ACCESS_TOKEN_TYPE, &claims()).unwrap();
        let verified: AccessTokenClaims = verify(token.expose(), &keys, EXPECTED, NOW).unwrap();
        assert_eq!(verified, claims());
        assert_eq!(verified.scopes().collect::<Vec<_>>(), ["a", "b"]);
    }
}

#[test]
fn time_is_what_the_caller_says_within_the_leeway() {
    let (key, keys) = key(SigningAlgorithm::EdDsa);
    let token = sign(&key, ACCESS_TOKEN_TYPE, &claims()).unwrap();
    let at = |secs: i64| Timestamp::from_secs(NOW.as_secs() + secs);
    assert!(verify::<AccessTokenClaims>(token.expose(), &keys, EXPECTED, at(64)).is_ok());
    assert_eq!(refusal(token.expose(), &keys, at(65)), JwtError::Expired);
    assert!(verify::<AccessTokenClaims>(token.expose(), &keys, EXPECTED, at(-5)).is_ok());
    assert_eq!(refusal(token.expose(), &keys, at(-306)), JwtError::NotYetValid);
}

#[test]
fn another_type_or_issuer_or_key_is_refused() {
    let (key, keys) = key(SigningAlgorithm::EdDsa);
    for typ in ["JWT", "AT+JWT", "application/at+jwt", ""] {
        let token = sign(&key, typ, &claims()).unwrap();
        assert_eq!(refusal(token.expose(), &keys, NOW), JwtError::WrongType, "{typ}");
    }
    let mut foreign = claims();
    foreign.iss.push('/');
    let token = sign(&key, ACCESS_TOKEN_TYPE, &foreign).unwrap();
    assert_eq!(refusal(token.expose(), &keys, NOW), JwtError::WrongIssuer);
    let stranger = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    let token = sign(&stranger, ACCESS_TOKEN_TYPE, &claims()).unwrap();
    assert_eq!(refusal(token.expose(), &keys, NOW), JwtError::UnknownKey);
    let mut pretender = stranger;
    pretender.kid = key.kid.clone();
    let token = sign(&pretender, ACCESS_TOKEN_TYPE, &claims()).unwrap();
    assert_eq!(refusal(token.expose(), &keys, NOW), JwtError::BadSignature);
}

#[test]
fn an_unsigned_token_is_refused() {
    let (key, keys) = key(SigningAlgorithm::Rs256);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let payload = encode(&serde_json::to_value(claims()).unwrap());
    for alg in ["none", "None", ""] {
        let header = encode(&serde_json::json!({ "alg": alg, "typ": ACCESS_TOKEN_TYPE, "kid": key.kid }));
        assert_eq!(refusal(&format!("{header}.{payload}."), &keys, NOW), JwtError::Malformed, "{alg}");
    }
    let header = encode(&serde_json::json!({ "alg": "RS256", "typ": ACCESS_TOKEN_TYPE, "kid": key.kid }));
    assert_eq!(refusal(&format!("{header}.{payload}."), &keys, NOW), JwtError::BadSignature);
}

#[test]
fn a_public_key_used_as_hmac_secret_is_refused() {
    let (key, keys) = key(SigningAlgorithm::Rs256);
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
    header.kid = Some(key.kid.clone());
    for secret in [key.public_jwk.to_string(), key.public_jwk["n"].as_str().unwrap().to_owned()] {
        let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret.as_bytes())).unwrap();
        assert_eq!(refusal(&token, &keys, NOW), JwtError::WrongAlgorithm);
    }
}

#[test]
fn a_key_set_with_a_shared_secret_or_without_names_is_refused() {
    let oct = serde_json::json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "1", "alg": "HS256" });
    assert!(VerificationKeys::from_jwk_set(&jwk_set([oct])).is_err());
    let (key, _) = key(SigningAlgorithm::Es256);
    for member in ["kid", "alg"] {
        let mut jwk = key.public_jwk.clone();
        jwk.as_object_mut().unwrap().remove(member);
        assert!(VerificationKeys::from_jwk_set(&jwk_set([jwk])).is_err(), "{member}");
    }
    let mut crossed = key.public_jwk.clone();
    crossed["alg"] = "RS256".into();
    assert!(VerificationKeys::from_jwk_set(&jwk_set([crossed])).is_err());
}

#[test]
fn a_changed_payload_is_refused() {
    let (key, keys) = key(SigningAlgorithm::Es256);
    let token = sign(&key, ACCESS_TOKEN_TYPE, &claims()).unwrap();
    let mut parts: Vec<&str> = token.expose().split('.').collect();
    let mut wider = claims();
    wider.scope = "apim:admin".to_owned();
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_string(&wider).unwrap());
    parts[1] = &payload;
    assert_eq!(refusal(&parts.join("."), &keys, NOW), JwtError::BadSignature);
}

#[test]
fn what_is_no_jwt_is_refused() {
    let (_, keys) = key(SigningAlgorithm::EdDsa);
    for token in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "\u{0}"] {
        assert_eq!(refusal(token, &keys, NOW), JwtError::Malformed, "{token:?}");
    }
    assert_eq!(refusal(&"x".repeat(TOKEN_BYTES_MAX + 1), &keys, NOW), JwtError::TooLong);
}
