"""Speaks to a server as `apictl` 4.7 does: the same requests in the same order, reading the same fields, nothing more.

Reads SERVER, CERTIFICATE, DEFINITION (a file), BACKEND, PUBLISHER_TOKEN (of somebody who may create APIs: the tool may
only import archives), and SERVED: the operations of the contract that the server serves, one `api METHOD /path` a line. Commands that need others are left out and named. Needs Python's own library only.
"""

import base64
import io
import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile

SERVER = os.environ["SERVER"]
SERVED = set(os.environ["SERVED"].splitlines())
TLS = ssl.create_default_context(cafile=os.environ["CERTIFICATE"])
P, D, A = "/api/am/publisher/v4", "/api/am/devportal/v3", "/api/am/admin/v4"
USER, PASSWORD = "admin", "admin"
NAME, VERSION = "PizzaCtl", "1.0.0"
SCOPES = (
    "apim:app_import_export apim:api_import_export apim:api_product_import_export apim:app_manage apim:sub_manage "
    "apim:api_view apim:api_delete apim:app_owner_change apim:subscribe apim:api_publish apim:admin "
    "apim:policies_import_export apim:mcp_server_view apim:mcp_server_list_view apim:mcp_server_create "
    "apim:mcp_server_delete apim:mcp_server_publish apim:mcp_server_manage apim:mcp_server_import_export"
)


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def send(method, path, authorization, body=None, kind="application/json", accept="application/json"):
    headers = {"Authorization": authorization, "Content-Type": kind, "Accept": accept, "User-Agent": "go-resty/2.12.0"}
    request = urllib.request.Request(SERVER + path, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, context=TLS, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def expect(answer, *statuses):
    status, body = answer
    assert status in statuses, (status, body)
    return body


def register():
    wish = {
        "clientName": "rest_api_import_export_" + USER.replace("@", "_"),
        "callbackUrl": "www.google.lk",
        "grantType": "password refresh_token",
        "saasApp": True,
        "owner": USER,
        "tokenScope": "Production",
    }
    path = "/client-registration/v0.17/register"
    client = json.loads(expect(send("POST", path, basic(USER, PASSWORD), json.dumps(wish).encode()), 200, 201))
    return client["clientId"], client["clientSecret"]


def token(client, user):
    """The user name goes out as it is, without any encoding."""
    form = f"grant_type=password&username={user}&password={urllib.parse.quote_plus(PASSWORD)}"
    form += "&scope=" + urllib.parse.quote_plus(SCOPES)
    kind = "application/x-www-form-urlencoded"
    answer = json.loads(expect(send("POST", "/oauth2/token", basic(*client), form.encode(), kind), 200))
    return answer["access_token"]


class Tool:
    """Each command begins with a token of its own."""

    def __init__(self):
        self.client = register()
        assert register() == self.client, "the second registration gives the same client"
        self.bearer = None

    def login(self, user=USER):
        self.bearer = "Bearer " + token(self.client, user)

    def call(self, method, path, body=None, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return send(method, path, self.bearer, None if body is None else json.dumps(body).encode())

    def read(self, method, path, body=None, **query):
        return json.loads(expect(self.call(method, path, body, **query), 200, 201))

    def upload(self, path, parts, bearer=None):
        boundary = uuid.uuid4().hex
        body = io.BytesIO()
        for name, filename, content in parts:
            file = f'; filename="{filename}"' if filename else ""
            body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode())
            body.write(content + b"\r\n")
        body.write(f"--{boundary}--\r\n".encode())
        return send("POST", path, bearer or self.bearer, body.getvalue(), f"multipart/form-data; boundary={boundary}")

    def find(self):
        """Every command that takes a name looks for its id like this."""
        query = f'name:"{NAME}" version:"{VERSION}"'
        path = "/search" if is_served("publisher GET /search") else "/apis"
        found = self.read("GET", P + path, query=query)
        return found["list"][0]["id"] if found["count"] else None


def is_served(operation):
    return operation in SERVED


def import_definition(tool):
    """The API that the commands are about, as a publisher makes it."""
    properties = {
        "name": NAME,
        "version": VERSION,
        "context": "/pizzactl",
        "policies": ["Unlimited"],
        "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": os.environ["BACKEND"]}},
    }
    with open(os.environ["DEFINITION"], "rb") as file:
        parts = [("file", "swagger.yaml", file.read()), ("additionalProperties", None, json.dumps(properties).encode())]
    expect(tool.upload(P + "/apis/import-openapi", parts, "Bearer " + os.environ["PUBLISHER_TOKEN"]), 200, 201)


def get_apis(tool):
    tool.login(f"{USER}@carbon.super")
    listed = tool.read("GET", P + "/apis", query="", limit=25)
    assert listed["count"] == len(listed["list"]) >= 1, listed
    own = [api for api in listed["list"] if api["name"] == NAME]
    assert len(own) == 1 and {"id", "context", "version", "provider", "lifeCycleStatus"} <= own[0].keys(), listed


def change_status(tool, action):
    tool.login()
    expect(send("POST", f"{P}/apis/change-lifecycle?action={action}&apiId={tool.find()}", tool.bearer), 200)


def get_revisions(tool):
    tool.login()
    revisions = tool.read("GET", f"{P}/apis/{tool.find()}/revisions", query="deployed:true")
    assert revisions["count"] == len(revisions["list"]), revisions


