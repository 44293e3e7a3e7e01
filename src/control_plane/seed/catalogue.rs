//! What thing `number` of a seed is like.

use domain::Failure;
use domain::api::{ApiDetails, AuthType, Endpoint, Endpoints, Operation, Visibility};
use domain::application::TokenType;
use domain::lifecycle::LifecycleAction;
use domain::name::{ApiContext, ApiName, ApiVersion};
use domain::throttling::policy::UNLIMITED;
use domain::user::role;
use serde_json::{Map, json};

use super::dice::Dice;
use crate::apis::NewApi;
use crate::applications::ApplicationInput;

const QUALITIES: [&str; 24] = [
    "Agile", "Bright", "Calm", "Direct", "Early", "Fast", "Global", "Happy", "Instant", "Joint", "Keen", "Local",
    "Modern", "Nimble", "Open", "Prime", "Quick", "Rapid", "Smart", "Total", "Urban", "Vivid", "Wide", "Young",
];
const THINGS: [&str; 32] = [
    "Accounts",
    "Bookings",
    "Carts",
    "Deliveries",
    "Events",
    "Flights",
    "Grants",
    "Hotels",
    "Invoices",
    "Journeys",
    "Keys",
    "Loans",
    "Menus",
    "Notices",
    "Orders",
    "Payments",
    "Quotes",
    "Routes",
    "Shipments",
    "Tickets",
    "Users",
    "Vouchers",
    "Weather",
    "Exchanges",
    "Yields",
    "Zones",
    "Claims",
    "Devices",
    "Forecasts",
    "Patients",
    "Refunds",
    "Stores",
];
/// The common ones first.
const TAGS: [&str; 40] = [
    "internal",
    "payments",
    "travel",
    "health",
    "retail",
    "logistics",
    "mobile",
    "partner",
    "finance",
    "beta",
    "iot",
    "maps",
    "media",
    "identity",
    "weather",
    "insurance",
    "energy",
    "legacy",
    "banking",
    "Analytics",
    "hr",
    "crm",
    "erp",
    "gaming",
    "Open Data",
    "security",
    "messaging",
    "search",
    "social",
    "education",
    "government",
    "food",
    "sports",
    "real-estate",
    "automotive",
    "telecom",
    "farming",
    "events",
    "charity",
    "research",
];
const PHRASES: [&str; 12] = [
    "Lists, creates and changes",
    "Gives partners access to",
    "Keeps the history of",
    "Reports in real time on",
    "Searches and compares",
    "Synchronises",
    "Validates and enriches",
    "Exports for audits",
    "Forecasts the demand for",
    "Notifies subscribers about",
    "Calculates prices of",
    "Tracks the state of",
];
const REGIONS: [&str; 8] = [
    "in Europe",
    "in Asia",
    "worldwide",
    "for the north",
    "for all branches",
    "for mobile apps",
    "for partners",
    "at night",
];
const TEAMS: [&str; 6] = ["Red", "Green", "Blue", "Orange", "Violet", "Grey"];
const VERSIONS: [&str; 5] = ["1.0.0", "1.1.0", "1.2.3", "v1", "0.9.1"];
const POLICIES: [&str; 4] = ["Gold", "Silver", "Bronze", "Unlimited"];
/// The back end of `gatewright --demo`.
const BACKEND: &str = "http://localhost:8290";

const API: u64 = 1;
const STATE: u64 = 2;
const APPLICATION: u64 = 3;
const SUBSCRIPTION: u64 = 4;

/// Everything of one seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Catalogue {
    seed: u64,
}

impl Catalogue {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Every fifth API is a second version of the one before it.
    pub(super) fn api(self, number: u32) -> Result<NewApi, Failure> {
        let is_second = number % 5 == 4;
        let first = if is_second { number - 1 } else { number };
        let mut dice = Dice::of(self.seed, API, first);
        let (quality, thing) = (dice.pick(&QUALITIES), dice.pick(&THINGS));
        let path = format!("/{}/{}-{}-{first}", dice.pick(&REGIONS).replace(' ', "-"), quality, self.seed);
        let version = if is_second { "2.0.0" } else { dice.pick(&VERSIONS) };
        Ok(NewApi {
            name: ApiName::parse(&format!("{quality}{thing}-{}-{first}", self.seed))?,
            version: ApiVersion::parse(version)?,
            context: ApiContext::parse(&path.to_lowercase())?,
            is_default_version: is_second,
            details: details(&mut Dice::of(self.seed, API, number), thing),
        })
    }

