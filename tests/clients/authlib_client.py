"""What an application built on Authlib does with its keys: get, refresh, introspect and revoke tokens.

Reads SERVER, CLIENT_ID, CLIENT_SECRET and CERTIFICATE, and ends with 0 when everything went as the RFCs say.
"""

import os

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.integrations.base_client.errors import OAuthError

SERVER = os.environ["SERVER"]


def session(method):
    made = OAuth2Session(
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    # The node's own certificate, checked as any other.
    made.verify = os.environ["CERTIFICATE"]
    made.trust_env = False
    return made


def is_active(oauth, token):
    answer = oauth.introspect_token(f"{SERVER}/oauth2/introspect", token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()["active"]


def run(method):
    metadata = session(method).request("GET", f"{SERVER}/oauth2/token/.well-known/openid-configuration", withhold_token=True)
    assert metadata.status_code == 200, metadata.text
    endpoints = metadata.json()
    token_url = endpoints["token_endpoint"]

    oauth = session(method)
    application = oauth.fetch_token(token_url, grant_type="client_credentials")
    assert application["token_type"].lower() == "bearer" and application["expires_in"] > 0, application
    assert "refresh_token" not in application, application

    user = oauth.fetch_token(token_url, username="admin", password="admin")
    refreshed = oauth.refresh_token(token_url, refresh_token=user["refresh_token"])
    assert refreshed["access_token"] != user["access_token"], "a refresh gives a new token"

    reader = session("client_secret_basic")
    assert is_active(reader, refreshed["access_token"])
    assert is_active(reader, refreshed["refresh_token"])
    assert not is_active(reader, "no-such-token")

    for token in (application["access_token"], refreshed["access_token"]):
        answer = oauth.revoke_token(endpoints["revocation_endpoint"], token=token, token_type_hint="access_token")
        assert answer.status_code == 200, answer.text
        assert not is_active(reader, token)
    assert not is_active(reader, refreshed["refresh_token"]), "it goes with its access token"

    for wrong, code in (
        (dict(grant_type="password", username="admin", password="wrong"), "invalid_grant"),
        (dict(grant_type="urn:example:unknown"), "unsupported_grant_type"),
        (dict(grant_type="refresh_token", refresh_token=refreshed["refresh_token"]), "invalid_grant"),
    ):
        try:
            session(method).fetch_token(token_url, **wrong)
        except (OAuth2Error, OAuthError) as error:
            assert error.error == code, (wrong, error)
        else:
            raise AssertionError(f"{wrong} was granted")


for authentication in ("client_secret_basic", "client_secret_post"):
    run(authentication)
    print(f"authlib with {authentication}: well")