def get_keys(tool):
    tool.login()
    api_id = tool.find()
    policy = tool.read("GET", f"{P}/apis/{api_id}")["policies"][0]
    tier = tool.read("GET", f"{D}/throttling-policies/application")["list"][0]["name"]
    name = "default-apictl-app"
    found = tool.read("GET", f"{D}/applications", query=name)
    if found["count"]:
        application = found["list"][0]["applicationId"]
    else:
        wish = {"name": name, "throttlingPolicy": tier, "description": "made by a tool", "tokenType": "JWT"}
        application = tool.read("POST", f"{D}/applications", wish)["applicationId"]
    subscriptions = tool.read("GET", f"{D}/subscriptions", apiId=api_id)
    if application not in [it["applicationId"] for it in subscriptions["list"]]:
        wish = {"applicationId": application, "apiId": api_id, "throttlingPolicy": policy}
        tool.read("POST", f"{D}/subscriptions", wish)
    scopes = [it["key"] for it in tool.read("GET", f"{D}/applications/{application}")["subscriptionScopes"]]
    keys = tool.read("GET", f"{D}/applications/{application}/keys")
    if not keys["count"]:
        grants = ["refresh_token", "password", "client_credentials"]
        wish = {"keyType": "PRODUCTION", "grantTypesToBeSupported": grants, "validityTime": 3600}
        made = tool.read("POST", f"{D}/applications/{application}/generate-keys", wish)
        assert made["token"]["accessToken"], made
        keys = tool.read("GET", f"{D}/applications/{application}/keys")
    key = keys["list"][0]
    form = "grant_type=client_credentials&scope=" + urllib.parse.quote_plus(" ".join(scopes))
    authorization = basic(key["consumerKey"], key["consumerSecret"])
    answer = send("POST", "/oauth2/token", authorization, form.encode(), "application/x-www-form-urlencoded")
    assert json.loads(expect(answer, 200))["access_token"]
    return application


def delete_application(tool, application):
    tool.login()
    path = f"{A}/applications" if is_served("admin DELETE /applications/{applicationId}") else f"{D}/applications"
    expect(tool.call("DELETE", f"{path}/{application}"), 200, 204)


def export_api(tool):
    tool.login()
    query = {"name": NAME, "version": VERSION, "providerName": USER}
    query |= {"preserveStatus": "true", "preserveCredentials": "false", "format": "YAML"}
    path = f"{P}/apis/export?{urllib.parse.urlencode(query)}"
    archive = expect(send("GET", path, tool.bearer, accept="application/zip"), 200)
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert f"{NAME}-{VERSION}/api.yaml" in names, names
    return archive


def import_api(tool, archive):
    tool.login()
    path = f"{P}/apis/import?preserveProvider=true&rotateRevision=false"
    expect(tool.upload(path, [("file", f"{NAME}.zip", archive)]), 200, 201)


def move_policies(tool):
    """Each kind: made by somebody, exported, deleted, imported, and imported once more over itself."""
    count = {"timeUnit": "min", "unitTime": 1, "requestCount": 7}
    limit = {"type": "REQUESTCOUNTLIMIT", "requestCount": count}
    rule = {"keyTemplate": "$userId", "siddhiQuery": "7 requests per min"}
    kinds = {"sub": "subscription", "app": "application", "api": "advanced", "global": "custom"}
    for word, collection in kinds.items():
        tool.login()
        name = f"Ctl-{word}"
        own = rule if word == "global" else {"defaultLimit": limit}
        tool.read("POST", f"{A}/throttling/policies/{collection}", {"policyName": name, **own})
        query = urllib.parse.urlencode({"name": name, "type": word, "format": "YAML"})
        file = expect(tool.call("GET", f"{A}/throttling/policies/export?{query}"), 200)
        assert json.loads(file)["data"]["policyName"] == name, file
        found = tool.read("GET", f"{A}/throttling/policies/search", query=f"name:{name} type:{word}")
        uuids = [it["uuid"] for it in found["list"] if it["policyName"] == name]
        assert len(uuids) == 1, found
        expect(tool.call("DELETE", f"{A}/throttling/policies/{collection}/{uuids[0]}"), 200, 204)
        path = f"{A}/throttling/policies/import?overwrite="
        parts = [("file", f"{name}.yaml", file)]
        expect(tool.upload(path + "false", parts), 200, 201)
        expect(tool.upload(path + "false", parts), 409)
        expect(tool.upload(path + "true", parts), 200, 201)
        assert tool.read("GET", f"{A}/throttling/policies/search", query=f"type:{word}")["count"] >= 1


def delete_api(tool):
    tool.login()
    expect(tool.call("DELETE", f"{P}/apis/{tool.find()}"), 200, 204)
    assert tool.find() is None


def logout(tool):
    bearer = tool.bearer.removeprefix("Bearer ")
    form = f"token={bearer}&token_type_hint=access_token".encode()
    expect(send("POST", "/oauth2/revoke", basic(*tool.client), form, "application/x-www-form-urlencoded"), 200)
    expect(tool.call("GET", f"{P}/apis"), 401)


def run():
    tool = Tool()
    import_definition(tool)
    get_apis(tool)
    change_status(tool, "Publish")
    get_revisions(tool)
    application = get_keys(tool)
    assert get_keys(tool) == application, "the second time everything is there already"
    delete_application(tool, application)
    move_policies(tool)
    if is_served("publisher GET /apis/export") and is_served("publisher POST /apis/import"):
        archive = export_api(tool)
        delete_api(tool)
        import_api(tool, archive)
        assert tool.find()
    else:
        print("left out: export api, import api")
    delete_api(tool)
    logout(tool)
    print("apictl: well")


run()
