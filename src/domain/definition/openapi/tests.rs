//! What the tests of definitions share.

mod accepted;
mod hostile;
mod refused;
mod views;

use super::{DefinitionError, OpenApi, parse};

const PIZZA_V2: &str = r##"
swagger: '2.0'
info: {title: Pizza, version: 1.10, description: Orders}
host: backend.example:9099
basePath: /pizza/v1/
schemes: [http, https]
securityDefinitions:
  shop:
    type: oauth2
    flow: implicit
    authorizationUrl: https://login.example
    scopes: {orders: Place orders, menu: Read the menu}
    x-scopes-bindings: {orders: "admin, Internal/subscriber"}
  key: {type: apiKey, in: header, name: k}
parameters:
  Id: {name: id, in: path, required: true, type: string}
paths:
  /menu:
    get:
      summary: The menu
      operationId: menu
      responses: {200: {description: ok}, default: {description: error}}
  /orders/{id}:
    parameters: [{$ref: '#/parameters/Id'}]
    put:
      operationId: change
      security: [{shop: [orders], key: []}]
      x-auth-type: Application User
      x-throttling-tier: 10KPerMin
      responses: {200: {description: on}}
    delete:
      responses: {204: {description: gone}}
      x-scope: orders,menu
"##;

const PIZZA_V3: &str = r##"{
  "openapi": "3.0.3",
  "info": {"title": "Pizza", "version": "1.0.0"},
  "servers": [{"url": "https://{region}.example/pizza/", "variables": {"region": {"default": "eu"}}}],
  "x-wso2-production-endpoints": {"urls": ["http://b.example"], "type": "http"},
  "x-wso2-transports": ["https"],
  "security": [{"shop": ["menu"]}],
  "components": {
    "schemas": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}},
    "securitySchemes": {"shop": {"type": "oauth2", "flows": {
      "clientCredentials": {"tokenUrl": "https://l.example", "scopes": {"menu": "Read", "orders": "Order"}}}}}
  },
  "paths": {
    "/menu": {"get": {"responses": {"2XX": {"description": "ok",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}}},
      "trace": {"responses": {"200": {"description": "ok"}}}},
    "/menu/{id}": {"$ref": "#/x-items/one"}
  },
  "x-items": {"one": {"servers": [{"url": "http://internal.example"}],
    "get": {"security": [], "parameters": [{"name": "id", "in": "path", "required": true,
      "schema": {"type": "string"}}], "responses": {"200": {"description": "ok"}}}}}
}"##;

const PIZZA_V3_1: &str = r##"
openapi: 3.1.0
info:
  title: Pizza
  version: 2024-01-01
  summary: new in 3.1
jsonSchemaDialect: https://json-schema.org/draft/2020-12/schema
paths:
  /menu:
    get:
      description: no responses are fine here
    post:
      requestBody: {content: {application/json: {schema: {$ref: '#dish'}}}}
components:
  schemas:
    Dish: {$anchor: dish, type: [object, 'null'], properties: {$ref: {type: string}}}
    Outer: {$ref: 'https://schemas.example/outer.json'}
  pathItems: {}
webhooks: {}
"##;

fn read(text: &str) -> OpenApi {
    parse(text.as_bytes()).unwrap()
}

fn errors(text: &str) -> Vec<String> {
    parse(text.as_bytes()).unwrap_err().iter().map(DefinitionError::to_string).collect()
}

/// A 3.0 document with the given YAML flow object as its paths.
fn with_paths(paths: &str) -> String {
    format!("openapi: 3.0.1\ninfo: {{title: t, version: '1'}}\npaths: {paths}\n")
}
