//! Definitions that tests import.

/// A small shop: OpenAPI 3.0 in YAML, with a scope.
pub const PIZZA: &str = r#"openapi: 3.0.3
info:
  title: Pizza
  version: 1.0.0
  description: Orders and menus
paths:
  /menu:
    get:
      summary: the menu
      responses:
        "200": {description: pizzas}
  /menu/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        "200": {description: one pizza}
  /order:
    post:
      responses:
        "201": {description: ordered}
  /order/{orderId}/cancel:
    post:
      security:
        - default: [order:cancel]
      parameters:
        - {name: orderId, in: path, required: true, schema: {type: string}}
      responses:
        "200": {description: cancelled}
components:
  securitySchemes:
    default:
      type: oauth2
      flows:
        implicit:
          authorizationUrl: https://example.com
          scopes:
            order:cancel: cancels orders
"#;

/// The same shop in OpenAPI 2.0 and JSON.
pub const PIZZA_V2: &str = r#"{
  "swagger": "2.0",
  "info": {"title": "Pizza two", "version": "2.0.0"},
  "paths": {"/menu": {"get": {"responses": {"200": {"description": "pizzas"}}}}}
}"#;

/// And in OpenAPI 3.1.
pub const PIZZA_V31: &str = r#"{
  "openapi": "3.1.0",
  "info": {"title": "Pizza three", "version": "3.1.0"},
  "paths": {"/menu": {"get": {"responses": {"200": {"description": "pizzas"}}}}}
}"#;
