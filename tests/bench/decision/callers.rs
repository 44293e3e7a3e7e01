//! Calls of many applications to one API that has a limit on every level.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use domain::application::KeyType;
use domain::contract::throttle::{Holder, Lease, LeaseReply, LeaseRequest};
use domain::contract::{Throttle, ThrottleUnavailable};
use domain::runtime::{GatewayApi, Snapshot};
use domain::throttling::{OnTmLoss, RateLimit, TimeUnit};
use domain::{ApplicationId, SystemClock, Timestamp};
use futures_util::FutureExt;
use gateway::filters::authenticate::Caller;
use gateway::filters::deny;
use gateway::filters::subscription::{Access, Plan};
use gateway::filters::throttle::{CallView, Counters, Quotas};
use gateway::fleet::Fleet;
use gateway::lease::{LeaseBook, Loss};
use gateway::local_limit::LocalLimits;
use gateway::rate_limit::RateLimits;
use gateway::table::{ApiEntry, Consumer, EarlierRevocations, SubscriptionTier, Tables};
use hyper::HeaderMap;
use prometheus_client::metrics::counter::Counter;

use super::fixture;

/// Grants so much that nothing is asked twice within a window.
pub struct Generous {
    pub window: Duration,
}

#[async_trait]
impl Throttle for Generous {
    async fn lease(&self, _: LeaseRequest) -> Result<LeaseReply, ThrottleUnavailable> {
        let (start_in, end_in, rest) = (Duration::ZERO, self.window, 1 << 40);
        Ok(LeaseReply::Granted(Lease { window_id: 0, epoch: 1, units: 1 << 40, start_in, end_in, rest }))
    }

    async fn give_back(&self, _: &str, _: i64, _: u64, _: u64) -> Result<(), ThrottleUnavailable> {
        Ok(())
    }

    fn introduce(&self, _: Weak<dyn Holder>) {}
}

/// Room for so many leases, each of which ends with its window.
pub fn book(keys_max: usize, window: Duration) -> Arc<LeaseBook> {
    let loss = Loss {
        on_tm_loss: OnTmLoss::LocalShare,
        fleet: Fleet::default(),
        clock: Arc::new(SystemClock),
        admitted: Counter::default(),
    };
    LeaseBook::new(Arc::new(Generous { window }), keys_max, Counter::default(), loss)
}

/// The API, its limits, and who calls it in turn.
pub struct Callers {
    tables: Tables,
    entry: Arc<ApiEntry>,
    accesses: Vec<Access>,
    leases: Arc<LeaseBook>,
    local: LocalLimits,
    headers: HeaderMap,
    turn: usize,
}

const LIMIT: u64 = 1 << 40;

/// A step through all callers in no order that a cache could guess; shares no factor with their number.
const STRIDE: usize = 611_953;

impl Callers {
    /// So many applications, each with a lease of the book on every level.
    pub async fn new(keys: usize, leases: Arc<LeaseBook>) -> Self {
        let mut api = fixture::api("bench", "http://localhost:1");
        api.production_maximum = Some(RateLimit { count: u64::from(u32::MAX), time_unit: TimeUnit::Sec });
        api.operations.iter_mut().for_each(|operation| operation.throttling_policy = "Resource".to_owned());
        let mut tier = fixture::subscription_policy("Gold", LIMIT);
        tier.rate_limit = Some(RateLimit { count: u64::from(u32::MAX), time_unit: TimeUnit::Sec });
        let snapshot = Snapshot {
            subscription_policies: vec![tier],
            application_policies: vec![fixture::application_policy("PerUser", LIMIT)],
            advanced_policies: vec![fixture::advanced_policy("Resource", LIMIT)],
            custom_rules: vec![fixture::custom_rule("$apiContext", "1000000000 requests per hour")],
            ..fixture::snapshot(std::slice::from_ref(&api))
        };
        let tables = Tables::new();
        tables.load(&snapshot, &fixture::artifacts(std::slice::from_ref(&api)), EarlierRevocations::Drop);
        let (entry, _) = tables.live().find_api(b"/bench/1.0.0/x").unwrap();
        let local = LocalLimits::new(4 * keys + 16, Fleet::default());
        let accesses = (0..keys).map(|number| access(&api, number)).collect();
        let mut callers = Self { tables, entry, accesses, leases, local, headers: HeaderMap::new(), turn: 0 };
        for _ in 0..keys {
            callers.call().await;
        }
        callers
    }

    /// Looks up the limits of the next caller's call and takes a unit of each; all of them are there.
    pub fn next_call(&mut self) {
        let decided = self.call().now_or_never();
        assert!(decided.is_some(), "a lease was asked for");
    }

    async fn call(&mut self) {
        self.turn = (self.turn + STRIDE) % self.accesses.len();
        let api = &self.entry.api;
        let (operation, operation_key) = api.operation(0).unwrap();
        let call = CallView {
            api,
            operation,
            operation_key,
            access: &self.accesses[self.turn],
            caller: &Caller::Anonymous,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            headers: &self.headers,
            query: None,
        };
        let live = self.tables.live();
        deny::check(&live, &call).unwrap();
        let quotas = Quotas::find(&live, &call).unwrap();
        let counters = Counters { leases: &self.leases, local: &self.local };
        let mut limits = RateLimits::default();
        let charges = quotas.take(counters, &api.document, Timestamp::from_secs(0), &mut limits).await;
        assert!(charges.unwrap().is_empty());
    }
}

fn access(api: &GatewayApi, number: usize) -> Access {
    let mut application = fixture::application(&format!("user{number}"));
    application.id = ApplicationId::random();
    "PerUser".clone_into(&mut application.throttling_policy);
    let subscription = fixture::subscription(application.id, api.api_id, "Gold");
    let owner = format!("{}@carbon.super", application.owner).into();
    let consumer = Consumer { application, owner, tier: "PerUser".into() };
    let plan = Plan::Subscribed(Arc::new(SubscriptionTier { subscription, tier: "Gold".into() }));
    Access { consumer: Some(Arc::new(consumer)), key_type: KeyType::Production, plan }
}
