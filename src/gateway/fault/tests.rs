//! Codes, statuses, bodies and headers of faults.

use super::*;

fn text(fault: Fault) -> String {
    String::from_utf8(fault.into_response(FaultForm::Json).into_body().to_vec()).unwrap()
}

#[test]
fn an_unknown_context_has_the_main_sequence_body() {
    assert_eq!(
        text(Fault::UnknownContext),
        r#"{"code":"404","type":"Status report","message":"Not Found","description":"The requested resource is not available."}"#
    );
}

#[test]
fn an_unknown_resource_has_the_fault_sequence_body() {
    assert_eq!(
        text(Fault::NoResource),
        r#"{"code":"404","type":"Status report","message":"Runtime Error","description":"No matching resource found for given API Request"}"#
    );
}

#[test]
fn bad_credentials_have_a_string_code_and_a_challenge() {
    let response = Fault::InvalidCredentials.into_response(FaultForm::Json);
    assert_eq!(response.status(), 401);
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.starts_with("OAuth2 realm=\"WSO2 API Manager\", error=\"invalid_token\", error_description="));
    let body = text(Fault::InvalidCredentials);
    assert!(body.starts_with(r#"{"code":"900901","message":"Invalid Credentials","description":"#), "{body}");
    let missing = Fault::MissingCredentials(Accepted { bearer: true, api_key: false }).into_response(FaultForm::Json);
    assert_eq!(missing.headers()[WWW_AUTHENTICATE], "OAuth2 realm=\"WSO2 API Manager\"");
}

#[test]
fn a_throttled_call_learns_when_to_come_back() {
    let fault = Fault::Throttled {
        code: error_code::SUBSCRIPTION_LIMIT_EXCEEDED,
        now: Timestamp::from_secs(1_772_600_767),
        retry_in: Duration::from_millis(52_001),
    };
    let response = fault.clone().into_response(FaultForm::Json);
    assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (429, &HeaderValue::from(53)));
    assert_eq!(
        text(fault),
        r#"{"code":"900804","message":"Message throttled out","description":"You have exceeded your quota .You can access API after 2026-Mar-04 05:06:59+0000 UTC","nextAccessTime":"2026-Mar-04 05:06:59+0000 UTC"}"#
    );
}

#[test]
fn xml_faults_have_the_namespace_of_their_origin() {
    let xml = |fault: Fault| {
        let response = fault.into_response(FaultForm::Xml);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/xml; charset=UTF-8");
        String::from_utf8(response.into_body().to_vec()).unwrap()
    };
    assert_eq!(
        xml(Fault::InvalidCredentials),
        "<ams:fault xmlns:ams=\"http://wso2.org/apimanager/security\"><ams:code>900901</ams:code>\
         <ams:message>Invalid Credentials</ams:message><ams:description>Invalid Credentials. Make sure you have \
         provided the correct security credentials</ams:description></ams:fault>"
    );
    let unknown = xml(Fault::UnknownContext);
    assert!(
        unknown.starts_with("<am:fault xmlns:am=\"http://wso2.org/apimanager\"><am:code>404</am:code><am:type>"),
        "{unknown}"
    );
    let throttled = xml(Fault::Throttled {
        code: error_code::APPLICATION_LIMIT_EXCEEDED,
        now: Timestamp::from_secs(0),
        retry_in: Duration::from_secs(1),
    });
    assert!(
        throttled.contains("<amt:nextAccessTime>1970-Jan-01 00:00:01+0000 UTC</amt:nextAccessTime>"),
        "{throttled}"
    );
}

#[test]
fn a_key_of_the_wrong_type_is_a_403_with_the_code_of_bad_credentials() {
    let fault = Fault::NoEndpointFor(KeyType::Sandbox);
    assert_eq!((fault.status().as_u16(), fault.code()), (403, 900_901));
    assert!(!fault.into_response(FaultForm::Json).headers().contains_key(WWW_AUTHENTICATE));
}
