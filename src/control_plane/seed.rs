//! Fills a database with made-up APIs, applications and subscriptions, for benchmarks and trials.
//!
//! Everything goes through the same functions as the REST APIs' use cases, so that search index, history and events are
//! there. The same seed gives the same content (ids and times aside); what is there already is left as it is, so that a
//! run which was cut short can be repeated, and a larger one adds to a smaller one.

mod catalogue;
mod dice;

use std::sync::Arc;

use domain::api::Api;
use domain::application::Application;
use domain::oauth::Principal;
use domain::user::role;
use domain::{ApiId, ApplicationId, Clock, Failure, Organization, Timestamp};
use store::apim::apis::{Direction, Page};
use store::apim::{apis, applications, subscriptions};
use store::{ApimConn, ApimDb};

use crate::applications::ApplicationSort;
use crate::subscriptions::{SubscriptionWish, subscribe};
use crate::{applications as application_rules, bootstrap, lifecycle};
use catalogue::Catalogue;

/// Most things of one transaction: the writers of a node beside this one wait that long.
const BATCH: u32 = 250;

/// What to sow.
#[derive(Debug, Clone)]
pub struct SeedPlan {
    /// Whom everything belongs to: a user of the super tenant.
    pub owner: String,
    pub apis: u32,
    pub applications: u32,
    pub subscriptions: u32,
    /// The same number gives the same content.
    pub seed: u64,
}

/// How many of each were made; the others of the plan were there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    pub apis: u32,
    pub applications: u32,
    pub subscriptions: u32,
}

/// Sows plans.
#[derive(Clone)]
pub struct Seeder {
    apim: ApimDb,
    clock: Arc<dyn Clock>,
}

/// An API that takes subscriptions, and the policies that it offers.
type Target = (ApiId, Vec<String>);

impl Seeder {
    #[must_use]
    pub fn new(apim: ApimDb, clock: Arc<dyn Clock>) -> Self {
        Self { apim, clock }
    }

    /// Makes what is missing of `plan`.
    ///
    /// # Errors
    /// 400 when the plan has more subscriptions than its applications can have; what the use cases refuse.
    pub async fn sow(&self, plan: &SeedPlan) -> Result<Seeded, Failure> {
        let catalogue = Catalogue::new(plan.seed);
        let published = (0..plan.apis).filter(|number| catalogue.is_published(*number)).count() as u64;
        let most = published.saturating_mul(u64::from(plan.applications));
        if u64::from(plan.subscriptions) > most {
            let reason = format!("must be at most {most}: {published} published APIs times the applications");
            return Err(Failure::invalid("subscriptions", reason));
        }
        let owner = owner(plan);
        bootstrap::ensure_default_policies(&self.apim, owner.organization.clone(), self.clock.now()).await?;
        let mut seeded = Seeded::default();
        let mut targets = Vec::new();
        for numbers in batches(plan.apis) {
            let (made, found) = self.batch(numbers, &owner, catalogue, add_api).await?;
            seeded.apis += made;
            targets.extend(found.into_iter().flatten());
        }
        let mut subscribers = Vec::new();
        for numbers in batches(plan.applications) {
            let (made, found) = self.batch(numbers, &owner, catalogue, add_application).await?;
            seeded.applications += made;
            subscribers.extend(found);
        }
        let ends = Arc::new((subscribers, targets));
        for numbers in batches(plan.subscriptions) {
            let ends = Arc::clone(&ends);
            let add = move |conn: &mut ApimConn, owner: &Principal, catalogue: Catalogue, number, now| {
                add_subscription(conn, owner, (catalogue, &ends), number, now)
            };
            seeded.subscriptions += self.batch(numbers, &owner, catalogue, add).await?.0;
        }
        Ok(seeded)
    }