    /// From CREATED: four of five are published.
    pub(super) fn actions(self, number: u32) -> &'static [LifecycleAction] {
        match Dice::of(self.seed, STATE, number).below(100) {
            0..=79 => &[LifecycleAction::Publish],
            80..=86 => &[LifecycleAction::Publish, LifecycleAction::Deprecate],
            87..=91 => &[LifecycleAction::DeployAsPrototype],
            _ => &[],
        }
    }

    pub(super) fn is_published(self, number: u32) -> bool {
        self.actions(number) == [LifecycleAction::Publish]
    }

    pub(super) fn application(self, number: u32) -> ApplicationInput {
        let mut dice = Dice::of(self.seed, APPLICATION, number);
        let (quality, thing) = (dice.pick(&QUALITIES), dice.pick(&THINGS));
        ApplicationInput {
            name: format!("{quality} {thing} App {}-{number}", self.seed),
            throttling_policy: dice.pick(&["Unlimited", "50PerMin", "20PerMin", "10PerMin"]).to_owned(),
            description: format!("{} {} {}", dice.pick(&PHRASES), thing.to_lowercase(), dice.pick(&REGIONS)),
            token_type: TokenType::Jwt,
            groups: Vec::new(),
            attributes: Map::new(),
            visibility: "PRIVATE".to_owned(),
        }
    }

    /// Which application subscribes to which API, each by its place: round after round, and no pair twice.
    pub(super) fn subscription(self, number: u32, applications: usize, apis: usize) -> (usize, usize) {
        let application = number as usize % applications.max(1);
        let round = number as usize / applications.max(1);
        // A start of its own for every application, so that APIs are not all subscribed to equally.
        let who = u32::try_from(application).unwrap_or(u32::MAX);
        let start = Dice::of(self.seed, SUBSCRIPTION, who).below(apis);
        (application, (start + round) % apis.max(1))
    }
}

fn details(dice: &mut Dice, thing: &str) -> ApiDetails {
    let lower = thing.to_lowercase();
    let mut tags: Vec<&str> = (0..=dice.below(4)).map(|_| dice.pick_skewed(&TAGS)).collect();
    tags.sort_unstable();
    tags.dedup();
    let (visibility, visible_roles) = match dice.below(20) {
        0 => (Visibility::Restricted, vec![role::CREATOR.to_owned()]),
        1 | 2 => (Visibility::Private, Vec::new()),
        _ => (Visibility::Public, Vec::new()),
    };
    let description = format!("{} {lower} {}.", dice.pick(&PHRASES), dice.pick(&REGIONS));
    let mut other = Map::new();
    other.insert("description".to_owned(), json!(description));
    other.insert("tags".to_owned(), json!(tags));
    let team = json!([{"name": "team", "value": dice.pick(&TEAMS), "display": true}]);
    other.insert("additionalProperties".to_owned(), team);
    other.insert("businessInformation".to_owned(), json!({"businessOwner": format!("Team {lower}")}));
    ApiDetails {
        operations: operations(dice, &lower),
        endpoints: Endpoints {
            production: Some(Endpoint { url: BACKEND.to_owned(), timeout_ms: None }),
            sandbox: None,
            config: json!({"endpoint_type": "http", "production_endpoints": {"url": BACKEND}}),
        },
        policies: POLICIES.iter().skip(dice.below(POLICIES.len())).map(|name| (*name).to_owned()).collect(),
        transports: vec!["http".to_owned(), "https".to_owned()],
        security_schemes: vec!["oauth2".to_owned(), "oauth_basic_auth_api_key_mandatory".to_owned()],
        visibility,
        visible_roles,
        other,
        ..ApiDetails::default()
    }
}

fn operations(dice: &mut Dice, thing: &str) -> Vec<Operation> {
    let collection = format!("/{thing}");
    let one = format!("/{thing}/{{id}}");
    let history = format!("/{thing}/{{id}}/history");
    let all = [
        ("GET", &collection),
        ("GET", &one),
        ("POST", &collection),
        ("PUT", &one),
        ("DELETE", &one),
        ("GET", &history),
        ("PATCH", &one),
    ];
    let operation = |(verb, target): &(&str, &String)| Operation {
        verb: (*verb).to_owned(),
        target: (*target).clone(),
        auth: AuthType::Any,
        throttling_policy: UNLIMITED.to_owned(),
        scopes: Vec::new(),
        other: Map::new(),
    };
    all.iter().take(2 + dice.below(6)).map(operation).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_content_and_another_one_other_names() {
        let text = |seed: u64| {
            let catalogue = Catalogue::new(seed);
            (0..50).map(|number| format!("{:?}", catalogue.api(number).unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(text(7), text(7));
        assert!(text(7).iter().zip(text(8)).all(|(seven, eight)| *seven != eight));
    }

    #[test]
    fn no_two_apis_have_the_same_name_and_version_or_path() {
        let catalogue = Catalogue::new(1);
        let (mut names, mut paths) = (HashSet::new(), HashSet::new());
        let [first, second] = [3, 4].map(|number| catalogue.api(number).unwrap());
        assert_eq!((first.name, first.context), (second.name, second.context));
        for number in 0..2000 {
            let api = catalogue.api(number).unwrap();
            assert!(names.insert((api.name.as_str().to_owned(), api.version.as_str().to_owned())));
            assert!(paths.insert(api.context.with_version(&api.version)));
        }
    }

    #[test]
    fn no_pair_is_subscribed_twice() {
        let catalogue = Catalogue::new(1);
        let pairs: HashSet<_> = (0..70).map(|number| catalogue.subscription(number, 7, 10)).collect();
        assert_eq!(pairs.len(), 70);
    }
}
