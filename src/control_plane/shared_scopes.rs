//! Shared scopes: one definition, used by several APIs.

use domain::oauth::Principal;
use domain::scope::shared::SharedScope;
use domain::{Failure, ScopeId, error_code};
use store::StoreError;
use store::apim::shared_scopes;

use crate::apis::check;
use crate::{ControlPlane, Page};

/// What somebody may set of a shared scope.
#[derive(Debug, Clone)]
pub struct ScopeWish {
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub roles: Vec<String>,
}

/// A shared scope, and how many APIs use it.
#[derive(Debug, Clone)]
pub struct ScopeView {
    pub scope: SharedScope,
    pub usage_count: i64,
}

/// One page, and how many there are in all.
#[derive(Debug, Clone)]
pub struct ScopePage {
    pub scopes: Vec<SharedScope>,
    pub total: i64,
}

fn not_found(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("there is no shared scope with the id '{id}'"))
}

fn parse_id(id: &str) -> Result<ScopeId, Failure> {
    id.parse().map_err(|_| not_found(id))
}

fn taken(name: &str) -> Failure {
    Failure::refused(error_code::CONFLICT, format!("name: a scope '{name}' exists"))
}

fn checked(wish: &ScopeWish) -> Result<(), Failure> {
    const CHARS_MAX: usize = 512;
    check::scope_name("name", &wish.name)?;
    for (field, text) in [("displayName", &wish.display_name), ("description", &wish.description)] {
        if text.chars().count() > CHARS_MAX {
            return Err(Failure::invalid(field, format!("has more than {CHARS_MAX} characters")));
        }
    }
    Ok(())
}

impl ControlPlane {
    /// # Errors
    /// 400 for a name that is none; 409 when a shared scope or an API has it.
    pub async fn create_shared_scope(&self, caller: &Principal, wish: ScopeWish) -> Result<ScopeView, Failure> {
        checked(&wish)?;
        let scope = SharedScope {
            id: ScopeId::random(),
            organization: caller.organization.clone(),
            name: wish.name,
            display_name: wish.display_name,
            description: wish.description,
            roles: wish.roles,
            created_at: self.now(),
        };
        self.apim()
            .write(move |conn| {
                if shared_scopes::count_apis(conn, &scope.organization, &scope.name)? > 0 {
                    return Err(taken(&scope.name));
                }
                match shared_scopes::insert(conn, &scope) {
                    Ok(()) => Ok(ScopeView { scope: scope.clone(), usage_count: 0 }),
                    Err(StoreError::Conflict { .. }) => Err(taken(&scope.name)),
                    Err(other) => Err(other.into()),
                }
            })
            .await
    }

    /// # Errors
    /// 404.
    pub async fn get_shared_scope(&self, caller: &Principal, id: &str) -> Result<ScopeView, Failure> {
        let (id, organization) = (parse_id(id)?, caller.organization.clone());
        self.apim()
            .read(move |conn| {
                let scope = shared_scopes::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                let usage_count = shared_scopes::count_apis(conn, &organization, &scope.name)?;
                Ok(ScopeView { scope, usage_count })
            })
            .await
    }

    /// A page by name.
    pub async fn list_shared_scopes(&self, caller: &Principal, page: Page) -> Result<ScopePage, Failure> {
        let organization = caller.organization.clone();
        self.apim()
            .read(move |conn| {
                let (scopes, total) = shared_scopes::list(conn, &organization, page)?;
                Ok(ScopePage { scopes, total })
            })
            .await
    }

    /// Changes everything but the name; new tokens follow the new roles.
    ///
    /// # Errors
    /// 404; 400 for another name.
    pub async fn update_shared_scope(
        &self,
        caller: &Principal,
        id: &str,
        wish: ScopeWish,
    ) -> Result<ScopeView, Failure> {
        let (id, organization) = (parse_id(id)?, caller.organization.clone());
        checked(&wish)?;
        self.apim()
            .write(move |conn| {
                let stored = shared_scopes::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                if stored.name != wish.name {
                    return Err(Failure::invalid("name", format!("is '{}' and never changes", stored.name)));
                }
                let scope = SharedScope {
                    display_name: wish.display_name.clone(),
                    description: wish.description.clone(),
                    roles: wish.roles.clone(),
                    ..stored
                };
                shared_scopes::update(conn, &scope)?;
                let usage_count = shared_scopes::count_apis(conn, &organization, &scope.name)?;
                Ok(ScopeView { scope, usage_count })
            })
            .await
    }

    /// # Errors
    /// 404; 409 while APIs use it.
    pub async fn delete_shared_scope(&self, caller: &Principal, id: &str) -> Result<(), Failure> {
        let (id, organization) = (parse_id(id)?, caller.organization.clone());
        self.apim()
            .write(move |conn| {
                let scope = shared_scopes::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                let usage = shared_scopes::count_apis(conn, &organization, &scope.name)?;
                if usage > 0 {
                    return Err(Failure::refused(
                        error_code::CONFLICT,
                        format!("the scope '{}' is used by {usage} APIs; take it off them first", scope.name),
                    ));
                }
                Ok(shared_scopes::delete(conn, id)?)
            })
            .await
    }

    /// Whether a shared scope or a scope of an API has this name.
    pub async fn is_scope_taken(&self, caller: &Principal, name: &str) -> Result<bool, Failure> {
        let (name, organization) = (name.to_owned(), caller.organization.clone());
        self.apim()
            .read(move |conn| {
                let is_shared =
                    !shared_scopes::find_by_names(conn, &organization, std::slice::from_ref(&name))?.is_empty();
                Ok(is_shared || shared_scopes::count_apis(conn, &organization, &name)? > 0)
            })
            .await
    }
}
