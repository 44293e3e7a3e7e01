M=${M:-https://localhost:9443} G=${G:-https://localhost:8243} B=${B:-http://localhost:8290}
call() { curl -skS -u "${U:-admin:admin}" "$@"; }
field() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
post() { call -H 'Content-Type: application/json' -d "${2:-}" "$M/api/am/$1"; }

# Import the definition, freeze a revision, deploy it to the gateway, publish it.
API=$(call "$M/api/am/publisher/v4/apis/import-openapi" -F url="$B/openapi.json" -F additionalProperties='{
  "name": "Pizza", "version": "1.0.0", "context": "/pizza", "policies": ["Gold"],
  "endpointConfig": {"endpoint_type": "http", "production_endpoints": {"url": "'"$B"'"}}}' | field id)
REVISION=$(post "publisher/v4/apis/$API/revisions" '{"description": "first"}' | field id)
post "publisher/v4/apis/$API/deploy-revision?revisionId=$REVISION" '[{"name": "Default", "vhost": "localhost"}]' >/dev/null
post "publisher/v4/apis/change-lifecycle?apiId=$API&action=Publish" >/dev/null

# Create an application, subscribe it to the API, get its keys and a token.
APP=$(post devportal/v3/applications '{"name": "Phone", "throttlingPolicy": "Unlimited"}' | field applicationId)
post devportal/v3/subscriptions "{\"applicationId\": \"$APP\", \"apiId\": \"$API\", \"throttlingPolicy\": \"Gold\"}" >/dev/null
KEYS=$(post "devportal/v3/applications/$APP/generate-keys" \
  '{"keyType": "PRODUCTION", "grantTypesToBeSupported": ["client_credentials"]}')
CLIENT=$(echo "$KEYS" | field consumerKey):$(echo "$KEYS" | field consumerSecret)
TOKEN=$(curl -skS -u "$CLIENT" -d grant_type=client_credentials "$M/oauth2/token" | field access_token)

# Call the API through the gateway: with the token it answers, without it does not.
curl -skS "$G/pizza/1.0.0/menu" -H "Authorization: Bearer $TOKEN"; echo
curl -skS "$G/pizza/1.0.0/menu"; echo