    /// One transaction: how many things were made, and all that are there now.
    async fn batch<T, F>(
        &self,
        numbers: std::ops::Range<u32>,
        owner: &Principal,
        catalogue: Catalogue,
        add: F,
    ) -> Result<(u32, Vec<T>), Failure>
    where
        T: Send + 'static,
        F: Fn(&mut ApimConn, &Principal, Catalogue, u32, Timestamp) -> Result<(bool, T), Failure> + Send + 'static,
    {
        let (owner, now) = (owner.clone(), self.clock.now());
        self.apim
            .write(move |conn| {
                let added = numbers.clone().map(|number| add(conn, &owner, catalogue, number, now));
                let added = added.collect::<Result<Vec<_>, _>>()?;
                let made = added.iter().filter(|(is_new, _)| *is_new).count();
                let all = added.into_iter().map(|(_, thing)| thing).collect();
                Ok((u32::try_from(made).unwrap_or(u32::MAX), all))
            })
            .await
    }
}

fn batches(count: u32) -> impl Iterator<Item = std::ops::Range<u32>> {
    (0..count).step_by(BATCH as usize).map(move |start| start..start.saturating_add(BATCH).min(count))
}

/// Acts as the user would, seeing everything that is subscribed to.
fn owner(plan: &SeedPlan) -> Principal {
    Principal {
        username: plan.owner.clone(),
        organization: Organization::super_tenant(),
        roles: vec![role::ADMIN.to_owned(), role::CREATOR.to_owned()],
        scopes: Vec::new(),
        client_id: None,
    }
}

fn add_api(
    conn: &mut ApimConn,
    owner: &Principal,
    catalogue: Catalogue,
    number: u32,
    now: Timestamp,
) -> Result<(bool, Option<Target>), Failure> {
    let new = catalogue.api(number)?;
    let present = apis::list_by_name(conn, &owner.organization, new.name.as_str())?;
    if let Some(api) = present.into_iter().find(|api| api.version == new.version) {
        return Ok((false, target(api)));
    }
    crate::apis::check::details(&new.details)?;
    let mut api = crate::apis::working_copy(owner, new, None, now)?;
    crate::apis::insert(conn, &api)?;
    for action in catalogue.actions(number) {
        lifecycle::advance(conn, &mut api, *action, &owner.qualified_name(), now)?;
    }
    Ok((true, target(api)))
}

fn target(api: Api) -> Option<Target> {
    let takes_subscriptions = api.state.takes_subscriptions() && !api.details.policies.is_empty();
    takes_subscriptions.then_some((api.id, api.details.policies))
}

fn add_application(
    conn: &mut ApimConn,
    owner: &Principal,
    catalogue: Catalogue,
    number: u32,
    now: Timestamp,
) -> Result<(bool, ApplicationId), Failure> {
    let input = catalogue.application(number);
    let order = (ApplicationSort::Name, Direction::Ascending);
    let one = Page { offset: 0, limit: 1 };
    let name = Some(input.name.as_str());
    let (present, _) = applications::list(conn, &owner.organization, &owner.username, name, order, one)?;
    if let Some(Application { id, .. }) = present.first() {
        return Ok((false, *id));
    }
    application_rules::check(&input)?;
    let application = application_rules::new(owner, input, now);
    application_rules::insert(conn, &application)?;
    Ok((true, application.id))
}

fn add_subscription(
    conn: &mut ApimConn,
    owner: &Principal,
    (catalogue, (applications, targets)): (Catalogue, &(Vec<ApplicationId>, Vec<Target>)),
    number: u32,
    now: Timestamp,
) -> Result<(bool, ()), Failure> {
    let (application, api) = catalogue.subscription(number, applications.len(), targets.len());
    let (Some(application_id), Some((api_id, policies))) = (applications.get(application), targets.get(api)) else {
        return Ok((false, ()));
    };
    if subscriptions::exists(conn, *api_id, *application_id)? {
        return Ok((false, ()));
    }
    let policy = policies.get(number as usize % policies.len().max(1)).cloned().unwrap_or_default();
    let wish = SubscriptionWish {
        api_id: api_id.to_string(),
        application_id: application_id.to_string(),
        throttling_policy: policy,
    };
    subscribe(conn, owner, &wish, now)?;
    Ok((true, ()))
}
