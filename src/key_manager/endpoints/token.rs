//! `POST /oauth2/token` (RFC 6749 section 3.2).

use actix_web::{HttpRequest, HttpResponse};

use super::realm::Realm;
use super::{Body, Service};
use crate::error::OAuthError;
use crate::service::KeyManagerService;
use crate::token::issue::TokenResponseDto;
use crate::{client_auth, grants};

pub(super) async fn token(service: Service, request: HttpRequest, body: Body) -> HttpResponse {
    super::answer(&service, serve(&service, &request, body).await)
}

async fn serve(service: &KeyManagerService, request: &HttpRequest, body: Body) -> Result<TokenResponseDto, OAuthError> {
    let parameters = super::parameters(request, body)?;
    let realm = Realm::of(service, request).await?;
    let client = client_auth::authenticate(service, request, &realm, &parameters).await?;
    grants::serve(service, &client, &realm, &parameters).await
}
